/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions that must not be more where there are more windows or threads;
 * on the host only, since steps take long in a guest.
 */

#include <pthread.h>
#include <sched.h>

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

int main(void)
{
	struct xnuma_config config;
	struct view v;

	steps_open();
	xnuma_config_init(&config);
	other_start(&o, &config);
	view_memory(2 * MANY);
	view_open(&v, MANY);

	TEST(test_lookup(&v), "a window is found as soon among many as among few");
	TEST(test_threads(&v), "... and by one of eight threads as by one alone");
	TEST(test_miss(), "evicting one costs as much among many as among few");
	view_close(&v);
	TEST(other_stop(&o), "the other process ends well");
	xnuma_domain_close(own);
	steps_close();
	return tap_done();
}
