// SPDX-License-Identifier: BSD-3-Clause
/*
 * queue - the reader: which rings are looked at, and when
 *
 * A poll looks at the shared ring, at each hot ring and at one cold ring. A
 * ring gets cold when it was silent for QUEUE_QUIET polls and there are more
 * than QUEUE_KEEP hot ones; its next message waits for at most as many polls
 * as there are cold rings, then it is hot again.
 */
#include <errno.h>
#include <stdlib.h>

#include "queue_reader.h"

#define QUEUE_KEEP	8	/* rings that stay hot */
#define QUEUE_QUIET	4096	/* polls */

int queue_shape_init(struct queue_shape *shape, uint64_t ring_size,
		     uint64_t max_rings)
{
	if (ring_size < 4096 || ring_size > 16 << 20 ||
	    ring_size & (ring_size - 1))
		return -EINVAL;
	if (max_rings < 1 || max_rings > 65536)
		return -EINVAL;
	shape->ring_size = ring_size;
	shape->nlines = ring_size / QUEUE_LINE;
	shape->mask = shape->nlines - 1;
	shape->shift = __builtin_ctz(shape->nlines);
	shape->max_rings = max_rings;
	shape->send_max = ring_size / 4;
	if (shape->send_max > QUEUE_SEND_MAX)
		shape->send_max = QUEUE_SEND_MAX;
	return 0;
}

size_t queue_size(const struct xnuma_config *config)
{
	struct queue_shape shape;

	if (queue_shape_init(&shape, config->ring_size, config->max_rings))
		return 0;
	return queue_header_len(&shape) +
	       (1 + (size_t)shape.max_rings) * shape.ring_size;
}

size_t queue_send_max(const struct xnuma_config *config)
{
	struct queue_shape shape;

	if (queue_shape_init(&shape, config->ring_size, config->max_rings))
		return 0;
	return shape.send_max;
}

static void header_write(struct queue *q)
{
	struct queue_header *header = q->header;

	header->version = QUEUE_VERSION;
	header->max_rings = q->shape.max_rings;
	header->ring_size = q->shape.ring_size;
	header->sleeps = q->sleeps;
	atomic_store_explicit(&header->magic, QUEUE_MAGIC,
			      memory_order_release);
}

int queue_init(struct queue *q, void *mem, const struct xnuma_config *config)
{
	int ret;

	memset(q, 0, sizeof(*q));
	if (!mem || (uintptr_t)mem % QUEUE_PAGE)
		return -EINVAL;
	ret = queue_shape_init(&q->shape, config->ring_size,
			       config->max_rings);
	if (ret)
		return ret;
	/* as many as there can ever be: an announced ring must find room */
	q->slots = calloc(1 + (size_t)q->shape.max_rings, sizeof(*q->slots));
	if (!q->slots)
		return -ENOMEM;
	ret = -ENOMEM;
	q->own = calloc(q->shape.max_rings, sizeof(*q->own));
	if (!q->own)
		goto err_slots;
	q->bounce = malloc(q->shape.send_max);
	if (!q->bounce)
		goto err_own;
	q->header = mem;
	q->shared = (char *)mem + queue_header_len(&q->shape);
	q->rings = q->shared + q->shape.ring_size;
	q->single = config->flags & XNUMA_SINGLE_THREAD;
	q->sleeps = config->flags & XNUMA_SLEEPS;
	queue_slot_set(&q->slots[0], q->shared, &q->shape, 0);
	q->nhot = q->nslots = 1;
	q->plain = q->single;
	header_write(q);
	return 0;

err_own:
	free(q->own);
err_slots:
	free(q->slots);
	return ret;
}

void queue_fini(struct queue *q)
{
	queue_bury_free(q);
	free(q->bounce);
	free(q->own);
	free(q->slots);
	memset(q, 0, sizeof(*q));
}

/* The silent ones change places with the last hot one. */
static void cool_down(struct queue *q)
{
	unsigned int i = 1;

	while (i < q->nhot && q->nhot > 1 + QUEUE_KEEP) {
		struct queue_own *own = q->slots[i].own;

		if (queue_polls(q) - own->last > QUEUE_QUIET)
			queue_slot_swap(q, i, --q->nhot);
		else
			i++;
	}
}

static int visit_cold(struct queue *q, xnuma_handler handler, void *arg,
		      int max)
{
	if (q->cold < q->nhot || q->cold >= q->nslots)
		q->cold = q->nhot;
	if (!queue_slot_ready(&q->slots[q->cold])) {
		q->cold++;
		return 0;
	}
	queue_slot_swap(q, q->cold, q->nhot++);
	return queue_own_drain(q, q->nhot - 1, handler, arg, max);
}

static inline unsigned int next_ready(const struct queue *q, unsigned int i)
{
	const struct queue_slot *slots = q->slots;
	unsigned int nhot = q->nhot;

	while (i < nhot && !queue_slot_ready(&slots[i]))
		i++;
	return i;
}

/*
 * Slots from @i on. A ring that used up @max is followed by its neighbour
 * in the next poll, so that none starves another.
 */
static inline int poll_slots(struct queue *q, unsigned int i,
			     xnuma_handler handler, void *arg, int max)
{
	int n = 0;

	for (; (i = next_ready(q, i)) < q->nhot; i++) {
		n += i ? queue_own_drain(q, i, handler, arg, max - n) :
			 queue_shared_drain(q, handler, arg, max - n);
		if (n >= max) {
			q->turn = i + 1 < q->nhot ? i + 1 : 0;
			break;
		}
	}
	return n;
}

int queue_poll_any(struct queue *q, bool counted, xnuma_handler handler,
		   void *arg, int max)
{
	unsigned int turn;
	int n = 0;

	if (!queue_enter(q))
		return 0;
	if (!counted)
		queue_polled(q);
	if (queue_polls(q) % QUEUE_SWEEP == 0)
		cool_down(q);
	if (atomic_load_explicit(&q->chores, memory_order_relaxed)) {
		queue_bury(q);
		n = queue_shared_drain(q, handler, arg, max);
	}
	turn = q->turn;
	q->turn = 0;
	if (turn && n < max)
		n += poll_slots(q, turn, handler, arg, max - n);
	if (n < max)
		n += poll_slots(q, 0, handler, arg, max - n);
	if (q->nslots > q->nhot && n < max)
		n += visit_cold(q, handler, arg, max - n);
	queue_leave(q);
	return n;
}
