/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stamp.h - what a page of a torture test looks like
 *
 * The owner writes the stamp; each visitor adds to its own slot, so that a lost
 * store shows. Both on lines of their own.
 */
#ifndef XNUMA_TORTURE_STAMP_H
#define XNUMA_TORTURE_STAMP_H

#include "world.h"

struct stamp {
	_Atomic __u64 generation;	/* 0: being written, or never */
	_Atomic __u64 number;		/* of the page, and of the owner's life */
	_Atomic __u64 check;
	__u64 pad[5];
	_Atomic __u64 slot[VISITORS];
};

static inline __u64 stamp_check(__u64 number, __u64 generation)
{
	return (number ^ generation << 32) * 0x9e3779b97f4a7c15ULL | 1;
}

static inline void stamp_write(struct stamp *s, __u64 number, __u64 generation)
{
	atomic_store_explicit(&s->generation, 0, memory_order_release);
	atomic_store_explicit(&s->number, number, memory_order_release);
	atomic_store_explicit(&s->check, stamp_check(number, generation),
			      memory_order_release);
	atomic_store_explicit(&s->generation, generation, memory_order_release);
}

/* False: it is no stamp of that page. Zero is the generation of none. */
static inline bool stamp_read(const struct stamp *s, __u64 number,
			      __u64 *generation)
{
	__u64 g = atomic_load_explicit(&s->generation, memory_order_acquire);
	__u64 n = atomic_load_explicit(&s->number, memory_order_acquire);
	__u64 c = atomic_load_explicit(&s->check, memory_order_acquire);
	__u64 again = atomic_load_explicit(&s->generation,
					   memory_order_acquire);

	*generation = g;
	if (!g || g != again)	/* written meanwhile: nothing to be said */
		return true;
	return n == number && c == stamp_check(number, g);
}

static inline __u64 slots_sum(const struct stamp *s)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < VISITORS; i++)
		sum += atomic_load(&s->slot[i]);
	return sum;
}

#endif
