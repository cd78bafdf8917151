/* SPDX-License-Identifier: BSD-3-Clause */
/* WAKE, poll and read: how a sleeping process learns that it has a peer. */

#include <fcntl.h>
#include <poll.h>
#include <sched.h>

#include "guest.h"
#include "tap.h"

#define LEN	(4 * PAGE)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1 && p.revents == POLLIN;
}

/* The number of wake-ups, or -errno; does not sleep. */
static long count_read(int fd)
{
	__u64 count = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	n = read(fd, &count, sizeof(count));
	if (n != (ssize_t)sizeof(count))
		return n < 0 ? -errno : -EIO;
	return (long)count;
}

static long on_count_read(long a, long b, long c)
{
	return count_read(own_fd);
}

static long on_readable(long ms, long b, long c)
{
	return readable(own_fd, (int)ms);
}

static int wake(void)
{
	return dev_handle(im.fd, XPMEM_NUMA_WAKE, im.handle);
}

static void begin(void)
{
	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(load(im.win), ==, 0);
	check_int(on(on_count_read, 0, 0, 0), ==, -EAGAIN);
}

static void end(void)
{
	share_close(&o, &im);
}

static void test_wake(void)
{
	begin();
	check_int(on(on_readable, 0, 0, 0), ==, 0);
	check_int(wake(), ==, 0);
	check_int(on(on_readable, 0, 0, 0), ==, 1);
	/* level, not edge: until it is read */
	check_int(on(on_readable, 0, 0, 0), ==, 1);
	check_int(on(on_count_read, 0, 0, 0), ==, 1);
	check_int(on(on_readable, 0, 0, 0), ==, 0);
	check_int(on(on_count_read, 0, 0, 0), ==, -EAGAIN);
	/* the waker itself is not woken */
	check(!readable(im.fd, 0));
	end();
}

static void test_count(void)
{
	long before, i;

	begin();
	before = stat_read("wakes");
	for (i = 0; i < 1000; i++)
		if (wake())
			break;
	check_int(i, ==, 1000);
	check_int(on(on_count_read, 0, 0, 0), ==, 1000);
	check_int(on(on_count_read, 0, 0, 0), ==, -EAGAIN);
	check_int(stat_read("wakes") - before, ==, 1000);
	end();
}

/* The owner sleeps in poll or read, before or after the call: no matter. */
static long on_sleep_read(long a, long b, long c)
{
	__u64 count = 0;

	fcntl(own_fd, F_SETFL, 0);
	return read(own_fd, &count, sizeof(count)) == sizeof(count) ?
		       (long)count :
		       -errno;
}

static bool peer_sleeps(void)
{
	char path[40], text[256], *state;
	int fd, tries;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", o.peer.pid);
	for (tries = 0; tries < 100000; tries++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = '\0';
		state = strrchr(text, ')');
		if (state && state[2] == 'S')
			return true;
		sched_yield();
	}
	return false;
}

static void test_sleep_poll(void)
{
	int i;

	begin();
	for (i = 0; i < 50; i++) {
		check_int(peer_begin(&o.peer, on_readable, 10000, 0, 0), ==, 0);
		if (i % 2)
			check(peer_sleeps());
		check_int(wake(), ==, 0);
		check_int(peer_end(&o.peer), ==, 1);
		check_int(on(on_count_read, 0, 0, 0), ==, 1);
	}
	end();
}

static void test_sleep_read(void)
{
	int i;

	begin();
	for (i = 0; i < 50; i++) {
		check_int(peer_begin(&o.peer, on_sleep_read, 0, 0, 0), ==, 0);
		if (i % 2)
			check(peer_sleeps());
		check_int(wake(), ==, 0);
		check_int(peer_end(&o.peer), ==, 1);
	}
	end();
}

static void test_death(bool killed)
{
	begin();
	check(!readable(im.fd, 0));
	if (killed)
		peer_kill(&o.peer, SIGKILL);
	else
		check_int(owner_stop(&o), ==, 0);
	check(readable(im.fd, 10000));
	check_uint(im.st->state, ==, XPMEM_NUMA_OWNER_GONE);
	check_int(count_read(im.fd), ==, 1);
	check_int(count_read(im.fd), ==, -EAGAIN);
	check_int(wake(), ==, -EPIPE);
	check_int(import_close(&im), ==, 0);
}

/* This process sleeps in poll and has no other reason to wake up. */
static long on_exit_when_polled(long pid, long b, long c)
{
	o.peer.pid = (pid_t)pid;
	peer_sleeps();
	raise(SIGKILL);
	return 0;
}

static void test_death_asleep(void)
{
	begin();
	check_int(peer_begin(&o.peer, on_exit_when_polled, getpid(), 0, 0), ==,
		  0);
	check(readable(im.fd, 10000));
	check_uint(im.st->state, ==, XPMEM_NUMA_OWNER_GONE);
	peer_kill(&o.peer, SIGKILL);
	check_int(import_close(&im), ==, 0);
}

static void test_read(void)
{
	void *volatile nowhere = (void *)8;
	char small[7];
	__u64 big[2] = { 0, 99 };

	begin();
	check_int(dev_handle(im.fd, XPMEM_NUMA_WAKE, im.handle), ==, 0);
	check_int(count_read(im.fd), ==, -EAGAIN);
	check_int(read(im.fd, small, sizeof(small)), ==, -1);
	check_int(errno, ==, EINVAL);
	peer_kill(&o.peer, SIGKILL);
	check_int(read(im.fd, nowhere, 8), ==, -1);
	check_int(errno, ==, EFAULT);
	/* what could not be delivered is still there */
	check_int(read(im.fd, big, sizeof(big)), ==, 8);
	check_uint(big[0], ==, 1);
	check_uint(big[1], ==, 99);
	check_int(import_close(&im), ==, 0);
}

int main(void)
{
	guest_begin();
	TEST(test_wake(), "WAKE makes the owner's file readable, once read not");
	TEST(test_count(), "1000 wake-ups are counted and read at once");
	TEST(test_sleep_poll(), "a sleeper in poll is woken, none is lost");
	TEST(test_sleep_read(), "a sleeper in read is woken, none is lost");
	TEST(test_death(false), "the owner's exit makes the importer readable");
	TEST(test_death(true), "the owner's death makes the importer readable");
	TEST(test_death_asleep(), "the owner's death wakes a sleeping importer");
	TEST(test_read(), "read() of too little or to nowhere loses nothing");
	return tap_done();
}
