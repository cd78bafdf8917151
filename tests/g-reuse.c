/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages that the owner loses go to others. Whoever had them in a window never
 * sees what the next owner keeps in them, nor stores into it (I1); and what
 * comes in their place is clean.
 *
 * The next owner is another user who takes memory until frames that were in
 * the window are his; a test in which that did not happen says nothing.
 */

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	512
#define LEN	(NPAGES * PAGE)
#define TAKEN	(8 * MIB)	/* of the next owner at a time */
#define BOB	1002
#define SECRET	0x53

static struct owner o;
static struct import im;
static struct peer next;
static unsigned long frame[NPAGES], now[TAKEN / PAGE];

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)

static int by_frame(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a,
		      y = *(const unsigned long *)b;

	return (x > y) - (x < y);
}

/* Every page is in the window, writable, and its frame is known. */
static void begin(__u32 flags, peer_fn map, long arg)
{
	int i, none = 0;

	check_int(peer_start(&next), ==, 0);
	check_int(peer_call(&next, on_drop, BOB, BOB, 0), ==, 0);
	check_int(owner_start(&o, LEN, RW), ==, 0);
	if (map)
		check_int(on(map, arg, 0, 0), ==, 0);
	check_int(import_open(&im, o.id, LEN, RW, flags), ==, 0);
	for (i = 0; i < NPAGES; i++)
		check_int(store(page(i), 0x31), ==, 0);
	check_int(page_frames(o.peer.pid, AREA, frame, NPAGES), ==, 0);
	for (i = 0; i < NPAGES; i++)
		none += !frame[i];
	check_int(none, ==, 0);
	qsort(frame, NPAGES, sizeof(*frame), by_frame);
}

/* How many frames of the window the next owner has by now. */
static int taken(void)
{
	int n = 0;
	size_t i;

	check_int(page_frames(next.pid, AREA, now, TAKEN / PAGE), ==, 0);
	for (i = 0; i < TAKEN / PAGE; i++)
		n += now[i] && bsearch(&now[i], frame, NPAGES, sizeof(*now),
				       by_frame);
	return n;
}

/* The next owner takes memory, gives it back, takes some again. */
static bool take(void)
{
	int tries;

	for (tries = 0; tries < 30; tries++) {
		check_int(peer_call(&next, on_map, AREA, TAKEN, MAP_FIXED), ==,
			  0);
		check_int(peer_call(&next, on_fill, AREA, TAKEN, SECRET), ==,
			  0);
		if (taken())
			return true;
	}
	return false;
}

static void check_apart(void)
{
	int i, byte, seen = 0;

	if (!check(take()))
		tap_diag("no frame was used again");
	for (i = 0; i < NPAGES; i++) {
		byte = load(page(i));
		seen += byte == SECRET;
		store(page(i), 0x58);
		byte = load(page(i));
		seen += byte == SECRET;
	}
	check_int(seen, ==, 0);
	check_int(peer_call(&next, on_count, AREA, TAKEN, SECRET), ==, 0);
}

static void end(void)
{
	peer_stop(&next);
	share_close(&o, &im);
	check(stat_settles("windows", 0));
}

static void test_event(__u32 flags, peer_fn fn, long a, long b, long c)
{
	begin(flags, NULL, 0);
	check_int(on(fn, a, b, c), ==, 0);
	check_apart();
	end();
}

static void test_exit(__u32 flags)
{
	begin(flags, NULL, 0);
	peer_kill(&o.peer, SIGKILL);
	check_apart();
	import_close(&im);
	peer_stop(&next);
}

static long on_exec(long a, long b, long c)
{
	execl("/bin/sleep", "sleep", "60", NULL);
	return -errno;
}

static void test_exec(void)
{
	begin(0, NULL, 0);
	check_int(on(on_exec, 0, 0, 0), ==, -EPIPE);
	check_apart();
	import_close(&im);
	peer_stop(&next);
	peer_kill(&o.peer, SIGKILL);
}

/* ---- a file that loses pages, by somebody who is not the owner ---- */

static int memfd = -1;

