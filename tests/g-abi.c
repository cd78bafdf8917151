/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each call with each field wrong in turn: the documented error, and no trace
 * in the module. The calls are otherwise perfectly valid.
 */

#include <sys/ioctl.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define LEN	(16 * PAGE)

static struct owner o;
static struct import im;
static int fd;
static struct xpmem_numa_export ex;	/* of this process, at AREA */
static __u32 partition;

/* One field that is wrong. */
struct wrong {
	const char *what;
	size_t at;
	size_t size;
	__u64 value;
	int error;
};

#define WRONG(type, field, value, error) \
	{ #field " " #value, offsetof(struct type, field), \
	  sizeof(((struct type *)0)->field), (__u64)(value), error }

static const char *const gauges[] = { "exports", "imports", "windows",
				      "granules", "metadata" };
#define NGAUGES (sizeof(gauges) / sizeof(*gauges))

static void check_refused(unsigned long cmd, const void *valid,
			  const struct wrong *w)
{
	long before[NGAUGES];
	char arg[512];
	size_t i;
	int ret;

	for (; w->what; w++) {
		for (i = 0; i < NGAUGES; i++)
			before[i] = stat_read(gauges[i]);
		memcpy(arg, valid, _IOC_SIZE(cmd));
		memcpy(arg + w->at, &w->value, w->size);
		ret = dev_call(fd, cmd, arg);
		if (!check_int(ret, ==, w->error))
			tap_diag("... by %s", w->what);
		for (i = 0; i < NGAUGES; i++)
			if (!check(stat_settles(gauges[i], before[i])))
				tap_diag("... by %s", w->what);
	}
}

static void test_query(void)
{
	static const struct wrong wrong[] = {
		WRONG(xpmem_numa_query, flags, 1, -EINVAL),
		WRONG(xpmem_numa_query, flags, 1U << 31, -EINVAL),
		WRONG(xpmem_numa_query, pad, 1, -EINVAL),
		WRONG(xpmem_numa_query, reserved, 1, -EINVAL),
		{ 0 } };
	struct xpmem_numa_query q = { 0 }, again = { 0 };

	check_int(dev_call(fd, XPMEM_NUMA_QUERY, &q), ==, 0);
	check_uint(q.abi, ==, XPMEM_NUMA_ABI);
	check_uint(q.features & XPMEM_NUMA_FEATURE_POISON, !=, 0);
	check_uint(q.incarnation, !=, 0);
	check_uint(q.max_exports, >, 0);
	check_uint(q.max_imports, >, 0);
	check_uint(q.max_windows, >, 0);
	check_uint(q.max_granules, >, 0);
	check_uint(q.flags | q.pad | q.reserved, ==, 0);
	check_int(dev_call(fd, XPMEM_NUMA_QUERY, &again), ==, 0);
	check_int(memcmp(&q, &again, sizeof(q)), ==, 0);
	memset(&q, 0, sizeof(q));
	check_refused(XPMEM_NUMA_QUERY, &q, wrong);
}

static void test_export(void)
{
	struct xpmem_numa_export valid = { .addr = AREA, .len = LEN,
					   .rights = RW };
	static const struct wrong wrong[] = {
		WRONG(xpmem_numa_export, addr, AREA + 1, -EINVAL),
		WRONG(xpmem_numa_export, addr, 1ULL << 47, -EINVAL),
		WRONG(xpmem_numa_export, addr, (1ULL << 47) - PAGE, -EINVAL),
		WRONG(xpmem_numa_export, addr, -PAGE, -EINVAL),
		WRONG(xpmem_numa_export, len, 0, -EINVAL),
		WRONG(xpmem_numa_export, len, LEN - 1, -EINVAL),
		WRONG(xpmem_numa_export, len, 1ULL << 47, -EINVAL),
		WRONG(xpmem_numa_export, len, -PAGE, -EINVAL),
		WRONG(xpmem_numa_export, len, -(__u64)AREA, -EINVAL),
		WRONG(xpmem_numa_export, rights, 0, -EINVAL),
		WRONG(xpmem_numa_export, rights, 2, -EINVAL),
		WRONG(xpmem_numa_export, rights, 7, -EINVAL),
		WRONG(xpmem_numa_export, mode, 0100, -EINVAL),
		WRONG(xpmem_numa_export, mode, 01600, -EINVAL),
		WRONG(xpmem_numa_export, mode, 0100600, -EINVAL),
		WRONG(xpmem_numa_export, flags, 1, -EINVAL),
		WRONG(xpmem_numa_export, flags, 1U << 31, -EINVAL),
		WRONG(xpmem_numa_export, pad, 1, -EINVAL),
		{ 0 } };

	check_refused(XPMEM_NUMA_EXPORT, &valid, wrong);
	check_int(dev_call(fd, XPMEM_NUMA_EXPORT, &valid), ==, 0);
	check_uint(valid.id, !=, 0);
	check_uint(valid.id, <, 1ULL << 63);
	check_uint(valid.id, !=, ex.id);
	check_uint(valid.handle, !=, ex.handle);
	check_int(dev_handle(fd, XPMEM_NUMA_UNEXPORT, valid.handle), ==, 0);
}

