/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Huge pages of the owner are huge in the importer, and the two come apart
 * and together without anybody noticing (I1).
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "guest.h"
#include "tap.h"

#define HUGE	(2 * MIB)
#define LEN	(4 * HUGE)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)

static long on_huge(long addr, long len, long byte)
{
	if (madvise((void *)addr, (size_t)len, MADV_HUGEPAGE))
		return -errno;
	return byte < 0 ? 0 : on_fill(addr, len, byte);
}

static void begin(__u32 rights)
{
	check_int(share_open(&o, &im, LEN, RW, rights, 0), ==, 0);
	check_int(on(on_huge, AREA, LEN, 0x31), ==, 0);
}

static void end(void)
{
	share_close(&o, &im);
}

static int wrong(int byte, size_t except)
{
	int n = 0;
	size_t i;

	for (i = 0; i < LEN / PAGE; i++)
		n += i != except && load(page(i)) != byte;
	return n;
}

static void test_huge(void)
{
	long faults, pmds, ptes;

	begin(RW);
	faults = stat_read("faults");
	pmds = stat_read("inserted_pmd");
	ptes = stat_read("inserted");
	check_int(wrong(0x31, -1UL), ==, 0);
	check_int(stat_read("inserted_pmd") - pmds, ==, 4);
	check_int(stat_read("faults") - faults, ==, 4);
	check_int(stat_read("inserted") - ptes, ==, 0);
	check_int(store(page(700), 0x32), ==, 0);
	check_int(on(on_load, AREA + 700 * PAGE, 0, 0), ==, 0x32);
	check_int(stat_read("faults") - faults, ==, 4);
	end();
}

static void test_read_only(void)
{
	long pmds;

	begin(RO);
	pmds = stat_read("inserted_pmd");
	check_int(wrong(0x31, -1UL), ==, 0);
	check_int(stat_read("inserted_pmd") - pmds, ==, 4);
	check_int(store(page(1), 1), ==, -SIGSEGV);
	end();
}

/* An odd window cannot hold huge entries. */
static void test_odd(void)
{
	long pmds;
	char *win;

	begin(RW);
	pmds = stat_read("inserted_pmd");
	win = mmap((char *)arena_hint(LEN) + PAGE, HUGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED_NOREPLACE, im.fd,
		   (off_t)XPMEM_NUMA_OFFSET(im.handle, AREA));
	check(win != MAP_FAILED);
	check_int(load(win + 5), ==, 0x31);
	check_int(store(win + 511 * PAGE, 0x33), ==, 0);
	check_int(on(on_load, AREA + 511 * PAGE, 0, 0), ==, 0x33);
	check_int(stat_read("inserted_pmd") - pmds, ==, 0);
	check_int(munmap(win, HUGE), ==, 0);
	end();
}

static void test_split(peer_fn fn, long arg, int now)
{
	begin(RW);
	check_int(wrong(0x31, -1UL), ==, 0);
	check_int(on(fn, AREA + 600 * PAGE, PAGE, arg), ==, 0);
	check_int(load(page(600)), ==, now);
	check_int(wrong(0x31, 600), ==, 0);
	check_int(store(page(601), 0x32), ==, 0);
	check_int(on(on_load, AREA + 601 * PAGE, 0, 0), ==, 0x32);
	end();
}

/* Small pages that became one big one, seen through a window all the time. */
static void test_collapse(void)
{
	size_t i;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	for (i = 0; i < LEN / PAGE; i++)
		check_int(store(page(i), 0x35), ==, 0);
	check_int(on(on_huge, AREA, LEN, -1), ==, 0);
	check_int(on(on_advise, AREA, LEN, MADV_COLLAPSE), ==, 0);
	check_int(wrong(0x35, -1UL), ==, 0);
	check_int(on(on_store, AREA + 9 * PAGE, 0x36, 0), ==, 0);
	check_int(load(page(9)), ==, 0x36);
	check_int(store(page(10), 0x37), ==, 0);
	check_int(on(on_load, AREA + 10 * PAGE, 0, 0), ==, 0x37);
	end();
}

