/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers at the ends of their range, in each field of each call, alone and as
 * address and length together; as offsets and lengths of mmap(); by the entry
 * of 32-bit programs. Every answer is a documented one, and what was accepted
 * lies in the export.
 */

#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "guest.h"
#include "tap.h"

#define LEN	(16 * PAGE)
#define TOP	(1ULL << 47)

static struct owner o;
static __u32 partition;

static const __u64 extremes[] = {
	0, 1, 2, 3, 4, PAGE - 1, PAGE, PAGE + 1, 0x7fff, 0x8000, 0xffff,
	0x10000, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff, 0x100000000,
	AREA, AREA + PAGE, AREA + LEN, TOP - PAGE, TOP - 1, TOP, TOP + PAGE,
	1ULL << 48, (1ULL << 48) - PAGE, 1ULL << 51, 1ULL << 52, 1ULL << 62,
	(1ULL << 63) - 1, 1ULL << 63, (1ULL << 63) + PAGE, -AREA, -LEN,
	-(2 * PAGE), -PAGE, ~0ULL - 1, ~0ULL };

#define EXTREMES (sizeof(extremes) / sizeof(*extremes))

/* A file with an export and an import of its own, so that nothing adds up. */
static struct {
	int fd;
	struct xpmem_numa_export ex;
	struct xpmem_numa_import im;
} my;

static void my_open(void)
{
	my.fd = dev_open();
	check_int(dev_export(my.fd, (void *)AREA, LEN, RW, &my.ex), ==, 0);
	check_int(dev_import(my.fd, o.id, RW, POISON, &my.im), ==, 0);
}

/* Valid but for what is put into it afterwards. */
static void valid(const struct fuzz_call *c, void *arg)
{
	struct xpmem_numa_export *e = arg;
	struct xpmem_numa_import *i = arg;
	struct xpmem_numa_prefault *p = arg;
	struct xpmem_numa_range *r = arg;

	memset(arg, 0, 512);
	switch (c->cmd) {
	case XPMEM_NUMA_EXPORT:
		e->addr = AREA;
		e->len = LEN;
		e->rights = RW;
		break;
	case XPMEM_NUMA_IMPORT:
		i->id = o.id;
		i->partition = partition;
		i->rights = RW;
		break;
	case XPMEM_NUMA_DENY:
	case XPMEM_NUMA_ALLOW:
	case XPMEM_NUMA_RESET:
		r->handle = c->cmd == XPMEM_NUMA_RESET ? my.im.handle :
							 my.ex.handle;
		r->va = AREA;
		r->len = LEN;
		break;
	case XPMEM_NUMA_PREFAULT:
		p->handle = my.im.handle;
		p->va = AREA;
		p->len = LEN;
		p->rights = RW;
		break;
	case XPMEM_NUMA_UNEXPORT:
		r->handle = my.ex.handle;
		break;
	case XPMEM_NUMA_UNIMPORT:
	case XPMEM_NUMA_WAKE:
		r->handle = my.im.handle;
		break;
	default:
		break;
	}
}

static bool within(__u64 va, __u64 len, __u64 start, __u64 end)
{
	return va >= start && va < end && len && len <= end - va;
}

/* What is accepted must be right: never wrapped, never beyond the export. */
static bool sane(const struct fuzz_call *c, const void *before, const void *arg)
{
	const struct xpmem_numa_export *e = arg;
	const struct xpmem_numa_import *i = arg;
	const struct xpmem_numa_prefault *p = arg;
	const struct xpmem_numa_range *r = before;
	bool mine = c->cmd == XPMEM_NUMA_DENY || c->cmd == XPMEM_NUMA_ALLOW;

	if (c->cmd == XPMEM_NUMA_EXPORT)
		return e->id && e->handle && e->handle <= 0x7fff &&
		       ((!e->addr && !e->len) ||
			within(e->addr, e->len, 0, TOP));
	if (c->cmd == XPMEM_NUMA_IMPORT)
		return i->handle && i->handle <= 0x7fff && !i->addr &&
		       i->len == TOP;
	if (c->cmd == XPMEM_NUMA_PREFAULT)
		return p->done <= p->len && within(p->va, p->len, 0, TOP);
	if (mine || c->cmd == XPMEM_NUMA_RESET)
		return (!r->va && !r->len) ||
		       within(r->va, r->len, mine ? AREA : 0,
			      mine ? AREA + LEN : TOP);
	return true;
}

static int wrong;

static void try(const struct fuzz_call *c, void *arg, const char *what,
		__u64 a, __u64 b)
{
	char before[512];
	int ret;

	memcpy(before, arg, sizeof(before));
	ret = dev_call(my.fd, c->cmd, arg);
	if (fuzz_documented(c, -ret) && (ret || sane(c, before, arg)))
		return;
	if (wrong++ < 10)
		tap_diag("%s with %s %#llx %#llx: %d", c->name, what,
			 (unsigned long long)a, (unsigned long long)b, ret);
}

static void check_empty(void)
{
	check_int(wrong, ==, 0);
	check(stat_settles("exports", 1));
	check(stat_settles("imports", 0));
	check(stat_settles("windows", 0));
}