static void test_import(void)
{
	struct xpmem_numa_import valid = { .id = o.id, .rights = RO,
					   .partition = partition };
	const struct wrong wrong[] = {
		WRONG(xpmem_numa_import, id, 0, -ENOENT),
		WRONG(xpmem_numa_import, id, o.id ^ 1, -ENOENT),
		WRONG(xpmem_numa_import, id, o.id ^ 1ULL << 63, -ENOENT),
		WRONG(xpmem_numa_import, partition, partition + 1, -EHOSTUNREACH),
		WRONG(xpmem_numa_import, partition, ~0U, -EHOSTUNREACH),
		WRONG(xpmem_numa_import, rights, 0, -EINVAL),
		WRONG(xpmem_numa_import, rights, 2, -EINVAL),
		WRONG(xpmem_numa_import, rights, 5, -EINVAL),
		WRONG(xpmem_numa_import, flags, 2, -EINVAL),
		WRONG(xpmem_numa_import, flags, 1U << 31, -EINVAL),
		WRONG(xpmem_numa_import, key, 1, -EACCES),
		WRONG(xpmem_numa_import, pad, 1, -EINVAL),
		{ 0 } };

	check_refused(XPMEM_NUMA_IMPORT, &valid, wrong);
	check_int(dev_call(fd, XPMEM_NUMA_IMPORT, &valid), ==, 0);
	check_uint(valid.addr, ==, 0);
	check_uint(valid.len, ==, XPMEM_NUMA_VA_LIMIT);
	check_int(dev_handle(fd, XPMEM_NUMA_UNIMPORT, valid.handle), ==, 0);
}

static void test_handle(unsigned long cmd, __u32 good, __u32 other)
{
	struct xpmem_numa_handle valid = { .handle = good };
	const struct wrong wrong[] = {
		WRONG(xpmem_numa_handle, handle, other, -ENOENT),
		WRONG(xpmem_numa_handle, handle, 0, -ENOENT),
		WRONG(xpmem_numa_handle, handle, 32767, -ENOENT),
		WRONG(xpmem_numa_handle, handle, 32768, -ENOENT),
		WRONG(xpmem_numa_handle, handle, 65536 + good, -ENOENT),
		WRONG(xpmem_numa_handle, handle, ~0U, -ENOENT),
		WRONG(xpmem_numa_handle, flags, 1, -EINVAL),
		WRONG(xpmem_numa_handle, flags, 1U << 31, -EINVAL),
		{ 0 } };

	check_refused(cmd, &valid, wrong);
}

/* Of an export that is [AREA, AREA + LEN), or an import of everything. */
static void test_range(unsigned long cmd, __u32 good, __u32 other, bool whole)
{
	struct xpmem_numa_range valid = { .handle = good, .va = AREA,
					  .len = LEN };
	const struct wrong wrong[] = {
		WRONG(xpmem_numa_range, handle, other, -ENOENT),
		WRONG(xpmem_numa_range, handle, 0, -ENOENT),
		WRONG(xpmem_numa_range, handle, 32768, -ENOENT),
		WRONG(xpmem_numa_range, flags, 1, -EINVAL),
		WRONG(xpmem_numa_range, va, AREA + 1, -EINVAL),
		WRONG(xpmem_numa_range, va, 1ULL << 47, -EINVAL),
		WRONG(xpmem_numa_range, va, -PAGE, -EINVAL),
		WRONG(xpmem_numa_range, len, 0, -EINVAL),
		WRONG(xpmem_numa_range, len, 1, -EINVAL),
		WRONG(xpmem_numa_range, len, 1ULL << 47, -EINVAL),
		WRONG(xpmem_numa_range, len, -PAGE, -EINVAL),
		WRONG(xpmem_numa_range, len, -(__u64)AREA, -EINVAL),
		{ 0 } };
	const struct wrong outside[] = {
		WRONG(xpmem_numa_range, va, AREA - PAGE, -EINVAL),
		WRONG(xpmem_numa_range, va, AREA + PAGE, -EINVAL),
		WRONG(xpmem_numa_range, va, 0, -EINVAL),
		WRONG(xpmem_numa_range, len, LEN + PAGE, -EINVAL),
		{ 0 } };

	check_refused(cmd, &valid, wrong);
	if (!whole)
		check_refused(cmd, &valid, outside);
	check_int(dev_call(fd, cmd, &valid), ==, 0);
}

