/* SPDX-License-Identifier: BSD-3-Clause */
/* export.c - sub-ranges, denials, and memory to be shared */

#include <errno.h>
#include <stdlib.h>

#include "peer.h"
#include "place.h"
#include "port.h"

#define RIGHTS	(XNUMA_READ | XNUMA_WRITE)

/* Widen to whole pages; false when there is no such range. */
static bool whole_pages(const void *addr, size_t len, uint64_t *va,
			uint64_t *out)
{
	uint64_t end = (uintptr_t)addr + len;

	if (!len || end < len || end > XPMEM_NUMA_VA_LIMIT)
		return false;
	*va = (uintptr_t)addr & -PAGE;
	*out = ((end + PAGE - 1) & -PAGE) - *va;
	return true;
}

int xnuma_export(struct xnuma_domain *dom, void *addr, size_t len,
		 unsigned int rights, struct xnuma_export **out)
{
	struct xnuma_export *exp;
	uint64_t va, pages;
	int ret;

	if (domain_inert(dom))
		return error_child();
	if (!whole_pages(addr, len, &va, &pages) || !(rights & XNUMA_READ) ||
	    rights & ~RIGHTS)
		return error(-EINVAL, "no range or no rights to export");
	if (dom->config.policy == XNUMA_EXPORT_NONE)
		return error(-ENOTSUP, "the policy is to export nothing");
	exp = malloc(sizeof(*exp));
	if (!exp)
		return error(-ENOMEM, "out of memory");
	*exp = (struct xnuma_export) {
		.dom = dom, .va = va, .len = pages, .rights = rights,
	};
	pthread_mutex_lock(&dom->lock);
	ret = dom->ops->export(exp);
	if (!ret && (ret = deny_export(dom, exp)))
		dom->ops->unexport(exp);
	if (!ret) {
		exp->next = dom->exports;
		dom->exports = exp;
	}
	pthread_mutex_unlock(&dom->lock);
	if (ret) {
		free(exp);
		return ret;
	}
	*out = exp;
	return 0;
}

static void export_unlink(struct xnuma_export *exp)
{
	struct xnuma_export **link = &exp->dom->exports;

	while (*link != exp)
		link = &(*link)->next;
	*link = exp->next;
}

void xnuma_unexport(struct xnuma_export *exp)
{
	struct xnuma_domain *dom = exp->dom;

	if (!domain_inert(dom)) {
		pthread_mutex_lock(&dom->lock);
		export_unlink(exp);
		dom->ops->unexport(exp);
		pthread_mutex_unlock(&dom->lock);
	}
	free(exp);
}

void xnuma_export_pack(struct xnuma_export *exp, uint8_t bytes[XNUMA_RKEY_LEN])
{
	const struct rkey rkey = {
		.id = exp->id,
		.va = exp->va,
		.len = exp->len,
		.domain = exp->dom->blob.id,
		.slot = exp->handle,
		.rights = exp->rights,
	};

	rkey_pack(&rkey, bytes);
}

int xnuma_import(struct xnuma_peer *peer, const uint8_t bytes[XNUMA_RKEY_LEN],
		 unsigned int rights, struct xnuma_import **out)
{
	struct xnuma_import *imp;
	struct rkey rkey;
	int ret;

	if (domain_inert(peer->dom))
		return error_child();
	if (!(rights & XNUMA_READ) || rights & ~RIGHTS)
		return error(-EINVAL, "no such rights");
	ret = rkey_unpack(&rkey, bytes);
	if (ret)
		return ret;
	if (rkey.domain != peer->blob.id)
		return error(-EINVAL, "this export is not of pid %d",
			     peer->blob.pid);
	if (rights & ~rkey.rights)
		return error(-EACCES, "exported for reading only");
	if (!status_healthy(peer->status))
		return peer_lost(peer);
	rkey.rights = rights;
	imp = malloc(sizeof(*imp));
	if (!imp)
		return error(-ENOMEM, "out of memory");
	ret = import_init(imp, peer, IMPORT_MEMORY, &rkey);
	if (ret) {
		free(imp);
		return ret;
	}
	*out = imp;
	return 0;
}

void xnuma_unimport(struct xnuma_import *imp)
{
	import_fini(imp);
	free(imp);
}

int xnuma_alloc(struct xnuma_domain *dom, size_t len, int node, void **ptr)
{
	if (domain_inert(dom))
		return error_child();
	if (!len || (node != -1 && !place_node_exists(node)))
		return error(-EINVAL, "no bytes, or no NUMA node %d", node);
	return region_alloc(&dom->region, len, node < 0 ? dom->node : node,
			    ptr);
}

void xnuma_free(struct xnuma_domain *dom, void *ptr)
{
	if (ptr && !domain_inert(dom))
		region_free(&dom->region, ptr);
}
