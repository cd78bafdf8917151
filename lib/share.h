/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share.h - a large copy that both sides do
 *
 * The getter has a word in its region of which both take parts by compare and
 * exchange: the getter from the front, the peer that it has called from the
 * back. The word names its copy by a generation, so that who comes late takes
 * nothing. Only the getter moves the front, so what it did not move itself is an
 * error. What the peer has copied it tells in a second word, in a line of its
 * own; the getter returns only when no part is in the peer's hands.
 *
 *	63 generation 24 | 23 back 12 | 11 front 0	claim: units taken
 *	63 generation 24 | 23 failed  | 11 units 0	done: of those at the back
 */
#ifndef XNUMA_SHARE_H
#define XNUMA_SHARE_H

#include "peer.h"

#define SHARE_BITS	12
#define SHARE_UNITS	((1U << SHARE_BITS) - 1)	/* most in a copy */
#define SHARE_FAILED	(1ULL << (2 * SHARE_BITS - 1))
#define SHARE_LEAST	(32UL << 10)		/* bytes worth a part */

/* The message; in the caller's numbers. */
struct share_call {
	uint64_t src;		/* in who is called */
	uint64_t dst;		/* in the caller */
	uint64_t len;
	uint64_t domain;	/* id of the caller's export */
	uint64_t generation;
	uint32_t slot;
	uint32_t zero;
};

/* How a copy is cut. */
struct share_cut {
	size_t len;
	size_t unit;		/* bytes */
	uint32_t units;
	uint64_t generation;	/* 40 bits, not 0 */
};

static inline struct share_cut share_cut(size_t len, uint64_t generation)
{
	struct share_cut cut = {
		.len = len, .unit = PAGE, .generation = generation,
	};

	while ((len - 1) / cut.unit >= SHARE_UNITS)
		cut.unit *= 2;
	cut.units = (len - 1) / cut.unit + 1;
	return cut;
}

static inline uint64_t share_word(const struct share_cut *cut)
{
	return cut->generation << 2 * SHARE_BITS;
}

static inline uint32_t share_front(uint64_t claim)
{
	return claim & SHARE_UNITS;
}

static inline uint32_t share_back(uint64_t claim)
{
	return claim >> SHARE_BITS & SHARE_UNITS;
}

/* Units that nobody has taken; 0 also of another copy, and of no claim at all. */
static inline uint32_t share_left(const struct share_cut *cut, uint64_t claim)
{
	uint32_t taken = share_front(claim) + share_back(claim);

	if (claim >> 2 * SHARE_BITS != cut->generation || taken > cut->units)
		return 0;
	return cut->units - taken;
}

/* Bytes of @cut from unit @at on, @units long. */
static inline size_t share_bytes(const struct share_cut *cut, uint32_t at,
				 uint32_t units)
{
	size_t start = at * cut->unit, len = units * cut->unit;

	return len < cut->len - start ? len : cut->len - start;
}

/* Can the peer be called to do a part of this? */
static inline bool share_may(const struct xnuma_import *imp, size_t len)
{
	const struct xnuma_config *config = &imp->dom->config;

	return imp->dom->share_min && len >= imp->dom->share_min &&
	       imp == &imp->peer->memory && !imp->self &&
	       !domain_inert(imp->dom) && config->flags & XNUMA_SHARES &&
	       imp->peer->blob.flags & BLOB_SHARES &&
	       config->policy == XNUMA_EXPORT_ALL;
}

/* xnuma_get() of what share_may() allowed. */
int share_get(struct xnuma_import *imp, char *dst, uint64_t va, size_t len);

/* The domain's own memory as peers see it; when the domain closes. */
void share_fini(struct xnuma_domain *dom);

#endif
