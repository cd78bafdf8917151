// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fast path of a fault: look at the owner's page tables without changing
 * them, then insert what is there, up to a whole granule.
 */
#include <linux/delay.h>
#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "granule.h"
#include "mutate.h"
#include "window.h"

#define FILL_TRIES 16	/* snapshots overtaken in a row before the slow path */

/*
 * I3: whatever was seen is inserted only if no invalidation came between, and
 * under the lock that invalidations take. Returns with the lock, or FILL_AGAIN.
 */
static int commit_begin(struct xnuma_fault *f, unsigned long start,
			unsigned long end, unsigned long seq)
{
	/* Let it happen: of invalidations there are many, of ends a few. */
	if (xnuma_mutated(RETRY))
		usleep_range(100, 300);
	if (xnuma_mutated(GONE))
		usleep_range(5000, 10000);
	mutex_lock(&f->g->lock);
	if (mmu_interval_read_retry(&f->g->mni, seq) && !xnuma_mutated(RETRY)) {
		mutex_unlock(&f->g->lock);
		xnuma_count_in(&f->imp->stats, retries);
		return XNUMA_FILL_AGAIN;
	}
	if (xnuma_export_state(f->exp) != XPMEM_NUMA_ACTIVE &&
	    !xnuma_mutated(GONE)) {
		mutex_unlock(&f->g->lock);
		return -XPMEM_NUMA_REASON_GONE;
	}
	if (xnuma_is_denied(f->exp, start, end)) {
		mutex_unlock(&f->g->lock);
		return -XPMEM_NUMA_REASON_DENIED;
	}
	return 0;
}

static int commit(struct xnuma_fault *f, unsigned long start, unsigned long end,
		  unsigned long seq, unsigned long *pfns)
{
	int ret = commit_begin(f, start, end, seq);

	if (ret)
		return ret;
	xnuma_insert_entries(f, start, end, pfns);
	mutex_unlock(&f->g->lock);
	return XNUMA_FILL_DONE;
}

static int commit_pmd(struct xnuma_fault *f, unsigned long seq,
		      unsigned long entry)
{
	unsigned long first = f->va & PMD_MASK;
	int ret = commit_begin(f, first, first + PMD_SIZE, seq);

	if (ret)
		return ret;
	xnuma_insert_pmd(f, entry);
	mutex_unlock(&f->g->lock);
	f->path = XNUMA_PATH_PMD;
	return XNUMA_FILL_DONE;
}

/* The part of granule, window, export and page table around the fault. */
static void around(struct xnuma_fault *f, unsigned long *start,
		   unsigned long *end)
{
	unsigned long addr = f->vmf->address & PAGE_MASK;
	unsigned long low = max(addr & PMD_MASK, f->vma->vm_start);
	unsigned long high = min((addr & PMD_MASK) + PMD_SIZE, f->vma->vm_end);
	unsigned long g = f->va & XNUMA_GRANULE_MASK;

	*start = max3(f->va - min(f->va, addr - low), g, f->exp->start);
	*end = min3(f->va + (high - addr), g + XNUMA_GRANULE_SIZE, f->exp->end);
}

/*
 * PREFAULT goes on to the next granule when this one is answered, so it has to
 * know how far that holds: up to a hole, and with ALLOC up to what is absent.
 * The latter is asked for, once.
 */
static int fill_ahead(struct xnuma_fault *f, unsigned long end,
		      const unsigned long *entry)
{
	unsigned long good = f->prefault->alloc ? HMM_PFN_VALID : 0;
	unsigned long va = f->va, g = f->va & XNUMA_GRANULE_MASK;

	end = min(end, f->prefault->end);
	if (good && f->write)
		good |= HMM_PFN_WRITE;
	while (va < end && !(*entry & HMM_PFN_ERROR) && (*entry & good) == good)
		va += PAGE_SIZE, entry++;
	f->prefault->reached = va;
	if (va == end || !good || f->prefault->asked == g)
		return XNUMA_FILL_DONE;
	f->prefault->asked = g;
	f->want = va;
	return XNUMA_FILL_SLOW;
}

static int look_around(struct xnuma_fault *f, unsigned long start,
		       unsigned long end, unsigned long seq,
		       unsigned long entry, unsigned long *pfns)
{
	int ret;

	f->anon = xnuma_look_table(f, start, end, entry, pfns);
	if (f->anon)
		return 0;
	memset(pfns, 0, (end - start) >> PAGE_SHIFT << 3);
	ret = xnuma_look(f, start, end, seq, pfns);
	if (ret)
		return ret == -EBUSY ? XNUMA_FILL_AGAIN :
				       -XPMEM_NUMA_REASON_FAULT;
	xnuma_memory_drop(f->exp->mm, start, end, pfns);
	return 0;
}

static int fill_around(struct xnuma_fault *f, unsigned long seq,
		       unsigned long entry)
{
	unsigned long start, end, *pfns;
	int ret;

	around(f, &start, &end);
	if (end - start == PAGE_SIZE)
		return commit(f, start, end, seq, &entry);
	pfns = xchg(&f->imp->pfns, NULL);
	if (!pfns)
		pfns = kmalloc_array(XNUMA_GRANULE_PAGES, sizeof(*pfns),
				     GFP_KERNEL_ACCOUNT);
	if (!pfns)
		return commit(f, f->va, f->va + PAGE_SIZE, seq, &entry);
	ret = look_around(f, start, end, seq, entry, pfns);
	if (!ret && f->prefault)
		ret = fill_ahead(f, end,
				 pfns + ((f->va - start) >> PAGE_SHIFT));
	if (!ret)
		ret = commit(f, start, end, seq, pfns);
	kfree(xchg(&f->imp->pfns, pfns));
	if (ret != -XPMEM_NUMA_REASON_DENIED)
		return ret;
	/* Something near is denied: the page itself may not be. */
	if (f->prefault)
		f->prefault->reached = f->va + PAGE_SIZE;
	return commit(f, f->va, f->va + PAGE_SIZE, seq, &entry);
}

