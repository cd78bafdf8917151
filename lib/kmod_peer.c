/* SPDX-License-Identifier: BSD-3-Clause */
/* kmod_peer.c - imports of port kmod, and a peer's queue through one */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "arena.h"
#include "port_kmod.h"

#define STATUS_LEN	(2 * PAGE)

static int unimport(struct xnuma_domain *dom, uint32_t handle)
{
	struct xpmem_numa_handle arg = { .handle = handle };

	return kmod_ioctl(dom, XPMEM_NUMA_UNIMPORT, &arg);
}

static int import_failed(const struct xnuma_import *imp, int ret)
{
	pid_t pid = imp->peer->blob.pid;

	if (ret == -EACCES)
		return error(ret, "pid %d did not grant this user, or has "
			     "another key", pid);
	if (ret != -ENOENT && ret != -EPIPE)
		return error_code(ret, "no import of pid %d", pid);
	if (imp->rkey.slot == UINT32_MAX)
		return error(-EPIPE, "peer pid %d is gone", pid);
	return error(-ENOENT, "pid %d has taken this export back", pid);
}

static int map_status(struct xnuma_import *imp)
{
	void *status;
	int ret = arena_map(STATUS_LEN, 0, PROT_READ, MAP_SHARED, imp->fd,
			    XPMEM_NUMA_OFFSET(imp->handle, XPMEM_NUMA_STATUS),
			    &status);

	if (ret)
		return error_code(ret, "no status page");
	imp->status = status;
	return 0;
}

int kmod_import(struct xnuma_import *imp)
{
	struct xnuma_domain *dom = imp->dom;
	struct xpmem_numa_import arg = {
		.id = imp->rkey.id,
		.partition = imp->peer->blob.partition,
		.rights = imp->rights,
	};
	int ret;

	if (imp->kind != IMPORT_HOLD)
		arg.flags = XPMEM_NUMA_IMPORT_POISON;
	memcpy(arg.key, dom->config.key, sizeof(arg.key));
	ret = kmod_ioctl(dom, XPMEM_NUMA_IMPORT, &arg);
	if (ret)
		return import_failed(imp, ret);
	imp->fd = kmod_fd(dom);
	imp->handle = arg.handle;
	imp->base = XPMEM_NUMA_OFFSET(arg.handle, 0);
	imp->va = imp->map_va = arg.addr;
	imp->len = imp->map_len = arg.len;
	ret = map_status(imp);
	if (ret)
		unimport(dom, imp->handle);
	return ret;
}

void kmod_unimport(struct xnuma_import *imp)
{
	munmap((void *)imp->status, STATUS_LEN);
	unimport(imp->dom, imp->handle);
}

int kmod_reset(struct xnuma_import *imp)
{
	struct xpmem_numa_range arg = { .handle = imp->handle };

	return kmod_ioctl(imp->dom, XPMEM_NUMA_RESET, &arg);
}

ssize_t kmod_prefault(struct xnuma_import *imp, char *ptr, uint64_t va,
		      size_t len, unsigned int rights)
{
	struct xpmem_numa_prefault arg = {
		.handle = imp->handle,
		.flags = rights & XNUMA_WRITE ? XPMEM_NUMA_PREFAULT_ALLOC : 0,
		.va = va,
		.len = len,
		.rights = rights,
	};
	int ret = kmod_ioctl(imp->dom, XPMEM_NUMA_PREFAULT, &arg);

	if (ret && ret != -EFAULT)
		return error_code(ret, "memory of pid %d",
				  imp->peer->blob.pid);
	return ret ? 0 : (ssize_t)arg.done;
}

/* ---- peers ---- */

/* A part of the peer's queue region; it stays until the peer is closed. */
static int map_queue(struct xnuma_peer *peer, size_t len, void **ptr)
{
	const struct xnuma_import *imp = &peer->queue_import;
	uint64_t va = peer->blob.va;
	int ret;

	if (va - imp->va >= imp->len || len > imp->len - (va - imp->va))
		return error(-EPROTO, "the queue of pid %d is not exported",
			     peer->blob.pid);
	ret = arena_map(len, va, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_NORESERVE, imp->fd, imp->base + va,
			ptr);
	return ret ? error_code(ret, "no address space for a peer") : 0;
}

static int read_header(struct xnuma_peer *peer)
{
	void *header;
	int ret = map_queue(peer, REGION_HEADER_LEN, &header);

	if (ret)
		return ret;
	ret = peer_header(peer, header);
	munmap(header, REGION_HEADER_LEN);
	atomic_thread_fence(memory_order_acquire);
	return status_healthy(peer->status) ? ret : peer_lost(peer);
}

