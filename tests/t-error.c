/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers that die: an error with pid and reason, soon, and never a signal. */

#include <pthread.h>

#include "others.h"

static struct xnuma_config config;
static char buffer[1 << 20];

/* Until alive() fails; seconds. */
static double wait_dead(struct xnuma_peer *peer)
{
	double start = other_now();

	while (!xnuma_peer_alive(peer) && other_now() < start + 10)
		;
	return other_now() - start;
}

static void check_names(const struct other *o, const char *reason)
{
	char pid[20];

	snprintf(pid, sizeof(pid), "pid %d", o->pid);
	check(strstr(xnuma_error(), pid));
	check(strstr(xnuma_error(), reason));
}

static void test_killed(void)
{
	struct xnuma_stats stats;
	uint64_t any, mine;
	struct other o;
	void *p;

	other_start(&o, &config);
	any = other_do(&o, other_map, 0, sizeof(buffer), 0);
	mine = other_do(&o, other_alloc, sizeof(buffer), 0, 0);
	check_int(xnuma_get(o.memory, buffer, mine, 100, NULL), ==, 0);
	other_kill(&o);
	check(wait_dead(o.peer) < 0.1);
	check_int(xnuma_peer_alive(o.peer), ==, -EPIPE);
	check_names(&o, "process has ended");
	check_int(xnuma_get(o.memory, buffer, any, 100, NULL), ==, -EPIPE);
	check_names(&o, "process has ended");
	check_int(xnuma_get(o.memory, buffer, mine, 100, NULL), ==, -EPIPE);
	check_int(xnuma_put(o.memory, mine, buffer, 100, NULL), ==, -EPIPE);
	check_int(xnuma_atomic(o.memory, XNUMA_ADD, mine, 8, 1, 0, NULL), ==,
		  -EPIPE);
	check_int(xnuma_send(o.peer, 0, NULL, 0), ==, -EPIPE);
	check_int(xnuma_send_reserve(o.peer, 8, &p), ==, -EPIPE);
	check_int(xnuma_flush(o.peer, NULL), ==, -EPIPE);
	xnuma_domain_stats(own, &stats);
	check_uint(stats.peers_lost, ==, 1);
	other_forget(&o);
}

static void test_closed(void)
{
	struct other_order order = { 0 };
	struct other o;

	other_start(&o, &config);
	other_transfer(o.fd, &order, sizeof(order), 1);
	check_child(o.pid);
	check(wait_dead(o.peer) < 0.1);
	check_int(xnuma_peer_alive(o.peer), ==, -ESHUTDOWN);
	check_int(xnuma_send(o.peer, 0, NULL, 0), ==, -ESHUTDOWN);
	check_names(&o, "closed its domain");
	other_forget(&o);
}

static long job_exec(long a, long b, long c)
{
	execlp("sleep", "sleep", "10", NULL);
	return -1;
}

/* The pid lives on as another program, with other memory at the same place. */
static void test_exec(void)
{
	struct other_order order = { .job = job_exec };
	uint64_t any;
	struct other o;

	other_start(&o, &config);
	any = other_do(&o, other_map, 0, sizeof(buffer), 0);
	check_int(xnuma_get(o.memory, buffer, any, 100, NULL), ==, 0);
	other_transfer(o.fd, &order, sizeof(order), 1);
	check(wait_dead(o.peer) < 5);
	check_names(&o, "process has ended");
	check_int(xnuma_get(o.memory, buffer, any, 100, NULL), ==, -EPIPE);
	other_kill(&o);
	other_forget(&o);
}

static void *run_killer(void *arg)
{
	struct other *o = arg;

	usleep(20000);
	kill(o->pid, SIGKILL);
	return NULL;
}

/* In the middle of copies and of messages. */
static void test_killed_busy(int alloc)
{
	pthread_t killer;
	struct other o;
	uint64_t at;
	double end;
	int ret;

	other_start(&o, &config);
	at = other_do(&o, alloc ? other_alloc : other_map, alloc ?
		      (long)sizeof(buffer) : 0, alloc ? 0 : sizeof(buffer), 0);
	other_do(&o, other_fill, at, sizeof(buffer), 1);
	pthread_create(&killer, NULL, run_killer, &o);
	end = other_now() + 10;
	do {
		memset(buffer, 0, 4096);
		ret = xnuma_get(o.memory, buffer, at, sizeof(buffer), NULL);
		if (!ret)
			check_int(other_differ((long)buffer, 4096, 1), ==, 0);
		xnuma_send(o.peer, 0, NULL, 0);
	} while (!ret && other_now() < end);
	check_int(ret, ==, -EPIPE);
	pthread_join(killer, NULL);
	waitpid(o.pid, NULL, 0);
	other_forget(&o);
}

static void test_dead_before(void)
{
	struct xnuma_peer *peer;
	struct other o;

	other_start(&o, &config);
	other_kill(&o);
	check_int(xnuma_peer_open(own, o.blob, &peer), ==, -EPIPE);
	check(strstr(xnuma_error(), "gone"));
	other_forget(&o);
}

/* ---- a death between reserving and committing a message ---- */

static int received;

static void receive(void *arg, const struct xnuma_message *msg)
{
	received += msg->tag == 9;
}

static long job_reserve(long a, long b, long c)
{
	void *buf;

	return xnuma_send_reserve(master, 40, &buf);
}

static long job_send(long a, long b, long c)
{
	return xnuma_send(master, 9, NULL, 0);
}

/* Nobody asks whether it lives; @known: it was a peer here at all. */
static void test_reserved(int known)
{
	struct other dead, alive;
	double end;

	received = 0;
	other_start(&dead, &config);
	other_start(&alive, &config);
	check_int(other_do(&dead, job_reserve, 0, 0, 0), ==, 0);
	check_int(other_do(&alive, job_send, 0, 0, 0), ==, 0);
	check_int(xnuma_poll(own, receive, NULL, 10), ==, 0);
	if (!known)
		other_forget(&dead);
	other_kill(&dead);
	end = other_now() + 10;
	while (!received && other_now() < end)
		xnuma_poll(own, receive, NULL, 10);
	check_int(received, ==, 1);
	if (known)
		other_forget(&dead);
	other_stop(&alive);
}

static void *run_error(void *arg)
{
	struct xnuma_peer *peer;

	check_str(xnuma_error(), "");
	check_int(xnuma_peer_open(own, arg, &peer), <, 0);
	check(strstr(xnuma_error(), "fabric"));
	return NULL;
}

static void test_per_thread(void)
{
	uint8_t blob[XNUMA_BLOB_LEN];
	pthread_t thread;

	xnuma_domain_pack(own, blob);
	blob[0] ^= 1;
	check_int(xnuma_peer_check(own, blob, 3), ==, -EINVAL);
	pthread_create(&thread, NULL, run_error, blob);
	pthread_join(thread, NULL);
	check(strstr(xnuma_error(), "not 3"));
}

int main(void)
{
	other_open_own(&config);
	TEST(test_per_thread(), "each thread has its own error");
	TEST(test_killed(), "a killed peer is -EPIPE with pid and reason");
	TEST(test_closed(), "a peer that closed its domain says so");
	TEST(test_exec(), "a peer that becomes another program is gone");
	TEST(test_killed_busy(0), "a kill in the middle of copies is an error");
	TEST(test_killed_busy(1), "also of xnuma_alloc() memory");
	TEST(test_reserved(1), "its half message blocks nobody");
	TEST(test_reserved(0), "not even if it was no peer of the receiver");
	TEST(test_dead_before(), "a peer that died before is gone");
	xnuma_domain_close(own);
	return tap_done();
}
