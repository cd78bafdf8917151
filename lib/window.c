/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arena.h"
#include "peer.h"
#include "port.h"

#define SIZE_MIN	(2ULL << 20)	/* not made smaller than this */
#define FEW		16	/* windows: above, rather evict */

static bool pool_shrink(struct xnuma_domain *dom)
{
	if (dom->pool.size <= SIZE_MIN)
		return false;
	dom->pool.size /= 2;
	domain_log(dom, XNUMA_LOG_INFO, "address space is short: windows of "
		   "%llu KiB from now on",
		   (unsigned long long)dom->pool.size >> 10);
	return true;
}

static int window_fd(struct xnuma_import *imp)
{
	return imp->dom->ops->window_fd ? imp->dom->ops->window_fd(imp) :
					  imp->fd;
}

static int window_map(struct xnuma_window *win)
{
	struct xnuma_import *imp = win->imp;
	int prot = PROT_READ, ret;
	void *ptr;

	if (imp->rights & XNUMA_WRITE)
		prot |= PROT_WRITE;
	ret = arena_map(win->len, win->va, prot, MAP_SHARED | MAP_NORESERVE,
			window_fd(imp), imp->base + win->va, &ptr);
	if (ret)
		return ret;
	madvise(ptr, win->len, MADV_DONTFORK);
	madvise(ptr, win->len, MADV_DONTDUMP);
	win->ptr = ptr;
	return 0;
}

static void window_clip(struct xnuma_window *win, uint64_t start, uint64_t end)
{
	const struct xnuma_import *imp = win->imp;

	if (start < imp->map_va)
		start = imp->map_va;
	if (end > imp->map_va + imp->map_len)
		end = imp->map_va + imp->map_len;
	win->va = start;
	win->len = end - start;
}

/* The usual window around @va, or one of exactly [@va, @va + @len). */
static void window_range(struct xnuma_window *win, uint64_t va, size_t len)
{
	uint64_t size = win->dom->pool.size, start = va & -size;

	if (va + len <= start + size)
		window_clip(win, start, start + size);
	else
		window_clip(win, va & -PAGE, (va + len + PAGE - 1) & -PAGE);
}

/*
 * Short of address space, smaller windows first: evicting and mapping again
 * costs a fault per page each time, looking in one more window does not. But
 * when there are many already, it is their number that is limited.
 */
static int window_place(struct xnuma_window *win, uint64_t va, size_t len)
{
	struct xnuma_domain *dom = win->dom;
	struct window_pool *pool = &dom->pool;
	bool full;
	int ret;

	for (;;) {
		window_range(win, va, len);
		full = pool->mapped + win->len > pool->limit;
		ret = full ? -EDQUOT : window_map(win);
		if (ret != -ENOMEM && ret != -EAGAIN && ret != -EDQUOT)
			return ret;
		if (ret != -EDQUOT && pool->count < FEW && pool_shrink(dom))
			continue;
		if (window_pool_evict(dom))
			continue;
		if (!full || !pool_shrink(dom))
			return -ENOMEM;
	}
}

/* With the domain's lock. */
static int window_create(struct xnuma_import *imp, uint64_t va, size_t len,
			 struct xnuma_window **out)
{
	struct xnuma_window *win;
	int ret;

	win = window_table_grow(imp->dom, &imp->table) ?
	      calloc(1, sizeof(*win)) : NULL;
	if (!win)
		return error(-ENOMEM, "out of memory");
	win->dom = imp->dom;
	win->imp = imp;
	ret = window_place(win, va, len);
	if (ret) {
		free(win);
		return error_code(ret, "no window onto pid %d",
				  imp->peer->blob.pid);
	}
	window_table_add(&imp->table, win);
	window_pool_add(&imp->dom->pool, win);
	stat_add(imp->dom->shards, thread_self(), STAT_windows_mapped, 1);
	*out = win;
	return 0;
}

/*
 * The section is entered before the lock is given up: whoever takes the window
 * away after that waits for this thread. So each call gets its copy done even
 * where there is room for fewer windows than threads.
 */
