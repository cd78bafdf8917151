/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A window is cut in two while its address is also an exported one. Newer
 * kernels call the notifiers of the importer with the window's i_mmap_rwsem
 * held, and those must not ask for a lock of that kind (I4, I7).
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define HUGE	(2 * MIB)
#define PLACE	((char *)0x300000000000)	/* memory first, then a window */
#define MEMORY	((char *)0x310000000000)	/* what the window shows */
#define CUT	(5 * PAGE)
#define FREELY	60000	/* ms, for what takes some */

enum { UNMAP, PROTECT, ADVISE, SHRINK, COVER, WAYS };

static long cut(long way)
{
	char *at = PLACE + CUT;
	void *p = at;

	switch (way) {
	case UNMAP:
		return munmap(at, PAGE);
	case PROTECT:
		return mprotect(at, PAGE, PROT_READ);
	case ADVISE:
		return madvise(at, PAGE, MADV_SEQUENTIAL);
	case SHRINK:
		return mremap(PLACE, HUGE, CUT, 0) == PLACE ? 0 : -1;
	default:
		p = mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
			 MAP_FIXED, -1, 0);
		return p == at ? 0 : -1;
	}
}

/*
 * Two mappings make a granule that stays marked as touched when they are gone,
 * since no event covers all of it.
 */
static long used(const char *seen)
{
	char *half = PLACE + HUGE / 2;

	if (on_map((long)PLACE, HUGE / 2, 0) || on_map((long)half, HUGE / 2, 0) ||
	    mprotect(half, HUGE / 2, PROT_READ))
		return -errno;
	store(PLACE, 0x31);
	load(seen);
	load(seen + HUGE / 2);
	return on_unmap((long)PLACE, HUGE / 2, 0) ?:
	       on_unmap((long)half, HUGE / 2, 0);
}

static long once(int fd, __u32 handle, const char *seen, long way)
{
	char *win;
	long ret = used(seen);

	if (ret)
		return ret;
	win = mmap(PLACE, HUGE, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, fd,
		   (off_t)XPMEM_NUMA_OFFSET(handle, MEMORY));
	if (win != PLACE)
		return -errno;
	if (load(win) != 0x31 || cut(way) || load(win) != 0x31)
		return -1;
	if (way != SHRINK && load(win + HUGE - 1) != 0x31)
		return -2;
	return munmap(win, HUGE);
}

/* @id: of this process or of one that does the same. */
static long on_split(long id, long rounds, long way)
{
	struct xpmem_numa_import im;
	int fd = dev_open();
	const char *seen;
	long i, ret = dev_import(fd, (__u64)id, RW, 0, &im);

	if (ret)
		return ret;
	seen = dev_window(fd, im.handle, (long)PLACE, HUGE, PROT_READ);
	if (seen == MAP_FAILED)
		return -errno;
	for (i = 0; i < rounds && !ret; i++)
		ret = once(fd, im.handle, seen, way == WAYS ? i % WAYS : way);
	munmap((void *)seen, HUGE);
	close(fd);
	return ret;
}

static long on_ready(long a, long b, long c)
{
	if (on_map((long)MEMORY, HUGE, 0))
		return -errno;
	madvise(MEMORY, HUGE, MADV_HUGEPAGE);
	memset(MEMORY, 0x31, HUGE);
	return on_export_all(RW, 0, 0);
}

static void split_self(long way)
{
	struct peer p;
	long id;

	check_int(peer_start(&p), ==, 0);
	id = peer_call(&p, on_ready, 0, 0, 0);
	check_int(peer_begin(&p, on_split, id, 2, way), ==, 0);
	if (!peer_answers(&p, FREELY)) {
		check(!"the cut ends");
		return;		/* nothing kills it */
	}
	check_int(peer_end(&p), ==, 0);
	peer_stop(&p);
}

static void test_unmap(void) { split_self(UNMAP); }
static void test_protect(void) { split_self(PROTECT); }
static void test_advise(void) { split_self(ADVISE); }
static void test_shrink(void) { split_self(SHRINK); }
static void test_cover(void) { split_self(COVER); }

static void test_pair(void)
{
	struct peer p[2];
	long id[2];
	int i;

	for (i = 0; i < 2; i++) {
		check_int(peer_start(&p[i]), ==, 0);
		id[i] = peer_call(&p[i], on_ready, 0, 0, 0);
	}
	for (i = 0; i < 2; i++)
		check_int(peer_begin(&p[i], on_split, id[!i], 100, WAYS), ==, 0);
	for (i = 0; i < 2; i++) {
		if (!peer_answers(&p[i], FREELY)) {
			check(!"the cuts end");
			return;
		}
		check_int(peer_end(&p[i]), ==, 0);
	}
	for (i = 0; i < 2; i++)
		peer_stop(&p[i]);
}

int main(void)
{
	guest_begin();
	TEST(test_unmap(), "I7: a window is unmapped in part over its own owner");
	TEST(test_protect(), "I7: ... is protected in part");
	TEST(test_advise(), "I7: ... is advised in part");
	TEST(test_shrink(), "I7: ... shrinks");
	TEST(test_cover(), "I7: ... is covered in part");
	TEST(test_pair(), "I4: two that import each other cut 100 windows each");
	return tap_done();
}
