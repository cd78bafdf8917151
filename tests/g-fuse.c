/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the owner behind a server in user space that does not answer. Who
 * touches it waits, can be killed, and is the only one who waits (I4); the
 * owner's end is seen by all.
 */

#include <sched.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define MNT	"/tmp/g-fuse"
#define NPAGES	64
#define LEN	(NPAGES * PAGE)
#define SLOW	(AREA + (long)LEN)	/* behind ordinary memory */
#define WHOLE	(LEN + 4 * MIB)
#define LIMIT	30000		/* ms: longer is for ever */
#define ALICE	1001
#define BOB	1002

static struct owner o;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static long on_slow_owner(long len, long b, long c)
{
	long ret = on_map(AREA, (long)LEN, 0);

	ret = ret ? ret : on_map_fuse(SLOW, len, 0);
	if (ret)
		return ret;
	on_fill(AREA, LEN, 0x31);
	return on_export_all(RW, 0, 0);
}

static void begin(bool async)
{
	check_int(fuse_start(MNT, async), ==, 0);
	check_int(peer_start(&o.peer), ==, 0);
	check_int(on(on_drop, ALICE, ALICE, 0), ==, 0);
	o.id = (__u64)on(on_slow_owner, 4 * MIB, 0, 0);
	fuse_hold(true);
}

static void end(void)
{
	fuse_hold(false);
	owner_stop(&o);
	check_int(fuse_stop(), ==, 0);
	check(stat_settles("imports", 0));
	check(stat_settles("exports", 0));
}

static void importer_start(struct peer *p, long uid, long id, long flags)
{
	check_int(peer_start(p), ==, 0);
	check_int(peer_call(p, on_drop, uid, uid, 0), ==, 0);
	check_int(peer_call(p, on_import, id, WHOLE, RW | flags << 8), ==, 0);
}

/* Returns when the touch has reached the server, or the time is over. */
static void touch_begin(struct peer *p, peer_fn fn, long off)
{
	int before = fuse_held(), i;

	check_int(peer_begin(p, fn, (long)LEN + off, 1, 0), ==, 0);
	for (i = 0; i < LIMIT && fuse_held() == before; i++)
		usleep(1000);
	check_int(fuse_held(), >, before);
}

static void test_answer(bool async)
{
	struct peer p;

	begin(async);
	importer_start(&p, ALICE, (long)o.id, 0);
	touch_begin(&p, on_win_load, 0);
	check(!peer_answers(&p, 100));
	fuse_hold(false);
	check_int(peer_end(&p), ==, 0x46);
	peer_stop(&p);
	end();
}

static void test_kill(bool async, peer_fn fn)
{
	struct peer p;

	begin(async);
	importer_start(&p, ALICE, (long)o.id, 0);
	touch_begin(&p, fn, 0);
	check(!peer_answers(&p, 100));
	kill(p.pid, SIGKILL);
	check(peer_answers(&p, LIMIT));
	check_int(fuse_held(), >, 0);
	fuse_hold(false);
	peer_stop(&p);
	end();
}

static void test_error(long flags)
{
	struct peer p;

	begin(true);
	importer_start(&p, ALICE, (long)o.id, flags);
	touch_begin(&p, on_win_load, 0);
	fuse_die();
	check_int(peer_end(&p), ==, flags ? 0 : -SIGBUS);
	check_int(peer_call(&p, on_valid, 0, 0, 0), ==, !flags);
	/* the rest of the owner is as it was */
	check_int(peer_call(&p, on_win_load, PAGE, 0, 0), ==, 0x31);
	peer_stop(&p);
	end();
}

