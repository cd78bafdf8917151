// SPDX-License-Identifier: BSD-3-Clause
/* atomic.c - atomic operations of the processor on a peer's memory */
#include "component.h"

static const int8_t ops[UCT_ATOMIC_OP_LAST] = {
	[UCT_ATOMIC_OP_ADD] = XNUMA_ADD,
	[UCT_ATOMIC_OP_AND] = XNUMA_AND,
	[UCT_ATOMIC_OP_OR] = XNUMA_OR,
	[UCT_ATOMIC_OP_XOR] = XNUMA_XOR,
	[UCT_ATOMIC_OP_SWAP] = XNUMA_SWAP,
	[UCT_ATOMIC_OP_CSWAP] = XNUMA_CSWAP,
};

struct atomic {
	uint64_t va, operand, compare, *old;
	size_t size;
	enum xnuma_op op;
};

static int apply_to(struct xnuma_import *memory, void *arg)
{
	const struct atomic *a = arg;

	return xnuma_atomic(memory, a->op, a->va, a->size, a->operand,
			    a->compare, a->old);
}

static ucs_status_t apply(uct_ep_h tl_ep, unsigned int op, uint64_t va,
			  size_t size, uint64_t operand, uint64_t compare,
			  uint64_t *old, uct_rkey_t key)
{
	struct atomic a = {
		.va = va, .operand = operand, .compare = compare, .old = old,
		.size = size,
	};
	struct ep *ep = ep_of(tl_ep);
	int ret;

	if (unlikely(op >= UCT_ATOMIC_OP_LAST))
		return UCS_ERR_UNSUPPORTED;
	if (unlikely(ep->invalid))
		return ep->error;
	a.op = ops[op];
	if (unlikely(key))
		return keyed_write(ep, key, apply_to, &a);
	ret = apply_to(ep->memory, &a);
	return likely(!ret) ? UCS_OK : ep_error(ep, ret);
}

ucs_status_t atomic_post32(uct_ep_h ep, unsigned int op, uint32_t value,
			   uint64_t va, uct_rkey_t rkey)
{
	return apply(ep, op, va, 4, value, 0, NULL, rkey);
}

ucs_status_t atomic_post64(uct_ep_h ep, unsigned int op, uint64_t value,
			   uint64_t va, uct_rkey_t rkey)
{
	return apply(ep, op, va, 8, value, 0, NULL, rkey);
}

static ucs_status_t fetch32(uct_ep_h ep, unsigned int op, uint64_t va,
			    uint32_t operand, uint32_t compare,
			    uint32_t *result, uct_rkey_t rkey)
{
	uint64_t old;
	ucs_status_t status = apply(ep, op, va, 4, operand, compare, &old,
				    rkey);

	if (likely(status == UCS_OK))
		*result = old;
	return status;
}

ucs_status_t atomic_fetch32(uct_ep_h ep, unsigned int op, uint32_t value,
			    uint32_t *result, uint64_t va, uct_rkey_t rkey,
			    uct_completion_t *comp)
{
	return fetch32(ep, op, va, value, 0, result, rkey);
}

ucs_status_t atomic_fetch64(uct_ep_h ep, unsigned int op, uint64_t value,
			    uint64_t *result, uint64_t va, uct_rkey_t rkey,
			    uct_completion_t *comp)
{
	return apply(ep, op, va, 8, value, 0, result, rkey);
}

ucs_status_t atomic_cswap32(uct_ep_h ep, uint32_t compare, uint32_t swap,
			    uint64_t va, uct_rkey_t rkey, uint32_t *result,
			    uct_completion_t *comp)
{
	return fetch32(ep, UCT_ATOMIC_OP_CSWAP, va, swap, compare, result, rkey);
}

ucs_status_t atomic_cswap64(uct_ep_h ep, uint64_t compare, uint64_t swap,
			    uint64_t va, uct_rkey_t rkey, uint64_t *result,
			    uct_completion_t *comp)
{
	return apply(ep, UCT_ATOMIC_OP_CSWAP, va, 8, swap, compare, result, rkey);
}
