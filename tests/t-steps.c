/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions that must not be more where there are more windows, threads or
 * peers;
 * on the host only, since steps take long in a guest.
 */

#include <pthread.h>
#include <sched.h>

#include "crowd.h"
#include "steps.h"
#include "views.h"

#define MANY	1024		/* windows */
#define FEW	64
#define LOOKUPS	64
#define THREADS	8

/* Gets of windows from @from on, @step apart. */
struct walk {
	struct view *view;
	unsigned long from, step, n;
	int wrong;
};

static void walk(void *arg)
{
	struct walk *w = arg;
	unsigned long i;

	for (i = 0; i < w->n; i++)
		w->wrong += view_get(w->view, w->from + i * w->step) != 0;
}

static long walk_steps(struct walk w)
{
	long n = steps_count(walk, &w);

	check_int(w.wrong, ==, 0);
	return n;
}

/* The windows are mapped, and their last use is noted. */
static long lookup(struct view *v, unsigned long windows)
{
	struct walk w = { v, 0, windows / LOOKUPS, LOOKUPS, 0 };

	view_walk(v, windows);
	view_walk(v, windows);
	return walk_steps(w);
}

static bool may_count(long n)
{
	if (n < 0)
		skip_test("no process may be traced: %s", strerror(-n));
	return n >= 0;
}

static void test_lookup(struct view *v)
{
	long few = lookup(v, FEW), many = lookup(v, MANY);

	if (!may_count(few))
		return;
	tap_diag("instructions of %d gets: %ld of %d windows, %ld of %d",
		 LOOKUPS, few, FEW, many, MANY);
	check_int(few, >, 10 * LOOKUPS);
	check_int(many * 100, <=, few * 104);
}

static atomic_bool stop;
static atomic_int running, wrong;

static void *busy(void *arg)
{
	unsigned long i = 0;

	atomic_fetch_add(&running, 1);
	while (!atomic_load(&stop)) {
		if (view_get(arg, i++ * 7919 % MANY))
			atomic_fetch_add(&wrong, 1);
		sched_yield();
	}
	return NULL;
}

static void test_threads(struct view *v)
{
	long alone = lookup(v, MANY), among;
	pthread_t thread[THREADS - 1];
	int i;

	if (!may_count(alone))
		return;
	for (i = 0; i < THREADS - 1; i++)
		pthread_create(&thread[i], NULL, busy, v);
	while (atomic_load(&running) < THREADS - 1)
		sched_yield();
	among = lookup(v, MANY);
	atomic_store(&stop, true);
	for (i = 0; i < THREADS - 1; i++)
		pthread_join(thread[i], NULL);
	tap_diag("instructions of %d gets: %ld alone, %ld among %d threads",
		 LOOKUPS, alone, among, THREADS);
	check_int(atomic_load(&wrong), ==, 0);
	check_int(among, ==, alone);
}

/* Of each window that is mapped where another one has to go for it. */
static long miss(unsigned int room, unsigned long misses)
{
	struct view v;
	struct walk w = { &v, 2 * room, 1, misses, 0 };
	long n;

	view_open(&v, room);
	view_walk(&v, 2 * room);
	n = walk_steps(w);
	view_close(&v);
	return n < 0 ? n : n / (long)misses;
}

static void test_miss(void)
{
	long few = miss(32, 6), many = miss(MANY / 2, MANY / 16 + 2);

	if (!may_count(few))
		return;
	tap_diag("instructions of a window that evicts one: %ld of %d, "
		 "%ld of %d", few, 32, many, MANY / 2);
	check_int(many * 10, <=, few * 13);
}

#define SOME	10		/* peers with a ring each */
#define PEERS	64
#define POLLS	64

static void count_message(void *arg, const struct xnuma_message *msg)
{
	++*(int *)arg;
}

static void poll_times(void *arg)
{
	long n = *(long *)arg;
	int got = 0;

	while (n--)
		xnuma_poll(own, count_message, &got, 100);
}

/* Peers of this process, from @from to @to, that talked and fell silent. */
static void silence(long from, long to)
{
	double limit = other_now() + 60;
	long i, polls = 3 * 4096;
	int got;

	check_int(other_do(&o, crowd_job_domains, to - from, from, 0), ==, 0);
	check_int(other_do(&o, crowd_job_open, to - from, from, 0), ==, 0);
	for (i = 0; i < 3; i++) {
		check_int(other_do(&o, crowd_job_send, to, 10, 0), ==, 0);
		for (got = 0; got < 10 * to && other_now() < limit; )
			xnuma_poll(own, count_message, &got, 100);
		check_int(got, ==, 10 * to);
	}
	poll_times(&polls);
}

