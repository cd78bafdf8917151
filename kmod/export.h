/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_EXPORT_H
#define XNUMA_EXPORT_H

#include <linux/kref.h>
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "object.h"
#include "stats.h"
#include "user.h"
#include "waker.h"

/*
 * A range of an address space that its owner offers. It lives until the last of
 * these is gone: its handle, imports, slow faults under way. Killing it (owner
 * gone, UNEXPORT, close) takes all mappings away at once; what is left then is
 * memory that says so.
 *
 * Lock order: importer's mmap_lock -> granule_lock -> (reclaim);
 * anything of the owner that invalidates -> [batch_lock ->] granule->lock ->
 * import's i_mmap.
 */
struct xnuma_export {
	struct xnuma_object obj;
	unsigned long start, end;	/* page aligned, end exclusive */
	struct mm_struct *mm;		/* mmgrab()bed until the last reference */
	u32 state;			/* XPMEM_NUMA_ACTIVE ...; once left, never back */
	bool has_denied;
	u32 rights;

	struct xarray granules;		/* by address >> 21; only ever added to */
	struct mutex granule_lock;	/* making granules; not taken by callbacks */
	struct mutex batch_lock;	/* zapping many granules as one */
	u16 batch, last_batch;		/* under way, or 0; the last number */
	struct xarray imports;		/* by slot; looked up under RCU */

	struct mutex deny_mutex;	/* one DENY or ALLOW at a time */
	spinlock_t denied_lock;		/* protects denied; nests inside all */
	struct rb_root_cached denied;	/* ranges taken back, an interval tree */

	struct page *status;		/* struct xpmem_numa_export_status */
	struct mmu_interval_notifier life; /* sees the end of the mm */
	struct xnuma_waker *waker;	/* of the owner's file */
	struct xnuma_user *user;
	struct pid *owner;		/* to know the node that he runs on */
	int node;			/* where he was at EXPORT */
	bool has_life;

	u64 id;
	struct hlist_node node_id;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	struct user_namespace *user_ns;
	u8 key[XPMEM_NUMA_KEY_LEN];

	struct kref kref;
	struct xnuma_counters stats;
	struct work_struct free;
	struct rcu_head rcu;
};

struct xnuma_export *xnuma_export_create(struct xpmem_numa_export *arg,
					 struct xnuma_waker *waker);
void xnuma_export_publish(struct xnuma_export *exp);
void xnuma_export_kill(struct xnuma_export *exp, u32 state);
struct xnuma_export *xnuma_export_find(u64 id);
void xnuma_export_put(struct xnuma_export *exp);
int xnuma_export_permits(struct xnuma_export *exp,
			 const struct xpmem_numa_import *arg);
int xnuma_export_node(struct xnuma_export *exp);
void xnuma_export_revoked(struct xnuma_export *exp);
void xnuma_export_zap_all(struct xnuma_export *exp);

int xnuma_deny(struct xnuma_export *exp, unsigned long start, unsigned long end);
int xnuma_allow(struct xnuma_export *exp, unsigned long start,
		unsigned long end);
bool xnuma_is_denied(struct xnuma_export *exp, unsigned long start,
		     unsigned long end);
void xnuma_deny_free_all(struct xnuma_export *exp);

static inline struct xnuma_export *xnuma_export_get(struct xnuma_export *exp)
{
	kref_get(&exp->kref);
	return exp;
}

static inline u32 xnuma_export_state(struct xnuma_export *exp)
{
	/* what was before leave_active() is seen behind this */
	return smp_load_acquire(&exp->state);
}

#endif /* XNUMA_EXPORT_H */
