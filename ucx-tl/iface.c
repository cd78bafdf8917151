// SPDX-License-Identifier: BSD-3-Clause
/* iface.c - a worker's end: one domain, whose queue is polled */
#include <errno.h>

#include "component.h"

#define POLL_BATCH	32	/* messages per poll */
#define WATCH_PERIOD	1024	/* polls between looks at the peers */

static unsigned int iface_progress(uct_iface_h tl_iface)
{
	struct iface *iface = ucs_derived_of(tl_iface, struct iface);
	int n = xnuma_poll(iface->domain, am_receive, iface, POLL_BATCH);

	if (n < 0)
		n = 0;
	if (unlikely(iface->nwaiting))
		n += pending_progress(iface);
	if (unlikely(++iface->calls % WATCH_PERIOD == 0))
		watch(iface);
	return n;
}

/* ---- addresses ---- */

static ucs_status_t iface_get_device_address(uct_iface_h tl_iface,
					     uct_device_addr_t *addr)
{
	struct iface *iface = ucs_derived_of(tl_iface, struct iface);
	uint8_t blob[XNUMA_BLOB_LEN];

	xnuma_domain_pack(iface->domain, blob);
	memcpy(addr, blob, XNUMA_DEVICE_LEN);
	return UCS_OK;
}

static ucs_status_t iface_get_address(uct_iface_h tl_iface,
				      uct_iface_addr_t *out)
{
	struct iface *iface = ucs_derived_of(tl_iface, struct iface);
	struct iface_addr *addr = (struct iface_addr *)out;
	uint8_t blob[XNUMA_BLOB_LEN];

	xnuma_domain_pack(iface->domain, blob);
	memcpy(addr->blob, blob + XNUMA_DEVICE_LEN, sizeof(addr->blob));
	addr->name = iface->name;
	addr->offer = (uintptr_t)&iface->offer;
	return UCS_OK;
}

/* ---- sleeping ---- */

static ucs_status_t iface_event_fd_get(uct_iface_h tl_iface, int *fd)
{
	struct iface *iface = ucs_derived_of(tl_iface, struct iface);
	int ret = xnuma_domain_fd(iface->domain);

	if (ret < 0)
		return status_of(ret);
	*fd = ret;
	return UCS_OK;
}

/* Room in a queue wakes nobody: what waits for it must be tried again. */
static ucs_status_t iface_event_arm(uct_iface_h tl_iface, unsigned int events)
{
	struct iface *iface = ucs_derived_of(tl_iface, struct iface);
	int ret;

	if (events & UCT_EVENT_SEND_COMP && iface->nwaiting)
		return UCS_ERR_BUSY;
	ret = xnuma_domain_arm(iface->domain);
	return ret == -EBUSY ? UCS_ERR_BUSY : status_of(ret);
}

/* ---- order ---- */

/* Operations have ended when they return, but those that wait for room. */
static ucs_status_t iface_flush(uct_iface_h tl_iface, unsigned int flags,
				uct_completion_t *comp)
{
	struct iface *iface = ucs_derived_of(tl_iface, struct iface);

	xnuma_fence(iface->domain);
	return UCS_OK;
}

static ucs_status_t iface_fence(uct_iface_h tl_iface, unsigned int flags)
{
	xnuma_fence(ucs_derived_of(tl_iface, struct iface)->domain);
	return UCS_OK;
}

/* ---- life ---- */

static UCS_CLASS_DECLARE_DELETE_FUNC(xpmem_numa_iface_t, uct_iface_t);

static uct_iface_ops_t iface_ops = {
	.ep_put_short = put_short,
	.ep_put_bcopy = put_bcopy,
	.ep_put_zcopy = put_zcopy,
	.ep_get_short = get_short,
	.ep_get_bcopy = get_bcopy,
	.ep_get_zcopy = get_zcopy,
	.ep_am_short = am_short,
	.ep_am_short_iov = am_short_iov,
	.ep_am_bcopy = am_bcopy,
	.ep_atomic_cswap64 = atomic_cswap64,
	.ep_atomic_cswap32 = atomic_cswap32,
	.ep_atomic32_post = atomic_post32,
	.ep_atomic64_post = atomic_post64,
	.ep_atomic32_fetch = atomic_fetch32,
	.ep_atomic64_fetch = atomic_fetch64,
	.ep_pending_add = pending_add,
	.ep_pending_purge = pending_purge,
	.ep_flush = ep_flush,
	.ep_fence = ep_fence,
	.ep_check = ep_check,
	.ep_create = UCS_CLASS_NEW_FUNC_NAME(xpmem_numa_ep_t),
	.ep_destroy = UCS_CLASS_DELETE_FUNC_NAME(xpmem_numa_ep_t),
	.iface_flush = iface_flush,
	.iface_fence = iface_fence,
	.iface_progress_enable = uct_base_iface_progress_enable,
	.iface_progress_disable = uct_base_iface_progress_disable,
	.iface_progress = iface_progress,
	.iface_event_fd_get = iface_event_fd_get,
	.iface_event_arm = iface_event_arm,
	.iface_close = UCS_CLASS_DELETE_FUNC_NAME(xpmem_numa_iface_t),
	.iface_query = iface_query,
	.iface_get_device_address = iface_get_device_address,
	.iface_get_address = iface_get_address,
	.iface_is_reachable = iface_is_reachable,
};

