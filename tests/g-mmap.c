/* SPDX-License-Identifier: BSD-3-Clause */
/* mmap(): which windows are made, which are refused, and the status pages. */

#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define LEN	(16 * PAGE)

static struct owner o;
static struct import im, ro, part;

/* 0, or the error; what was mapped is unmapped again. */
static int try(struct import *i, long va, size_t len, int prot, int flags)
{
	void *win = mmap(NULL, len, prot, flags, i->fd,
			 (off_t)XPMEM_NUMA_OFFSET(i->handle, va));

	if (win == MAP_FAILED)
		return -errno;
	munmap(win, len);
	return 0;
}

static int try_handle(__u64 handle, __u64 va)
{
	void *win = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, im.fd,
			 (off_t)(handle << XPMEM_NUMA_HANDLE_SHIFT | va));

	if (win == MAP_FAILED)
		return -errno;
	munmap(win, PAGE);
	return 0;
}

static void check_nothing(void)
{
	check(stat_settles("windows", 1));
	check(stat_settles("imports", 3));
}

static void test_private(void)
{
	check_int(try(&im, AREA, LEN, PROT_READ, MAP_SHARED), ==, 0);
	check_int(try(&im, AREA, LEN, PROT_READ, MAP_PRIVATE), ==, -EINVAL);
	check_int(try(&im, AREA, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE), ==,
		  -EINVAL);
	check_nothing();
}

static void test_exec(void)
{
	check_int(try(&im, AREA, LEN, PROT_READ | PROT_EXEC, MAP_SHARED), ==,
		  -EPERM);
	check_int(try(&im, AREA, LEN, PROT_EXEC, MAP_SHARED), ==, -EPERM);
	check_nothing();
}

static void test_rights(void)
{
	check_int(try(&ro, AREA, LEN, PROT_READ, MAP_SHARED), ==, 0);
	check_int(try(&ro, AREA, LEN, PROT_READ | PROT_WRITE, MAP_SHARED), ==,
		  -EACCES);
	check_int(try(&ro, AREA, LEN, PROT_WRITE, MAP_SHARED), ==, -EACCES);
	check_nothing();
}

static void test_beyond(void)
{
	long end = AREA + (long)LEN;

	check_int(try(&part, AREA, LEN, PROT_READ, MAP_SHARED), ==, 0);
	check_int(try(&part, end - PAGE, PAGE, PROT_READ, MAP_SHARED), ==, 0);
	check_int(try(&part, AREA, LEN + PAGE, PROT_READ, MAP_SHARED), ==,
		  -EINVAL);
	check_int(try(&part, AREA - (long)PAGE, PAGE, PROT_READ, MAP_SHARED),
		  ==, -EINVAL);
	check_int(try(&part, AREA - (long)PAGE, LEN, PROT_READ, MAP_SHARED),
		  ==, -EINVAL);
	check_int(try(&part, end, PAGE, PROT_READ, MAP_SHARED), ==, -EINVAL);
	check_int(try(&part, 0, PAGE, PROT_READ, MAP_SHARED), ==, -EINVAL);
	check_int(try(&im, (1L << 47) - PAGE, 2 * PAGE, PROT_READ, MAP_SHARED),
		  ==, -EINVAL);
	check_int(try(&im, AREA, 0, PROT_READ, MAP_SHARED), ==, -EINVAL);
	check_nothing();
}

static void test_handle(void)
{
	check_int(try_handle(im.handle, AREA), ==, 0);
	check_int(try_handle(0, AREA), ==, -ENOENT);
	check_int(try_handle(im.handle + 1, AREA), ==, -ENOENT);
	check_int(try_handle(32767, AREA), ==, -ENOENT);
	check_int(try_handle(32768, AREA), <, 0);
	check_int(try_handle(32768 + im.handle, AREA), <, 0);
	check_int(try_handle(65535, AREA), <, 0);
	check_int(try_handle(im.handle, AREA + 1), ==, -EINVAL);
	check_nothing();
}

static void test_hint(void)
{
	char *hint = arena_hint(LEN), *win;

	win = mmap(hint, LEN, PROT_READ, MAP_SHARED, im.fd,
		   (off_t)XPMEM_NUMA_OFFSET(im.handle, AREA));
	check(win == hint);
	check(mmap(hint, LEN, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE,
		   im.fd, (off_t)XPMEM_NUMA_OFFSET(im.handle, AREA)) ==
	      MAP_FAILED);
	check_int(errno, ==, EEXIST);
	check_int(load(win), ==, 0x31);
	check_int(munmap(win, LEN), ==, 0);
	/* without a hint large windows are congruent, so that 2 MiB fit */
	win = mmap(NULL, 8 * MIB, PROT_READ, MAP_SHARED, im.fd,
		   (off_t)XPMEM_NUMA_OFFSET(im.handle, AREA + 3 * PAGE));
	check(win != MAP_FAILED);
	check_uint((uintptr_t)win % (2 * MIB), ==, 3 * PAGE);
	check_int(munmap(win, 8 * MIB), ==, 0);
	check_nothing();
}