#define CALLERS	(REGION_TICKETS / 2)
#define PROBES	32	/* of a table that may be full */

/* A free entry near a place of one's own; without one it is no loss. */
static void caller_enter(struct xnuma_peer *peer)
{
	struct region_header *header = peer->queue;
	uint64_t id = peer->dom->blob.id, none;
	struct region_caller *caller;
	unsigned int i;

	for (i = 0; i < PROBES; i++) {
		caller = &header->caller[(id + i) % CALLERS];
		none = 0;
		if (atomic_load_explicit(&caller->id, memory_order_relaxed) ||
		    !atomic_compare_exchange_strong(&caller->id, &none, id))
			continue;
		atomic_store(&caller->name, peer->dom->config.name);
		peer->caller = caller;
		return;
	}
}

static void caller_leave(struct xnuma_peer *peer)
{
	if (!peer->caller)
		return;
	atomic_store(&peer->caller->name, 0);
	atomic_store(&peer->caller->id, 0);
}

/* An export that cannot be imported for want of rights exists. */
static bool export_gone(struct xnuma_domain *dom, uint64_t id)
{
	struct xpmem_numa_import arg = {
		.id = id,
		.partition = dom->blob.partition,
		.rights = XNUMA_READ,
	};
	int ret = kmod_ioctl(dom, XPMEM_NUMA_IMPORT, &arg);

	if (!ret)
		unimport(dom, arg.handle);
	return ret == -ENOENT || ret == -EPIPE;
}

bool kmod_sender_dead(struct xnuma_domain *dom, uint64_t name)
{
	struct region_caller *caller = dom->region.header->caller;
	uint64_t id;
	int i;

	for (i = 0; i < CALLERS; i++, caller++) {
		id = atomic_load(&caller->id);
		if (!id || atomic_load(&caller->name) != name)
			continue;
		if (!export_gone(dom, id))
			return false;
		atomic_store(&caller->name, 0);
		atomic_store(&caller->id, 0);
		return true;
	}
	return false;
}

int kmod_peer_open(struct xnuma_peer *peer)
{
	const struct rkey rkey = {
		.id = peer->blob.id,
		.slot = UINT32_MAX,
		.rights = XNUMA_READ | XNUMA_WRITE,
	};
	int ret;

	if (peer->blob.partition == peer->dom->blob.partition &&
	    peer->blob.incarnation != peer->dom->blob.incarnation)
		return error(-EPIPE, "peer pid %d is of before the module was "
			     "loaded again", peer->blob.pid);
	ret = import_init(&peer->queue_import, peer, IMPORT_QUEUE, &rkey);
	if (ret)
		return ret;
	peer->status = peer->queue_import.status;
	ret = read_header(peer);
	if (ret)
		goto fini;
	peer->queue_len = REGION_HEADER_LEN + peer->header.queue_len;
	ret = map_queue(peer, peer->queue_len, &peer->queue);
	if (ret)
		goto fini;
	caller_enter(peer);
	return 0;
fini:
	import_fini(&peer->queue_import);
	return ret;
}

void kmod_peer_close(struct xnuma_peer *peer)
{
	caller_leave(peer);
	munmap(peer->queue, peer->queue_len);
	import_fini(&peer->queue_import);
}

void kmod_peer_forget(struct xnuma_peer *peer)
{
}

static int wake_handle(struct xnuma_domain *dom, uint32_t handle)
{
	struct xpmem_numa_handle arg = { .handle = handle };
	int ret = kmod_ioctl(dom, XPMEM_NUMA_WAKE, &arg);

	return ret ? error_code(ret, "WAKE") : 0;
}

/* Waking needs an import, and of itself a domain has none. */
static int wake_self(struct xnuma_domain *dom)
{
	struct xpmem_numa_import arg = {
		.id = dom->blob.id,
		.partition = dom->blob.partition,
		.rights = XNUMA_READ,
	};
	int ret;

	memcpy(arg.key, dom->config.key, sizeof(arg.key));
	ret = kmod_ioctl(dom, XPMEM_NUMA_IMPORT, &arg);
	if (ret)
		return error_code(ret, "no import of oneself");
	ret = wake_handle(dom, arg.handle);
	unimport(dom, arg.handle);
	return ret;
}

int kmod_wake(struct xnuma_peer *peer)
{
	if (peer->self)
		return wake_self(peer->dom);
	return wake_handle(peer->dom, peer->queue_import.handle);
}
