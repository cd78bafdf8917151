// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include "granule.h"
#include "trace.h"
#include "window.h"

/* ---- faults ---- */

static struct xnuma_fault fault_of(struct vm_fault *vmf, bool write)
{
	struct xnuma_import *imp = vmf->vma->vm_file->private_data;

	return (struct xnuma_fault) {
		.vmf = vmf,
		.vma = vmf->vma,
		.imp = imp,
		.exp = imp->exp,
		.prefault = xnuma_prefault_of(imp),
		.va = vmf->pgoff << PAGE_SHIFT,
		.want = vmf->pgoff << PAGE_SHIFT,
		.write = write,
	};
}

static void fault_came(struct xnuma_fault *f)
{
	if (f->prefault)
		f->prefault->called = true;
	xnuma_count_in(&f->imp->stats, faults);
}

static vm_fault_t window_fault(struct vm_fault *vmf, bool write, bool upgrade)
{
	struct xnuma_fault f = fault_of(vmf, write);
	int ret;

	f.upgrade = upgrade;
	fault_came(&f);
	ret = xnuma_fill(&f);
	if (ret)
		f.path = ret == XNUMA_FILL_SLOW ? XNUMA_PATH_SLOW :
						  XNUMA_PATH_POISON;
	trace_fault(&f);
	if (ret == XNUMA_FILL_DONE)
		return VM_FAULT_NOPAGE;
	if (ret == XNUMA_FILL_SLOW)
		return xnuma_slow_fault(&f);
	return xnuma_poison(&f, -ret);
}

static vm_fault_t window_first(struct vm_fault *vmf)
{
	return window_fault(vmf, vmf->flags & FAULT_FLAG_WRITE, false);
}

/*
 * Comes before window_first() where there is no page table yet. An answer here
 * saves the kernel making one, which is half of what a huge entry costs; all
 * else, a write to a read-only huge entry too, is left to window_first().
 */
static vm_fault_t window_huge(struct vm_fault *vmf, compat_huge_size size)
{
	struct xnuma_fault f;

	if (!compat_is_pmd(size) || !pmd_none(*vmf->pmd))
		return VM_FAULT_FALLBACK;
	f = fault_of(vmf, vmf->flags & FAULT_FLAG_WRITE);
	f.huge = true;
	if (!xnuma_pmd_covered(&f) || xnuma_fill(&f) != XNUMA_FILL_DONE)
		return VM_FAULT_FALLBACK;
	fault_came(&f);
	trace_fault(&f);
	return VM_FAULT_NOPAGE;
}

/*
 * I5: without this the kernel would make a read-only entry writable by itself.
 * The answer is never 0, which would have it do that, and never VM_FAULT_RETRY
 * alone, which it does not understand here.
 */
static vm_fault_t window_upgrade(struct vm_fault *vmf)
{
	return window_fault(vmf, true, true) | VM_FAULT_NOPAGE;
}

static void window_open(struct vm_area_struct *vma)
{
	struct xnuma_import *imp = vma->vm_file->private_data;

	atomic_inc(&imp->user->used[XNUMA_LIMIT_WINDOWS]);
	xnuma_add_in(&imp->stats, windows, 1);
}

static void window_close(struct vm_area_struct *vma)
{
	struct xnuma_import *imp = vma->vm_file->private_data;

	xnuma_uncharge(imp->user, XNUMA_LIMIT_WINDOWS);
	xnuma_add_in(&imp->stats, windows, -1);
}

/* I7: a window stays where it is. */
static int window_moved(struct vm_area_struct *vma)
{
	return -EINVAL;
}

/*
 * Cut inside of a huge page's place, the window's i_mmap_rwsem is held (by
 * kernels from 6.3 on) while the notifiers of this mm are called for that place.
 * If its memory was exported before the window came, its granule may still have
 * importers to zap, by a lock of the same kind: of this import, or of a peer who
 * is cutting a window of his. So let the granule see the whole event first. From
 * here on nobody inserts in it, since what lies there is not exportable, and it
 * takes no lock but its own.
 */
static int window_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long first = addr & PMD_MASK;

	if (first != addr && first >= vma->vm_start &&
	    first + PMD_SIZE <= vma->vm_end)
		compat_zap_window(vma, first, PMD_SIZE);
	return 0;
}

static const struct vm_operations_struct window_ops = {
	.open = window_open,
	.close = window_close,
	.may_split = window_may_split,
	.mremap = window_moved,
	.fault = window_first,
	.huge_fault = window_huge,
	.pfn_mkwrite = window_upgrade,
};

/* ---- status pages ---- */

static vm_fault_t status_fault(struct vm_fault *vmf)
{
	struct xnuma_import *imp = vmf->vma->vm_file->private_data;
	pgoff_t first = XPMEM_NUMA_STATUS >> PAGE_SHIFT;

	vmf->page = vmf->pgoff == first ? imp->status : imp->exp->status;
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct status_ops = {
	.mremap = window_moved,
	.fault = status_fault,
};

/* ---- mmap ---- */

static int map_status(struct xnuma_import *imp, struct vm_area_struct *vma)
{
	if (vma->vm_end - vma->vm_start != 2 * PAGE_SIZE)
		return -EINVAL;
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	vma_set_file(vma, imp->file);
	vma->vm_pgoff = XPMEM_NUMA_STATUS >> PAGE_SHIFT;
	vma->vm_ops = &status_ops;
	/* VM_IO keeps madvise() from undoing VM_DONTCOPY. */
	vm_flags_mod(vma, VM_IO | VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP,
		     VM_MAYWRITE | VM_MAYEXEC);
	return 0;
}

static int map_memory(struct xnuma_import *imp, struct vm_area_struct *vma,
		      unsigned long va)
{
	unsigned long len = vma->vm_end - vma->vm_start;
	struct xnuma_export *exp = imp->exp;
	vm_flags_t clear = VM_MAYEXEC;

	if (va < exp->start || va >= exp->end || len > exp->end - va)
		return -EINVAL;
	if (!(imp->rights & XPMEM_NUMA_WRITE)) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		clear |= VM_MAYWRITE;
	}
	if (!xnuma_charge(imp->user, XNUMA_LIMIT_WINDOWS))
		return -EDQUOT;
	vma_set_file(vma, imp->file);
	vma->vm_pgoff = va >> PAGE_SHIFT;
	vma->vm_ops = &window_ops;
	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTCOPY |
		     VM_DONTDUMP, clear);
	xnuma_add_in(&imp->stats, windows, 1);
	return 0;
}

/*
 * The vma moves to the import's own file, so that the kernel's reverse map of
 * that file is ours (as dma-buf does). The caller holds imp->file.
 */
int xnuma_window_mmap(struct xnuma_import *imp, struct vm_area_struct *vma,
		      unsigned long va)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (va == XPMEM_NUMA_STATUS)
		return map_status(imp, vma);
	return map_memory(imp, vma, va);
}
