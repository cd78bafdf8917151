// SPDX-License-Identifier: BSD-3-Clause
/*
 * watch.c - peers that die
 *
 * A process that only waits for a message would not notice by itself, so
 * progress looks at a few peers every now and then. A peer that is gone is
 * suspect until everything it sent has been received, BYE perhaps included.
 * One that closed its domain left in order, though BYE found no room.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "atomic.h"
#include "endpoint.h"
#include "frag.h"
#include "opal/util/output.h"

#define WATCH_BATCH	64	/* peers per look */

/* The text becomes a format of printf() in ob1. */
static void without_percent(char *text)
{
	for (; *text; text++) {
		if (*text == '%')
			*text = '_';
	}
}

static void lost_text(const mca_btl_base_endpoint_t *ep, const char *reason,
		      char *text, size_t len)
{
	const char *host = NULL;

	if (ep->proc)
		host = opal_get_proc_hostname(ep->proc);
	snprintf(text, len, "xpmem_numa: rank %u lost rank %u%s (host %s, "
		 "process %d): %s", OPAL_PROC_MY_NAME.vpid, ep->name.vpid,
		 ep->name.jobid == OPAL_PROC_MY_NAME.jobid ? "" :
		 " of another job", host ? host : "unknown", (int)ep->pid,
		 reason && *reason ? reason : "it is gone");
	without_percent(text);
}

/*
 * The callback comes first, since ob1's ends the job with our text, and
 * would end it without a reason when a fragment fails.
 */
void ep_lost(mca_btl_base_endpoint_t *ep, const char *reason)
{
	char text[512];

	if (atomic_exchange(&ep->lost, true))
		return;
	lost_text(ep, reason, text, sizeof(text));
	if (component.error_cb)
		component.error_cb(&mca_btl_xpmem_numa,
				   MCA_BTL_ERROR_FLAGS_NONFATAL, ep->proc,
				   text);
	else
		opal_output(0, "%s", text);
	pending_fail(ep, OPAL_ERR_UNREACH);
	emulate_fail(ep, OPAL_ERR_UNREACH);
}

static void suspect(mca_btl_base_endpoint_t *ep)
{
	if (ep->suspect)
		return;
	ep->suspect = true;
	ep->suspect_at = component.empty;
	ep->reason = strdup(xnuma_error());
}

static void look(mca_btl_base_endpoint_t *ep)
{
	struct xnuma_peer *peer = atomic_load(&ep->peer);

	if (ep->is_self || ep->said_bye || ep->lost)
		return;
	if (ep->suspect) {
		if (component.empty != ep->suspect_at)
			ep_lost(ep, ep->reason);
		return;
	}
	if (!peer && ep->said_hello)
		peer = ep_open(ep);
	if (!peer) {
		if (ep->said_hello)
			suspect(ep);
		return;
	}
	switch (xnuma_peer_alive(peer)) {
	case -EPIPE:
		suspect(ep);
		break;
	case -ESHUTDOWN:
		ep->said_bye = true;
		break;
	default:
		if (ep->hello_due)
			ep_hello(ep, peer);
	}
}

static mca_btl_base_endpoint_t *next(void)
{
	mca_btl_base_endpoint_t *ep;
	opal_list_item_t *item;

	OPAL_THREAD_LOCK(&component.lock);
	ep = component.watched;
	item = ep ? opal_list_get_next(&ep->super) :
		    opal_list_get_first(&component.endpoints);
	if (item == opal_list_get_end(&component.endpoints))
		item = NULL;
	component.watched = (mca_btl_base_endpoint_t *)item;
	OPAL_THREAD_UNLOCK(&component.lock);
	return component.watched;
}

/* The end of the list ends the round; the next starts at its head. */
void ep_watch(void)
{
	mca_btl_base_endpoint_t *ep;
	int i;

	for (i = 0; i < WATCH_BATCH && (ep = next()); i++)
		look(ep);
}
