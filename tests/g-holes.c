/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Terabytes of nothing, and of memory that nobody has touched: reading through
 * them takes no memory of the kernel's that is not accounted for, comes to an
 * end, and can be killed at any point.
 */

#include <sys/mman.h>
#include <time.h>

#include "guest.h"
#include "tap.h"

#define NOTHING	(AREA + (long)TIB)	/* of the owner, as far as it matters */
#define SPAN	(32 * TIB)
#define LIMIT	30000			/* ms */

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static long granules, metadata;

static void begin(__u32 flags)
{
	check_int(owner_start(&o, 16 * PAGE, RW), ==, 0);
	check_int(import_open(&im, o.id, 0, RW, flags), ==, 0);
	im.win = dev_window(im.fd, im.handle, NOTHING, SPAN,
			    PROT_READ | PROT_WRITE);
	im.len = SPAN;
	check(im.win != MAP_FAILED);
	granules = stat_read("granules");
	metadata = stat_read("metadata");
}

static void end(void)
{
	share_close(&o, &im);
	check(stat_settles("granules", 0));
	check(stat_settles("metadata", 0));
}

static void check_free(void)
{
	check_int(stat_read("granules"), ==, granules);
	check_int(stat_read("metadata"), ==, metadata);
}

/* One touch a gigabyte, by loads, stores and by the kernel for us. */
static void test_touch(void)
{
	int wrong = 0, fd = memfd_create("g-holes", MFD_CLOEXEC);
	size_t off;

	begin(0);
	for (off = 0; off < SPAN; off += 8 * GIB) {
		wrong += load(im.win + off) != -SIGBUS;
		wrong += store(im.win + off, 1) != -SIGBUS;
		wrong += pwrite(fd, im.win + off, PAGE, 0) != -1;
	}
	check_int(wrong, ==, 0);
	close(fd);
	check_free();
	end();
}

/* With poison each touch is a page table of the importer's own. */
static void test_poison(void)
{
	int wrong = 0, n;

	begin(POISON);
	for (n = 0; n < 1024; n++) {
		wrong += load(im.win + n * 4 * GIB) != 0;
		wrong += store(im.win + n * 4 * GIB + PAGE, 1) != 0;
	}
	check_int(wrong, ==, 0);
	check_uint(im.st->poisoned, ==, 2048);
	check_free();
	check_int(dev_range(im.fd, XPMEM_NUMA_RESET, im.handle, 0, 0), ==, 0);
	check(import_valid(&im));
	check_int(load(im.win + 4 * GIB), ==, 0);
	check(!import_valid(&im));
	end();
}

static void test_prefault(__u32 flags)
{
	begin(flags);
	check_int(dev_prefault(im.fd, im.handle, NOTHING, SPAN, RW, 0), ==,
		  -EFAULT);
	check_int(dev_prefault(im.fd, im.handle, NOTHING, SPAN, RW,
			       XPMEM_NUMA_PREFAULT_ALLOC), ==, -EFAULT);
	check_int(dev_range(im.fd, XPMEM_NUMA_RESET, im.handle, NOTHING, SPAN),
		  ==, 0);
	check_int(on(on_deny, NOTHING, SPAN, 0), ==, 0);
	check_int(stat_read("granules"), ==, granules);
	check_int(on(on_allow, NOTHING, SPAN, 0), ==, 0);
	check_free();
	check_uint(im.st->poisoned, ==, 0);
	end();
}

/* ---- to be killed ---- */

/* Until it is killed: 32 TiB of poison, page by page. */
static long on_read_poison(long span, long b, long c)
{
	char *win = dev_window(mine.fd, mine.handle, NOTHING, (size_t)span,
			       PROT_READ);
	volatile char sum = 0;
	long off;

	if (win == MAP_FAILED)
		return -errno;
	for (off = 0; off < span; off += (long)PAGE)
		sum += win[off];
	return sum;
}

static long on_reserve(long len, long b, long c)
{
	void *p = mmap((void *)NOTHING, (size_t)len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			       MAP_FIXED_NOREPLACE, -1, 0);

	return p == MAP_FAILED ? -errno : 0;
}

/* One call, over memory that is there but was never touched. */
static long on_prefault(long span, long flags, long c)
{
	if (dev_window(mine.fd, mine.handle, NOTHING, (size_t)span,
		       PROT_READ | PROT_WRITE) == MAP_FAILED)
		return -errno;
	return dev_prefault(mine.fd, mine.handle, NOTHING, (size_t)span, RO,
			    (__u32)flags);
}

static void test_kill(peer_fn fn, long span, bool reserved, const char *moves)
{
	long before = stat_read(moves);
	struct peer p;
	int i;

	check_int(owner_start(&o, 16 * PAGE, RW), ==, 0);
	if (reserved)
		check_int(on(on_reserve, span, 0, 0), ==, 0);
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_import, (long)o.id, 0,
			    RW | (long)POISON << 8), ==, 0);
	check_int(peer_begin(&p, fn, span, 0, 0), ==, 0);
	for (i = 0; i < LIMIT && stat_read(moves) < before + 100; i++)
		usleep(1000);
	check_int(stat_read(moves), >=, before + 100);
	kill(p.pid, SIGKILL);
	if (!check(peer_answers(&p, LIMIT)))
		tap_diag("it goes on");
	check_int(peer_end(&p), ==, -EPIPE);
	peer_stop(&p);
	/* the owner is as quick as ever */
	check_int(on(on_store, AREA, 1, 0), ==, 0);
	owner_stop(&o);
	check(stat_settles("granules", 0));
	check(stat_settles("metadata", 0));
}

/* ---- bounded ---- */

/* What nobody touched costs a granule for each 2 MiB, of which there are few. */
static void test_bound(void)
{
	long old = param_set("max_granules", 500), done;

	begin(0);
	check_int(on(on_reserve, TIB, 0, 0), ==, 0);
	done = dev_prefault(im.fd, im.handle, NOTHING, TIB, RO, 0);
	check_int(done, >, 0);
	check_int(done, <=, 501 * (long)(2 * MIB));
	check_int(stat_read("granules"), <=, 500);
	check_int(stat_read("granules"), >=, 499);
	/* the owner has not one page of it */
	check_int(pages_present(o.peer.pid, NOTHING, 4096), ==, 0);
	end();
	check_int(param_set("max_granules", old), ==, 500);
}

int main(void)
{
	guest_begin();
	TEST(test_touch(), "32 TiB of holes, touched, take no memory");
	TEST(test_poison(), "I11: poison in 4 TiB of holes take none of ours");
	TEST(test_prefault(0), "PREFAULT, RESET and DENY of 32 TiB of holes end");
	TEST(test_prefault(POISON), "I11: ... and poison nothing");
	TEST(test_kill(on_read_poison, SPAN, false, "poisoned"),
	     "who reads through 32 TiB of poison can be killed");
	TEST(test_kill(on_prefault, 16 * TIB, true, "granules"),
	     "PREFAULT of 16 TiB that nobody touched can be killed");
	TEST(test_bound(), "it takes no more granules than its user may have");
	return tap_done();
}
