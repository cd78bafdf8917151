// SPDX-License-Identifier: GPL-2.0-only
/*
 * Swapped pages come back several at a time. What the owner never touched must
 * not come with them, so his page table has to be asked.
 */
#include <linux/hmm.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include "granule.h"
#include "window.h"

#define SWAPIN_PAGES 32

/*
 * Without locks, as gup_fast does: a page table is not freed before this
 * processor lets interrupts in.
 */
static bool is_swapped(struct mm_struct *mm, unsigned long va)
{
	unsigned long flags;
	pmd_t *pmdp, pmd;
	pte_t pte = __pte(0);

	local_irq_save(flags);
	pmdp = pmd_offset(pud_offset(p4d_offset(pgd_offset(mm, va), va), va), va);
	pmd = READ_ONCE(*pmdp);
	if (pmd_present(pmd) && !pmd_leaf(pmd))
		pte = READ_ONCE(*pte_offset_kernel(&pmd, va));
	local_irq_restore(flags);
	return !pte_none(pte) && !pte_present(pte);
}

/*
 * The end of the run of swapped pages behind the present page @va, which is
 * @entry. The owner's mmap_lock is held for reading, and @va has an entry of its
 * own in an anonymous mapping: the tables above it stay.
 */
unsigned long xnuma_swapin_end(struct mm_struct *mm, unsigned long va,
			       unsigned long entry)
{
	unsigned long start = va + PAGE_SIZE, end = start, stop;
	struct vm_area_struct *vma = find_vma(mm, va);

	if (!get_mm_counter(mm, MM_SWAPENTS) || hmm_pfn_to_map_order(entry) ||
	    !vma || va < vma->vm_start || !vma_is_anonymous(vma))
		return start;
	stop = min3((va & PMD_MASK) + PMD_SIZE, vma->vm_end,
		    va + SWAPIN_PAGES * PAGE_SIZE);
	while (end < stop && is_swapped(mm, end))
		end += PAGE_SIZE;
	return end;
}
