// SPDX-License-Identifier: BSD-3-Clause
/* sendi.c - btl_sendi: packed straight into the peer's ring */
#include <errno.h>
#include <string.h>

#include "endpoint.h"
#include "frag.h"

/* Cannot fail: what it packs was sized by the same convertor. */
static void pack(opal_convertor_t *convertor, void *to, size_t size)
{
	struct iovec iov = { .iov_base = to, .iov_len = size };
	uint32_t count = 1;

	(void)opal_convertor_pack(convertor, &iov, &count, &size);
}

static int send_packed(struct xnuma_peer *peer, opal_convertor_t *convertor,
		       const void *header, size_t header_size,
		       size_t payload_size, mca_btl_base_tag_t tag)
{
	void *buf;
	int ret;

	ret = xnuma_send_reserve(peer, header_size + payload_size, &buf);
	if (ret)
		return ret;
	memcpy(buf, header, header_size);
	pack(convertor, (char *)buf + header_size, payload_size);
	xnuma_send_commit(peer, tag, header_size + payload_size);
	return 0;
}

static inline int send_now(struct xnuma_peer *peer,
			   opal_convertor_t *convertor, void *header,
			   size_t header_size, size_t payload_size,
			   mca_btl_base_tag_t tag)
{
	struct iovec iov[2] = {
		{ header, header_size }, { NULL, payload_size },
	};

	if (!payload_size)
		return xnuma_send(peer, tag, iov, 1);
	if (unlikely(opal_convertor_need_buffers(convertor)))
		return send_packed(peer, convertor, header, header_size,
				   payload_size, tag);
	opal_convertor_get_current_pointer(convertor, &iov[1].iov_base);
	return xnuma_send(peer, tag, iov, 2);
}

static int sendi_self_packed(mca_btl_base_module_t *btl,
			     mca_btl_base_endpoint_t *ep,
			     opal_convertor_t *convertor, const void *header,
			     size_t header_size, size_t payload_size,
			     mca_btl_base_tag_t tag)
{
	mca_btl_base_descriptor_t *des;

	des = btl_alloc(btl, ep, MCA_BTL_NO_ORDER, header_size + payload_size,
			MCA_BTL_DES_FLAGS_BTL_OWNERSHIP);
	if (!des)
		return OPAL_ERR_OUT_OF_RESOURCE;
	memcpy(des->des_segments->seg_addr.pval, header, header_size);
	pack(convertor, (char *)des->des_segments->seg_addr.pval + header_size,
	     payload_size);
	btl_send(btl, ep, des, tag);
	return OPAL_SUCCESS;
}

static int sendi_self(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		      opal_convertor_t *convertor, void *header,
		      size_t header_size, size_t payload_size,
		      mca_btl_base_tag_t tag)
{
	struct compat_receiver receiver = { 0 };
	mca_btl_base_segment_t segments[2];

	if (payload_size && opal_convertor_need_buffers(convertor))
		return sendi_self_packed(btl, ep, convertor, header,
					 header_size, payload_size, tag);
	segments[0].seg_addr.pval = header;
	segments[0].seg_len = header_size;
	if (payload_size) {
		opal_convertor_get_current_pointer(convertor,
			&segments[1].seg_addr.pval);
		segments[1].seg_len = payload_size;
	}
	compat_upcall(btl, &receiver, ep, tag, segments, payload_size ? 2 : 1);
	return OPAL_SUCCESS;
}

/*
 * No room now. With a descriptor the caller packs and btl_send()s it, so that
 * it waits here, where room is noticed, and not in ob1.
 */
static int __attribute__((noinline))
sendi_refused(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep, int ret,
	      size_t size, uint8_t order, uint32_t flags,
	      mca_btl_base_descriptor_t **des)
{
	if (des)
		*des = NULL;
	if (ret != -EAGAIN) {
		ep_lost(ep, xnuma_error());
		return OPAL_ERR_UNREACH;
	}
	if (des)
		*des = btl_alloc(btl, ep, order, size, flags);
	return OPAL_ERR_OUT_OF_RESOURCE;
}

int btl_sendi(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	      opal_convertor_t *convertor, void *header, size_t header_size,
	      size_t payload_size, uint8_t order, uint32_t flags,
	      mca_btl_base_tag_t tag, mca_btl_base_descriptor_t **des)
{
	struct xnuma_peer *peer;
	int ret = -EAGAIN;

	if (ep->is_self)
		return sendi_self(btl, ep, convertor, header, header_size,
				  payload_size, tag);
	peer = ep_peer(ep);
	if (unlikely(!peer))
		ret = -EPIPE;
	else if (likely(!atomic_load_explicit(&ep->npending,
					      memory_order_relaxed)))
		ret = send_now(peer, convertor, header, header_size,
			       payload_size, tag);
	if (unlikely(ret))
		return sendi_refused(btl, ep, ret, header_size + payload_size,
				     order, flags, des);
	return OPAL_SUCCESS;
}
