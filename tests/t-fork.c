/* SPDX-License-Identifier: BSD-3-Clause */
/* The child of a fork() has inert copies, and its parent loses nothing. */

#include <dirent.h>
#include <pthread.h>

#include "others.h"

static struct xnuma_config config;
static struct other o;
static uint64_t at;
static void *mine;

static void ignore(void *arg, const struct xnuma_message *msg)
{
}

/* Every call, in a child. */
static void use_inert(void)
{
	uint8_t blob[XNUMA_BLOB_LEN], rkey[XNUMA_RKEY_LEN] = { 1 };
	struct xnuma_domain_attr attr;
	struct xnuma_export *exp;
	struct xnuma_import *imp;
	struct xnuma_window *win;
	struct xnuma_peer *peer;
	struct xnuma_stats stats;
	char buf[8];
	void *p;

	xnuma_domain_query(own, &attr);
	xnuma_domain_pack(own, blob);
	xnuma_domain_stats(own, &stats);
	check_int(xnuma_peer_check(own, blob, sizeof(blob)), ==, -ECHILD);
	check_int(xnuma_peer_open(own, blob, &peer), ==, -ECHILD);
	check_int(xnuma_peer_alive(o.peer), ==, -ECHILD);
	check_int(xnuma_send(o.peer, 0, NULL, 0), ==, -ECHILD);
	check_int(xnuma_send_reserve(o.peer, 8, &p), ==, -ECHILD);
	check_int(xnuma_poll(own, ignore, NULL, 1), ==, -ECHILD);
	check_int(xnuma_domain_fd(own), ==, -ECHILD);
	check_int(xnuma_domain_arm(own), ==, -ECHILD);
	check_int(xnuma_peer_wake(o.peer), ==, -ECHILD);
	check_int(xnuma_get(o.memory, buf, at, 8, NULL), ==, -ECHILD);
	check_int(xnuma_put(o.memory, at, buf, 8, NULL), ==, -ECHILD);
	check_int(xnuma_atomic(o.memory, XNUMA_ADD, at, 8, 1, 0, NULL), ==,
		  -ECHILD);
	check_int(xnuma_flush(o.peer, NULL), ==, -ECHILD);
	check_int(xnuma_window_hold(o.memory, at, 8, &p, &win), ==, -ECHILD);
	check_int(xnuma_export(own, mine, 8, XNUMA_READ, &exp), ==, -ECHILD);
	check_int(xnuma_import(o.peer, rkey, XNUMA_READ, &imp), ==, -ECHILD);
	check_int(xnuma_deny(own, mine, 8), ==, -ECHILD);
	check_int(xnuma_allow(own, mine, 8), ==, -ECHILD);
	check_int(xnuma_alloc(own, 8, -1, &p), ==, -ECHILD);
	check_int(xnuma_prefault(o.memory, at, 8, XNUMA_READ), ==, -ECHILD);
	check(strstr(xnuma_error(), "forked"));
	xnuma_free(own, mine);
}

static void test_inert(void)
{
	pid_t pid = fork();

	if (!pid) {
		use_inert();
		xnuma_peer_close(o.peer);
		xnuma_domain_close(own);
		child_done();
	}
	check_child(pid);
}

/* Neither device nor socket of the parent lives on in the child. */
static void test_descriptors(void)
{
	char path[300], target[100];
	struct dirent *entry;
	ssize_t n;
	pid_t pid = fork();
	DIR *dir;

	if (!pid) {
		dir = opendir("/proc/self/fd");
		while (dir && (entry = readdir(dir))) {
			snprintf(path, sizeof(path), "/proc/self/fd/%s",
				 entry->d_name);
			n = readlink(path, target, sizeof(target) - 1);
			if (n < 0 || atoi(entry->d_name) == o.fd)
				continue;
			target[n] = '\0';
			check(!strstr(target, "socket:"));
			check(!strstr(target, "eventfd"));
			check(!strstr(target, "eventpoll"));
			check(!strstr(target, "/dev/xpmem_numa"));
			check(!strstr(target, "memfd:xnuma"));
		}
		check(dir);
		child_done();
	}
	check_child(pid);
}

/* A child that talks to the parent's peer as somebody else. */
static void test_reopen(void)
{
	struct xnuma_config its = config;
	struct xnuma_domain *dom;
	struct xnuma_peer *peer;
	unsigned char buf[4096];
	pid_t pid = fork();

	if (!pid) {
		its.name = getpid();
		check_int(xnuma_domain_open(&its, &dom), ==, 0);
		check_int(xnuma_peer_open(dom, o.blob, &peer), ==, 0);
		check_int(xnuma_get(xnuma_peer_memory(peer), buf, at, 4096,
				    NULL), ==, 0);
		check_int(other_differ((long)buf, 4096, 8), ==, 0);
		xnuma_peer_close(peer);
		xnuma_domain_close(dom);
		child_done();
	}
	check_child(pid);
}

static void test_parent_unharmed(void)
{
	unsigned char buf[4096];

	check_int(xnuma_peer_alive(o.peer), ==, 0);
	check_int(xnuma_get(o.memory, buf, at, 4096, NULL), ==, 0);
	check_int(other_differ((long)buf, 4096, 8), ==, 0);
	check_int(xnuma_send(o.peer, 0, NULL, 0), ==, 0);
}

static _Atomic int stop;

static void *run_copies(void *arg)
{
	unsigned char buf[4096];
	long *bad = arg;

	while (!stop)
		*bad += xnuma_get(o.memory, buf, at, 4096, NULL) != 0 ||
			other_differ((long)buf, 4096, 8);
	return NULL;
}

/* Forks in the middle of other threads' copies; children are usable. */
static void test_fork_busy(void)
{
	long bad[3] = { 0 };
	pthread_t thread[3];
	pid_t pid;
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, run_copies, &bad[i]);
	for (i = 0; i < 20; i++) {
		pid = fork();
		if (!pid) {
			check_int(xnuma_peer_alive(o.peer), ==, -ECHILD);
			xnuma_peer_close(o.peer);
			xnuma_domain_close(own);
			child_done();
		}
		check_child(pid);
	}
	stop = 1;
	for (i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		check_int(bad[i], ==, 0);
	}
}

static long job_fork_and_wait(long a, long b, long c)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	return pid;
}

/* The peer is dead although a child of it lives. */
static void test_orphan(void)
{
	pid_t child = other_do(&o, job_fork_and_wait, 0, 0, 0);
	double end;

	other_kill(&o);
	end = other_now() + 5;
	while (!xnuma_peer_alive(o.peer) && other_now() < end)
		usleep(1000);
	check_int(xnuma_peer_alive(o.peer), ==, -EPIPE);
	check_int(kill(child, SIGKILL), ==, 0);
}

int main(void)
{
	other_open_own(&config);
	other_start(&o, &config);
	at = other_do(&o, other_alloc, 4096, 0, 0);
	other_do(&o, other_fill, at, 4096, 8);
	other_need(!xnuma_alloc(own, 4096, -1, &mine), "alloc");

	TEST(test_inert(), "every call in a child is -ECHILD, close works");
	TEST(test_descriptors(), "a child keeps no descriptor");
	TEST(test_reopen(), "a child opens a domain of its own");
	TEST(test_parent_unharmed(), "the parent goes on as before");
	TEST(test_fork_busy(), "a fork in the middle of copies harms nobody");
	TEST(test_orphan(), "a dead peer's child does not keep it alive");
	other_forget(&o);
	xnuma_domain_close(own);
	return tap_done();
}
