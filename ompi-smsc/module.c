// SPDX-License-Identifier: BSD-3-Clause
/* module.c - a peer's memory: copied by windows, or mapped for the caller */
#include <stdlib.h>

#include "smsc.h"

/*
 * An endpoint is Open MPI's and ends when that says so; the peer stays until
 * no mapping of any is held, since those name no endpoint.
 */
struct smsc_peer {
	opal_list_item_t	super;		/* component.peers */
	struct xnuma_peer	*peer;
};

struct endpoint {
	mca_smsc_endpoint_t	super;
	struct xnuma_import	*memory;
};

typedef struct endpoint smsc_xpmem_numa_endpoint_t;	/* one word each */
OBJ_CLASS_DECLARATION(smsc_xpmem_numa_endpoint_t);
OBJ_CLASS_INSTANCE(smsc_xpmem_numa_endpoint_t, opal_object_t, NULL, NULL);

static struct xnuma_peer *peer_open(const void *blob)
{
	struct smsc_peer *entry = malloc(sizeof(*entry));

	if (!entry)
		return NULL;
	if (xnuma_peer_open(component.domain, blob, &entry->peer)) {
		free(entry);
		return NULL;
	}
	OBJ_CONSTRUCT(&entry->super, opal_list_item_t);
	opal_mutex_lock(&component.lock);
	opal_list_append(&component.peers, &entry->super);
	opal_mutex_unlock(&component.lock);
	return entry->peer;
}

void smsc_peers_close(void)
{
	opal_list_item_t *item;
	struct smsc_peer *entry;

	while ((item = opal_list_remove_first(&component.peers))) {
		entry = (struct smsc_peer *)item;
		xnuma_peer_close(entry->peer);
		OBJ_DESTRUCT(&entry->super);
		free(entry);
	}
}

static mca_smsc_endpoint_t *get_endpoint(opal_proc_t *proc)
{
	smsc_xpmem_numa_endpoint_t *ep;
	struct xnuma_peer *peer = NULL;
	void *blob = NULL;
	size_t len = 0;
	int ret;

	OPAL_MODEX_RECV_IMMEDIATE(ret, &component.super.smsc_version,
				  &proc->proc_name, &blob, &len);
	if (!ret && len == XNUMA_BLOB_LEN)
		peer = peer_open(blob);
	free(blob);
	if (!peer)
		return NULL;
	ep = OBJ_NEW(smsc_xpmem_numa_endpoint_t);
	if (!ep)
		return NULL;
	ep->super.proc = proc;
	ep->memory = xnuma_peer_memory(peer);
	return &ep->super;
}

static void return_endpoint(mca_smsc_endpoint_t *endpoint)
{
	OBJ_RELEASE(endpoint);
}

static struct xnuma_import *memory_of(mca_smsc_endpoint_t *endpoint)
{
	return ((struct endpoint *)endpoint)->memory;
}

static int copied(int ret, size_t size)
{
	if (ret) {
		atomic_fetch_add(&component.failed, 1);
		return OPAL_ERROR;
	}
	atomic_fetch_add_explicit(&component.copied, size,
				  memory_order_relaxed);
	return OPAL_SUCCESS;
}

static int copy_to(mca_smsc_endpoint_t *endpoint, void *local, void *remote,
		   size_t size, void *reg_data)
{
	return copied(xnuma_put(memory_of(endpoint), (uintptr_t)remote, local,
				size, NULL), size);
}

static int copy_from(mca_smsc_endpoint_t *endpoint, void *local, void *remote,
		     size_t size, void *reg_data)
{
	return copied(xnuma_get(memory_of(endpoint), local, (uintptr_t)remote,
				size, NULL), size);
}

/* Held until unmapped; memory that vanishes meanwhile raises SIGBUS. */
static void *map_peer_region(mca_smsc_endpoint_t *endpoint, uint64_t flags,
			     void *remote, size_t size, void **local)
{
	struct xnuma_window *window;

	if (xnuma_window_hold(memory_of(endpoint), (uintptr_t)remote,
			      size ? size : 1, local, &window)) {
		atomic_fetch_add(&component.failed, 1);
		*local = NULL;
		return NULL;
	}
	atomic_fetch_add_explicit(&component.nheld, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&component.maps, 1, memory_order_relaxed);
	return window;
}

static void unmap_peer_region(void *context)
{
	if (!context)
		return;
	xnuma_window_release(context);
	atomic_fetch_sub_explicit(&component.nheld, 1, memory_order_relaxed);
}

mca_smsc_module_t smsc_module = {
	.features = MCA_SMSC_FEATURE_CAN_MAP,
	.get_endpoint = get_endpoint,
	.return_endpoint = return_endpoint,
	.copy_to = copy_to,
	.copy_from = copy_from,
	.map_peer_region = map_peer_region,
	.unmap_peer_region = unmap_peer_region,
};
