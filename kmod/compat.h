/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernel versions, and nothing else. Force-included.
 */
#ifndef XNUMA_COMPAT_H
#define XNUMA_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "xpmem_numa needs Linux 6.1 or newer"
#endif
#ifndef CONFIG_X86_64
#error "xpmem_numa.ko supports x86-64 only"
#endif
#ifndef CONFIG_HMM_MIRROR
#error "xpmem_numa needs a kernel with CONFIG_HMM_MIRROR"
#endif

#include <linux/mm.h>
#include <linux/page_table_check.h>
#include <asm/tlbflush.h>

/*
 * COMPAT_HAS_* are what Kbuild finds in the kernel's headers, since
 * distributions take over single changes of later kernels.
 */

#ifndef COMPAT_HAS_VM_FLAGS_MOD
static inline void vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set,
				vm_flags_t clear)
{
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
}
#endif

/* Is a page with two writers, of whom one has a device's vma, a BUG()? */
static inline bool compat_page_table_check(void)
{
#ifdef CONFIG_PAGE_TABLE_CHECK
	return !static_branch_likely(&page_table_check_disabled);
#else
	return false;
#endif
}

/*
 * Keeps gup_fast off a huge entry: by the device bit where the kernel has no
 * pmd_special().
 */
static inline pmd_t compat_pmd_mkspecial(pmd_t pmd)
{
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	return pmd_mkspecial(pmd);
#else
	return pmd_mkdevmap(pmd);
#endif
}

/*
 * vmf_insert_pfn_pmd() warns of an entry that appeared meanwhile, and takes the
 * protection from the vma; here such an entry is left alone.
 */
static inline void compat_insert_pmd(struct vm_fault *vmf, unsigned long pfn,
				     pgprot_t prot, bool write)
{
	pmd_t pmd = compat_pmd_mkspecial(pmd_mkhuge(pfn_pmd(pfn, prot)));
	struct mm_struct *mm = vmf->vma->vm_mm;
	spinlock_t *ptl = pmd_lock(mm, vmf->pmd);

	if (write)
		pmd = pmd_mkyoung(pmd_mkdirty(pmd));
	if (pmd_none(*vmf->pmd))
		set_pmd_at(mm, vmf->address & PMD_MASK, vmf->pmd, pmd);
	spin_unlock(ptl);
}

/*
 * .huge_fault: old kernels tell an enum and ask only where the inode is that of
 * memory without page cache, as device-dax marks its own.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef enum page_entry_size compat_huge_size;

static inline bool compat_is_pmd(compat_huge_size size)
{
	return size == PE_SIZE_PMD;
}

static inline void compat_allow_huge_fault(struct inode *inode)
{
	inode->i_flags |= S_DAX;
}
#else
typedef unsigned int compat_huge_size;

static inline bool compat_is_pmd(compat_huge_size size)
{
	return size == PMD_SHIFT - PAGE_SHIFT;
}

static inline void compat_allow_huge_fault(struct inode *inode)
{
}
#endif

static inline void compat_release_fault_lock(struct vm_fault *vmf)
{
#ifdef COMPAT_HAS_RELEASE_FAULT_LOCK
	release_fault_lock(vmf);
#else
	mmap_read_unlock(vmf->vma->vm_mm);
#endif
}

/* Zap a part of a window of the caller's own. */
static inline void compat_zap_window(struct vm_area_struct *vma,
				     unsigned long addr, unsigned long len)
{
#ifdef COMPAT_HAS_ZAP_SPECIAL_VMA_RANGE
	zap_special_vma_range(vma, addr, len);
#else
	zap_vma_ptes(vma, addr, len);
#endif
}

/* 0, or why get_user_pages() would refuse this page; takes no reference. */
static inline long compat_gup_errno(struct mm_struct *mm, unsigned long va)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	long ret = get_user_pages_remote(mm, va, 1, FOLL_HWPOISON, NULL, NULL,
					 NULL);
#else
	long ret = get_user_pages_remote(mm, va, 1, FOLL_HWPOISON, NULL, NULL);
#endif
	return ret < 0 ? ret : 0;
}

/* Has this address of a window an entry, writable if need be? */
static inline bool compat_is_mapped(struct mm_struct *mm, unsigned long addr,
				    bool write)
{
#ifdef COMPAT_HAS_FOLLOW_PFNMAP_START
	struct follow_pfnmap_args args = {
		.vma = vma_lookup(mm, addr),
		.address = addr,
	};

	if (!args.vma || follow_pfnmap_start(&args))
		return false;
	follow_pfnmap_end(&args);
	return !write || args.writable;
#else
	bool mapped;
	spinlock_t *ptl;
	pte_t *pte;

	if (follow_pte(mm, addr, &pte, &ptl))
		return false;
	__acquire(*ptl);	/* sparse does not know that of follow_pte() */
	mapped = !write || pte_write(*pte);
	pte_unmap_unlock(pte, ptl);
	return mapped;
#endif
}

/*
 * Does a page table stay while its mm is locked for reading? Newer kernels may
 * free one that MADV_DONTNEED left empty, and then put a huge page in its place;
 * some do not let modules walk tables either.
 */
#if defined(CONFIG_PT_RECLAIM) || !defined(COMPAT_HAS_APPLY_TO_EXISTING_PAGE_RANGE)
#define compat_tables_stay()	false

static inline int compat_apply_to_existing(struct mm_struct *mm,
					   unsigned long addr, unsigned long len,
					   pte_fn_t fn, void *data)
{
	return -EOPNOTSUPP;
}
#else
#define compat_tables_stay()	true
#define compat_apply_to_existing	apply_to_existing_page_range
#endif

static inline bool compat_is_shadow_stack(struct vm_area_struct *vma)
{
#ifdef VM_SHADOW_STACK
	return vma->vm_flags & VM_SHADOW_STACK;
#else
	return false;
#endif
}

#endif /* XNUMA_COMPAT_H */