static void test_prefault(void)
{
	struct xpmem_numa_prefault valid = { .handle = im.handle, .va = AREA,
					     .len = LEN, .rights = RW };
	const struct wrong wrong[] = {
		WRONG(xpmem_numa_prefault, handle, ex.handle, -ENOENT),
		WRONG(xpmem_numa_prefault, handle, 0, -ENOENT),
		WRONG(xpmem_numa_prefault, handle, 32768, -ENOENT),
		WRONG(xpmem_numa_prefault, flags, 2, -EINVAL),
		WRONG(xpmem_numa_prefault, va, AREA + 8, -EINVAL),
		WRONG(xpmem_numa_prefault, va, 1ULL << 47, -EINVAL),
		WRONG(xpmem_numa_prefault, va, AREA + (long)GIB, -EFAULT),
		WRONG(xpmem_numa_prefault, len, 0, -EINVAL),
		WRONG(xpmem_numa_prefault, len, 1, -EINVAL),
		WRONG(xpmem_numa_prefault, len, -PAGE, -EINVAL),
		WRONG(xpmem_numa_prefault, rights, 0, -EINVAL),
		WRONG(xpmem_numa_prefault, rights, 2, -EINVAL),
		WRONG(xpmem_numa_prefault, rights, 4 | RO, -EINVAL),
		WRONG(xpmem_numa_prefault, pad, 1, -EINVAL),
		{ 0 } };

	check_refused(XPMEM_NUMA_PREFAULT, &valid, wrong);
	check_int(dev_call(fd, XPMEM_NUMA_PREFAULT, &valid), ==, 0);
	check_uint(valid.done, ==, LEN);
}

static void test_stats(void)
{
	struct xpmem_numa_stats total = { 0 };
	const struct wrong wrong[] = {
		WRONG(xpmem_numa_stats, handle, 32768, -ENOENT),
		WRONG(xpmem_numa_stats, handle, 999, -ENOENT),
		WRONG(xpmem_numa_stats, flags, 1, -EINVAL),
		{ 0 } };

	check_refused(XPMEM_NUMA_STATS_READ, &total, wrong);
	check_int(dev_call(fd, XPMEM_NUMA_STATS_READ, &total), ==, 0);
	check_int((long)total.faults, ==, stat_read("faults"));
	check_int((long)total.exports, ==, stat_read("exports"));
	check_uint(total.exports, ==, 2);
	total = (struct xpmem_numa_stats){ .handle = im.handle };
	check_int(dev_call(fd, XPMEM_NUMA_STATS_READ, &total), ==, 0);
	check_uint(total.windows, ==, 1);
}

static void test_unknown(void)
{
	unsigned int nr, size, dir;
	char arg[16384] = { 0 };

	for (nr = 0; nr < 256; nr++)
		for (size = 0; size < 16384; size += 1021)
			for (dir = 0; dir < 4; dir++)
				if (ioctl(fd, _IOC(dir, XPMEM_NUMA_IOCTL, nr,
						   size), arg) != -1 ||
				    errno != ENOTTY)
					check_int(nr, ==, -1);
	check_int(dev_call(fd, XPMEM_NUMA_QUERY ^ 1U << 8, arg), ==, -ENOTTY);
	check_int(dev_call(fd, 0x5401 /* TCGETS */, arg), ==, -ENOTTY);
}

