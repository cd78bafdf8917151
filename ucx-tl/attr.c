// SPDX-License-Identifier: BSD-3-Clause
/* attr.c - what an interface can do, and how fast */
#include <limits.h>

#include "component.h"

#define ALL_OPS	(UCS_BIT(UCT_ATOMIC_OP_ADD) | UCS_BIT(UCT_ATOMIC_OP_AND) | \
		 UCS_BIT(UCT_ATOMIC_OP_OR) | UCS_BIT(UCT_ATOMIC_OP_XOR))

/* Unknown how far peers will be: as far as this process from itself. */
void iface_estimates(struct iface *iface, const struct iface_config *config)
{
	struct xnuma_peer_attr attr = { .latency = 1e-7, .bandwidth = 1e10 };
	uint8_t blob[XNUMA_BLOB_LEN];
	struct xnuma_peer *self;

	xnuma_domain_pack(iface->domain, blob);
	if (!xnuma_peer_open(iface->domain, blob, &self)) {
		xnuma_peer_query(self, &attr);
		xnuma_peer_close(self);
	}
	iface->latency = attr.latency;
	iface->bandwidth = UCS_CONFIG_BW_IS_AUTO(config->bandwidth) ?
			   attr.bandwidth : config->bandwidth;
	iface->overhead = config->overhead;
}

static void query_messages(const struct iface *iface, uct_iface_attr_t *attr)
{
	attr->cap.am.max_short = iface->seg_size;
	attr->cap.am.max_bcopy = iface->seg_size;
	attr->cap.am.opt_zcopy_align = 1;
	attr->cap.am.align_mtu = 1;
	attr->cap.am.max_iov = AM_MAX_IOV;
}

static void query_rma(const struct iface *iface, uct_iface_attr_t *attr)
{
	attr->cap.put.max_short = UINT_MAX;
	attr->cap.put.max_bcopy = iface->seg_size;
	attr->cap.put.max_zcopy = SIZE_MAX;
	attr->cap.put.opt_zcopy_align = 1;
	attr->cap.put.align_mtu = 1;
	attr->cap.put.max_iov = 16;
	attr->cap.get.max_short = UINT_MAX;
	attr->cap.get.max_bcopy = iface->seg_size;
	attr->cap.get.max_zcopy = SIZE_MAX;
	attr->cap.get.opt_zcopy_align = 1;
	attr->cap.get.align_mtu = 1;
	attr->cap.get.max_iov = 16;
	attr->cap.flags |= UCT_IFACE_FLAG_PUT_SHORT |
			   UCT_IFACE_FLAG_PUT_BCOPY |
			   UCT_IFACE_FLAG_PUT_ZCOPY |
			   UCT_IFACE_FLAG_GET_SHORT |
			   UCT_IFACE_FLAG_GET_BCOPY |
			   UCT_IFACE_FLAG_GET_ZCOPY;
}

/* Where memory is mapped, the processor does them; else UCP asks the peer. */
static void query_atomics(uct_iface_attr_t *attr)
{
	const uint64_t fetch = ALL_OPS | UCS_BIT(UCT_ATOMIC_OP_SWAP) |
			       UCS_BIT(UCT_ATOMIC_OP_CSWAP);

	attr->cap.atomic32.op_flags = ALL_OPS;
	attr->cap.atomic64.op_flags = ALL_OPS;
	attr->cap.atomic32.fop_flags = fetch;
	attr->cap.atomic64.fop_flags = fetch;
	attr->cap.flags |= UCT_IFACE_FLAG_ATOMIC_CPU;
}

ucs_status_t iface_query(uct_iface_h tl_iface, uct_iface_attr_t *attr)
{
	struct iface *iface = ucs_derived_of(tl_iface, struct iface);
	const struct md *md = iface_md(iface);

	uct_base_iface_query(&iface->super, attr);
	attr->cap.flags = UCT_IFACE_FLAG_AM_SHORT | UCT_IFACE_FLAG_AM_BCOPY |
			  UCT_IFACE_FLAG_PENDING | UCT_IFACE_FLAG_CB_SYNC |
			  UCT_IFACE_FLAG_CONNECT_TO_IFACE |
			  UCT_IFACE_FLAG_EP_CHECK |
			  UCT_IFACE_FLAG_ERRHANDLE_PEER_FAILURE |
			  UCT_IFACE_FLAG_INTER_NODE;
	query_messages(iface, attr);
	if (md_has_rma(md))
		query_rma(iface, attr);
	if (md_has_rma(md) && md->attr.caps & XNUMA_CAP_MAP)
		query_atomics(attr);
	if (md->config.flags & XNUMA_SLEEPS)
		attr->cap.event_flags = UCT_IFACE_FLAG_EVENT_SEND_COMP |
					UCT_IFACE_FLAG_EVENT_RECV |
					UCT_IFACE_FLAG_EVENT_FD;
	attr->device_addr_len = XNUMA_DEVICE_LEN;
	attr->iface_addr_len = sizeof(struct iface_addr);
	attr->latency = ucs_linear_func_make(iface->latency, 0);
	attr->bandwidth.dedicated = iface->bandwidth;
	attr->overhead = iface->overhead;
	return UCS_OK;
}

/* A message is copied by both, what a peer's memory gets or gives but once. */
static bool is_message(uct_ep_operation_t op)
{
	return op == UCT_EP_OP_AM_SHORT || op == UCT_EP_OP_AM_BCOPY;
}

ucs_status_t iface_estimate_perf(uct_iface_h tl_iface, uct_perf_attr_t *attr)
{
	ucs_status_t status = uct_base_iface_estimate_perf(tl_iface, attr);

	if (status != UCS_OK)
		return status;
	if (attr->field_mask & UCT_PERF_ATTR_FIELD_OPERATION &&
	    is_message(attr->operation))
		compat_bandwidth_scale(attr, 0.5);
	return UCS_OK;
}
