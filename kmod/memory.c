// SPDX-License-Identifier: GPL-2.0-only
/* I5: which memory of an owner an importer may have at all. */
#include <linux/magic.h>
#include <linux/mm.h>
#include "mutate.h"
#include "window.h"

static bool is_secret(struct vm_area_struct *vma)
{
	if (compat_is_shadow_stack(vma))
		return true;
	return vma->vm_file && !xnuma_mutated(SECRET) &&
	       file_inode(vma->vm_file)->i_sb->s_magic == SECRETMEM_MAGIC;
}

/*
 * I5: may an importer have the page at @va? Nothing that get_user_pages()
 * without force would refuse. The owner's mmap_lock is held.
 */
int xnuma_memory_check(struct mm_struct *mm, unsigned long va, bool write)
{
	struct vm_area_struct *vma = find_vma(mm, va);

	lockdep_assert_held(&mm->mmap_lock);
	if (!vma || va < vma->vm_start || !(vma->vm_flags & VM_READ))
		return -XPMEM_NUMA_REASON_HOLE;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP) || is_secret(vma))
		return -XPMEM_NUMA_REASON_KIND;
	if (write && !(vma->vm_flags & VM_WRITE) && !xnuma_mutated(WRITE))
		return -XPMEM_NUMA_REASON_READ_ONLY;
	return 0;
}

/* Memory of the wrong kind must not come in by fault-around either. */
void xnuma_memory_drop(struct mm_struct *mm, unsigned long start,
		       unsigned long end, unsigned long *pfns)
{
	struct vm_area_struct *vma;
	unsigned long va, stop;

	for (va = start; va < end; va = stop) {
		vma = find_vma(mm, va);
		if (!vma || vma->vm_start >= end)
			return;
		stop = min(vma->vm_end, end);
		va = max(va, vma->vm_start);
		if (is_secret(vma))
			memset(pfns + ((va - start) >> PAGE_SHIFT), 0,
			       (stop - va) >> PAGE_SHIFT << 3);
	}
}