/*
 * The kernel keeps the page table of small entries that are taken away, and it
 * is in the way of a huge one. A window mapped over itself has none.
 */
static void test_regain(void)
{
	long pmds, blocked;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(wrong(0x31, -1UL), ==, 0);
	check_int(on(on_huge, AREA, LEN, -1), ==, 0);
	check_int(on(on_advise, AREA, LEN, MADV_COLLAPSE), ==, 0);
	pmds = stat_read("inserted_pmd");
	blocked = stat_read("blocked");
	check_int(wrong(0x31, -1UL), ==, 0);
	check_int(stat_read("inserted_pmd") - pmds, ==, 0);
	check_int(stat_read("blocked") - blocked, ==, 4);
	check_uint(im.st->blocked, ==, 4);

	check(mmap(im.win, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   im.fd, (off_t)XPMEM_NUMA_OFFSET(im.handle, AREA)) == im.win);
	check_int(wrong(0x31, -1UL), ==, 0);
	check_int(store(page(700), 0x32), ==, 0);
	check_int(on(on_load, AREA + 700 * PAGE, 0, 0), ==, 0x32);
	check_int(stat_read("inserted_pmd") - pmds, ==, 4);
	check_int(stat_read("blocked") - blocked, ==, 4);
	end();
}

/* Only what the importer had touched before has such a table. */
static void test_collapse_untouched(void)
{
	long pmds;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	check_int(on(on_huge, AREA, LEN, -1), ==, 0);
	check_int(on(on_advise, AREA, LEN, MADV_COLLAPSE), ==, 0);
	pmds = stat_read("inserted_pmd");
	check_int(wrong(0x31, -1UL), ==, 0);
	check_int(stat_read("inserted_pmd") - pmds, ==, 3);
	end();
}

static void test_fork(void)
{
	long child;

	begin(RW);
	check_int(store(page(0), 0x31), ==, 0);
	child = on(on_fork, 0, 0, 0);
	check_int(store(page(1), 0x32), ==, 0);
	check_int(on(on_load, AREA + PAGE, 0, 0), ==, 0x32);
	check_int(on(on_store, AREA + 2 * PAGE, 0x33, 0), ==, 0);
	check_int(load(page(2)), ==, 0x33);
	check_uint(page_frame(o.peer.pid, AREA + PAGE), !=,
		   page_frame((pid_t)child, AREA + PAGE));
	check_int(on(on_kill, child, 0, 0), ==, 0);
	end();
}

/* The huge zero page is everybody's: a store must not land in it. */
static void test_zero(void)
{
	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_huge, AREA, LEN, -1), ==, 0);
	check_int(on(on_load, AREA, 0, 0), ==, 0);
	check_int(load(page(1)), ==, 0);
	check_int(store(page(1), 0x34), ==, 0);
	check_int(on(on_load, AREA + PAGE, 0, 0), ==, 0x34);
	check_int(on(on_load, AREA + HUGE + PAGE, 0, 0), ==, 0);
	check_int(load(page(512 + 1)), ==, 0);
	end();
}

static void test_borrow(void)
{
	struct iovec from = { NULL, PAGE };
	int pipes[2];

	begin(RW);
	check_int(load(page(0)), ==, 0x31);
	check_int(pipe(pipes), ==, 0);
	from.iov_base = page(1);
	check_int(vmsplice(pipes[1], &from, 1, SPLICE_F_NONBLOCK), ==, -1);
	check_int(errno, ==, EFAULT);
	close(pipes[0]);
	close(pipes[1]);
	end();
}

static void test_move(void)
{
	int node;

	begin(RW);
	check_int(wrong(0x31, -1UL), ==, 0);
	node = !on(on_node, AREA, 0, 0);
	check_int(page_move(o.peer.pid, AREA, 1, node), ==, 1);
	check_int(on(on_node, AREA + 5 * PAGE, 0, 0), ==, node);
	check_int(wrong(0x31, -1UL), ==, 0);
	check_int(store(page(3), 0x38), ==, 0);
	check_int(on(on_load, AREA + 3 * PAGE, 0, 0), ==, 0x38);
	end();
}

