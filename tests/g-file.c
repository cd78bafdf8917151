/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the owner that is a file: stores reach the disk, more than once
 * (I6), and a truncation by anybody is seen at once (I1).
 */

#include <fcntl.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	32
#define LEN	(NPAGES * PAGE)
#define MNT	"/tmp/g-file"
#define FILE_AREA (AREA + 16 * (long)MIB)

static struct owner o;
static struct import im;
static char path[64];

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static void file_make(const char *dir)
{
	char page[PAGE];
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	check_int(fd, >=, 0);
	memset(page, 'a', sizeof(page));
	for (i = 0; i < NPAGES; i++)
		check_int(write(fd, page, PAGE), ==, (ssize_t)PAGE);
	check_int(fsync(fd), ==, 0);
	close(fd);
}

static long on_map_file(long flags, long b, long c)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *p = mmap((void *)FILE_AREA, LEN, PROT_READ | PROT_WRITE,
		       (int)flags | MAP_FIXED_NOREPLACE, fd, 0);

	close(fd);
	return p == MAP_FAILED ? -errno : 0;
}

static long on_msync(long a, long b, long c)
{
	return msync((void *)FILE_AREA, LEN, MS_SYNC) ? -errno : 0;
}

/* The file's pages in the importer, win + 16 MiB. */
#define page(n) (im.win + 16 * MIB + (n) * PAGE)

static void begin(const char *dir, int flags)
{
	file_make(dir);
	check_int(share_open(&o, &im, 17 * MIB, RW, RW, 0), ==, 0);
	check_int(on(on_unmap, FILE_AREA, MIB, 0), ==, 0);
	check_int(on(on_map_file, flags, 0, 0), ==, 0);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	sync();
	check_int(write(fd, "3", 1), ==, 1);
	close(fd);
}

/* The byte at the start of a page of the file, by a file system read. */
static int file_byte(size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char c = 0;
	ssize_t got = pread(fd, &c, 1, (off_t)(n * PAGE));

	close(fd);
	return got == 1 ? c : -1;
}

static int store_all(int byte)
{
	int failed = 0;
	size_t i;

	for (i = 0; i < NPAGES; i++)
		failed += store(page(i), byte);
	return failed;
}

static int wrong_on_disk(int byte)
{
	int wrong = 0;
	size_t i;

	for (i = 0; i < NPAGES; i++)
		wrong += file_byte(i) != byte;
	return wrong;
}

/* Each write-back cleans the pages; the next store must dirty them again. */
static void test_disk(void)
{
	begin(MNT, MAP_SHARED);
	check_int(store_all('b'), ==, 0);
	check_int(on(on_msync, 0, 0, 0), ==, 0);
	check_int(store_all('c'), ==, 0);
	check_int(on(on_msync, 0, 0, 0), ==, 0);
	check_int(store_all('d'), ==, 0);
	sync();
	check_int(store_all('e'), ==, 0);
	check_int(load(page(0)), ==, 'e');
	share_close(&o, &im);
	drop_caches();
	check_int(wrong_on_disk('e'), ==, 0);
}

/* Only the importer ever writes; the owner just holds the mapping. */
static void test_disk_importer_alone(void)
{
	begin(MNT, MAP_SHARED);
	check_int(on(on_load, FILE_AREA, 0, 0), ==, 'a');
	check_int(load(page(1)), ==, 'a');
	check_int(store_all('f'), ==, 0);
	share_close(&o, &im);
	drop_caches();
	check_int(wrong_on_disk('f'), ==, 0);
}

static void test_truncate(void)
{
	begin(MNT, MAP_SHARED);
	check_int(store_all('g'), ==, 0);
	check_int(truncate(path, 4 * PAGE), ==, 0);
	check_int(load(page(3)), ==, 'g');
	check_int(load(page(4)), ==, -SIGBUS);
	check_int(store(page(NPAGES - 1), 1), ==, -SIGBUS);
	check_int(truncate(path, LEN), ==, 0);
	check_int(load(page(4)), ==, 0);
	check_int(store(page(4), 'h'), ==, 0);
	check_int(file_byte(4), ==, 'h');
	share_close(&o, &im);
}

static void test_punch(const char *dir)
{
	int fd;

	begin(dir, MAP_SHARED);
	check_int(store_all('i'), ==, 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	check_int(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    2 * PAGE, 2 * PAGE), ==, 0);
	check_int(load(page(1)), ==, 'i');
	check_int(load(page(2)), ==, 0);
	check_int(store(page(3), 'j'), ==, 0);
	check_int(file_byte(3), ==, 'j');
	close(fd);
	share_close(&o, &im);
}

/* A write(2) by anybody and the window are one page cache. */
static void test_write(const char *dir)
{
	int fd;

	begin(dir, MAP_SHARED);
	check_int(load(page(0)), ==, 'a');
	fd = open(path, O_RDWR | O_CLOEXEC);
	check_int(pwrite(fd, "k", 1, 0), ==, 1);
	check_int(load(page(0)), ==, 'k');
	check_int(store(page(1), 'l'), ==, 0);
	check_int(file_byte(1), ==, 'l');
	close(fd);
	share_close(&o, &im);
}

/* A private mapping: the importer writes the owner's copy, not the file. */
static void test_private(void)
{
	begin(MNT, MAP_PRIVATE);
	check_int(load(page(0)), ==, 'a');
	check_int(store(page(0), 'm'), ==, 0);
	check_int(on(on_load, FILE_AREA, 0, 0), ==, 'm');
	check_int(file_byte(0), ==, 'a');
	check_int(load(page(0)), ==, 'm');
	check_int(on(on_store, FILE_AREA + PAGE, 'n', 0), ==, 0);
	check_int(load(page(1)), ==, 'n');
	check_int(file_byte(1), ==, 'a');
	share_close(&o, &im);
}

int main(void)
{
	guest_begin();
	if (fs_mount("/dev/ram0", MNT))
		skip_all("no ext4 on a RAM disk");
	TEST(test_disk(), "I6: stores behind each write-back reach the disk");
	TEST(test_disk_importer_alone(),
	     "I6: what only the importer wrote reaches the disk");
	TEST(test_truncate(), "I1: a truncation is SIGBUS, re-extended is zero");
	TEST(test_punch(MNT), "I1: a hole punched into an ext4 file is zero");
	TEST(test_punch("/dev/shm"), "I1: a hole punched into tmpfs is zero");
	TEST(test_write(MNT), "write(2) and the window are one page cache");
	TEST(test_write("/dev/shm"), "the same in tmpfs");
	TEST(test_private(), "I5: a private file mapping is copied, not written");
	if (fs_umount(MNT))
		tap_diag("umount: %s", strerror(errno));
	return tap_done();
}
