// SPDX-License-Identifier: BSD-3-Clause
/*
 * queue_cold - sending in the ring that cold senders share
 *
 * Lock-free: a failed compare-and-swap means that another sender got on.
 */
#include <errno.h>
#include <stdlib.h>

#include "queue_sender.h"

/* compare-and-swaps lost in a row that are taken for a full ring */
#define COLD_TRIES	1000

static char *cold_line(const struct sender *s, uint64_t pos)
{
	return queue_line(sender_shared(s), &s->shape, pos);
}

/*
 * Lines up to @tail + @n are free: the reader's credit, seen with acquire, says
 * so. A @tail that is behind the credit is out of date: the swap fails.
 */
static bool cold_room(struct sender *s, uint64_t tail, uint32_t n)
{
	if ((int64_t)(tail - s->credit) + n <= s->shape.nlines)
		return true;
	s->credit = atomic_load_explicit(&s->header->consumed,
					 memory_order_acquire);
	return (int64_t)(tail - s->credit) + n <= s->shape.nlines;
}

/*
 * The tail moves over a line only after its word is RESERVED and before it is
 * committed, so whoever reads RESERVED of this lap knows how far to move it;
 * a swap from a position that the tail has left fails.
 */
static void cold_advance(struct sender *s, uint64_t tail, uint64_t word)
{
	uint64_t n = word & QUEUE_LINES_MASK;

	atomic_compare_exchange_strong_explicit(&s->header->tail, &tail,
						tail + n,
						memory_order_acq_rel,
						memory_order_relaxed);
}

static bool cold_take(struct sender *s, uint64_t tail, uint32_t n)
{
	_Atomic uint64_t *word = queue_line_word(cold_line(s, tail));
	uint64_t want = queue_word(&s->shape, tail, QUEUE_RESERVED) |
			queue_reserved_by(s->name) | n;
	uint64_t seen = queue_word(&s->shape, tail, QUEUE_EMPTY);

	if (atomic_compare_exchange_strong_explicit(word, &seen, want,
						    memory_order_acq_rel,
						    memory_order_acquire)) {
		cold_advance(s, tail, want);
		return true;
	}
	if (queue_word_same_lap(seen, want) &&
	    queue_word_kind(seen) == QUEUE_RESERVED)
		cold_advance(s, tail, seen);
	return false;
}

/* Payload of more than one line is not contiguous there: it waits here. */
static void *cold_buffer(struct sender *s, size_t len)
{
	if (len <= QUEUE_FIRST)
		return cold_line(s, s->pos) + QUEUE_HEAD;
	return s->bounce;
}

int sender_cold_reserve(struct sender *s, size_t len, void **buf)
{
	uint32_t n = queue_shared_lines(len), tries;
	uint64_t tail;

	if (len > QUEUE_FIRST && !s->bounce)
		s->bounce = malloc(s->shape.send_max);
	if (len > QUEUE_FIRST && !s->bounce)
		return -EAGAIN;
	for (tries = 0; tries < COLD_TRIES; tries++) {
		tail = atomic_load_explicit(&s->header->tail,
					    memory_order_acquire);
		if (!cold_room(s, tail, n))
			return -EAGAIN;
		if (!cold_take(s, tail, n))
			continue;
		s->pos = tail;
		s->nlines = n;
		atomic_store_explicit(queue_line_name(cold_line(s, tail)),
				      s->name, memory_order_relaxed);
		*buf = cold_buffer(s, len);
		return 0;
	}
	return -EAGAIN;
}

static void scatter(struct sender *s, size_t len)
{
	const char *from = s->bounce;
	uint64_t pos = s->pos;
	size_t n;

	memcpy(cold_line(s, pos) + QUEUE_HEAD, from, QUEUE_FIRST);
	from += QUEUE_FIRST;
	for (len -= QUEUE_FIRST; len; len -= n, from += n) {
		n = len < QUEUE_MORE ? len : QUEUE_MORE;
		memcpy(cold_line(s, ++pos) + QUEUE_LINE - QUEUE_MORE, from, n);
	}
}

/* Lines reserved but not needed are void. */
void sender_cold_commit(struct sender *s, enum queue_kind kind, uint8_t tag,
			size_t len)
{
	uint32_t n = queue_shared_lines(len);

	if (len > QUEUE_FIRST)
		scatter(s, len);
	else if (s->nlines > 1)
		memcpy(cold_line(s, s->pos) + QUEUE_HEAD, s->bounce, len);
	if (n < s->nlines)
		sender_publish(cold_line(s, s->pos + n),
			       sender_word(s, s->pos + n, QUEUE_VOID, 0,
					   s->nlines - n));
	sender_publish(cold_line(s, s->pos),
		       sender_word(s, s->pos, kind, tag, len));
}

void sender_cold_cancel(struct sender *s)
{
	sender_publish(cold_line(s, s->pos),
		       sender_word(s, s->pos, QUEUE_VOID, 0, s->nlines));
}
