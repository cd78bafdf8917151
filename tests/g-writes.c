/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An importer never gets more than the owner has (I5): each kind of memory
 * that the owner may not write is offered to a read-write window.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "guest.h"
#include "tap.h"

#define LEN	(16 * PAGE)
#define FILE_AT	(AREA + (long)LEN)
#define WHOLE	(LEN + MIB)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)
#define file_win (im.win + LEN)

static void begin(__u32 rights, __u32 flags)
{
	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(import_open(&im, o.id, WHOLE, rights, flags), ==, 0);
}

static void end(void)
{
	share_close(&o, &im);
}

/* A root's 0644 file, as somebody who may only read it maps it. */
static char path[] = "/tmp/g-writes.file";

static long on_map_file(long flags, long prot, long b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p = mmap((void *)FILE_AT, PAGE, (int)prot,
		       (int)flags | MAP_FIXED_NOREPLACE, fd, 0);

	close(fd);
	return p == MAP_FAILED ? -errno : 0;
}

static int file_byte(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 0;
	ssize_t n = read(fd, &c, 1);

	close(fd);
	return n == 1 ? c : -1;
}

static void file_make(void)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char data[PAGE];

	memset(data, 'r', sizeof(data));
	check_int(write(fd, data, PAGE), ==, (ssize_t)PAGE);
	close(fd);
}

static void test_file(int flags, bool read_first)
{
	file_make();
	begin(RW, 0);
	check_int(on(on_map_file, flags, PROT_READ, 0), ==, 0);
	if (read_first)
		check_int(load(file_win), ==, 'r');
	check_int(store(file_win, 'X'), ==, -SIGBUS);
	check_int(load(file_win), ==, 'r');
	check_int(on(on_load, FILE_AT, 0, 0), ==, 'r');
	check_int(file_byte(), ==, 'r');
	end();
}

/* The owner's own machine code, which is mapped from its executable. */
static void test_text(void)
{
	long va = (long)(uintptr_t)on_load & -(long)PAGE;
	char *win;
	int byte;

	begin(RW, 0);
	byte = (int)on(on_load, va, 0, 0);
	win = dev_window(im.fd, im.handle, va, PAGE, PROT_READ | PROT_WRITE);
	check(win != MAP_FAILED);
	check_int(load(win), ==, byte);
	check_int(store(win, byte ^ 0xff), ==, -SIGBUS);
	check_int(on(on_load, va, 0, 0), ==, byte);
	check_int(munmap(win, PAGE), ==, 0);
	end();
}

static void test_zero_page(bool read_here)
{
	begin(RW, 0);
	check_int(on(on_load, AREA, 0, 0), ==, 0);
	if (read_here)
		check_int(load(page(0)), ==, 0);
	check_int(store(page(0), 0x58), ==, 0);
	check_int(on(on_load, AREA, 0, 0), ==, 0x58);
	/* everybody's zero page is still zero */
	check_int(on(on_load, AREA + PAGE, 0, 0), ==, 0);
	check_int(load(page(2)), ==, 0);
	end();
}

