// SPDX-License-Identifier: BSD-3-Clause
/* ep.c - an endpoint: life, order, and errors */
#include <errno.h>

#include "component.h"

ucs_status_t status_of(int ret)
{
	switch (ret) {
	case 0:
		return UCS_OK;
	case -EAGAIN:
		return UCS_ERR_NO_RESOURCE;
	case -EPIPE:
	case -ESHUTDOWN:
		return UCS_ERR_ENDPOINT_TIMEOUT;
	case -EFAULT:
		return UCS_ERR_INVALID_ADDR;
	case -EACCES:
		return UCS_ERR_REJECTED;
	case -EINVAL:
	case -EMSGSIZE:
		return UCS_ERR_INVALID_PARAM;
	case -ENOMEM:
	case -EDQUOT:
	case -EMFILE:
		return UCS_ERR_NO_MEMORY;
	case -ENODEV:
		return UCS_ERR_NO_DEVICE;
	case -ENOTSUP:
	case -EPROTO:
		return UCS_ERR_UNSUPPORTED;
	case -EHOSTUNREACH:
		return UCS_ERR_UNREACHABLE;
	default:
		return UCS_ERR_IO_ERROR;
	}
}

static unsigned int ep_report(void *arg)
{
	struct ep *ep = arg;

	uct_iface_handle_ep_err(ep->super.super.iface, &ep->super.super,
				ep->error);
	return 1;
}

/* Once, and from progress: the caller may be in the midst of a request. */
void ep_fail(struct ep *ep, ucs_status_t status)
{
	if (ep->failed)
		return;
	ep->failed = true;
	ep->error = status;
	compat_once(ep_iface(ep)->super.worker, ep_report, ep);
}

/* Return: the status of an operation that failed; a lost peer is told of */
ucs_status_t ep_error(struct ep *ep, int ret)
{
	ucs_status_t status = status_of(ret);

	if (ret == -EAGAIN)
		return status;
	ucs_log(ep_iface(ep)->super.config.failure_level, "ep %p: %s", ep,
		xnuma_error());
	if (ret == -EPIPE || ret == -ESHUTDOWN)
		ep_fail(ep, status);
	return status;
}

/*
 * Whatever was done has ended when it returned. A peer that has left in order
 * had no more use for it, but whoever goes on is told.
 */
ucs_status_t ep_flush(uct_ep_h tl_ep, unsigned int flags,
		      uct_completion_t *comp)
{
	struct ep *ep = ep_of(tl_ep);
	ucs_status_t status;
	int ret;

	if (flags & UCT_FLUSH_FLAG_CANCEL)
		return UCS_OK;
	status = ep_bar(ep);
	if (unlikely(status != UCS_OK))
		return status;
	ret = xnuma_flush(ep->xnuma, NULL);
	if (likely(ret >= 0))
		return UCS_OK;
	status = ep_error(ep, ret);
	return ret == -ESHUTDOWN ? UCS_OK : status;
}

ucs_status_t ep_fence(uct_ep_h tl_ep, unsigned int flags)
{
	xnuma_fence(ep_iface(ep_of(tl_ep))->domain);
	return UCS_OK;
}

ucs_status_t ep_check(uct_ep_h tl_ep, unsigned int flags,
		      uct_completion_t *comp)
{
	struct ep *ep = ep_of(tl_ep);
	int ret;

	UCT_CHECK_PARAM(!comp, "there is no completion of a check");
	UCT_CHECK_PARAM(!flags, "a check has no flags: %x", flags);
	ret = xnuma_peer_alive(ep->xnuma);
	if (ret)
		ep_error(ep, ret);
	return UCS_OK;
}

/* As if the peer were gone, whatever it is. */
ucs_status_t ep_invalidate(uct_ep_h tl_ep, COMPAT_INVALIDATE_ARGS)
{
	struct ep *ep = ep_of(tl_ep);

	ep_fail(ep, UCS_ERR_ENDPOINT_TIMEOUT);
	ep->invalid = true;
	ep->barred = true;
	return UCS_OK;
}

static UCS_CLASS_INIT_FUNC(xpmem_numa_ep_t, const uct_ep_params_t *params)
{
	struct iface *iface = ucs_derived_of(params->iface, struct iface);
	ucs_status_t status;

	UCT_EP_PARAMS_CHECK_DEV_IFACE_ADDRS(params);
	UCS_CLASS_CALL_SUPER_INIT(uct_base_ep_t, &iface->super);
	status = peer_get(iface, (const void *)params->dev_addr,
			  (const void *)params->iface_addr, &self->peer);
	if (status != UCS_OK)
		return status;
	self->xnuma = self->peer->xnuma;
	self->memory = xnuma_peer_memory(self->xnuma);
	self->dispatching = false;
	self->is_waiting = false;
	self->invalid = false;
	self->barred = false;
	self->failed = false;
	ucs_queue_head_init(&self->pending);
	ucs_list_add_tail(&iface->eps, &self->list);
	return UCS_OK;
}

static void unwatch(struct iface *iface, struct ep *ep)
{
	if (iface->watched == &ep->list)
		iface->watched = ep->list.next;
	ucs_list_del(&ep->list);
}

static UCS_CLASS_CLEANUP_FUNC(xpmem_numa_ep_t)
{
	struct iface *iface = ep_iface(self);

	compat_never(iface->super.worker, self);
	if (self->is_waiting) {
		ucs_list_del(&self->waiting);
		iface->nwaiting--;
	}
	unwatch(iface, self);
	peer_put(iface, self->peer);
}

UCS_CLASS_DEFINE(xpmem_numa_ep_t, uct_base_ep_t);
UCS_CLASS_DEFINE_NEW_FUNC(xpmem_numa_ep_t, uct_ep_t, const uct_ep_params_t *);
UCS_CLASS_DEFINE_DELETE_FUNC(xpmem_numa_ep_t, uct_ep_t);
