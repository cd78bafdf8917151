/* SPDX-License-Identifier: BSD-3-Clause */
/* libxpmem: each call, and each way in which it fails. */

#include <sys/mman.h>
#include <sys/resource.h>

#include "guest-xpmem.h"
#include "tap.h"

#define LEN	(16 * PAGE)
#define ALICE	1001
#define BOB	1002
#define STAFF	2001
#define GUESTS	2002

static void test_version(void)
{
	check_int(xpmem_version(), ==, XPMEM_CURRENT_VERSION);
	check_int(xpmem_version(), >, 0);
}

/* ---- make, remove ---- */

static void check_made(const void *addr, size_t len, int mode)
{
	long segid = x_make(addr, len, mode);

	check_int(segid, >, 0);
	check_int(x_remove(segid), ==, 0);
}

static void test_make(void)
{
	check_made((void *)AREA, LEN, 0600);
	check_made(NULL, LEN, 0777);
	check_made(NULL, ALL, 0600);
	check_made((void *)AREA, ALL, 0600);
	check_made((void *)(XPMEM_NUMA_VA_LIMIT - PAGE), PAGE, 0);
}

static void test_make_refused(void)
{
	void *area = (void *)AREA, *mode = (void *)0600;

	check_int(x_make((char *)area + 1, LEN, 0600), ==, -EINVAL);
	check_int(x_make(area, LEN + 1, 0600), ==, -EINVAL);
	check_int(x_make(area, 0, 0600), ==, -EINVAL);
	check_int(x_make(NULL, 0, 0600), ==, -EINVAL);
	check_int(x_make(area, LEN, 01000), ==, -EINVAL);
	check_int(x_make((char *)area + 1, ALL, 0600), ==, -EINVAL);
	check_int(x_make((void *)-PAGE, 2 * PAGE, 0600), ==, -EINVAL);
	check_int(x_make((void *)-PAGE, ALL, 0600), ==, -EINVAL);
	check_int(x_make((void *)(XPMEM_NUMA_VA_LIMIT - PAGE), 2 * PAGE, 0600),
		  ==, -EINVAL);
	check_int(xpmem_make(area, LEN, 0, mode), ==, -1);
	check_int(errno, ==, EINVAL);
	check_int(xpmem_make(area, LEN, 2, mode), ==, -1);
}

/* In 128 numbers each bit was set and clear, but the sign. */
static void test_numbers(void)
{
	long ids[128], ones = 0, zeros = 0;
	int i;

	for (i = 0; i < 128; i++) {
		ids[i] = x_make((void *)AREA, LEN, 0600);
		check_int(ids[i], >, 0);
		ones |= ids[i];
		zeros |= ~ids[i];
	}
	check_uint((unsigned long)ones, ==, ~0UL >> 1);
	check_uint((unsigned long)zeros, ==, ~0UL);
	for (i = 0; i < 128; i++)
		check_int(x_remove(ids[i]), ==, 0);
}

static void test_remove(void)
{
	long segid = x_make((void *)AREA, LEN, 0600), other;
	struct peer p;

	check_int(x_remove(-1), ==, -EINVAL);
	check_int(x_remove(0), ==, -EINVAL);
	check_int(x_remove(segid ^ 1), ==, -ENOENT);
	check_int(x_remove(segid), ==, 0);
	check_int(x_remove(segid), ==, -ENOENT);

	other = x_owner(&p, LEN, 0600);
	check_int(x_remove(other), ==, -EACCES);
	check_int(x_import(other, XPMEM_RDWR, 0, LEN), >, 0);
	check_int(peer_call(&p, on_x_remove, other, 0, 0), ==, 0);
	check_int(x_remove(other), ==, -ENOENT);
	peer_stop(&p);
}

/* ---- get, release ---- */

static void test_get(void)
{
	struct peer p;
	long segid = x_owner(&p, LEN, 0600), a, b;

	a = x_get(segid, XPMEM_RDWR);
	b = x_get(segid, XPMEM_RDONLY);
	check_int(a, >, 0);
	check_int(b, >, 0);
	check_int(a, !=, b);
	check_int(x_release(a), ==, 0);
	check_int(x_release(a), ==, -ENOENT);
	check_int(x_release(b), ==, 0);
	check_int(x_release(0), ==, -EINVAL);
	check_int(x_release(-1), ==, -EINVAL);
	a = xpmem_get(segid, XPMEM_RDWR, XPMEM_PERMIT_MODE, (void *)0666);
	check_int(a, >, 0);
	check_int(x_release(a), ==, 0);
	peer_stop(&p);
}

