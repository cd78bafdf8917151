/* SPDX-License-Identifier: BSD-3-Clause */
/* The owner takes ranges back with DENY until it allows them again. */

#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	32
#define LEN	(NPAGES * PAGE)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)
#define deny(first, n) \
	on(on_deny, AREA + (first) * (long)PAGE, (n) * PAGE, 0)
#define allow(first, n) \
	on(on_allow, AREA + (first) * (long)PAGE, (n) * PAGE, 0)

static void begin(__u32 flags)
{
	size_t i;

	check_int(share_open(&o, &im, LEN, RW, RW, flags), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	for (i = 0; i < NPAGES; i++)
		check_int(store(page(i), 0x31), ==, 0);
}

static void end(void)
{
	share_close(&o, &im);
}

/* Bit n of the result: page n is denied. Anything else ends the test. */
static unsigned int denied_now(void)
{
	unsigned int denied = 0;
	int n, byte;

	for (n = 0; n < NPAGES; n++) {
		byte = load(page(n));
		check(byte == 0x31 || byte == -SIGBUS);
		if (byte != 0x31)
			denied |= 1U << n;
	}
	return denied;
}

static void test_mapped(void)
{
	begin(0);
	check_int(deny(3, 2), ==, 0);
	check_int(load(page(3)), ==, -SIGBUS);
	check_int(store(page(4), 1), ==, -SIGBUS);
	check_uint(denied_now(), ==, 0x18);
	check_int(on(on_count, AREA, LEN, 0x31), ==, 0);
	check_int(allow(3, 2), ==, 0);
	check_uint(denied_now(), ==, 0);
	end();
}

static void test_untouched(void)
{
	struct import fresh;
	long before;

	begin(0);
	check_int(deny(0, 1), ==, 0);
	check_int(import_open(&fresh, o.id, LEN, RW, 0), ==, 0);
	before = stat_read("denied");
	check_int(load(fresh.win), ==, -SIGBUS);
	check_int(stat_read("denied"), >, before);
	check_int(load(fresh.win + PAGE), ==, 0x31);
	check_int(import_close(&fresh), ==, 0);
	end();
}

static void test_overlap(void)
{
	begin(0);
	check_int(deny(4, 8), ==, 0);
	check_int(deny(8, 8), ==, 0);
	check_uint(denied_now(), ==, 0xfff0);
	check_int(deny(4, 8), ==, 0);
	check_uint(denied_now(), ==, 0xfff0);
	/* ALLOW takes out its own range, whoever put it in */
	check_int(allow(6, 4), ==, 0);
	check_uint(denied_now(), ==, 0xfc30);
	check_int(allow(0, 6), ==, 0);
	check_uint(denied_now(), ==, 0xfc00);
	check_int(deny(12, 1), ==, 0);
	check_int(allow(12, 1), ==, 0);
	check_uint(denied_now(), ==, 0xec00);
	check_int(allow(0, NPAGES), ==, 0);
	check_uint(denied_now(), ==, 0);
	end();
}

static void test_whole(void)
{
	begin(0);
	check_int(on(on_deny, 0, 0, 0), ==, 0);
	check_uint(denied_now(), ==, ~0U);
	check_int(allow(5, 1), ==, 0);
	check_uint(denied_now(), ==, ~(1U << 5));
	check_int(on(on_allow, 0, 0, 0), ==, 0);
	check_uint(denied_now(), ==, 0);
	end();
}

/* Against a model, page by page. */
static void test_random(void)
{
	unsigned int seed = 2, want = 0, mask;
	int round, first, n;

	begin(0);
	for (round = 0; round < 100; round++) {
		first = rand_r(&seed) % NPAGES;
		n = 1 + rand_r(&seed) % (NPAGES - first);
		mask = (n == 32 ? ~0U : (1U << n) - 1) << first;
		if (rand_r(&seed) % 2) {
			check_int(deny(first, n), ==, 0);
			want |= mask;
		} else {
			check_int(allow(first, n), ==, 0);
			want &= ~mask;
		}
		check_uint(denied_now(), ==, want);
	}
	end();
}

/* What was prohibited is not brought in by the touch of a neighbour. */
static void test_neighbour(void)
{
	struct import fresh;
	int n;

	begin(0);
	check_int(deny(1, 1), ==, 0);
	check_int(import_open(&fresh, o.id, LEN, RW, 0), ==, 0);
	check_int(load(fresh.win), ==, 0x31);
	check_int(load(fresh.win + 2 * PAGE), ==, 0x31);
	check_int(load(fresh.win + PAGE), ==, -SIGBUS);
	for (n = 3; n < NPAGES; n++)
		check_int(load(fresh.win + n * PAGE), ==, 0x31);
	check_int(import_close(&fresh), ==, 0);
	end();
}

static void test_prefault(void)
{
	begin(0);
	check_int(deny(4, 1), ==, 0);
	check_int(dev_prefault(im.fd, im.handle, AREA, LEN, RW, 0), ==,
		  4 * PAGE);
	check_int(dev_prefault(im.fd, im.handle, AREA + 4 * (long)PAGE, PAGE,
			       RW, 0), <, 0);
	end();
}

/* A huge page of the owner, denied in part. */
static long on_huge(long a, long b, long c)
{
	return madvise((void *)AREA, 4 * MIB, MADV_HUGEPAGE) ? -errno : 0;
}

static void test_huge(void)
{
	long before = stat_read("inserted_pmd");

	check_int(share_open(&o, &im, 4 * MIB, RW, RW, 0), ==, 0);
	check_int(on(on_huge, 0, 0, 0), ==, 0);
	check_int(on(on_fill, AREA, 4 * MIB, 0x31), ==, 0);
	check_int(load(im.win), ==, 0x31);
	check_int(stat_read("inserted_pmd"), >, before);
	check_int(deny(7, 1), ==, 0);
	check_int(load(page(7)), ==, -SIGBUS);
	check_int(load(page(6)), ==, 0x31);
	check_int(load(page(8)), ==, 0x31);
	check_int(allow(7, 1), ==, 0);
	check_int(load(page(7)), ==, 0x31);
	end();
}

static void test_poison(void)
{
	begin(POISON);
	check_int(deny(0, 1), ==, 0);
	check(import_valid(&im));
	check_int(load(page(0)), ==, 0);
	check(!import_valid(&im));
	check_uint(im.st->reason, ==, XPMEM_NUMA_REASON_DENIED);
	check_int(allow(0, 1), ==, 0);
	check_int(load(page(0)), ==, 0);
	check_int(dev_range(im.fd, XPMEM_NUMA_RESET, im.handle, 0, 0), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	check(import_valid(&im));
	end();
}

static void test_refused(void)
{
	begin(0);
	check_int(on(on_deny, AREA + 1, PAGE, 0), ==, -EINVAL);
	check_int(on(on_deny, AREA, PAGE + 1, 0), ==, -EINVAL);
	check_int(on(on_deny, AREA, 0, 0), ==, -EINVAL);
	check_int(on(on_deny, 1L << 47, PAGE, 0), ==, -EINVAL);
	check_int(on(on_deny, AREA, -(long)PAGE, 0), ==, -EINVAL);
	check_int(on(on_allow, AREA, -AREA, 0), ==, -EINVAL);
	/* an import is not for the importer to deny */
	check_int(dev_range(im.fd, XPMEM_NUMA_DENY, im.handle, AREA, PAGE), <,
		  0);
	check_uint(denied_now(), ==, 0);
	end();
}

int main(void)
{
	guest_begin();
	TEST(test_mapped(), "DENY takes mapped pages at once, the others stay");
	TEST(test_untouched(), "a denied page is refused to a new importer");
	TEST(test_overlap(), "overlapping ranges are one set of pages");
	TEST(test_whole(), "the whole export is denied and allowed in part");
	TEST(test_random(), "100 random ranges agree with a model");
	TEST(test_neighbour(), "touching its neighbours brings no denied page");
	TEST(test_prefault(), "PREFAULT stops at a denied page");
	TEST(test_huge(), "one page of a 2 MiB page is denied");
	TEST(test_poison(), "I11: a denied page is poison until RESET");
	TEST(test_refused(), "malformed ranges and imports are refused");
	return tap_done();
}
