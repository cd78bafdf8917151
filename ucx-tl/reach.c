// SPDX-License-Identifier: BSD-3-Clause
/*
 * reach.c - whom an interface reaches, and whom an endpoint leads to
 *
 * The fabric decides, which is all of a device address: who is reached is also
 * on the same device. Neither host names nor namespaces are looked at.
 */
#include "component.h"

/* Return: why not, or NULL */
static const char *unreachable(struct iface *iface, const void *device)
{
	if (!device)
		return "no device address is given";
	if (xnuma_peer_check(iface->domain, device, XNUMA_DEVICE_LEN))
		return xnuma_error();
	return NULL;
}

int iface_is_reachable(const uct_iface_h tl_iface,
		       const uct_device_addr_t *device,
		       const uct_iface_addr_t *addr)
{
	const char *why = unreachable(ucs_derived_of(tl_iface, struct iface),
				      device);

	if (why)
		ucs_debug("xpmem_numa: not reachable: %s", why);
	return !why;
}

#ifdef HAVE_UCX_REACHABLE_V2
static int is_reachable_v2(const uct_iface_h tl_iface,
			   const uct_iface_is_reachable_params_t *params)
{
	const void *device = UCS_PARAM_VALUE(UCT_IFACE_IS_REACHABLE_FIELD,
					     params, device_addr, DEVICE_ADDR,
					     NULL);
	const char *why = unreachable(ucs_derived_of(tl_iface, struct iface),
				      device);

	if (why && params->field_mask & UCT_IFACE_IS_REACHABLE_FIELD_INFO_STRING)
		ucs_snprintf_safe(params->info_string,
				  params->info_string_length, "%s", why);
	return !why;
}
#endif

#ifdef HAVE_UCX_EP_IS_CONNECTED
static int ep_is_connected(const uct_ep_h tl_ep,
			   const uct_ep_is_connected_params_t *params)
{
	const void *addr = UCS_PARAM_VALUE(UCT_EP_IS_CONNECTED_FIELD, params,
					   iface_addr, IFACE_ADDR, NULL);

	return addr && ((const struct iface_addr *)addr)->name ==
		       ep_of(tl_ep)->peer->name;
}
#endif

/* What UCX asks by its internal table since 1.15; before, there are no slots. */
void reach_internal_ops(uct_iface_internal_ops_t *ops)
{
#ifdef HAVE_UCX_REACHABLE_V2
	ops->iface_is_reachable_v2 = is_reachable_v2;
#endif
#ifdef HAVE_UCX_EP_IS_CONNECTED
	ops->ep_is_connected = ep_is_connected;
#endif
}
