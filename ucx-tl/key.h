/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * key.h - keys that their owner can take back, which UCX calls invalidation
 *
 * Memory is offered as a whole, and most keys say nothing (0). One that may be
 * taken back names a word of its owner, and stands as long as the word has the
 * key's number. Who gets looks at the word before and after: what was read is
 * data only if the key stood all the while, and reading too late harms nobody.
 *
 * Writing too late would. So who puts does it through the fence, a second
 * export of all memory, which the owner exchanges when a key is taken back: the
 * kernel ends what is under way through the old one.
 */
#ifndef UCX_KEY_H
#define UCX_KEY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "xnuma.h"

#define KEY_BITS	18
#define KEY_COUNT	(1U << KEY_BITS)	/* at a time */

/* Of the owner; touched only as it is used. */
struct key_word {
	_Atomic uint64_t	number;
	uint32_t		next;		/* free one */
};

/* Of a memory domain, with its lock. */
struct keys {
	struct key_word		*words;
	uint32_t		count;		/* words ever used */
	uint32_t		free;		/* KEY_COUNT: none */
};

/* Of an interface, for its peers, who know where it is. */
struct key_offer {
	uint64_t		words;		/* address of the first */
	_Atomic uint64_t	fences;		/* there were, the last counts */
	uint8_t			fence[2][XNUMA_RKEY_LEN]; /* by the lowest bit */
};

static inline uint32_t key_place(uint64_t key)
{
	return key & (KEY_COUNT - 1);
}

static inline uint64_t key_number(uint64_t key)
{
	return key >> KEY_BITS;
}

static inline uint64_t key_of(uint32_t place, uint64_t number)
{
	return number << KEY_BITS | place;
}

#endif /* UCX_KEY_H */
