// SPDX-License-Identifier: BSD-3-Clause
/* Message queue: reservations, promotion, which rings are polled, sleeping. */
#include "queue-fixture.h"

#define RING	4096UL		/* 64 lines */

static struct fixture f;
static struct inbox in;
static char buf[4096];

/* ---- reservations ---- */

/* Reserved @len, all written to with lures, committed @used. */
static void reserve_commit(struct sender *s, size_t len, size_t used)
{
	uint64_t lure = s->ring ? content_lure(s) : 0;
	void *room;

	if (!check_int(sender_reserve(s, len, &room), ==, 0))
		return;
	check_uint((uintptr_t)room % 8, ==, 0);
	content_fill(buf, len, len, lure);
	memcpy(room, buf, len);
	sender_commit(s, 9, used);
	check_int(inbox_poll(&f, &in, 5), ==, 1);
	check_uint(in.len, ==, used);
	check_int(in.tag, ==, 9);
	check(!memcmp(in.data, buf, used));
}

/* Reserved @len, written and committed @used, after lures all over the ring. */
static void reserve_most(struct sender *s, size_t len, size_t likely,
			 size_t used)
{
	void *room;

	content_fill(buf, len, len, s->ring ? content_lure(s) : 0);
	if (!check_int(sender_reserve_most(s, len, likely, &room), ==, 0))
		return;
	memcpy(room, buf, used);
	sender_commit(s, 9, used);
	check_int(inbox_poll(&f, &in, 5), ==, 1);
	check_uint(in.len, ==, used);
	check(!memcmp(in.data, buf, used));
}

static void reserve_cancel(struct sender *s, size_t len)
{
	void *room;

	if (!check_int(sender_reserve(s, len, &room), ==, 0))
		return;
	content_fill(room, len, len, s->ring ? content_lure(s) : 0);
	sender_cancel(s);
	check_int(inbox_drain(&f, &in), ==, 0);
}

static void reserve_all(bool taken)
{
	struct sender s, other;
	size_t len;

	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &other, 7);
	if (taken)
		sender_warm(&f, &other, &in);
	fixture_sender(&f, &s, 1);
	sender_warm(&f, &s, &in);
	for (len = 0; len <= s.shape.send_max; len++) {
		reserve_commit(&s, len, len);
		reserve_commit(&s, len, len / 2);
		reserve_cancel(&s, len);
		reserve_commit(&s, len, 0);
		reserve_most(&s, len, len / 3, len / 2);
		reserve_most(&s, s.shape.send_max, 0, len);
		reserve_most(&s, s.shape.send_max, -1, 0);
		reserve_commit(&s, 8, 8);
	}
	check_int(sender_reserve(&s, len, (void **)&buf), ==, -EMSGSIZE);
	check_uint(s.again, ==, 0);
	sender_fini(&s);
	sender_fini(&other);
	fixture_close(&f);
}

static void test_reserve(void)
{
	reserve_all(false);
	reserve_all(true);
}

/* A poll for none, as its caller's sums may make it, takes none. */
static void test_none(void)
{
	struct sender s;

	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &s, 1);
	sender_warm(&f, &s, &in);
	check_int(send_bytes(&s, 0, buf, 8), ==, 0);
	check_int(send_bytes(&s, 0, buf, 8), ==, 0);
	check_int(inbox_poll(&f, &in, 0), ==, 0);
	check_int(inbox_poll(&f, &in, -1), ==, 0);
	check_int(inbox_drain(&f, &in), ==, 2);
	sender_fini(&s);
	fixture_close(&f);
}

/* ---- promotion ---- */

static void test_promotion(void)
{
	struct sender s[3];
	int i;

	fixture_open(&f, RING, 2, 0);
	for (i = 0; i < 3; i++) {
		fixture_sender(&f, &s[i], i);
		sender_warm(&f, &s[i], &in);
	}
	check(s[0].ring && s[1].ring && !s[2].ring);
	check_uint(f.queue.promotions, ==, 2);
	sender_fini(&s[0]);
	inbox_drain(&f, &in);
	for (i = 0; i < 100 && !s[2].ring; i++)
		sender_warm(&f, &s[2], &in);
	check(s[2].ring != NULL);
	check_uint(s[2].number, ==, 0);
	for (i = 1; i < 3; i++)
		sender_fini(&s[i]);
	fixture_close(&f);
}

