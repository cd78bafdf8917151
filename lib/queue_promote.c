// SPDX-License-Identifier: BSD-3-Clause
/*
 * queue_promote - a busy sender gets a ring of its own
 *
 * The claim is one compare-and-swap from 0 to the sender's identity, so that a
 * ring always says whose it is, whenever its owner dies.
 */
#include <errno.h>
#include <stdlib.h>

#include "queue_sender.h"

static bool claim(struct sender *s)
{
	_Atomic uint64_t *owners = queue_owners(s->header);
	uint64_t id = queue_identity(s->name), none;
	uint32_t i;

	for (i = 0; i < s->shape.max_rings; i++) {
		none = 0;
		if (atomic_load_explicit(&owners[i], memory_order_relaxed))
			continue;
		if (atomic_compare_exchange_strong_explicit(&owners[i], &none,
				id, memory_order_acquire,
				memory_order_relaxed)) {
			s->number = i;
			s->claimed = true;
			return true;
		}
	}
	return false;
}

void sender_unclaim(struct sender *s)
{
	atomic_store_explicit(&queue_owners(s->header)[s->number], 0,
			      memory_order_release);
	s->claimed = false;
}

/* No ring or no memory: the shared ring serves, and the next try is far. */
static int settle(struct sender *s)
{
	s->patience = 2 * sender_sent(s);
	return 0;
}

/*
 * The zeroed first word of the ring is ordered before PROMOTE, whose commit is
 * a release, and the reader looks at it after that.
 */
static int announce(struct sender *s, uint64_t *headers)
{
	struct queue_credit *credit = queue_credits(s->header, &s->shape);
	void *buf;
	int ret;

	ret = sender_cold_reserve(s, sizeof(s->number), &buf);
	if (ret)
		return ret;
	s->consumed = &credit[s->number].consumed;
	s->ring = sender_own(s, s->number);
	sender_begin(s, atomic_load_explicit(s->consumed,
					     memory_order_acquire), headers);
	memcpy(buf, &s->number, sizeof(s->number));
	sender_cold_commit(s, QUEUE_CONTROL, 0, sizeof(s->number));
	return 0;
}

int sender_promote(struct sender *s)
{
	uint64_t *headers;
	int ret;

	if (!s->claimed && !claim(s))
		return settle(s);
	headers = malloc(s->shape.nlines / 8);
	if (!headers) {
		sender_unclaim(s);
		return settle(s);
	}
	ret = announce(s, headers);
	if (ret) {
		free(headers);
		return ret;
	}
	free(s->bounce);
	s->bounce = NULL;
	queue_count(&s->promotions, 1);
	return 0;
}
