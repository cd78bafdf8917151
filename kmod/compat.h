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
#include <linux/pfn_t.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set,
				vm_flags_t clear)
{
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
}
#endif

/*
 * PFN_DEV | PFN_MAP keeps gup_fast off the entry where the kernel has no
 * pmd_special(). The write bit comes with the protection, so that an entry
 * that appeared meanwhile is left alone without a warning.
 */
static inline vm_fault_t compat_insert_pmd(struct vm_fault *vmf,
					   unsigned long pfn, pgprot_t prot,
					   bool write)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return vmf_insert_pfn_pmd_prot(vmf, __pfn_to_pfn_t(pfn, PFN_DEV | PFN_MAP),
				       prot, false);
#else
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV | PFN_MAP),
				  write);
#endif
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
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	mmap_read_unlock(vmf->vma->vm_mm);
#else
	release_fault_lock(vmf);
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

/* Has this address of a window a 4 KiB entry, writable if need be? */
static inline bool compat_is_mapped(struct mm_struct *mm, unsigned long addr,
				    bool write)
{
	bool mapped;
	spinlock_t *ptl;
	pte_t *pte;

	if (follow_pte(mm, addr, &pte, &ptl))
		return false;
	__acquire(*ptl);	/* sparse does not know that of follow_pte() */
	mapped = !write || pte_write(*pte);
	pte_unmap_unlock(pte, ptl);
	return mapped;
}

/*
 * Does a page table stay while its mm is locked for reading? Newer kernels may
 * free one that MADV_DONTNEED left empty, and then put a huge page in its place.
 */
static inline bool compat_tables_stay(void)
{
	return !IS_ENABLED(CONFIG_PT_RECLAIM);
}

static inline bool compat_is_shadow_stack(struct vm_area_struct *vma)
{
#ifdef VM_SHADOW_STACK
	return vma->vm_flags & VM_SHADOW_STACK;
#else
	return false;
#endif
}

#endif /* XNUMA_COMPAT_H */
