// SPDX-License-Identifier: BSD-3-Clause
/* Message queue: what a lap leaves in the lines of a ring misleads no next one. */
#include "queue-fixture.h"

#define RING	4096UL		/* 64 lines */

static struct fixture f;
static struct inbox in;
static char buf[4096];

/*
 * A lap of headers, then a reservation full of what would be headers of this
 * lap: where it is cut off or cancelled, the next line is none.
 */
static void lured(struct sender *s, size_t len, bool cancel)
{
	void *room;
	int i;

	for (i = 0; i < 64; i++) {
		check_int(send_bytes(s, 0, buf, 8), ==, 0);
		check_int(inbox_poll(&f, &in, 1), ==, 1);
	}
	if (!check_int(sender_reserve(s, len, &room), ==, 0))
		return;
	content_fill(room, len, 0,
		     queue_word(&s->shape, s->pos, QUEUE_DATA) | 8);
	if (cancel)
		sender_cancel(s);
	else
		sender_commit(s, 0, 8);
	check_int(inbox_poll(&f, &in, 9), ==, !cancel);
	check_int(send_bytes(s, 0, buf, 8), ==, 0);
	check_int(inbox_poll(&f, &in, 9), ==, 1);
}

static void test_lures(void)
{
	struct sender s;
	size_t len;

	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &s, 1);
	sender_warm(&f, &s, &in);
	for (len = 8; len <= s.shape.send_max; len += 8) {
		lured(&s, len, true);
		lured(&s, len, false);
	}
	check_uint(f.queue.garbage, ==, 0);
	sender_fini(&s);
	fixture_close(&f);
}

/* Each is alone and must be seen alone, though what follows it looks like one. */
static void send_singly(struct sender *s, unsigned int n)
{
	for (; n; n--) {
		check_int(send_bytes(s, n, buf, 8), ==, 0);
		check_int(inbox_poll(&f, &in, 9), ==, 1);
		check_uint(in.len, ==, 8);
		check_int(in.tag, ==, n);
	}
}

/* A message full of headers of the next lap, then that lap line by line. */
static void test_lap_of_lines(void)
{
	struct sender s;
	size_t len;

	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &s, 1);
	sender_warm(&f, &s, &in);
	for (len = 48; len <= s.shape.send_max; len += 8) {
		content_fill(buf, len, 0, content_lure(&s));
		check_int(send_bytes(&s, 0, buf, len), ==, 0);
		check_int(inbox_poll(&f, &in, 9), ==, 1);
		send_singly(&s, 66);
	}
	check_uint(f.queue.garbage, ==, 0);
	sender_fini(&s);
	fixture_close(&f);
}

/* Whose ring it was left such messages all over it, and then went. */
static void test_lap_inherited(void)
{
	struct sender s;
	unsigned int i, k;
	uint64_t from;

	fixture_open(&f, RING, 1, 0);
	for (i = 0; i < 20; i++) {
		fixture_sender(&f, &s, i);
		sender_warm(&f, &s, &in);
		check(s.ring != NULL);
		send_singly(&s, 66);
		for (from = s.tail; s.tail < from + 66; ) {
			k = 48 + 64 * ((s.tail + i) % 5);
			content_fill(buf, k, 0, content_lure(&s));
			check_int(send_bytes(&s, 0, buf, k), ==, 0);
			check_int(inbox_poll(&f, &in, 9), ==, 1);
		}
		sender_fini(&s);
		check_int(inbox_drain(&f, &in), ==, 0);
	}
	check_uint(f.queue.garbage, ==, 0);
	fixture_close(&f);
}

int main(void)
{
	TEST_BOTH(test_lures(), "what a reservation leaves behind is no header");
	TEST_BOTH(test_lap_of_lines(), "lines are single though all look like more");
	TEST_BOTH(test_lap_inherited(), "... also in a ring of somebody gone");
	return tap_done();
}
