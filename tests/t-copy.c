/* SPDX-License-Identifier: BSD-3-Clause */
/* get, put and atomic on a peer's memory. */

#include "others.h"

#define LEN	(1UL << 20)
#define MANY	(40UL << 20)	/* more than one section's piece */

static unsigned char *buffer;

/* Memory of the other that is, and that is not, from xnuma_alloc(). */
static uint64_t memories[2];

static void test_get(struct other *o, uint64_t at)
{
	static const size_t lens[] = { 1, 7, 8, 63, 64, 65, 4095, 4097, 16383,
				       16384, 70001, LEN };
	size_t i, skew;
	long j, differ = 0;

	other_do(o, other_fill, at, LEN, 3);
	for (i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		skew = lens[i] == LEN ? 0 : 13;
		memset(buffer, 0, lens[i] + 1);
		check_int(xnuma_get(o->memory, buffer, at + skew, lens[i],
				    NULL), ==, 0);
		for (j = 0; j < (long)lens[i]; j++)
			differ += buffer[j] != other_byte(j + skew, 3);
		check_int(buffer[lens[i]], ==, 0);
	}
	check_int(differ, ==, 0);
	check_int(xnuma_get(o->memory, buffer, at, 0, NULL), ==, 0);
}

static void test_put(struct other *o, uint64_t at)
{
	other_fill((long)buffer, LEN, 9);
	check_int(xnuma_put(o->memory, at, buffer, LEN, NULL), ==, 0);
	check_int(other_do(o, other_differ, at, LEN, 9), ==, 0);

	/* and not a byte beside it */
	check_int(xnuma_put(o->memory, at + 5, "abc", 3, NULL), ==, 0);
	check_int(other_do(o, other_differ, at, 5, 9), ==, 0);
	check_int(other_do(o, other_differ, at, LEN, 9), ==, 3);
}

static void test_large(struct other *o)
{
	uint64_t at = other_do(o, other_alloc, MANY, 0, 0);
	unsigned char *big = malloc(MANY);

	other_fill((long)big, MANY, 4);
	check_int(xnuma_put(o->memory, at, big, MANY, NULL), ==, 0);
	check_int(other_do(o, other_differ, at, MANY, 4), ==, 0);
	memset(big, 0, MANY);
	check_int(xnuma_get(o->memory, big, at, MANY, NULL), ==, 0);
	check_int(other_differ((long)big, MANY, 4), ==, 0);
	other_do(o, other_free, at, 0, 0);
	free(big);
}

/* What is not there is an error, and what is there works after it. */
static void test_hole(struct other *o)
{
	uint64_t at = other_do(o, other_map, 0, 4 * OTHER_PAGE, 0);
	uint64_t old;

	other_do(o, other_fill, at, 4 * OTHER_PAGE, 1);
	check_int(xnuma_get(o->memory, buffer, at, 4 * OTHER_PAGE, NULL), ==,
		  0);
	other_do(o, other_unmap, at + OTHER_PAGE, OTHER_PAGE, 0);
	check_int(xnuma_get(o->memory, buffer, at, 4 * OTHER_PAGE, NULL), ==,
		  -EFAULT);
	check(strstr(xnuma_error(), "not mapped"));
	check_int(xnuma_put(o->memory, at + OTHER_PAGE, buffer, 1, NULL), ==,
		  -EFAULT);
	check_int(xnuma_get(o->memory, buffer, at, OTHER_PAGE, NULL), ==, 0);
	check_int(other_differ((long)buffer, OTHER_PAGE, 1), ==, 0);
	if (other_is_kmod())
		check_int(xnuma_atomic(o->memory, XNUMA_ADD, at + OTHER_PAGE, 8,
				       1, 0, &old), ==, -EFAULT);

	/* it comes back with other content */
	check_int(other_do(o, other_map, at + OTHER_PAGE, OTHER_PAGE, 0), ==,
		  at + OTHER_PAGE);
	other_do(o, other_fill, at, 4 * OTHER_PAGE, 2);
	check_int(xnuma_get(o->memory, buffer, at, 4 * OTHER_PAGE, NULL), ==,
		  0);
	check_int(other_differ((long)buffer, 4 * OTHER_PAGE, 2), ==, 0);
	other_do(o, other_unmap, at, 4 * OTHER_PAGE, 0);
}

static void test_outside(struct other *o)
{
	check_int(xnuma_get(o->memory, buffer, 1UL << 47, 8, NULL), ==,
		  -EFAULT);
	check_int(xnuma_get(o->memory, buffer, (1UL << 47) - 8, 16, NULL), ==,
		  -EFAULT);
	check_int(xnuma_get(o->memory, buffer, -8UL, 16, NULL), ==, -EFAULT);
	check_int(xnuma_get(o->memory, buffer, 0, 8, NULL), ==, -EFAULT);
	check_int(xnuma_put(o->memory, -1UL, buffer, -1UL, NULL), ==, -EFAULT);
}

static void test_freed(struct other *o)
{
	uint64_t at = other_do(o, other_alloc, LEN, 0, 0);

	check_int(xnuma_put(o->memory, at, "secret", 7, NULL), ==, 0);
	other_do(o, other_free, at, 0, 0);
	check_int(xnuma_get(o->memory, buffer, at, 7, NULL), ==, -EFAULT);
	check_int(xnuma_put(o->memory, at, buffer, 7, NULL), ==, -EFAULT);
	check_int(other_do(o, other_alloc, LEN, 0, 0), ==, at);
	memset(buffer, 1, 7);
	check_int(xnuma_get(o->memory, buffer, at, 7, NULL), ==, 0);
	check(!memcmp(buffer, "\0\0\0\0\0\0\0", 7));
	other_do(o, other_free, at, 0, 0);
}

