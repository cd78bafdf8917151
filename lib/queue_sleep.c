// SPDX-License-Identifier: BSD-3-Clause
/* queue_sleep - is there something, and who tells when there is? */
#include <errno.h>

#include "queue_reader.h"

/* Cold rings count too: nobody polls while asleep. */
static bool pending(struct queue *q)
{
	unsigned int i;

	if (atomic_load_explicit(&q->chores, memory_order_relaxed))
		queue_bury(q);
	if (queue_shared_ready(q))
		return true;
	for (i = 1; i < q->nslots; i++)
		if (queue_slot_ready(&q->slots[i]))
			return true;
	return false;
}

bool queue_pending(struct queue *q)
{
	bool ret;

	if (!queue_enter(q))
		return true;
	ret = pending(q);
	queue_leave(q);
	return ret;
}

/* The other half of sender_must_wake(). */
int queue_arm(struct queue *q)
{
	int ret = 0;

	if (!q->sleeps)
		return -ENOTSUP;
	if (!queue_enter(q))
		return -EBUSY;
	atomic_store_explicit(&q->header->armed, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (pending(q)) {
		queue_disarm(q);
		ret = -EBUSY;
	}
	queue_leave(q);
	return ret;
}

void queue_disarm(struct queue *q)
{
	atomic_store_explicit(&q->header->armed, 0, memory_order_relaxed);
}

bool queue_blocked(struct queue *q, uint64_t *name)
{
	uint64_t word;
	bool ret = false;

	if (!queue_enter(q))
		return false;
	word = atomic_load_explicit(q->slots[0].word, memory_order_acquire);
	if (queue_word_kind(word) == QUEUE_RESERVED &&
	    queue_word_same_lap(word, q->slots[0].expect)) {
		*name = atomic_load_explicit(
				queue_line_name((char *)q->slots[0].word),
				memory_order_relaxed);
		ret = (word & (uint64_t)QUEUE_ID_MASK << QUEUE_ID_SHIFT) ==
		      queue_reserved_by(*name);
	}
	queue_leave(q);
	return ret;
}
