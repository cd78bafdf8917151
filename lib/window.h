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

#define WINDOW_BUCKETS	64

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
	unsigned int bucket;
	struct xnuma_window *all;		/* next of the pool */
	struct xnuma_window *dead;		/* next to be unmapped */
};

/* All windows of a domain; by its lock. */
struct window_pool {
	struct xnuma_window *all;
	uint64_t limit;		/* bytes of address space */
	uint64_t mapped;	/* of these in use */
	uint64_t size;		/* of a new window, power of two */
	unsigned int count;
	_Atomic uint64_t clock;	/* windows mapped so far */
};

/* Where an import's windows are. */
struct window_table {
	struct xnuma_window *_Atomic bucket[WINDOW_BUCKETS];
	_Atomic unsigned int shift;	/* log2 of the usual window */
};

void window_pool_init(struct window_pool *pool, uint64_t limit, uint64_t size);

static inline unsigned int window_bucket(const struct window_table *table,
					 uint64_t va)
{
	unsigned int shift = atomic_load_explicit(&table->shift,
						  memory_order_relaxed);

	return va >> shift & (WINDOW_BUCKETS - 1);
}

/* The window at @va or NULL; in a section, or with the domain's lock. */
static inline struct xnuma_window *
window_find(const struct window_table *table, uint64_t va)
{
	struct xnuma_window *win;

	win = atomic_load_explicit(&table->bucket[window_bucket(table, va)],
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
