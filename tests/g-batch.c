/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two events at once in one granule: one over all of the owner's memory, whose
 * importers are zapped together, and one of a page, which must not return before
 * the page is gone, whoever takes it away (I1).
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define LEN	(6 * MIB)
#define MIDDLE	(3 * MIB)
#define ROUNDS	200

static struct import im;
static atomic_int wanted, done;

/* An event over everything for each number that is asked for. */
static void *take_all(void *area)
{
	int i;

	for (i = 1; i <= ROUNDS; i++) {
		while (wanted < i)
			sched_yield();
		madvise(area, LEN, MADV_DONTNEED);
		done = i;
	}
	return NULL;
}

/* Somewhere in the other event, or before or after it. */
static int take_page(volatile char *area, int round)
{
	int seen;

	wanted = round;
	usleep((useconds_t)(round % 10) * 200);
	madvise((void *)(area + MIDDLE), PAGE, MADV_DONTNEED);
	seen = load(im.win + MIDDLE);
	while (done < round)
		sched_yield();
	return seen;
}

static void test_two_events(void)
{
	struct xpmem_numa_export ex;
	int fd = dev_open(), i, stale = 0;
	volatile char *area = mmap((void *)AREA, LEN, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				   -1, 0);
	pthread_t other;

	check_int(madvise((void *)area, LEN, MADV_NOHUGEPAGE), ==, 0);
	check_int(dev_export(fd, (void *)area, LEN, RW, &ex), ==, 0);
	check_int(import_open(&im, ex.id, LEN, RO, 0), ==, 0);
	check_int(pthread_create(&other, NULL, take_all, (void *)area), ==, 0);
	for (i = 1; i <= ROUNDS; i++) {
		area[MIDDLE] = (char)(i % 100 + 1);
		check_int(load(im.win + MIDDLE), ==, i % 100 + 1);
		stale += take_page(area, i) > 0;
	}
	check_int(pthread_join(other, NULL), ==, 0);
	check_int(stale, ==, 0);
	check_int(import_close(&im), ==, 0);
	close(fd);
	munmap((void *)area, LEN);
}

int main(void)
{
	guest_begin();
	TEST(test_two_events(), "a page taken back during a larger event is gone");
	return tap_done();
}
