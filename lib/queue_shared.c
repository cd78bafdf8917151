// SPDX-License-Identifier: BSD-3-Clause
/*
 * queue_shared - the reader's side of the ring that cold senders share
 *
 * A header that makes no sense costs its line; the reader then passes over
 * EMPTY lines below the tail, where no header can be EMPTY, until it meets a
 * header again.
 */
#include "queue_reader.h"

static void set_resync(struct queue *q, bool resync)
{
	if (resync == q->resync)
		return;
	q->resync = resync;
	if (resync)
		atomic_fetch_add_explicit(&q->chores, 1, memory_order_relaxed);
	else
		atomic_fetch_sub_explicit(&q->chores, 1, memory_order_relaxed);
}

/*
 * The position of the next header is unknown, but a line that is EMPTY when the
 * tail has passed it is none. In this order: it may be reserved at any time.
 */
static bool lost(const struct queue *q)
{
	uint64_t tail, word;

	if (!q->resync)
		return false;
	tail = atomic_load_explicit(&q->header->tail, memory_order_acquire);
	if (tail - q->head - 1 >= q->shape.nlines)
		return false;
	word = atomic_load_explicit(q->slots[0].word, memory_order_relaxed);
	return queue_word_kind(word) == QUEUE_EMPTY &&
	       queue_word_same_lap(word, q->slots[0].expect);
}

static bool abandoned(struct queue *q, uint64_t word)
{
	return queue_word_kind(word) == QUEUE_RESERVED &&
	       queue_word_same_lap(word, q->slots[0].expect) &&
	       atomic_load_explicit(&q->chores, memory_order_relaxed) &&
	       queue_is_dead(q, word, (char *)q->slots[0].word);
}

bool queue_shared_ready(struct queue *q)
{
	uint64_t word = atomic_load_explicit(q->slots[0].word,
					     memory_order_acquire);

	return queue_word_published(word, q->slots[0].expect) ||
	       abandoned(q, word) || lost(q);
}

/* Contiguous payload: in place, or copied together. */
static const void *gather(const struct queue *q, size_t len)
{
	char *to = q->bounce, *line = (char *)q->slots[0].word;
	uint64_t pos = q->head;
	size_t n;

	if (len <= QUEUE_FIRST)
		return line + QUEUE_HEAD;
	memcpy(to, line + QUEUE_HEAD, QUEUE_FIRST);
	to += QUEUE_FIRST;
	for (len -= QUEUE_FIRST; len; len -= n, to += n) {
		line = queue_line(q->shared, &q->shape, ++pos);
		n = len < QUEUE_MORE ? len : QUEUE_MORE;
		memcpy(to, line + QUEUE_LINE - QUEUE_MORE, n);
	}
	return q->bounce;
}

static void shared_handle(struct queue *q, uint64_t word, xnuma_handler handler,
		   void *arg)
{
	size_t len = word & QUEUE_LEN_MASK;
	struct xnuma_message msg = {
		.data	= gather(q, len),
		.len	= len,
		.source	= atomic_load_explicit(
				queue_line_name((char *)q->slots[0].word),
				memory_order_relaxed),
		.tag	= word >> QUEUE_TAG_SHIFT,
	};

	queue_count(&q->messages, 1);
	queue_count(&q->bytes, len);
	handler(arg, &msg);
}

/* Only the owner of a ring that nobody spoke in before can announce it. */
static bool promote(struct queue *q)
{
	char *line = (char *)q->slots[0].word;
	uint64_t owner, name;
	uint32_t ring;

	memcpy(&ring, line + QUEUE_HEAD, sizeof(ring));
	if (ring >= q->shape.max_rings || q->own[ring].state != QUEUE_OWN_IDLE)
		return false;
	owner = atomic_load_explicit(&queue_owners(q->header)[ring],
				     memory_order_relaxed);
	name = atomic_load_explicit(queue_line_name(line),
				    memory_order_relaxed);
	if (owner != queue_identity(name))
		return false;
	queue_own_begin(q, ring);
	return true;
}

/* Lines of a published word that is no message, 0 if it cannot be. */
static uint32_t control(struct queue *q, uint64_t word)
{
	uint32_t lines = word & QUEUE_LEN_MASK;

	switch (queue_word_kind(word)) {
	case QUEUE_VOID:
		return lines <= q->shape.nlines ? lines : 0;
	case QUEUE_CONTROL:
		return promote(q);
	default:
		return 0;
	}
}

/* Lines of what is at the head, 0: nothing to be done now. */
static uint32_t judge(struct queue *q, uint64_t word)
{
	uint32_t lines;

	if (queue_word_published(word, q->slots[0].expect)) {
		lines = control(q, word);
		if (lines)
			return lines;
		queue_count(&q->garbage, 1);
		set_resync(q, true);
		return 1;
	}
	if (abandoned(q, word)) {
		lines = word & QUEUE_LINES_MASK;
		queue_count(&q->skipped, 1);
		return lines && lines <= q->shape.nlines ? lines : 1;
	}
	return lost(q);
}

/*
 * No payload is in first words, so they need not be cleared of it; they must
 * carry the next lap before a sender can know that they are free. The name is 0
 * until the next one that reserves has written its own.
 */
static void give_back(struct queue *q, uint32_t lines)
{
	char *line;

	for (; lines; lines--, q->head++) {
		line = queue_line(q->shared, &q->shape, q->head);
		atomic_store_explicit(queue_line_name(line), 0,
				      memory_order_relaxed);
		atomic_store_explicit(queue_line_word(line),
				      queue_word(&q->shape, q->head +
						 q->shape.nlines, QUEUE_EMPTY),
				      memory_order_relaxed);
	}
	queue_slot_set(&q->slots[0], q->shared, &q->shape, q->head);
}

static bool is_message(const struct queue *q, uint64_t word)
{
	return queue_word_published(word, q->slots[0].expect) &&
	       queue_word_kind(word) == QUEUE_DATA &&
	       (word & QUEUE_LEN_MASK) <= q->shape.send_max;
}

static void shared_publish(struct queue *q)
{
	q->published = q->head;
	atomic_store_explicit(&q->header->consumed, q->head,
			      memory_order_release);
}

/* As in own rings, a visit owes no credit unless a header is waiting. */
int queue_shared_drain(struct queue *q, xnuma_handler handler, void *arg,
		       int max)
{
	int n = 0, spare = QUEUE_SPARE;
	uint32_t lines;
	uint64_t word;

	for (;;) {
		word = atomic_load_explicit(q->slots[0].word,
					    memory_order_acquire);
		if (n == max || !spare)
			break;
		if (is_message(q, word)) {
			shared_handle(q, word, handler, arg);
			lines = queue_shared_lines(word & QUEUE_LEN_MASK);
			set_resync(q, false);
			n++;
		} else {
			lines = judge(q, word);
			spare--;
		}
		if (!lines)
			break;
		give_back(q, lines);
		if (q->head - q->published >= q->shape.nlines / 4)
			shared_publish(q);
	}
	if (q->published != q->head &&
	    !queue_word_published(word, q->slots[0].expect))
		shared_publish(q);
	return n;
}
