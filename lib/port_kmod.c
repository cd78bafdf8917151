/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port_kmod - the port onto /dev/xpmem_numa
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"
#include "port.h"

#define STATUS_LEN	(2 * PAGE)

struct kmod_domain {
	int fd;
};

static int kmod_fd(struct xnuma_domain *dom)
{
	return ((struct kmod_domain *)dom->port)->fd;
}

static int kmod_ioctl(struct xnuma_domain *dom, unsigned long command,
		      void *arg)
{
	int ret;

	do {
		ret = ioctl(kmod_fd(dom), command, arg);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

static int device_open(void)
{
	int fd = open(XPMEM_NUMA_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		return fd;
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return error(-ENODEV, "the module xpmem_numa is not loaded");
	case EACCES:
	case EPERM:
		return error(-EACCES, "no permission to open %s",
			     XPMEM_NUMA_DEVICE);
	default:
		return error_code(-errno, "%s", XPMEM_NUMA_DEVICE);
	}
}

static int kmod_query(struct xnuma_domain *dom)
{
	struct xpmem_numa_query query = { 0 };
	int ret = kmod_ioctl(dom, XPMEM_NUMA_QUERY, &query);

	if (ret == -ENOTTY || (!ret && query.abi != XPMEM_NUMA_ABI))
		return error(-EPROTO, "the module speaks ABI version %u, this "
			     "library %d", query.abi, XPMEM_NUMA_ABI);
	if (ret)
		return error_code(ret, "QUERY");
	if (!(query.features & XPMEM_NUMA_FEATURE_POISON))
		return error(-EPROTO, "the module cannot poison");
	memcpy(dom->blob.fabric, query.fabric, FABRIC_LEN);
	dom->blob.partition = query.partition;
	dom->blob.incarnation = query.incarnation;
	dom->caps = XNUMA_CAP_MAP | XNUMA_CAP_POISON;
	if (query.features & XPMEM_NUMA_FEATURE_DENY)
		dom->caps |= XNUMA_CAP_DENY;
	return 0;
}

static void kmod_forget(struct xnuma_domain *dom)
{
	struct kmod_domain *kmod = dom->port;

	if (kmod->fd >= 0)
		close(kmod->fd);
	free(kmod);
	dom->port = NULL;
}

static int kmod_open(struct xnuma_domain *dom)
{
	struct kmod_domain *kmod = calloc(1, sizeof(*kmod));
	int ret;

	if (!kmod)
		return error(-ENOMEM, "out of memory");
	dom->port = kmod;
	ret = kmod->fd = device_open();
	if (ret >= 0)
		ret = kmod_query(dom);
	if (ret < 0) {
		kmod_forget(dom);
		memset(&dom->blob, 0, sizeof(dom->blob));
		dom->caps = 0;
		return ret;
	}
	return 0;
}

static int export_one(struct xnuma_export *exp, uint64_t addr, uint64_t len)
{
	struct xnuma_domain *dom = exp->dom;
	struct xpmem_numa_export arg = {
		.addr = addr,
		.len = len,
		.rights = exp->rights,
		.mode = dom->config.mode,
		.gid = dom->config.gid,
	};
	int ret;

	memcpy(arg.key, dom->config.key, sizeof(arg.key));
	ret = kmod_ioctl(dom, XPMEM_NUMA_EXPORT, &arg);
	if (ret)
		return error_code(ret, "no export");
	exp->id = arg.id;
	exp->handle = arg.handle;
	return 0;
}

/* What region.h lays out is one range, whatever of it the policy offers. */
static int kmod_publish(struct xnuma_domain *dom)
{
	const struct region *region = &dom->region;
	struct xnuma_export *own = &dom->own;
	int ret;

	own->dom = dom;
	own->rights = XNUMA_READ | XNUMA_WRITE;
	own->va = 0;
	own->len = XPMEM_NUMA_VA_LIMIT;
	if (dom->config.policy == XNUMA_EXPORT_ALL) {
		ret = export_one(own, 0, 0);
	} else {
		own->va = (uintptr_t)region->header;
		own->len = REGION_HEADER_LEN + region->queue_len +
			   region->heap_len;
		ret = export_one(own, own->va, own->len);
	}
	dom->blob.id = own->id;
	return ret;
}

static void kmod_fork(struct xnuma_domain *dom)
{
	struct kmod_domain *kmod = dom->port;

	close(kmod->fd);
	kmod->fd = -1;
}

static bool kmod_drain(struct xnuma_domain *dom)
{
	uint64_t count;

	return read(kmod_fd(dom), &count, sizeof(count)) == sizeof(count);
}

/* ---- imports ---- */

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

static int kmod_import(struct xnuma_import *imp)
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

static void kmod_unimport(struct xnuma_import *imp)
{
	munmap((void *)imp->status, STATUS_LEN);
	unimport(imp->dom, imp->handle);
}

static int kmod_reset(struct xnuma_import *imp)
{
	struct xpmem_numa_range arg = { .handle = imp->handle };

	return kmod_ioctl(imp->dom, XPMEM_NUMA_RESET, &arg);
}

static ssize_t kmod_prefault(struct xnuma_import *imp, char *ptr, uint64_t va,
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

static int kmod_peer_open(struct xnuma_peer *peer)
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
	if (!ret)
		return 0;
fini:
	import_fini(&peer->queue_import);
	return ret;
}

static void kmod_peer_close(struct xnuma_peer *peer)
{
	munmap(peer->queue, peer->queue_len);
	import_fini(&peer->queue_import);
}

static void kmod_peer_forget(struct xnuma_peer *peer)
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

static int kmod_wake(struct xnuma_peer *peer)
{
	if (peer->self)
		return wake_self(peer->dom);
	return wake_handle(peer->dom, peer->queue_import.handle);
}

/* ---- exports ---- */

static int kmod_export(struct xnuma_export *exp)
{
	return export_one(exp, exp->va, exp->len);
}

static void kmod_unexport(struct xnuma_export *exp)
{
	struct xpmem_numa_handle arg = { .handle = exp->handle };

	kmod_ioctl(exp->dom, XPMEM_NUMA_UNEXPORT, &arg);
}

static int kmod_deny(struct xnuma_domain *dom, uint32_t handle, uint64_t va,
		     uint64_t len, bool deny)
{
	struct xpmem_numa_range arg = {
		.handle = handle, .va = va, .len = len,
	};
	int ret = kmod_ioctl(dom, deny ? XPMEM_NUMA_DENY : XPMEM_NUMA_ALLOW,
			     &arg);

	return ret ? error_code(ret, deny ? "DENY" : "ALLOW") : 0;
}

const struct port_ops port_kmod = {
	.port = XNUMA_PORT_KMOD,
	.name = "kmod",
	.open = kmod_open,
	.publish = kmod_publish,
	.close = kmod_forget,
	.fork = kmod_fork,
	.forget = kmod_forget,
	.fd = kmod_fd,
	.drain = kmod_drain,
	.peer_open = kmod_peer_open,
	.peer_close = kmod_peer_close,
	.peer_forget = kmod_peer_forget,
	.wake = kmod_wake,
	.import = kmod_import,
	.unimport = kmod_unimport,
	.reset = kmod_reset,
	.prefault = kmod_prefault,
	.export = kmod_export,
	.unexport = kmod_unexport,
	.deny = kmod_deny,
};
