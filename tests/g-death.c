/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An owner that exits, is killed, executes or takes its export back leaves
 * SIGBUS and a state, never memory (I1).
 */

#include <sched.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	16
#define LEN	(NPAGES * PAGE)
#define LONG	(256L << 20)	/* bytes that nobody comes to the end of */

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static void begin(void)
{
	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN / 2, 0x31), ==, 0);
	check_int(load(im.win), ==, 0x31);
	check_int(store(im.win + 1, 0x32), ==, 0);
	check_uint(im.st->state, ==, XPMEM_NUMA_ACTIVE);
	check_uint(im.ex->state, ==, XPMEM_NUMA_ACTIVE);
}

/* Touched and untouched pages alike. */
static void check_gone(__u32 state)
{
	size_t i;

	for (i = 0; i < NPAGES; i++)
		check_int(load(im.win + i * PAGE), ==, -SIGBUS);
	check_int(store(im.win, 1), ==, -SIGBUS);
	check_uint(im.st->state, ==, state);
	check_uint(im.ex->state, ==, state);
}

static void test_exit(void)
{
	begin();
	check_int(owner_stop(&o), ==, 0);
	check_gone(XPMEM_NUMA_OWNER_GONE);
	check_int(import_close(&im), ==, 0);
}

static void test_kill(void)
{
	begin();
	peer_kill(&o.peer, SIGKILL);
	check_gone(XPMEM_NUMA_OWNER_GONE);
	check_int(import_close(&im), ==, 0);
}

/* The last read comes back although nothing in this process waits for it. */
static void test_kill_under_reader(void)
{
	volatile char *p;
	int sig;

	begin();
	p = im.win;
	kill(o.peer.pid, SIGKILL);
	sig = caught(for (;;) (void)*p);
	check_int(sig, ==, SIGBUS);
	peer_kill(&o.peer, SIGKILL);
	check_gone(XPMEM_NUMA_OWNER_GONE);
	check_int(import_close(&im), ==, 0);
}

static int become(int policy)
{
	struct sched_param param = { .sched_priority = policy ? 1 : 0 };

	return sched_setscheduler(0, policy, &param);
}

static long on_kill_later(long pid, long us, long c)
{
	usleep((useconds_t)us);
	return kill((pid_t)pid, SIGKILL);
}

/* Where the owner's memory ended. */
static long prefault_on(void)
{
	long at = 0;

	while (at < LONG && dev_prefault(im.fd, im.handle, AREA + at, 2 * MIB,
					 RW, XPMEM_NUMA_PREFAULT_ALLOC) > 0)
		at += 2L * MIB;
	return at;
}

/*
 * Faults hold the owner's memory. If the last hold is theirs a worker ends the
 * memory, and here none comes before the next fault; the owner's file may end
 * before that, by a child that has it too.
 */
static void test_state_first(void)
{
	struct peer killer;
	long at;
	int i, sig;

	check_int(peer_start(&killer), ==, 0);
	for (i = 0; i < 20; i++) {
		check_int(share_open(&o, &im, LONG, RW, RW, 0), ==, 0);
		check_int(on(on_fork, 0, 0, 0), >, 0);
		check_int(peer_begin(&killer, on_kill_later, o.peer.pid,
				     1000 + 50 * i, 0), ==, 0);
		check_int(become(SCHED_FIFO), ==, 0);
		at = prefault_on();
		sig = load(im.win + at);
		check_uint(im.st->state, ==, XPMEM_NUMA_OWNER_GONE);
		check_int(become(SCHED_OTHER), ==, 0);
		check_int(sig, ==, -SIGBUS);
		check_int(peer_end(&killer), ==, 0);
		peer_kill(&o.peer, SIGKILL);
		check_int(import_close(&im), ==, 0);
	}
	check_int(peer_stop(&killer), ==, 0);
}

static long on_exec(long a, long b, long c)
{
	execl("/bin/sleep", "sleep", "60", NULL);
	return -errno;
}

