/* SPDX-License-Identifier: BSD-3-Clause */
/* queue_sender - what the files of the sender share */
#ifndef XNUMA_QUEUE_SENDER_H
#define XNUMA_QUEUE_SENDER_H

#include "queue.h"

static inline char *sender_shared(const struct sender *s)
{
	return (char *)s->header + queue_header_len(&s->shape);
}

static inline char *sender_own(const struct sender *s, uint32_t ring)
{
	return sender_shared(s) + (1 + (size_t)ring) * s->shape.ring_size;
}

static inline uint64_t sender_sent(const struct sender *s)
{
	return atomic_load_explicit(&s->messages, memory_order_relaxed);
}

/* published word of a message or (@low: lines) a void */
static inline uint64_t sender_word(const struct sender *s, uint64_t pos,
				   enum queue_kind kind, uint8_t tag,
				   uint64_t low)
{
	return queue_word(&s->shape, pos, kind) |
	       (uint64_t)tag << QUEUE_TAG_SHIFT | low;
}

static inline void sender_publish(char *line, uint64_t word)
{
	atomic_store_explicit(queue_line_word(line), word,
			      memory_order_release);
}

/* ---- own ring: queue_send.c ---- */

/* begin in a ring whose lines before @start are used up */
void sender_begin(struct sender *s, uint64_t start, uint64_t *headers);

/* ---- shared ring: queue_cold.c; the caller holds the sender's lock ---- */

int sender_cold_reserve(struct sender *s, size_t len, void **buf);
void sender_cold_commit(struct sender *s, enum queue_kind kind, uint8_t tag,
			size_t len);
void sender_cold_cancel(struct sender *s);

/* ---- promotion: queue_promote.c ---- */

/* 0: sends go on in the shared ring or in the own one; -EAGAIN */
int sender_promote(struct sender *s);
/* give back a ring that was claimed only */
void sender_unclaim(struct sender *s);

#endif
