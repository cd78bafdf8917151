/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share.h - a large copy that both sides do
 *
 * The getter has a word in its region of which both take parts by compare and
 * exchange: the getter from the front, the peer that it has called from the
 * back. The word names its copy by a generation, so that who comes late takes
 * nothing. What the peer has copied it tells in a second word, in a line of its
 * own; the getter returns only when no part is in the peer's hands.
 *
 *	63 generation 40 | 39 back 20 | 19 front 0	claim: units taken
 *	63 generation 40 | 39 failed  | 19 units 0	done: of those at the back
 */
#ifndef XNUMA_SHARE_H
#define XNUMA_SHARE_H

#include "peer.h"

#define SHARE_UNITS	((1U << 20) - 1)	/* most in a copy */
#define SHARE_FAILED	(1ULL << 39)
#define SHARE_LEAST	(32UL << 10)		/* bytes worth a part */

/* The message; in the caller's numbers. */
struct share_call {
	uint64_t src;		/* in who is called */
	uint64_t dst;		/* in the caller */
	uint64_t len;
	uint32_t slot;
	uint32_t generation;
};

/* How a copy is cut. */
struct share_cut {
	size_t len;
	size_t unit;		/* bytes */
	uint32_t units;
	uint32_t generation;	/* 24 bits, not 0 */
};

static inline struct share_cut share_cut(size_t len, uint32_t generation)
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
	return (uint64_t)cut->generation << 40;
}

static inline uint32_t share_front(uint64_t claim)
{
	return claim & SHARE_UNITS;
}

static inline uint32_t share_back(uint64_t claim)
{
	return claim >> 20 & SHARE_UNITS;
}

/* Units that nobody has taken; 0 also of another copy, and of no claim at all. */
static inline uint32_t share_left(const struct share_cut *cut, uint64_t claim)
{
	uint32_t taken = share_front(claim) + share_back(claim);

	if (claim >> 40 != cut->generation || taken > cut->units)
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
	       imp == &imp->peer->memory &&
	       imp->peer->blob.flags & BLOB_SHARES &&
	       config->policy == XNUMA_EXPORT_ALL;
}

/* xnuma_get() of what share_may() allowed. */
int share_get(struct xnuma_import *imp, char *dst, uint64_t va, size_t len);

/*
 * Own memory at @src to where the peer wants it, both through windows: whatever
 * the peer said @src was, reading it is no more than it could do itself, and an
 * error at worst. 0 or -errno.
 */
int share_through(struct xnuma_peer *peer, uint64_t src, uint64_t dst,
		  size_t len);

/* The domain's own memory as peers see it; when the domain closes. */
void share_fini(struct xnuma_domain *dom);

#endif
