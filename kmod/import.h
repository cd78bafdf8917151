/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_IMPORT_H
#define XNUMA_IMPORT_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "export.h"

#define XNUMA_CARRIES	4	/* faults in flight that may leave a result */
#define XNUMA_POISONS	16	/* poisoned granules that RESET finds by name */

/* What a slow fault found, for the retried fault of the same task. */
struct xnuma_carry {
	struct task_struct *task;	/* whose; NULL: nothing */
	unsigned long va;
	unsigned long seq;		/* of the granule, when @pfn was seen */
	unsigned long pfn;		/* as hmm_range_fault() tells it */
	int reason;			/* why not, XPMEM_NUMA_REASON_* */
	unsigned long when;		/* in jiffies */
};

/*
 * One process's right to an export. It owns an inode, so that the kernel's own
 * reverse map finds its windows, and only its own. Its file is held by the
 * handle, each window and each slow fault; callbacks hold the kref.
 */
struct xnuma_import {
	struct xnuma_object obj;
	int slot;			/* in exp->imports, -1: not yet */
	u32 rights;
	u32 flags;
	struct xnuma_export *exp;
	struct inode *inode;
	struct file *file;		/* valid while the handle exists */

	bool mapped;			/* has ever inserted an owner's page */
	void *pfns;			/* spare array for one fault, or NULL */
	struct list_head prefaults;	/* PREFAULT calls under way */
	struct xnuma_carry carry[XNUMA_CARRIES];
	spinlock_t lock;		/* protects carry and prefaults */

	struct mutex poison_lock;	/* bump + insertion against RESET */
	struct page *status;		/* struct xpmem_numa_import_status */
	struct page *scratch;		/* takes the writes to poisoned pages */
	unsigned int poisons;		/* valid in poison; more: anywhere */
	unsigned long poison[XNUMA_POISONS];

	struct xnuma_waker *waker;	/* of the importer's file */
	struct xnuma_user *user;
	struct kref kref;
	struct xnuma_counters stats;
	struct work_struct free;
	struct rcu_head rcu;
};

int xnuma_import_init(void);
void xnuma_import_exit(void);

struct file *xnuma_import_create(struct xpmem_numa_import *arg,
				 struct xnuma_waker *waker);
struct xnuma_import *xnuma_import_by_slot(struct xnuma_export *exp, u16 slot);
void xnuma_import_put(struct xnuma_import *imp);
void xnuma_import_zap(struct xnuma_import *imp, unsigned long start,
		      unsigned long end);
void xnuma_import_zap_all(struct xnuma_export *exp, unsigned long start,
			  unsigned long end);
void xnuma_import_tell_all(struct xnuma_export *exp, u32 state);

static inline struct xpmem_numa_import_status *
xnuma_import_status(struct xnuma_import *imp)
{
	return page_address(imp->status);
}

#endif /* XNUMA_IMPORT_H */
