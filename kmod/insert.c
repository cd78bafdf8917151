// SPDX-License-Identifier: GPL-2.0-only
/* Entries of the importer's page tables, put in under a granule's lock. */
#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <asm/pgalloc.h>
#include "granule.h"
#include "mutate.h"
#include "trace.h"
#include "window.h"

struct filling {
	struct xnuma_fault *f;
	const unsigned long *entry;	/* of the next page */
	unsigned long faulting;		/* the importer's address of the fault */
	unsigned long end;		/* ... of the last page, exclusive */
	pte_t ro, rw;			/* entries, without their page frame */
	unsigned int inserted;
	bool occupied;			/* the faulting entry maps another page */
};

static bool is_anon(struct xnuma_fault *f, unsigned long entry)
{
	return f->anon || PageAnon(hmm_pfn_to_page(entry));
}

/*
 * Writable where the owner's own entry is (I5), and for neighbours and reads
 * only in anonymous memory, so that file pages are not dirtied for nothing.
 */
static bool may_write(struct xnuma_fault *f, unsigned long entry, bool faulting)
{
	if (xnuma_writes_anyway(entry))
		return f->vma->vm_flags & VM_WRITE;
	return f->vma->vm_flags & VM_WRITE && entry & HMM_PFN_WRITE &&
	       ((faulting && f->write) || is_anon(f, entry));
}

/* I6: an entry through which the importer can write is a dirty page. */
static void mark_dirty(unsigned long entry)
{
	struct page *page = compound_head(hmm_pfn_to_page(entry));

	if (!PageDirty(page) && !xnuma_mutated(DIRTY))
		set_page_dirty(page);
}

static void fill_entry(struct filling *fill, pte_t *ptep, unsigned long addr,
		       unsigned long entry)
{
	unsigned long pfn = entry & ~HMM_PFN_FLAGS;
	bool faulting = addr == fill->faulting;
	pte_t old = *ptep;
	bool write;

	if (!faulting && is_zero_pfn(pfn))
		return;
	write = may_write(fill->f, entry, faulting);
	if (!pte_none(old) && pte_pfn(old) != pfn) {
		fill->occupied |= faulting;
		return;
	}
	if (!pte_none(old) && (pte_write(old) || !write))
		return;
	if (write)
		mark_dirty(entry);
	set_pte_at(fill->f->vma->vm_mm, addr, ptep,
		   __pte(pte_val(write ? fill->rw : fill->ro) |
			 pfn << PAGE_SHIFT));
	fill->inserted++;
}

/*
 * Called for the first entry, with the table locked: the others of the table
 * lie behind it.
 */
static int fill_on(pte_t *ptep, unsigned long addr, void *data)
{
	struct filling *fill = data;

	for (; addr < fill->end; addr += PAGE_SIZE, ptep++, fill->entry++)
		if (*fill->entry & HMM_PFN_VALID)
			fill_entry(fill, ptep, addr, *fill->entry);
	return 1;
}

/*
 * A page table for vmf->address, from what the kernel has set aside. False when
 * a huge entry is there: then the fault has been answered by somebody else.
 */
bool xnuma_insert_table(struct vm_fault *vmf)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	spinlock_t *ptl;
	bool table;

	ptl = pmd_lock(mm, vmf->pmd);
	if (pmd_none(*vmf->pmd) && vmf->prealloc_pte) {
		mm_inc_nr_ptes(mm);
		smp_wmb();	/* the zeroed table before the pointer to it */
		pmd_populate(mm, vmf->pmd, vmf->prealloc_pte);
		vmf->prealloc_pte = NULL;
	}
	table = !pmd_none(*vmf->pmd) && !pmd_leaf(*vmf->pmd);
	spin_unlock(ptl);
	return table;
}

void xnuma_insert_entries(struct xnuma_fault *f, unsigned long start,
			  unsigned long end, unsigned long *pfns)
{
	unsigned long faulting = f->vmf->address & PAGE_MASK;
	unsigned long addr = faulting - (f->va - start);
	vm_flags_t flags = f->vma->vm_flags;
	struct filling fill = {
		.f = f,
		.entry = pfns,
		.faulting = faulting,
		.end = addr + (end - start),
		.ro = pte_mkspecial(pfn_pte(0, vm_get_page_prot(flags &
								~VM_WRITE))),
		.rw = pte_mkspecial(pfn_pte(0, vm_get_page_prot(flags))),
	};

	fill.rw = pte_mkdirty(fill.rw);
	lockdep_assert_held(&f->g->lock);
	if (!xnuma_insert_table(f->vmf))
		return;
	xnuma_granule_touch(f->g, f->imp);
	apply_to_page_range(f->vma->vm_mm, addr, end - start, fill_on, &fill);
	xnuma_add_in(&f->imp->stats, inserted, fill.inserted);
	trace_insert(f, start, end, fill.inserted, false);
	/*
	 * Poison of before the owner mapped memory. Take it away: the counter
	 * says that it was there.
	 */
	if (fill.occupied && !xnuma_mutated(OCCUPIED))
		xnuma_import_zap(f->imp, f->va, f->va + PAGE_SIZE);
}

/* ---- huge entries ---- */

/* Do window and export have all of the 2 MiB around the fault, congruent? */
bool xnuma_pmd_covered(const struct xnuma_fault *f)
{
	unsigned long first = f->va & PMD_MASK;
	unsigned long haddr = f->vmf->address & PMD_MASK;

	if (xnuma_mutated(HUGE))
		return haddr >= f->vma->vm_start;
	return !((f->va ^ f->vmf->address) & ~PMD_MASK & PAGE_MASK) &&
	       haddr >= f->vma->vm_start && haddr + PMD_SIZE <= f->vma->vm_end &&
	       first >= f->exp->start && first + PMD_SIZE <= f->exp->end;
}

bool xnuma_pmd_fits(struct xnuma_fault *f, unsigned long entry)
{
	unsigned long first = f->va & PMD_MASK;
	unsigned long pfn = entry & ~HMM_PFN_FLAGS;

	if (hmm_pfn_to_map_order(entry) < PMD_SHIFT - PAGE_SHIFT ||
	    !xnuma_pmd_covered(f))
		return false;
	pfn -= (f->va - first) >> PAGE_SHIFT;
	if (!IS_ALIGNED(pfn, XNUMA_GRANULE_PAGES))
		return false;
	/* The huge zero page belongs to nobody. */
	return is_anon(f, entry) ||
	       folio_mapping(page_folio(hmm_pfn_to_page(entry)));
}

void xnuma_insert_pmd(struct xnuma_fault *f, unsigned long entry)
{
	unsigned long first = f->va & PMD_MASK;
	unsigned long pfn = (entry & ~HMM_PFN_FLAGS) -
			    ((f->va - first) >> PAGE_SHIFT);
	bool write = may_write(f, entry, true);
	vm_flags_t flags = f->vma->vm_flags;

	lockdep_assert_held(&f->g->lock);
	if (write)
		mark_dirty(entry);
	xnuma_granule_touch(f->g, f->imp);
	compat_insert_pmd(f->vmf, pfn,
			  vm_get_page_prot(write ? flags : flags & ~VM_WRITE),
			  write);
	xnuma_count_in(&f->imp->stats, inserted_pmd);
	trace_insert(f, first, first + PMD_SIZE, 1, true);
}
