// SPDX-License-Identifier: BSD-3-Clause
/*
 * watch.c - peers that are gone without a word
 *
 * Who waits for a message makes no operation that could fail, so now and then
 * a few endpoints are looked at. One that closed its interface is told of as
 * well: what was sent before may never have been read.
 */
#include "component.h"

#define WATCH_BATCH	8	/* endpoints per look */

static void look(struct ep *ep)
{
	int ret = ep->failed ? 0 : xnuma_peer_alive(ep->xnuma);

	if (unlikely(ret))
		ep_error(ep, ret);
}

/* The head of the list is between its end and its beginning. */
void watch(struct iface *iface)
{
	int i;

	for (i = 0; i < WATCH_BATCH; i++) {
		iface->watched = iface->watched->next;
		if (iface->watched == &iface->eps)
			return;
		look(ucs_container_of(iface->watched, struct ep, list));
	}
}
