/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's own accesses to a window: those that cannot drop the address
 * space's lock, such as a futex operation, must end as well.
 */

#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	64
#define LEN	(NPAGES * PAGE)
#define LIMIT	20000		/* ms that a call may take at most */

static struct owner o;
static struct peer p;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

/* Adds 5 to the word at @off of the window: the old value is of no interest. */
static long on_wake_op(long off, long b, long c)
{
	static int word;

	return syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1,
		       mine.win + off,
		       FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0)) < 0 ?
		       -errno :
		       0;
}

/* A call of the importer that must return in bounded time; else it is killed. */
static long bounded(peer_fn fn, long a, long b, long c)
{
	struct pollfd ready = { .fd = p.sock, .events = POLLIN };

	if (peer_begin(&p, fn, a, b, c))
		return -EPIPE;
	if (poll(&ready, 1, LIMIT) != 1) {
		peer_kill(&p, SIGKILL);
		return -ETIMEDOUT;
	}
	return peer_end(&p);
}

static void begin(__u32 flags)
{
	check_int(peer_start(&p), ==, 0);
	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(peer_call(&p, on_import, (long)o.id, LEN,
			    RW | (long)flags << 8), ==, 0);
}

static void end(void)
{
	peer_stop(&p);
	owner_stop(&o);
}

static void test_wake_op(void)
{
	long off;

	begin(0);
	for (off = 0; off < (long)LEN; off += (long)PAGE) {
		check_int(bounded(on_wake_op, off + 4, 0, 0), ==, 0);
		check_int(on(on_load, AREA + off + 4, 0, 0), ==, 5);
	}
	end();
}

static void test_wake_op_cow(void)
{
	long child;

	begin(0);
	check_int(on(on_fill, AREA, LEN, 1), ==, 0);
	check_int(peer_call(&p, on_win_load, 8, 0, 0), ==, 1);
	child = on(on_fork, 0, 0, 0);
	check_int(bounded(on_wake_op, 8, 0, 0), ==, 0);
	check_int(on(on_load, AREA + 8, 0, 0), ==, 6);
	check_int(on(on_kill, child, 0, 0), ==, 0);
	end();
}

static void test_wake_op_swapped(void)
{
	begin(0);
	check_int(on(on_fill, AREA, LEN, 1), ==, 0);
	check_int(page_out(o.peer.pid, AREA, LEN), ==, 0);
	check_int(page_swapped(o.peer.pid, AREA), ==, 1);
	check_int(bounded(on_wake_op, 8, 0, 0), ==, 0);
	check_int(on(on_load, AREA + 8, 0, 0), ==, 6);
	end();
}

static void test_wake_op_hole(void)
{
	begin(0);
	check_int(on(on_unmap, AREA, PAGE, 0), ==, 0);
	check_int(bounded(on_wake_op, 8, 0, 0), ==, -EFAULT);
	check_int(on(on_protect, AREA + PAGE, PAGE, PROT_READ), ==, 0);
	check_int(bounded(on_wake_op, PAGE + 8, 0, 0), ==, -EFAULT);
	check_int(on(on_load, AREA + PAGE + 8, 0, 0), ==, 0);
	peer_kill(&o.peer, SIGKILL);
	check_int(bounded(on_wake_op, 2 * PAGE, 0, 0), ==, -EFAULT);
	peer_stop(&p);
}

static void test_wake_op_poison(void)
{
	begin(POISON);
	check_int(on(on_unmap, AREA, PAGE, 0), ==, 0);
	check_int(bounded(on_wake_op, 8, 0, 0), ==, 0);
	check_int(peer_call(&p, on_win_load, 8, 0, 0), ==, 5);
	check_int(peer_call(&p, on_valid, 0, 0, 0), ==, 0);
	end();
}

/* The owner's address space is busy all the time. */
static long on_churn(long addr, long ms, long c)
{
	struct timespec now, end;
	char *q;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	do {
		q = mmap((void *)addr, 16 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		*q = 1;
		munmap(q, 16 * PAGE);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	return 0;
}

static void test_wake_op_busy(void)
{
	long off;

	begin(0);
	check_int(peer_begin(&o.peer, on_churn, AREA + (long)GIB, 1000, 0), ==,
		  0);
	for (off = 0; off < (long)LEN; off += (long)PAGE)
		check_int(bounded(on_wake_op, off + 4, 0, 0), ==, 0);
	check_int(peer_end(&o.peer), ==, 0);
	check_int(on(on_load, AREA + LEN - PAGE + 4, 0, 0), ==, 5);
	end();
}

/* Killed in the middle of it, the importer dies. */
static long on_wake_op_forever(long a, long b, long c)
{
	long off;

	for (;;)
		for (off = 0; off < (long)LEN; off += (long)PAGE)
			on_wake_op(off, 0, 0);
	return 0;
}

static void test_kill(void)
{
	struct pollfd gone;

	begin(0);
	check_int(peer_begin(&o.peer, on_churn, AREA, 1000, 0), ==, 0);
	check_int(peer_begin(&p, on_wake_op_forever, 0, 0, 0), ==, 0);
	check_int(peer_end(&o.peer), ==, 0);
	kill(p.pid, SIGKILL);
	gone = (struct pollfd){ .fd = p.sock, .events = POLLIN };
	check_int(poll(&gone, 1, LIMIT), ==, 1);
	check_int(WTERMSIG(peer_stop(&p)), ==, SIGKILL);
	owner_stop(&o);
}

/* A wait needs a page to name the futex by, and a window has none to give. */
static long on_wait_shared(long off, long b, long c)
{
	return syscall(SYS_futex, mine.win + off, FUTEX_WAKE, 1) < 0 ? -errno :
								       0;
}

static long on_read_file(long off, long len, long c)
{
	FILE *f = fopen("/proc/self/exe", "r");
	ssize_t n = f ? read(fileno(f), mine.win + off, (size_t)len) : -1;

	if (f)
		fclose(f);
	return n < 0 ? -errno : n;
}

static void test_others(void)
{
	begin(0);
	check_int(bounded(on_wait_shared, 0, 0, 0), ==, -EFAULT);
	check_int(bounded(on_read_file, 0, 2 * PAGE, 0), ==, 2 * PAGE);
	check_int(on(on_load, AREA + 1, 0, 0), ==, 'E');
	/* what is there is read, then the hole is met */
	check_int(on(on_unmap, AREA + 5 * PAGE, PAGE, 0), ==, 0);
	check_int(bounded(on_read_file, 4 * PAGE, 2 * PAGE, 0), ==, PAGE);
	end();
}

int main(void)
{
	guest_begin();
	TEST(test_wake_op(), "FUTEX_WAKE_OP allocates absent pages");
	TEST(test_wake_op_cow(), "FUTEX_WAKE_OP breaks COW");
	TEST(test_wake_op_swapped(), "FUTEX_WAKE_OP brings a page from swap");
	TEST(test_wake_op_hole(), "FUTEX_WAKE_OP on what is not there is EFAULT");
	TEST(test_wake_op_poison(), "I11: FUTEX_WAKE_OP on a hole is counted");
	TEST(test_wake_op_busy(), "FUTEX_WAKE_OP ends although the owner is busy");
	TEST(test_kill(), "a task in FUTEX_WAKE_OP can be killed");
	TEST(test_others(), "a shared futex is EFAULT, read(2) goes by pages");
	return tap_done();
}
