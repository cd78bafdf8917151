/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I3 and I1 under torture: the owner swaps a whole buffer for a newer one by
 * one system call, in a loop; importers copy it and look at what they got.
 * Each page carries the number of the buffer it belongs to.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	16
#define LEN	(NPAGES * PAGE)
#define READERS	2

static struct owner o;
static struct import im;

/* Shared by owner and importer: the newest buffer that is surely in place. */
static _Atomic __u64 *placed;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static void stamp(char *buf, __u64 number)
{
	size_t i;

	for (i = 0; i < LEN; i += 64)
		*(__u64 *)(buf + i) = number;
}

static long on_swap(long ms, long b, long c)
{
	char *at = (char *)AREA, *spare = at + 16 * MIB, *p;
	struct timespec now, end;
	__u64 number = *placed;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	do {
		p = mmap(spare, LEN, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (p != spare)
			return -errno;
		stamp(p, ++number);
		if (mremap(p, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, at) !=
		    at)
			return -errno;
		/* from here on nobody may see anything older */
		atomic_store(placed, number);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	return (long)number;
}

static atomic_bool stop;
static atomic_long copies, stale, torn, torn_accepted, rejected, age[4];

static void judge(const char *copy, __u64 before, bool accepted)
{
	__u64 low = ~0ULL, high = 0, number;
	size_t i;

	for (i = 0; i < LEN; i += 64) {
		number = *(const __u64 *)(copy + i);
		low = number < low ? number : low;
		high = number > high ? number : high;
	}
	atomic_fetch_add(&copies, 1);
	/* zeros are poison, for which only the counters are to blame */
	if (low && low < before)
		atomic_fetch_add(&stale, 1);
	if (low != high)
		atomic_fetch_add(&torn, 1);
	if (!accepted)
		atomic_fetch_add(&rejected, 1);
	else if (low != high || !low)
		atomic_fetch_add(&torn_accepted, 1);
	else
		atomic_fetch_add(&age[low - before < 3 ? low - before : 3], 1);
}

/* A copy is whole when nothing was taken back and nothing was poisoned. */
static void *reader(void *arg)
{
	static __thread char copy[LEN];
	__u64 before, revocations, cleared;
	bool accepted;

	while (!atomic_load(&stop)) {
		before = atomic_load(placed);
		cleared = __atomic_load_n(&im.st->cleared, __ATOMIC_ACQUIRE);
		revocations = __atomic_load_n(&im.ex->revocations,
					      __ATOMIC_ACQUIRE);
		memcpy(copy, im.win, LEN);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		accepted = __atomic_load_n(&im.st->poisoned,
					   __ATOMIC_ACQUIRE) == cleared &&
			   __atomic_load_n(&im.ex->revocations,
					   __ATOMIC_ACQUIRE) == revocations;
		judge(copy, before, accepted);
		if (__atomic_load_n(&im.st->poisoned, __ATOMIC_ACQUIRE) !=
		    __atomic_load_n(&im.st->cleared, __ATOMIC_ACQUIRE))
			dev_range(im.fd, XPMEM_NUMA_RESET, im.handle, 0, 0);
	}
	return NULL;
}

static void test_swap(void)
{
	pthread_t thread[READERS];
	long swaps;
	int i;

	check_int(share_open(&o, &im, LEN, RW, RW, POISON), ==, 0);
	check_int(on(on_swap, 0, 0, 0), >, 0);
	for (i = 0; i < READERS; i++)
		pthread_create(&thread[i], NULL, reader, NULL);
	swaps = on(on_swap, 4000, 0, 0);
	atomic_store(&stop, true);
	for (i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	tap_diag("%ld swaps, %ld copies: %ld rejected, %ld torn; age 0: %ld, 1: %ld, 2: %ld, more: %ld",
		 swaps, copies, rejected, torn, age[0], age[1], age[2], age[3]);
	check_int(swaps, >, 20);
	check_int(copies - rejected, >, 20);
	check_int(stale, ==, 0);
	check_int(torn_accepted, ==, 0);
	share_close(&o, &im);
}

/*
 * Pages one by one: a number is published after the page that carries it is in
 * place; an importer that reads the number first never reads an older page.
 */
static long on_renew(long rounds, long b, long c)
{
	__u64 number;
	char *p;
	long i;

	for (; rounds--;)
		for (i = 0; i < NPAGES; i++) {
			p = (char *)AREA + i * (long)PAGE;
			number = atomic_load(&placed[1 + i]) + 1;
			switch (rounds % 3) {
			case 0:
				mmap(p, PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				     -1, 0);
				break;
			case 1:
				madvise(p, PAGE, MADV_DONTNEED);
				break;
			default:
				madvise(p, PAGE, MADV_PAGEOUT);
			}
			*(__u64 *)p = number;
			atomic_store(&placed[1 + i], number);
		}
	return 0;
}

static atomic_long reads, older;

static void *page_reader(void *arg)
{
	__u64 least, got;
	long i, n = 0;

	while (!atomic_load(&stop))
		for (i = 0; i < NPAGES; i++, n++) {
			least = atomic_load(&placed[1 + i]);
			got = *(volatile __u64 *)(im.win + i * (long)PAGE);
			/* zero: new, and not written yet */
			if (got && got < least)
				atomic_fetch_add(&older, 1);
		}
	atomic_fetch_add(&reads, n);
	return NULL;
}

static void test_pages(void)
{
	pthread_t thread[READERS];
	int i;

	atomic_store(&stop, false);
	check_int(share_open(&o, &im, LEN, RW, RW, POISON), ==, 0);
	for (i = 0; i < READERS; i++)
		pthread_create(&thread[i], NULL, page_reader, NULL);
	check_int(on(on_renew, 150, 0, 0), ==, 0);
	atomic_store(&stop, true);
	for (i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	tap_diag("%ld reads of pages renewed 2400 times", reads);
	check_int(reads, >, 1000);
	check_int(older, ==, 0);
	share_close(&o, &im);
}

int main(void)
{
	guest_begin();
	placed = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST(test_swap(), "I3: of buffers swapped whole, no copy is stale or torn");
	TEST(test_pages(), "I1: no page is older than what was published");
	return tap_done();
}
