// SPDX-License-Identifier: BSD-3-Clause
/* Message queue: threads that share a sender, threads that poll, a sleeper. */
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>

#include "queue-fixture.h"

#define THREADS		4
#define PER_THREAD	50000
#define RING		65536UL
#define WAKES		8000
#define ROUNDS		100000

static struct fixture f;
static struct sender shared;	/* by all threads */
static _Atomic bool stop;

/* written by handlers only, one at a time */
static struct {
	unsigned int	next[THREADS];
	unsigned int	messages;
	unsigned int	bad;
	unsigned int	entered;
} seen;
static _Atomic unsigned int handled, handled_by[THREADS];

static void receive(void *arg, const struct xnuma_message *msg)
{
	const unsigned int *data = msg->data;
	unsigned int i;

	seen.bad += seen.entered++ != 0;
	seen.bad += msg->tag >= THREADS || msg->len < sizeof(*data) ||
		    data[0] != seen.next[msg->tag]++;
	for (i = 1; i < msg->len / sizeof(*data); i++)
		seen.bad += data[i] != data[0];
	seen.messages++;
	seen.entered--;
	atomic_fetch_add_explicit(&handled_by[msg->tag % THREADS], 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);
}

/* Sends, or reserves and commits, or reserves and cancels first. */
static void send_one(unsigned int me, unsigned int number)
{
	unsigned int buf[100], i, n = number % 7 ? 2 : 100;
	struct iovec iov = { buf, n * sizeof(buf[0]) };
	void *room;

	for (i = 0; i < n; i++)
		buf[i] = number;
	while (number % 3 == 0 && sender_send(&shared, me, &iov, 1))
		sched_yield();
	if (number % 3 == 0)
		return;
	if (number % 3 == 1 && sender_reserve(&shared, 300, &room) == 0) {
		memset(room, me, 300);
		sender_cancel(&shared);
	}
	while (sender_reserve(&shared, iov.iov_len, &room))
		sched_yield();
	memcpy(room, buf, iov.iov_len);
	sender_commit(&shared, me, iov.iov_len);
}

static void *send_thread(void *arg)
{
	unsigned int me = (uintptr_t)arg, i;

	for (i = 0; i < PER_THREAD; i++)
		send_one(me, i);
	return NULL;
}

static void *poll_thread(void *arg)
{
	unsigned int idle = 0;

	while (!atomic_load(&stop))
		if (!queue_poll(&f.queue, receive, NULL, 2) &&
		    ++idle % 100 == 0)
			sched_yield();
	return NULL;
}

static void join_all(pthread_t *threads, int n)
{
	int i;

	for (i = 0; i < n; i++)
		check_int(pthread_join(threads[i], NULL), ==, 0);
}

/* Neighbours by @arg on different cores: what never meets cannot fail. */
static void pin(pthread_t thread, uintptr_t arg)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(arg % cpus, &set);
	pthread_setaffinity_np(thread, sizeof(set), &set);
}

static void start(pthread_t *thread, void *(*func)(void *), uintptr_t arg)
{
	check_int(pthread_create(thread, NULL, func, (void *)arg), ==, 0);
	pin(*thread, arg);
}

static void with_rings(unsigned int max_rings, bool taken)
{
	pthread_t senders[THREADS], pollers[2];
	struct sender other;
	unsigned int i;

	memset(&seen, 0, sizeof(seen));
	atomic_store(&handled, 0);
	atomic_store(&stop, false);
	fixture_open(&f, RING, max_rings, 0);
	check_int(sender_init(&shared, f.mem, f.len, 1, true, false), ==, 0);
	if (taken) {	/* the only ring */
		static struct inbox in;

		fixture_sender(&f, &other, 2);
		sender_warm(&f, &other, &in);
	}
	for (i = 0; i < 2; i++)
		start(&pollers[i], poll_thread, i);
	for (i = 0; i < THREADS; i++)
		start(&senders[i], send_thread, i);
	join_all(senders, THREADS);
	while (atomic_load(&handled) < THREADS * PER_THREAD)
		sched_yield();
	atomic_store(&stop, true);
	join_all(pollers, 2);
	check_uint(seen.bad, ==, 0);
	check_uint(seen.messages, ==, THREADS * PER_THREAD);
	check_uint(shared.messages, ==, THREADS * PER_THREAD);
	check_uint(shared.promotions, ==, !taken);
	sender_fini(&shared);
	if (taken)
		sender_fini(&other);
	fixture_close(&f);
}

static void test_shared_sender(void)
{
	with_rings(1, false);
}

static void test_shared_sender_cold(void)
{
	with_rings(1, true);
}

/* ---- single entry ---- */

#define CIRCLING	10

/* Sends on what it got, with a sender that is no thread's but the poller's. */
static void pass_on(void *arg, const struct xnuma_message *msg)
{
	seen.bad += seen.entered++ != 0;
	seen.bad += send_bytes(arg, msg->tag, msg->data, msg->len) != 0;
	seen.messages++;
	seen.entered--;
}

static void *circle_thread(void *arg)
{
	unsigned int i;

	for (i = 0; i < 4 * ROUNDS; i++)
		queue_poll(&f.queue, pass_on, &shared, 1);
	return NULL;
}

