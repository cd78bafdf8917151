// SPDX-License-Identifier: GPL-2.0-only
/*
 * Swapped pages come back several at a time. What the owner never touched must
 * not come with them, so his page table has to be asked.
 */
#include <linux/hmm.h>
#include <linux/mm.h>
#include "granule.h"
#include "window.h"

#define SWAPIN_PAGES 32

static int is_next(pte_t *pte, unsigned long addr, void *data)
{
	unsigned long *end = data;

	if (pte_none(*pte) || pte_present(*pte))
		return 1;	/* the run ends */
	*end = addr + PAGE_SIZE;
	return 0;
}

/*
 * The end of the run of swapped pages behind the present page @va, which is
 * @entry. The owner's mmap_lock is held for reading, and @va has an entry of its
 * own in an anonymous mapping: its page table stays, and no huge page takes its
 * place.
 */
unsigned long xnuma_swapin_end(struct mm_struct *mm, unsigned long va,
			       unsigned long entry)
{
	unsigned long start = va + PAGE_SIZE, end = start, stop;
	struct vm_area_struct *vma = find_vma(mm, va);

	if (!compat_tables_stay() || !get_mm_counter(mm, MM_SWAPENTS) ||
	    hmm_pfn_to_map_order(entry) ||
	    !vma || va < vma->vm_start || !vma_is_anonymous(vma))
		return start;
	stop = min3((va & PMD_MASK) + PMD_SIZE, vma->vm_end,
		    va + SWAPIN_PAGES * PAGE_SIZE);
	if (start < stop)
		apply_to_existing_page_range(mm, start, stop - start, is_next,
					     &end);
	return end;
}
