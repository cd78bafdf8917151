/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Windows are ordinary mappings (I7): whatever is done to them is right or
 * refused, and nothing of them stays behind.
 */

#include <sys/mman.h>
#include <sys/resource.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	64
#define LEN	(NPAGES * PAGE)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)

static void begin(void)
{
	size_t i;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	for (i = 0; i < NPAGES; i++)
		check_int(load(page(i)), ==, 0x31);
}

/* The window is gone already where a test unmapped it whole. */
static void end(void)
{
	share_close(&o, &im);
	check(stat_settles("windows", 0));
	check(stat_settles("imports", 0));
	check(stat_settles("exports", 0));
}

/* A child has the file, stale, but never the memory. */
static void test_fork(void)
{
	pid_t pid;

	begin();
	pid = fork();
	if (!pid) {
		check_int(load(page(0)), ==, -SIGSEGV);
		check_int(store(page(1), 1), ==, -SIGSEGV);
		check(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, im.fd,
			   (off_t)XPMEM_NUMA_OFFSET(im.handle, AREA)) ==
		      MAP_FAILED);
		child_done();
	}
	check_child(pid);
	check_int(load(page(0)), ==, 0x31);
	end();
}

static void test_dofork(void)
{
	begin();
	check_int(madvise(im.win, LEN, MADV_DOFORK), ==, -1);
	check_int(errno, ==, EINVAL);
	check_int(madvise(im.win, LEN, MADV_DODUMP), ==, -1);
	check_int(errno, ==, EINVAL);
	end();
}

static void test_partial_unmap(void)
{
	long windows;

	begin();
	windows = stat_read("windows");
	check_int(windows, ==, 1);
	check_int(munmap(page(8), 8 * PAGE), ==, 0);
	check_int(munmap(page(32), PAGE), ==, 0);
	check_int(load(page(7)), ==, 0x31);
	check_int(load(page(8)), ==, -SIGSEGV);
	check_int(load(page(16)), ==, 0x31);
	/* a piece is revoked like the whole */
	check_int(on(on_unmap, AREA + 20 * PAGE, PAGE, 0), ==, 0);
	check_int(load(page(20)), ==, -SIGBUS);
	check_int(on(on_unmap, AREA + 40 * PAGE, PAGE, 0), ==, 0);
	check_int(load(page(40)), ==, -SIGBUS);
	check_int(load(page(63)), ==, 0x31);
	end();
}

static void test_protect(void)
{
	begin();
	check_int(mprotect(page(8), PAGE, PROT_READ), ==, 0);
	check_int(load(page(8)), ==, 0x31);
	check_int(store(page(8), 1), ==, -SIGSEGV);
	check_int(store(page(9), 0x32), ==, 0);
	check_int(mprotect(page(8), PAGE, PROT_NONE), ==, 0);
	check_int(load(page(8)), ==, -SIGSEGV);
	check_int(mprotect(page(8), PAGE, PROT_READ | PROT_WRITE), ==, 0);
	check_int(store(page(8), 0x33), ==, 0);
	check_int(on(on_load, AREA + 8 * PAGE, 0, 0), ==, 0x33);
	check_int(mprotect(page(8), PAGE, PROT_READ | PROT_EXEC), ==, -1);
	check_int(errno, ==, EACCES);
	end();
}

