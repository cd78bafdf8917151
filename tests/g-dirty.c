/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An importer's store is never lost (I6), whatever the kernel believes about
 * the owner's page: dropped lazily, swapped out, swapped out again.
 */

#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	512
#define LEN	(NPAGES * PAGE)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static void begin(void)
{
	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0xee), ==, 0);
}

static int store_all(int byte)
{
	int failed = 0;
	size_t i;

	for (i = 0; i < NPAGES; i++)
		failed += store(im.win + i * PAGE, byte);
	return failed;
}

/* Pages whose first byte is not @byte, as the importer or the owner sees. */
static long wrong_here(int byte)
{
	long n = 0;
	size_t i;

	for (i = 0; i < NPAGES; i++)
		n += load(im.win + i * PAGE) != byte;
	return n;
}

static long on_wrong(long byte, long b, long c)
{
	long n = 0;
	size_t i;

	for (i = 0; i < NPAGES; i++)
		n += load((char *)AREA + i * PAGE) != byte;
	return n;
}

/* By another process, and until nothing is present. */
static void reclaim(void)
{
	long left = 1;
	int round;

	for (round = 0; round < 5 && left; round++) {
		check_int(page_out(o.peer.pid, AREA, LEN), ==, 0);
		left = pages_present(o.peer.pid, AREA, NPAGES);
	}
	check_int(left, ==, 0);
}

/* Clean, lazily freed pages that only the importer wrote. */
static void test_free_then_store(void)
{
	begin();
	check_int(on(on_advise, AREA, LEN, MADV_FREE), ==, 0);
	check_int(store_all(0x51), ==, 0);
	reclaim();
	check_int(on(on_wrong, 0x51, 0, 0), ==, 0);
	check_int(wrong_here(0x51), ==, 0);
	share_close(&o, &im);
}

/* The same, with entries that were writable before. */
static void test_store_free_store(void)
{
	begin();
	check_int(store_all(0x52), ==, 0);
	check_int(on(on_advise, AREA, LEN, MADV_FREE), ==, 0);
	check_int(store_all(0x53), ==, 0);
	reclaim();
	check_int(on(on_wrong, 0x53, 0, 0), ==, 0);
	share_close(&o, &im);
}

static unsigned char *seen;	/* by the importer; shared with the owner */

static long on_differ(long a, long b, long c)
{
	long n = 0;
	size_t i;

	for (i = 0; i < NPAGES; i++)
		n += load((char *)AREA + i * PAGE) != seen[i];
	return n;
}

/* Nobody wrote again: the pages may go, and then they are zero everywhere. */
static void test_free_agrees(void)
{
	int i, here, odd = 0;

	begin();
	check_int(store_all(0x54), ==, 0);
	check_int(on(on_advise, AREA, LEN, MADV_FREE), ==, 0);
	reclaim();
	for (i = 0; i < NPAGES; i++) {
		here = load(im.win + i * (long)PAGE);
		odd += here != 0 && here != 0x54;
		seen[i] = (unsigned char)here;
	}
	check_int(odd, ==, 0);
	check_int(on(on_differ, 0, 0, 0), ==, 0);
	share_close(&o, &im);
}

/*
 * A page that comes back from swap is clean and has its copy there: a store
 * without a dirty mark would be thrown away the second time.
 */
static void test_swap_twice(void)
{
	begin();
	check_int(store_all(0x55), ==, 0);
	reclaim();
	check_int(wrong_here(0x55), ==, 0);
	check_int(store_all(0x56), ==, 0);
	reclaim();
	check_int(on(on_wrong, 0x56, 0, 0), ==, 0);
	check_int(wrong_here(0x56), ==, 0);
	share_close(&o, &im);
}

/* Swapped in by the owner's read, written by the importer only. */
static void test_swap_owner_reads(void)
{
	begin();
	reclaim();
	check_int(on(on_wrong, 0xee, 0, 0), ==, 0);
	check_int(store_all(0x57), ==, 0);
	reclaim();
	check_int(on(on_wrong, 0x57, 0, 0), ==, 0);
	share_close(&o, &im);
}

/* The owner asks for the reclaim itself. */
static void test_pageout_by_owner(void)
{
	begin();
	check_int(store_all(0x58), ==, 0);
	check_int(on(on_advise, AREA, LEN, MADV_PAGEOUT), ==, 0);
	check_int(wrong_here(0x58), ==, 0);
	check_int(on(on_wrong, 0x58, 0, 0), ==, 0);
	share_close(&o, &im);
}

static void test_migrate(void)
{
	int node;

	begin();
	check_int(on(on_advise, AREA, LEN, MADV_FREE), ==, 0);
	check_int(store_all(0x59), ==, 0);
	node = !on(on_node, AREA, 0, 0);
	check_int(page_move(o.peer.pid, AREA, NPAGES, node), ==, NPAGES);
	reclaim();
	check_int(on(on_wrong, 0x59, 0, 0), ==, 0);
	share_close(&o, &im);
}

int main(void)
{
	guest_begin();
	seen = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST(test_free_then_store(), "I6: stores behind MADV_FREE are kept");
	TEST(test_store_free_store(),
	     "I6: stores before and behind MADV_FREE are kept");
	TEST(test_free_agrees(),
	     "I1: after MADV_FREE owner and importer see the same");
	TEST(test_swap_twice(), "I6: stores survive swap-out, in, and out again");
	TEST(test_swap_owner_reads(),
	     "I6: a store to a page swapped in by a read is kept");
	TEST(test_pageout_by_owner(), "I6: MADV_PAGEOUT keeps the stores");
	TEST(test_migrate(), "I6: stores behind MADV_FREE survive migration");
	return tap_done();
}
