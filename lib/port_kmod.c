/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port_kmod - the port onto /dev/xpmem_numa
 */
#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "port_kmod.h"

int kmod_fd(struct xnuma_domain *dom)
{
	return ((struct kmod_domain *)dom->port)->fd;
}

int kmod_ioctl(struct xnuma_domain *dom, unsigned long command, void *arg)
{
	int ret;

	do {
		ret = ioctl(kmod_fd(dom), command, arg);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

static int kmod_query(struct xnuma_domain *dom)
{
	struct xpmem_numa_query query;
	int ret = device_query(kmod_fd(dom), &query);

	if (ret)
		return ret;
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
	.sender_dead = kmod_sender_dead,
	.import = kmod_import,
	.unimport = kmod_unimport,
	.reset = kmod_reset,
	.prefault = kmod_prefault,
	.export = kmod_export,
	.unexport = kmod_unexport,
	.deny = kmod_deny,
};
