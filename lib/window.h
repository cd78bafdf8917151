/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * window.h - from an address in a peer to one here
 *
 * An import has a table of big windows, found by address without a lock inside
 * an epoch section. A window leaves the table first and is unmapped only when
 * every thread has left the sections that might have found it. A held window
 * stays. All windows of a domain share one limit of address space.
 */
#ifndef XNUMA_WINDOW_H
#define XNUMA_WINDOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "epoch.h"

struct xnuma_domain;
struct xnuma_import;

struct xnuma_window {
	uint64_t va;		/* in the peer */
	uint64_t len;
	char *ptr;		/* here */
	struct xnuma_window *_Atomic next;	/* in its bucket */
	_Atomic uint64_t used;	/* clock of the pool at the last use */

	/* by the domain's lock */
	struct xnuma_domain *dom;
	struct xnuma_import *imp;	/* NULL: closed, this one is held */
	unsigned int holds;
	uint64_t seen;			/* @used when the hand came by */
	struct xnuma_window *before, *behind;	/* in the pool's ring */
	struct xnuma_window *dead;		/* next to be unmapped */
};

/*
 * All windows of a domain; by its lock. They are a ring in the order in which
 * they were mapped, and a hand goes round it to find those that nobody used
 * since it came by.
 */
struct window_pool {
	struct xnuma_window *hand;
	uint64_t limit;		/* bytes of address space */
	uint64_t mapped;	/* of these in use */
	uint64_t size;		/* of a new window, power of two */
	unsigned int count;
	_Atomic uint64_t clock;	/* windows mapped so far */
};

/* Replaced by a larger one as windows come, so that chains stay short. */
struct window_buckets {
	unsigned int shift;	/* log2 of the usual window */
	unsigned int bits;	/* log2 of the heads, > 0 */
	struct xnuma_window *_Atomic head[];
};

/* Where an import's windows are; nothing is allocated before the first. */
struct window_table {
	struct window_buckets *_Atomic buckets;
	unsigned int count;	/* by the domain's lock */
};

void window_table_init(struct window_table *table);
void window_table_fini(struct window_table *table);

/* Room for one more; with the domain's lock, outside any section. */
bool window_table_grow(struct xnuma_domain *dom, struct window_table *table);
void window_table_add(struct window_table *table, struct xnuma_window *win);
void window_table_remove(struct window_table *table, struct xnuma_window *win);

/* The function is called for each; it may remove that one and add others. */
void window_table_each(struct window_table *table,
		       void (*each)(struct xnuma_window *win, void *arg),
		       void *arg);

void window_pool_init(struct window_pool *pool, uint64_t limit, uint64_t size);
void window_pool_add(struct window_pool *pool, struct xnuma_window *win);
void window_pool_remove(struct window_pool *pool, struct xnuma_window *win);

/* Some that nobody holds leave table and pool and are unmapped; any? */
bool window_pool_evict(struct xnuma_domain *dom);

/* What has left the table and is on its way out; order is kept. */
struct window_batch {
	struct xnuma_window *first;
	struct xnuma_window **end;
};

#define WINDOW_BATCH(name) \
	struct window_batch name = { NULL, &name.first }

static inline void window_batch_add(struct window_batch *batch,
				    struct xnuma_window *win)
{
	*batch->end = win;
	batch->end = &win->dead;
}

/* Unmap them all when every thread has left its section. */
void window_batch_unmap(struct xnuma_domain *dom, struct window_batch *batch);

/* Multiplied, so that neither neighbours nor strides share a head. */
static inline unsigned int window_bucket(const struct window_buckets *buckets,
					 uint64_t va)
{
	return (va >> buckets->shift) * 0x9e3779b97f4a7c15ULL >>
	       (64 - buckets->bits);
}

/* The window at @va or NULL; in a section, or with the domain's lock. */
static inline struct xnuma_window *
window_find(const struct window_table *table, uint64_t va)
{
	const struct window_buckets *buckets;
	struct xnuma_window *win;

	buckets = atomic_load_explicit(&table->buckets, memory_order_acquire);
	win = atomic_load_explicit(&buckets->head[window_bucket(buckets, va)],
				   memory_order_acquire);
	while (win && va - win->va >= win->len)
		win = atomic_load_explicit(&win->next, memory_order_acquire);
	return win;
}

/* Only a change is stored: the line stays shared while nothing is mapped. */
static inline void window_touch(struct xnuma_window *win,
				const struct window_pool *pool)
{
	uint64_t clock = atomic_load_explicit(&pool->clock,
					      memory_order_relaxed);

	if (atomic_load_explicit(&win->used, memory_order_relaxed) != clock)
		atomic_store_explicit(&win->used, clock, memory_order_relaxed);
}

/* @va in @win; *@len is cut to what follows it there. */
static inline char *window_at(struct xnuma_window *win,
			      const struct window_pool *pool, uint64_t va,
			      size_t *len)
{
	uint64_t offset = va - win->va;

	window_touch(win, pool);
	if (*len > win->len - offset)
		*len = win->len - offset;
	return win->ptr + offset;
}

/**
 * window_enter - a pointer to @va, inside a section when it succeeds
 * @imp:	whose; @va and @va + *@len are in it
 * @self:	this thread, outside any section; NULL: no other thread calls
 * @va:		address in the peer
 * @len:	in: bytes wanted; out: bytes that follow @ptr
 * @ptr:	out
 *
 * Return: 0, then window_leave(); or -ENOMEM, -EPIPE ... outside the section
 */
static inline int window_enter(struct xnuma_import *imp, struct thread *self,
			       uint64_t va, size_t *len, char **ptr);

/* What window_enter() does when nothing is mapped there. */
int window_enter_slow(struct xnuma_import *imp, struct thread *self,
		      uint64_t va, size_t *len, char **ptr);

/* One that covers the whole range, held; domain's lock is not held. */
int window_hold(struct xnuma_import *imp, uint64_t va, size_t len,
		struct xnuma_window **win);

/* All windows of an import that ends; held ones live on without it. */
void window_drop(struct xnuma_import *imp);

/*
 * Fresh windows, whose page tables are empty, in the place of all that nobody
 * holds; with the domain's lock, outside any section.
 */
void windows_replace(struct xnuma_import *imp);

static inline void window_leave(struct thread *self)
{
	if (self)
		epoch_leave(self);
}

#endif
