/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue_ring - what reader and senders of a queue agree on
 *
 *	header | owners | credits | pad to a page | shared ring | own rings ...
 *
 * A ring is an array of 64-byte lines, named by positions that only grow; the
 * lap is the position divided by the lines of a ring. A message starts with a
 * line whose first word is its header; everything that the reader acts on is
 * in this word, read once.
 *
 * Own ring: one sender. Payload starts at byte 16 of the header line and runs
 * on through the following lines, never around the end (a VOID fills it). The
 * sender publishes by one release store of the word. The reader clears
 * nothing; it knows a header by lap and kind. A line that held payload in the
 * last lap might look like one, so:
 *
 *   when a message is published, the line behind it is free and its word is no
 *   header of this lap.
 *
 * The reader only ever looks at the word of its head, which is the line behind
 * the last message that it saw, so it never takes payload for a header. The
 * sender keeps the rule by a bitmap of the lines that were headers in the last
 * lap: those hold the last lap's number, all others it zeroes first. (A ring
 * taken over starts with an all-zero bitmap and a zeroed first line.)
 *
 * Shared ring: any number of senders. The first word of each line is never
 * payload, here long messages are not contiguous: 48 bytes in the first line,
 * 56 in the others. A word is EMPTY with the lap in which it may be taken; the
 * reader writes EMPTY of the next lap into all lines of a message before it
 * returns them as credit. A sender reserves by compare-and-swap of the word at
 * the tail from EMPTY of this lap to RESERVED with length and identity: a late
 * one fails because the lap differs, whatever happened in between. Then it
 * advances the tail, or somebody who found it RESERVED does; it commits only
 * after that. So below the tail each header is RESERVED or committed, and who
 * dies at any instruction leaves its identity and length.
 *
 * Order across promotion: a sender reserves its messages one after the other,
 * hence at growing positions of the shared ring, and PROMOTE behind them. The
 * reader handles this ring by position and looks at the own ring only after
 * PROMOTE, that is after all of them; what follows is in the own ring only.
 */
#ifndef XNUMA_QUEUE_RING_H
#define XNUMA_QUEUE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_MAGIC		0x786e756d61512d31ULL
#define QUEUE_VERSION		1
#define QUEUE_LINE		64	/* bytes */
#define QUEUE_PAGE		4096	/* rings begin at a multiple */
#define QUEUE_HEAD		16	/* bytes of a message before payload */
#define QUEUE_PROMOTE_AFTER	16	/* messages */
#define QUEUE_SEND_MAX		(512UL << 10)

/*
 * Header word: lap 63..40, published 39, kind 38..37. Published: tag 31..24,
 * payload bytes (VOID: lines) 23..0. RESERVED: identity 36..14, lines 13..0.
 */
#define QUEUE_LAP_SHIFT		40
#define QUEUE_PUBLISHED_SHIFT	39
#define QUEUE_KIND_SHIFT	37
#define QUEUE_TAG_SHIFT		24
#define QUEUE_LEN_MASK		0xffffffU
#define QUEUE_ID_SHIFT		14
#define QUEUE_ID_MASK		0x7fffffU
#define QUEUE_LINES_MASK	0x3fffU

enum queue_kind {
	QUEUE_EMPTY	= 0,	/* to be reserved in this lap */
	QUEUE_RESERVED	= 1,	/* shared ring only */
	QUEUE_DATA	= 4,	/* from here on published */
	QUEUE_VOID	= 5,	/* no message in these lines */
	QUEUE_CONTROL	= 6,	/* shared: PROMOTE; own: END */
};

/* written once by the reader, then read only, but for the lines below */
struct queue_header {
	_Atomic uint64_t magic;
	uint32_t	version;
	uint32_t	max_rings;
	uint64_t	ring_size;
	uint64_t	sleeps;		/* the reader may arm */
	uint64_t	reserved[4];

	/* reader sets, the sender that wakes it takes */
	_Alignas(QUEUE_LINE) _Atomic uint32_t armed;

	/* shared ring: senders advance the tail, the reader the credit */
	_Alignas(QUEUE_LINE) _Atomic uint64_t tail;
	_Alignas(QUEUE_LINE) _Atomic uint64_t consumed;
};

_Static_assert(sizeof(struct queue_header) == 4 * QUEUE_LINE, "layout");

/* one per own ring: written by the reader, also where a new owner begins */
struct queue_credit {
	_Alignas(QUEUE_LINE) _Atomic uint64_t consumed;
};

/* sizes, checked once */
struct queue_shape {
	uint32_t	nlines;		/* of a ring, power of two */
	uint32_t	mask;		/* nlines - 1 */
	uint32_t	shift;		/* log2 nlines */
	uint32_t	max_rings;
	size_t		send_max;
	size_t		ring_size;
};

