/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an import costs: kernel memory by the granules that somebody touched
 * (I10), and work for the owner by the importers that touched (I8).
 */

#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define GRANULE	(2 * MIB)
#define N	64
#define LEN	(N * GRANULE)
#define IMPORTS	20
#define XA_CHUNK	16	/* entries of a leaf, at least */

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static void begin(void)
{
	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
}

static void end(void)
{
	share_close(&o, &im);
	check(stat_settles("granules", 0));
	check(stat_settles("metadata", 0));
}

/* One byte in each of N granules that lie @stride apart. */
static int touch(char *win, long stride)
{
	int i, failed = 0;

	for (i = 0; i < N; i++)
		failed += store(win + i * stride, 1);
	return failed;
}

/* What the kernel's allocator says that one object takes. */
static long slab_size(const char *name)
{
	char path[80];
	long size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/object_size", name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%ld", &size) != 1)
		tap_diag("%s cannot be read", path);
	if (f)
		fclose(f);
	return size;
}

/*
 * A kernel that watches its locks has longer ones: there a granule may take
 * what it takes, and a @part of a leaf of the tree, but no more.
 */
static long at_most(long bytes, long part)
{
	if (access("/proc/lockdep", F_OK))
		return bytes;
	return slab_size("xnuma_granule") + slab_size("radix_tree_node") / part;
}

static void test_dense(void)
{
	long before, bytes, pages;

	begin();
	before = stat_read("metadata");
	check_int(touch(im.win, GRANULE), ==, 0);
	check_int(stat_read("granules"), ==, N);
	bytes = stat_read("metadata") - before;
	tap_diag("dense: %ld bytes a granule", bytes / N);
	check_int(bytes, >, 0);
	check_int(bytes / N, <=, at_most(200, XA_CHUNK));
	/* and nothing for each page, or for each importer */
	pages = stat_read("metadata");
	check_int(on(on_fill, AREA, GRANULE, 1), ==, 0);
	for (bytes = 0; bytes < (long)GRANULE; bytes += (long)PAGE)
		load(im.win + bytes);
	check_int(stat_read("metadata"), ==, pages);
	end();
}

#define FAR	(128 * (long)MIB)

static long on_map_far(long a, long b, long c)
{
	long i, ret = 0;

	for (i = 1; i < N && !ret; i++)
		ret = on_map(AREA + GIB + i * FAR, PAGE, 0);
	return ret;
}

static void test_sparse(void)
{
	long before, bytes;
	char *win;

	begin();
	check_int(on(on_map, AREA + GIB, PAGE, 0), ==, 0);
	check_int(on(on_map_far, 0, 0, 0), ==, 0);
	win = dev_window(im.fd, im.handle, AREA + (long)GIB, N * FAR,
			 PROT_READ | PROT_WRITE);
	check(win != MAP_FAILED);
	before = stat_read("metadata");
	check_int(touch(win, FAR), ==, 0);
	check_int(stat_read("granules"), ==, N);
	bytes = stat_read("metadata") - before;
	tap_diag("sparse: %ld bytes a granule", bytes / N);
	check_int(bytes / N, <=, at_most(1023, 1));
	check_int(munmap(win, N * FAR), ==, 0);
	end();
}

/* Who looks at nothing costs nothing. */
static void test_holes(void)
{
	struct import poison;
	long before;
	char *win;
	int i;

	begin();
	check_int(import_open(&poison, o.id, LEN, RW, POISON), ==, 0);
	win = dev_window(poison.fd, poison.handle, AREA + (long)GIB, N * FAR,
			 PROT_READ);
	check(win != MAP_FAILED);
	before = stat_read("granules");
	for (i = 0; i < N; i++)
		check_int(load(win + i * FAR), ==, 0);
	check_uint(poison.st->poisoned, ==, N);
	check_int(stat_read("granules"), ==, before);
	check_int(munmap(win, N * FAR), ==, 0);
	check_int(import_close(&poison), ==, 0);
	end();
}

/* Events in memory that nobody imported do not reach the module. */
static void test_elsewhere(void)
{
	long zaps, calls;

	begin();
	check_int(store(im.win, 1), ==, 0);
	check_int(on(on_map, AREA + GIB, GRANULE, 0), ==, 0);
	zaps = stat_read("zaps");
	calls = stat_read("invalidations");
	check_int(on(on_fill, AREA + GIB, GRANULE, 1), ==, 0);
	check_int(on(on_advise, AREA + GIB, GRANULE, MADV_DONTNEED), ==, 0);
	check_int(on(on_protect, AREA + GIB, GRANULE, PROT_READ), ==, 0);
	check_int(on(on_unmap, AREA + GIB, GRANULE, 0), ==, 0);
	/* in the export and under the window, but never touched */
	check_int(on(on_fill, AREA + GRANULE, GRANULE, 1), ==, 0);
	check_int(on(on_advise, AREA + GRANULE, GRANULE, MADV_DONTNEED), ==, 0);
	check_int(stat_read("zaps"), ==, zaps);
	check_int(stat_read("invalidations"), ==, calls);
	end();
}

