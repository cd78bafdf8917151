// SPDX-License-Identifier: BSD-3-Clause
/* rma.c - put and get: done when they return */
#include "component.h"

/* Succeeds by definition, yet a lost peer is told of. */
static ucs_status_t nothing(struct ep *ep)
{
	int ret = xnuma_peer_alive(ep->xnuma);

	if (unlikely(ret))
		ep_error(ep, ret);
	return UCS_OK;
}

typedef ucs_status_t (*transfer)(struct ep *ep, uint64_t va, void *buffer,
				 size_t length, uct_rkey_t key);

struct put {
	uint64_t va;
	const void *buffer;
	size_t length;
};

static int put_through(struct xnuma_import *fence, void *arg)
{
	const struct put *put = arg;

	return xnuma_put(fence, put->va, put->buffer, put->length, NULL);
}

static ucs_status_t put(struct ep *ep, uint64_t va, void *buffer,
			size_t length, uct_rkey_t key)
{
	struct put put = { va, buffer, length };
	int ret;

	if (unlikely(!length))
		return nothing(ep);
	if (unlikely(ep->invalid))
		return ep->error;
	if (unlikely(key))
		return keyed_write(ep, key, put_through, &put);
	ret = xnuma_put(ep->memory, va, buffer, length, NULL);
	return likely(!ret) ? UCS_OK : ep_error(ep, ret);
}

static ucs_status_t get(struct ep *ep, uint64_t va, void *buffer,
			size_t length, uct_rkey_t key)
{
	int ret;

	if (unlikely(!length))
		return nothing(ep);
	if (unlikely(ep->invalid))
		return ep->error;
	if (unlikely(key))
		return keyed_get(ep, key, va, buffer, length);
	ret = xnuma_get(ep->memory, buffer, va, length, NULL);
	return likely(!ret) ? UCS_OK : ep_error(ep, ret);
}

static inline ucs_status_t each(uct_ep_h tl_ep, transfer transfer, uint64_t va,
				const uct_iov_t *iov, size_t iovcnt,
				uct_rkey_t rkey)
{
	ucs_status_t status = UCS_OK;
	size_t i, length;

	for (i = 0; i < iovcnt && status == UCS_OK; i++) {
		length = uct_iov_get_length(&iov[i]);
		status = transfer(ep_of(tl_ep), va, iov[i].buffer, length,
				  rkey);
		va += length;
	}
	return status;
}

ucs_status_t put_short(uct_ep_h tl_ep, const void *buffer, unsigned int length,
		       uint64_t va, uct_rkey_t rkey)
{
	return put(ep_of(tl_ep), va, (void *)buffer, length, rkey);
}

ssize_t put_bcopy(uct_ep_h tl_ep, uct_pack_callback_t pack, void *arg,
		  uint64_t va, uct_rkey_t rkey)
{
	struct ep *ep = ep_of(tl_ep);
	void *bounce = ep_iface(ep)->bounce;
	size_t length = pack(bounce, arg);
	ucs_status_t status;

	UCT_CHECK_LENGTH(length, 0, ep_iface(ep)->seg_size, "put_bcopy");
	status = put(ep, va, bounce, length, rkey);
	return status == UCS_OK ? (ssize_t)length : status;
}

ucs_status_t put_zcopy(uct_ep_h tl_ep, const uct_iov_t *iov, size_t iovcnt,
		       uint64_t va, uct_rkey_t rkey, uct_completion_t *comp)
{
	return each(tl_ep, put, va, iov, iovcnt, rkey);
}

ucs_status_t get_short(uct_ep_h tl_ep, void *buffer, unsigned int length,
		       uint64_t va, uct_rkey_t rkey)
{
	return get(ep_of(tl_ep), va, buffer, length, rkey);
}

ucs_status_t get_bcopy(uct_ep_h tl_ep, uct_unpack_callback_t unpack, void *arg,
		       size_t length, uint64_t va, uct_rkey_t rkey,
		       uct_completion_t *comp)
{
	struct ep *ep = ep_of(tl_ep);
	void *bounce = ep_iface(ep)->bounce;
	ucs_status_t status;

	UCT_CHECK_LENGTH(length, 0, ep_iface(ep)->seg_size, "get_bcopy");
	status = get(ep, va, bounce, length, rkey);
	if (likely(status == UCS_OK))
		unpack(arg, bounce, length);
	return status;
}

ucs_status_t get_zcopy(uct_ep_h tl_ep, const uct_iov_t *iov, size_t iovcnt,
		       uint64_t va, uct_rkey_t rkey, uct_completion_t *comp)
{
	return each(tl_ep, get, va, iov, iovcnt, rkey);
}
