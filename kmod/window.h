/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_WINDOW_H
#define XNUMA_WINDOW_H

#include <linux/hmm.h>
#include <linux/mm.h>
#include "import.h"
#include "mutate.h"

struct xnuma_granule;

/* A PREFAULT under way; faults of its task behave differently. */
struct xnuma_prefault {
	struct list_head node;		/* in imp->prefaults */
	struct task_struct *task;
	unsigned long end;		/* of what is wanted */
	bool write;
	bool alloc;			/* make the owner's pages present */
	unsigned long asked;		/* granule whose pages were asked for */
	bool called;			/* out: the fault came to us */
	bool busy;			/* out: the owner's mmap_lock was taken */
	unsigned long reached;		/* out: filled up to here, 0: all */
};

/* How a fault was answered, for who traces it. */
enum xnuma_path {
	XNUMA_PATH_FAST,
	XNUMA_PATH_PMD,		/* fast, by a huge entry */
	XNUMA_PATH_CARRIED,	/* by what the slow path had found */
	XNUMA_PATH_SLOW,	/* not yet: the fault is retried */
	XNUMA_PATH_POISON,	/* or SIGBUS */
};

/* One fault in a window. */
struct xnuma_fault {
	struct vm_fault *vmf;
	struct vm_area_struct *vma;
	struct xnuma_import *imp;
	struct xnuma_export *exp;
	struct xnuma_granule *g;
	struct xnuma_prefault *prefault; /* NULL: an ordinary fault */
	unsigned long va;		/* the owner's address, page aligned */
	unsigned long want;		/* what the slow path has to bring in */
	bool write;
	bool upgrade;			/* from .pfn_mkwrite: an entry is there */
	u8 path;			/* out: XNUMA_PATH_* */
	bool huge;			/* from .huge_fault: one entry or nothing */
	bool anon;			/* all that was seen is anonymous memory */
};

/* What filling came to: 0 done, > 0 one of these, < 0 -XPMEM_NUMA_REASON_*. */
enum { XNUMA_FILL_DONE, XNUMA_FILL_SLOW, XNUMA_FILL_AGAIN };

int xnuma_window_mmap(struct xnuma_import *imp, struct vm_area_struct *vma,
		      unsigned long va);

int xnuma_fill(struct xnuma_fault *f);
bool xnuma_insert_table(struct vm_fault *vmf);

int xnuma_look(struct xnuma_fault *f, unsigned long start, unsigned long end,
	       unsigned long seq, unsigned long *pfns);
bool xnuma_look_table(struct xnuma_fault *f, unsigned long start,
		      unsigned long end, unsigned long entry,
		      unsigned long *pfns);

vm_fault_t xnuma_slow_fault(struct xnuma_fault *f);
unsigned long xnuma_swapin_end(struct mm_struct *mm, unsigned long va,
			       unsigned long entry);
bool xnuma_carry_take(struct xnuma_fault *f, struct xnuma_carry *carry);

int xnuma_memory_check(struct mm_struct *mm, unsigned long va, bool write);
void xnuma_memory_drop(struct mm_struct *mm, unsigned long start,
		       unsigned long end, unsigned long *pfns);

/* Mutations that let the importer write what is not the owner's to write. */
static inline bool xnuma_writes_anyway(unsigned long entry)
{
	return (xnuma_mutated(WRITE) && PageAnon(hmm_pfn_to_page(entry))) ||
	       (xnuma_mutated(SHARED) && !PageAnon(hmm_pfn_to_page(entry)));
}

void xnuma_insert_entries(struct xnuma_fault *f, unsigned long start,
			  unsigned long end, unsigned long *pfns);
bool xnuma_pmd_covered(const struct xnuma_fault *f);
bool xnuma_pmd_fits(struct xnuma_fault *f, unsigned long entry);
void xnuma_insert_pmd(struct xnuma_fault *f, unsigned long entry);

int xnuma_poison_init(void);
void xnuma_poison_exit(void);
vm_fault_t xnuma_poison(struct xnuma_fault *f, int reason);
int xnuma_reset(struct xnuma_import *imp, unsigned long va, unsigned long len);

int xnuma_prefault(struct xnuma_import *imp, struct xpmem_numa_prefault *arg);
struct xnuma_prefault *xnuma_prefault_of(struct xnuma_import *imp);

#endif /* XNUMA_WINDOW_H */