static void test_single_entry(void)
{
	pthread_t pollers[2];
	static struct inbox in;
	unsigned int i;

	memset(&seen, 0, sizeof(seen));
	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &shared, 1);
	sender_warm(&f, &shared, &in);
	for (i = 0; i < CIRCLING; i++)
		check_int(send_bytes(&shared, 0, &i, sizeof(i)), ==, 0);
	for (i = 0; i < 2; i++)
		start(&pollers[i], circle_thread, i);
	join_all(pollers, 2);
	check_uint(seen.bad, ==, 0);
	check_uint(seen.messages, >=, ROUNDS / 10);
	check_int(inbox_drain(&f, &in), ==, CIRCLING);
	sender_fini(&shared);
	fixture_close(&f);
}

/* ---- sleep and wake ---- */

static int event = -1;

/* The first waker waits for each message: a lost wake-up hangs, once alone. */
static void *sleeper_thread(void *arg)
{
	uint64_t count;

	while (!atomic_load(&stop)) {
		if (queue_poll(&f.queue, receive, NULL, 16))
			continue;
		if (queue_arm(&f.queue) == 0 &&
		    read(event, &count, sizeof(count)) != sizeof(count))
			return NULL;
	}
	return NULL;
}

static void *waker_thread(void *arg)
{
	unsigned int me = (uintptr_t)arg, i;
	struct iovec iov = { &i, sizeof(i) };
	uint64_t one = 1;
	struct sender s;

	fixture_sender(&f, &s, me);
	for (i = 0; i < (me ? WAKES / 8 : WAKES); i++) {
		while (sender_send(&s, me, &iov, 1))
			sched_yield();
		if (sender_must_wake(&s) &&
		    write(event, &one, sizeof(one)) != sizeof(one))
			break;
		if (me)
			continue;
		while (atomic_load(&handled_by[0]) <= i)
			sched_yield();
	}
	sender_fini(&s);
	return NULL;
}

static void test_wake(void)
{
	pthread_t sleeper, wakers[2];
	uint64_t one = 1;
	unsigned int i;

	memset(&seen, 0, sizeof(seen));
	atomic_store(&handled, 0);
	atomic_store(&stop, false);
	for (i = 0; i < THREADS; i++)
		atomic_store(&handled_by[i], 0);
	event = eventfd(0, EFD_CLOEXEC);
	fixture_open(&f, RING, 2, XNUMA_SLEEPS);
	start(&sleeper, sleeper_thread, 0);
	for (i = 0; i < 2; i++)
		start(&wakers[i], waker_thread, i);
	join_all(wakers, 2);
	while (atomic_load(&handled) < WAKES / 8 * 9)
		sched_yield();
	atomic_store(&stop, true);
	check_int(write(event, &one, sizeof(one)), ==, sizeof(one));
	join_all(&sleeper, 1);
	check_uint(seen.bad, ==, 0);
	check_uint(seen.messages, ==, WAKES / 8 * 9);
	fixture_close(&f);
	close(event);
}

/* ---- the two fences ---- */

static _Atomic unsigned int arrived;

/* Both leave at the same moment, if both have a core. */
static void meet(unsigned int round)
{
	unsigned int spins = 0;

	atomic_fetch_add(&arrived, 1);
	while (atomic_load_explicit(&arrived, memory_order_acquire) <
	       2 * round)
		if (++spins % 10000 == 0)
			sched_yield();
}

/*
 * Who was first is held back longer in the next round, until both are at it in
 * the same nanoseconds.
 */
static int skew[2];	/* by parity of the round; > 0 holds the reader back */

static void hold_back(int steps)
{
	volatile int i = steps;

	while (i > 0)
		i--;
}

static int armed[2];	/* by parity of the round */

static void *arm_thread(void *arg)
{
	unsigned int round;

	for (round = 1; round <= ROUNDS; round++) {
		meet(round);
		hold_back(skew[round % 2]);
		armed[round % 2] = queue_arm(&f.queue) == 0;
	}
	meet(round);
	return NULL;
}

/* Armed and nothing seen, sent and not armed: one of them must not be. */
static void test_fences(void)
{
	unsigned int round, lost = 0, woken = 0, spins = 0;
	static struct inbox in;
	struct sender s;
	pthread_t reader;
	bool wake;

	atomic_store(&arrived, 0);
	fixture_open(&f, RING, 1, XNUMA_SLEEPS);
	fixture_sender(&f, &s, 1);
	sender_warm(&f, &s, &in);
	start(&reader, arm_thread, 1);
	pin(pthread_self(), 0);
	meet(1);
	for (round = 1; round <= ROUNDS; round++) {
		hold_back(-skew[round % 2]);
		send_bytes(&s, 0, &round, sizeof(round));
		wake = sender_must_wake(&s);
		/* the reader is at the next round's start when it is done */
		while (atomic_load(&arrived) < 2 * round + 1)
			if (++spins % 10000 == 0)
				sched_yield();
		lost += armed[round % 2] && !wake;
		woken += wake;
		skew[(round + 1) % 2] = skew[round % 2] +
					(armed[round % 2] ? 1 : -1);
		queue_disarm(&f.queue);
		inbox_drain(&f, &in);
		meet(round + 1);
	}
	join_all(&reader, 1);
	check_uint(lost, ==, 0);
	check_uint(woken, >, 0);
	tap_diag("%u of %u met the reader armed, skew %d", woken, ROUNDS,
		 skew[round % 2]);
	sender_fini(&s);
	fixture_close(&f);
}

int main(void)
{
	alarm(300);
	TEST(test_shared_sender(), "threads share a sender and its ring");
	TEST(test_shared_sender_cold(), "threads share a sender without a ring");
	TEST(test_single_entry(), "one thread at a time handles messages");
	TEST(test_wake(), "no wake-up is lost");
	TEST(test_fences(), "arming and sending at once is noticed by one");
	return tap_done();
}
