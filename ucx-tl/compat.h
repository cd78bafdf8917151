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

#ifdef HAVE_UCX_REG_PARAMS
#define COMPAT_REG_ARGS		const uct_md_mem_reg_params_t *params
#else
#define COMPAT_REG_ARGS		unsigned int flags
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

/* ---- interface ---- */

#ifndef HAVE_UCX_INTER_NODE
#define UCT_IFACE_FLAG_INTER_NODE	0
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
}

/* ---- callbacks of a worker ---- */

#ifdef HAVE_UCX_ONESHOT
static inline void compat_once(uct_priv_worker_t *worker, ucs_callback_t cb,
			       void *arg)
{
	ucs_callbackq_add_oneshot(&worker->super.progress_q, arg, cb, arg);
}

static inline int compat_is_once(const ucs_callbackq_elem_t *elem, void *arg)
{
	return elem->arg == arg;
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

static inline int compat_is_once(const ucs_callbackq_elem_t *elem, void *arg)
{
	return elem->arg == arg;
}

static inline void compat_never(uct_priv_worker_t *worker, void *arg)
{
	ucs_callbackq_remove_if(&worker->super.progress_q, compat_is_once, arg);
}
#endif

#endif /* UCX_COMPAT_H */