/* Reading everything first: entries of shared pages are there, read-only. */
static void test_cow(void)
{
	long child;
	size_t i;

	begin(RW, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	child = on(on_fork, 0, 0, 0);
	for (i = 0; i < 16; i++)
		check_int(load(page(i)), ==, 0x31);
	check_uint(page_frame(o.peer.pid, AREA), ==,
		   page_frame((pid_t)child, AREA));
	check_int(store(page(0), 0x32), ==, 0);
	check_int(on(on_load, AREA, 0, 0), ==, 0x32);
	check_uint(page_frame(o.peer.pid, AREA), !=,
		   page_frame((pid_t)child, AREA));
	check_uint(page_frame((pid_t)child, AREA), !=, 0);
	/* the neighbour of the written page is still one frame for both */
	check_uint(page_frame(o.peer.pid, AREA + PAGE), ==,
		   page_frame((pid_t)child, AREA + PAGE));
	check_int(on(on_kill, child, 0, 0), ==, 0);
	end();
}

static void test_cow_readers(__u32 rights)
{
	unsigned long frame;
	long child;
	size_t i;

	begin(rights, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	child = on(on_fork, 0, 0, 0);
	for (i = 0; i < 16; i++) {
		check_int(load(page(i)), ==, 0x31);
		frame = page_frame(o.peer.pid, AREA + (long)(i * PAGE));
		check_uint(frame, !=, 0);
		check_uint(frame, ==, page_frame((pid_t)child,
						 AREA + (long)(i * PAGE)));
	}
	check_int(on(on_kill, child, 0, 0), ==, 0);
	end();
}

/* Written pages that the owner write-protected, also when poison is wanted. */
static void test_protected(void)
{
	begin(RW, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(on(on_protect, AREA, LEN, PROT_READ), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	check_int(store(page(0), 0x66), ==, -SIGBUS);
	check_int(store(page(1), 0x66), ==, -SIGBUS);
	check_int(on(on_count, AREA, LEN, 0x31), ==, 0);
	end();
}

static void test_protected_poison(void)
{
	begin(RW, POISON);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(on(on_protect, AREA, LEN, PROT_READ), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	check(import_valid(&im));
	check_int(store(page(0), 0x66), ==, 0);
	check(!import_valid(&im));
	check_uint(im.st->reason, ==, XPMEM_NUMA_REASON_READ_ONLY);
	check_int(store(page(1), 0x67), ==, 0);
	check_int(on(on_count, AREA, LEN, 0x31), ==, 0);
	end();
}

/* A read-write export seen by a reader, a read-only one by nobody else. */
static void test_rights(void)
{
	struct import ro;

	begin(RW, 0);
	check_int(import_open(&ro, o.id, WHOLE, RO, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(load(ro.win), ==, 0x31);
	check_int(store(ro.win, 1), ==, -SIGSEGV);
	check_int(mprotect(ro.win, PAGE, PROT_READ | PROT_WRITE), ==, -1);
	check_int(errno, ==, EACCES);
	check_int(on(on_load, AREA, 0, 0), ==, 0x31);
	check_int(import_close(&ro), ==, 0);
	end();
}

static long on_secret(long a, long b, long c)
{
	int fd = (int)syscall(447 /* memfd_secret */, 0);
	char *p;

	if (fd < 0 || ftruncate(fd, PAGE))
		return -errno;
	p = mmap((void *)FILE_AT, PAGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -errno;
	*p = 's';
	return 0;
}

static void test_secret(__u32 flags)
{
	long ret;

	begin(RW, flags);
	ret = on(on_secret, 0, 0, 0);
	if (ret == -ENOSYS)
		skip_test("boot with secretmem.enable=1");
	else
		check_int(ret, ==, 0);
	if (ret)
		goto out;
	check_int(load(file_win), ==, flags ? 0 : -SIGBUS);
	check_int(store(file_win, 1), ==, flags ? 0 : -SIGBUS);
	check_int(on(on_load, FILE_AT, 0, 0), ==, 's');
	if (flags)
		check_uint(im.st->reason, ==, XPMEM_NUMA_REASON_KIND);
out:
	end();
}

/* The vvar pages are a kernel's mapping of frames, as a device's would be. */
static long on_vvar(long a, long b, long c)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[256];
	long va = -ENOENT;

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "[vvar]"))
			va = strtol(line, NULL, 16);
	if (f)
		fclose(f);
	return va;
}

static void test_device(void)
{
	char *win;
	long va;

	begin(RW, 0);
	va = on(on_vvar, 0, 0, 0);
	check_int(va, >, 0);
	win = dev_window(im.fd, im.handle, va, PAGE, PROT_READ | PROT_WRITE);
	check(win != MAP_FAILED);
	check_int(load(win), ==, -SIGBUS);
	check_int(store(win, 1), ==, -SIGBUS);
	check_int(munmap(win, PAGE), ==, 0);
	end();
}

/* The peer exports what is a window of it; nobody gets through to us. */
static void test_window_again(void)
{
	struct peer p;
	char *win;
	long va;

	check_int(peer_start(&p), ==, 0);
	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(peer_call(&p, on_import, (long)o.id, LEN, RW), ==, 0);
	check_int(peer_call(&p, on_win_load, 0, 0, 0), ==, 0x31);
	va = peer_call(&p, on_mine, 0, 0, 0);
	check_int(va, >, 0);
	check_int(import_open(&im, (__u64)peer_call(&p, on_export_all, 0, 0, 0),
			      0, RW, 0), ==, 0);
	win = dev_window(im.fd, im.handle, va, PAGE, PROT_READ | PROT_WRITE);
	check(win != MAP_FAILED);
	check_int(load(win), ==, -SIGBUS);
	check_int(store(win, 1), ==, -SIGBUS);
	check_int(on(on_load, AREA, 0, 0), ==, 0x31);
	check_int(munmap(win, PAGE), ==, 0);
	check_int(import_close(&im), ==, 0);
	peer_stop(&p);
	owner_stop(&o);
}

int main(void)
{
	guest_begin();
	TEST(test_file(MAP_SHARED, false), "I5: a read-only file is not written");
	TEST(test_file(MAP_SHARED, true), "I5: ... nor after it was read");
	TEST(test_file(MAP_PRIVATE, true),
	     "I5: ... nor is a private, read-only mapping of it");
	TEST(test_text(), "I5: the owner's code is not written");
	TEST(test_zero_page(false), "I5: the zero page is replaced, not written");
	TEST(test_zero_page(true), "I5: ... also when it was mapped here first");
	TEST(test_cow(), "I5: a store copies one page that a fork shares");
	TEST(test_cow_readers(RO), "I5: a read-only import breaks no COW");
	TEST(test_cow_readers(RW), "I5: reading a read-write one breaks none");
	TEST(test_protected(), "I5: PROT_READ pages of the owner stay as they are");
	TEST(test_protected_poison(), "I5: with poison a store goes to scratch");
	TEST(test_rights(), "I5: a read-only import is read-only for ever");
	TEST(test_secret(0), "I5: memfd_secret memory is not exported");
	TEST(test_secret(POISON), "I5: memfd_secret memory is poison");
	TEST(test_device(), "I5: a device's memory is not exported");
	TEST(test_window_again(), "I7: a window is not exported again");
	return tap_done();
}
