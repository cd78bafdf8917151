// SPDX-License-Identifier: BSD-3-Clause
/* Message queue: senders that are killed, at any instruction. */
#include <signal.h>
#include <sys/ptrace.h>

#include "queue-fixture.h"

#define RING	4096UL		/* 64 lines */
#define DEAD	0xdeadULL
#define ALIVE	0xa11feULL

static struct fixture f;
static struct inbox in;
static char buf[4096];

/* ---- at a known place ---- */

/* Dies with a reservation of @len after @sent messages. */
static void die_reserved(int sent, size_t len)
{
	pid_t pid = fork();
	struct sender s;
	void *room;

	if (pid == 0) {
		fixture_sender(&f, &s, DEAD);
		while (sent--)
			check_int(send_bytes(&s, 1, "d", 1), ==, 0);
		check_int(sender_reserve(&s, len, &room), ==, 0);
		content_fill(room, len, 0, queue_word(&s.shape, s.pos,
						      QUEUE_DATA) | 8);
		child_done();
	}
	check_child(pid);
}

static void test_reserved(void)
{
	struct sender s;
	uint64_t name = 0;
	int i;

	fixture_open(&f, RING, 1, XNUMA_SLEEPS);
	fixture_sender(&f, &s, ALIVE);
	die_reserved(3, 300);
	for (i = 0; i < 5; i++)
		check_int(send_bytes(&s, 2, buf, 100), ==, 0);
	check_int(inbox_drain(&f, &in), ==, 3);
	check_int(inbox_poll(&f, &in, 10), ==, 0);
	check(queue_blocked(&f.queue, &name));
	check_uint(name, ==, DEAD);
	check_int(queue_skip_dead(&f.queue, ALIVE + 1), ==, 0);
	check_int(inbox_poll(&f, &in, 10), ==, 0);
	check_int(queue_skip_dead(&f.queue, DEAD), ==, 0);
	check_int(queue_arm(&f.queue), ==, -EBUSY);
	check_int(inbox_poll(&f, &in, 10), ==, 5);
	check(!queue_blocked(&f.queue, &name));
	inbox_poll(&f, &in, 10);
	check_uint(f.queue.skipped, ==, 1);
	check_uint(f.queue.chores, ==, 0);
	sender_fini(&s);
	fixture_close(&f);
}

/* Dead in its own ring: what it sent arrives, the ring goes to another. */
static void own_ring(int sent)
{
	struct sender s;
	int i;

	fixture_open(&f, RING, 1, 0);
	in.messages = 0;
	die_reserved(sent, 300);
	check_int(queue_skip_dead(&f.queue, DEAD), ==, 0);
	check_int(inbox_drain(&f, &in), ==, sent);
	inbox_poll(&f, &in, 1);
	check_uint(f.queue.chores, ==, 0);
	check_uint(f.queue.nslots, ==, 1);
	fixture_sender(&f, &s, ALIVE);
	sender_warm(&f, &s, &in);
	check(s.ring != NULL);
	check_uint(in.source, ==, ALIVE);
	for (i = 0; i < 100; i++) {
		check_int(send_bytes(&s, 0, &i, sizeof(i)), ==, 0);
		check_int(inbox_drain(&f, &in), ==, 1);
	}
	sender_fini(&s);
	fixture_close(&f);
}

static void test_own_ring(void)
{
	own_ring(QUEUE_PROMOTE_AFTER);	/* dies in its first own message */
	own_ring(30);
}

/* The same rank started anew is not its predecessor. */
static void test_successor(void)
{
	struct sender s;
	void *room;
	int i;

	fixture_open(&f, RING, 2, 0);
	die_reserved(30, 300);
	check_int(queue_skip_dead(&f.queue, DEAD), ==, 0);
	fixture_sender(&f, &s, DEAD);
	check_int(sender_reserve(&s, 300, &room), ==, 0);
	for (i = 0; i < 10; i++)
		inbox_poll(&f, &in, 100);
	check_uint(f.queue.skipped, ==, 0);
	sender_commit(&s, 77, 8);
	check_int(inbox_drain(&f, &in), ==, 1);
	check_int(in.tag, ==, 77);
	sender_warm(&f, &s, &in);
	check(s.ring != NULL);
	for (i = 0; i < 1000; i++)
		check_int(send_bytes(&s, 0, buf, 100) ||
			  inbox_poll(&f, &in, 9) != 1, ==, 0);
	sender_fini(&s);
	fixture_close(&f);
}

/* Nobody ever polls: what is noted of the dead is freed all the same. */
static void test_close_with_graves(void)
{
	fixture_open(&f, RING, 1, 0);
	die_reserved(0, 8);
	check_int(queue_skip_dead(&f.queue, DEAD), ==, 0);
	fixture_close(&f);
}

/* ---- at any instruction ---- */

struct mortal {
	size_t	len;
	int	before;		/* messages sent before the stepping begins */
	int	during;		/* messages sent while stepped */
};