/*
 * Each leaves messages and END behind; its ring is not lost. The reader looks
 * at the ring between PROMOTE and the first message.
 */
static void test_handing_on(void)
{
	struct sender s;
	void *room;
	unsigned int i, n = 0, rings = 0;
	uint64_t lure;

	fixture_open(&f, RING, 2, 0);
	in.messages = 0;
	for (i = 0; i < 5000; i++) {
		fixture_sender(&f, &s, i);
		while (s.messages < QUEUE_PROMOTE_AFTER)
			check_int(send_bytes(&s, 0, &i, sizeof(i)), ==, 0);
		check_int(sender_reserve(&s, 8, &room), ==, 0);
		inbox_drain(&f, &in);
		sender_commit(&s, 0, 8);
		inbox_drain(&f, &in);
		rings += s.ring != NULL;
		for (lure = 0; lure < i % 40; lure++)
			content_fill(buf, i % 1000, i, content_lure(&s)),
			n += send_bytes(&s, 0, buf, i % 1000) == 0;
		sender_fini(&s);
	}
	check_uint(rings, ==, 5000);
	inbox_drain(&f, &in);
	check_uint(in.messages, ==, n + 5000 * (QUEUE_PROMOTE_AFTER + 1));
	check_uint(f.queue.nslots, ==, 1);
	check_uint(f.queue.garbage, ==, 0);
	fixture_close(&f);
}

/* A claim that could not be announced yet is given back. */
static void test_claim_given_back(void)
{
	struct sender s, other;

	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &s, 1);
	while (s.messages < QUEUE_PROMOTE_AFTER)
		check_int(send_bytes(&s, 0, "x", 1), ==, 0);
	fixture_sender(&f, &other, 2);
	while (other.messages < QUEUE_PROMOTE_AFTER)
		check_int(send_bytes(&other, 0, "x", 1), ==, 0);
	other.patience = UINT64_MAX;
	while (send_bytes(&other, 0, "x", 1) == 0)
		;
	check_int(send_bytes(&s, 0, "x", 1), ==, -EAGAIN);
	check(s.claimed && !s.ring);
	sender_fini(&s);
	inbox_drain(&f, &in);
	other.patience = 0;
	check_int(send_bytes(&other, 0, "x", 1), ==, 0);
	check(other.ring != NULL);
	sender_fini(&other);
	fixture_close(&f);
}

/* ---- which rings are looked at ---- */

#define MANY	40

/* After a long silence few rings are looked at; who speaks is still found. */
static void test_cold_rings(void)
{
	struct sender s[MANY];
	unsigned int i, polls, worst = 0;

	fixture_open(&f, RING, MANY, 0);
	for (i = 0; i < MANY; i++) {
		fixture_sender(&f, &s[i], i);
		sender_warm(&f, &s[i], &in);
	}
	check_uint(f.queue.nslots, ==, MANY + 1);
	for (i = 0; i < 20000; i++)
		inbox_poll(&f, &in, 10);
	check_uint(f.queue.nhot, ==, 9);	/* shared and eight */
	check_uint(f.queue.nslots, ==, MANY + 1);
	for (i = 0; i < MANY; i++) {
		check_int(send_bytes(&s[i], i, &i, sizeof(i)), ==, 0);
		check(queue_pending(&f.queue));
		for (polls = 1; !inbox_poll(&f, &in, 1) && polls < 999; )
			polls++;
		check_int(in.tag, ==, i);
		worst = polls > worst ? polls : worst;
		check_int(send_bytes(&s[i], 0, &i, sizeof(i)), ==, 0);
		check_int(inbox_poll(&f, &in, 1), ==, 1);	/* hot again */
	}
	check_uint(worst, <=, MANY);
	check_uint(worst, >, 1);
	for (i = 0; i < MANY; i++)
		sender_fini(&s[i]);
	inbox_drain(&f, &in);
	check_uint(f.queue.nslots, ==, 1);
	fixture_close(&f);
}

static void count_source(void *arg, const struct xnuma_message *msg)
{
	((unsigned int *)arg)[msg->source]++;
}

