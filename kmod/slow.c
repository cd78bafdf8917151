// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slow path of a fault: the owner's page is absent, not writable, or his
 * mmap_lock was taken. The importer's mmap_lock is dropped (I4), the owner's
 * page is faulted in, the fault is retried and finds what was seen.
 */
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/hmm.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/mempolicy.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>
#include "granule.h"
#include "mutate.h"
#include "window.h"

struct slow {
	struct work_struct work;
	struct completion done;
	struct kref kref;		/* the faulting task's and the worker's */
	struct file *file;		/* of the import; keeps this code loaded */
	struct task_struct *task;	/* identity only */
	unsigned long va;
	unsigned long end;		/* pages up to here are wanted as well */
	bool write;
};

static struct xnuma_import *import_of(struct slow *s)
{
	return s->file->private_data;
}

static void slow_free(struct kref *kref)
{
	struct slow *s = container_of(kref, struct slow, kref);

	fput(s->file);
	kfree(s);
}

/* ---- what was found ---- */

static struct xnuma_carry *carry_of(struct xnuma_import *imp,
				    struct task_struct *task)
{
	return &imp->carry[hash_ptr(task, ilog2(XNUMA_CARRIES))];
}

static void carry_leave(struct slow *s, struct xnuma_carry *found)
{
	struct xnuma_import *imp = import_of(s);

	found->task = s->task;
	found->va = s->va;
	found->when = jiffies;
	spin_lock(&imp->lock);
	*carry_of(imp, s->task) = *found;
	spin_unlock(&imp->lock);
}

/*
 * A reason was true when it was found, and is for that fault alone: the page
 * may be good by the next one. A page is good as long as its sequence is.
 */
static bool is_ours(struct xnuma_fault *f, const struct xnuma_carry *carry)
{
	unsigned int flags = f->vmf->flags;

	if (!carry->reason)
		return !f->prefault &&
		       (!f->write || carry->pfn & HMM_PFN_WRITE);
	if (flags & FAULT_FLAG_ALLOW_RETRY)
		return flags & FAULT_FLAG_TRIED;
	return time_before(jiffies, carry->when + HZ / 10);
}

/* What this task's slow fault on this page left, once. */
bool xnuma_carry_take(struct xnuma_fault *f, struct xnuma_carry *carry)
{
	struct xnuma_carry *c = carry_of(f->imp, current);
	bool mine;

	if (READ_ONCE(c->task) != current)
		return false;
	spin_lock(&f->imp->lock);
	mine = c->task == current && c->va == f->va;
	if (mine)
		*carry = *c;
	if (c->task == current)
		c->task = NULL;
	spin_unlock(&f->imp->lock);
	return mine && is_ours(f, carry);
}

/* ---- faulting the owner's page in ---- */

static int reason_of(int err)
{
	switch (err) {
	case -EHWPOISON:
		return XPMEM_NUMA_REASON_HWPOISON;
	case -ENOMEM:
		return XPMEM_NUMA_REASON_NOMEM;
	default:
		return XPMEM_NUMA_REASON_FAULT;
	}
}

static int touch_page(struct mm_struct *mm, unsigned long va, bool write)
{
	unsigned int flags = FAULT_FLAG_REMOTE | (write ? FAULT_FLAG_WRITE : 0);
	int ret = xnuma_memory_check(mm, va, write);
	bool unlocked = false;

	if (ret)
		return ret;
	/* Its handler may wait for us: never wait for it. */
	if (userfaultfd_armed(find_vma(mm, va)))
		return -XPMEM_NUMA_REASON_FAULT;
	ret = fixup_user_fault(mm, va, flags, &unlocked);
	if (ret == -EFAULT)	/* that is also what it makes of broken memory */
		ret = compat_gup_errno(mm, va) ?: ret;
	return ret ? -reason_of(ret) : 0;
}

static void see_page(struct xnuma_export *exp, unsigned long va,
		     struct xnuma_carry *found)
{
	struct xnuma_granule *g = xnuma_granule_get(exp, va);
	struct hmm_range range = {
		.start = va,
		.end = va + PAGE_SIZE,
		.hmm_pfns = &found->pfn,
	};

	if (IS_ERR(g)) {
		found->reason = XPMEM_NUMA_REASON_NOMEM;
		return;
	}
	range.notifier = &g->mni;
	range.notifier_seq = mmu_interval_read_begin(&g->mni);
	found->seq = range.notifier_seq;
	if (hmm_range_fault(&range))
		found->task = NULL;
	else if (found->pfn & HMM_PFN_ERROR)	/* present, but no page */
		found->reason = XPMEM_NUMA_REASON_KIND;
	else if (!(found->pfn & HMM_PFN_VALID))
		found->task = NULL;
}

static void touch_ahead(struct slow *s, struct mm_struct *mm, unsigned long end)
{
	unsigned long va;

	for (va = s->va + PAGE_SIZE; va < end; va += PAGE_SIZE)
		if (fatal_signal_pending(current) ||
		    touch_page(mm, va, s->write))
			return;
}

