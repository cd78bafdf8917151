/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Very many of everything, and its end: neither a kill nor an event of the
 * owner's takes long without the processor being given to others, and nothing
 * stays. The kernel's own watchdogs judge as well.
 */

#include <sys/mman.h>
#include <sys/resource.h>

#include "guest.h"
#include "tap.h"

#define LIMIT	100000		/* ms: longer is for ever */

static struct owner o;
static int many = 1;		/* times more in the long form */

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static void check_killed(struct peer *p)
{
	kill(p->pid, SIGKILL);
	if (!check(peer_answers(p, LIMIT)))
		tap_diag("it has not ended yet");
	peer_stop(p);
}

/* ---- windows: as many mappings as a process may have ---- */

static long on_windows(long n, long off, long c)
{
	char *at = arena_hint((size_t)n * 2 * PAGE), *win;
	long i;

	for (i = 0; i < n; i++) {
		/* a gap, so that none is merged with the next */
		win = mmap(at + i * 2 * (long)PAGE, PAGE,
			   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			   mine.fd, (off_t)XPMEM_NUMA_OFFSET(mine.handle,
							     AREA + off));
		if (win == MAP_FAILED)
			return -errno;
		if (load(win) != 0x31)
			return -EXDEV;
	}
	mine.win = at;
	return 0;
}

static void test_windows(void)
{
	/* a kernel that checks walks all mappings at each one more */
	const long n = 20000 / (long)guest_slowness();
	struct peer p;

	check_int(owner_start(&o, MIB, RW), ==, 0);
	check_int(on(on_fill, AREA, MIB, 0x31), ==, 0);
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_import, (long)o.id, 0, RW), ==, 0);
	check_int(peer_call(&p, on_windows, n, 0, 0), ==, 0);
	check_int(stat_read("windows"), ==, n);
	/* one page of the owner's is taken out of all of them */
	check_int(on(on_advise, AREA, PAGE, MADV_DONTNEED), ==, 0);
	check_int(peer_call(&p, on_win_load, 0, 0, 0), ==, 0);
	check_int(peer_call(&p, on_win_load, (n - 1) * 2 * (long)PAGE, 0, 0),
		  ==, 0);
	check_killed(&p);
	check(stat_settles("windows", 0));
	owner_stop(&o);
	check(module_empties());
}

/* ---- granules ---- */

static long on_reserve(long len, long b, long c)
{
	void *p = mmap((void *)AREA, (size_t)len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			       MAP_FIXED_NOREPLACE, -1, 0);

	return p == MAP_FAILED ? -errno : on_export_all(RW, 0, 0);
}

/* All granules, with an entry in the first ones; no page table stays. */
static long on_granules(long n, long entries, long c)
{
	const long step = 256;
	long i, done;
	void *win;

	for (i = 0; i < n; i += step) {
		win = dev_window(mine.fd, mine.handle, AREA + i * 2 * (long)MIB,
				 (size_t)step * 2 * MIB, PROT_READ);
		if (win == MAP_FAILED)
			return -errno;
		done = dev_prefault(mine.fd, mine.handle,
				    AREA + i * 2 * (long)MIB,
				    (size_t)step * 2 * MIB, RO, 0);
		if (done != step * 2 * (long)MIB)
			return done < 0 ? done : -EXDEV;
		if (i < entries)
			load(win);
		else
			munmap(win, (size_t)step * 2 * MIB);
	}
	return 0;
}

static void granules_begin(struct peer *p, long n)
{
	check_int(peer_start(&o.peer), ==, 0);
	o.id = (__u64)on(on_reserve, n * 2 * (long)MIB, 0, 0);
	check_int(peer_start(p), ==, 0);
	check_int(peer_call(p, on_import, (long)o.id, 0, RW), ==, 0);
	check_int(peer_call(p, on_granules, n, 2048, 0), ==, 0);
	check_int(stat_read("granules"), ==, n);
}

