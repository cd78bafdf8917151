/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes that import each other, and windows that lie over each other's
 * windows: no lock of one may wait for the other (I4), and no stale page may
 * come of it (I1).
 */

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	512
#define LEN	(NPAGES * PAGE)
#define LIMIT	(30000 * (int)guest_slowness())	/* ms: longer is a deadlock */

static struct peer a, b;

/* The answer, or -ETIMEDOUT and the end of the peer. */
static long answer(struct peer *p)
{
	struct pollfd ready = { .fd = p->sock, .events = POLLIN };

	if (poll(&ready, 1, LIMIT) == 1)
		return peer_end(p);
	peer_kill(p, SIGKILL);
	return -ETIMEDOUT;
}

static long on_begin(long addr, long len, long c)
{
	long ret = on_map(addr, len, 0);

	return ret ? ret : on_export_all(0, 0, 0);
}

static void begin(void)
{
	long ia, ib;

	check_int(peer_start(&a), ==, 0);
	check_int(peer_start(&b), ==, 0);
	ia = peer_call(&a, on_begin, AREA, LEN, 0);
	ib = peer_call(&b, on_begin, AREA, LEN, 0);
	check_int(peer_call(&a, on_import, ib, LEN, RW), ==, 0);
	check_int(peer_call(&b, on_import, ia, LEN, RW), ==, 0);
}

static void end(void)
{
	peer_stop(&a);
	peer_stop(&b);
}

static atomic_bool stop;

/* Changes its own address space under the other's faults. */
static void *mutator(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!atomic_load(&stop)) {
		char *p = (char *)AREA + (unsigned)rand_r(&seed) % NPAGES * PAGE;

		switch (rand_r(&seed) % 5) {
		case 0:
			madvise(p, PAGE, MADV_DONTNEED);
			break;
		case 1:
			mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			     MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			break;
		case 2:
			munmap(p, PAGE);
			break;
		case 3:
			madvise(p, PAGE, MADV_PAGEOUT);
			break;
		default:
			caught(*p = 1);
		}
	}
	return NULL;
}

/* Faults in the other's memory, and gives windows up and makes new ones. */
static void *visitor(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	long n = 0;
	char *win;

	while (!atomic_load(&stop)) {
		size_t off = (unsigned)rand_r(&seed) % NPAGES * PAGE;

		if (rand_r(&seed) % 64)
			n += rand_r(&seed) % 2 ? load(mine.win + off) >= 0 :
						 !store(mine.win + off, 2);
		else {
			win = dev_window(mine.fd, mine.handle, AREA, LEN,
					 PROT_READ | PROT_WRITE);
			load(win + off);
			munmap(win, LEN);
		}
	}
	return (void *)n;
}

/* Both at once for @ms; how often memory was reached. */
static long on_mutate_and_visit(long ms, long seed, long c)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
	pthread_t m, v[2];
	void *n[2];
	long i;

	atomic_store(&stop, false);
	pthread_create(&m, NULL, mutator, (void *)(seed + 1));
	for (i = 0; i < 2; i++)
		pthread_create(&v[i], NULL, visitor, (void *)(seed + 2 + i));
	nanosleep(&pause, NULL);
	atomic_store(&stop, true);
	pthread_join(m, NULL);
	for (i = 0; i < 2; i++)
		pthread_join(v[i], &n[i]);
	return (long)n[0] + (long)n[1];
}

static void test_mutual(void)
{
	long ms = 2500 * (long)guest_slowness(), na, nb;

	begin();
	check_int(peer_begin(&a, on_mutate_and_visit, ms, 10, 0), ==, 0);
	check_int(peer_begin(&b, on_mutate_and_visit, ms, 20, 0), ==, 0);
	na = answer(&a);
	nb = answer(&b);
	tap_diag("%ld and %ld accesses", na, nb);
	check_int(na, >, 10);
	check_int(nb, >, 10);
	end();
}

/* A process that imports itself. */
static long on_import_self(long addr, long len, long c)
{
	long id = on_begin(addr, len, 0);

	return on_import(id, len, RW);
}

