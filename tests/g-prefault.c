/* SPDX-License-Identifier: BSD-3-Clause */
/* PREFAULT fills page tables ahead of time, and never promises too much. */

#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	1100		/* three granules */
#define LEN	(NPAGES * PAGE)
#define ALLOC	XPMEM_NUMA_PREFAULT_ALLOC

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)
#define prefault(first, n, rights, flags) \
	dev_prefault(im.fd, im.handle, AREA + (first) * (long)PAGE, \
		     (n) * PAGE, rights, flags)

static void begin(__u32 flags, bool filled)
{
	check_int(share_open(&o, &im, LEN, RW, RW, flags), ==, 0);
	if (filled)
		check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
}

static void end(void)
{
	share_close(&o, &im);
}

/* Faults it takes to read all pages, or to write them. */
static long faults_of(int byte)
{
	long before = stat_read("faults");
	int failed = 0;
	size_t i;

	for (i = 0; i < NPAGES; i++)
		failed += byte < 0 ? load(page(i)) < 0 : store(page(i), byte);
	check_int(failed, ==, 0);
	return stat_read("faults") - before;
}

static long touched(void)
{
	return pages_present(o.peer.pid, AREA, NPAGES);
}

static void test_present(void)
{
	long before;

	begin(0, true);
	before = stat_read("prefaults");
	check_int(prefault(0, NPAGES, RW, 0), ==, LEN);
	check_int(stat_read("prefaults") - before, ==, 1);
	check_int(faults_of(-1), ==, 0);
	check_int(faults_of(0x32), ==, 0);
	check_int(on(on_load, AREA + LEN - PAGE, 0, 0), ==, 0x32);
	end();
}

/* One page of each granule is mapped already. */
static void test_rest(void)
{
	begin(0, true);
	check_int(store(page(0), 0x31), ==, 0);
	check_int(store(page(600), 0x31), ==, 0);
	check_int(on(on_advise, AREA + 3 * PAGE, 4 * PAGE, MADV_DONTNEED), ==,
		  0);
	check_int(on(on_fill, AREA + 3 * PAGE, 4 * PAGE, 0x31), ==, 0);
	check_int(prefault(0, NPAGES, RW, 0), ==, LEN);
	check_int(faults_of(0x32), ==, 0);
	end();
}

static void test_untouched(void)
{
	begin(0, false);
	check_int(on(on_stride, AREA, NPAGES / 2, 2 * PAGE), ==, 0);
	check_int(prefault(0, NPAGES, RW, 0), ==, LEN);
	check_int(touched(), ==, NPAGES / 2);
	check_int(load(page(0)), ==, 0x31);
	end();
}

static void test_nothing(void)
{
	begin(0, false);
	check_int(prefault(0, NPAGES, RO, 0), ==, LEN);
	check_int(touched(), ==, 0);
	end();
}

static void test_alloc(void)
{
	begin(0, false);
	check_int(on(on_store, AREA + 5 * PAGE, 0x31, 0), ==, 0);
	check_int(prefault(0, NPAGES, RW, ALLOC), ==, LEN);
	check_int(touched(), ==, NPAGES);
	check_int(faults_of(0x32), ==, 0);
	check_int(on(on_load, AREA + LEN - PAGE, 0, 0), ==, 0x32);
	end();
}

static void test_hole(__u32 flags, __u32 alloc)
{
	begin(flags, true);
	check_int(on(on_unmap, AREA + 700 * PAGE, PAGE, 0), ==, 0);
	check_int(prefault(0, NPAGES, RW, alloc), ==, 700 * PAGE);
	check_int(prefault(700, 1, RW, alloc), ==, -EFAULT);
	check_int(prefault(701, NPAGES - 701, RW, alloc), ==,
		  (NPAGES - 701) * PAGE);
	check_uint(im.st->poisoned, ==, 0);
	check_int(load(page(699)), ==, 0x31);
	check_int(load(page(701)), ==, 0x31);
	check_int(on(on_protect, AREA + 9 * PAGE, PAGE, PROT_NONE), ==, 0);
	check_int(prefault(0, 20, RO, alloc), ==, 9 * PAGE);
	check_uint(im.st->poisoned, ==, 0);
	end();
}

