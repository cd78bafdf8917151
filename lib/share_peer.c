/* SPDX-License-Identifier: BSD-3-Clause */
/* share_peer.c - who is called: copies from the back what is his */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "copy.h"
#include "port.h"
#include "share.h"

#define TRIES	4		/* to have two windows at a time */

/* ---- own memory as peers see it ---- */

static struct xnuma_peer *view_open(struct xnuma_domain *dom)
{
	struct xnuma_peer *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->dom = dom;
	view->blob = dom->blob;
	if (peer_open_memory(view)) {
		free(view);
		return NULL;
	}
	view->status = view->memory.status;
	return view;
}

static void view_close(struct xnuma_peer *view)
{
	import_fini(&view->memory);
	free(view);
}

/* Two threads may both open one; the second gives its own back. */
static struct xnuma_import *view_memory(struct xnuma_domain *dom)
{
	struct xnuma_peer *old = NULL;
	struct xnuma_peer *view = atomic_load(&dom->view);

	if (!view) {
		view = view_open(dom);
		if (!view)
			return NULL;
		if (!atomic_compare_exchange_strong(&dom->view, &old, view)) {
			view_close(view);
			view = old;
		}
	}
	return &view->memory;
}

void share_fini(struct xnuma_domain *dom)
{
	struct xnuma_peer *view = atomic_load(&dom->view);

	if (view)
		view_close(view);
}

/* ---- from one window to another ---- */

struct piece {
	struct xnuma_import *from, *to;
	uint64_t src, dst;
	size_t len;
	struct thread *self;
};

static char *find(struct xnuma_import *imp, uint64_t va, size_t *len)
{
	struct xnuma_window *win = window_find(&imp->table, va);

	return win ? window_at(win, &imp->dom->pool, va, len) : NULL;
}

static int window_make(const struct piece *p, struct xnuma_import *imp,
		       uint64_t va)
{
	size_t len = 1;
	char *ptr;
	int ret = window_enter_slow(imp, p->self, va, &len, &ptr);

	if (!ret)
		window_leave(p->self);
	return ret;
}

/* Sections do not nest, so both are looked up in one. */
static int copy_piece(struct piece *p)
{
	char *src, *dst;
	int ret, i;

	for (i = 0; i < TRIES; i++) {
		if (p->self)
			epoch_enter(p->self);
		src = find(p->from, p->src, &p->len);
		dst = find(p->to, p->dst, &p->len);
		if (src && dst) {
			copy(dst, src, p->len);
			window_leave(p->self);
			return 0;
		}
		window_leave(p->self);
		ret = src ? window_make(p, p->to, p->dst) :
			    window_make(p, p->from, p->src);
		if (ret)
			return ret;
	}
	return error(-ENOMEM, "two windows do not fit");
}

/* What spoils this copy may be another's poison: then the peer does it. */
static int failed(struct xnuma_import *imp)
{
	int ret;

	pthread_mutex_lock(&imp->poison_lock);
	ret = access_failed(imp);
	pthread_mutex_unlock(&imp->poison_lock);
	return ret;
}

static int copy_judged(struct piece *p)
{
	uint64_t src = access_begin(p->from), dst = access_begin(p->to);
	int ret;

	if (!status_alive(p->to->status))
		return access_gone(p->to);
	ret = copy_piece(p);
	if (ret)
		return ret;
	if (!access_stored(p->to, dst))
		return failed(p->to);
	return access_good(p->from, src) ? 0 : failed(p->from);
}

/*
 * Own memory at @src to where the peer wants it, both through windows: whatever
 * the peer said @src was, reading it is no more than it could do itself, and an
 * error at worst.
 */
static int copy_through(struct xnuma_peer *peer, uint64_t src, uint64_t dst,
			size_t len)
{
	struct xnuma_import *own = view_memory(peer->dom);
	struct piece p = {
		.from = own, .to = &peer->memory, .src = src, .dst = dst,
		.self = access_thread(peer->dom),
	};
	int ret;

	if (!own)
		return -ENOMEM;
	ret = access_check(own, src, len, XNUMA_READ);
	for (; len && !ret; len -= p.len) {
		p.len = len < ACCESS_PIECE ? len : ACCESS_PIECE;
		ret = copy_judged(&p);
		p.src += p.len;
		p.dst += p.len;
	}
	return ret;
}

/* ---- a call ---- */

static int copy_part(struct xnuma_peer *peer, const struct share_call *call,
		     size_t offset, size_t len)
{
	struct xnuma_domain *dom = peer->dom;
	uint64_t src = call->src + offset, dst = call->dst + offset;

	if (!dom->ops->copy)
		return copy_through(peer, src, dst, len);
	if (dom->config.policy != XNUMA_EXPORT_ALL)
		return error(-EACCES, "this process does not export that");
	if (!status_alive(peer->memory.status))
		return access_gone(&peer->memory);
	return dom->ops->copy(&peer->memory, (void *)(uintptr_t)src, dst, len,
			      true);
}

/*
 * Three quarters of what is left: the getter has most often begun on the other
 * half just now. Less would be more calls, all would make it wait for who came
 * late.
 */
static uint32_t part(const struct share_cut *cut, uint32_t left)
{
	return left / 4 * cut->unit < SHARE_LEAST ? left : left - left / 4;
}

/*
 * Each word of the getter is used once it is copied: it may change any time, and
 * whatever it becomes there is an end.
 */
static ssize_t copy_back(struct xnuma_peer *peer, const struct share_call *call,
			 struct region_share *words)
{
	const struct share_cut cut = share_cut(call->len, call->generation);
	uint64_t old = atomic_load_explicit(&words->claim,
					    memory_order_acquire);
	uint32_t left, units, at, done = 0;
	size_t len, sum = 0;
	int ret = 0;

	while ((left = share_left(&cut, old)) && done < cut.units) {
		units = part(&cut, left);
		if (units > cut.units - done)
			units = cut.units - done;
		if (!atomic_compare_exchange_weak(&words->claim, &old,
				old + ((uint64_t)units << SHARE_BITS)))
			continue;
		at = cut.units - share_back(old) - units;
		len = share_bytes(&cut, at, units);
		ret = copy_part(peer, call, at * cut.unit, len);
		done += units;
		atomic_store_explicit(&words->done, share_word(&cut) |
				      (ret ? SHARE_FAILED | (done - units) :
					     done), memory_order_release);
		if (ret)
			break;
		sum += len;
		old = atomic_load_explicit(&words->claim,
					   memory_order_acquire);
	}
	stat_add(peer->dom->shards, thread_current, STAT_shared_bytes, sum);
	return ret ? ret : (ssize_t)sum;
}

ssize_t xnuma_share(struct xnuma_peer *peer, const struct xnuma_message *msg)
{
	struct region_header *header = peer->queue;
	struct share_call call;
	int ret;

	if (domain_inert(peer->dom))
		return error_child();
	if (!thread_self())
		return -ENOMEM;
	if (msg->len != sizeof(call))
		return error(-EPROTO, "a call of %zu bytes", msg->len);
	memcpy(&call, msg->data, sizeof(call));
	if (peer->self || !call.len || call.len > XPMEM_NUMA_VA_LIMIT ||
	    call.zero || call.slot >= REGION_SHARES ||
	    call.domain != peer->blob.id)
		return error(-EPROTO, "a wrong call of pid %d", peer->blob.pid);
	ret = access_check(&peer->memory, call.dst, call.len, XNUMA_WRITE);
	return ret ? ret : copy_back(peer, &call, &header->share[call.slot]);
}