static void test_populate(void)
{
	check_int(try(&im, AREA, LEN, PROT_READ, MAP_SHARED | MAP_POPULATE), ==,
		  0);
	check_int(try(&im, AREA, LEN, PROT_READ, MAP_SHARED | MAP_32BIT), ==, 0);
	check_nothing();
}

static void test_status(void)
{
	const struct xpmem_numa_import_status *st;
	char *win;

	check_int(try(&im, 1L << 47, 2 * PAGE, PROT_READ, MAP_SHARED), ==, 0);
	check_int(try(&im, 1L << 47, PAGE, PROT_READ, MAP_SHARED), ==, -EINVAL);
	check_int(try(&im, 1L << 47, 3 * PAGE, PROT_READ, MAP_SHARED), ==,
		  -EINVAL);
	check_int(try(&im, (1L << 47) + PAGE, PAGE, PROT_READ, MAP_SHARED), ==,
		  -EINVAL);
	check_int(try(&im, (1L << 47) + PAGE, 2 * PAGE, PROT_READ, MAP_SHARED),
		  ==, -EINVAL);
	check_int(try(&im, 1L << 47, 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED), ==, -EACCES);
	check_int(try(&im, 1L << 47, 2 * PAGE, PROT_READ, MAP_PRIVATE), ==,
		  -EINVAL);
	win = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, im.fd,
		   (off_t)XPMEM_NUMA_OFFSET(im.handle, XPMEM_NUMA_STATUS));
	check(win != MAP_FAILED);
	st = (void *)win;
	check_uint(st->state | st->reason | st->poisoned | st->cleared, ==, 0);
	check_int(mprotect(win, PAGE, PROT_READ | PROT_WRITE), ==, -1);
	check_int(errno, ==, EACCES);
	check_int(store(win, 1), ==, -SIGSEGV);
	check_int(store(win + PAGE, 1), ==, -SIGSEGV);
	check(mremap(win, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	check_int(munmap(win + PAGE, PAGE), ==, 0);
	check_int(load(win), ==, 0);
	check_int(munmap(win, PAGE), ==, 0);
	check_nothing();
}

/* Writing to our status pages through the kernel is no way either. */
static void test_status_write(void)
{
	char path[] = "/proc/self/mem";
	FILE *f = fopen(path, "r+");

	check(f != NULL);
	setvbuf(f, NULL, _IONBF, 0);
	check_int(fseeko(f, (off_t)(uintptr_t)im.st, SEEK_SET), ==, 0);
	check_uint(fwrite("\1", 1, 1, f), ==, 0);
	fclose(f);
	check_uint(im.st->state, ==, XPMEM_NUMA_ACTIVE);
	check_uint(((const unsigned char *)im.st)[0], ==, 0);
}

static void test_revocations(void)
{
	__u64 before = im.ex->revocations;

	check_int(load(im.win), ==, 0x31);
	check_int(peer_call(&o.peer, on_advise, AREA, PAGE, MADV_DONTNEED), ==,
		  0);
	check_uint(im.ex->revocations, >, before);
	check_int(load(im.win), ==, 0);
}

static void test_unimport(void)
{
	check_int(dev_handle(part.fd, XPMEM_NUMA_UNIMPORT, part.handle), ==, 0);
	check_int(try(&part, AREA, LEN, PROT_READ, MAP_SHARED), ==, -ENOENT);
	check_uint(part.st->state, ==, XPMEM_NUMA_ACTIVE);
}

static long on_export_area(long a, long b, long c)
{
	struct xpmem_numa_export e;
	int ret = dev_export(own_fd, (void *)AREA, LEN, RW, &e);

	return ret ? ret : (long)e.id;
}

int main(void)
{
	long id;

	guest_begin();
	if (share_open(&o, &im, LEN, RW, RW, 0))
		skip_all("no " XPMEM_NUMA_DEVICE);
	id = peer_call(&o.peer, on_export_area, 0, 0, 0);
	import_open(&part, (__u64)id, 0, RW, 0);
	import_open(&ro, o.id, 0, RO, 0);
	peer_call(&o.peer, on_fill, AREA, LEN, 0x31);
	load(im.win);
	TEST(test_private(), "I7: a private window is refused");
	TEST(test_exec(), "I7: an executable window is refused");
	TEST(test_rights(), "I5: a read-only import gets no writable window");
	TEST(test_beyond(), "a window beyond its export is refused");
	TEST(test_handle(), "a window without a handle is refused");
	TEST(test_hint(), "windows go where they are hinted, else congruent");
	TEST(test_populate(), "MAP_POPULATE and MAP_32BIT are allowed");
	TEST(test_status(), "the status pages are two, and read-only");
	TEST(test_status_write(), "a debugger cannot write the status pages");
	TEST(test_revocations(), "the export's page counts revocations");
	TEST(test_unimport(), "after UNIMPORT there is no new window");
	return tap_done();
}
