// SPDX-License-Identifier: BSD-3-Clause
/*
 * Message queue: peers that write anything anywhere.
 *
 * The memory lies between guard pages, so that a read or write outside is a
 * signal; a poll or send that does not come back is the alarm's.
 */
#include "queue-fixture.h"

#define RING	4096UL		/* 64 lines */
#define RINGS	4
#define RUNS	3000

static struct fixture f;
static struct inbox in;
static char buf[4096];

static size_t spread;	/* of payload, so that reading it is not left out */

static void touch_all(void *arg, const struct xnuma_message *msg)
{
	const unsigned char *data = msg->data;
	size_t i;

	check_uint(msg->len, <=, f.queue.shape.send_max);
	for (i = 0; i < msg->len; i++)
		spread += data[i];
}

/* A word that is nearly right: lap, kind and length around what they may be. */
static uint64_t plausible(uint64_t *state)
{
	uint32_t r = random_next(state), len;

	switch (r % 4) {
	case 0:
		len = random_next(state) % 2000;
		break;
	case 1:
		len = 1024 + random_next(state) % 3;
		break;
	case 2:
		len = random_next(state) % 80;
		break;
	default:
		len = random_next(state) & QUEUE_LEN_MASK;
	}
	return (uint64_t)(r >> 4 & 1) << QUEUE_LAP_SHIFT |
	       (uint64_t)(r >> 5 & 7) << QUEUE_KIND_SHIFT |
	       (uint64_t)(random_next(state) & 0xff) << QUEUE_TAG_SHIFT | len;
}

/* Senders' words; @everything: the counters and owners too. */
static void scribble(uint64_t *state, bool everything)
{
	size_t first = everything ? QUEUE_LINE :
		       queue_header_len(&f.queue.shape);
	size_t off, n = random_next(state) % 200;

	while (n--) {
		off = first + random_next(state) % (f.len - first);
		off &= random_next(state) % 3 ? ~63UL : ~7UL;
		if (off < first)
			continue;
		*(uint64_t *)(f.mem + off) = random_next(state) % 4 ?
			plausible(state) : random_next(state) * 0x100000001ULL;
	}
}

/* Honest ones among it, to have all rings in use. */
static void scribbled_run(uint64_t *state, bool everything)
{
	struct sender s[RINGS];
	int i, k;

	fixture_open(&f, RING, RINGS, XNUMA_SLEEPS);
	for (i = 0; i < RINGS; i++) {
		fixture_sender(&f, &s[i], i);
		for (k = random_next(state) % 30; k > 0; k--)
			send_bytes(&s[i], k, buf, k * 20);
	}
	for (k = 0; k < 20; k++) {
		scribble(state, everything);
		check_int(queue_poll(&f.queue, touch_all, NULL, 50), <=, 50);
		i = random_next(state) % RINGS;
		send_bytes(&s[i], k, buf, random_next(state) % 1025);
		if (k % 7 == 0)
			queue_skip_dead(&f.queue, i);
		queue_pending(&f.queue);
		queue_arm(&f.queue);
	}
	for (i = 0; i < RINGS; i++)
		sender_fini(&s[i]);
	fixture_close(&f);
}

static void test_scribble_rings(void)
{
	uint64_t state = 1;
	int i;

	for (i = 0; i < RUNS; i++)
		scribbled_run(&state, false);
}

static void test_scribble_all(void)
{
	uint64_t state = 2;
	int i;

	for (i = 0; i < RUNS; i++)
		scribbled_run(&state, true);
}

/* One bad header word in an own ring; the neighbour does not notice. */
static void bad_header(uint64_t word)
{
	struct sender s[2];
	char *line;
	int i;

	fixture_open(&f, RING, 2, 0);
	for (i = 0; i < 2; i++) {
		fixture_sender(&f, &s[i], i);
		sender_warm(&f, &s[i], &in);
	}
	line = queue_line(s[0].ring, &s[0].shape, s[0].tail);
	*queue_line_word(line) = word | queue_word(&s[0].shape, s[0].tail, 0);
	check_int(inbox_poll(&f, &in, 10), ==, 0);
	check_uint(f.queue.garbage, ==, 1);
	for (i = 0; i < 200; i++) {
		check_int(send_bytes(&s[1], i, buf, 100), ==, 0);
		check_int(inbox_poll(&f, &in, 10), ==, 1);
	}
	check_uint(f.queue.garbage, ==, 1);
	/* the ring is of use again when its owner is gone */
	sender_forget(&s[0]);
	check_int(queue_skip_dead(&f.queue, 0), ==, 0);
	inbox_poll(&f, &in, 10);
	fixture_sender(&f, &s[0], 5);
	sender_warm(&f, &s[0], &in);
	check(s[0].ring != NULL);
	check_uint(in.source, ==, 5);
	for (i = 0; i < 2; i++)
		sender_fini(&s[i]);
	fixture_close(&f);
}

