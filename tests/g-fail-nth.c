/* SPDX-License-Identifier: BSD-3-Clause */
/* Every call with each of its allocations and user copies failing once. */

#include <poll.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"
#include "fail-nth.h"

#define GRANULE	(2 * (long)MIB)
#define USER	1001

static struct owner o;
static struct import im;
static struct xpmem_numa_export ex;
static struct xpmem_numa_import arg;
static int fd = -1;

/* ---- calls ---- */

static int run_open(int n)
{
	int ret = dev_open();

	if (ret >= 0)
		ret = close(ret) ? -errno : 0;
	return ret;
}

static int run_query(int n)
{
	struct xpmem_numa_query q = { 0 };

	return dev_call(fd, XPMEM_NUMA_QUERY, &q);
}

static int run_stats(int n)
{
	struct xpmem_numa_stats s = { 0 };

	return dev_call(fd, XPMEM_NUMA_STATS_READ, &s);
}

static int run_export(int n)
{
	return dev_export(fd, NULL, 0, RW, &ex);
}

static void undo_export(int n)
{
	check_int(dev_handle(fd, XPMEM_NUMA_UNEXPORT, ex.handle), ==, 0);
}

static long prepare_export(int n)
{
	return run_export(n);
}

static int run_unexport(int n)
{
	return dev_handle(fd, XPMEM_NUMA_UNEXPORT, ex.handle);
}

static int run_import(int n)
{
	return dev_import(fd, o.id, RW, POISON, &arg);
}

static int run_unimport(int n)
{
	return dev_handle(fd, XPMEM_NUMA_UNIMPORT, arg.handle);
}

static void undo_import(int n)
{
	check_int(run_unimport(n), ==, 0);
}

static long prepare_import(int n)
{
	return run_import(n);
}

static int run_wake(int n)
{
	return dev_handle(im.fd, XPMEM_NUMA_WAKE, im.handle);
}

static int run_deny(int n)
{
	return dev_range(fd, XPMEM_NUMA_DENY, ex.handle, AREA + n * GRANULE,
			 PAGE);
}

/* A page in the middle of what is denied: one range becomes two. */
static int run_allow(int n)
{
	return dev_range(fd, XPMEM_NUMA_ALLOW, ex.handle,
			 AREA + n * GRANULE + 2 * (long)PAGE, PAGE);
}

static long prepare_allow(int n)
{
	return dev_range(fd, XPMEM_NUMA_DENY, ex.handle, AREA + n * GRANULE,
			 8 * PAGE);
}

static void undo_deny(int n)
{
	check_int(dev_range(fd, XPMEM_NUMA_ALLOW, ex.handle, AREA + n * GRANULE,
			    8 * PAGE), ==, 0);
}

static int run_counts(int n)
{
	struct pollfd p = { .fd = own_fd, .events = POLLIN };
	__u64 count;

	if (poll(&p, 1, 0) < 0)
		return -errno;
	return read(own_fd, &count, 8) == 8 ? 0 : -errno;
}

static long prepare_counts(int n)
{
	return dev_handle(fd, XPMEM_NUMA_WAKE, arg.handle);
}

static void test_open(void)
{
	check_op(run_open, NULL, NULL);
}

static void test_query(void)
{
	check_op(run_query, NULL, NULL);
	check_op(run_stats, NULL, NULL);
}

static void test_export(void)
{
	check_op(run_export, undo_export, NULL);
	check_op(run_unexport, NULL, prepare_export);
}

static void test_import(void)
{
	check_op(run_import, undo_import, NULL);
	check_op(run_unimport, NULL, prepare_import);
}

static void test_deny(void)
{
	check_int(run_export(0), ==, 0);
	check_op(run_deny, undo_deny, NULL);
	check_op(run_allow, undo_deny, prepare_allow);
	undo_export(0);
}

static void test_wake(void)
{
	check_op(run_wake, NULL, NULL);
	own_fd = dev_open();
	check_int(dev_export(own_fd, NULL, 0, RW, &ex), ==, 0);
	check_int(dev_import(fd, ex.id, RW, 0, &arg), ==, 0);
	check_op(run_counts, NULL, prepare_counts);
	undo_import(0);
	close(own_fd);
}

/* ---- the first of a process, of a user: each time in a new one ---- */

/* What the child made of it, and 100 more if a point failed. */
static int first_in_child(int n, __u64 id)
{
	pid_t pid = fork();
	int ret, status, dev;

	if (!pid) {
		fail_open();
		if (id && setresuid(USER, USER, USER))
			_exit(99);
		dev = dev_open();
		fail_arm(n);
		ret = id ? dev_import(dev, id, RO, 0, &arg) : dev_export(dev, NULL, 0, RW, &ex);
		_exit((fail_disarm() ? 100 : 0) + (is_clean(ret) ? -ret : 99));
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
		WEXITSTATUS(status) : 99;
}

static void check_first(__u64 id)
{
	int n, status = 100, failed = 0;

	for (n = 1; n < N && status >= 100; n++) {
		status = first_in_child(n, id);
		failed += status % 100 != 0;
		if (!check_int(status % 100, !=, 99))
			tap_diag("at the %d. failure", n);
	}
	tap_diag("%d points, %d of them made it fail", n - 2, failed);
	check_int(status, ==, 0);
	check_int(failed, >, 0);
	check(stat_settles("imports", 0));
}

static void test_first_export(void)
{
	check_int(stat_read("exports"), ==, 0);
	check_first(0);
	check(stat_settles("exports", 0));
	check(stat_settles("metadata", 0));
}

static void test_first_import(void)
{
	struct xpmem_numa_export e = { .rights = RO, .mode = 0444 };
	int dev = dev_open();

	check_int(dev_call(dev, XPMEM_NUMA_EXPORT, &e), ==, 0);
	check_first(e.id);
	close(dev);
	check(stat_settles("exports", 0));
	check(stat_settles("metadata", 0));
}

int main(void)
{
	fail_begin();
	printf("# no-faults: calls only; faults are g-fail-faults's\n");
	TEST(test_open(), "open fails cleanly");
	TEST(test_first_export(), "the first EXPORT of an mm and a user does");
	TEST(test_first_import(), "the first IMPORT of an mm and a user does");
	fd = dev_open();
	if (fd < 0 || share_open(&o, &im, PAGE, RW, RW, 0))
		return 1;
	TEST(test_query(), "QUERY and STATS fail cleanly");
	TEST(test_export(), "EXPORT and UNEXPORT do");
	TEST(test_import(), "IMPORT and UNIMPORT do");
	TEST(test_deny(), "DENY and ALLOW do");
	TEST(test_wake(), "WAKE, poll and read do");
	share_close(&o, &im);
	return tap_done();
}
