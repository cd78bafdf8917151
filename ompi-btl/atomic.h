/* SPDX-License-Identifier: BSD-3-Clause */
/* atomic.h - atomic operations: by windows (atomic.c), by request (emulate.c) */
#ifndef BTL_ATOMIC_H
#define BTL_ATOMIC_H

#include "component.h"

struct control;

/* Return: enum xnuma_op, or -ENOTSUP */
int atomic_op_of(mca_btl_base_atomic_op_t op);
/* Can one instruction do it? */
bool atomic_can(int op, int flags, uint64_t va);
/* On this process's own memory. Return: the value before */
uint64_t atomic_local(int op, bool is_32, uint64_t va, uint64_t operand,
		      uint64_t compare);
void atomic_result(void *to, int flags, uint64_t old);

int btl_atomic_op(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		  uint64_t remote_address,
		  mca_btl_base_registration_handle_t *remote_handle,
		  mca_btl_base_atomic_op_t op, uint64_t operand, int flags,
		  int order, mca_btl_base_rdma_completion_fn_t cbfunc,
		  void *cbcontext, void *cbdata);
int btl_atomic_fop(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		   void *local_address, uint64_t remote_address,
		   mca_btl_base_registration_handle_t *local_handle,
		   mca_btl_base_registration_handle_t *remote_handle,
		   mca_btl_base_atomic_op_t op, uint64_t operand, int flags,
		   int order, mca_btl_base_rdma_completion_fn_t cbfunc,
		   void *cbcontext, void *cbdata);
int btl_atomic_cswap(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		     void *local_address, uint64_t remote_address,
		     mca_btl_base_registration_handle_t *local_handle,
		     mca_btl_base_registration_handle_t *remote_handle,
		     uint64_t compare, uint64_t value, int flags, int order,
		     mca_btl_base_rdma_completion_fn_t cbfunc, void *cbcontext,
		     void *cbdata);

int emulate_op(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	       uint64_t remote_address,
	       mca_btl_base_registration_handle_t *remote_handle,
	       mca_btl_base_atomic_op_t op, uint64_t operand, int flags,
	       int order, mca_btl_base_rdma_completion_fn_t cbfunc,
	       void *cbcontext, void *cbdata);
int emulate_fop(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		void *local_address, uint64_t remote_address,
		mca_btl_base_registration_handle_t *local_handle,
		mca_btl_base_registration_handle_t *remote_handle,
		mca_btl_base_atomic_op_t op, uint64_t operand, int flags,
		int order, mca_btl_base_rdma_completion_fn_t cbfunc,
		void *cbcontext, void *cbdata);
int emulate_cswap(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		  void *local_address, uint64_t remote_address,
		  mca_btl_base_registration_handle_t *local_handle,
		  mca_btl_base_registration_handle_t *remote_handle,
		  uint64_t compare, uint64_t value, int flags, int order,
		  mca_btl_base_rdma_completion_fn_t cbfunc, void *cbcontext,
		  void *cbdata);

/* From the receiver of control messages, and when the peer is gone. */
void emulate_request(mca_btl_base_endpoint_t *ep,
		     const struct control *request);
void emulate_answer(mca_btl_base_endpoint_t *ep, const struct control *answer);
void emulate_fail(mca_btl_base_endpoint_t *ep, int status);

#endif /* BTL_ATOMIC_H */
