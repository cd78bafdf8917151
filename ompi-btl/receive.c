// SPDX-License-Identifier: BSD-3-Clause
/* receive.c - messages that came */
#include <string.h>

#include "atomic.h"
#include "endpoint.h"

static void control(const struct xnuma_message *msg)
{
	struct control control;
	mca_btl_base_endpoint_t *ep;

	if (msg->len != sizeof(control))
		return;
	memcpy(&control, msg->data, sizeof(control));
	ep = ep_find(msg->source);
	if (!ep && control.kind == CONTROL_HELLO)
		ep = ep_create(&control.modex);
	if (!ep)
		return;
	switch (control.kind) {
	case CONTROL_HELLO:
		ep->said_hello = true;
		break;
	case CONTROL_BYE:
		ep->said_bye = true;
		break;
	case CONTROL_ATOMIC:
		emulate_request(ep, &control);
		break;
	case CONTROL_ANSWER:
		emulate_answer(ep, &control);
		break;
	}
}

static void share(const struct xnuma_message *msg)
{
	mca_btl_base_endpoint_t *ep = ep_find(msg->source);
	struct xnuma_peer *peer = ep ? ep_peer(ep) : NULL;

	if (peer)
		xnuma_share(peer, msg);
}

void btl_receive(void *arg, const struct xnuma_message *msg)
{
	struct compat_receiver *receiver = &component.receiver;

	if (unlikely(msg->tag == BTL_TAG_CONTROL)) {
		control(msg);
		return;
	}
	if (unlikely(msg->tag == XNUMA_TAG_SHARE)) {
		share(msg);
		return;
	}
	receiver->segment.seg_addr.pval = (void *)msg->data;
	receiver->segment.seg_len = msg->len;
	compat_upcall(&mca_btl_xpmem_numa, receiver, NULL, msg->tag,
		      &receiver->segment, 1);
}
