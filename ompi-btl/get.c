// SPDX-License-Identifier: BSD-3-Clause
/* get.c - btl_get: a peer's bytes copied from where they are */
#include <string.h>

#include "endpoint.h"

static int get(mca_btl_base_endpoint_t *ep, void *dst, uint64_t va, size_t size)
{
	int ret;

	if (ep->is_self) {
		memmove(dst, (void *)(uintptr_t)va, size);
		atomic_fetch_add_explicit(&component.self_bytes, size,
					  memory_order_relaxed);
		return OPAL_SUCCESS;
	}
	if (unlikely(!ep_peer(ep)))
		return ep_status(ep, -EPIPE);
	ret = xnuma_get(ep->memory, dst, va, size, NULL);
	return likely(!ret) ? OPAL_SUCCESS : ep_status(ep, ret);
}

/* Without a callback when the caller flushes instead. */
int btl_get(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	    void *local_address, uint64_t remote_address,
	    mca_btl_base_registration_handle_t *local_handle,
	    mca_btl_base_registration_handle_t *remote_handle, size_t size,
	    int flags, int order, mca_btl_base_rdma_completion_fn_t cbfunc,
	    void *cbcontext, void *cbdata)
{
	int ret = get(ep, local_address, remote_address, size);

	if (likely(!ret) && cbfunc)
		cbfunc(btl, ep, local_address, local_handle, cbcontext, cbdata,
		       OPAL_SUCCESS);
	return ret;
}