static union compat_internal_ops internal_ops;

static void __attribute__((constructor)) internal_ops_fill(void)
{
	compat_internal_ops(&internal_ops);
	internal_ops.ops.iface_estimate_perf = iface_estimate_perf;
	internal_ops.ops.iface_vfs_refresh = vfs_refresh;
	internal_ops.ops.ep_invalidate = ep_invalidate;
	reach_internal_ops(&internal_ops.ops);
}

/* Messages lie where they came; only nonsense is refused. */
static ucs_status_t alignment_check(const uct_iface_params_t *params)
{
	size_t align, offset;

	if (uct_iface_param_am_alignment(params, SIZE_MAX, 0, 0, &align,
					 &offset) != UCS_OK)
		return UCS_ERR_INVALID_PARAM;
	UCT_CHECK_PARAM(align && ucs_is_pow2(align),
			"messages cannot be aligned to %zu", align);
	return UCS_OK;
}

static ucs_status_t params_check(const uct_worker_h worker,
				 const uct_iface_params_t *params)
{
	UCT_CHECK_PARAM(params->field_mask & UCT_IFACE_PARAM_FIELD_OPEN_MODE,
			"no open_mode is given");
	if (!(params->open_mode & UCT_IFACE_OPEN_MODE_DEVICE)) {
		ucs_error("xpmem_numa is opened by device only");
		return UCS_ERR_UNSUPPORTED;
	}
	if (ucs_derived_of(worker, uct_priv_worker_t)->thread_mode ==
	    UCS_THREAD_MODE_MULTI) {
		ucs_error("xpmem_numa does not serve several threads at a time");
		return UCS_ERR_INVALID_PARAM;
	}
	return alignment_check(params);
}

static ucs_status_t segment_alloc(struct iface *iface, size_t want)
{
	iface->seg_size = ucs_min(want, iface_md(iface)->attr.send_max);
	if (iface->seg_size < sizeof(uint64_t)) {
		ucs_error("UCX_" CONFIG_PREFIX "SEG_SIZE is too small");
		return UCS_ERR_INVALID_PARAM;
	}
	iface->bounce = ucs_malloc(iface->seg_size, "xpmem_numa_bounce");
	return iface->bounce ? UCS_OK : UCS_ERR_NO_MEMORY;
}

static UCS_CLASS_INIT_FUNC(xpmem_numa_iface_t, uct_md_h md, uct_worker_h worker,
			   const uct_iface_params_t *params,
			   const uct_iface_config_t *tl_config)
{
	const struct iface_config *config =
		ucs_derived_of(tl_config, struct iface_config);
	ucs_status_t status = params_check(worker, params);

	if (status != UCS_OK)
		return status;
	UCS_CLASS_CALL_SUPER_INIT(uct_base_iface_t, &iface_ops,
				  &internal_ops.ops, md, worker, params,
				  tl_config UCS_STATS_ARG(NULL)
				  UCS_STATS_ARG(TL_NAME));
	self->calls = 0;
	memset(self->packed, 0, sizeof(self->packed));
	self->nwaiting = 0;
	ucs_list_head_init(&self->waiting);
	ucs_list_head_init(&self->eps);
	self->watched = &self->eps;
	kh_init_inplace(peers, &self->peers);
	status = segment_alloc(self, config->seg_size);
	if (status != UCS_OK)
		return status;
	status = md_take_domain(iface_md(self), &self->domain, &self->name);
	if (status != UCS_OK) {
		ucs_free(self->bounce);
		return status;
	}
	iface_estimates(self, config);
	self->fence = NULL;
	memset(&self->offer, 0, sizeof(self->offer));
	offer_open(self);
	return UCS_OK;
}

static UCS_CLASS_CLEANUP_FUNC(xpmem_numa_iface_t)
{
	uct_base_iface_progress_disable(&self->super.super,
					UCT_PROGRESS_SEND | UCT_PROGRESS_RECV);
	report(self);
	kh_destroy_inplace(peers, &self->peers);
	offer_close(self);
	md_give_domain(iface_md(self), self->domain);
	ucs_free(self->bounce);
}

UCS_CLASS_DEFINE(xpmem_numa_iface_t, uct_base_iface_t);
UCS_CLASS_DEFINE_NEW_FUNC(xpmem_numa_iface_t, uct_iface_t, uct_md_h,
			  uct_worker_h, const uct_iface_params_t *,
			  const uct_iface_config_t *);
static UCS_CLASS_DEFINE_DELETE_FUNC(xpmem_numa_iface_t, uct_iface_t);
