// SPDX-License-Identifier: BSD-3-Clause
/*
 * atomic.c - atomic operations of the CPU on a peer's memory
 *
 * MIN and MAX carry no sign, so they cannot be right for all types, and a
 * target that is not aligned may lie in two windows; osc/rdma takes its lock
 * for what is not supported.
 */
#include <errno.h>
#include <string.h>

#include "atomic.h"
#include "endpoint.h"

int atomic_op_of(mca_btl_base_atomic_op_t op)
{
	switch (op) {
	case MCA_BTL_ATOMIC_ADD:
		return XNUMA_ADD;
	case MCA_BTL_ATOMIC_AND:
		return XNUMA_AND;
	case MCA_BTL_ATOMIC_OR:
		return XNUMA_OR;
	case MCA_BTL_ATOMIC_XOR:
		return XNUMA_XOR;
	case MCA_BTL_ATOMIC_SWAP:
		return XNUMA_SWAP;
	default:
		return -ENOTSUP;
	}
}

#define LOCAL_OP(bits)							\
static uint64_t local_##bits(int op, uint64_t va, uint64_t operand,	\
			     uint64_t compare)				\
{									\
	_Atomic uint##bits##_t *p = (void *)(uintptr_t)va;		\
	uint##bits##_t old = compare;					\
									\
	switch (op) {							\
	case XNUMA_ADD:							\
		return atomic_fetch_add(p, operand);			\
	case XNUMA_AND:							\
		return atomic_fetch_and(p, operand);			\
	case XNUMA_OR:							\
		return atomic_fetch_or(p, operand);			\
	case XNUMA_XOR:							\
		return atomic_fetch_xor(p, operand);			\
	case XNUMA_SWAP:						\
		return atomic_exchange(p, operand);			\
	default:							\
		atomic_compare_exchange_strong(p, &old, operand);	\
		return old;						\
	}								\
}

LOCAL_OP(32)
LOCAL_OP(64)

uint64_t atomic_local(int op, bool is_32, uint64_t va, uint64_t operand,
		      uint64_t compare)
{
	return is_32 ? local_32(op, va, operand, compare) :
		       local_64(op, va, operand, compare);
}

bool atomic_can(int op, int flags, uint64_t va)
{
	size_t size = flags & MCA_BTL_ATOMIC_FLAG_32BIT ? 4 : 8;

	return op >= 0 && !(flags & MCA_BTL_ATOMIC_FLAG_FLOAT) && !(va % size);
}

static int apply(mca_btl_base_endpoint_t *ep, int op, uint64_t va, int flags,
		 uint64_t operand, uint64_t compare, uint64_t *old)
{
	bool is_32 = flags & MCA_BTL_ATOMIC_FLAG_32BIT;
	int ret;

	if (unlikely(!atomic_can(op, flags, va)))
		return OPAL_ERR_NOT_SUPPORTED;
	if (ep->is_self) {
		*old = atomic_local(op, is_32, va, operand, compare);
		return OPAL_SUCCESS;
	}
	if (unlikely(!ep_peer(ep)))
		return ep_status(ep, -EPIPE);
	ret = xnuma_atomic(ep->memory, op, va, is_32 ? 4 : 8, operand, compare,
			   old);
	return likely(!ret) ? OPAL_SUCCESS : ep_status(ep, ret);
}

void atomic_result(void *to, int flags, uint64_t old)
{
	uint32_t old_32 = old;

	if (flags & MCA_BTL_ATOMIC_FLAG_32BIT)
		memcpy(to, &old_32, sizeof(old_32));
	else
		memcpy(to, &old, sizeof(old));
}

int btl_atomic_op(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		  uint64_t remote_address,
		  mca_btl_base_registration_handle_t *remote_handle,
		  mca_btl_base_atomic_op_t op, uint64_t operand, int flags,
		  int order, mca_btl_base_rdma_completion_fn_t cbfunc,
		  void *cbcontext, void *cbdata)
{
	uint64_t old;
	int ret;

	ret = apply(ep, atomic_op_of(op), remote_address, flags, operand, 0, &old);
	if (!ret && cbfunc)
		cbfunc(btl, ep, NULL, NULL, cbcontext, cbdata, OPAL_SUCCESS);
	return ret;
}

int btl_atomic_fop(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		   void *local_address, uint64_t remote_address,
		   mca_btl_base_registration_handle_t *local_handle,
		   mca_btl_base_registration_handle_t *remote_handle,
		   mca_btl_base_atomic_op_t op, uint64_t operand, int flags,
		   int order, mca_btl_base_rdma_completion_fn_t cbfunc,
		   void *cbcontext, void *cbdata)
{
	uint64_t old;
	int ret;

	ret = apply(ep, atomic_op_of(op), remote_address, flags, operand, 0, &old);
	if (ret)
		return ret;
	atomic_result(local_address, flags, old);
	if (cbfunc)
		cbfunc(btl, ep, local_address, local_handle, cbcontext, cbdata,
		       OPAL_SUCCESS);
	return OPAL_SUCCESS;
}

int btl_atomic_cswap(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		     void *local_address, uint64_t remote_address,
		     mca_btl_base_registration_handle_t *local_handle,
		     mca_btl_base_registration_handle_t *remote_handle,
		     uint64_t compare, uint64_t value, int flags, int order,
		     mca_btl_base_rdma_completion_fn_t cbfunc, void *cbcontext,
		     void *cbdata)
{
	uint64_t old;
	int ret;

	ret = apply(ep, XNUMA_CSWAP, remote_address, flags, value, compare,
		    &old);
	if (ret)
		return ret;
	atomic_result(local_address, flags, old);
	if (cbfunc)
		cbfunc(btl, ep, local_address, local_handle, cbcontext, cbdata,
		       OPAL_SUCCESS);
	return OPAL_SUCCESS;
}