/* Two own rings, and the shared one, always full; one message a poll. */
static void fairness(unsigned int talkers)
{
	unsigned int got[3] = { 0 }, i, k;
	struct sender s[3];

	fixture_open(&f, RING, 2, 0);
	for (i = 0; i < 3; i++) {
		fixture_sender(&f, &s[i], i);
		sender_warm(&f, &s[i], &in);
	}
	for (k = 0; k < 1000 * talkers; k++) {
		for (i = 0; i < talkers; i++)
			while (send_bytes(&s[i], 0, &i, sizeof(i)) == 0)
				;
		check_int(queue_poll(&f.queue, count_source, got, 1), ==, 1);
	}
	for (i = 0; i < 3; i++) {
		check(i < talkers ? got[i] > 900 : !got[i]);
		sender_fini(&s[i]);
	}
	fixture_close(&f);
}

static void test_fairness(void)
{
	fairness(3);
	fairness(2);
}

/* ---- single entry ---- */

static void nested(void *arg, const struct xnuma_message *msg)
{
	uint64_t name;

	check_int(inbox_poll(&f, &in, 1), ==, 0);
	check(queue_pending(&f.queue));
	check_int(queue_arm(&f.queue), ==, -EBUSY);
	check(!queue_blocked(&f.queue, &name));
	/* a handler may send, to itself too */
	if (msg->tag)
		check_int(send_bytes(arg, msg->tag - 1, msg->data, msg->len),
			  ==, 0);
}

static void nested_with(unsigned int flags)
{
	struct sender s;

	fixture_open(&f, RING, 1, flags);
	fixture_sender(&f, &s, 1);
	check_int(send_bytes(&s, 50, buf, 8), ==, 0);
	check_int(send_bytes(&s, 50, buf, 8), ==, 0);
	check_int(queue_poll(&f.queue, nested, &s, 100), ==, 100);
	check_int(queue_poll(&f.queue, nested, &s, 100), ==, 2);
	check_int(queue_poll(&f.queue, nested, &s, 0), ==, 0);
	sender_fini(&s);
	fixture_close(&f);
}

static void test_nested(void)
{
	nested_with(XNUMA_SLEEPS);
	nested_with(XNUMA_SLEEPS | XNUMA_SINGLE_THREAD);
}

/* ---- sleeping ---- */

static void test_arm(void)
{
	struct sender s[2];
	int i;

	fixture_open(&f, RING, 1, XNUMA_SLEEPS);
	for (i = 0; i < 2; i++)
		fixture_sender(&f, &s[i], i);
	check(!sender_must_wake(&s[0]));
	check_int(queue_arm(&f.queue), ==, 0);
	check_int(send_bytes(&s[0], 0, buf, 8), ==, 0);
	check(sender_must_wake(&s[0]));
	check(!sender_must_wake(&s[1]));
	check_int(queue_arm(&f.queue), ==, -EBUSY);
	check(!sender_must_wake(&s[1]));
	inbox_drain(&f, &in);
	check_int(queue_arm(&f.queue), ==, 0);
	queue_disarm(&f.queue);
	check(!sender_must_wake(&s[0]));
	/* an own ring counts as well */
	sender_warm(&f, &s[0], &in);
	check_int(send_bytes(&s[0], 0, buf, 8), ==, 0);
	check_int(queue_arm(&f.queue), ==, -EBUSY);
	for (i = 0; i < 2; i++)
		sender_fini(&s[i]);
	fixture_close(&f);
}

static void test_arm_without_sleeps(void)
{
	struct sender s;

	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &s, 1);
	check_int(queue_arm(&f.queue), ==, -ENOTSUP);
	check(!s.may_sleep);
	sender_fini(&s);
	fixture_close(&f);
}

int main(void)
{
	TEST_BOTH(test_reserve(), "reservations are committed, shortened, cancelled");
	TEST_BOTH(test_none(), "a poll for none takes none");
	TEST_BOTH(test_promotion(), "busy senders get rings while there are some");
	TEST_BOTH(test_handing_on(), "a ring goes from sender to sender");
	TEST_BOTH(test_claim_given_back(), "a ring claimed in vain is given back");
	TEST_BOTH(test_cold_rings(), "silent rings cost nothing and are still heard");
	TEST_BOTH(test_fairness(), "no ring starves another");
	TEST_BOTH(test_nested(), "a poll within a handler handles nothing");
	TEST_BOTH(test_arm(), "one sender wakes an armed reader");
	TEST_BOTH(test_arm_without_sleeps(), "a reader that never sleeps cannot arm");
	return tap_done();
}
