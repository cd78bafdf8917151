/* SPDX-License-Identifier: BSD-3-Clause */
/* window_table.c - the windows of one import, by address */

#include <stdlib.h>

#include "peer.h"

#define BITS_FIRST	3	/* log2 of the heads that the first window gets */
#define BITS_MAX	24

/* Of all that have no window yet; never written to. */
static struct window_buckets none = { .bits = 1, .head = { NULL, NULL } };

static struct window_buckets *buckets_of(const struct window_table *table)
{
	return atomic_load_explicit(&table->buckets, memory_order_relaxed);
}

void window_table_init(struct window_table *table)
{
	atomic_store_explicit(&table->buckets, &none, memory_order_relaxed);
	table->count = 0;
}

void window_table_fini(struct window_table *table)
{
	if (buckets_of(table) != &none)
		free(buckets_of(table));
}

static struct xnuma_window *chain_next(struct xnuma_window *_Atomic *link)
{
	return atomic_load_explicit(link, memory_order_relaxed);
}

static void buckets_add(struct window_buckets *buckets,
			struct xnuma_window *win)
{
	struct xnuma_window *_Atomic *head;

	head = &buckets->head[window_bucket(buckets, win->va)];
	atomic_store_explicit(&win->next, chain_next(head),
			      memory_order_relaxed);
	atomic_store_explicit(head, win, memory_order_release);
}

/*
 * From the head of each chain to its end: so a reader goes from windows that
 * are still to be moved to some that are, and among these to ones moved
 * earlier: it comes to an end. It may miss its window, and then looks again
 * with the lock.
 */
static void buckets_move(struct window_buckets *to, struct window_buckets *from)
{
	struct xnuma_window *win, *next;
	unsigned int i;

	for (i = 0; i < 1U << from->bits; i++) {
		for (win = chain_next(&from->head[i]); win; win = next) {
			next = chain_next(&win->next);
			buckets_add(to, win);
		}
	}
}

static struct window_buckets *buckets_new(unsigned int bits,
					  unsigned int shift)
{
	struct window_buckets *buckets;

	buckets = calloc(1, sizeof(*buckets) +
			    (sizeof(buckets->head[0]) << bits));
	if (buckets) {
		buckets->bits = bits;
		buckets->shift = shift;
	}
	return buckets;
}

/* Of windows that have become smaller the old ones are found as before. */
bool window_table_grow(struct xnuma_domain *dom, struct window_table *table)
{
	struct window_buckets *old = buckets_of(table), *new;
	unsigned int shift = __builtin_ctzll(dom->pool.size);
	unsigned int bits = old == &none ? BITS_FIRST : old->bits;

	if (table->count >= 1U << bits && bits < BITS_MAX)
		bits++;
	if (old != &none && bits == old->bits && shift == old->shift)
		return true;
	new = buckets_new(bits, shift);
	if (!new)
		return old != &none;
	buckets_move(new, old);
	atomic_store_explicit(&table->buckets, new, memory_order_release);
	if (old != &none) {
		if (dom->threads)
			epoch_synchronize();
		free(old);
	}
	return true;
}

void window_table_add(struct window_table *table, struct xnuma_window *win)
{
	buckets_add(buckets_of(table), win);
	table->count++;
}

/* @win->next stays: a reader that stands on @win goes on from there. */
void window_table_remove(struct window_table *table, struct xnuma_window *win)
{
	struct window_buckets *buckets = buckets_of(table);
	struct xnuma_window *_Atomic *link;
	struct xnuma_window *at;

	link = &buckets->head[window_bucket(buckets, win->va)];
	while ((at = chain_next(link)) != win)
		link = &at->next;
	atomic_store_explicit(link, chain_next(&win->next),
			      memory_order_release);
	table->count--;
}

void window_table_each(struct window_table *table,
		       void (*each)(struct xnuma_window *win, void *arg),
		       void *arg)
{
	struct window_buckets *buckets = buckets_of(table);
	struct xnuma_window *win, *next;
	unsigned int i;

	for (i = 0; i < 1U << buckets->bits; i++) {
		for (win = chain_next(&buckets->head[i]); win; win = next) {
			next = chain_next(&win->next);
			each(win, arg);
		}
	}
}