int queue_shape_init(struct queue_shape *shape, uint64_t ring_size,
		     uint64_t max_rings);

/* [max_rings], identity of the owner, 0: free. Senders claim by CAS. */
static inline _Atomic uint64_t *queue_owners(struct queue_header *header)
{
	return (_Atomic uint64_t *)(header + 1);
}

static inline size_t queue_owners_len(const struct queue_shape *shape)
{
	return (shape->max_rings * sizeof(uint64_t) + QUEUE_LINE - 1) &
	       -(size_t)QUEUE_LINE;
}

static inline struct queue_credit *
queue_credits(struct queue_header *header, const struct queue_shape *shape)
{
	char *owners = (char *)(header + 1);

	return (struct queue_credit *)(owners + queue_owners_len(shape));
}

/* bytes before the shared ring; the own rings follow that one */
static inline size_t queue_header_len(const struct queue_shape *shape)
{
	size_t len = sizeof(struct queue_header) + queue_owners_len(shape) +
		     shape->max_rings * sizeof(struct queue_credit);

	return (len + QUEUE_PAGE - 1) & -(size_t)QUEUE_PAGE;
}

static inline char *queue_line(char *ring, const struct queue_shape *shape,
			       uint64_t pos)
{
	return ring + (pos & shape->mask) * QUEUE_LINE;
}

static inline _Atomic uint64_t *queue_line_word(char *line)
{
	return (_Atomic uint64_t *)line;
}

/* source of a message; also who reserved, 0 until that is written */
static inline _Atomic uint64_t *queue_line_name(char *line)
{
	return (_Atomic uint64_t *)line + 1;
}

static inline uint64_t queue_word(const struct queue_shape *shape,
				  uint64_t pos, enum queue_kind kind)
{
	return (pos >> shape->shift) << QUEUE_LAP_SHIFT |
	       (uint64_t)kind << QUEUE_KIND_SHIFT;
}

static inline enum queue_kind queue_word_kind(uint64_t word)
{
	return (enum queue_kind)(word >> QUEUE_KIND_SHIFT & 7);
}

/* @expect: of any published kind at this position */
static inline int queue_word_published(uint64_t word, uint64_t expect)
{
	return (word ^ expect) >> QUEUE_PUBLISHED_SHIFT == 0;
}

static inline int queue_word_same_lap(uint64_t word, uint64_t expect)
{
	return (word ^ expect) >> QUEUE_LAP_SHIFT == 0;
}

static inline uint32_t queue_own_lines(size_t len)
{
	return (QUEUE_HEAD + len + QUEUE_LINE - 1) / QUEUE_LINE;
}

/*
 * Lines behind the first of @n are asked for all at once: each comes from the
 * other processor's cache, and a copy would wait for one after the other.
 */
#define QUEUE_AHEAD	64	/* lines, about what a cache can wait for */

static inline void queue_ahead_read(const char *line, uint32_t n)
{
	uint32_t i;

	for (i = 1; i < n && i < QUEUE_AHEAD; i++)
		__builtin_prefetch(line + i * QUEUE_LINE, 0);
}

static inline void queue_ahead_write(char *line, uint32_t n)
{
	uint32_t i;

	for (i = 1; i < n && i < QUEUE_AHEAD; i++) {
#ifdef __x86_64__
		/* the builtin reads unless told of 3DNow! or a newer processor */
		__asm__ volatile("prefetchw %0" : : "m"(line[i * QUEUE_LINE]));
#else
		__builtin_prefetch(line + i * QUEUE_LINE, 1);
#endif
	}
}

/* the shared ring keeps the first word of every line free of payload */
#define QUEUE_FIRST	48	/* payload bytes of the header line */
#define QUEUE_MORE	56	/* of each other line */

static inline uint32_t queue_shared_lines(size_t len)
{
	return len <= QUEUE_FIRST ? 1 :
	       1 + (len - QUEUE_FIRST + QUEUE_MORE - 1) / QUEUE_MORE;
}

/* bijective, so equal identities are equal names, but for one that gives 0 */
static inline uint64_t queue_identity(uint64_t name)
{
	name = (name ^ name >> 30) * 0xbf58476d1ce4e5b9ULL;
	name = (name ^ name >> 27) * 0x94d049bb133111ebULL;
	name ^= name >> 31;
	return name ? name : 1;
}

static inline uint64_t queue_reserved_by(uint64_t name)
{
	return (queue_identity(name) & QUEUE_ID_MASK) << QUEUE_ID_SHIFT;
}

/* one writer at a time, any reader */
static inline void queue_count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, n +
		atomic_load_explicit(counter, memory_order_relaxed),
		memory_order_relaxed);
}

#endif
