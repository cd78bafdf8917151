/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz-values.h - random values for fields: mostly sensible, sometimes odd,
 * sometimes anything. Of an owner with FUZZ_PAGES at AREA.
 */
#ifndef XNUMA_TESTS_FUZZ_VALUES_H
#define XNUMA_TESTS_FUZZ_VALUES_H

#include <stdlib.h>

#include "fuzz.h"
#include "guest.h"

#define FUZZ_PAGES	256

static __thread unsigned int seed;	/* the caller sets it */

static inline unsigned int pick(unsigned int n)
{
	return (unsigned int)rand_r(&seed) % n;
}

/* Mostly sensible, sometimes odd, sometimes anything. */
static inline __u64 any_bits(void)
{
	return (__u64)rand_r(&seed) << 40 ^ (__u64)rand_r(&seed) << 20 ^
	       (__u64)rand_r(&seed);
}

static inline __u64 any_len(void)
{
	static const __u64 odd[] = { 0, 1, PAGE - 1, 1ULL << 47, -PAGE, ~0ULL };

	return pick(10) ? (1 + pick(FUZZ_PAGES)) * PAGE :
			  odd[pick(sizeof(odd) / sizeof(*odd))];
}

static inline __u64 any_va(void)
{
	switch (pick(12)) {
	case 0:
		return any_bits();
	case 1:
		return 0;
	case 2:
		return (1ULL << 47) - pick(3) * PAGE;
	default:
		return (__u64)AREA + pick(FUZZ_PAGES) * PAGE;
	}
}

static inline __u32 any_handle(void)
{
	return pick(10) ? 1 + pick(12) : (__u32)any_bits();
}

static inline __u32 any_flags(void)
{
	return pick(8) ? 0 : 1U << pick(32);
}

static inline __u32 any_rights(void)
{
	return pick(10) ? 1 + 2 * pick(2) : pick(9);
}

/* Now and then a field is anything, or one bit of it is wrong. */
static inline void mutate(unsigned long cmd, void *arg)
{
	const struct fuzz_call *c = fuzz_find(cmd);
	const struct fuzz_field *f = &c->field[pick((unsigned int)fuzz_fields(c))];
	__u64 value = 0;

	if (pick(5))
		return;
	if (pick(2)) {
		memcpy(&value, (char *)arg + f->at, f->size < 8 ? f->size : 8);
		fuzz_set(arg, f, value ^ 1ULL << pick(64));
	} else {
		fuzz_set(arg, f, any_bits());
	}
}

#endif
