/* SPDX-License-Identifier: BSD-3-Clause */
/* What is special about the port without a module. */

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#include "others.h"

#define LEN	(16 * OTHER_PAGE)

static struct xnuma_config config;
static char buffer[LEN];

static void test_named(void)
{
	struct xnuma_domain_attr attr;

	xnuma_domain_query(own, &attr);
	check_int(attr.port, ==, XNUMA_PORT_USER);
	check_str(attr.port_name, "user");
	check_str(attr.fallback, "");
	check_int(attr.caps & (XNUMA_CAP_MAP | XNUMA_CAP_DENY), ==, 0);
}

/* Without the module, auto says why it took this port. */
static void test_auto(void)
{
	struct xnuma_config its = config;
	struct xnuma_domain_attr attr;
	struct xnuma_domain *dom;

	its.port = XNUMA_PORT_AUTO;
	check_int(xnuma_domain_open(&its, &dom), ==, 0);
	xnuma_domain_query(dom, &attr);
	if (attr.port == XNUMA_PORT_USER)
		check(strstr(attr.fallback, "xpmem_numa"));
	else
		check_str(attr.fallback, "");
	xnuma_domain_close(dom);
	its.port = XNUMA_PORT_KMOD;
	if (attr.port == XNUMA_PORT_USER) {
		check_int(xnuma_domain_open(&its, &dom), ==, -ENODEV);
		check_str(xnuma_error(), "the module xpmem_numa is not loaded");
	}
}

/* What a file of the peer holds; memory here is never in a file system. */
static void test_sealed(void)
{
	char path[64];
	int fd, seen = 0;

	for (fd = 3; fd < 100; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, buffer, sizeof(buffer) - 1) < 0 ||
		    strncmp(buffer, "/memfd:xnuma", 12))
			continue;
		check_int(ftruncate(fd, 0), ==, -1);
		check_int(errno, ==, EPERM);
		seen++;
	}
	check_int(seen, >=, 2);
	memset(buffer, 0, sizeof(buffer));
}

static void test_writes_nothing_unasked(struct other *o)
{
	uint64_t at = other_do(o, other_map, 0, LEN, 0);

	/* the second half has gone: what a failed put wrote is a prefix */
	other_do(o, other_fill, at, LEN, 1);
	other_do(o, other_unmap, at + LEN / 2, LEN / 2, 0);
	memset(buffer, 7, LEN);
	check_int(xnuma_put(o->memory, at, buffer, LEN, NULL), ==, -EFAULT);
	check_int(xnuma_get(o->memory, buffer, at, LEN / 2, NULL), ==, 0);
	check_int(xnuma_atomic(o->memory, XNUMA_ADD, at, 8, 1, 0, NULL), ==,
		  -ENOTSUP);
}

static void test_no_window(struct other *o)
{
	uint64_t at = other_do(o, other_map, 0, LEN, 0);
	struct xnuma_window *win;
	void *p;

	check_int(xnuma_window_hold(o->memory, at, 8, &p, &win), ==, -ENOTSUP);
	at = other_do(o, other_alloc, LEN, 0, 0);
	check_int(xnuma_window_hold(o->memory, at, LEN, &p, &win), ==, 0);
	other_do(o, other_fill, at, LEN, 3);
	check_int(other_differ((long)p, LEN, 3), ==, 0);
	xnuma_window_release(win);
}

/* A signal for this process is not taken by the library's thread. */
static volatile sig_atomic_t signalled;
static pid_t signalled_in;

static void on_signal(int sig)
{
	signalled = 1;
	signalled_in = gettid();
}

static void test_signals(void)
{
	int i;

	signal(SIGUSR1, on_signal);
	for (i = 0; i < 50; i++) {
		signalled = 0;
		kill(getpid(), SIGUSR1);
		check_int(signalled, ==, 1);
		check_int(signalled_in, ==, getpid());
	}
}

/* A peer that stops answering costs one call its patience, not a hang. */
static void test_no_sigpipe(void)
{
	struct other o;

	signal(SIGPIPE, SIG_DFL);
	other_start(&o, &config);
	other_kill(&o);
	usleep(20000);
	xnuma_peer_wake(o.peer);
	xnuma_send(o.peer, 0, NULL, 0);
	other_forget(&o);
	check(1);
}

static int open_fds(void)
{
	struct pollfd p[256];
	int i, n = 0;

	for (i = 0; i < 256; i++)
		p[i] = (struct pollfd){ .fd = i };
	poll(p, 256, 0);
	for (i = 0; i < 256; i++)
		n += !(p[i].revents & POLLNVAL);
	return n;
}

static void test_no_leak(void)
{
	struct xnuma_domain *dom;
	struct other o;
	int before, i;

	other_start(&o, &config);
	other_stop(&o);
	usleep(50000);
	before = open_fds();
	for (i = 0; i < 5; i++) {
		check_int(xnuma_domain_open(&config, &dom), ==, 0);
		xnuma_domain_close(dom);
		other_start(&o, &config);
		other_kill(&o);
		other_forget(&o);
	}
	for (i = 0; i < 100 && open_fds() != before; i++)
		usleep(10000);
	check_int(open_fds(), ==, before);
}

static void test_few_files(void)
{
	struct rlimit old, few = { .rlim_cur = open_fds() + 2 };
	struct xnuma_domain *dom;

	getrlimit(RLIMIT_NOFILE, &old);
	few.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	check_int(xnuma_domain_open(&config, &dom), ==, -EMFILE);
	setrlimit(RLIMIT_NOFILE, &old);
	check_int(xnuma_domain_open(&config, &dom), ==, 0);
	xnuma_domain_close(dom);
}

/* Little address space, short files: the heap shrinks, the rest works. */
static void test_limits(void)
{
	struct rlimit as = { 2UL << 30, 2UL << 30 };
	struct rlimit file = { 32UL << 20, 32UL << 20 };
	struct xnuma_domain *dom;
	pid_t pid;
	void *p;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		xnuma_domain_close(own);
		check(!setrlimit(RLIMIT_AS, &as));
		check(!setrlimit(RLIMIT_FSIZE, &file));
		if (!check_int(xnuma_domain_open(&config, &dom), ==, 0))
			child_done();
		check_int(xnuma_alloc(dom, 1 << 20, -1, &p), ==, 0);
		memset(p, 1, 1 << 20);
		check_int(xnuma_alloc(dom, 1UL << 30, -1, &p), ==, -ENOMEM);
		xnuma_domain_close(dom);
		child_done();
	}
	check_child(pid);
}

int main(void)
{
	struct other o;

	xnuma_config_init(&config);
	config.port = XNUMA_PORT_USER;
	other_start(&o, &config);

	TEST(test_named(), "the port is what was asked for");
	TEST(test_auto(), "auto says why it fell back");
	TEST(test_sealed(), "shared files cannot shrink");
	TEST(test_writes_nothing_unasked(&o), "a put into a hole is -EFAULT");
	TEST(test_no_window(&o), "only xnuma_alloc() memory has windows");
	TEST(test_signals(), "the library's thread takes no signal");
	TEST(other_stop(&o), "the other process ends well");
	TEST(test_no_sigpipe(), "a dead peer raises no SIGPIPE");
	TEST(test_no_leak(), "descriptors are given back");
	TEST(test_few_files(), "without descriptors it fails and recovers");
	TEST(test_limits(), "small limits make the heap small");
	xnuma_domain_close(own);
	return tap_done();
}
