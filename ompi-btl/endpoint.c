// SPDX-License-Identifier: BSD-3-Clause
/* endpoint.c - a peer process: made, opened at first use, closed */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomic.h"
#include "endpoint.h"
#include "frag.h"
#include "opal/util/output.h"
#include "opal/util/show_help.h"

#define BYE_TRIES	100

void modex_fill(struct btl_modex *modex)
{
	*modex = (struct btl_modex) {
		.jobid = OPAL_PROC_MY_NAME.jobid,
		.vpid = OPAL_PROC_MY_NAME.vpid,
		.pid = getpid(),
		.key_mark = component.key_mark,
	};
	xnuma_domain_pack(component.domain, modex->blob);
}

uint64_t btl_name(opal_process_name_t name)
{
	return (uint64_t)name.jobid << 32 | name.vpid;
}

static int control_send(struct xnuma_peer *peer, enum control_kind kind)
{
	struct control control = { .kind = kind };
	struct iovec iov = { &control, sizeof(control) };

	modex_fill(&control.modex);
	return xnuma_send(peer, BTL_TAG_CONTROL, &iov, 1);
}

static mca_btl_base_endpoint_t *ep_new(const struct btl_modex *modex)
{
	mca_btl_base_endpoint_t *ep = calloc(1, sizeof(*ep));

	if (!ep)
		return NULL;
	OBJ_CONSTRUCT(&ep->super, opal_list_item_t);
	OBJ_CONSTRUCT(&ep->waiting, opal_list_item_t);
	OBJ_CONSTRUCT(&ep->lock, opal_mutex_t);
	OBJ_CONSTRUCT(&ep->pending, opal_list_t);
	OBJ_CONSTRUCT(&ep->operations, opal_list_t);
	ep->name.jobid = modex->jobid;
	ep->name.vpid = modex->vpid;
	ep->pid = modex->pid;
	ep->is_self = btl_name(ep->name) == btl_name(OPAL_PROC_MY_NAME);
	memcpy(ep->blob, modex->blob, sizeof(ep->blob));
	return ep;
}

static void ep_free(mca_btl_base_endpoint_t *ep)
{
	OBJ_DESTRUCT(&ep->operations);
	OBJ_DESTRUCT(&ep->pending);
	OBJ_DESTRUCT(&ep->lock);
	OBJ_DESTRUCT(&ep->waiting);
	OBJ_DESTRUCT(&ep->super);
	free(ep->reason);
	free(ep);
}

static mca_btl_base_endpoint_t *find_locked(uint64_t name)
{
	void *ep;

	return opal_hash_table_get_value_uint64(&component.by_name, name,
						&ep) ? NULL : ep;
}

mca_btl_base_endpoint_t *ep_find(uint64_t name)
{
	mca_btl_base_endpoint_t *ep;

	OPAL_THREAD_LOCK(&component.lock);
	ep = find_locked(name);
	OPAL_THREAD_UNLOCK(&component.lock);
	return ep;
}

/* A thread in add_procs and one that got HELLO may both be at it. */
mca_btl_base_endpoint_t *ep_create(const struct btl_modex *modex)
{
	mca_btl_base_endpoint_t *ep = ep_new(modex), *other;
	uint64_t name;

	if (!ep)
		return NULL;
	name = btl_name(ep->name);
	OPAL_THREAD_LOCK(&component.lock);
	other = find_locked(name);
	if (!other) {
		opal_list_append(&component.endpoints, &ep->super);
		opal_hash_table_set_value_uint64(&component.by_name, name, ep);
		component.npeers += !ep->is_self;
	}
	OPAL_THREAD_UNLOCK(&component.lock);
	if (!other)
		return ep;
	ep_free(ep);
	return other;
}

void ep_hello(mca_btl_base_endpoint_t *ep, struct xnuma_peer *peer)
{
	ep->hello_due = control_send(peer, CONTROL_HELLO) == -EAGAIN;
}

static struct xnuma_peer *open_locked(mca_btl_base_endpoint_t *ep)
{
	struct xnuma_peer *peer = atomic_load(&ep->peer);

	if (peer || xnuma_peer_open(component.domain, ep->blob, &peer))
		return peer;
	ep_hello(ep, peer);
	component.nopened++;
	ep->memory = xnuma_peer_memory(peer);
	atomic_store_explicit(&ep->peer, peer, memory_order_release);
	return peer;
}

struct xnuma_peer *ep_open(mca_btl_base_endpoint_t *ep)
{
	struct xnuma_peer *peer;

	OPAL_THREAD_LOCK(&ep->lock);
	peer = open_locked(ep);
	OPAL_THREAD_UNLOCK(&ep->lock);
	return peer;
}

/* The queue may be full of what the peer no longer reads: not for ever. */
static void say_bye(mca_btl_base_endpoint_t *ep, struct xnuma_peer *peer)
{
	int i;

	pending_flush(ep);
	for (i = 0; i < BYE_TRIES; i++) {
		if (control_send(peer, CONTROL_BYE) != -EAGAIN)
			return;
		sched_yield();
	}
}

static void ep_close(mca_btl_base_endpoint_t *ep)
{
	struct xnuma_peer *peer = atomic_load(&ep->peer);

	if (ep->is_self)
		return;
	if (!peer && ep->said_hello && !ep->said_bye && !ep->suspect)
		peer = ep_open(ep);
	if (!peer)
		return;
	if (!ep->lost && !ep->said_bye)
		say_bye(ep, peer);
	pending_fail(ep, OPAL_ERR_UNREACH);
	emulate_fail(ep, OPAL_ERR_UNREACH);
	xnuma_peer_close(peer);
	atomic_store(&ep->peer, NULL);
}

/* Only by the thread that has poll_enter()ed: ep_watch() walks the list. */
void ep_destroy(mca_btl_base_endpoint_t *ep)
{
	ep_close(ep);
	OPAL_THREAD_LOCK(&component.lock);
	if (component.watched == ep)
		component.watched = NULL;
	opal_list_remove_item(&component.endpoints, &ep->super);
	opal_hash_table_remove_value_uint64(&component.by_name,
					    btl_name(ep->name));
	OPAL_THREAD_UNLOCK(&component.lock);
	ep_free(ep);
}

int ep_status(mca_btl_base_endpoint_t *ep, int ret)
{
	if (ret == -EPIPE || ret == -ESHUTDOWN) {
		ep_lost(ep, xnuma_error());
		return OPAL_ERR_UNREACH;
	}
	/*
	 * Not OUT_OF_RESOURCE: osc/rdma would try that again for ever. ob1
	 * sends the range instead, whatever the error.
	 */
	atomic_fetch_add_explicit(&component.fallbacks, 1,
				  memory_order_relaxed);
	if (component.params.verbose > 1)
		opal_output(0, "xpmem_numa: rank %u: %s", ep->name.vpid,
			    xnuma_error());
	return OPAL_ERROR;
}
