/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Windows and faults in them, with each allocation failing once, of this
 * process or of the workers that bring the owner's pages in.
 */

#include <sys/mman.h>
#include <sys/syscall.h>

#include "guest.h"
#include "tap.h"
#include "fail-nth.h"

#define GRANULE	(2 * (long)MIB)
#define REGION	(N * GRANULE)
#define HUGE	(AREA + 4 * REGION)	/* one granule, a hole behind it */
#define HOLE	(HUGE + GRANULE)

static struct owner o;
static struct import im, poison;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

/* ---- windows ---- */

/* munmap() may fail for lack of memory; then it works the second time. */
static int unmap(void *addr, size_t len)
{
	int ret = munmap(addr, len) ? -errno : 0;

	return ret && munmap(addr, len) ? -EDOM : ret;
}

static int run_window(int n)
{
	void *win = dev_window(im.fd, im.handle, AREA, GRANULE, PROT_READ);

	if (win == MAP_FAILED)
		return -errno;
	return unmap(win, GRANULE);
}

static int run_status(int n)
{
	char *st = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, im.fd,
			(off_t)XPMEM_NUMA_OFFSET(im.handle, XPMEM_NUMA_STATUS));
	int ret;

	if (st == MAP_FAILED)
		return -errno;
	ret = load(st);
	if (!ret)
		ret = load(st + PAGE);
	return unmap(st, 2 * PAGE) ?: ret;
}

static char *split;

static long prepare_split(int n)
{
	split = dev_window(im.fd, im.handle, AREA, 3 * PAGE, PROT_READ);
	return split == MAP_FAILED ? -errno : load(split) == 0x31 ? 0 : -EIO;
}

static int run_split(int n)
{
	return munmap(split + PAGE, PAGE) ? -errno : 0;
}

static void undo_split(int n)
{
	check_int(load(split), ==, 0x31);
	check_int(load(split + PAGE), ==, -SIGSEGV);
	check_int(munmap(split, 3 * PAGE), ==, 0);
}

/* ---- faults; each region of the owner is for one of them ---- */

#define VA(region, n)	(AREA + (region) * REGION + (n) * GRANULE)
#define WIN(i, va)	((i)->win + ((va) - AREA))

/* 0 when @byte is what was read; -EIO when it is not but looks good. */
static int seen(int got, int byte)
{
	return got < 0 ? got : got == byte ? 0 : -EIO;
}

static long prepare_load(int n)
{
	return on(on_store, VA(0, n), 0x31, 0);
}

static int run_load(int n)
{
	return seen(load(WIN(&im, VA(0, n))), 0x31);
}

/* The owner has nothing there yet: the slow path. */
static int run_store(int n)
{
	return store(WIN(&im, VA(1, n)), 0x31);
}

static void undo_store(int n)
{
	check_int(on(on_load, VA(1, n), 0, 0), ==, 0x31);
}

/* The page was shared after a fork when it was read: .pfn_mkwrite. */
static long prepare_upgrade(int n)
{
	long child;

	prepare_load(n);
	child = on(on_fork, 0, 0, 0);
	if (child < 0)
		return child;
	return run_load(n) ? -EIO : on(on_kill, child, 0, 0);
}

static int run_upgrade(int n)
{
	return store(WIN(&im, VA(0, n)), 0x32);
}

static void undo_upgrade(int n)
{
	check_int(on(on_load, VA(0, n), 0, 0), ==, 0x32);
}

/* With POISON nothing is a signal; what was poisoned can be reset. */
static int run_poison(int n)
{
	int ret = load(WIN(&poison, VA(0, n) + 9 * (long)PAGE));

	if (ret == 0x31 && import_valid(&poison))
		return 0;
	if (ret || import_valid(&poison))
		return ret < 0 ? -EDOM : -EIO;
	ret = dev_range(poison.fd, XPMEM_NUMA_RESET, poison.handle, 0, 0);
	return ret ? ret : -ENOMEM;
}

static long prepare_poison(int n)
{
	return on(on_store, VA(0, n) + 9 * (long)PAGE, 0x31, 0);
}

/* A hole, where the poison is the answer: read and written. */
static int run_hole(int n)
{
	char *p = WIN(&poison, HOLE + n * GRANULE);
	int ret = load(p);

	if (!ret)
		ret = store(p, 0x66);
	return ret ? ret : seen(load(p), import_valid(&poison) ? -1 : 0x66);
}

