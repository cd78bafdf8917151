// SPDX-License-Identifier: BSD-3-Clause
/*
 * queue_dead - what a sender left that died
 *
 * A grave notes, at the time of the report, the end of what the dead sender can
 * have reserved in the shared ring and the rings it owned: a successor of the
 * same name that comes later is not touched. Pollers then pass over its
 * reservations. When the shared ring is handled up to that end, every PROMOTE
 * of its has been seen, so a ring of its that is not active never will be; an
 * active one is freed when it is drained.
 */
#include <errno.h>
#include <stdlib.h>

#include "queue_reader.h"

struct queue_grave {
	struct queue_grave *next;
	uint64_t	name;
	uint64_t	until;		/* position in the shared ring */
	unsigned int	nrings;		/* not freed yet */
	uint32_t	rings[];
};

/*
 * It died at the tail, between reserving and advancing, or else all it reserved
 * is below: nobody advances past a line that is not reserved. The advance is
 * made up for, as any sender would.
 */
static uint64_t reserved_until(struct queue *q, uint64_t name)
{
	_Atomic uint64_t *tail = &q->header->tail;
	uint64_t pos = atomic_load_explicit(tail, memory_order_acquire), word;
	uint64_t expect = queue_word(&q->shape, pos, QUEUE_RESERVED) |
			  queue_reserved_by(name), end;

	word = atomic_load_explicit(queue_line_word(queue_line(q->shared,
					&q->shape, pos)),
				    memory_order_acquire);
	if ((word & ~(uint64_t)QUEUE_LINES_MASK) != expect)
		return pos;
	end = pos + (word & QUEUE_LINES_MASK);
	atomic_compare_exchange_strong_explicit(tail, &pos, end,
						memory_order_acq_rel,
						memory_order_relaxed);
	return end;
}

static bool is_owner(struct queue *q, uint64_t name, uint32_t ring)
{
	return atomic_load_explicit(&queue_owners(q->header)[ring],
				    memory_order_relaxed) ==
	       queue_identity(name);
}

static unsigned int rings_count(struct queue *q, uint64_t name)
{
	unsigned int n = 0;
	uint32_t ring;

	for (ring = 0; ring < q->shape.max_rings; ring++)
		n += is_owner(q, name, ring);
	return n;
}

/* At most @max: what was counted may have changed. */
static unsigned int rings_list(struct queue *q, uint64_t name, uint32_t *rings,
			       unsigned int max)
{
	unsigned int n = 0;
	uint32_t ring;

	for (ring = 0; ring < q->shape.max_rings && n < max; ring++)
		if (is_owner(q, name, ring))
			rings[n++] = ring;
	return n;
}

int queue_skip_dead(struct queue *q, uint64_t name)
{
	struct queue_grave *grave;
	unsigned int n;

	n = rings_count(q, name);
	grave = malloc(sizeof(*grave) + n * sizeof(grave->rings[0]));
	if (!grave)
		return -ENOMEM;
	grave->name = name;
	grave->until = reserved_until(q, name);
	grave->nrings = rings_list(q, name, grave->rings, n);
	atomic_fetch_add_explicit(&q->chores, 1, memory_order_relaxed);
	grave->next = atomic_load_explicit(&q->posted, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&q->posted, &grave->next,
						      grave,
						      memory_order_release,
						      memory_order_relaxed))
		;
	return 0;
}

static void take_posted(struct queue *q)
{
	struct queue_grave *grave, *next;

	grave = atomic_exchange_explicit(&q->posted, NULL,
					 memory_order_acquire);
	for (; grave; grave = next) {
		next = grave->next;
		grave->next = q->dying;
		q->dying = grave;
	}
}

static bool drained(struct queue *q, uint32_t ring)
{
	unsigned int i;

	for (i = 1; i < q->nslots; i++)
		if (queue_slot_ring(q, i) == ring)
			return !queue_slot_ready(&q->slots[i]);
	return true;
}

static bool is_cleared(struct queue *q, struct queue_grave *grave)
{
	unsigned int i = 0;

	if ((int64_t)(q->head - grave->until) < 0)
		return false;
	while (i < grave->nrings) {
		uint32_t ring = grave->rings[i];

		if (!drained(q, ring))
			i++;
		else if (is_owner(q, grave->name, ring))
			queue_own_end(q, ring);
		else
			queue_bury_ring(q, ring);
	}
	return grave->nrings == 0;
}

/* Whoever owns it next is none of the dead. */
void queue_bury_ring(struct queue *q, uint32_t ring)
{
	struct queue_grave *grave;
	unsigned int i;

	if (atomic_load_explicit(&q->posted, memory_order_relaxed))
		take_posted(q);
	for (grave = q->dying; grave; grave = grave->next)
		for (i = 0; i < grave->nrings; i++)
			if (grave->rings[i] == ring)
				grave->rings[i] =
					grave->rings[--grave->nrings];
}

void queue_bury(struct queue *q)
{
	struct queue_grave **link, *grave;

	if (atomic_load_explicit(&q->posted, memory_order_relaxed))
		take_posted(q);
	for (link = &q->dying; (grave = *link); ) {
		if (!is_cleared(q, grave)) {
			link = &grave->next;
			continue;
		}
		*link = grave->next;
		free(grave);
		atomic_fetch_sub_explicit(&q->chores, 1, memory_order_relaxed);
	}
}

void queue_bury_free(struct queue *q)
{
	struct queue_grave *grave;

	take_posted(q);
	while ((grave = q->dying)) {
		q->dying = grave->next;
		free(grave);
	}
}

/*
 * The word has 23 bits of the identity, the second word the whole name unless
 * its sender died first: the reader had left 0 there.
 */
bool queue_is_dead(struct queue *q, uint64_t word, char *line)
{
	uint64_t id = word & (uint64_t)QUEUE_ID_MASK << QUEUE_ID_SHIFT;
	uint64_t name = atomic_load_explicit(queue_line_name(line),
					     memory_order_relaxed);
	const struct queue_grave *grave;

	for (grave = q->dying; grave; grave = grave->next)
		if (id == queue_reserved_by(grave->name) &&
		    (name == 0 || name == grave->name) &&
		    (int64_t)(q->head - grave->until) < 0)
			return true;
	return false;
}
