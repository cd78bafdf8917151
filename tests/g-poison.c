/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Poison (I11): in an import that asked for it nothing raises a signal; what
 * was not real is known by the two counters, to every thread, until RESET.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	16
#define LEN	(NPAGES * PAGE)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)
#define reset(va, len) dev_range(im.fd, XPMEM_NUMA_RESET, im.handle, va, len)

static void begin(void)
{
	check_int(share_open(&o, &im, LEN, RW, RW, POISON), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	check(import_valid(&im));
	check_uint(im.st->poisoned, ==, 0);
}

static void end(void)
{
	share_close(&o, &im);
}

/* Page n reads as zeros, for the reason given, and everybody can know. */
static void check_poisoned(size_t n, __u32 reason)
{
	__u64 before = im.st->poisoned;

	check_int(load(page(n)), ==, 0);
	check_uint(im.st->poisoned, ==, before + 1);
	check_uint(im.st->reason, ==, reason);
	check(!import_valid(&im));
	/* once a page, not once an access */
	check_int(load(page(n)), ==, 0);
	check_uint(im.st->poisoned, ==, before + 1);
}

static void test_hole(void)
{
	begin();
	check_int(on(on_unmap, AREA + PAGE, PAGE, 0), ==, 0);
	check_poisoned(1, XPMEM_NUMA_REASON_HOLE);
	check_int(load(page(2)), ==, 0x31);
	check_int(store(page(1), 0x66), ==, 0);
	check_int(load(page(1)), ==, 0x66);
	check_int(load(page(2)), ==, 0x31);
	end();
}

/* A store that meets the hole first: no read before it. */
static void test_hole_store(void)
{
	begin();
	check_int(on(on_unmap, AREA + PAGE, PAGE, 0), ==, 0);
	check_int(store(page(1) + 8, 0x66), ==, 0);
	check_uint(im.st->poisoned, ==, 1);
	check_int(load(page(1) + 8), ==, 0x66);
	check_int(on(on_map, AREA + PAGE, PAGE, 0), ==, 0);
	check_int(on(on_load, AREA + PAGE + 8, 0, 0), ==, 0);
	end();
}

static void test_protect_none(void)
{
	begin();
	check_int(on(on_protect, AREA, PAGE, PROT_NONE), ==, 0);
	check_poisoned(0, XPMEM_NUMA_REASON_HOLE);
	check_int(on(on_protect, AREA, PAGE, PROT_READ | PROT_WRITE), ==, 0);
	check_int(reset(0, 0), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	check(import_valid(&im));
	end();
}

static void test_read_only(void)
{
	begin();
	check_int(on(on_protect, AREA, LEN, PROT_READ), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	check(import_valid(&im));
	check_int(store(page(0), 0x66), ==, 0);
	check_uint(im.st->poisoned, ==, 1);
	check_uint(im.st->reason, ==, XPMEM_NUMA_REASON_READ_ONLY);
	check_int(on(on_count, AREA, LEN, 0x31), ==, 0);
	check_int(reset(0, 0), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	end();
}

static long on_unexport(long a, long b, long c)
{
	return dev_handle(own_fd, XPMEM_NUMA_UNEXPORT, own.handle);
}

static void test_revoked(void)
{
	begin();
	check_int(on(on_unexport, 0, 0, 0), ==, 0);
	check_poisoned(0, XPMEM_NUMA_REASON_GONE);
	check_uint(im.st->state, ==, XPMEM_NUMA_REVOKED);
	check_int(store(page(5), 1), ==, 0);
	check_int(on(on_load, AREA + 5 * PAGE, 0, 0), ==, 0x31);
	/* there is nothing to come back */
	check_int(reset(0, 0), ==, 0);
	check_int(load(page(0)), ==, 0);
	check(!import_valid(&im));
	end();
}

static void test_gone(void)
{
	begin();
	peer_kill(&o.peer, SIGKILL);
	check_poisoned(0, XPMEM_NUMA_REASON_GONE);
	check_uint(im.st->state, ==, XPMEM_NUMA_OWNER_GONE);
	check_int(store(page(5), 1), ==, 0);
	import_close(&im);
}

/* No notifier tells of what is mapped anew: poison stays until RESET. */
static void test_sticky(void)
{
	begin();
	check_int(on(on_unmap, AREA, LEN, 0), ==, 0);
	check_poisoned(3, XPMEM_NUMA_REASON_HOLE);
	check_int(on(on_map, AREA, LEN, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x32), ==, 0);
	check_int(load(page(3)), ==, 0);
	check(!import_valid(&im));
	/* not touched before: real, but nobody can know it yet */
	check_int(load(page(4)), ==, 0x32);
	check(!import_valid(&im));
	check_int(reset(0, 0), ==, 0);
	check_int(load(page(3)), ==, 0x32);
	check(import_valid(&im));
	check_uint(im.st->cleared, ==, 1);
	check_uint(im.st->poisoned, ==, 1);
	end();
}

static atomic_int stored;

static void *storing(void *arg)
{
	atomic_store(&stored, store(page(3), 0x66) ? -1 : 1);
	return NULL;
}

/* A store for which there is memory by now is tried again, not for ever. */
static void test_sticky_store(void)
{
	pthread_t thread;
	long faults;

	begin();
	check_int(on(on_unmap, AREA, LEN, 0), ==, 0);
	check_poisoned(3, XPMEM_NUMA_REASON_HOLE);
	check_int(on(on_map, AREA, LEN, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x32), ==, 0);
	faults = stat_read("faults");
	atomic_store(&stored, 0);
	check_int(pthread_create(&thread, NULL, storing, NULL), ==, 0);
	while (!atomic_load(&stored) && stat_read("faults") - faults < 1000)
		sched_yield();
	check_int(atomic_load(&stored), ==, 1);
	check_int(on(on_load, AREA + 3 * PAGE, 0, 0), ==, 0x66);
	check(!import_valid(&im));
	check_int(munmap(im.win, LEN), ==, 0);	/* ends it anyway */
	pthread_join(thread, NULL);
	end();
}

static void test_reset_range(void)
{
	begin();
	check_int(on(on_unmap, AREA, LEN, 0), ==, 0);
	check_poisoned(3, XPMEM_NUMA_REASON_HOLE);
	check_poisoned(9, XPMEM_NUMA_REASON_HOLE);
	check_int(on(on_map, AREA, LEN, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x32), ==, 0);
	check_int(reset(AREA + 3 * (long)PAGE, PAGE), ==, 0);
	check_int(load(page(3)), ==, 0x32);
	check_uint(im.st->cleared, ==, 0);
	check(!import_valid(&im));
	check_int(reset(0, 0), ==, 0);
	check_uint(im.st->cleared, ==, 2);
	check_int(load(page(9)), ==, 0x32);
	check(import_valid(&im));
	end();
}

/* Poison in far more granules than a module would note one by one. */
static void test_reset_many(void)
{
	enum { N = 300 };
	char *win;
	int i, wrong = 0;

	begin();
	win = dev_window(im.fd, im.handle, AREA, (N + 1) * 2 * MIB, PROT_READ);
	check(win != MAP_FAILED);
	for (i = 1; i <= N; i++)
		wrong += load(win + i * 2 * MIB) != 0;
	check_uint(im.st->poisoned, ==, N);
	check_int(on(on_map, AREA + 2 * MIB, N * 2 * MIB, 0), ==, 0);
	check_int(on(on_stride, AREA + 2 * MIB, N, 2 * MIB), ==, 0);
	for (i = 1; i <= N; i++)
		wrong += load(win + i * 2 * MIB) != 0;
	check_int(wrong, ==, 0);
	check_int(reset(0, 0), ==, 0);
	for (i = 1; i <= N; i++)
		wrong += load(win + i * 2 * MIB) != 0x31;
	check_int(wrong, ==, 0);
	check(import_valid(&im));
	check_int(munmap(win, (N + 1) * 2 * MIB), ==, 0);
	end();
}

/* What one importer wrote into nowhere is nobody else's to read. */
static void test_scratch(void)
{
	struct import other;

	begin();
	check_int(on(on_unmap, AREA, PAGE, 0), ==, 0);
	check_int(import_open(&other, o.id, LEN, RW, POISON), ==, 0);
	check_int(store(page(0), 0x66), ==, 0);
	check_int(load(other.win), ==, 0);
	check_int(store(other.win + 1, 0x67), ==, 0);
	check_int(load(page(0) + 1), ==, 0);
	check_int(load(page(0)), ==, 0x66);
	check_int(import_close(&other), ==, 0);
	check_int(import_open(&other, o.id, LEN, RW, POISON), ==, 0);
	check_int(load(other.win), ==, 0);
	check_int(store(other.win + 9, 0), ==, 0);
	check_int(load(other.win), ==, 0);
	check_int(import_close(&other), ==, 0);
	end();
}

/* The kernel's copies do not raise signals either, and say no more. */
static void test_kernel_copy(void)
{
	char data[8] = "garbage";
	int pipes[2];

	begin();
	check_int(on(on_unmap, AREA, PAGE, 0), ==, 0);
	check_int(pipe(pipes), ==, 0);
	check_int(write(pipes[1], page(0), 8), ==, 8);
	check_int(read(pipes[0], data, 8), ==, 8);
	check_int(memcmp(data, "\0\0\0\0\0\0\0\0", 8), ==, 0);
	check(!import_valid(&im));
	close(pipes[0]);
	close(pipes[1]);
	end();
}

/* Newer kernels tell who breaks his own page by a signal as well. */
static long on_break(long addr, long len, long c)
{
	volatile long ret = 0;
	int sig = caught(ret = on_advise(addr, len, MADV_HWPOISON));

	return sig == SIGBUS ? 0 : ret ?: sig;
}

static void test_hwpoison(void)
{
	begin();
	check_int(on(on_break, AREA, PAGE, 0), ==, 0);
	check_int(load(page(0)), ==, 0);
	check(!import_valid(&im));
	check_uint(im.st->reason, ==, XPMEM_NUMA_REASON_HWPOISON);
	check_int(load(page(1)), ==, 0x31);
	end();
}

static void test_hwpoison_bus(void)
{
	struct import other;

	begin();
	check_int(import_open(&other, o.id, LEN, RW, 0), ==, 0);
	check_int(load(other.win + PAGE), ==, 0x31);
	check_int(on(on_break, AREA + PAGE, PAGE, 0), ==, 0);
	check_int(load(other.win + PAGE), ==, -SIGBUS);
	check_int(load(other.win), ==, 0x31);
	check_int(import_close(&other), ==, 0);
	end();
}

int main(void)
{
	guest_begin();
	TEST(test_hole(), "I11: a hole reads as zeros, is counted first");
	TEST(test_hole_store(), "I11: a store into a hole reaches no owner");
	TEST(test_protect_none(), "I11: PROT_NONE is poison and heals by RESET");
	TEST(test_read_only(), "I11: a store to read-only memory is poison");
	TEST(test_revoked(), "I11: a revoked export is poison");
	TEST(test_gone(), "I11: a dead owner's memory is poison");
	TEST(test_sticky(), "I11: poison is sticky until RESET");
	TEST(test_sticky_store(), "I11: a store reaches what was mapped since");
	TEST(test_reset_range(), "I11: RESET of a range does not clear");
	TEST(test_reset_many(), "I11: RESET finds poison in 300 granules");
	TEST(test_scratch(), "I11: nobody sees another import's scratch");
	TEST(test_kernel_copy(), "I11: write(2) from a hole is counted as well");
	TEST(test_hwpoison(), "I11: broken memory is poison");
	TEST(test_hwpoison_bus(), "without poison broken memory is SIGBUS");
	return tap_done();
}
