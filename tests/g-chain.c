/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Imports of importers: chains, rings, windows over the very memory that they
 * show. A window is never memory of its process (I7), and no zap may wait for
 * another in a circle (I4).
 */

#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	64
#define LEN	(NPAGES * PAGE)
#define RING	6
#define LIMIT	60000		/* ms: longer is a deadlock */

static struct peer ring[RING];

/* The answer, or -ETIMEDOUT and the end of the peer. */
static long answer(struct peer *p)
{
	if (peer_answers(p, LIMIT))
		return peer_end(p);
	peer_kill(p, SIGKILL);
	return -ETIMEDOUT;
}

static long on_begin(long byte, long b, long c)
{
	long ret = on_map(AREA, LEN, 0);

	if (ret)
		return ret;
	on_fill(AREA, LEN, byte);
	return on_export_all(RW, 0, 0);
}

/* Each imports the next one, from AREA as far as the ring's windows go. */
static long on_window_at(long at, long va, long len)
{
	void *win = mmap((void *)at, (size_t)len, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED_NOREPLACE, mine.fd,
			 (off_t)XPMEM_NUMA_OFFSET(mine.handle, va));

	return win == MAP_FAILED ? -errno : 0;
}

static void ring_open(int n)
{
	const long at = AREA + (long)GIB;
	long id[RING];
	int i;

	for (i = 0; i < n; i++) {
		check_int(peer_start(&ring[i]), ==, 0);
		id[i] = peer_call(&ring[i], on_begin, 0x30 + i, 0, 0);
	}
	for (i = 0; i < n; i++) {
		check_int(peer_call(&ring[i], on_import, id[(i + 1) % n], 0,
				    RW), ==, 0);
		/* the neighbour's memory, and his window on his neighbour */
		check_int(peer_call(&ring[i], on_window_at, at, AREA,
				    GIB + LEN), ==, 0);
	}
}

static void ring_close(int n)
{
	int i;

	for (i = 0; i < n; i++)
		peer_stop(&ring[i]);
	check(stat_settles("exports", 0));
	check(stat_settles("imports", 0));
	check(stat_settles("granules", 0));
}

/* Nobody sees past his neighbour. */
static void test_chain(void)
{
	const long at = AREA + (long)GIB;
	int i;

	ring_open(3);
	for (i = 0; i < 3; i++) {
		check_int(peer_call(&ring[i], on_load, at, 0, 0), ==,
			  0x30 + (i + 1) % 3);
		check_int(peer_call(&ring[i], on_load, at + (long)GIB, 0, 0),
			  ==, -SIGBUS);
		check_int(peer_call(&ring[i], on_store, at + (long)GIB, 1, 0),
			  ==, -SIGBUS);
	}
	/* what the first stores is in the second, and not in the third */
	check_int(peer_call(&ring[0], on_store, at, 0x66, 0), ==, 0);
	check_int(peer_call(&ring[1], on_load, AREA, 0, 0), ==, 0x66);
	check_int(peer_call(&ring[2], on_load, AREA, 0, 0), ==, 0x32);
	ring_close(3);
}

/* Revokes all it has, and faults in its neighbour's, in turn. */
static long on_turn(long times, long b, long c)
{
	const long at = AREA + (long)GIB;
	long i, n = 0;

	for (i = 0; i < times; i++) {
		if (on_advise(AREA, LEN, MADV_DONTNEED))
			return -EIO;
		*(volatile char *)(AREA + i % NPAGES * (long)PAGE) = 1;
		n += load((void *)(at + i * 7 % NPAGES * (long)PAGE)) >= 0;
		n += !store((void *)(at + i * 5 % NPAGES * (long)PAGE), 2);
		if (load((void *)(at + (long)GIB)) != -SIGBUS)
			return -EXDEV;
	}
	return n;
}

static void test_ring(void)
{
	int i;

	ring_open(RING);
	for (i = 0; i < RING; i++)
		check_int(peer_begin(&ring[i], on_turn, 300, 0, 0), ==, 0);
	for (i = 0; i < RING; i++)
		check_int(answer(&ring[i]), ==, 600);
	ring_close(RING);
}

/* The ring breaks while it turns. */
static void test_ring_death(void)
{
	int round, i;

	for (round = 0; round < 5; round++) {
		ring_open(RING);
		for (i = 0; i < RING; i++)
			check_int(peer_begin(&ring[i], on_turn, 1000000, 0, 0),
				  ==, 0);
		for (i = 0; i < RING; i++)
			kill(ring[(i * 5 + round) % RING].pid, SIGKILL);
		for (i = 0; i < RING; i++)
			check_int(answer(&ring[i]), ==, -EPIPE);
		ring_close(RING);
	}
}

/*
 * Where each had memory that the other touched, each puts a window on the
 * other's same address: what is taken from one is taken from the other, and so
 * on in a circle. The granules are there, and still named: a zap of two pages
 * does not empty them.
 */
static long on_place(long times, long b, long c)
{
	const long at = AREA + (long)GIB;
	long i;

	for (i = 0; i < times; i++) {
		if (mmap((void *)at, 2 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, mine.fd,
			 (off_t)XPMEM_NUMA_OFFSET(mine.handle, at)) !=
		    (void *)at)
			return -errno;
		load((void *)at);
		mprotect((void *)at, PAGE, PROT_READ);
		if (munmap((void *)at, 2 * PAGE))
			return -errno;
		if (on_map(at, 2 * PAGE, MAP_FIXED))
			return -errno;
		*(char *)at = 1;
		load(mine.win);
	}
	return times;
}