/* Without ALLOC a store right is no reason to copy; with it, it is. */
static void test_cow(void)
{
	long child;

	begin(0, true);
	child = on(on_fork, 0, 0, 0);
	check_int(prefault(0, NPAGES, RO, 0), ==, LEN);
	check_int(faults_of(-1), ==, 0);
	check_uint(page_frame(o.peer.pid, AREA), ==,
		   page_frame((pid_t)child, AREA));
	check_int(prefault(0, NPAGES, RW, ALLOC), ==, LEN);
	check_int(faults_of(0x32), ==, 0);
	check_uint(page_frame(o.peer.pid, AREA), !=,
		   page_frame((pid_t)child, AREA));
	check_int(on(on_kill, child, 0, 0), ==, 0);
	end();
}

static void test_read_only(void)
{
	begin(0, true);
	check_int(on(on_protect, AREA, LEN, PROT_READ), ==, 0);
	check_int(prefault(0, NPAGES, RO, 0), ==, LEN);
	check_int(faults_of(-1), ==, 0);
	check_int(prefault(0, NPAGES, RW, ALLOC), ==, -EFAULT);
	check_int(store(page(0), 1), ==, -SIGBUS);
	end();
}

static void test_rights(void)
{
	struct import ro;

	begin(0, true);
	check_int(import_open(&ro, o.id, LEN, RO, 0), ==, 0);
	check_int(dev_prefault(ro.fd, ro.handle, AREA, LEN, RW, 0), ==,
		  -EACCES);
	check_int(dev_prefault(ro.fd, ro.handle, AREA, LEN, RO, 0), ==, LEN);
	check_int(import_close(&ro), ==, 0);
	end();
}

/* Where windows end, or are none, and where there is more than one. */
static void test_windows(void)
{
	char *next;

	begin(0, true);
	check_int(munmap(page(100), PAGE), ==, 0);
	check_int(prefault(0, NPAGES, RW, 0), ==, 100 * PAGE);
	check_int(prefault(100, 1, RW, 0), ==, -EFAULT);
	next = dev_window(im.fd, im.handle, AREA + 100 * (long)PAGE, PAGE,
			  PROT_READ | PROT_WRITE);
	check(next != MAP_FAILED);
	check_int(prefault(0, NPAGES, RW, 0), ==, LEN);
	check_int(load(next), ==, 0x31);
	check_int(munmap(next, PAGE), ==, 0);
	end();
}

static void test_gone(void)
{
	begin(POISON, true);
	peer_kill(&o.peer, SIGKILL);
	check_int(prefault(0, NPAGES, RW, 0), <, 0);
	check_uint(im.st->poisoned, ==, 0);
	import_close(&im);
}

/* Swapped-out pages are the owner's memory as well. */
static void test_swapped(void)
{
	begin(0, true);
	check_int(page_out(o.peer.pid, AREA, LEN), ==, 0);
	check_int(page_swapped(o.peer.pid, AREA), ==, 1);
	check_int(prefault(0, NPAGES, RW, ALLOC), ==, LEN);
	check_int(touched(), ==, NPAGES);
	check_int(faults_of(-1), ==, 0);
	end();
}

int main(void)
{
	guest_begin();
	TEST(test_present(), "present pages need no fault afterwards");
	TEST(test_rest(), "nor do those beside pages mapped before");
	TEST(test_untouched(), "untouched pages of the owner stay untouched");
	TEST(test_nothing(), "an area that nobody touched stays untouched");
	TEST(test_alloc(), "with ALLOC they are allocated, and need no fault");
	TEST(test_hole(0, 0), "a hole ends it, and says where");
	TEST(test_hole(0, ALLOC), "a hole ends it with ALLOC, too");
	TEST(test_hole(POISON, 0), "I11: PREFAULT never poisons");
	TEST(test_hole(POISON, ALLOC), "I11: PREFAULT with ALLOC never poisons");
	TEST(test_cow(), "I5: for reading it copies nothing, for writing it does");
	TEST(test_read_only(), "I5: read-only pages are not made writable");
	TEST(test_rights(), "a read-only import may not prefault for writing");
	TEST(test_windows(), "it goes from window to window, and no further");
	TEST(test_gone(), "a dead owner's memory is an error, not poison");
	TEST(test_swapped(), "swapped pages come in with ALLOC");
	return tap_done();
}