static void undo_hole(int n)
{
	check_int(dev_range(poison.fd, XPMEM_NUMA_RESET, poison.handle, 0, 0),
		  ==, 0);
	check(import_valid(&poison));
}

static int prefault(long va, __u32 rights, __u32 flags)
{
	long done = dev_prefault(im.fd, im.handle, va, 8 * PAGE, rights, flags);

	return done < 0 ? (int)done : done == 8 * PAGE ? 0 : -EFAULT;
}

static long prepare_prefault(int n)
{
	return on(on_fill, VA(2, n), 8 * PAGE, 0x31);
}

static int run_prefault(int n)
{
	return prefault(VA(2, n), RO, 0);
}

static int run_alloc(int n)
{
	return prefault(VA(3, n), RW, XPMEM_NUMA_PREFAULT_ALLOC);
}

static long on_huge(long addr, long len, long byte)
{
	if (madvise((void *)addr, (size_t)len, MADV_HUGEPAGE))
		return -errno;
	return on_fill(addr, len, byte);
}

static int run_huge(int n)
{
	char *win = dev_window(im.fd, im.handle, HUGE, GRANULE, PROT_READ);
	int ret;

	if (win == MAP_FAILED)
		return -errno;
	ret = seen(load(win + GRANULE / 2), 0x31);
	return unmap(win, GRANULE) ?: ret;
}

static void test_windows(void)
{
	check_int(prepare_load(0), ==, 0);
	check_int(run_load(0), ==, 0);
	check_op(run_window, NULL, NULL);
	check_op(run_status, NULL, NULL);
	check_op(run_split, undo_split, prepare_split);
}

static void test_faults(void)
{
	check_made(run_load, NULL, prepare_load);
	check_made(run_store, undo_store, NULL);
}

static void test_upgrade(void)
{
	check_made(run_upgrade, undo_upgrade, prepare_upgrade);
}

static void test_poison(void)
{
	check_made(run_poison, NULL, prepare_poison);
	check_made(run_hole, undo_hole, NULL);
}

static void test_prefault(void)
{
	check_made(run_prefault, NULL, prepare_prefault);
	check_made(run_alloc, NULL, NULL);
}

static void test_huge(void)
{
	long pmds = stat_read("inserted_pmd");

	check_int(on(on_huge, HUGE, GRANULE, 0x31), ==, 0);
	check_made(run_huge, NULL, NULL);
	check_int(stat_read("inserted_pmd"), >, pmds);
}

/* Pages that the owner has not got come in by workers. */
static int store_all(long page)
{
	int n, failed = 0, ret;

	for (n = 0; n < N; n++) {
		ret = store(WIN(&im, VA(1, n) + page * (long)PAGE), 0x31);
		check(is_clean(ret));
		failed += ret != 0;
	}
	return failed;
}

static void test_workers(void)
{
	enum { TIMES = 1000 };
	unsigned long node = 1;
	int failed = 0, round = 0, left;

	/* who has a policy lets a worker on the owner's node do it */
	check(!syscall(SYS_set_mempolicy, 2 /* MPOL_BIND */, &node, 64));
	check_int(store_all(1), ==, 0);
	while (!failed && round++ < 10) {
		fail_workers(20, TIMES);
		failed = store_all(1 + round);
		left = fail_workers(0, 0);
		tap_diag("%d of %d failed, %d left of %d", failed, N, left,
			 2 * TIMES);
		check_int(store_all(1 + round), ==, 0);
	}
	check_int(failed, >, 0);
	check(!syscall(SYS_set_mempolicy, 0 /* MPOL_DEFAULT */, NULL, 0));
}

int main(void)
{
	fail_begin();
	if (share_open(&o, &im, HOLE - AREA, RW, RW, 0) ||
	    import_open(&poison, o.id, HOLE + REGION - AREA, RW, POISON))
		return 1;
	TEST(test_windows(), "windows fail cleanly");
	TEST(test_faults(), "a failed fault is SIGBUS, once");
	TEST(test_upgrade(), "a failed upgrade is SIGBUS, once");
	TEST(test_poison(), "I11: a failed fault is poison, until RESET");
	TEST(test_prefault(), "a failed PREFAULT says how far it came");
	TEST(test_huge(), "a failed fault on a huge page is SIGBUS, once");
	TEST(test_workers(), "a worker without memory is SIGBUS, once");
	import_close(&poison);
	share_close(&o, &im);
	return tap_done();
}
