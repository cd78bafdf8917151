/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compat.h - what differs between releases of UCX, and nothing else
 *
 * configure asks the headers for each HAVE_UCX_*. Slots of the tables that a
 * newer release adds must not be NULL: compat_internal_ops() fills them all.
 */
#ifndef UCX_COMPAT_H
#define UCX_COMPAT_H

#include <string.h>

#include <uct/base/uct_iface.h>
#include <uct/base/uct_md.h>
#include <uct/base/uct_iov.inl>
#include <ucs/datastruct/khash.h>
#include <ucs/datastruct/list.h>
#include <ucs/datastruct/queue.h>
#include <ucs/sys/math.h>
#if __has_include(<ucs/sys/ptr_arith.h>)
#include <ucs/sys/ptr_arith.h>
#endif
#include <ucs/sys/string.h>
#include <ucs/sys/stubs.h>

/* ---- memory domain ---- */

#ifdef HAVE_UCX_MD_ATTR_V2
typedef uct_md_attr_v2_t compat_md_attr_t;
#define COMPAT_MD_CAP(attr, field)	((attr)->field)
#else
typedef uct_md_attr_t compat_md_attr_t;
#define COMPAT_MD_CAP(attr, field)	((attr)->cap.field)
#endif

/* Where UCP caches registrations it takes for granted that all may be. */
static inline void compat_md_attr_init(compat_md_attr_t *attr)
{
#ifdef HAVE_UCX_MD_BASE_QUERY
	uct_md_base_md_query(attr);
	attr->reg_nonblock_mem_types = UCS_BIT(UCS_MEMORY_TYPE_HOST);
#endif
#ifdef HAVE_UCX_MD_ATTR_V2
	attr->cache_mem_types = UCS_BIT(UCS_MEMORY_TYPE_HOST);
#endif
}

#ifdef HAVE_UCX_REG_PARAMS
#define COMPAT_REG_ARGS		const uct_md_mem_reg_params_t *params
#else
#define COMPAT_REG_ARGS		unsigned int flags
#endif

/* Keys that can be taken back; later releases tell RMA and atomics apart. */
#ifdef HAVE_UCX_INVALIDATE_RMA
#define COMPAT_MD_INVALIDATE	(UCT_MD_FLAG_INVALIDATE |		\
				 UCT_MD_FLAG_INVALIDATE_RMA |		\
				 UCT_MD_FLAG_INVALIDATE_AMO)
#define COMPAT_PACK_INVALIDATE	(UCT_MD_MKEY_PACK_FLAG_INVALIDATE_RMA |	\
				 UCT_MD_MKEY_PACK_FLAG_INVALIDATE_AMO)
#else
#define COMPAT_MD_INVALIDATE	UCT_MD_FLAG_INVALIDATE
#define COMPAT_PACK_INVALIDATE	UCT_MD_MKEY_PACK_FLAG_INVALIDATE
#endif

#ifdef HAVE_UCX_PACK_ADDRESS
#define COMPAT_PACK_ARGS	void *address, size_t length,
#else
#define COMPAT_PACK_ARGS
#endif

#ifdef HAVE_UCX_ALLOC_DEVICE
#define COMPAT_ALLOC_ARGS	ucs_sys_device_t device,
#else
#define COMPAT_ALLOC_ARGS
#endif

#ifdef HAVE_UCX_UNPACK_PARAMS
#define COMPAT_UNPACK_ARGS	const uct_rkey_unpack_params_t *params,
#else
#define COMPAT_UNPACK_ARGS
#endif

#ifdef HAVE_UCX_MD_ATTACH
#define COMPAT_MD_ATTACH \
	.mem_attach = (void *)ucs_empty_function_return_unsupported,
#else
#define COMPAT_MD_ATTACH
#endif

#ifdef HAVE_UCX_MD_ELEM_PACK
#define COMPAT_MD_ELEM_PACK \
	.mem_elem_pack = (void *)ucs_empty_function_return_unsupported,
#else
#define COMPAT_MD_ELEM_PACK
#endif

#ifdef HAVE_UCX_MD_ELEM_RELEASE
#define COMPAT_MD_ELEM_RELEASE \
	.mem_elem_release = (void *)ucs_empty_function_return_unsupported,
#else
#define COMPAT_MD_ELEM_RELEASE
#endif

#define COMPAT_MD_STUBS \
	COMPAT_MD_ATTACH COMPAT_MD_ELEM_PACK COMPAT_MD_ELEM_RELEASE

/* ---- interface ---- */

#ifndef UCS_CONFIG_BW_IS_AUTO
#define UCS_CONFIG_BW_IS_AUTO(value)	UCS_CONFIG_DBL_IS_AUTO(value)
#endif

static inline void compat_bandwidth_scale(uct_perf_attr_t *attr, double factor)
{
	if (attr->field_mask & UCT_PERF_ATTR_FIELD_BANDWIDTH)
		attr->bandwidth.dedicated *= factor;
#ifdef HAVE_UCX_PATH_BANDWIDTH
	if (attr->field_mask & UCT_PERF_ATTR_FIELD_PATH_BANDWIDTH)
		attr->path_bandwidth.dedicated *= factor;
#endif
}

#ifndef HAVE_UCX_INTER_NODE
#define UCT_IFACE_FLAG_INTER_NODE	0
#endif

#ifdef HAVE_UCX_EP_INVALIDATE_PARAMS
#define COMPAT_INVALIDATE_ARGS	const uct_ep_invalidate_params_t *params
#else
#define COMPAT_INVALIDATE_ARGS	unsigned int flags
#endif

union compat_internal_ops {
	uct_iface_internal_ops_t	ops;
	void				(*slots[64])(void);
};

static inline void compat_internal_ops(union compat_internal_ops *table)
{
	size_t i;

	for (i = 0; i < sizeof(table->slots) / sizeof(table->slots[0]); i++)
		table->slots[i] =
			(void (*)(void))ucs_empty_function_return_unsupported;
	table->ops.iface_vfs_refresh =
		(uct_iface_vfs_refresh_func_t)ucs_empty_function;
#ifdef HAVE_UCX_QUERY_V2
	table->ops.iface_query_v2 = uct_iface_base_query_v2;
#endif
}

/* ---- callbacks of a worker ---- */

static inline int compat_is_once(const ucs_callbackq_elem_t *elem, void *arg)
{
	return elem->arg == arg;
}

#ifdef HAVE_UCX_ONESHOT
static inline void compat_once(uct_priv_worker_t *worker, ucs_callback_t cb,
			       void *arg)
{
	ucs_callbackq_add_oneshot(&worker->super.progress_q, arg, cb, arg);
}

static inline void compat_never(uct_priv_worker_t *worker, void *arg)
{
	ucs_callbackq_remove_oneshot(&worker->super.progress_q, arg,
				     compat_is_once, arg);
}
#else
static inline void compat_once(uct_priv_worker_t *worker, ucs_callback_t cb,
			       void *arg)
{
	ucs_callbackq_add_safe(&worker->super.progress_q, cb, arg,
			       UCS_CALLBACKQ_FLAG_ONESHOT);
}

static inline void compat_never(uct_priv_worker_t *worker, void *arg)
{
	ucs_callbackq_remove_if(&worker->super.progress_q, compat_is_once, arg);
}
#endif

#endif /* UCX_COMPAT_H */