/* All workers that ALICE may have, and more, wait; BOB's are his own. */
static void test_other_user(void)
{
	enum { N = 40 };
	struct peer stuck[N], visitor;
	struct owner b;
	int i;

	begin(true);
	for (i = 0; i < N; i++) {
		importer_start(&stuck[i], ALICE, (long)o.id, 0);
		check_int(peer_begin(&stuck[i], on_win_load,
				     (long)LEN + i * (long)PAGE, 0, 0), ==, 0);
	}
	for (i = 0; i < LIMIT && fuse_held() < 8; i++)
		usleep(1000);
	check_int(fuse_held(), >=, 8);
	check_int(peer_start(&b.peer), ==, 0);
	check_int(peer_call(&b.peer, on_drop, BOB, BOB, 0), ==, 0);
	check_int(peer_call(&b.peer, on_map, AREA, LEN, 0), ==, 0);
	b.id = (__u64)peer_call(&b.peer, on_export_all, RW, 0, 0);
	importer_start(&visitor, BOB, (long)b.id, 0);
	for (i = 0; i < NPAGES; i++) {
		check_int(peer_begin(&visitor, on_win_store, i * (long)PAGE, 7,
				     0), ==, 0);
		if (!check(peer_answers(&visitor, LIMIT)))
			break;
		check_int(peer_end(&visitor), ==, 0);
	}
	peer_kill(&visitor, SIGKILL);
	owner_stop(&b);
	fuse_hold(false);
	for (i = 0; i < N; i++) {
		check_int(peer_end(&stuck[i]), ==, 0x46);
		peer_stop(&stuck[i]);
	}
	end();
}

/* The owner works on its memory, also on what is waited for. */
static void test_owner_works(void)
{
	struct peer p;

	begin(true);
	importer_start(&p, ALICE, (long)o.id, 0);
	touch_begin(&p, on_win_load, 0);
	check_int(peer_begin(&o.peer, on_map, SLOW, 4 * MIB, MAP_FIXED), ==, 0);
	if (check(peer_answers(&o.peer, LIMIT)))
		check_int(peer_end(&o.peer), ==, 0);
	check_int(on(on_store, SLOW, 0x32, 0), ==, 0);
	fuse_hold(false);
	/* neither the file nor a signal: what is there now */
	check_int(peer_end(&p), ==, 0x32);
	peer_stop(&p);
	end();
}

/* It dies while somebody waits for its memory: nobody else notices that. */
static void test_owner_dies(void)
{
	struct import im;
	struct peer p;

	begin(true);
	importer_start(&p, ALICE, (long)o.id, 0);
	check_int(import_open(&im, o.id, LEN, RW, 0), ==, 0);
	check_int(load(im.win), ==, 0x31);
	touch_begin(&p, on_win_load, 0);
	peer_kill(&o.peer, SIGKILL);
	check_int(load(im.win), ==, -SIGBUS);
	check_int(load(im.win + PAGE), ==, -SIGBUS);
	check_uint(im.st->state, ==, XPMEM_NUMA_OWNER_GONE);
	check_int(import_close(&im), ==, 0);
	/* who waits can be killed, and the memory goes with the answer */
	kill(p.pid, SIGKILL);
	check(peer_answers(&p, LIMIT));
	fuse_hold(false);
	peer_stop(&p);
	check_int(fuse_stop(), ==, 0);
	check(stat_settles("exports", 0));
	check(stat_settles("granules", 0));
}

int main(void)
{
	guest_begin();
	if (fuse_start(MNT, true))
		skip_all("no FUSE");
	fuse_stop();
	TEST(test_answer(true), "a page of a slow server comes when it comes");
	TEST(test_answer(false), "... also if its readers hold the mmap_lock");
	TEST(test_kill(true, on_win_load), "I4: who waits for it can be killed");
	TEST(test_kill(true, on_win_store), "I4: ... also when it wants to write");
	TEST(test_kill(false, on_win_load), "I4: ... also with the mmap_lock held");
	TEST(test_error(0), "a server that dies is SIGBUS");
	TEST(test_error(POISON), "I11: a server that dies is poison");
	TEST(test_other_user(), "I4: 40 who wait keep no other user waiting");
	TEST(test_owner_works(), "I4: the owner maps something else meanwhile");
	TEST(test_owner_dies(), "I1: the owner's death is seen meanwhile");
	rmdir(MNT);
	return tap_done();
}
