/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "access.h"
#include "port.h"

static int access_outside(const struct xnuma_import *imp, uint64_t va,
			  size_t len)
{
	int err = imp->len >= XPMEM_NUMA_VA_LIMIT ? -EFAULT : -EACCES;

	return error(err, "pid %d does not export [%#llx, +%#zx)",
		     imp->peer->blob.pid, (unsigned long long)va, len);
}

int access_check(const struct xnuma_import *imp, uint64_t va, size_t len,
		 unsigned int rights)
{
	if (va - imp->va > imp->len || len > imp->len - (va - imp->va))
		return access_outside(imp, va, len);
	if (rights & ~imp->rights)
		return error(-EACCES, "the import has no right to write");
	return 0;
}

/* A sub-range may be taken back while its owner lives on. */
int access_gone(struct xnuma_import *imp)
{
	if (imp != &imp->peer->memory && status_alive(imp->peer->status))
		return error(-EACCES, "pid %d has taken this export back",
			     imp->peer->blob.pid);
	return peer_lost(imp->peer);
}

int access_dead(struct xnuma_import *imp)
{
	if (!access_live(imp, imp->live_va, 0))
		return error(-EACCES, "pid %d has taken this export back",
			     imp->peer->blob.pid);
	return error(-EFAULT, "memory of pid %d is not allocated",
		     imp->peer->blob.pid);
}

#define REGAIN_MAX	(1ULL << 16)

/*
 * What was mapped has to be faulted in again. So it takes twice as many blocked
 * faults each time, and memory that is split and made huge for ever costs next
 * to nothing more than it does by itself.
 */
void access_replace(struct xnuma_import *imp)
{
	const _Atomic uint64_t *blocked = &imp->status->blocked;
	struct xnuma_domain *dom = imp->dom;
	uint64_t at;

	pthread_mutex_lock(&dom->lock);
	at = atomic_load_explicit(&imp->regain_at, memory_order_relaxed);
	/* else another thread has done it while this one waited */
	if (atomic_load_explicit(blocked, memory_order_relaxed) >= at) {
		windows_replace(imp);
		if (imp->regain_step < REGAIN_MAX)
			imp->regain_step *= 2;
		at = atomic_load_explicit(blocked, memory_order_relaxed);
		atomic_store_explicit(&imp->regain_at, at + imp->regain_step,
				      memory_order_relaxed);
	}
	pthread_mutex_unlock(&dom->lock);
}

static const struct {
	int err;
	const char *text;
} reasons[] = {
	[XPMEM_NUMA_REASON_NONE] = { -EFAULT, "was not reachable" },
	[XPMEM_NUMA_REASON_HOLE] = { -EFAULT, "is not mapped there" },
	[XPMEM_NUMA_REASON_READ_ONLY] = { -EFAULT, "is read-only there" },
	[XPMEM_NUMA_REASON_DENIED] = { -EACCES, "is denied by its owner" },
	[XPMEM_NUMA_REASON_GONE] = { -EFAULT, "is gone" },
	[XPMEM_NUMA_REASON_KIND] = { -EACCES, "is of a kind not exported" },
	[XPMEM_NUMA_REASON_HWPOISON] = { -EFAULT, "is broken" },
	[XPMEM_NUMA_REASON_NOMEM] = { -EFAULT, "found no memory or a limit" },
	[XPMEM_NUMA_REASON_FAULT] = { -EFAULT, "could not be faulted in" },
};

int access_failed(struct xnuma_import *imp)
{
	uint32_t reason = atomic_load_explicit(&imp->status->reason,
					       memory_order_acquire);
	int ret = imp->dom->ops->reset(imp);

	stat_add(imp->dom->shards, thread_self(), STAT_poisoned, 1);
	if (!status_alive(imp->status))
		return access_gone(imp);
	if (ret)
		return error_code(-EFAULT, "poison cannot be taken away");
	if (reason >= sizeof(reasons) / sizeof(*reasons))
		reason = XPMEM_NUMA_REASON_NONE;
	return error(reasons[reason].err, "memory of pid %d %s",
		     imp->peer->blob.pid, reasons[reason].text);
}