static void test_granules_death(void)
{
	const long n = 20480 * many;
	struct peer p;

	granules_begin(&p, n);
	check_killed(&o.peer);
	peer_stop(&p);
	check(module_empties());
}

static long on_unexport(long a, long b, long c)
{
	return dev_handle(own_fd, XPMEM_NUMA_UNEXPORT, own.handle);
}

/* One call of the owner's over all of them, and the end of the export. */
static void test_granules_event(void)
{
	const long n = 20480 * many;
	struct peer p;

	granules_begin(&p, n);
	check_int(on(on_deny, 0, 0, 0), ==, 0);
	check_int(on(on_allow, 0, 0, 0), ==, 0);
	check_int(on(on_advise, AREA, n * 2 * (long)MIB, MADV_DONTNEED), ==, 0);
	check_int(on(on_fork, 0, 0, 0), >, 0);
	check_int(on(on_unexport, 0, 0, 0), ==, 0);
	check_int(on(on_unmap, AREA, n * 2 * (long)MIB, 0), ==, 0);
	peer_stop(&p);
	owner_stop(&o);
	check(module_empties());
}

/* ---- handles ---- */

static long on_handles(long id, long n, long c)
{
	struct xpmem_numa_import i;
	struct xpmem_numa_export e;
	int ret = 0;

	own_fd = dev_open();
	for (; n-- && !ret;) {
		ret = dev_import(own_fd, (__u64)id, RW, 0, &i);
		if (!ret && n % 16 == 0)
			ret = dev_export(own_fd, NULL, 0, RW, &e);
	}
	return ret;
}

#define ALL	65536		/* importers that an export can have */

/* An owner of many exports who has many importers, and they all go at once. */
static void test_handles(void)
{
	long each = many > 1 ? ALL / 4 : 4000;
	struct peer p[4];
	int i;

	check_int(owner_start(&o, MIB, RW), ==, 0);
	for (i = 0; i < 4; i++) {
		check_int(peer_start(&p[i]), ==, 0);
		check_int(peer_begin(&p[i], on_handles, (long)o.id, each, 0),
			  ==, 0);
	}
	for (i = 0; i < 4; i++)
		check_int(peer_end(&p[i]), ==, 0);
	check_int(stat_read("imports"), ==, 4 * each);
	kill(o.peer.pid, SIGKILL);
	for (i = 0; i < 4; i++)
		kill(p[i].pid, SIGKILL);
	for (i = 0; i < 4; i++)
		check_killed(&p[i]);
	check_killed(&o.peer);
	check(module_empties());
}

/* Each event of the owner's reaches all that touched, however many. */
static void test_importers(void)
{
	enum { N = 150 };
	struct import im[N];
	int i, wrong = 0;

	check_int(owner_start(&o, MIB, RW), ==, 0);
	check_int(on(on_fill, AREA, MIB, 0x31), ==, 0);
	for (i = 0; i < N; i++) {
		wrong += import_open(&im[i], o.id, MIB, RW, 0) != 0;
		wrong += load(im[i].win) != 0x31;
	}
	check_int(wrong, ==, 0);
	check_int(on(on_map, AREA, MIB, MAP_FIXED), ==, 0);
	for (i = 0; i < N; i++)
		wrong += load(im[i].win) != 0;
	check_int(on(on_unmap, AREA, MIB, 0), ==, 0);
	for (i = 0; i < N; i++) {
		wrong += load(im[i].win) != -SIGBUS;
		wrong += import_close(&im[i]) != 0;
	}
	check_int(wrong, ==, 0);
	owner_stop(&o);
	check(module_empties());
}

int main(void)
{
	guest_begin();
	if (getenv("XNUMA_LONG"))
		many = 6;
	TEST(test_windows(), "20,000 windows of one page, revoked, then killed");
	TEST(test_granules_death(), "an owner of 20,480 granules is killed");
	TEST(test_granules_event(), "... and calls that go over all of them");
	TEST(test_handles(), "16,000 imports, 1000 exports and their owner killed");
	TEST(test_importers(), "150 importers of one page, each revoked");
	return tap_done();
}
