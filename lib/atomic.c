/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "access.h"
#include "port.h"

struct operation {
	enum xnuma_op op;
	size_t size;
	uint64_t operand;
	uint64_t compare;
	uint64_t old;
};

#define DEFINE_ATOMIC(type)						\
static type atomic_##type(type *ptr, const struct operation *o)	\
{									\
	type operand = o->operand, old = o->compare;			\
									\
	switch (o->op) {						\
	case XNUMA_ADD:							\
		return __atomic_fetch_add(ptr, operand, __ATOMIC_SEQ_CST); \
	case XNUMA_AND:							\
		return __atomic_fetch_and(ptr, operand, __ATOMIC_SEQ_CST); \
	case XNUMA_OR:							\
		return __atomic_fetch_or(ptr, operand, __ATOMIC_SEQ_CST); \
	case XNUMA_XOR:							\
		return __atomic_fetch_xor(ptr, operand, __ATOMIC_SEQ_CST); \
	case XNUMA_SWAP:						\
		return __atomic_exchange_n(ptr, operand, __ATOMIC_SEQ_CST); \
	case XNUMA_CSWAP:						\
		__atomic_compare_exchange_n(ptr, &old, operand, 0,	\
					    __ATOMIC_SEQ_CST,		\
					    __ATOMIC_SEQ_CST);		\
		return old;						\
	}								\
	__builtin_unreachable();					\
}

DEFINE_ATOMIC(uint32_t)
DEFINE_ATOMIC(uint64_t)

static void atomic_do(void *ptr, struct operation *o)
{
	if (o->size == 4)
		o->old = atomic_uint32_t(ptr, o);
	else
		o->old = atomic_uint64_t(ptr, o);
}

/*
 * Never tried twice: when another thread's poison casts doubt on it, it may
 * have been done. So a failure here means "perhaps", as for a put.
 */
static int atomic_mapped(struct xnuma_import *imp, uint64_t va,
			 struct operation *o)
{
	struct thread *self = access_thread(imp->dom);
	size_t len = o->size;
	uint64_t begin;
	char *ptr;
	int ret;

	if (!status_alive(imp->status))
		return access_gone(imp);
	begin = access_begin(imp);
	if (!access_live(imp, va, len))
		return access_dead(imp);
	ret = window_enter(imp, self, va, &len, &ptr);
	if (ret)
		return ret;
	atomic_do(ptr, o);
	window_leave(self);
	if (access_stored(imp, begin))
		return 0;
	pthread_mutex_lock(&imp->poison_lock);
	ret = access_failed(imp);
	pthread_mutex_unlock(&imp->poison_lock);
	return ret;
}

static int atomic_check(const struct xnuma_import *imp, enum xnuma_op op,
			uint64_t va, size_t size)
{
	if (op > XNUMA_CSWAP || (size != 4 && size != 8) || va % size)
		return error(-EINVAL, "no atomic operation %d on %zu bytes at "
			     "%#llx", op, size, (unsigned long long)va);
	return access_check(imp, va, size, XNUMA_READ | XNUMA_WRITE);
}

int xnuma_atomic(struct xnuma_import *imp, enum xnuma_op op, uint64_t va,
		 size_t size, uint64_t operand, uint64_t compare,
		 uint64_t *old)
{
	struct operation o = {
		.op = op, .size = size, .operand = operand, .compare = compare,
	};
	int ret;

	if (domain_inert(imp->dom))
		return error_child();
	if (!thread_self())
		return -ENOMEM;
	ret = atomic_check(imp, op, va, size);
	if (ret)
		return ret;
	if (imp->self)
		atomic_do((void *)(uintptr_t)va, &o);
	else if (access_mapped(imp, va, size))
		ret = atomic_mapped(imp, va, &o);
	else
		ret = error(-ENOTSUP, "port %s has no atomics on this memory",
			    imp->dom->ops->name);
	if (ret)
		return ret;
	stat_add(imp->dom->shards, thread_current, STAT_atomics, 1);
	access_regain(imp);
	if (old)
		*old = o.old;
	return 0;
}
