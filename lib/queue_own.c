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

static void own_publish(struct queue *q, struct queue_own *own)
{
	struct queue_credit *credit = queue_credits(q->header, &q->shape);

	own->published = own->head;
	atomic_store_explicit(&credit[own - q->own].consumed, own->head,
			      memory_order_release);
}

void queue_own_begin(struct queue *q, uint32_t ring)
{
	struct queue_own *own = &q->own[ring];
	struct queue_slot *slot = &q->slots[q->nslots++];

	own->state = QUEUE_OWN_ACTIVE;
	own->last = q->polls;
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

	own_publish(q, own);
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

/* Lines of the message or void, 0 if it cannot be. */
static inline uint32_t lines_of(const struct queue *q, uint64_t word,
				uint64_t pos)
{
	uint32_t room = q->shape.nlines - (pos & q->shape.mask);
	uint32_t len = word & QUEUE_LEN_MASK, n;

	if (queue_word_kind(word) == QUEUE_DATA)
		n = len <= q->shape.send_max ? queue_own_lines(len) : 0;
	else if (queue_word_kind(word) == QUEUE_VOID)
		n = len;
	else
		n = queue_word_kind(word) == QUEUE_CONTROL;
	return n <= room ? n : 0;
}

static inline void own_handle(struct queue *q, char *line, uint64_t word,
			      xnuma_handler handler, void *arg)
{
	struct xnuma_message msg = {
		.data	= line + QUEUE_HEAD,
		.len	= word & QUEUE_LEN_MASK,
		.source	= atomic_load_explicit(queue_line_name(line),
					       memory_order_relaxed),
		.tag	= word >> QUEUE_TAG_SHIFT,
	};

	queue_count(&q->messages, 1);
	queue_count(&q->bytes, msg.len);
	handler(arg, &msg);
}

/* Up to @max messages and a bounded number of other headers. */
static int own_take(struct queue *q, struct queue_own *own,
		    struct queue_slot *slot, xnuma_handler handler, void *arg,
		    int max)
{
	char *ring = (char *)slot->word -
		     (own->head & q->shape.mask) * QUEUE_LINE;
	int n = 0, spare = QUEUE_SPARE;

	while (n < max && spare) {
		uint64_t word = atomic_load_explicit(slot->word,
						     memory_order_acquire);
		uint32_t lines;

		if (!queue_word_published(word, slot->expect))
			break;
		lines = lines_of(q, word, own->head);
		if (!lines) {
			own->state = QUEUE_OWN_BROKEN;
			break;
		}
		if (queue_word_kind(word) == QUEUE_DATA) {
			own_handle(q, (char *)slot->word, word, handler, arg);
			n++;
		} else {
			spare--;
		}
		own->head += lines;
		if (queue_word_kind(word) == QUEUE_CONTROL) {
			own->state = QUEUE_OWN_ENDED;
			break;
		}
		queue_slot_set(slot, ring, &q->shape, own->head);
		if (own->head - own->published >= q->shape.nlines / 4)
			own_publish(q, own);
	}
	return n;
}

int queue_own_drain(struct queue *q, unsigned int i, xnuma_handler handler,
		    void *arg, int max)
{
	uint32_t ring = queue_slot_ring(q, i);
	struct queue_own *own = &q->own[ring];
	int n;

	own->last = q->polls;
	n = own_take(q, own, &q->slots[i], handler, arg, max);
	if (own->state == QUEUE_OWN_ACTIVE) {
		if (!queue_slot_ready(&q->slots[i]))
			own_publish(q, own);
		return n;
	}
	slot_remove(q, i);
	if (own->state == QUEUE_OWN_ENDED)
		ring_free(q, ring);
	else
		queue_count(&q->garbage, 1);
	return n;
}
