// SPDX-License-Identifier: BSD-3-Clause
/* put.c - btl_put and btl_flush: bytes copied to where a peer wants them */
#include <string.h>

#include "endpoint.h"

static int put(mca_btl_base_endpoint_t *ep, uint64_t va, const void *src,
	       size_t size)
{
	int ret;

	if (ep->is_self) {
		memmove((void *)(uintptr_t)va, src, size);
		atomic_fetch_add_explicit(&component.self_bytes, size,
					  memory_order_relaxed);
		return OPAL_SUCCESS;
	}
	if (unlikely(!ep_peer(ep)))
		return ep_status(ep, -EPIPE);
	ret = xnuma_put(ep->memory, va, src, size, NULL);
	return likely(!ret) ? OPAL_SUCCESS : ep_status(ep, ret);
}

int btl_put(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	    void *local_address, uint64_t remote_address,
	    mca_btl_base_registration_handle_t *local_handle,
	    mca_btl_base_registration_handle_t *remote_handle, size_t size,
	    int flags, int order, mca_btl_base_rdma_completion_fn_t cbfunc,
	    void *cbcontext, void *cbdata)
{
	int ret = put(ep, remote_address, local_address, size);

	if (likely(!ret) && cbfunc)
		cbfunc(btl, ep, local_address, local_handle, cbcontext, cbdata,
		       OPAL_SUCCESS);
	return ret;
}

/* Every operation by windows was complete when it returned; order is all that is left. */
int btl_flush(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep)
{
	struct xnuma_peer *peer;

	xnuma_fence(component.domain);
	if (!ep || ep->is_self)
		return OPAL_SUCCESS;
	peer = atomic_load_explicit(&ep->peer, memory_order_acquire);
	return !peer || xnuma_flush(peer, NULL) >= 0 ? OPAL_SUCCESS :
	       ep_status(ep, -EPIPE);
}
