// SPDX-License-Identifier: BSD-3-Clause
/* Message queue: order per sender, with several processes and promotion. */
#include <sched.h>
#include <signal.h>

#include "queue-fixture.h"

#define CHILDREN	6
#define PER_CHILD	200000
#define LIVES		2000	/* senders one after the other, per child */

/* what each message begins with; the rest is filled by its number */
struct stamp {
	uint64_t	source;
	uint64_t	number;
};

struct tally {
	uint64_t	next[CHILDREN * (LIVES + 1)];
	uint64_t	messages;
	uint64_t	bad;
};

static struct fixture f;
static struct tally tally;

static size_t length_of(uint64_t number, size_t max)
{
	uint64_t state = number;
	uint32_t r = random_next(&state);

	r = random_next(&state);
	return sizeof(struct stamp) +
	       (r % 50 == 0 ? r % (max - sizeof(struct stamp)) : r % 120);
}

static void receive(void *arg, const struct xnuma_message *msg)
{
	const struct stamp *stamp = msg->data;
	const char *rest = (const char *)(stamp + 1);
	size_t i;

	tally.messages++;
	if (msg->len < sizeof(*stamp) || msg->source != stamp->source ||
	    msg->source >= CHILDREN * (LIVES + 1) ||
	    msg->tag != (uint8_t)stamp->number ||
	    msg->len != length_of(stamp->number, queue_send_max(&f.config)) ||
	    stamp->number != tally.next[msg->source]++) {
		tally.bad++;
		return;
	}
	for (i = 0; i < msg->len - sizeof(*stamp); i++)
		if (rest[i] != (char)(stamp->number + i)) {
			tally.bad++;
			return;
		}
}

/* Yields only when there is no room: on one core the reader must come on. */
static void send_number(struct sender *s, uint64_t number)
{
	static char buf[1 << 16];
	struct stamp stamp = { s->name, number };
	size_t len = length_of(number, s->shape.send_max), i;
	struct iovec iov[2] = {
		{ &stamp, sizeof(stamp) }, { buf, len - sizeof(stamp) },
	};
	int ret;

	for (i = 0; i < iov[1].iov_len; i++)
		buf[i] = number + i;
	while ((ret = sender_send(s, number, iov, 2)) == -EAGAIN)
		sched_yield();
	check_int(ret, ==, 0);
}

static void child_stream(int me)
{
	struct sender s;
	uint64_t i;

	fixture_sender(&f, &s, me);
	for (i = 0; i < PER_CHILD; i++)
		send_number(&s, i);
	sender_fini(&s);
}

/* Each life is long enough to be promoted, or nearly. */
static void child_lives(int me)
{
	struct sender s;
	uint64_t life, i;

	for (life = 0; life < LIVES; life++) {
		fixture_sender(&f, &s, CHILDREN + me * LIVES + life);
		for (i = 0; i < 14 + life % 10; i++)
			send_number(&s, i);
		sender_fini(&s);
	}
}

static void run(void (*child)(int), unsigned int max_rings, size_t ring_size,
		uint64_t want)
{
	pid_t pid[CHILDREN];
	int i;

	memset(&tally, 0, sizeof(tally));
	fixture_open(&f, ring_size, max_rings, 0);
	for (i = 0; i < CHILDREN; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			alarm(300);
			child(i);
			child_done();
		}
	}
	alarm(300);
	while (tally.messages < want && !tally.bad)
		if (!queue_poll(&f.queue, receive, NULL, 100))
			sched_yield();
	check_uint(tally.bad, ==, 0);
	for (i = 0; i < CHILDREN; i++) {
		if (tally.bad)
			kill(pid[i], SIGKILL);
		check_child(pid[i]);
	}
	while (queue_pending(&f.queue))
		queue_poll(&f.queue, receive, NULL, 100);
	alarm(0);
	check_uint(tally.messages, ==, want);
	check_uint(f.queue.garbage, ==, 0);
	check_uint(f.queue.nslots, ==, 1);
	tap_diag("%ju messages, %ju promotions", (uintmax_t)want,
		 (uintmax_t)f.queue.promotions);
}

static void test_all_promoted(void)
{
	run(child_stream, CHILDREN, 16384, CHILDREN * PER_CHILD);
	check_uint(f.queue.promotions, ==, CHILDREN);
	fixture_close(&f);
}

static void test_some_promoted(void)
{
	run(child_stream, 2, 8192, CHILDREN * PER_CHILD);
	check_uint(f.queue.promotions, >=, 2);
	fixture_close(&f);
}

static void test_lives(void)
{
	uint64_t want = 0, life;

	for (life = 0; life < LIVES; life++)
		want += CHILDREN * (14 + life % 10);
	run(child_lives, 4, 4096, want);
	check_uint(f.queue.promotions, >, 0);
	fixture_close(&f);
}

int main(void)
{
	TEST_BOTH(test_all_promoted(), "order is kept when all senders get a ring");
	TEST_BOTH(test_some_promoted(), "order is kept when most share one ring");
	TEST_BOTH(test_lives(), "order is kept while rings change hands");
	return tap_done();
}