static void mortal_child(const struct mortal *m)
{
	struct sender s;
	int i;

	fixture_sender(&f, &s, DEAD);
	for (i = 0; i < m->before + m->during; i++) {
		if (i == m->before) {
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
			raise(SIGSTOP);
		}
		memset(buf, i, m->len);
		send_bytes(&s, i, buf, m->len);
	}
	raise(SIGSTOP);
	_exit(0);
}

/* Steps and kills; false when the child had come to its end. */
static bool kill_after(const struct mortal *m, unsigned int steps)
{
	pid_t pid = fork();
	bool ended = false;
	int status;

	if (pid == 0)
		mortal_child(m);
	check_int(waitpid(pid, &status, 0), ==, pid);
	while (steps-- && !ended) {
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		check_int(waitpid(pid, &status, 0), ==, pid);
		ended = !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP;
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return !ended;
}

static struct {
	unsigned int dead, alive, bad;
	size_t	len;
} heard;

static void judge_message(void *arg, const struct xnuma_message *msg)
{
	const char *data = msg->data;
	size_t i;

	if (msg->source == ALIVE) {
		heard.alive++;
		return;
	}
	heard.bad += msg->source != DEAD || msg->len != heard.len ||
		     msg->tag != heard.dead;
	for (i = 0; i < msg->len; i++)
		heard.bad += data[i] != (char)msg->tag;
	heard.dead++;
}

/* More than a lap of the shared ring, so that no line is new. */
static void use_up(void)
{
	struct sender s;
	int i;

	fixture_sender(&f, &s, ALIVE + 1);
	s.patience = UINT64_MAX;
	memset(buf, 0x55, sizeof(buf));
	for (i = 0; i < 45; i++) {
		send_bytes(&s, 0, buf, 100);
		inbox_poll(&f, &in, 1);
	}
	sender_fini(&s);
}

/* The living one gets everything through, also in the dead one's ring. */
static void check_survivor(const struct mortal *m)
{
	struct sender s;
	int i, k;

	fixture_sender(&f, &s, ALIVE);
	check_int(queue_skip_dead(&f.queue, DEAD), ==, 0);
	for (i = 0; i < 200; i++) {
		if (send_bytes(&s, i, buf, i) && !check(!"room again"))
			break;
		for (k = 0; k < 3; k++)
			queue_poll(&f.queue, judge_message, NULL, 50);
	}
	check_uint(heard.alive, ==, 200);
	check_uint(heard.bad, ==, 0);
	check_uint(heard.dead, >=, m->before);
	check_uint(heard.dead, <=, m->before + m->during);
	check(s.ring != NULL);
	check_uint(f.queue.chores, ==, 0);
	check_uint(f.queue.garbage, ==, 0);
	sender_fini(&s);
}

static void kill_everywhere(const struct mortal *m)
{
	unsigned int steps, skipped = 0;
	bool going = true;

	for (steps = 0; going && steps < 20000; steps++) {
		fixture_open(&f, RING, 1, 0);
		use_up();
		memset(&heard, 0, sizeof(heard));
		heard.len = m->len;
		going = kill_after(m, steps);
		check_survivor(m);
		skipped += f.queue.skipped;
		fixture_close(&f);
	}
	check_int(going, ==, false);
	check_int(skipped > 0, ==, m->before <= QUEUE_PROMOTE_AFTER);
	tap_diag("killed at %u places, %u reservations skipped", steps,
		 skipped);
}

static void test_kill_cold(void)
{
	kill_everywhere(&(struct mortal){ 8, 0, 1 });
	kill_everywhere(&(struct mortal){ 200, 0, 1 });
}

static void test_kill_promotion(void)
{
	kill_everywhere(&(struct mortal){ 8, QUEUE_PROMOTE_AFTER, 1 });
}

static void test_kill_own(void)
{
	kill_everywhere(&(struct mortal){ 100, QUEUE_PROMOTE_AFTER + 1, 1 });
}

static bool can_trace(void)
{
	struct mortal m = { 8, 0, 1 };
	bool ret;

	fixture_open(&f, RING, 1, 0);
	ret = kill_after(&m, 1);
	fixture_close(&f);
	return ret;
}

static void traced(void (*test)(void))
{
	if (can_trace())
		test();
	else
		skip_test("ptrace is not allowed here");
}

int main(void)
{
	alarm(600);
	TEST_BOTH(test_reserved(), "a dead sender's reservation is passed over");
	TEST_BOTH(test_own_ring(), "a dead sender's ring is drained and freed");
	TEST_BOTH(test_successor(), "a successor of the same name is left alone");
	TEST_BOTH(test_close_with_graves(), "a queue closes over its dead");
	TEST(traced(test_kill_cold), "killed anywhere in the shared ring");
	TEST(traced(test_kill_promotion), "killed anywhere in promotion");
	TEST(traced(test_kill_own), "killed anywhere in an own ring");
	return tap_done();
}