#define KIND(kind) ((uint64_t)QUEUE_##kind << QUEUE_KIND_SHIFT)

static void test_bad_headers(void)
{
	bad_header(KIND(DATA) | 1025);
	bad_header(KIND(DATA) | QUEUE_LEN_MASK);
	bad_header(KIND(VOID));
	bad_header(KIND(VOID) | 65);
	bad_header(KIND(VOID) | QUEUE_LEN_MASK);
	bad_header(7ULL << QUEUE_KIND_SHIFT);
}

/* Payload that would run over the end of the ring. */
static void test_over_the_end(void)
{
	struct sender s;
	char *line;

	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &s, 1);
	sender_warm(&f, &s, &in);
	while (s.tail % 64 != 63) {
		check_int(send_bytes(&s, 0, buf, 8), ==, 0);
		check_int(inbox_poll(&f, &in, 1), ==, 1);
	}
	line = queue_line(s.ring, &s.shape, s.tail);
	*queue_line_word(line) = queue_word(&s.shape, s.tail, QUEUE_DATA) | 49;
	check_int(inbox_poll(&f, &in, 10), ==, 0);
	check_uint(f.queue.garbage, ==, 1);
	sender_forget(&s);
	fixture_close(&f);
}

/* A bad header in the shared ring: later messages still come. */
static void test_resync(void)
{
	struct sender s;
	void *room;
	char *line;
	int i, n;

	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &s, 1);
	check_int(sender_reserve(&s, 300, &room), ==, 0);
	line = queue_line(f.queue.shared, &s.shape, s.pos);
	sender_commit(&s, 0, 300);
	*queue_line_word(line) |= QUEUE_LEN_MASK;
	for (i = 0; i < 3; i++)
		check_int(send_bytes(&s, 5, buf, 8), ==, 0);
	for (i = n = 0; i < 10; i++)
		n += inbox_poll(&f, &in, 10);
	check_int(n, ==, 3);
	check_uint(f.queue.garbage, ==, 1);
	check_uint(f.queue.chores, ==, 0);
	check_int(in.tag, ==, 5);
	sender_fini(&s);
	fixture_close(&f);
}

/* PROMOTE of rings that are none, taken, or somebody else's. */
static void promote_claim(uint64_t name, uint32_t ring, uint64_t owner)
{
	struct sender s, other;
	void *room;

	fixture_open(&f, RING, 2, 0);
	fixture_sender(&f, &other, 2);
	sender_warm(&f, &other, &in);
	fixture_sender(&f, &s, name);
	if (owner)
		queue_owners(f.queue.header)[1] = owner;
	check_int(sender_reserve(&s, sizeof(ring), &room), ==, 0);
	memcpy(room, &ring, sizeof(ring));
	sender_cold_commit(&s, QUEUE_CONTROL, 0, sizeof(ring));
	check_int(inbox_poll(&f, &in, 10), ==, 0);
	check_uint(f.queue.nslots, ==, 2);
	check_uint(f.queue.garbage, ==, 1);
	check_int(send_bytes(&other, 0, buf, 8), ==, 0);
	check_int(inbox_poll(&f, &in, 10), ==, 1);
	sender_fini(&s);
	sender_fini(&other);
	fixture_close(&f);
}

static void test_bad_promote(void)
{
	promote_claim(1, 2, 0);
	promote_claim(1, ~0U, 0);
	promote_claim(1, 0, 0);
	promote_claim(1, 1, 0);
	promote_claim(1, 1, queue_identity(3));
	promote_claim(2, 0, 0);		/* once more */
}

/* A reader that lies about what it has handled. */
static void test_bad_credit(void)
{
	uint64_t state = 3, sent = 0;
	struct sender s;
	int i;

	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &s, 1);
	sender_warm(&f, &s, &in);
	for (i = 0; i < 100000; i++) {
		uint64_t lie = s.tail + (int32_t)random_next(&state) %
			       (i % 2 ? 200 : 1 << 30);

		*s.consumed = lie;
		f.queue.header->consumed = lie;
		sent += send_bytes(&s, 0, buf, random_next(&state) % 1025) ==
			0;
		check(s.limit - s.tail <= s.shape.nlines);
	}
	check_uint(sent, >, 0);
	sender_forget(&s);
	fixture_close(&f);
}

int main(void)
{
	alarm(300);
	TEST_BOTH(test_scribble_rings(), "garbage in rings harms only messages");
	TEST_BOTH(test_scribble_all(), "garbage in the header too");
	TEST_BOTH(test_bad_headers(), "a ring with a bad header is set aside");
	TEST_BOTH(test_over_the_end(), "payload beyond the end is not read");
	TEST_BOTH(test_resync(), "the shared ring recovers from a bad header");
	TEST_BOTH(test_bad_promote(), "a ring is announced by its owner, once");
	TEST_BOTH(test_bad_credit(), "a sender believes no impossible credit");
	return tap_done();
}
