/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * access.h - what get, put, atomic and prefault have in common
 */
#ifndef XNUMA_ACCESS_H
#define XNUMA_ACCESS_H

#include "peer.h"

/* Of one section: whoever takes a window away waits no longer than for this. */
#define ACCESS_PIECE	(16UL << 20)

/* get or put of all of a range by this process alone; 0 or -errno. */
int copy_range(struct xnuma_import *imp, void *local, uint64_t va, size_t len,
	       bool write);

/* Before: may this be tried at all? 0 or -errno. */
int access_check(const struct xnuma_import *imp, uint64_t va, size_t len,
		 unsigned int rights);

/* This thread, or NULL where sections are not needed; *@ret is set if none. */
static inline struct thread *access_thread(const struct xnuma_domain *dom)
{
	return dom->threads ? thread_current : NULL;
}

/* Does a window reach the whole range? */
static inline bool access_mapped(const struct xnuma_import *imp, uint64_t va,
				 size_t len)
{
	return va - imp->map_va < imp->map_len &&
	       len <= imp->map_len - (va - imp->map_va);
}

/* What access_regain() then does. */
void access_replace(struct xnuma_import *imp) __attribute__((cold));

static inline uint64_t access_begin(const struct xnuma_import *imp)
{
	return atomic_load_explicit(&imp->status->cleared,
				    memory_order_acquire);
}

/*
 * I11: was everything real that was read or written since access_begin()?
 *
 * Zeros seen through poison number n: at that moment poisoned >= n and, as only
 * a RESET that has taken it away advances cleared so far, cleared < n. So what
 * cleared was before is not what poisoned is after. Cleared as it is after may
 * be: another thread's RESET may come between this one's copy and its test.
 */
static inline bool access_good(const struct xnuma_import *imp, uint64_t begin)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&imp->status->poisoned,
				    memory_order_acquire) == begin;
}

/*
 * As access_good(), after stores. A load may be done before an older store has
 * found its page, even on x86: then the store would go to a scratch page of
 * whose number the load knew nothing.
 */
static inline bool access_stored(const struct xnuma_import *imp,
				 uint64_t begin)
{
	atomic_thread_fence(memory_order_seq_cst);
	return access_good(imp, begin);
}

/* Port user: allocated, and not taken back by xnuma_unexport()? */
static inline bool access_live(const struct xnuma_import *imp, uint64_t va,
			       size_t len)
{
	if (imp->ticket && atomic_load_explicit(imp->ticket,
					memory_order_acquire) != imp->rkey.id)
		return false;
	return !imp->live || region_live(imp->live, va - imp->live_va, len);
}

/*
 * After a good access, outside any section: memory that became huge after it
 * was mapped here has a page table in the way of a huge entry. Have enough
 * faults met one?
 */
static inline void access_regain(struct xnuma_import *imp)
{
	uint64_t at = atomic_load_explicit(&imp->regain_at,
					   memory_order_relaxed);

	if (__builtin_expect(atomic_load_explicit(&imp->status->blocked,
					memory_order_relaxed) >= at, 0))
		access_replace(imp);
}

/* The error of an access that was not good, then all poison is taken away. */
int access_failed(struct xnuma_import *imp) __attribute__((cold));

/* The error of what is not live. */
int access_dead(struct xnuma_import *imp) __attribute__((cold));

/* -EACCES, -EPIPE or -ESHUTDOWN: the import's state is not active any more. */
int access_gone(struct xnuma_import *imp) __attribute__((cold));

#endif
