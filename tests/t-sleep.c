/* SPDX-License-Identifier: BSD-3-Clause */
/* A descriptor to sleep on. */

#include <poll.h>
#include <pthread.h>

#include "others.h"

static struct xnuma_config config;
static struct other o;
static int handled;

static void handle(void *arg, const struct xnuma_message *msg)
{
	handled++;
}

static int readable(int timeout)
{
	struct pollfd p = { .fd = xnuma_domain_fd(own), .events = POLLIN };

	return poll(&p, 1, timeout);
}

static long job_send(long delay, long count, long c)
{
	usleep(delay);
	while (count--)
		while (xnuma_send(master, 1, NULL, 0) == -EAGAIN)
			;
	return 0;
}

/* Until arm says that nothing is pending. */
static int arm(void)
{
	int ret, i;

	for (i = 0; i < 100; i++) {
		ret = xnuma_domain_arm(own);
		if (ret != -EBUSY)
			return ret;
		while (xnuma_poll(own, handle, NULL, 10))
			;
	}
	return ret;
}

static void test_quiet(void)
{
	check_int(arm(), ==, 0);
	check_int(readable(50), ==, 0);
}

static void test_message(void)
{
	struct other_order order = { job_send, { 30000, 1 } };
	long ret;

	handled = 0;
	check_int(arm(), ==, 0);
	check(other_transfer(o.fd, &order, sizeof(order), 1));
	check_int(readable(10000), ==, 1);
	check(other_transfer(o.fd, &ret, sizeof(ret), 0));
	check_int(xnuma_poll(own, handle, NULL, 10), ==, 1);
	check_int(arm(), ==, 0);
	check_int(readable(20), ==, 0);
	check_int(handled, ==, 1);
}

/* What is there already is told by arm itself. */
static void test_pending(void)
{
	other_do(&o, job_send, 0, 1, 0);
	check_int(xnuma_domain_arm(own), ==, -EBUSY);
	check_int(xnuma_poll(own, handle, NULL, 10), ==, 1);
}

static void test_no_needless_wake(void)
{
	other_do(&o, job_send, 0, 100, 0);
	check_int(readable(0), ==, 0);
	check_int(arm(), ==, 0);
}

/* Thousands of sleeps, each ended by a message: none is missed. */
static void test_many(void)
{
	struct other_order order = { job_send, { 0, 20000 } };
	double end = other_now() + 60;
	long ret, sleeps = 0;

	handled = 0;
	check(other_transfer(o.fd, &order, sizeof(order), 1));
	while (handled < 20000 && other_now() < end) {
		if (xnuma_poll(own, handle, NULL, 3))
			continue;
		if (!xnuma_domain_arm(own)) {
			if (readable(5000) != 1)
				break;
			sleeps++;
		}
	}
	check_int(handled, ==, 20000);
	check(other_transfer(o.fd, &ret, sizeof(ret), 0));
	tap_diag("%ld sleeps", sleeps);
}

static long job_wake(long delay, long b, long c)
{
	usleep(delay);
	return xnuma_peer_wake(master);
}

static void test_wake(void)
{
	struct other_order order = { job_wake, { 20000 } };
	long ret;

	check_int(arm(), ==, 0);
	check(other_transfer(o.fd, &order, sizeof(order), 1));
	check_int(readable(10000), ==, 1);
	check(other_transfer(o.fd, &ret, sizeof(ret), 0));
	check_int(ret, ==, 0);
	xnuma_poll(own, handle, NULL, 10);
}

/* A call to one that is awake does not end its next sleep. */
static void test_wake_early(void)
{
	check_int(other_do(&o, job_wake, 0, 0, 0), ==, 0);
	check_int(arm(), ==, 0);
	check_int(readable(20), ==, 0);
}

static void test_wake_self(void)
{
	uint8_t mine[XNUMA_BLOB_LEN];
	struct xnuma_peer *self;

	xnuma_domain_pack(own, mine);
	check_int(xnuma_peer_open(own, mine, &self), ==, 0);
	check_int(arm(), ==, 0);
	check_int(xnuma_send(self, 0, NULL, 0), ==, 0);
	check_int(readable(10000), ==, 1);
	check_int(xnuma_poll(own, handle, NULL, 10), ==, 1);
	xnuma_peer_close(self);
}

static void *run_killer(void *arg)
{
	usleep(30000);
	kill(o.pid, SIGKILL);
	return NULL;
}

static void test_death(void)
{
	pthread_t killer;

	check_int(arm(), ==, 0);
	pthread_create(&killer, NULL, run_killer, NULL);
	check_int(readable(10000), ==, 1);
	check_int(xnuma_peer_alive(o.peer), ==, -EPIPE);
	pthread_join(killer, NULL);
	waitpid(o.pid, NULL, 0);
}

static void test_without(void)
{
	struct xnuma_config its = config;
	struct xnuma_domain *dom;

	its.flags &= ~XNUMA_SLEEPS;
	check_int(xnuma_domain_open(&its, &dom), ==, 0);
	check_int(xnuma_domain_fd(dom), ==, -ENOTSUP);
	check_int(xnuma_domain_arm(dom), ==, -ENOTSUP);
	xnuma_domain_close(dom);
}

int main(void)
{
	xnuma_config_init(&config);
	config.flags = XNUMA_SLEEPS;
	other_start(&o, &config);

	TEST(test_quiet(), "without a message nothing wakes");
	TEST(test_message(), "a message wakes, once");
	TEST(test_pending(), "arm refuses when a message is there");
	TEST(test_no_needless_wake(), "who does not sleep is not woken");
	TEST(test_many(), "no wake-up is missed");
	TEST(test_wake(), "a peer wakes without a message");
	TEST(test_wake_early(), "an early call does not end the next sleep");
	TEST(test_wake_self(), "a process wakes itself");
	TEST(test_death(), "a peer's death wakes");
	TEST(test_without(), "without XNUMA_SLEEPS there is none");
	other_forget(&o);
	xnuma_domain_close(own);
	return tap_done();
}