/* A granule whose entries are gone already is asked, but takes nothing. */
static void test_idle(void)
{
	long zaps, idle;

	begin();
	check_int(store(im.win, 1), ==, 0);
	check_int(on(on_advise, AREA, GRANULE, MADV_DONTNEED), ==, 0);
	zaps = stat_read("zaps");
	idle = stat_read("idle");
	check_int(on(on_store, AREA, 1, 0), ==, 0);
	check_int(on(on_advise, AREA, GRANULE, MADV_DONTNEED), ==, 0);
	check_int(stat_read("zaps"), ==, zaps);
	check_int(stat_read("idle"), >, idle);
	end();
}

static void test_importers(void)
{
	struct import other[IMPORTS];
	long zaps;
	int i;

	begin();
	check_int(on(on_fill, AREA, 2 * GRANULE, 0x31), ==, 0);
	for (i = 0; i < IMPORTS; i++) {
		check_int(import_open(&other[i], o.id, LEN, RW, 0), ==, 0);
		/* all of them are at home in the next granule */
		check_int(load(other[i].win + GRANULE), ==, 0x31);
	}
	check_int(load(im.win), ==, 0x31);
	zaps = stat_read("zaps");
	check_int(on(on_advise, AREA, PAGE, MADV_DONTNEED), ==, 0);
	check_int(stat_read("zaps") - zaps, ==, 1);
	check_int(load(im.win), ==, 0);
	/* where all of them have touched, all of them are told */
	zaps = stat_read("zaps");
	check_int(on(on_advise, AREA + GRANULE, PAGE, MADV_DONTNEED), ==, 0);
	check_int(stat_read("zaps") - zaps, >=, IMPORTS);
	for (i = 0; i < IMPORTS; i++) {
		check_int(load(other[i].win + GRANULE), ==, 0);
		check_int(import_close(&other[i]), ==, 0);
	}
	end();
}

/* How many callbacks one event causes does not depend on what else there is. */
static void test_one_page(void)
{
	long calls, few, many;

	begin();
	check_int(on(on_fill, AREA, PAGE, 1), ==, 0);
	check_int(load(im.win), ==, 1);
	calls = stat_read("invalidations");
	check_int(on(on_advise, AREA, PAGE, MADV_DONTNEED), ==, 0);
	few = stat_read("invalidations") - calls;
	check_int(touch(im.win, GRANULE), ==, 0);
	calls = stat_read("invalidations");
	check_int(on(on_advise, AREA, PAGE, MADV_DONTNEED), ==, 0);
	many = stat_read("invalidations") - calls;
	check_int(few, >=, 1);
	check_int(many, ==, few);
	end();
}

/* The bytes seen in each of four granules; -1: not the same in all. */
static int four(size_t off)
{
	int i, byte = load(im.win + off);

	for (i = 1; i < 4; i++)
		if (load(im.win + i * GRANULE + off) != byte)
			return -1;
	return byte;
}

/* An event over whole granules zaps them together; others zap their part. */
static void test_range(void)
{
	long zaps;

	begin();
	check_int(on(on_fill, AREA, 4 * GRANULE, 0x31), ==, 0);
	check_int(four(PAGE), ==, 0x31);
	zaps = stat_read("zaps");
	check_int(on(on_advise, AREA, 4 * GRANULE, MADV_DONTNEED), ==, 0);
	check_int(stat_read("zaps") - zaps, ==, 1);
	check_int(four(PAGE), ==, 0);

	check_int(on(on_fill, AREA, 4 * GRANULE, 0x32), ==, 0);
	check_int(four(2 * PAGE), ==, 0x32);
	zaps = stat_read("zaps");
	check_int(on(on_advise, AREA + PAGE, 4 * GRANULE - 2 * PAGE,
		     MADV_DONTNEED), ==, 0);
	check_int(stat_read("zaps") - zaps, ==, 3);
	check_int(four(2 * PAGE), ==, 0);
	check_int(load(im.win), ==, 0x32);
	check_int(load(im.win + 4 * GRANULE - PAGE), ==, 0x32);
	check_int(load(im.win + 4 * GRANULE - 2 * PAGE), ==, 0);
	end();
}

int main(void)
{
	guest_begin();
	TEST(test_dense(), "I10: at most 200 bytes for a granule among others");
	TEST(test_sparse(), "I10: less than 1 KiB for a granule on its own");
	TEST(test_holes(), "I10: holes that were poisoned cost nothing");
	TEST(test_elsewhere(), "I8: events elsewhere reach no notifier");
	TEST(test_idle(), "I8: an idle granule takes nothing from anybody");
	TEST(test_importers(), "I8: of 21 importers the one that touched is told");
	TEST(test_range(), "I8: one event is one zap, over four granules too");
	TEST(test_one_page(), "I8: one page is one event, with 64 granules too");
	return tap_done();
}
