// SPDX-License-Identifier: BSD-3-Clause
/* send.c - btl_send */
#include <errno.h>

#include "endpoint.h"
#include "frag.h"

/* Delivered before it returns: the fragment is the receiver's segments. */
static void send_self(mca_btl_base_endpoint_t *ep, struct frag *frag)
{
	struct compat_receiver receiver = { 0 };

	compat_upcall(&mca_btl_xpmem_numa, &receiver, ep, frag->tag,
		      frag->base.des_segments, frag->base.des_segment_count);
}

static int complete_now(mca_btl_base_endpoint_t *ep, struct frag *frag)
{
	frag_complete(ep, frag, OPAL_SUCCESS,
		      frag->base.des_flags & MCA_BTL_DES_SEND_ALWAYS_CALLBACK);
	return 1;
}

int btl_send(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	     mca_btl_base_descriptor_t *des, mca_btl_base_tag_t tag)
{
	struct frag *frag = (struct frag *)des;
	int ret = -EAGAIN;

	frag->tag = tag;
	if (ep->is_self) {
		send_self(ep, frag);
		return complete_now(ep, frag);
	}
	if (likely(!atomic_load_explicit(&ep->npending, memory_order_relaxed)))
		ret = frag_post(ep, frag);
	if (likely(!ret))
		return complete_now(ep, frag);
	if (ret == -EAGAIN && !ep->lost) {
		pending_add(ep, frag);
		return OPAL_SUCCESS;
	}
	ep_lost(ep, xnuma_error());
	return OPAL_ERR_UNREACH;
}