static void touch_locked(struct slow *s, struct xnuma_carry *found)
{
	struct mm_struct *mm = import_of(s)->exp->mm;
	int ret = touch_page(mm, s->va, s->write);

	if (!ret)
		touch_ahead(s, mm, s->end);
	/* The lock may have been dropped in between: is it still allowed? */
	found->reason = -(ret ?: xnuma_memory_check(mm, s->va, s->write));
	if (!found->reason)
		see_page(import_of(s)->exp, s->va, found);
	if (!found->reason && found->task)
		touch_ahead(s, mm, xnuma_swapin_end(mm, s->va, found->pfn));
}

/* A file system can let its caller wait for ever, and nobody can kill him. */
static bool is_prompt(struct slow *s)
{
	struct vm_area_struct *vma = find_vma(import_of(s)->exp->mm, s->va);

	if (!vma || s->va < vma->vm_start || xnuma_mutated(PROMPT))
		return true;
	s->end = min(s->end, vma->vm_end);
	return vma_is_anonymous(vma);
}

/* False: not by this task. The retried fault sees an owner that is gone. */
static bool touch(struct slow *s, bool worker)
{
	struct mm_struct *mm = import_of(s)->exp->mm;
	struct xnuma_carry found = { .task = s->task };
	bool may = true;

	if (!mmget_not_zero(mm))
		return may;
	if (!mmap_read_lock_killable(mm)) {
		may = worker || is_prompt(s);
		if (may)
			touch_locked(s, &found);
		mmap_read_unlock(mm);
		if (may && found.task)
			carry_leave(s, &found);
	}
	mmput_async(mm);
	return may;
}

/* ---- where ---- */

static void slow_work(struct work_struct *work)
{
	struct slow *s = container_of(work, struct slow, work);
	struct mm_struct *mm = import_of(s)->exp->mm;
	struct mem_cgroup *memcg, *old;

	if (mmget_not_zero(mm)) {
		kthread_use_mm(mm);
		/* Granules and page tables; a worker's memory is nobody's. */
		memcg = get_mem_cgroup_from_mm(mm);
		old = set_active_memcg(memcg);
		touch(s, true);
		set_active_memcg(old);
		mem_cgroup_put(memcg);
		kthread_unuse_mm(mm);
		mmput_async(mm);
	}
	complete(&s->done);
	kref_put(&s->kref, slow_free);
}

/*
 * I9: a page that nobody has touched yet comes from the owner's policy for that
 * memory, else from the node of who faults it in: this task if it is on the
 * owner's node and has no policy of its own, else a worker there.
 */
static bool is_near(int node)
{
#ifdef CONFIG_NUMA
	return (node == numa_node_id() && !current->mempolicy) ||
	       xnuma_mutated(NODE) || xnuma_mutated(PROMPT);
#else
	return true;
#endif
}

static struct slow *slow_alloc(struct xnuma_fault *f)
{
	struct slow *s = kmalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;
	INIT_WORK(&s->work, slow_work);
	init_completion(&s->done);
	kref_init(&s->kref);
	s->file = get_file(f->vma->vm_file);
	s->task = current;
	s->va = f->want;
	s->write = f->write;
	s->end = f->want + PAGE_SIZE;
	if (f->prefault && f->prefault->alloc)
		s->end = min3((f->va & XNUMA_GRANULE_MASK) + XNUMA_GRANULE_SIZE,
			      f->va + (f->vma->vm_end - f->vmf->address),
			      f->prefault->end);
	return s;
}

static void slow_queue(struct slow *s, int node)
{
	kref_get(&s->kref);
	queue_work_node(node, import_of(s)->user->wq, &s->work);
}

/*
 * The caller cannot drop its mmap_lock (futex is one). Have the page brought in
 * by a worker and let the access be tried again, unless the task is to die. The
 * wait has an end, so that it holds up nobody who holds up the worker (I4).
 */
static vm_fault_t slow_unlocked(struct slow *s, int node)
{
	if (fatal_signal_pending(current))
		return VM_FAULT_SIGBUS;
	slow_queue(s, node);
	wait_for_completion_killable_timeout(&s->done, HZ / 20);
	return VM_FAULT_NOPAGE;
}

vm_fault_t xnuma_slow_fault(struct xnuma_fault *f)
{
	unsigned int flags = f->vmf->flags;
	int node = xnuma_export_node(f->exp);
	vm_fault_t ret = VM_FAULT_RETRY;
	struct slow *s;

	xnuma_count_in(&f->imp->stats, slow);
	if (flags & FAULT_FLAG_RETRY_NOWAIT)
		return ret;
	s = slow_alloc(f);
	if (!s)
		return xnuma_poison(f, XPMEM_NUMA_REASON_NOMEM);
	if (!(flags & FAULT_FLAG_ALLOW_RETRY)) {
		ret = slow_unlocked(s, node);
	} else {
		/* The vma, its file and this fault's import are gone from here. */
		compat_release_fault_lock(f->vmf);
		if (!is_near(node) || !touch(s, false)) {
			slow_queue(s, node);
			wait_for_completion_killable(&s->done);
		}
	}
	kref_put(&s->kref, slow_free);
	return ret;
}
