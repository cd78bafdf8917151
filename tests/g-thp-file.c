/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Huge pages of files, shared by owner and others, are huge in the importer:
 * shared memory, tmpfs, hugetlbfs.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest.h"
#include "tap.h"

#define HUGE	(2 * MIB)
#define LEN	(4 * HUGE)
#define MNT	"/tmp/g-thp-file"
#define SHMEM	"/sys/kernel/mm/transparent_hugepage/shmem_enabled"

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)

enum { FROM_MEMFD, FROM_TMPFS, FROM_HUGETLB };

static int file_of(long from)
{
	switch (from) {
	case FROM_MEMFD:
		return memfd_create("thp", MFD_CLOEXEC);
	case FROM_HUGETLB:
		return memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
	default:
		return open(MNT "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	}
}

static int owned = -1;	/* in the owner: the file */

/* LEN bytes of a file at AREA, in huge pages if the kernel has them. */
static long on_file(long from, long flags, long byte)
{
	void *p;

	owned = file_of(from);
	if (owned < 0 || ftruncate(owned, (off_t)LEN))
		return -errno;
	munmap((void *)AREA, LEN);
	p = mmap((void *)AREA, LEN, PROT_READ | PROT_WRITE,
		 (int)flags | MAP_FIXED_NOREPLACE, owned, 0);
	if (p == MAP_FAILED)
		return -errno;
	if (from != FROM_HUGETLB && madvise(p, LEN, MADV_HUGEPAGE))
		return -errno;
	return on_fill(AREA, (long)LEN, byte);
}

static long on_truncate(long len, long b, long c)
{
	return ftruncate(owned, len) ? -errno : 0;
}

static int wrong(int byte)
{
	int n = 0;
	size_t i;

	for (i = 0; i < LEN / PAGE; i++)
		n += load(page(i)) != byte;
	return n;
}

static bool begin(long from, long flags)
{
	long ret;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	ret = on(on_file, from, flags, 0x31);
	if (ret)
		skip_test("no such memory: %s", strerror((int)-ret));
	return !ret;
}

static void end(void)
{
	share_close(&o, &im);
}

/* Four entries for reading, which small pages need many for. */
static void test_read(long from)
{
	long pmds;

	if (begin(from, MAP_SHARED)) {
		pmds = stat_read("inserted_pmd");
		check_int(wrong(0x31), ==, 0);
		check_int(stat_read("inserted_pmd") - pmds, ==, 4);
	}
	end();
}

/* A store after reading: the read-only entry gives way to a writable one. */
static void test_write(long from)
{
	if (begin(from, MAP_SHARED)) {
		check_int(load(page(700)), ==, 0x31);
		check_int(store(page(700), 0x32), ==, 0);
		check_int(store(page(3), 0x33), ==, 0);
		check_int(on(on_load, AREA + 700 * PAGE, 0, 0), ==, 0x32);
		check_int(on(on_load, AREA + 3 * PAGE, 0, 0), ==, 0x33);
		check_int(load(page(701)), ==, 0x31);
		check_int(on(on_store, AREA + 700 * PAGE, 0x34, 0), ==, 0);
		check_int(load(page(700)), ==, 0x34);
	}
	end();
}

static void test_truncate(long from)
{
	if (begin(from, MAP_SHARED)) {
		check_int(wrong(0x31), ==, 0);
		check_int(on(on_truncate, HUGE, 0, 0), ==, 0);
		check_int(load(page(511)), ==, 0x31);
		check_int(load(page(512)), ==, -SIGBUS);
		check_int(on(on_truncate, LEN, 0, 0), ==, 0);
		check_int(load(page(511)), ==, 0x31);
	}
	end();
}

/* A huge page and a small one go; those beside them stay. */
static void test_punch(long from)
{
	if (begin(from, MAP_SHARED)) {
		check_int(wrong(0x31), ==, 0);
		check_int(on(on_advise, AREA + HUGE, HUGE, MADV_REMOVE), ==, 0);
		check_int(on(on_advise, AREA + 9 * PAGE, PAGE, MADV_REMOVE), ==,
			  0);
		check_int(load(page(600)), ==, 0);
		check_int(load(page(9)), ==, 0);
		check_int(load(page(8)), ==, 0x31);
		check_int(load(page(511)), ==, 0x31);
		check_int(load(page(1024)), ==, 0x31);
		check_int(store(page(9), 0x35), ==, 0);
		check_int(on(on_load, AREA + 9 * PAGE, 0, 0), ==, 0x35);
	}
	end();
}

/* What the owner may only read stays as it is. */
static void test_protected(long from)
{
	if (begin(from, MAP_SHARED)) {
		check_int(on(on_protect, AREA, LEN, PROT_READ), ==, 0);
		check_int(wrong(0x31), ==, 0);
		check_int(store(page(9), 0x36), ==, -SIGBUS);
		check_int(on(on_protect, AREA, LEN, PROT_READ | PROT_WRITE), ==,
			  0);
		check_int(on(on_load, AREA + 9 * PAGE, 0, 0), ==, 0x31);
		check_int(store(page(9), 0x36), ==, 0);
		check_int(on(on_load, AREA + 9 * PAGE, 0, 0), ==, 0x36);
	}
	end();
}

static void all(long from, const char *what)
{
	char text[5][90];

	snprintf(text[0], sizeof(*text), "%s: huge entries, one fault each", what);
	snprintf(text[1], sizeof(*text), "%s: stores reach the owner", what);
	snprintf(text[2], sizeof(*text), "I1: %s: a truncation is seen", what);
	snprintf(text[3], sizeof(*text), "I1: %s: holes in huge pages are seen",
		 what);
	snprintf(text[4], sizeof(*text), "I5: %s: no store where the owner may "
		 "only read", what);
	TEST(test_read(from), text[0]);
	TEST(test_write(from), text[1]);
	TEST(test_truncate(from), text[2]);
	if (from != FROM_HUGETLB)
		TEST(test_punch(from), text[3]);
	TEST(test_protected(from), text[4]);
}

static void shmem_allow(const char *word)
{
	FILE *f = fopen(SHMEM, "w");

	if (f) {
		fputs(word, f);
		fclose(f);
	}
}

int main(void)
{
	bool mounted;

	guest_begin();
	shmem_allow("advise");
	mkdir(MNT, 0700);
	mounted = !mount("none", MNT, "tmpfs", 0, "huge=always");
	all(FROM_MEMFD, "memfd");
	if (mounted)
		all(FROM_TMPFS, "tmpfs");
	all(FROM_HUGETLB, "hugetlbfs");
	if (mounted)
		umount(MNT);
	rmdir(MNT);
	shmem_allow("never");
	return tap_done();
}