static long job_load(long at, long size, long c)
{
	return size == 4 ? (long)*(volatile uint32_t *)at :
			   *(volatile long *)at;
}

static void try_atomic(struct other *o, uint64_t at, enum xnuma_op op,
		       size_t size, uint64_t operand, uint64_t compare,
		       uint64_t before, uint64_t after)
{
	uint64_t old = 77;

	check_int(xnuma_put(o->memory, at, &before, size, NULL), ==, 0);
	check_int(xnuma_atomic(o->memory, op, at, size, operand, compare, &old),
		  ==, 0);
	check_uint(old, ==, before);
	check_uint((uint64_t)other_do(o, job_load, at, size, 0), ==, after);
}

static void test_atomic(struct other *o, uint64_t at)
{
	const uint64_t top = 1ULL << 63;

	try_atomic(o, at, XNUMA_ADD, 8, 1, 0, top - 1, top);
	try_atomic(o, at, XNUMA_ADD, 4, 1, 0, 0xffffffff, 0);
	try_atomic(o, at, XNUMA_AND, 8, top | 6, 0, top | 3, top | 2);
	try_atomic(o, at, XNUMA_OR, 4, 6, 0, 3, 7);
	try_atomic(o, at, XNUMA_XOR, 8, 6, 0, top | 3, top | 5);
	try_atomic(o, at, XNUMA_SWAP, 8, 6, 0, top, 6);
	try_atomic(o, at, XNUMA_CSWAP, 8, 6, top, top, 6);
	try_atomic(o, at, XNUMA_CSWAP, 8, 6, 5, 4, 4);
	try_atomic(o, at + 4, XNUMA_CSWAP, 4, 6, 5, 5, 6);
	check_int(xnuma_atomic(o->memory, XNUMA_ADD, at, 8, 1, 0, NULL), ==, 0);
	check_int(xnuma_atomic(o->memory, XNUMA_ADD, at + 4, 8, 1, 0, NULL),
		  ==, -EINVAL);
	check_int(xnuma_atomic(o->memory, XNUMA_ADD, at, 2, 1, 0, NULL), ==,
		  -EINVAL);
	check_int(xnuma_atomic(o->memory, 9, at, 8, 1, 0, NULL), ==, -EINVAL);
}

#define ROUNDS	20000

static long job_add(long at, long n, long c)
{
	while (n--)
		__atomic_fetch_add((long *)at, 1, __ATOMIC_SEQ_CST);
	return 0;
}

/* Both sides at once lose nothing. */
static void test_atomic_contended(struct other *o, uint64_t at)
{
	struct other_order order = { job_add, { at, ROUNDS, 0 } };
	long zero = 0, ret, i, bad = 0;

	xnuma_put(o->memory, at, &zero, sizeof(zero), NULL);
	other_transfer(o->fd, &order, sizeof(order), 1);
	for (i = 0; i < ROUNDS; i++)
		bad += xnuma_atomic(o->memory, XNUMA_ADD, at, 8, 1, 0, NULL)
		       != 0;
	check(other_transfer(o->fd, &ret, sizeof(ret), 0));
	check_int(bad, ==, 0);
	check_int(other_do(o, job_load, at, 8, 0), ==, 2 * ROUNDS);
}

static void test_prefault(struct other *o, uint64_t at)
{
	const unsigned int rw = XNUMA_READ | XNUMA_WRITE;

	check_int(xnuma_prefault(o->memory, at, LEN, XNUMA_READ), ==, LEN);
	check_int(xnuma_prefault(o->memory, at + 100, 5000, rw), ==, 5000);
	check_int(xnuma_prefault(o->memory, at, LEN, XNUMA_WRITE), ==, -EINVAL);
	check_int(xnuma_prefault(o->memory, 1UL << 47, LEN, rw), ==, -EFAULT);
	if (!other_is_kmod())
		check_int(xnuma_prefault(o->memory, memories[0], LEN, rw), ==,
			  -ENOTSUP);
}

static void test_paths(void)
{
	struct xnuma_stats stats;

	xnuma_domain_stats(own, &stats);
	check(stats.window_get > 0 && stats.window_put > 0);
	if (other_is_kmod()) {
		check_uint(stats.syscall_get, ==, 0);
		check(stats.poisoned >= 3);
	} else {
		check(stats.syscall_get > 0 && stats.syscall_put > 0);
	}
}

int main(void)
{
	struct xnuma_config config;
	struct other o;

	buffer = malloc(LEN + 1);
	xnuma_config_init(&config);
	other_start(&o, &config);
	memories[0] = other_do(&o, other_map, 0, LEN, 0);
	memories[1] = other_do(&o, other_alloc, LEN, 0, 0);

	TEST(test_get(&o, memories[0]), "any memory is read, of any length");
	TEST(test_put(&o, memories[0]), "any memory is written");
	TEST(test_get(&o, memories[1]), "xnuma_alloc() memory is read");
	TEST(test_put(&o, memories[1]), "xnuma_alloc() memory is written");
	TEST(test_large(&o), "copies of 40 MiB are whole");
	TEST(test_hole(&o), "a hole is -EFAULT, its return is seen");
	TEST(test_outside(&o), "addresses no process has are -EFAULT");
	TEST(test_freed(&o), "freed memory is gone, reused memory is zero");
	TEST(test_atomic(&o, memories[1]), "each atomic operation is right");
	TEST(test_atomic_contended(&o, memories[1]), "atomics lose nothing");
	TEST(test_prefault(&o, memories[1]), "page tables are filled early");
	TEST(test_paths(), "bytes went the way they should");
	TEST(other_stop(&o), "the other process ends well");
	xnuma_domain_close(own);
	return tap_done();
}