static void test_get_refused(void)
{
	struct peer p;
	long segid = x_owner(&p, LEN, 0600);

	check_int(x_get(segid, XPMEM_RDONLY | XPMEM_RDWR), ==, -EINVAL);
	check_int(x_get(segid, XPMEM_RDWR << 1), ==, -EINVAL);
	check_int(x_get(0, XPMEM_RDWR), ==, -EINVAL);
	check_int(x_get(-segid, XPMEM_RDWR), ==, -EINVAL);
	check_int(x_get(segid ^ 1, XPMEM_RDWR), ==, -ENOENT);
	check_int(xpmem_get(segid, XPMEM_RDWR, 0, NULL), ==, -1);
	check_int(errno, ==, EINVAL);
	check_int(peer_call(&p, on_x_remove, segid, 0, 0), ==, 0);
	check_int(x_get(segid, XPMEM_RDWR), ==, -ENOENT);
	segid = peer_call(&p, on_x_make, AREA, LEN, 0600);
	peer_stop(&p);
	check_int(x_get(segid, XPMEM_RDWR), ==, -ENOENT);
}

/* What a fresh process gets that is uid, gid. */
static long get_as(long uid, long gid, long segid, int flags)
{
	struct peer p;
	long ret = peer_start(&p);

	if (!ret)
		ret = peer_call(&p, on_x_become, uid, gid, 0);
	if (!ret)
		ret = peer_call(&p, on_x_get, segid, flags, 0);
	peer_stop(&p);
	return ret > 0 ? 0 : ret;
}

static void test_modes(void)
{
	/* mode, flags; the same user, the group, others, root */
	static const struct {
		int mode, flags, user, group, others, root;
	} cases[] = {
		{ 0600, XPMEM_RDWR, 0, -EACCES, -EACCES, 0 },
		{ 0600, XPMEM_RDONLY, 0, -EACCES, -EACCES, 0 },
		{ 0400, XPMEM_RDWR, -EACCES, -EACCES, -EACCES, 0 },
		{ 0400, XPMEM_RDONLY, 0, -EACCES, -EACCES, 0 },
		{ 0200, XPMEM_RDWR, -EACCES, -EACCES, -EACCES, 0 },
		{ 0200, XPMEM_RDONLY, -EACCES, -EACCES, -EACCES, 0 },
		{ 0000, XPMEM_RDWR, -EACCES, -EACCES, -EACCES, 0 },
		{ 0111, XPMEM_RDONLY, -EACCES, -EACCES, -EACCES, 0 },
		{ 0640, XPMEM_RDWR, 0, -EACCES, -EACCES, 0 },
		{ 0640, XPMEM_RDONLY, 0, 0, -EACCES, 0 },
		{ 0777, XPMEM_RDWR, 0, 0, 0, 0 },
		{ 0604, XPMEM_RDONLY, 0, -EACCES, 0, 0 },
	};
	struct peer p;
	long segid;
	size_t i;

	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_x_become, ALICE, STAFF, 0), ==, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tap_diag("mode %o, flags %d", cases[i].mode, cases[i].flags);
		segid = peer_call(&p, on_x_make, AREA, LEN, cases[i].mode);
		check_int(get_as(ALICE, GUESTS, segid, cases[i].flags), ==,
			  cases[i].user);
		check_int(get_as(BOB, STAFF, segid, cases[i].flags), ==,
			  cases[i].group);
		check_int(get_as(BOB, GUESTS, segid, cases[i].flags), ==,
			  cases[i].others);
		check_int(get_as(0, 0, segid, cases[i].flags), ==,
			  cases[i].root);
	}
	peer_stop(&p);
}

static void test_release(void)
{
	struct peer p;
	long segid = x_owner(&p, LEN, 0600), apid = x_get(segid, XPMEM_RDWR);
	char *a = (char *)x_attach(apid, 0, LEN, NULL);
	char *b = (char *)x_attach(apid, PAGE, PAGE, NULL);

	check_int(store(a, 1), ==, 0);
	check_int(store(b, 2), ==, 0);
	check_int(x_release(apid), ==, 0);
	check_int(load(a), ==, -SIGSEGV);
	check_int(load(b), ==, -SIGSEGV);
	check_int(x_detach(a), ==, 0);
	check_int(x_attach(apid, 0, LEN, NULL), ==, -ENOENT);
	peer_stop(&p);
}

/* ---- attach, detach ---- */