static void test_pageout(void)
{
	begin(RW);
	check_int(store(page(3), 0x31), ==, 0);
	check_int(page_out(o.peer.pid, AREA, LEN), ==, 0);
	check(page_swapped(o.peer.pid, AREA + 3 * (long)PAGE));
	check_int(wrong(0x31, -1UL), ==, 0);
	end();
}

/* A huge entry in a window that is cut or protected in part. */
static void test_window_pieces(void)
{
	begin(RW);
	check_int(load(page(0)), ==, 0x31);
	check_int(munmap(page(100), PAGE), ==, 0);
	check_int(load(page(100)), ==, -SIGSEGV);
	check_int(load(page(99)), ==, 0x31);
	check_int(store(page(101), 0x31), ==, 0);
	check_int(load(page(512)), ==, 0x31);
	check_int(mprotect(page(600), PAGE, PROT_READ), ==, 0);
	check_int(store(page(600), 1), ==, -SIGSEGV);
	check_int(store(page(601), 0x39), ==, 0);
	check_int(on(on_load, AREA + 601 * PAGE, 0, 0), ==, 0x39);
	end();
}

/* Huge pages of the other kind: reserved, from hugetlbfs. */
static long on_hugetlb(long addr, long len, long byte)
{
	void *p;

	munmap((void *)addr, (size_t)len);
	p = mmap((void *)addr, (size_t)len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
			 MAP_FIXED_NOREPLACE, -1, 0);
	return p == MAP_FAILED ? -errno : on_fill(addr, len, byte);
}

static long hugetlb_free(void)
{
	long n = -1;
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/"
			"free_hugepages", "r");

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static void test_hugetlb(void)
{
	long pmds, before = hugetlb_free(), ret;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	if (before < 4)
		skip_test("%ld free pages in hugetlb, not 4", before);
	if (before < 4)
		goto out;
	ret = on(on_hugetlb, AREA, LEN, 0x31);
	check_int(ret, ==, 0);
	pmds = stat_read("inserted_pmd");
	check_int(wrong(0x31, -1UL), ==, 0);
	check_int(stat_read("inserted_pmd") - pmds, ==, 4);
	check_int(store(page(520), 0x32), ==, 0);
	check_int(on(on_load, AREA + 520 * PAGE, 0, 0), ==, 0x32);
	check_int(hugetlb_free(), ==, before - 4);
	check_int(on(on_unmap, AREA, LEN, 0), ==, 0);
	check_int(load(page(520)), ==, -SIGBUS);
	check_int(hugetlb_free(), ==, before);
out:
	end();
}

int main(void)
{
	guest_begin();
	TEST(test_huge(), "2 MiB pages are mapped by one entry and one fault");
	TEST(test_read_only(), "I5: read-only ones, too");
	TEST(test_odd(), "a window at an odd address gets small entries");
	TEST(test_split(on_unmap, 0, -SIGBUS), "I1: munmap splits one");
	TEST(test_split(on_advise, MADV_DONTNEED, 0), "I1: MADV_DONTNEED does");
	TEST(test_split(on_protect, PROT_NONE, -SIGBUS), "I1: mprotect does");
	TEST(test_collapse(), "I1: small pages collapse under the importer");
	TEST(test_regain(), "a window mapped over itself gets huge entries back");
	TEST(test_collapse_untouched(), "where it was not touched it gets them");
	TEST(test_fork(), "I5: a fork's COW of huge pages is broken right");
	TEST(test_zero(), "I5: the huge zero page is not written");
	TEST(test_borrow(), "I2: vmsplice gets no page from a huge entry");
	TEST(test_move(), "I2: a huge page moves to the other node");
	TEST(test_pageout(), "I2: a huge page is swapped out");
	TEST(test_window_pieces(), "I7: pieces of windows with huge entries");
	TEST(test_hugetlb(), "hugetlb pages are mapped, and freed by the owner");
	return tap_done();
}
