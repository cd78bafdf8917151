/* SPDX-License-Identifier: BSD-3-Clause */
/* copy.c - get and put */

#include <errno.h>

#include "access.h"
#include "copy.h"
#include "port.h"
#include "share.h"

/*
 * Another thread's poison spoils a copy as well as one's own. A piece that was
 * not good is tried again after a RESET, one thread at a time, before it is
 * called unreachable.
 */
#define TRIES	4

struct access {
	struct xnuma_import *imp;
	struct thread *self;
	char *local;
	uint64_t va;
	size_t len;
	bool write;
};

/* Of at most @*len bytes; *@len then tells how many. 0, 1 not good, -errno. */
static int copy_once(const struct access *a, size_t *len)
{
	struct xnuma_import *imp = a->imp;
	uint64_t begin = access_begin(imp);
	char *ptr;
	int ret;

	if (!access_live(imp, a->va, *len))
		return access_dead(imp);
	ret = window_enter(imp, a->self, a->va, len, &ptr);
	if (ret)
		return ret;
	if (a->write)
		copy(ptr, a->local, *len);
	else
		copy(a->local, ptr, *len);
	window_leave(a->self);
	if (!access_live(imp, a->va, *len))
		return access_dead(imp);
	return a->write ? !access_stored(imp, begin) :
			  !access_good(imp, begin);
}

static int __attribute__((noinline, cold))
copy_again(const struct access *a, size_t *len)
{
	struct xnuma_import *imp = a->imp;
	int ret = 1, tries;

	pthread_mutex_lock(&imp->poison_lock);
	for (tries = 0; ret == 1 && tries < TRIES; tries++) {
		if (!status_alive(imp->status))
			break;
		imp->dom->ops->reset(imp);
		ret = copy_once(a, len);
	}
	if (ret == 1)
		ret = access_failed(imp);
	pthread_mutex_unlock(&imp->poison_lock);
	return ret;
}

static int copy_mapped(struct access *a)
{
	size_t len;
	int ret;

	while (a->len) {
		if (!status_alive(a->imp->status))
			return access_gone(a->imp);
		len = a->len < ACCESS_PIECE ? a->len : ACCESS_PIECE;
		ret = copy_once(a, &len);
		if (ret > 0)
			ret = copy_again(a, &len);
		if (ret)
			return ret;
		a->local += len;
		a->va += len;
		a->len -= len;
	}
	return 0;
}

static int copy_self(const struct access *a)
{
	struct xnuma_import *imp = a->imp;
	char *ptr = (char *)(uintptr_t)a->va;

	if (!access_live(imp, a->va, 0))
		return access_dead(imp);
	if (a->write)
		memmove(ptr, a->local, a->len);
	else
		memmove(a->local, ptr, a->len);
	stat_add(imp->dom->shards, thread_current, STAT_local_bytes, a->len);
	return 0;
}

static int copy_syscall(const struct access *a)
{
	struct xnuma_import *imp = a->imp;
	int ret;

	if (!imp->dom->ops->copy)
		return error(-EFAULT, "no window reaches this memory");
	if (!status_alive(imp->status))
		return access_gone(imp);
	ret = imp->dom->ops->copy(imp, a->local, a->va, a->len, a->write);
	if (!ret)
		stat_add(imp->dom->shards, thread_current,
			 a->write ? STAT_syscall_put : STAT_syscall_get,
			 a->len);
	return ret;
}

int copy_range(struct xnuma_import *imp, void *local, uint64_t va, size_t len,
	       bool write)
{
	struct xnuma_domain *dom = imp->dom;
	struct access a = {
		.imp = imp, .local = local, .va = va, .len = len,
		.write = write,
	};
	int ret;

	if (domain_inert(dom))
		return error_child();
	if (!thread_self())
		return -ENOMEM;
	a.self = access_thread(dom);
	ret = access_check(imp, va, len, write ? XNUMA_WRITE : XNUMA_READ);
	if (ret)
		return ret;
	if (imp->self)
		return copy_self(&a);
	if (!access_mapped(imp, va, len))
		return copy_syscall(&a);
	ret = copy_mapped(&a);
	if (ret)
		return ret;
	stat_add(dom->shards, thread_current,
		 write ? STAT_window_put : STAT_window_get, len);
	access_regain(imp);
	return 0;
}

int xnuma_get(struct xnuma_import *imp, void *dst, uint64_t va, size_t len,
	      struct xnuma_completion *comp)
{
	if (share_may(imp, len))
		return share_get(imp, dst, va, len);
	return copy_range(imp, dst, va, len, false);
}

int xnuma_put(struct xnuma_import *imp, uint64_t va, const void *src,
	      size_t len, struct xnuma_completion *comp)
{
	return copy_range(imp, (void *)(uintptr_t)src, va, len, true);
}

void xnuma_fence(struct xnuma_domain *dom)
{
	atomic_thread_fence(memory_order_seq_cst);
}

int xnuma_flush(struct xnuma_peer *peer, struct xnuma_completion *comp)
{
	atomic_thread_fence(memory_order_seq_cst);
	return xnuma_peer_alive(peer);
}
