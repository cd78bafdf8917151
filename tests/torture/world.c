/* SPDX-License-Identifier: BSD-3-Clause */
/* world.c - what happened, what must not, and when it is enough. See world.h. */

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

#define TOLD	12	/* crimes that are described */

struct world *world;

static const char *const crime_name[] = {
#define CRIME(name, text) #name,
	CRIMES(CRIME)
#undef CRIME
};

void dice_init(struct dice *d, __u32 stream)
{
	d->state = ((__u64)world->seed << 32 | stream) * 0x9e3779b97f4a7c15ULL;
	d->state |= 1;
}

__u64 dice_roll(struct dice *d, __u64 sides)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (d->state >> 11) % sides;
}

bool is_long(void)
{
	const char *text = getenv("XNUMA_LONG");

	return text && *text && strcmp(text, "0");
}

int world_open(long pages, __u64 events)
{
	const char *seed = getenv("XNUMA_SEED");

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (world == MAP_FAILED)
		return -1;
	world->seed = seed ? (__u32)strtoul(seed, NULL, 0) :
			     (__u32)time(NULL) ^ (__u32)getpid() << 16;
	world->pages = pages;
	world->events = events;
	printf("# XNUMA_SEED=%u\n", world->seed);
	return sem_init(&world->order, 1, 0) | sem_init(&world->done, 1, 0);
}

void happened(enum event what)
{
	atomic_fetch_add(&world->happened[what], 1);
}

/* Of any process: one write() a line, and none of them a line of TAP. */
void crime(enum crime what, long page, const char *fmt, ...)
{
	struct leaf *leaf = &world->leaf[page];
	char line[400], text[200];
	va_list ap;
	int n;

	atomic_fetch_add(&world->crimes[what], 1);
	if (atomic_fetch_add(&world->told, 1) >= TOLD)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = snprintf(line, sizeof(line),
		     "# %s: page %ld: %s (%s, before: %s; epoch %llu, generations %llu to %llu, reach %u, seal %u)\n",
		     crime_name[what], page, text, event_text(leaf->event),
		     event_text(leaf->earlier), leaf->epoch, leaf->low,
		     leaf->high, leaf->reach, leaf->seal);
	if (write(1, line, (size_t)n) != n)
		return;
}

bool must(bool ok, const char *what)
{
	if (!ok && !atomic_load(&world->stop))
		crime(CRIME_BROKEN, 0, "%s: %m", what);
	return ok;
}

void linger(void)
{
	long until = atomic_load(&world->stays) + 64;
	int i;

	for (i = 0; i < 100 && atomic_load(&world->stays) < until; i++)
		sched_yield();
}

/* ---- judging ---- */

static long sum(size_t member)
{
	long n = 0;
	int i;

	for (i = 0; i < VISITORS; i++)
		n += atomic_load((_Atomic long *)((char *)&world->tally[i] +
						  member));
	return n;
}

long world_reads(void)
{
	return sum(offsetof(struct tally, reads));
}

bool world_has_crimes(void)
{
	int i;

	for (i = 0; i < NCRIMES; i++)
		if (atomic_load(&world->crimes[i]))
			return true;
	return false;
}

static bool is_enough(long times, long reads)
{
	int i;

	if (world_has_crimes())
		return true;
	for (i = 0; i < NEVENTS; i++)
		if (world->events >> i & 1 &&
		    atomic_load(&world->happened[i]) < times)
			return false;
	return world_reads() >= reads;
}

void world_run(long times, long reads, int seconds)
{
	struct timespec pause = { .tv_nsec = 10000000 };
	time_t end = time(NULL) + seconds;

	while (!is_enough(times, reads) && time(NULL) < end)
		nanosleep(&pause, NULL);
	atomic_store(&world->stop, true);
}

void world_print(void)
{
	int i;

	printf("# %ld reads and %ld stores were good; %ld reads of zeros, %ld rejected by the status page, %ld SIGBUS\n",
	       world_reads(), sum(offsetof(struct tally, writes)),
	       sum(offsetof(struct tally, zeros)),
	       sum(offsetof(struct tally, rejected)),
	       sum(offsetof(struct tally, refused)));
	printf("# generations retired while the read lasted:");
	for (i = 0; i < AGES; i++)
		printf(" %d%s: %ld", i, i == AGES - 1 ? "+" : "",
		       sum(offsetof(struct tally, age[0]) +
			   (size_t)i * sizeof(long)));
	printf("; before it began: %ld\n",
	       atomic_load(&world->crimes[CRIME_STALE]));
}

const char *event_text(enum event what)
{
	static const char *const text[] = {
#define EVENT(name, text) text,
		EVENTS(EVENT)
#undef EVENT
	};

	return text[what];
}
