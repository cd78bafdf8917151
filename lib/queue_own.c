// SPDX-License-Identifier: BSD-3-Clause
/*
 * queue_own - the reader's side of the rings that one sender owns
 *
 * A header word is copied once and judged before use. A ring whose header
 * makes no sense is not looked at any more and goes to nobody else until its
 * owner is dead: its owner alone is harmed.
 *
 * Credit is published when a quarter of the ring was handled and whenever the
 * ring is seen empty. A visit ends without it only where a header is waiting,
 * which the next visit takes: so a sender that waits for room always gets it,
 * and an idle ring owes nothing.
 */
#include "queue_reader.h"

static _Atomic uint64_t *credit_of(const struct queue *q, uint32_t ring)
{
	return &queue_credits(q->header, &q->shape)[ring].consumed;
}

static inline void own_publish(struct queue_own *own)
{
	own->published = own->head;
	atomic_store_explicit(own->credit, own->head, memory_order_release);
}

void queue_own_begin(struct queue *q, uint32_t ring)
{
	struct queue_own *own = &q->own[ring];
	struct queue_slot *slot = &q->slots[q->nslots++];

	own->state = QUEUE_OWN_ACTIVE;
	own->credit = credit_of(q, ring);
	own->last = queue_polls(q);
	slot->own = own;
	queue_slot_set(slot, q->rings + ring * q->shape.ring_size, &q->shape,
		       own->head);
	queue_slot_swap(q, q->nslots - 1, q->nhot++);
	queue_count(&q->promotions, 1);
}

static void slot_remove(struct queue *q, unsigned int i)
{
	if (i < q->nhot) {
		q->slots[i] = q->slots[--q->nhot];
		i = q->nhot;
	}
	q->slots[i] = q->slots[--q->nslots];
}

/*
 * The next owner begins at the published position, never 0 again, which tells
 * it not to trust the lines. It may come only after that store.
 */
static void ring_free(struct queue *q, uint32_t ring)
{
	struct queue_own *own = &q->own[ring];

	own->credit = credit_of(q, ring);	/* perhaps it never began */
	own_publish(own);
	own->state = QUEUE_OWN_IDLE;
	queue_bury_ring(q, ring);
	atomic_store_explicit(&queue_owners(q->header)[ring], 0,
			      memory_order_release);
}

/* A lap is left out: what the dead sender left carries a lap gone by. */
void queue_own_end(struct queue *q, uint32_t ring)
{
	unsigned int i;

	for (i = 1; i < q->nslots; i++) {
		if (queue_slot_ring(q, i) == ring) {
			slot_remove(q, i);
			break;
		}
	}
	q->own[ring].head += q->shape.nlines;
	ring_free(q, ring);
}

static inline void own_handle(const char *line, uint64_t word,
			      xnuma_handler handler, void *arg)
{
	const struct xnuma_message msg = {
		.data	= line + QUEUE_HEAD,
		.len	= word & QUEUE_LEN_MASK,
		.source	= atomic_load_explicit(queue_line_name((char *)line),
					       memory_order_relaxed),
		.tag	= word >> QUEUE_TAG_SHIFT,
	};

	handler(arg, &msg);
}

/* Do so many lines reach no further than the end of the ring? */
static inline bool has_room(const struct queue *q, const struct queue_own *own,
			    uint32_t lines)
{
	return lines <= q->shape.nlines - (own->head & q->shape.mask);
}

static inline void own_advance(const struct queue *q, struct queue_own *own,
			       struct queue_slot *slot, uint32_t lines)
{
	own->head += lines;
	slot->word += lines * (QUEUE_LINE / sizeof(*slot->word));
	if (!(own->head & q->shape.mask))
		queue_slot_set(slot, (char *)slot->word - q->shape.ring_size,
			       &q->shape, own->head);
	if (own->head - own->published >= q->shape.nlines / 4)
		own_publish(own);
}

/* Lines of a message, 0 if it cannot be. */
static inline uint32_t data_lines(const struct queue *q,
				  const struct queue_own *own, uint64_t word)
{
	uint32_t len = word & QUEUE_LEN_MASK;

	if (len <= QUEUE_FIRST)
		return 1;
	if (len > q->shape.send_max || !has_room(q, own, queue_own_lines(len)))
		return 0;
	return queue_own_lines(len);
}

static void own_leave(struct queue *q, unsigned int i,
		      enum queue_own_state state)
{
	uint32_t ring = queue_slot_ring(q, i);

	q->own[ring].state = state;
	slot_remove(q, i);
	if (state == QUEUE_OWN_ENDED) {
		q->own[ring].head++;
		ring_free(q, ring);
	} else {
		queue_count(&q->garbage, 1);
	}
}

/* A published @word that is no message. False: no more of this ring now. */
static bool __attribute__((noinline, cold))
own_other(struct queue *q, unsigned int i, uint64_t word, int *spare)
{
	struct queue_own *own = q->slots[i].own;
	uint32_t lines = word & QUEUE_LEN_MASK;

	if (!(*spare)--)
		return false;
	if (queue_word_kind(word) == QUEUE_CONTROL) {
		own_leave(q, i, QUEUE_OWN_ENDED);
		return false;
	}
	if (queue_word_kind(word) != QUEUE_VOID || !lines ||
	    !has_room(q, own, lines)) {
		own_leave(q, i, QUEUE_OWN_BROKEN);
		return false;
	}
	own_advance(q, own, &q->slots[i], lines);
	return true;
}

/* Up to @max messages and a bounded number of other headers. */
static inline __attribute__((always_inline))
int own_drain(struct queue *q, unsigned int i, xnuma_handler handler, void *arg,
	      int max)
{
	struct queue_slot *slot = &q->slots[i];
	struct queue_own *own = slot->own;
	int n = 0, spare = QUEUE_SPARE;
	uint64_t word;
	uint32_t lines;

	own->last = queue_polls(q);
	for (;;) {
		word = atomic_load_explicit(slot->word, memory_order_acquire);
		if (!queue_word_published(word, slot->expect))
			break;
		if (n >= max)
			return n;
		lines = queue_word_kind(word) == QUEUE_DATA ?
			data_lines(q, own, word) : 0;
		if (!lines) {
			if (!own_other(q, i, word, &spare))
				return n;
			continue;
		}
		queue_ahead_read((char *)slot->word, lines);
		own_handle((char *)slot->word, word, handler, arg);
		queue_count(&q->messages, 1);
		queue_count(&q->bytes, word & QUEUE_LEN_MASK);
		own_advance(q, own, slot, lines);
		n++;
	}
	own_publish(own);
	return n;
}

int queue_own_drain(struct queue *q, unsigned int i, xnuma_handler handler,
		    void *arg, int max)
{
	return own_drain(q, i, handler, arg, max);
}

int queue_poll_own(struct queue *q, unsigned int i, xnuma_handler handler,
		   void *arg, int max)
{
	int n = 0;

	atomic_store_explicit(&q->busy, true, memory_order_relaxed);
	q->plain = false;
	do {
		n += own_drain(q, i++, handler, arg, max - n);
		if (n >= max) {
			q->turn = i < q->nhot ? i : 0;
			break;
		}
		while (i < q->nhot && !queue_slot_ready(&q->slots[i]))
			i++;
	} while (i < q->nhot);
	queue_leave(q);
	return n;
}
