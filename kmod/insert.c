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
	unsigned long *pfn;		/* of the next entry */
	unsigned long addr;		/* of the next entry, in the importer */
	pgprot_t prot_ro, prot_rw;
	unsigned int inserted;
	bool occupied;			/* the faulting entry maps another page */
};

static bool is_anon(unsigned long entry)
{
	return PageAnon(hmm_pfn_to_page(entry));
}

/*
 * Writable where the owner's own entry is (I5), and for neighbours and reads
 * only in anonymous memory, so that file pages are not dirtied for nothing.
 */
static bool may_write(struct xnuma_fault *f, unsigned long entry, bool faulting)
{
	if (xnuma_mutated(WRITE))
		return f->vma->vm_flags & VM_WRITE;
	return f->vma->vm_flags & VM_WRITE && entry & HMM_PFN_WRITE &&
	       ((faulting && f->write) || is_anon(entry));
}

/* I6: an entry through which the importer can write is a dirty page. */
static void mark_dirty(unsigned long entry)
{
	struct page *page = compound_head(hmm_pfn_to_page(entry));

	if (!PageDirty(page) && !xnuma_mutated(DIRTY))
		set_page_dirty(page);
}

static int fill_entry(pte_t *ptep, unsigned long addr, void *data)
{
	struct filling *fill = data;
	unsigned long entry = *fill->pfn++;
	unsigned long pfn = entry & ~HMM_PFN_FLAGS;
	bool faulting = addr == (fill->f->vmf->address & PAGE_MASK);
	bool write;
	pte_t pte;

	if (!(entry & HMM_PFN_VALID) || (!faulting && is_zero_pfn(pfn)))
		return 0;
	write = may_write(fill->f, entry, faulting);
	pte = *ptep;
	if (!pte_none(pte) && pte_pfn(pte) != pfn) {
		fill->occupied |= faulting;
		return 0;
	}
	if (!pte_none(pte) && (pte_write(pte) || !write))
		return 0;
	if (write)
		mark_dirty(entry);
	pte = pte_mkspecial(pfn_pte(pfn, write ? fill->prot_rw : fill->prot_ro));
	if (write)
		pte = pte_mkdirty(pte);
	set_pte_at(fill->f->vma->vm_mm, addr, ptep, pte);
	fill->inserted++;
	return 0;
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
	table = !pmd_none(*vmf->pmd) && !pmd_leaf(*vmf->pmd) &&
		!pmd_devmap(*vmf->pmd);
	spin_unlock(ptl);
	return table;
}

void xnuma_insert_entries(struct xnuma_fault *f, unsigned long start,
			  unsigned long end, unsigned long *pfns)
{
	unsigned long addr = f->vmf->address - (f->va - start);
	vm_flags_t flags = f->vma->vm_flags;
	struct filling fill = {
		.f = f,
		.pfn = pfns,
		.prot_ro = vm_get_page_prot(flags & ~VM_WRITE),
		.prot_rw = vm_get_page_prot(flags),
	};

	addr &= PAGE_MASK;
	lockdep_assert_held(&f->g->lock);
	if (!xnuma_insert_table(f->vmf))
		return;
	xnuma_granule_touch(f->g, f->imp);
	apply_to_page_range(f->vma->vm_mm, addr, end - start, fill_entry, &fill);
	xnuma_add_in(&f->imp->stats, inserted, fill.inserted);
	trace_insert(f, start, end, fill.inserted, false);
	/*
	 * Poison of before the owner mapped memory. Take it away: the counter
	 * says that it was there.
	 */
	if (fill.occupied)
		xnuma_import_zap(f->imp, f->va, f->va + PAGE_SIZE);
}

/* ---- huge entries ---- */

bool xnuma_pmd_fits(struct xnuma_fault *f, unsigned long entry)
{
	unsigned long first = f->va & PMD_MASK;
	unsigned long haddr = f->vmf->address & PMD_MASK;
	unsigned long pfn = entry & ~HMM_PFN_FLAGS;

	if (hmm_pfn_to_map_order(entry) < PMD_SHIFT - PAGE_SHIFT ||
	    (f->va ^ f->vmf->address) & ~PMD_MASK & PAGE_MASK)
		return false;
	if (haddr < f->vma->vm_start || haddr + PMD_SIZE > f->vma->vm_end ||
	    first < f->exp->start || first + PMD_SIZE > f->exp->end)
		return false;
	pfn -= (f->va - first) >> PAGE_SHIFT;
	if (!IS_ALIGNED(pfn, XNUMA_GRANULE_PAGES))
		return false;
	/* The huge zero page belongs to nobody. */
	return is_anon(entry) || page_mapping(hmm_pfn_to_page(entry));
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
