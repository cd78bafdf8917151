// SPDX-License-Identifier: BSD-3-Clause
/*
 * pending.c - messages that found no room in their peer's queue
 *
 * Each endpoint has a list in order of sending; component.waiting has the
 * endpoints whose list is not empty. Locks: component.lock, then none; an
 * endpoint's lock, then none. Neither is held over a callback, which sends.
 */
#include <errno.h>
#include <stddef.h>

#include "endpoint.h"
#include "frag.h"

static void waiting_add(mca_btl_base_endpoint_t *ep)
{
	OPAL_THREAD_LOCK(&component.lock);
	if (!ep->is_waiting) {
		ep->is_waiting = true;
		opal_list_append(&component.waiting, &ep->waiting);
		atomic_fetch_add(&component.nwaiting, 1);
	}
	OPAL_THREAD_UNLOCK(&component.lock);
}

static mca_btl_base_endpoint_t *waiting_remove(void)
{
	mca_btl_base_endpoint_t *ep = NULL;
	opal_list_item_t *item;

	OPAL_THREAD_LOCK(&component.lock);
	item = opal_list_remove_first(&component.waiting);
	if (item) {
		ep = (void *)((char *)item -
			      offsetof(mca_btl_base_endpoint_t, waiting));
		ep->is_waiting = false;
		atomic_fetch_sub(&component.nwaiting, 1);
	}
	OPAL_THREAD_UNLOCK(&component.lock);
	return ep;
}

/* A fragment that waits must call back, asked to or not: ob1 learns by it. */
void pending_add(mca_btl_base_endpoint_t *ep, struct frag *frag)
{
	OPAL_THREAD_LOCK(&ep->lock);
	opal_list_append(&ep->pending, (opal_list_item_t *)frag);
	atomic_fetch_add(&ep->npending, 1);
	OPAL_THREAD_UNLOCK(&ep->lock);
	waiting_add(ep);
}

/*
 * Posted under the lock, so that two threads cannot change the order.
 *
 * Return: as xnuma_send(), or -ENOENT when nothing waits; @frag: out, posted
 */
static int pending_post(mca_btl_base_endpoint_t *ep, struct frag **frag)
{
	opal_list_item_t *first;
	int ret = -ENOENT;

	OPAL_THREAD_LOCK(&ep->lock);
	if (!opal_list_is_empty(&ep->pending)) {
		first = opal_list_get_first(&ep->pending);
		*frag = (struct frag *)first;
		ret = frag_post(ep, *frag);
		if (!ret) {
			opal_list_remove_item(&ep->pending, first);
			atomic_fetch_sub(&ep->npending, 1);
		}
	}
	OPAL_THREAD_UNLOCK(&ep->lock);
	return ret;
}

static int endpoint_progress(mca_btl_base_endpoint_t *ep)
{
	struct frag *frag;
	int n = 0, ret;

	while (!(ret = pending_post(ep, &frag))) {
		frag_complete(ep, frag, OPAL_SUCCESS, true);
		n++;
	}
	if (ret == -EAGAIN)
		waiting_add(ep);
	else if (ret != -ENOENT)
		ep_lost(ep, xnuma_error());
	return n;
}

int pending_progress(void)
{
	unsigned int i, count = atomic_load(&component.nwaiting);
	mca_btl_base_endpoint_t *ep;
	int n = 0;

	for (i = 0; i < count && (ep = waiting_remove()); i++)
		n += endpoint_progress(ep);
	return n;
}

void pending_flush(mca_btl_base_endpoint_t *ep)
{
	endpoint_progress(ep);
}

void pending_fail(mca_btl_base_endpoint_t *ep, int status)
{
	opal_list_item_t *item;

	do {
		OPAL_THREAD_LOCK(&ep->lock);
		item = opal_list_remove_first(&ep->pending);
		if (item)
			atomic_fetch_sub(&ep->npending, 1);
		OPAL_THREAD_UNLOCK(&ep->lock);
		if (item)
			frag_complete(ep, (struct frag *)item, status, true);
	} while (item);
	OPAL_THREAD_LOCK(&component.lock);
	if (ep->is_waiting) {
		ep->is_waiting = false;
		opal_list_remove_item(&component.waiting, &ep->waiting);
		atomic_fetch_sub(&component.nwaiting, 1);
	}
	OPAL_THREAD_UNLOCK(&component.lock);
}