/* Faults of several threads come here at once. */
static void fill_blocked(struct xnuma_fault *f)
{
	struct xpmem_numa_import_status *st = xnuma_import_status(f->imp);

	xnuma_count_in(&f->imp->stats, blocked);
	atomic64_inc((atomic64_t *)&st->blocked);
}

static int fill_once(struct xnuma_fault *f, unsigned long seq)
{
	unsigned long entry = 0;
	int ret = xnuma_look(f, f->va, f->va + PAGE_SIZE, seq, &entry);
	bool fits;

	f->anon = false;
	if (ret == -EBUSY)
		return XNUMA_FILL_AGAIN;
	ret = xnuma_memory_check(f->exp->mm, f->va, f->write);
	if (ret)
		return ret;
	if (!(entry & HMM_PFN_VALID) ||
	    (f->write && !(entry & HMM_PFN_WRITE) && !xnuma_writes_anyway(entry)))
		return f->prefault && !f->prefault->alloc && !f->huge ?
			fill_around(f, seq, entry) : XNUMA_FILL_SLOW;
	fits = xnuma_pmd_fits(f, entry);
	WRITE_ONCE(f->g->small, !fits);
	if (fits && pmd_none(*f->vmf->pmd)) {
		ret = commit_pmd(f, seq, entry);
		if (ret != -XPMEM_NUMA_REASON_DENIED)
			return ret;
	} else if (fits && !pmd_leaf(*f->vmf->pmd)) {
		fill_blocked(f);
	}
	return f->huge ? XNUMA_FILL_SLOW : fill_around(f, seq, entry);
}

static int fill_locked(struct xnuma_fault *f)
{
	int tries, ret = XNUMA_FILL_AGAIN;

	for (tries = 0; tries < FILL_TRIES && ret == XNUMA_FILL_AGAIN; tries++)
		ret = fill_once(f, mmu_interval_read_begin(&f->g->mni));
	return ret == XNUMA_FILL_AGAIN ? XNUMA_FILL_SLOW : ret;
}

/* A page that was just brought in comes alone: its neighbours did not change. */
static int fill_carried(struct xnuma_fault *f, struct xnuma_carry *carry)
{
	int ret;

	if (carry->reason)
		return -carry->reason;
	/* Whoever saw the page has made the granule, perhaps just now. */
	f->g = xnuma_granule_find(f->exp, f->va);
	if (xnuma_mutated(CARRY)) {
		usleep_range(100, 300);	/* let it happen */
		carry->seq = mmu_interval_read_begin(&f->g->mni);
	}
	ret = commit(f, f->va, f->va + PAGE_SIZE, carry->seq, &carry->pfn);
	if (ret == XNUMA_FILL_DONE) {
		xnuma_count_in(&f->imp->stats, carried);
		f->path = XNUMA_PATH_CARRIED;
	}
	return ret;
}

/*
 * Poison makes no granule, so that reading through terabytes of holes costs the
 * owner nothing: look at his mappings before making one.
 */
static int fill_try(struct xnuma_fault *f)
{
	struct mm_struct *mm = f->exp->mm;
	int ret = 0;

	if (!f->g) {
		ret = xnuma_memory_check(mm, f->va, f->write);
		if (ret)
			return ret;
		f->g = xnuma_granule_get(f->exp, f->va);
		if (IS_ERR(f->g))
			return PTR_ERR(f->g) == -EPIPE ?
				-XPMEM_NUMA_REASON_GONE :
				-XPMEM_NUMA_REASON_NOMEM;
	}
	return fill_locked(f);
}

/*
 * What the slow path has seen first, since insertion asks for sequence and
 * granule lock alone: the owner can only be try-locked (I4), and that fails
 * again and again while somebody waits for his lock.
 */
static int fill_mm(struct xnuma_fault *f)
{
	struct mm_struct *mm = f->exp->mm;
	struct xnuma_carry carry;
	int ret = XNUMA_FILL_AGAIN;

	if (!f->huge && xnuma_carry_take(f, &carry))
		ret = fill_carried(f, &carry);
	if (ret != XNUMA_FILL_AGAIN)
		return ret;
	ret = XNUMA_FILL_SLOW;
	if (mmap_read_trylock(mm)) {
		ret = fill_try(f);
		mmap_read_unlock(mm);
	} else {
		xnuma_count_in(&f->imp->stats, contended);
	}
	/* The slow path would allocate: let the call wait for the lock. */
	if (ret == XNUMA_FILL_SLOW && f->prefault && !f->prefault->alloc &&
	    !f->huge) {
		f->prefault->busy = true;
		ret = XNUMA_FILL_DONE;
	}
	return ret;
}

int xnuma_fill(struct xnuma_fault *f)
{
	struct mm_struct *mm = f->exp->mm;
	int ret;

	if (xnuma_export_state(f->exp) != XPMEM_NUMA_ACTIVE ||
	    !mmget_not_zero(mm))
		return -XPMEM_NUMA_REASON_GONE;
	f->g = xnuma_granule_find(f->exp, f->va);
	if (f->huge && f->g && READ_ONCE(f->g->small))
		ret = XNUMA_FILL_SLOW;
	else
		ret = fill_mm(f);
	mmput_async(mm);
	return ret;
}
