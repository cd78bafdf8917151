// SPDX-License-Identifier: GPL-2.0-only
/* What the owner's page tables hold, without changing them. */
#include <linux/hmm.h>
#include <linux/mm.h>
#include "granule.h"
#include "window.h"

/* Any memory; -EBUSY when an invalidation came between. */
int xnuma_look(struct xnuma_fault *f, unsigned long start, unsigned long end,
	       unsigned long seq, unsigned long *pfns)
{
	struct hmm_range range = {
		.notifier = &f->g->mni,
		.notifier_seq = seq,
		.start = start,
		.end = end,
		.hmm_pfns = pfns,
	};

	return hmm_range_fault(&range);
}

struct looking {
	unsigned long addr, end;	/* what is left to be told */
	unsigned long *pfn;		/* of @addr */
};

/* As hmm_range_fault() tells it, for anonymous memory. */
static unsigned long entry_of(pte_t pte)
{
	unsigned long pfn = pte_pfn(pte);

	if (!pte_present(pte) || pte_protnone(pte))
		return 0;
	if (unlikely(pte_special(pte)) && !is_zero_pfn(pfn))
		return HMM_PFN_ERROR;
	return pfn | HMM_PFN_VALID | (pte_write(pte) ? HMM_PFN_WRITE : 0);
}

/*
 * Called for the first entry that is not empty, with the table locked: the
 * others of the table lie behind it. A call for each would cost more than the
 * look.
 */
static int look_on(pte_t *ptep, unsigned long addr, void *data)
{
	struct looking *l = data;

	for (; l->addr < addr; l->addr += PAGE_SIZE)
		*l->pfn++ = 0;
	for (; l->addr < l->end; l->addr += PAGE_SIZE)
		*l->pfn++ = entry_of(*ptep++);
	return 1;
}

/*
 * The same for [start, end) around the fault where it lies in one page table of
 * one anonymous mapping, at a small part of the cost. False: it does not. The
 * owner's mmap_lock is held for reading and the page of the fault, @entry, has
 * an entry of its own: its table stays where it is, for only who has the lock
 * for writing makes a huge page of it or unmaps it.
 */
bool xnuma_look_table(struct xnuma_fault *f, unsigned long start,
		      unsigned long end, unsigned long entry,
		      unsigned long *pfns)
{
	struct mm_struct *mm = f->exp->mm;
	struct looking l = { .addr = start, .end = end, .pfn = pfns };
	struct vm_area_struct *vma;

	lockdep_assert_held(&mm->mmap_lock);
	if (!compat_tables_stay() || !(entry & HMM_PFN_VALID) ||
	    hmm_pfn_to_map_order(entry))
		return false;
	vma = find_vma(mm, f->va);
	if (!vma || vma->vm_start > start || vma->vm_end < end ||
	    !vma_is_anonymous(vma))
		return false;
	return compat_apply_to_existing(mm, start, end - start, look_on,
					&l) == 1;
}