/* The socket closes on exec, behind the end of the old address space. */
static void test_exec(void)
{
	begin();
	check_int(on(on_exec, 0, 0, 0), ==, -EPIPE);
	check_int(kill(o.peer.pid, 0), ==, 0);
	check_gone(XPMEM_NUMA_OWNER_GONE);
	peer_kill(&o.peer, SIGKILL);
	check_int(import_close(&im), ==, 0);
}

static long on_unexport(long a, long b, long c)
{
	return dev_handle(own_fd, XPMEM_NUMA_UNEXPORT, own.handle);
}

static void test_unexport(void)
{
	begin();
	check_int(on(on_unexport, 0, 0, 0), ==, 0);
	check_gone(XPMEM_NUMA_REVOKED);
	check_int(on(on_load, AREA + 1, 0, 0), ==, 0x32);
	share_close(&o, &im);
}

static long on_close(long a, long b, long c)
{
	return close(own_fd) ? -errno : 0;
}

static void test_close(void)
{
	begin();
	check_int(on(on_close, 0, 0, 0), ==, 0);
	check_gone(XPMEM_NUMA_REVOKED);
	check_int(on(on_load, AREA + 1, 0, 0), ==, 0x32);
	share_close(&o, &im);
}

/* Two imports of one export, only one of which touched anything. */
static void test_every_import(void)
{
	struct import idle;

	begin();
	check_int(import_open(&idle, o.id, LEN, RO, 0), ==, 0);
	peer_kill(&o.peer, SIGKILL);
	check_uint(idle.st->state, ==, XPMEM_NUMA_OWNER_GONE);
	check_int(load(idle.win), ==, -SIGBUS);
	check_gone(XPMEM_NUMA_OWNER_GONE);
	check_int(import_close(&idle), ==, 0);
	check_int(import_close(&im), ==, 0);
}

/* An id is no more than a name: it dies with what it named. */
static void test_import_late(void)
{
	struct xpmem_numa_import arg;
	struct import late;
	int fd;

	begin();
	peer_kill(&o.peer, SIGKILL);
	fd = dev_open();
	check_int(dev_import(fd, o.id, RO, 0, &arg), ==, -ENOENT);
	check_int(close(fd), ==, 0);
	check_int(import_open(&late, o.id, LEN, RO, 0), ==, -ENOENT);
	check_int(import_close(&im), ==, 0);
}

/* A window of a live import that is mapped after the death. */
static void test_window_late(void)
{
	char *win;

	begin();
	peer_kill(&o.peer, SIGKILL);
	win = dev_window(im.fd, im.handle, AREA, LEN, PROT_READ);
	if (win != MAP_FAILED) {
		check_int(load(win), ==, -SIGBUS);
		check_int(munmap(win, LEN), ==, 0);
	}
	check_gone(XPMEM_NUMA_OWNER_GONE);
	check_int(import_close(&im), ==, 0);
}

static void test_gauges(void)
{
	check(stat_settles("exports", 0));
	check(stat_settles("imports", 0));
	check(stat_settles("windows", 0));
	check(stat_settles("granules", 0));
}

int main(void)
{
	guest_begin();
	TEST(test_exit(), "I1: when the owner exits its windows are SIGBUS");
	TEST(test_kill(), "I1: when the owner is killed its windows are SIGBUS");
	TEST(test_kill_under_reader(), "I1: a reading loop ends with the owner");
	TEST(test_state_first(), "the state says why before a fault fails");
	TEST(test_exec(), "I1: an owner's exec takes its memory back");
	TEST(test_unexport(), "UNEXPORT revokes; the owner keeps its memory");
	TEST(test_close(), "closing the owner's file revokes its exports");
	TEST(test_every_import(), "each import learns of the death");
	TEST(test_import_late(), "a dead owner's id is unknown");
	TEST(test_window_late(), "a window mapped after the death shows nothing");
	TEST(test_gauges(), "nothing of all this is left in the module");
	return tap_done();
}