/* An argument that is not there, or cannot be answered. */
static void test_memory(void)
{
	static const unsigned long cmds[] = {
		XPMEM_NUMA_QUERY, XPMEM_NUMA_EXPORT, XPMEM_NUMA_UNEXPORT,
		XPMEM_NUMA_IMPORT, XPMEM_NUMA_UNIMPORT, XPMEM_NUMA_DENY,
		XPMEM_NUMA_ALLOW, XPMEM_NUMA_WAKE, XPMEM_NUMA_PREFAULT,
		XPMEM_NUMA_RESET, XPMEM_NUMA_STATS_READ };
	struct xpmem_numa_export *e;
	struct xpmem_numa_import *i;
	size_t n;

	for (n = 0; n < sizeof(cmds) / sizeof(*cmds); n++) {
		check_int(dev_call(fd, cmds[n], NULL), ==, -EFAULT);
		check_int(dev_call(fd, cmds[n], (void *)-4096L), ==, -EFAULT);
	}
	e = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	i = (void *)(e + 1);
	e->rights = RW;
	i->id = o.id;
	i->partition = partition;
	i->rights = RO;
	check_int(mprotect(e, PAGE, PROT_READ), ==, 0);
	check_int(dev_call(fd, XPMEM_NUMA_EXPORT, e), ==, -EFAULT);
	check_int(dev_call(fd, XPMEM_NUMA_IMPORT, i), ==, -EFAULT);
	check(stat_settles("exports", 2));
	check(stat_settles("imports", 1));
	check_int(munmap(e, PAGE), ==, 0);
}

static void test_twice(void)
{
	struct xpmem_numa_import imp;
	struct xpmem_numa_export exp;

	check_int(dev_export(fd, NULL, 0, RO, &exp), ==, 0);
	check_int(dev_import(fd, exp.id, RO, 0, &imp), ==, 0);
	check_uint(imp.handle, !=, exp.handle);
	check_int(dev_handle(fd, XPMEM_NUMA_UNEXPORT, exp.handle), ==, 0);
	check_int(dev_handle(fd, XPMEM_NUMA_UNEXPORT, exp.handle), ==, -ENOENT);
	check_int(dev_handle(fd, XPMEM_NUMA_UNIMPORT, imp.handle), ==, 0);
	check_int(dev_handle(fd, XPMEM_NUMA_UNIMPORT, imp.handle), ==, -ENOENT);
	check(stat_settles("exports", 2));
	check(stat_settles("imports", 1));
}

int main(void)
{
	struct xpmem_numa_query q = { 0 };

	guest_begin();
	if (share_open(&o, &im, LEN, RW, RW, 0))
		skip_all("no " XPMEM_NUMA_DEVICE);
	fd = im.fd;
	dev_call(fd, XPMEM_NUMA_QUERY, &q);
	partition = q.partition;
	on_map(AREA, LEN, 0);
	dev_export(fd, (void *)AREA, LEN, RW, &ex);
	peer_call(&o.peer, on_fill, AREA, LEN, 1);
	TEST(test_query(), "QUERY: each wrong field is refused");
	TEST(test_export(), "EXPORT: each wrong field is refused");
	TEST(test_import(), "IMPORT: each wrong field is refused");
	TEST(test_handle(XPMEM_NUMA_UNEXPORT, ex.handle, im.handle),
	     "UNEXPORT: each wrong field is refused");
	TEST(test_handle(XPMEM_NUMA_UNIMPORT, im.handle, ex.handle),
	     "UNIMPORT: each wrong field is refused");
	TEST(test_handle(XPMEM_NUMA_WAKE, im.handle, ex.handle),
	     "WAKE: each wrong field is refused");
	TEST(test_range(XPMEM_NUMA_DENY, ex.handle, im.handle, false),
	     "DENY: each wrong field is refused");
	TEST(test_range(XPMEM_NUMA_ALLOW, ex.handle, im.handle, false),
	     "ALLOW: each wrong field is refused");
	TEST(test_range(XPMEM_NUMA_RESET, im.handle, ex.handle, true),
	     "RESET: each wrong field is refused");
	TEST(test_prefault(), "PREFAULT: each wrong field is refused");
	TEST(test_stats(), "STATS_READ: each wrong field is refused");
	TEST(test_unknown(), "unknown commands are ENOTTY");
	TEST(test_memory(), "an argument that cannot be reached leaves no trace");
	TEST(test_twice(), "UNEXPORT and UNIMPORT work once");
	return tap_done();
}
