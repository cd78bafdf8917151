/* SPDX-License-Identifier: BSD-3-Clause */
/* window_pool.c - all windows of a domain, and which of them have to go */

#include <stdlib.h>
#include <sys/mman.h>

#include "peer.h"

#define SHARE	16	/* one of so many is evicted at a time */

void window_pool_init(struct window_pool *pool, uint64_t limit, uint64_t size)
{
	pool->limit = limit;
	pool->size = size;
}

/* The last one that the hand will come to. */
void window_pool_add(struct window_pool *pool, struct xnuma_window *win)
{
	uint64_t clock = atomic_fetch_add(&pool->clock, 1) + 1;

	if (!pool->hand) {
		pool->hand = win->before = win->behind = win;
	} else {
		win->behind = pool->hand;
		win->before = pool->hand->before;
		win->before->behind = win->behind->before = win;
	}
	pool->mapped += win->len;
	pool->count++;
	win->seen = 0;
	atomic_store_explicit(&win->used, clock, memory_order_relaxed);
}

void window_pool_remove(struct window_pool *pool, struct xnuma_window *win)
{
	if (pool->hand == win)
		pool->hand = win->behind == win ? NULL : win->behind;
	win->before->behind = win->behind;
	win->behind->before = win->before;
	pool->mapped -= win->len;
	pool->count--;
}

/* Neighbours by one call: they were mapped one after the other. */
void window_batch_unmap(struct xnuma_domain *dom, struct window_batch *batch)
{
	struct xnuma_window *win, *next;
	size_t len;
	char *ptr;

	*batch->end = NULL;
	if (batch->first && dom->threads)
		epoch_synchronize();
	for (win = batch->first; win; ) {
		ptr = win->ptr;
		for (len = 0; win && win->ptr == ptr + len; win = next) {
			next = win->dead;
			len += win->len;
			free(win);
		}
		munmap(ptr, len);
	}
}

/* Since the hand came by last? A new window was, once. */
static bool was_used(struct xnuma_window *win)
{
	uint64_t used = atomic_load_explicit(&win->used, memory_order_relaxed);

	if (used == win->seen)
		return false;
	win->seen = used;
	return true;
}

/*
 * The clock stands still meanwhile, so each window can be found used twice, by
 * the hand's last round and by a thread that uses it now: three rounds find
 * every one that is not held. A share of all at a time: so the rounds cost each
 * window that goes the same, however many there are.
 *
 * Threads wait for nothing inside a section, so this ends although it is
 * called with the lock that they need to map a window.
 */
bool window_pool_evict(struct xnuma_domain *dom)
{
	struct window_pool *pool = &dom->pool;
	unsigned int left = 1 + pool->count / SHARE, steps = 3 * pool->count;
	struct xnuma_window *win;
	bool any = false;
	WINDOW_BATCH(batch);

	for (; left && steps && (win = pool->hand); steps--) {
		pool->hand = win->behind;
		if (win->holds || !win->imp || was_used(win))
			continue;
		window_table_remove(&win->imp->table, win);
		window_pool_remove(pool, win);
		window_batch_add(&batch, win);
		stat_add(dom->shards, thread_self(), STAT_windows_evicted, 1);
		any = true;
		left--;
	}
	window_batch_unmap(dom, &batch);
	return any;
}