/* A window that was made writable again must still obey the owner. */
static void test_protect_upgrade(void)
{
	begin();
	check_int(mprotect(im.win, LEN, PROT_READ), ==, 0);
	check_int(on(on_protect, AREA, LEN, PROT_READ), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	check_int(mprotect(im.win, LEN, PROT_READ | PROT_WRITE), ==, 0);
	check_int(store(page(0), 0x66), ==, -SIGBUS);
	check_int(on(on_load, AREA, 0, 0), ==, 0x31);
	end();
}

static void test_remap(void)
{
	void *to = arena_hint(2 * LEN);

	begin();
	check(mremap(im.win, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
	      MAP_FAILED);
	check(mremap(im.win, LEN, 2 * LEN, 0) == MAP_FAILED);
	check(mremap(im.win, LEN, 2 * LEN, MREMAP_MAYMOVE) == MAP_FAILED);
	check(mremap(im.win, 0, LEN, MREMAP_MAYMOVE) == MAP_FAILED);
	check(mremap(im.win, LEN, LEN,
		     MREMAP_MAYMOVE | 4 /* DONTUNMAP */) == MAP_FAILED);
	check_int(load(page(0)), ==, 0x31);
	check_int(stat_read("windows"), ==, 1);
	/* shrinking is an munmap of the tail */
	check(mremap(im.win, LEN, LEN / 2, 0) == im.win);
	check_int(load(page(NPAGES / 2)), ==, -SIGSEGV);
	check_int(load(page(NPAGES / 2 - 1)), ==, 0x31);
	end();
}

static void test_over(void)
{
	begin();
	check(mmap(page(8), PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page(8));
	check_int(store(page(8), 0x44), ==, 0);
	check_int(on(on_load, AREA + 8 * PAGE, 0, 0), ==, 0x31);
	check_int(on(on_fill, AREA, LEN, 0x32), ==, 0);
	check_int(load(page(8)), ==, 0x44);
	check_int(load(page(9)), ==, 0x32);
	/* a window over a window */
	check(mmap(page(16), 4 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, im.fd,
		   (off_t)XPMEM_NUMA_OFFSET(im.handle, AREA)) == page(16));
	check_int(store(page(0), 0x55), ==, 0);
	check_int(load(page(16)), ==, 0x55);
	end();
}

/* Address space costs nothing until it is touched. */
static void test_big(size_t len)
{
	long granules, metadata;
	char *win;

	begin();
	granules = stat_read("granules");
	metadata = stat_read("metadata");
	win = dev_window(im.fd, im.handle, AREA, len, PROT_READ | PROT_WRITE);
	check(win != MAP_FAILED);
	check_int(load(win + 5 * PAGE), ==, 0x31);
	check_int(load(win + LEN), ==, -SIGBUS);
	check_int(load(win + len - PAGE), ==, -SIGBUS);
	check_int(stat_read("granules") - granules, <=, 1);
	check_int(stat_read("metadata") - metadata, <, 4096);
	check_int(munmap(win, len), ==, 0);
	end();
}

static void test_many(void)
{
	enum { N = 400 };
	char *win[N];
	int i, wrong = 0;

	begin();
	for (i = 0; i < N; i++) {
		win[i] = dev_window(im.fd, im.handle, AREA, LEN,
				    PROT_READ | PROT_WRITE);
		if (win[i] == MAP_FAILED || load(win[i] + i % 64 * 4096) != 0x31)
			wrong++;
	}
	check_int(wrong, ==, 0);
	check_int(stat_read("windows"), ==, N + 1);
	check_int(on(on_fill, AREA, LEN, 0x32), ==, 0);
	check_int(on(on_unmap, AREA, PAGE, 0), ==, 0);
	for (i = 0; i < N; i++) {
		wrong += load(win[i]) != -SIGBUS;
		wrong += load(win[i] + PAGE) != 0x32;
		wrong += munmap(win[i], LEN) != 0;
	}
	check_int(wrong, ==, 0);
	check(stat_settles("windows", 1));
	end();
}

static void test_rlimit(void)
{
	struct rlimit lim, old;
	char *win;

	begin();
	check_int(getrlimit(RLIMIT_AS, &old), ==, 0);
	lim = old;
	lim.rlim_cur = 32 * GIB;
	check_int(setrlimit(RLIMIT_AS, &lim), ==, 0);
	check(dev_window(im.fd, im.handle, AREA, 64 * GIB, PROT_READ) ==
	      MAP_FAILED);
	check_int(errno, ==, ENOMEM);
	win = dev_window(im.fd, im.handle, AREA, 16 * GIB, PROT_READ);
	check(win != MAP_FAILED);
	check_int(load(win), ==, 0x31);
	check_int(munmap(win, 16 * GIB), ==, 0);
	check_int(setrlimit(RLIMIT_AS, &old), ==, 0);
	end();
}

/* A window, like any mapping, keeps what it shows until it is unmapped. */
static void test_unimport(void)
{
	begin();
	check_int(dev_handle(im.fd, XPMEM_NUMA_UNIMPORT, im.handle), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	check_int(on(on_advise, AREA, PAGE, MADV_DONTNEED), ==, 0);
	check_int(load(page(0)), ==, 0);
	check_int(close(im.fd), ==, 0);
	im.fd = -1;
	check_int(store(page(1), 0x32), ==, 0);
	check_int(on(on_load, AREA + PAGE, 0, 0), ==, 0x32);
	check_int(stat_read("imports"), ==, 1);
	end();
}

int main(void)
{
	guest_begin();
	TEST(test_fork(), "I7: a forked child has no window");
	TEST(test_dofork(), "I7: madvise cannot give it one, nor a core dump");
	TEST(test_partial_unmap(), "I7: pieces of a window work and are revoked");
	TEST(test_protect(), "I7: mprotect on a window is honoured");
	TEST(test_protect_upgrade(), "I5: mprotect gives no right to write");
	TEST(test_remap(), "I7: a window is not moved or grown, it may shrink");
	TEST(test_over(), "I7: other mappings and windows go over a window");
	TEST(test_big(64 * GIB), "a window of 64 GiB costs nothing");
	TEST(test_big(32 * TIB), "a window of 32 TiB costs nothing");
	TEST(test_many(), "400 windows of one export, each revoked");
	TEST(test_rlimit(), "RLIMIT_AS refuses 64 GiB and allows 16 GiB");
	TEST(test_unimport(), "a window outlives its handle and its file");
	return tap_done();
}