int window_enter_slow(struct xnuma_import *imp, struct thread *self,
		      uint64_t va, size_t *len, char **ptr)
{
	struct xnuma_domain *dom = imp->dom;
	struct xnuma_window *win;
	int ret = window_fd(imp);

	if (ret < 0)
		return ret;
	ret = 0;
	pthread_mutex_lock(&dom->lock);
	win = window_find(&imp->table, va);
	if (!win)
		ret = window_create(imp, va, 1, &win);
	if (!ret && self)
		epoch_enter(self);
	pthread_mutex_unlock(&dom->lock);
	if (ret)
		return ret;
	*ptr = window_at(win, &dom->pool, va, len);
	return 0;
}

int window_hold(struct xnuma_import *imp, uint64_t va, size_t len,
		struct xnuma_window **out)
{
	struct xnuma_domain *dom = imp->dom;
	struct xnuma_window *win;
	int ret = window_fd(imp);

	if (ret < 0)
		return ret;
	ret = 0;
	pthread_mutex_lock(&dom->lock);
	win = window_find(&imp->table, va);
	if (!win || va - win->va + len > win->len)
		ret = window_create(imp, va, len, &win);
	if (!ret) {
		win->holds++;
		window_touch(win, &dom->pool);
		*out = win;
	}
	pthread_mutex_unlock(&dom->lock);
	return ret;
}

static void drop_one(struct xnuma_window *win, void *arg)
{
	struct window_batch *batch = arg;

	window_table_remove(&win->imp->table, win);
	win->imp = NULL;
	if (win->holds)
		return;
	window_pool_remove(&win->dom->pool, win);
	window_batch_add(batch, win);
}

void window_drop(struct xnuma_import *imp)
{
	struct xnuma_domain *dom = imp->dom;
	WINDOW_BATCH(batch);

	pthread_mutex_lock(&dom->lock);
	window_table_each(&imp->table, drop_one, &batch);
	window_batch_unmap(dom, &batch);
	pthread_mutex_unlock(&dom->lock);
}

/*
 * A fresh window in the place of @old, which leaves only when that is there: so
 * no access fails that would not have failed with @old.
 */
static bool window_replace(struct xnuma_window *old)
{
	struct window_pool *pool = &old->dom->pool;
	struct xnuma_window *win;

	if (pool->mapped + old->len > pool->limit)
		return false;
	win = calloc(1, sizeof(*win));
	if (!win)
		return false;
	win->dom = old->dom;
	win->imp = old->imp;
	win->va = old->va;
	win->len = old->len;
	if (window_map(win)) {
		free(win);
		return false;
	}
	window_table_add(&old->imp->table, win);
	window_pool_add(pool, win);
	window_table_remove(&old->imp->table, old);
	window_pool_remove(pool, old);
	return true;
}

static void replace_one(struct xnuma_window *win, void *arg)
{
	struct xnuma_domain *dom = win->dom;
	struct window_batch *batch = arg;

	if (win->holds || !window_replace(win))
		return;
	window_batch_add(batch, win);
	stat_add(dom->shards, thread_self(), STAT_windows_replaced, 1);
}

void windows_replace(struct xnuma_import *imp)
{
	WINDOW_BATCH(batch);

	window_table_each(&imp->table, replace_one, &batch);
	window_batch_unmap(imp->dom, &batch);
}

/* The last holder of a window whose import is closed unmaps it. */
void xnuma_window_release(struct xnuma_window *win)
{
	struct xnuma_domain *dom = win->dom;
	bool last;

	if (!win->len || domain_inert(dom)) {	/* own memory, forked child */
		if (!win->len)
			free(win);
		return;
	}
	pthread_mutex_lock(&dom->lock);
	last = !--win->holds && !win->imp;
	if (last)
		window_pool_remove(&dom->pool, win);
	pthread_mutex_unlock(&dom->lock);
	if (last) {
		munmap(win->ptr, win->len);
		free(win);
	}
}
