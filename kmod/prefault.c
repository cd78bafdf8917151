// SPDX-License-Identifier: GPL-2.0-only
/*
 * PREFAULT: ordinary faults of the caller, one for each granule, which fill all
 * that is there. They know that they are wanted ahead of time: see prefault in
 * struct xnuma_fault.
 */
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include "granule.h"
#include "window.h"

/* The PREFAULT call that this fault belongs to, if any. */
struct xnuma_prefault *xnuma_prefault_of(struct xnuma_import *imp)
{
	struct xnuma_prefault *p, *found = NULL;

	if (list_empty(&imp->prefaults))
		return NULL;
	spin_lock(&imp->lock);
	list_for_each_entry(p, &imp->prefaults, node)
		if (p->task == current)
			found = p;
	spin_unlock(&imp->lock);
	return found;
}

static unsigned long first_page(struct vm_area_struct *vma)
{
	return vma->vm_pgoff;
}

static unsigned long last_page(struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

/* The kernel's own look-up in an inode's tree of mappings is not exported. */
INTERVAL_TREE_DEFINE(struct vm_area_struct, shared.rb, unsigned long,
		     shared.rb_subtree_last, first_page, last_page,
		     static inline, window_tree)

/*
 * Where a window shows @va, and how far one fault there can fill: the inode's
 * interval tree has all windows of this import, which are all in current->mm.
 * A vma may be used under the tree's lock only: munmap() takes it out of the mm
 * and frees it with mmap_lock held for reading.
 */
static bool window_at(struct xnuma_import *imp, unsigned long va,
		      unsigned long *addr, unsigned long *len)
{
	struct address_space *mapping = imp->inode->i_mapping;
	pgoff_t pgoff = va >> PAGE_SHIFT;
	struct vm_area_struct *vma;

	i_mmap_lock_read(mapping);
	vma = window_tree_iter_first(&mapping->i_mmap, pgoff, pgoff);
	if (vma) {
		*addr = vma->vm_start + ((pgoff - vma->vm_pgoff) << PAGE_SHIFT);
		*len = vma->vm_end - *addr;
	}
	i_mmap_unlock_read(mapping);
	*len = min3(*len, PMD_SIZE - (*addr & ~PMD_MASK),
		    XNUMA_GRANULE_SIZE - (va & ~XNUMA_GRANULE_MASK));
	return vma;
}

/* Somebody had the owner's lock: wait for it, holding nothing, and try again. */
static int wait_for_owner(struct xnuma_import *imp)
{
	struct mm_struct *mm = imp->exp->mm;
	int ret;

	if (!mmget_not_zero(mm))
		return -EPIPE;
	ret = mmap_read_lock_killable(mm);
	if (!ret)
		mmap_read_unlock(mm);
	mmput_async(mm);
	return ret;
}

/* Bytes from @addr that need no fault; a huge entry is all of @len. */
static unsigned long mapped(struct mm_struct *mm, unsigned long addr,
			    unsigned long len, bool write)
{
	unsigned long done = 0;

	while (done < len && compat_is_mapped(mm, addr + done, write))
		done += PAGE_SIZE;
	return done ?: len;
}

/* One fault at @va; @next is how far that has come. */
static int fault_at(struct xnuma_import *imp, struct xnuma_prefault *p,
		    unsigned long va, unsigned long *next)
{
	struct mm_struct *mm = current->mm;
	unsigned long addr = 0, len = 0;
	bool unlocked = false;
	int ret = -EFAULT;

	mmap_read_lock(mm);
	if (window_at(imp, va, &addr, &len))
		ret = fixup_user_fault(mm, addr,
				       p->write ? FAULT_FLAG_WRITE : 0,
				       &unlocked);
	/* What is mapped does not come to us; look for what is not, behind it. */
	if (!ret && !p->called)
		len = mapped(mm, addr, len, p->write);
	mmap_read_unlock(mm);
	*next = p->reached ?: va + len;
	return !ret && *next == va && !p->busy ? -EFAULT : ret;
}

static int prefault_loop(struct xnuma_import *imp, struct xnuma_prefault *p,
			 struct xpmem_numa_prefault *arg)
{
	unsigned long va = arg->va, next;
	int ret = 0;

	while (va < p->end && !ret) {
		p->called = false;
		p->busy = false;
		p->reached = 0;
		ret = fault_at(imp, p, va, &next);
		if (!ret && p->busy)
			ret = wait_for_owner(imp);
		else if (!ret)
			va = next;
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	arg->done = min(va, p->end) - arg->va;
	return arg->done ? 0 : ret;
}

int xnuma_prefault(struct xnuma_import *imp, struct xpmem_numa_prefault *arg)
{
	struct xnuma_prefault p = {
		.task = current,
		.end = arg->va + arg->len,
		.write = arg->rights & XPMEM_NUMA_WRITE,
		.alloc = arg->flags & XPMEM_NUMA_PREFAULT_ALLOC,
		.asked = -1UL,
	};
	int ret;

	xnuma_count_in(&imp->stats, prefaults);
	spin_lock(&imp->lock);
	list_add(&p.node, &imp->prefaults);
	spin_unlock(&imp->lock);
	ret = prefault_loop(imp, &p, arg);
	spin_lock(&imp->lock);
	list_del(&p.node);
	spin_unlock(&imp->lock);
	return ret;
}