static long poll_steps(void)
{
	long polls = POLLS;

	return steps_count(poll_times, &polls);
}

static void test_poll(void)
{
	struct xnuma_stats stats;
	long few, many;

	xnuma_domain_pack(own, crowd->master);
	silence(0, SOME);
	few = poll_steps();
	silence(SOME, PEERS);
	many = poll_steps();
	if (!may_count(few))
		return;
	xnuma_domain_stats(own, &stats);
	check_uint(stats.promotions, ==, PEERS);
	tap_diag("instructions of %d polls: %ld with %d silent peers, "
		 "%ld with %d", POLLS, few, SOME, many, PEERS);
	check_int(many * 100, <=, few * 110);
}

struct letter {
	struct xnuma_peer *to;
	size_t room;		/* SIZE_MAX: of 64 bytes, known before */
};

static void letter_send(void *arg)
{
	const struct letter *l = arg;
	void *buf;

	if (l->room == SIZE_MAX)
		other_need(!xnuma_send_reserve(l->to, 64, &buf), "room");
	else
		other_need(!xnuma_send_reserve_most(l->to, l->room, 64, &buf),
			   "room");
	memset(buf, 1, 64);
	xnuma_send_commit(l->to, 1, 64);
}

/* Among others of its kind. */
static long letter_steps(struct xnuma_domain *dom, struct letter l)
{
	long steps = 0;
	int i, got = 0;

	for (i = 0; i < 100; i++) {
		if (i == 50)
			steps = steps_count(letter_send, &l);
		else
			letter_send(&l);
		xnuma_poll(dom, count_message, &got, 100);
	}
	check_int(got, ==, 100);
	return steps;
}

static void test_reserve(void)
{
	struct letter known = { .room = SIZE_MAX }, unknown = { .room = 8000 };
	uint8_t blob[XNUMA_BLOB_LEN];
	struct xnuma_config config;
	struct xnuma_domain *dom;
	long exact, most;

	xnuma_config_init(&config);
	config.name = (uint64_t)getpid() << 32;
	other_need(!xnuma_domain_open(&config, &dom), "domain");
	xnuma_domain_pack(dom, blob);
	other_need(!xnuma_peer_open(dom, blob, &known.to), "self");
	unknown.to = known.to;
	exact = letter_steps(dom, known);
	most = letter_steps(dom, unknown);
	xnuma_peer_close(known.to);
	xnuma_domain_close(dom);
	if (!may_count(exact))
		return;
	tap_diag("instructions of 64 bytes: %ld, of an unknown length: %ld",
		 exact, most);
	check_int(most, <=, exact + exact / 10);
}

static struct xnuma_peer *peer[PEERS];

static void open_peer(void *arg)
{
	long i = *(long *)arg;

	other_need(!xnuma_peer_open(own, crowd->blob[i], &peer[i]), "peer");
}

static void close_peer(void *arg)
{
	xnuma_peer_close(peer[*(long *)arg]);
}

static void test_open(void)
{
	long opens[PEERS], closes[2], i;

	for (i = 0; i < PEERS; i++) {
		if (i == 1 || i == PEERS - 1)
			opens[i] = steps_count(open_peer, &i);
		else
			open_peer(&i);
	}
	i = PEERS - 1;
	closes[0] = steps_count(close_peer, &i);
	i = 0;
	closes[1] = steps_count(close_peer, &i);
	for (i = 1; i < PEERS - 1; i++)
		close_peer(&i);
	if (!may_count(opens[1]))
		return;
	tap_diag("instructions to open the second peer %ld, the last %ld; "
		 "to close the last %ld, the first %ld", opens[1], opens[PEERS - 1], closes[0],
		 closes[1]);
	check_int(opens[PEERS - 1] * 100, <=, opens[1] * 110);
	check_int(closes[1] * 100, <=, closes[0] * 110);
}

int main(void)
{
	struct xnuma_config config;
	struct view v;

	steps_open();
	crowd_open();
	xnuma_config_init(&config);
	other_start(&o, &config);
	view_memory(2 * MANY);
	view_open(&v, MANY);

	TEST(test_lookup(&v), "a window is found as soon among many as among few");
	TEST(test_threads(&v), "... and by one of eight threads as by one alone");
	TEST(test_miss(), "evicting one costs as much among many as among few");
	view_close(&v);
	TEST(test_poll(), "a poll costs as much with many silent peers as with few");
	TEST(test_open(), "the last of many peers is opened as soon as the second");
	TEST(test_reserve(), "room for any length costs what its message does");
	other_do(&o, crowd_job_close, 0, 0, 0);
	TEST(other_stop(&o), "the other process ends well");
	xnuma_domain_close(own);
	steps_close();
	return tap_done();
}
