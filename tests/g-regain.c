/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An owner's small pages become huge ones after the library mapped them here:
 * its windows have page tables in the way of huge entries, and it maps others.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "others.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define HUGE	(2L << 20)
#define PAGES	16		/* huge ones; twice what it takes the first time */
#define LEN	(PAGES * HUGE)
#define AREA	0x100000000000L
#define SEED	5
#define ROUNDS	16
#define THREADS	4
#define PART	(64UL << 10)

static struct other o;
static unsigned char *want, *got;

/* ---- the owner ---- */

static long job_small(long zero, long nil, long nought)
{
	long p = other_map(AREA, LEN, 0);

	if (p != AREA || madvise((void *)p, LEN, MADV_NOHUGEPAGE))
		return -errno;
	return other_fill(AREA, LEN, SEED);
}

/* Whoever looks at the same pages for a moment makes a try fail. */
static long job_collapse(long zero, long nil, long nought)
{
	long end = AREA + LEN, at;
	int tries = 0;

	if (madvise((void *)AREA, LEN, MADV_HUGEPAGE))
		return -errno;
	for (at = AREA; at < end; at += HUGE)
		while (madvise((void *)at, HUGE, MADV_COLLAPSE))
			if (tries++ == 1000)
				return -errno;
	return 0;
}

/* All is as before, in small entries. */
static long job_split(long zero, long nil, long nought)
{
	long at;

	for (at = AREA; at < AREA + LEN; at += HUGE)
		if (mprotect((void *)at, OTHER_PAGE, PROT_READ) ||
		    mprotect((void *)at, OTHER_PAGE, PROT_READ | PROT_WRITE))
			return -errno;
	return 0;
}

static long job_unmap(long zero, long nil, long nought)
{
	return other_unmap(AREA, LEN, 0);
}

/* ---- the importer ---- */

struct wanted {
	const char *name;
	long value;
};

static void see(void *arg, const char *name, const char *text, uint64_t value)
{
	struct wanted *wanted = arg;

	if (!strcmp(name, wanted->name))
		wanted->value = (long)value;
}

static long module(const char *name)
{
	struct wanted wanted = { name, -1 };

	xnuma_module_stats(see, &wanted);
	return wanted.value;
}

static struct xnuma_stats library(void)
{
	struct xnuma_stats stats;

	xnuma_domain_stats(own, &stats);
	return stats;
}

/* One call a huge page, as a program that uses all of it would. */
static int wrong(void)
{
	int n = 0;
	long at;

	memset(got, 0, LEN);
	for (at = 0; at < LEN; at += HUGE)
		n += xnuma_get(o.memory, got + at, AREA + at, HUGE, NULL) != 0;
	return n + !!memcmp(want, got, LEN);
}

/* A peer of its own, hence an import that has never met a blocked fault. */
static void begin(void)
{
	struct xnuma_config config;

	xnuma_config_init(&config);
	other_start(&o, &config);
	check(other_is_kmod());
	check_int(other_do(&o, job_small, 0, 0, 0), ==, 0);
}

static void end(void)
{
	check_int(other_do(&o, job_unmap, 0, 0, 0), ==, 0);
	other_stop(&o);
}

static void test_regain(void)
{
	uint64_t mapped, replaced;
	struct xnuma_window *win;
	long pmds;
	void *p;

	begin();
	replaced = library().windows_replaced;
	check_int(xnuma_window_hold(o.memory, AREA, PART, &p, &win), ==, 0);
	check(!memcmp(p, want, PART));
	check_int(wrong(), ==, 0);
	pmds = module("inserted_pmd");
	check_int(other_do(&o, job_collapse, 0, 0, 0), ==, 0);
	check_int(wrong(), ==, 0);
	check_int(wrong(), ==, 0);
	check_int(module("inserted_pmd") - pmds, >=, PAGES - 2);
	check_uint(library().windows_replaced - replaced, ==, 1);
	check(!memcmp(p, want, PART));

	mapped = library().windows_mapped;
	pmds = module("faults");
	check_int(wrong(), ==, 0);
	check_int(module("faults"), ==, pmds);
	check_uint(library().windows_mapped, ==, mapped);
	check_int(xnuma_put(o.memory, AREA, want + PART, PART, NULL), ==, 0);
	check(!memcmp(p, want + PART, PART));
	xnuma_window_release(win);
	end();
}