static long on_map_memfd(long fd, long b, long c)
{
	char path[40];
	void *p;
	int file;

	/* the peer has no descriptors of ours but what it opens by /proc */
	snprintf(path, sizeof(path), "/proc/%d/fd/%ld", getppid(), fd);
	file = open(path, O_RDWR | O_CLOEXEC);
	p = mmap((void *)AREA, LEN, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, file, 0);
	close(file);
	return p == MAP_FAILED ? -errno : 0;
}

static void test_file(bool punch)
{
	memfd = memfd_create("g-reuse", MFD_CLOEXEC);
	check_int(ftruncate(memfd, LEN), ==, 0);
	begin(0, on_map_memfd, memfd);
	if (punch)
		check_int(fallocate(memfd, FALLOC_FL_PUNCH_HOLE |
				    FALLOC_FL_KEEP_SIZE, 0, LEN), ==, 0);
	else
		check_int(ftruncate(memfd, 0), ==, 0);
	check_apart();
	end();
	close(memfd);
}

/* ---- pages that move, and leave their old frames ---- */

static long on_stride_count(long addr, long n, long byte)
{
	long wrong = 0;

	for (; n--; addr += (long)PAGE)
		wrong += *(volatile char *)addr != byte;
	return wrong;
}

static void test_move(void)
{
	int there, moved;

	begin(0, NULL, 0);
	there = !on(on_node, AREA, 0, 0);
	moved = page_move(o.peer.pid, AREA, NPAGES, there);
	check_int(moved, >, 0);
	if (!check(take()))
		tap_diag("no frame was used again");
	check_int(on(on_stride_count, AREA, NPAGES, 0x31), ==, 0);
	for (moved = 0; moved < NPAGES; moved++) {
		if (load(page(moved)) != 0x31)
			check_int(load(page(moved)), ==, 0x31);
		store(page(moved), 0x58);
	}
	check_int(on(on_stride_count, AREA, NPAGES, 0x58), ==, 0);
	check_int(peer_call(&next, on_count, AREA, TAKEN, SECRET), ==, 0);
	end();
}

/* ---- what comes in their place ---- */

/* Frames full of secrets are given to the owner, by the importer's touch. */
static void test_clean(bool huge)
{
	size_t i, dirty = 0;

	check_int(peer_start(&next), ==, 0);
	check_int(peer_call(&next, on_drop, BOB, BOB, 0), ==, 0);
	check_int(peer_call(&next, on_map, AREA, TAKEN, 0), ==, 0);
	check_int(peer_call(&next, on_fill, AREA, TAKEN, SECRET), ==, 0);
	check_int(share_open(&o, &im, TAKEN, RW, RW, 0), ==, 0);
	if (huge)
		check_int(on(on_advise, AREA, TAKEN, MADV_HUGEPAGE), ==, 0);
	check_int(peer_call(&next, on_unmap, AREA, TAKEN, 0), ==, 0);
	for (i = 0; i < TAKEN; i += 64) {
		int byte = i % PAGE ? im.win[i] : load(im.win + i);

		dirty += byte != 0;
		if (i % (2 * PAGE) == 0)
			store(im.win + i + 8, 1);
	}
	check_uint(dirty, ==, 0);
	end();
}

/* Freed and taken by one processor: what it freed last it takes first. */
static int pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

int main(void)
{
	guest_begin();
	if (pin())
		skip_all("processor 0 is not ours");
	TEST(test_event(0, on_advise, AREA, LEN, MADV_DONTNEED),
	     "I1: dropped pages are the next owner's alone");
	TEST(test_event(0, on_unmap, AREA, LEN, 0),
	     "I1: unmapped pages are the next owner's alone");
	TEST(test_event(POISON, on_unmap, AREA, LEN, 0), "I1: ... with poison");
	TEST(test_event(0, on_map, AREA, LEN, MAP_FIXED),
	     "I1: replaced pages are the next owner's alone");
	TEST(test_exit(0), "I1: pages of the dead are the next owner's alone");
	TEST(test_exit(POISON), "I1: ... with poison");
	TEST(test_exec(), "I1: pages from before exec are the next owner's alone");
	TEST(test_file(false), "I1: truncated pages are the next owner's alone");
	TEST(test_file(true), "I1: punched pages are the next owner's alone");
	TEST(test_move(), "I1: frames that pages have left are the next owner's");
	TEST(test_clean(false), "what an importer is first to touch is zero");
	TEST(test_clean(true), "... huge pages too");
	return tap_done();
}