static void test_self(void)
{
	check_int(peer_start(&a), ==, 0);
	check_int(peer_call(&a, on_import_self, AREA, LEN, 0), ==, 0);
	check_int(peer_call(&a, on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(peer_call(&a, on_win_load, 5, 0, 0), ==, 0x31);
	check_int(peer_call(&a, on_win_store, 5, 0x32, 0), ==, 0);
	check_int(peer_call(&a, on_load, AREA + 5, 0, 0), ==, 0x32);
	check_int(peer_begin(&a, on_mutate_and_visit, 1000, 30, 0), ==, 0);
	check_int(answer(&a), >, 10);
	check_int(peer_call(&a, on_map, AREA, LEN, MAP_FIXED), ==, 0);
	check_int(peer_call(&a, on_win_load, 5, 0, 0), ==, 0);
	peer_stop(&a);
}

/*
 * A shows B's memory at the place where B shows A's: each import covers the
 * other's window, and revoking one unmaps in a process that exports that.
 */
static char *cycle_win;

static long on_cycle(long va, long at, long len)
{
	cycle_win = mmap((void *)at, (size_t)len, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED_NOREPLACE, mine.fd,
			 (off_t)XPMEM_NUMA_OFFSET(mine.handle, va));
	return cycle_win == MAP_FAILED ? -errno : 0;
}

static long on_cycle_touch(long times, long a, long b)
{
	long i, n = 0;

	for (i = 0; i < times; i++)
		n += load(cycle_win + i % NPAGES * PAGE) >= 0;
	return n;
}

static long on_revoke(long times, long b, long c)
{
	long i, ret = 0;

	for (i = 0; i < times && !ret; i++) {
		ret = on_advise(AREA, LEN, MADV_DONTNEED);
		*(char *)(AREA + i % NPAGES * (long)PAGE) = 1;
		load(mine.win + i % NPAGES * PAGE);
	}
	return ret;
}

static void test_cycle(void)
{
	const long at = AREA + (long)GIB;

	begin();
	/* [AREA, AREA + GIB + LEN) of the other: its memory and its window */
	check_int(peer_call(&a, on_cycle, AREA, at, GIB + LEN), ==, 0);
	check_int(peer_call(&b, on_cycle, AREA, at, GIB + LEN), ==, 0);
	check_int(peer_call(&a, on_fill, AREA, LEN, 1), ==, 0);
	check_int(peer_call(&b, on_fill, AREA, LEN, 1), ==, 0);
	check_int(peer_call(&a, on_cycle_touch, NPAGES, 0, 0), ==, NPAGES);
	check_int(peer_call(&b, on_cycle_touch, NPAGES, 0, 0), ==, NPAGES);
	check_int(peer_begin(&a, on_revoke, 300, 0, 0), ==, 0);
	check_int(peer_begin(&b, on_revoke, 300, 0, 0), ==, 0);
	check_int(answer(&a), ==, 0);
	check_int(answer(&b), ==, 0);
	/* one of them goes, the other lives */
	peer_kill(&a, SIGKILL);
	check_int(peer_call(&b, on_cycle_touch, 1, 0, 0), ==, 0);
	check_int(peer_call(&b, on_revoke, 1, 0, 0), ==, 0);
	peer_stop(&b);
}

/*
 * Memory and a window in one granule of each, and the window shows half of the
 * other's memory and half of his window: taking that memory back unmaps in the
 * other's window, that in mine, and that asks for the granule at hand.
 */
static void test_knot(void)
{
	const long half = (long)MIB / 2, win = AREA + (long)MIB;
	long nested = stat_read("nested");

	begin();
	check_int(peer_call(&a, on_unmap, win, MIB, 0), ==, 0);
	check_int(peer_call(&b, on_unmap, win, MIB, 0), ==, 0);
	check_int(peer_call(&a, on_cycle, AREA + half, win, MIB), ==, 0);
	check_int(peer_call(&b, on_cycle, AREA + half, win, MIB), ==, 0);
	check_int(peer_call(&a, on_fill, AREA, MIB, 1), ==, 0);
	check_int(peer_call(&b, on_fill, AREA, MIB, 1), ==, 0);
	check_int(peer_call(&a, on_cycle_touch, 128, 0, 0), ==, 128);
	check_int(peer_call(&b, on_cycle_touch, 128, 0, 0), ==, 128);
	check_int(peer_begin(&a, on_advise, AREA + half, half, MADV_DONTNEED),
		  ==, 0);
	check_int(answer(&a), ==, 0);
	check_int(stat_read("nested"), >, nested);
	end();
}

/* And both die at the same time. */
static void test_cycle_death(void)
{
	int round;

	for (round = 0; round < 10; round++) {
		begin();
		check_int(peer_begin(&a, on_mutate_and_visit, 60000, 1, 0), ==,
			  0);
		check_int(peer_begin(&b, on_mutate_and_visit, 60000, 2, 0), ==,
			  0);
		while (stat_read("exports") != 2)
			;
		kill(a.pid, SIGKILL);
		kill(b.pid, SIGKILL);
		check_int(answer(&a), ==, -EPIPE);
		check_int(answer(&b), ==, -EPIPE);
		end();
		check(stat_settles("exports", 0));
		check(stat_settles("imports", 0));
	}
}

int main(void)
{
	guest_begin();
	TEST(test_mutual(), "I4: two that import each other get on");
	TEST(test_self(), "I4: a process can import itself");
	TEST(test_cycle(), "I4: windows over each other's windows do not lock up");
	TEST(test_knot(), "I4: a zap that comes back to its granule goes on");
	TEST(test_cycle_death(), "I4: both of a pair are killed, 10 times");
	return tap_done();
}
