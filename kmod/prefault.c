// SPDX-License-Identifier: GPL-2.0-only
/*
 * PREFAULT: ordinary faults of the caller, one for each granule, which fill all
 * that is there. They know that they are wanted ahead of time: see prefault in
 * struct xnuma_fault.
 */
#include <linux/mm.h>
#include <linux/rbtree.h>
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

/*
 * The window that shows @va: the inode's interval tree has all windows of this
 * import, which are all in current->mm. Its mmap_lock is held, so they stay.
 */
static struct vm_area_struct *window_of(struct xnuma_import *imp,
					unsigned long va)
{
	struct address_space *mapping = imp->inode->i_mapping;
	pgoff_t pgoff = va >> PAGE_SHIFT;
	struct vm_area_struct *vma, *found = NULL;
	struct rb_node *node;

	i_mmap_lock_read(mapping);
	for (node = rb_first_cached(&mapping->i_mmap); node && !found;
	     node = rb_next(node)) {
		vma = rb_entry(node, struct vm_area_struct, shared.rb);
		if (vma->vm_pgoff > pgoff)
			break;
		if (pgoff < vma->vm_pgoff + vma_pages(vma))
			found = vma;
	}
	i_mmap_unlock_read(mapping);
	return found;
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
	mmput(mm);
	return ret;
}

static int fault_at(struct xnuma_import *imp, unsigned long va, bool write,
		    unsigned long *next)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long addr, stop;
	bool unlocked = false;
	int ret = -EFAULT;

	mmap_read_lock(mm);
	vma = window_of(imp, va);
	if (vma) {
		addr = vma->vm_start + (va - (vma->vm_pgoff << PAGE_SHIFT));
		/* One fault fills to the end of a granule and a page table. */
		stop = min3(vma->vm_end - addr, PMD_SIZE - (addr & ~PMD_MASK),
			    XNUMA_GRANULE_SIZE - (va & ~XNUMA_GRANULE_MASK));
		*next = va + stop;
		ret = fixup_user_fault(mm, addr, write ? FAULT_FLAG_WRITE : 0,
				       &unlocked);
	}
	mmap_read_unlock(mm);
	return ret;
}

/*
 * One step from @va. What is mapped already does not come to us, and what is
 * behind it would be passed over: take it away and fault again.
 */
static int prefault_step(struct xnuma_import *imp, struct xnuma_prefault *p,
			 unsigned long *va, bool write)
{
	unsigned long next;
	int ret;

	p->called = false;
	p->busy = false;
	p->reached = 0;
	ret = fault_at(imp, *va, write, &next);
	if (ret)
		return ret;
	if (!p->called)
		xnuma_import_zap(imp, *va, *va + PAGE_SIZE);
	else if (p->busy)
		ret = wait_for_owner(imp);
	else
		*va = p->reached ?: next;
	return ret;
}

static int prefault_loop(struct xnuma_import *imp, struct xnuma_prefault *p,
			 struct xpmem_numa_prefault *arg)
{
	unsigned long va = arg->va, end = arg->va + arg->len;
	int ret = 0;

	while (va < end && !ret) {
		ret = prefault_step(imp, p, &va,
				    arg->rights & XPMEM_NUMA_WRITE);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	arg->done = min(va, end) - arg->va;
	return arg->done ? 0 : ret;
}

int xnuma_prefault(struct xnuma_import *imp, struct xpmem_numa_prefault *arg)
{
	struct xnuma_prefault p = {
		.task = current,
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
