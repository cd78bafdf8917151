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
#define QUEUE_PROMOTE_AFTER	16	/* messages */

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

/* sizes, checked once */
struct queue_shape {
	uint32_t	nlines;		/* of a ring, power of two */
	uint32_t	mask;		/* nlines - 1 */
	uint32_t	shift;		/* log2 nlines */
	uint32_t	max_rings;
	size_t		send_max;
	size_t		ring_size;
};

#endif
