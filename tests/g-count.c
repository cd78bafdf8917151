/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters: each call that is refused moves the one that says why. */

#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define LEN	(2 * MIB)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

/* What @call does to the counter @name. */
#define moved(name, call) __extension__ ({				\
	long before_ = stat_read(name);					\
	call;								\
	stat_read(name) - before_; })

static void begin(void)
{
	check_int(share_open(&o, &im, LEN, RW, RO, 0), ==, 0);
	check_int(on(on_fill, AREA, PAGE, 0x31), ==, 0);
	check_int(load(im.win), ==, 0x31);
}

static void end(void)
{
	share_close(&o, &im);
}

static void test_calls(void)
{
	struct xpmem_numa_import i;

	begin();
	check_int(moved("einval", dev_import(im.fd, o.id, 0, 0, &i)), ==, 1);
	check_int(moved("enoent", dev_import(im.fd, o.id + 1, RO, 0, &i)), ==,
		  1);
	check_int(moved("enoent", dev_handle(im.fd, XPMEM_NUMA_WAKE, 99)), ==,
		  1);
	check_int(moved("eacces", dev_prefault(im.fd, im.handle, AREA, PAGE, RW,
					       0)), ==, 1);
	check_int(moved("errors", dev_call(im.fd, 1, NULL)), ==, 1);
	check_int(moved("errors", dev_handle(im.fd, XPMEM_NUMA_WAKE,
					     im.handle)), ==, 0);
	end();
}

static void test_windows(void)
{
	begin();
	check_int(moved("eacces", dev_window(im.fd, im.handle, AREA, PAGE,
					     PROT_READ | PROT_WRITE)), ==, 1);
	check_int(moved("enoent", dev_window(im.fd, im.handle + 1, AREA, PAGE,
					     PROT_READ)), ==, 1);
	check_int(moved("errors", dev_window(im.fd, im.handle, AREA, PAGE,
					     PROT_READ | PROT_EXEC)), ==, 1);
	end();
}

/* A PREFAULT that finds nothing raises no signal. */
static void test_missed(void)
{
	struct xpmem_numa_stats s = { 0 };
	long sigbus;

	begin();
	check_int(on(on_unmap, AREA, LEN, 0), ==, 0);
	sigbus = stat_read("sigbus");
	check_int(moved("missed", dev_prefault(im.fd, im.handle, AREA, PAGE, RO,
					       0)), ==, 1);
	check_int(stat_read("sigbus"), ==, sigbus);
	check_int(moved("sigbus", load(im.win)), ==, 1);
	s.handle = im.handle;
	check_int(dev_call(im.fd, XPMEM_NUMA_STATS_READ, &s), ==, 0);
	check_uint(s.missed, ==, 1);
	check_uint(s.sigbus, ==, 1);
	end();
}

static void test_orphaned(void)
{
	begin();
	check_int(moved("orphaned", owner_stop(&o)), ==, 1);
	import_close(&im);
	check(stat_settles("exports", 0));
}

int main(void)
{
	guest_begin();
	TEST(test_calls(), "a refused ioctl is counted by its reason");
	TEST(test_windows(), "so is a refused mmap");
	TEST(test_missed(), "PREFAULT that finds nothing is missed, no SIGBUS");
	TEST(test_orphaned(), "an export that ends with its owner is counted");
	return tap_done();
}