static void test_attach_refused(void)
{
	struct peer p;
	long segid = x_owner(&p, LEN, 0600), apid = x_get(segid, XPMEM_RDWR);
	char *at = (char *)x_attach(apid, 0, LEN, NULL);
	long len = (long)LEN;

	check_int(x_attach(0, 0, LEN, NULL), ==, -EINVAL);
	check_int(x_attach(-1, 0, LEN, NULL), ==, -EINVAL);
	check_int(x_attach(apid + 1, 0, LEN, NULL), ==, -ENOENT);
	check_int(x_attach(apid, -1, PAGE, NULL), ==, -EINVAL);
	check_int(x_attach(apid, 0, 0, NULL), ==, -EINVAL);
	check_int(x_attach(apid, 0, LEN + 1, NULL), ==, -EINVAL);
	check_int(x_attach(apid, 1, LEN, NULL), ==, -EINVAL);
	check_int(x_attach(apid, len, 1, NULL), ==, -EINVAL);
	check_int(x_attach(apid, len - 1, 2, NULL), ==, -EINVAL);
	check_int(x_attach(apid, PAGE, ALL, NULL), ==, -EINVAL);
	check_int(x_attach(apid, PAGE, ALL - PAGE + 1, NULL), ==, -EINVAL);
	check_int(x_attach(apid, 0, PAGE, at + LEN + 1), ==, -EINVAL);
	check_int(x_attach(apid, 0, PAGE, at + PAGE), ==, -EINVAL);
	check_int(x_attach(apid, 0, LEN, at - PAGE), ==, -EINVAL);
	check_int(x_attach(apid, 0, PAGE, (void *)-PAGE), ==, -EINVAL);
	check_int(load(at), ==, 0);
	check_int(peer_call(&p, on_x_remove, segid, 0, 0), ==, 0);
	check_int(x_attach(apid, 0, LEN, NULL), ==, -ENOENT);
	peer_stop(&p);
	check_int(x_attach(apid, 0, LEN, NULL), ==, -ENOENT);
	check_int(x_release(apid), ==, 0);
}

static void test_attach_gone(void)
{
	struct peer p;
	long segid = x_owner(&p, LEN, 0600), apid = x_get(segid, XPMEM_RDWR);

	peer_kill(&p, SIGKILL);
	check_int(x_attach(apid, 0, LEN, NULL), ==, -ENOENT);
	check_int(x_release(apid), ==, 0);
}

static void test_attach_limit(void)
{
	struct rlimit old, small = { 1 * GIB, 1 * GIB };
	struct peer p;
	long segid, apid;

	check_int(peer_start(&p), ==, 0);
	segid = peer_call(&p, on_x_make, 0, -1, 0600);
	apid = x_get(segid, XPMEM_RDWR);
	getrlimit(RLIMIT_AS, &old);
	small.rlim_max = old.rlim_max;
	check_int(setrlimit(RLIMIT_AS, &small), ==, 0);
	check_int(x_attach(apid, AREA, 2 * GIB, NULL), ==, -ENOMEM);
	check_int(x_attach(apid, AREA, LEN, NULL), >, 0);
	check_int(setrlimit(RLIMIT_AS, &old), ==, 0);
	check_int(x_attach(apid, AREA, 2 * GIB, NULL), >, 0);
	check_int(x_release(apid), ==, 0);
	peer_stop(&p);
}

static void test_detach(void)
{
	struct peer p;
	long segid = x_owner(&p, LEN, 0600), apid = x_get(segid, XPMEM_RDWR);
	char *at = (char *)x_attach(apid, 0, LEN, NULL);
	int local;

	check_int(x_detach(&local), ==, -EINVAL);
	check_int(x_detach(at + LEN - 1), ==, 0);
	check_int(load(at), ==, -SIGSEGV);
	check_int(x_detach(at), ==, 0);
	check_int(x_detach(NULL), ==, 0);
	check_int(x_release(apid), ==, 0);
	peer_stop(&p);
}

int main(void)
{
	guest_begin();
	TEST(test_version(), "there is XPMEM");
	TEST(test_make(), "a segment is a range, all, or all from an address");
	TEST(test_make_refused(), "... and nothing else");
	TEST(test_numbers(), "its number is positive and random in 63 bits");
	TEST(test_remove(), "a segment is removed once, by who made it");
	TEST(test_get(), "a permit is given and released once");
	TEST(test_get_refused(), "... for a segment that is there, in due form");
	TEST(test_modes(), "the mode decides by user, group and others");
	TEST(test_release(), "release takes what was attached");
	TEST(test_attach_refused(), "what lies outside is not attached");
	TEST(test_attach_gone(), "... nor what belonged to the dead");
	TEST(test_attach_limit(), "too much for RLIMIT_AS is ENOMEM");
	TEST(test_detach(), "any address inside detaches, a hole does no harm");
	return tap_done();
}