static void test_fields(void)
{
	const struct fuzz_call *c;
	char arg[512];
	size_t f, i;

	wrong = 0;
	for (c = fuzz_calls; c < fuzz_calls + FUZZ_CALLS; c++) {
		for (f = 0; f < fuzz_fields(c); f++) {
			for (i = 0; i < EXTREMES; i++) {
				my_open();
				valid(c, arg);
				fuzz_set(arg, &c->field[f], extremes[i]);
				try(c, arg, "field", f, extremes[i]);
				close(my.fd);
			}
		}
	}
	check_empty();
}

/* The two fields of a range, which could wrap around together. */
static void test_ranges(void)
{
	static const struct {
		unsigned long cmd;
		struct fuzz_field va, len;
	} range[] = {
		{ XPMEM_NUMA_EXPORT, FIELD(export, addr), FIELD(export, len) },
		{ XPMEM_NUMA_DENY, FIELD(range, va), FIELD(range, len) },
		{ XPMEM_NUMA_ALLOW, FIELD(range, va), FIELD(range, len) },
		{ XPMEM_NUMA_RESET, FIELD(range, va), FIELD(range, len) },
		{ XPMEM_NUMA_PREFAULT, FIELD(prefault, va),
		  FIELD(prefault, len) } };
	const struct fuzz_call *c;
	size_t n, i, j;
	char arg[512];

	wrong = 0;
	for (n = 0; n < sizeof(range) / sizeof(*range); n++) {
		c = fuzz_find(range[n].cmd);
		my_open();
		for (i = 0; i < EXTREMES; i++) {
			for (j = 0; j < EXTREMES; j++) {
				valid(c, arg);
				fuzz_set(arg, &range[n].va, extremes[i]);
				fuzz_set(arg, &range[n].len, extremes[j]);
				try(c, arg, "range", extremes[i], extremes[j]);
			}
		}
		close(my.fd);
	}
	check_empty();
}

static void test_mmap(void)
{
	static const __u64 handles[] = { 0, 1, 2, 0x7fff, 0x8000, 0xffff };
	size_t h, i, j;
	void *win;

	wrong = 0;
	my_open();
	for (h = 0; h < sizeof(handles) / sizeof(*handles); h++) {
		for (i = 0; i < EXTREMES; i++) {
			for (j = 0; j < EXTREMES; j++) {
				win = mmap(arena_hint(PAGE), extremes[j],
					   PROT_READ, MAP_SHARED, my.fd,
					   (off_t)(handles[h] << 48 ^
						   (extremes[i] & -PAGE)));
				if (win == MAP_FAILED) {
					wrong += !fuzz_documented_mmap(errno);
					continue;
				}
				/* of an import of everything: within 2^47 */
				wrong += (extremes[i] & -PAGE) + extremes[j] >
						 TOP &&
					 extremes[i] >> 47 != 1;
				load(win);
				load((char *)win + (extremes[j] - 1));
				munmap(win, extremes[j]);
			}
		}
	}
	close(my.fd);
	check_empty();
}

/* ioctl() and mmap2() of a 32-bit program; arguments lie below 4 GiB. */
static long call32(unsigned int nr, unsigned int a, unsigned int b,
		   unsigned int c, unsigned int d, unsigned int e)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static void test_compat(void)
{
	const struct fuzz_call *c;
	char *arg = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	volatile long pid = 0;

	check(arg != MAP_FAILED);
	if (caught(pid = call32(20 /* getpid */, 0, 0, 0, 0, 0)) ||
	    pid != getpid()) {
		munmap(arg, PAGE);
		skip_test("the kernel has no 32-bit entry");
		return;
	}
	my_open();
	for (c = fuzz_calls; c < fuzz_calls + FUZZ_CALLS; c++) {
		valid(c, arg);
		check_int(call32(54, (unsigned int)my.fd, (unsigned int)c->cmd,
				 (unsigned int)(uintptr_t)arg, 0, 0), ==,
			  -ENOTTY);
	}
	/* an offset of 44 bits has no room for a handle */
	check_int(call32(192, 0, PAGE, PROT_READ, MAP_SHARED,
			 (unsigned int)my.fd), ==, -ENOENT);
	close(my.fd);
	munmap(arg, PAGE);
	wrong = 0;
	check_empty();
}

int main(void)
{
	struct xpmem_numa_query q = { 0 };
	int fd;

	guest_begin();
	if (owner_start(&o, LEN, RW))
		skip_all("no " XPMEM_NUMA_DEVICE);
	fd = dev_open();
	dev_call(fd, XPMEM_NUMA_QUERY, &q);
	close(fd);
	partition = q.partition;
	on_map(AREA, LEN, 0);
	TEST(test_fields(), "each field of each call at the ends of its range");
	TEST(test_ranges(), "address and length that wrap around together");
	TEST(test_mmap(), "offsets and lengths of windows likewise");
	TEST(test_compat(), "32-bit callers get ENOTTY from each call");
	owner_stop(&o);
	return tap_done();
}