/* Atomics have the same windows: they notice too. */
static void test_atomic(void)
{
	uint64_t replaced, old;
	long at;

	begin();
	replaced = library().windows_replaced;
	check_int(wrong(), ==, 0);
	check_int(other_do(&o, job_collapse, 0, 0, 0), ==, 0);
	for (at = AREA; at < AREA + LEN; at += HUGE)
		check_int(xnuma_atomic(o.memory, XNUMA_ADD, at, 8, 0, 0, &old),
			  ==, 0);
	check_uint(library().windows_replaced - replaced, ==, 1);
	check_int(wrong(), ==, 0);
	end();
}

/*
 * Each round is enough by itself for the first time. Of thresholds that double
 * the fifth is beyond what all rounds make together.
 */
static void test_back_off(void)
{
	uint64_t replaced;
	long blocked;
	int i;

	begin();
	replaced = library().windows_replaced;
	blocked = module("blocked");
	for (i = 0; i < ROUNDS; i++) {
		check_int(other_do(&o, job_split, 0, 0, 0), ==, 0);
		check_int(wrong(), ==, 0);
		check_int(other_do(&o, job_collapse, 0, 0, 0), ==, 0);
		check_int(wrong(), ==, 0);
	}
	tap_diag("%ld blocked faults, %ju windows replaced",
		 module("blocked") - blocked,
		 (uintmax_t)(library().windows_replaced - replaced));
	check_int(module("blocked") - blocked, >=, ROUNDS * PAGES / 2);
	check_uint(library().windows_replaced - replaced, >, 1);
	check_uint(library().windows_replaced - replaced, <=, 6);
	end();
}

struct run {
	unsigned int seed;
	long wrong;
	long failed;
	long done;
};

static _Atomic bool over;

/* Any part of it, again and again. */
static void *run_reader(void *arg)
{
	struct run *run = arg;
	unsigned char buf[PART];
	size_t from;

	while (!atomic_load(&over)) {
		from = rand_r(&run->seed) % (LEN - PART);
		if (xnuma_get(o.memory, buf, AREA + from, PART, NULL))
			run->failed++;
		else
			run->wrong += !!memcmp(buf, want + from, PART);
		run->done++;
	}
	return NULL;
}

static void test_threads(void)
{
	uint64_t replaced;
	const char *slow = getenv("XNUMA_SLOW");
	double limit = other_now() + 90 * (slow ? atoi(slow) : 1);
	pthread_t thread[THREADS];
	struct run run[THREADS];
	long pmds, reads = 0;
	int i, rounds = 0;

	begin();
	replaced = library().windows_replaced;
	pmds = module("inserted_pmd");
	atomic_store(&over, false);
	for (i = 0; i < THREADS; i++) {
		run[i] = (struct run){ .seed = 100 + i };
		pthread_create(&thread[i], NULL, run_reader, &run[i]);
	}
	while (library().windows_replaced - replaced < 3 &&
	       other_now() < limit) {
		check_int(other_do(&o, job_collapse, 0, 0, 0), ==, 0);
		check_int(wrong(), ==, 0);
		check_int(other_do(&o, job_split, 0, 0, 0), ==, 0);
		check_int(wrong(), ==, 0);
		rounds++;
	}
	atomic_store(&over, true);
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		check_int(run[i].failed, ==, 0);
		check_int(run[i].wrong, ==, 0);
		reads += run[i].done;
	}
	check_uint(library().windows_replaced - replaced, >=, 3);
	check_int(module("inserted_pmd"), >, pmds);
	tap_diag("%ld reads in %d rounds", reads, rounds);
	end();
}

int main(void)
{
	long i;

	tap_diag("limit: 240");
	want = malloc(LEN);
	got = malloc(LEN);
	for (i = 0; i < LEN; i++)
		want[i] = other_byte(i, SEED);
	TEST(test_regain(), "memory that became huge is mapped by huge entries");
	TEST(test_atomic(), "atomics alone bring that about, too");
	TEST(test_back_off(), "memory that comes and goes costs less each time");
	TEST(test_threads(), "threads that read meanwhile see the right data");
	xnuma_domain_close(own);
	free(want);
	free(got);
	return tap_done();
}
