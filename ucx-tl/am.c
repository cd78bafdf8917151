// SPDX-License-Identifier: BSD-3-Clause
/* am.c - active messages: the id is the tag */
#include <errno.h>

#include "component.h"

ucs_status_t am_short(uct_ep_h tl_ep, uint8_t id, uint64_t header,
		      const void *payload, unsigned int length)
{
	struct ep *ep = ep_of(tl_ep);
	const struct iovec iov[2] = {
		{ &header, sizeof(header) }, { (void *)payload, length },
	};
	ucs_status_t status;
	int ret;

	UCT_CHECK_AM_ID(id);
	UCT_CHECK_LENGTH(sizeof(header) + length, 0, ep_iface(ep)->seg_size,
			 "am_short");
	status = ep_bar(ep);
	if (unlikely(status != UCS_OK))
		return status;
	ret = xnuma_send(ep->xnuma, id, iov, 2);
	return likely(!ret) ? UCS_OK : ep_error(ep, ret);
}

ucs_status_t am_short_iov(uct_ep_h tl_ep, uint8_t id, const uct_iov_t *from,
			  size_t iovcnt)
{
	struct ep *ep = ep_of(tl_ep);
	struct iovec iov[AM_MAX_IOV];
	size_t i;
	ucs_status_t status;
	int ret;

	UCT_CHECK_AM_ID(id);
	UCT_CHECK_IOV_SIZE(iovcnt, (size_t)AM_MAX_IOV, "am_short_iov");
	UCT_CHECK_LENGTH(uct_iov_total_length(from, iovcnt), 0,
			 ep_iface(ep)->seg_size, "am_short_iov");
	status = ep_bar(ep);
	if (unlikely(status != UCS_OK))
		return status;
	for (i = 0; i < iovcnt; i++)
		iov[i] = (struct iovec) {
			from[i].buffer, uct_iov_get_length(&from[i]),
		};
	ret = xnuma_send(ep->xnuma, id, iov, iovcnt);
	return likely(!ret) ? UCS_OK : ep_error(ep, ret);
}

/*
 * Packed where the peer reads it; how long it gets is known only then. One is
 * most often as long as the last of its kind.
 */
ssize_t am_bcopy(uct_ep_h tl_ep, uint8_t id, uct_pack_callback_t pack,
		 void *arg, unsigned int flags)
{
	struct ep *ep = ep_of(tl_ep);
	struct iface *iface = ep_iface(ep);
	size_t length;
	void *buf;
	ucs_status_t status;
	int ret;

	UCT_CHECK_AM_ID(id);
	status = ep_bar(ep);
	if (unlikely(status != UCS_OK))
		return status;
	ret = xnuma_send_reserve_most(ep->xnuma, iface->seg_size,
				      iface->packed[id], &buf);
	if (unlikely(ret))
		return ep_error(ep, ret);
	length = pack(buf, arg);
	iface->packed[id] = length;
	xnuma_send_commit(ep->xnuma, id, length);
	return length;
}

/* A getter that no endpoint leads to does it all itself. */
static void share(struct iface *iface, const struct xnuma_message *msg)
{
	struct peer *peer = peer_find(iface, msg->source);

	if (peer && xnuma_share(peer->xnuma, msg) < 0)
		ucs_debug("iface %p: %s", iface, xnuma_error());
}

void am_receive(void *arg, const struct xnuma_message *msg)
{
	struct iface *iface = arg;

	if (likely(msg->tag < UCT_AM_ID_MAX))
		uct_iface_invoke_am(&iface->super, msg->tag, (void *)msg->data,
				    msg->len, 0);
	else if (msg->tag == XNUMA_TAG_SHARE)
		share(iface, msg);
}