static long on_look(long id, long b, long c)
{
	const long at = AREA + (long)GIB;
	long ret = on_import(id, 0, RW);

	if (ret)
		return ret;
	mine.win = dev_window(mine.fd, mine.handle, at, 2 * PAGE,
			      PROT_READ | PROT_WRITE);
	mine.len = 2 * PAGE;
	return mine.win == MAP_FAILED ? -errno : store(mine.win, 0x31);
}

static void test_same_place(void)
{
	const long at = AREA + (long)GIB;
	long id[2];
	int i;

	for (i = 0; i < 2; i++) {
		check_int(peer_start(&ring[i]), ==, 0);
		id[i] = peer_call(&ring[i], on_begin, 0x30, 0, 0);
		check_int(peer_call(&ring[i], on_map, at, 2 * PAGE, 0), ==, 0);
	}
	for (i = 0; i < 2; i++)
		check_int(peer_call(&ring[i], on_look, id[!i], 0, 0), ==, 0);
	for (i = 0; i < 2; i++)
		check_int(peer_begin(&ring[i], on_place, 300, 0, 0), ==, 0);
	for (i = 0; i < 2; i++)
		check_int(answer(&ring[i]), ==, 300);
	ring_close(2);
}

/* ---- of oneself ---- */

/* A window over the memory that it shows: then there is none. */
static long on_cover_self(long a, long b, long c)
{
	long id = on_begin(0x31, 0, 0), ret;

	ret = on_import(id, 0, RW);
	if (ret)
		return ret;
	if (mmap((void *)AREA, LEN, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, mine.fd,
		 (off_t)XPMEM_NUMA_OFFSET(mine.handle, AREA)) != (void *)AREA)
		return -errno;
	ret = load((void *)AREA);
	if (ret != -SIGBUS || store((void *)AREA, 1) != -SIGBUS)
		return -EXDEV;
	ret = dev_prefault(mine.fd, mine.handle, AREA, LEN, RW, 0);
	if (ret != -EFAULT)
		return ret;
	/* memory again, and a window elsewhere that shows it */
	ret = on_map(AREA, LEN, MAP_FIXED);
	if (ret)
		return ret;
	*(char *)AREA = 0x32;
	ret = on_window_at(AREA + (long)GIB, AREA, LEN);
	return ret ? ret : load((void *)(AREA + (long)GIB));
}

static void test_cover_self(void)
{
	struct peer p;

	check_int(peer_start(&p), ==, 0);
	check_int(peer_begin(&p, on_cover_self, 0, 0, 0), ==, 0);
	check_int(answer(&p), ==, 0x32);
	peer_stop(&p);
}

/* Windows on one's own windows, each one shifted by a page. */
static long on_mirror(long n, long b, long c)
{
	long id = on_begin(0x31, 0, 0), i, ret, at = AREA;

	ret = on_import(id, 0, RW);
	for (i = 0; i < n && !ret; i++) {
		ret = on_window_at(at + (long)GIB, at, LEN);
		at += (long)GIB;
	}
	if (ret)
		return ret;
	/* the first shows memory, the others show windows: nothing */
	if (load((void *)(AREA + (long)GIB)) != 0x31)
		return -EXDEV;
	for (i = 2; i <= n; i++)
		if (load((void *)(AREA + i * (long)GIB)) != -SIGBUS)
			return -EXDEV;
	/* each munmap() of a window is an event of this process's memory */
	for (i = 1; i <= n; i++)
		on_unmap(AREA + i * (long)GIB, LEN, 0);
	return 0;
}

static void test_mirror(void)
{
	struct peer p;

	check_int(peer_start(&p), ==, 0);
	check_int(peer_begin(&p, on_mirror, 30, 0, 0), ==, 0);
	check_int(answer(&p), ==, 0);
	peer_stop(&p);
	check(stat_settles("granules", 0));
}

/* An importer maps, as its own, the very frames: a file that both have. */
static void test_shared_file(void)
{
	struct owner o;
	struct import im;
	char *both;

	both = mmap((void *)(AREA + (long)GIB), LEN, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	check(both != MAP_FAILED);
	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(import_open(&im, o.id, 0, RW, 0), ==, 0);
	im.win = dev_window(im.fd, im.handle, AREA + (long)GIB, LEN,
			    PROT_READ | PROT_WRITE);
	im.len = LEN;
	both[0] = 0x31;
	check_int(load(im.win), ==, 0x31);
	check_int(store(im.win + PAGE, 0x32), ==, 0);
	check_int(both[PAGE], ==, 0x32);
	/* each zap finds the other mapping as well, in one walk */
	check_int(madvise(both, LEN, MADV_REMOVE), ==, 0);
	check_int(load(im.win), ==, 0);
	check_int(store(im.win, 0x33), ==, 0);
	check_int(both[0], ==, 0x33);
	share_close(&o, &im);
	check_int(munmap(both, LEN), ==, 0);
}

int main(void)
{
	guest_begin();
	TEST(test_chain(), "I7: nobody sees what his owner only imports");
	TEST(test_ring(), "I4: a ring of six, each revoking and faulting");
	TEST(test_ring_death(), "I4: a ring of six is killed in any order");
	TEST(test_same_place(), "I4: windows on each other in the same place");
	TEST(test_cover_self(), "I4: a window over what it shows is SIGBUS");
	TEST(test_mirror(), "I4: 30 windows of oneself, each on the last");
	TEST(test_shared_file(), "I1: owner and importer map one page twice");
	return tap_done();
}
