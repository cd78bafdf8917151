/* SPDX-License-Identifier: BSD-3-Clause */
/* queue_reader - what the files of the reader share */
#ifndef XNUMA_QUEUE_READER_H
#define XNUMA_QUEUE_READER_H

#include "queue.h"

/* headers without a message that one visit takes before it goes on */
#define QUEUE_SPARE	64

/*
 * The private fields of @q are the caller's until queue_leave(). A nested call
 * finds its own thread's flag. Acquire and release hand the fields from one
 * polling thread to the next.
 */
static inline bool queue_enter(struct queue *q)
{
	if (atomic_load_explicit(&q->busy, memory_order_relaxed))
		return false;
	if (!q->single)
		return !atomic_exchange_explicit(&q->busy, true,
						 memory_order_acquire);
	atomic_store_explicit(&q->busy, true, memory_order_relaxed);
	q->plain = false;
	return true;
}

static inline void queue_leave(struct queue *q)
{
	if (q->single)
		q->plain = q->nhot == q->nslots && !q->turn;
	atomic_store_explicit(&q->busy, false, memory_order_release);
}

/* ---- slots ---- */

static inline void queue_slot_set(struct queue_slot *slot, char *ring,
				  const struct queue_shape *shape,
				  uint64_t pos)
{
	slot->word = queue_line_word(queue_line(ring, shape, pos));
	slot->expect = queue_word(shape, pos, QUEUE_DATA);
}

/* ring number of slot @i */
static inline uint32_t queue_slot_ring(const struct queue *q, unsigned int i)
{
	return q->slots[i].own - q->own;
}

static inline void queue_slot_swap(struct queue *q, unsigned int i,
				   unsigned int j)
{
	struct queue_slot slot = q->slots[i];

	q->slots[i] = q->slots[j];
	q->slots[j] = slot;
}

/* ---- own rings: queue_own.c ---- */

void queue_own_begin(struct queue *q, uint32_t ring);
int queue_own_drain(struct queue *q, unsigned int i, xnuma_handler handler,
		    void *arg, int max);
/* nobody sends in @ring any more and nothing in it is wanted */
void queue_own_end(struct queue *q, uint32_t ring);

/* ---- the shared ring: queue_shared.c ---- */

int queue_shared_drain(struct queue *q, xnuma_handler handler, void *arg,
		       int max);
/* would a drain get on? */
bool queue_shared_ready(struct queue *q);

/* ---- dead senders: queue_dead.c ---- */

void queue_bury(struct queue *q);
void queue_bury_free(struct queue *q);
/* @ring is about to be free: no grave may take it from its next owner */
void queue_bury_ring(struct queue *q, uint32_t ring);
/* has @word, RESERVED at the head, been left by a dead sender? */
bool queue_is_dead(struct queue *q, uint64_t word, char *line);

#endif
