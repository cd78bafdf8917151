// SPDX-License-Identifier: BSD-3-Clause
/*
 * pending.c - requests that found no room in their peer's queue
 *
 * Each endpoint has a queue in order of arrival; iface->waiting has the
 * endpoints whose queue is not empty. A request that is tried may add others,
 * but does not destroy its endpoint: UCX does that from progress only.
 */
#include "component.h"

_Static_assert(sizeof(ucs_queue_elem_t) <= UCT_PENDING_REQ_PRIV_LEN,
	       "a request has room for its place in the queue");

static ucs_queue_elem_t *elem_of(uct_pending_req_t *req)
{
	return (ucs_queue_elem_t *)req->priv;
}

static uct_pending_req_t *req_of(ucs_queue_elem_t *elem)
{
	return ucs_container_of(elem, uct_pending_req_t, priv);
}

/* For any request, and no line is asked for; a lost peer has room for an error. */
static bool has_room(struct ep *ep)
{
	void *buf;
	int ret;

	ret = xnuma_send_reserve_most(ep->xnuma, ep_iface(ep)->seg_size, 0,
				      &buf);
	if (!ret)
		xnuma_send_cancel(ep->xnuma);
	return status_of(ret) != UCS_ERR_NO_RESOURCE;
}

static void waiting_add(struct ep *ep)
{
	struct iface *iface = ep_iface(ep);

	if (ep->is_waiting)
		return;
	ep->is_waiting = true;
	ep->barred = true;
	ucs_list_add_tail(&iface->waiting, &ep->waiting);
	iface->nwaiting++;
}

static void waiting_remove(struct ep *ep)
{
	if (!ep->is_waiting)
		return;
	ep->is_waiting = false;
	ep->barred = ep->invalid;
	ucs_list_del(&ep->waiting);
	ep_iface(ep)->nwaiting--;
}

ucs_status_t pending_add(uct_ep_h tl_ep, uct_pending_req_t *req,
			 unsigned int flags)
{
	struct ep *ep = ep_of(tl_ep);

	if (!ep->is_waiting && has_room(ep))
		return UCS_ERR_BUSY;
	ucs_queue_push(&ep->pending, elem_of(req));
	waiting_add(ep);
	return UCS_OK;
}

void pending_purge(uct_ep_h tl_ep, uct_pending_purge_callback_t cb, void *arg)
{
	struct ep *ep = ep_of(tl_ep);
	ucs_queue_elem_t *elem;

	while ((elem = ucs_queue_pull(&ep->pending)))
		cb(req_of(elem), arg);
	waiting_remove(ep);
}

/* Return: whether none is left */
static bool dispatch(struct ep *ep, unsigned int *n)
{
	ucs_queue_elem_t *elem;

	ep->dispatching = true;
	while ((elem = ucs_queue_pull(&ep->pending))) {
		if (req_of(elem)->func(req_of(elem)) != UCS_OK) {
			ucs_queue_push_head(&ep->pending, elem);
			break;
		}
		++*n;
	}
	ep->dispatching = false;
	return !elem;
}

unsigned int pending_progress(struct iface *iface)
{
	unsigned int i, count = iface->nwaiting, n = 0;
	struct ep *ep;

	for (i = 0; i < count && iface->nwaiting; i++) {
		ep = ucs_list_head(&iface->waiting, struct ep, waiting);
		if (dispatch(ep, &n)) {
			waiting_remove(ep);
			continue;
		}
		ucs_list_del(&ep->waiting);
		ucs_list_add_tail(&iface->waiting, &ep->waiting);
	}
	return n;
}
