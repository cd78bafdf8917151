/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * others.h - other processes, each with a domain of its own, that do as told
 *
 *	other_start(&o, &config);
 *	other_do(&o, other_map, addr, len);
 *	check_int(xnuma_get(o.memory, ...), ==, 0);
 *	other_stop(&o);
 *
 * Both sides have the other as a peer. A job is a function of this program, run
 * in the other process, which is a fork; its arguments and result are numbers.
 */
#ifndef XNUMA_TESTS_OTHERS_H
#define XNUMA_TESTS_OTHERS_H

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "tap.h"
#include "xnuma.h"

#define OTHER_PAGE	4096UL

typedef long (*other_job)(long a, long b, long c);

struct other {
	pid_t pid;
	int fd;				/* socket to it */
	struct xnuma_peer *peer;
	struct xnuma_import *memory;
	uint8_t blob[XNUMA_BLOB_LEN];
};

/* Of this process, which may be the other one. */
static TAP_UNUSED struct xnuma_domain *own;
static TAP_UNUSED struct xnuma_peer *master;	/* in another: who tells */
static TAP_UNUSED struct xnuma_import *master_memory;

struct other_order {
	other_job job;
	long arg[3];
};

static TAP_UNUSED void other_need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%d: %s: %s (%s)\n", getpid(), what, xnuma_error(),
		strerror(errno));
	_exit(99);
}

/* In a folder; 0 if there is none. */
static TAP_UNUSED int entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static TAP_UNUSED double other_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static TAP_UNUSED int other_transfer(int fd, void *data, size_t len, int out)
{
	ssize_t n = out ? send(fd, data, len, MSG_NOSIGNAL) :
			  recv(fd, data, len, 0);

	return n == (ssize_t)len;
}

static TAP_UNUSED void other_loop(int fd, const struct xnuma_config *config)
{
	uint8_t mine[XNUMA_BLOB_LEN], his[XNUMA_BLOB_LEN];
	struct other_order order;
	long ret;

	other_need(!xnuma_domain_open(config, &own), "open");
	xnuma_domain_pack(own, mine);
	other_need(other_transfer(fd, mine, sizeof(mine), 1), "send");
	other_need(other_transfer(fd, his, sizeof(his), 0), "receive");
	other_need(!xnuma_peer_open(own, his, &master), "peer");
	master_memory = xnuma_peer_memory(master);
	while (other_transfer(fd, &order, sizeof(order), 0)) {
		if (!order.job)
			break;
		ret = order.job(order.arg[0], order.arg[1], order.arg[2]);
		if (!other_transfer(fd, &ret, sizeof(ret), 1))
			_exit(98);
	}
	xnuma_peer_close(master);
	xnuma_domain_close(own);
	child_done();
}

/* Opens @own as well, if it is not open: after the fork, for sanitizers. */
static TAP_UNUSED void other_start(struct other *o,
				   const struct xnuma_config *config)
{
	struct xnuma_config its = *config;
	uint8_t mine[XNUMA_BLOB_LEN];
	int fds[2];

	other_need(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds),
		   "socketpair");
	fflush(stdout);
	o->pid = fork();
	other_need(o->pid >= 0, "fork");
	if (!o->pid) {
		close(fds[0]);
		its.name = getpid();
		xnuma_domain_close(own);	/* the parent's, inert here */
		other_loop(fds[1], &its);
	}
	close(fds[1]);
	o->fd = fds[0];
	other_need(own || !xnuma_domain_open(config, &own), "open");
	xnuma_domain_pack(own, mine);
	other_need(other_transfer(o->fd, o->blob, sizeof(o->blob), 0),
		   "receive");
	other_need(other_transfer(o->fd, mine, sizeof(mine), 1), "send");
	other_need(!xnuma_peer_open(own, o->blob, &o->peer), "peer");
	o->memory = xnuma_peer_memory(o->peer);
}

static TAP_UNUSED long other_do(struct other *o, other_job job, long a, long b,
				long c)
{
	struct other_order order = { job, { a, b, c } };
	long ret = -EPIPE;

	other_need(other_transfer(o->fd, &order, sizeof(order), 1), "order");
	other_need(other_transfer(o->fd, &ret, sizeof(ret), 0), "answer");
	return ret;
}

/* It ends without a word to its peers. */
static TAP_UNUSED void other_kill(struct other *o)
{
	kill(o->pid, SIGKILL);
	waitpid(o->pid, NULL, 0);
}

static TAP_UNUSED void other_forget(struct other *o)
{
	xnuma_peer_close(o->peer);
	close(o->fd);
}

/* It closes its domain and reports its checks. */
static TAP_UNUSED void other_stop(struct other *o)
{
	struct other_order order = { 0 };

	other_transfer(o->fd, &order, sizeof(order), 1);
	check_child(o->pid);
	other_forget(o);
}

/* ---- jobs ---- */

static TAP_UNUSED long other_map(long addr, long len, long c)
{
	void *p = mmap((void *)addr, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS |
			       (addr ? MAP_FIXED_NOREPLACE : 0), -1, 0);

	return p == MAP_FAILED ? -errno : (long)p;
}

static TAP_UNUSED long other_unmap(long addr, long len, long c)
{
	return munmap((void *)addr, len) ? -errno : 0;
}

static TAP_UNUSED long other_alloc(long len, long b, long c)
{
	void *p;
	int ret = xnuma_alloc(own, len, -1, &p);

	return ret ? ret : (long)p;
}

static TAP_UNUSED long other_free(long addr, long b, long c)
{
	xnuma_free(own, (void *)addr);
	return 0;
}

static TAP_UNUSED unsigned char other_byte(long at, long seed)
{
	return (at * 2654435761UL >> 7) + seed;
}

static TAP_UNUSED long other_fill(long addr, long len, long seed)
{
	unsigned char *p = (void *)addr;
	long i;

	for (i = 0; i < len; i++)
		p[i] = other_byte(i, seed);
	return 0;
}

/* Bytes that differ from what other_fill() writes. */
static TAP_UNUSED long other_differ(long addr, long len, long seed)
{
	const unsigned char *p = (void *)addr;
	long i, differ = 0;

	for (i = 0; i < len; i++)
		differ += p[i] != other_byte(i, seed);
	return differ;
}

static TAP_UNUSED void other_open_own(struct xnuma_config *config)
{
	other_need(!xnuma_config_init(config), "config");
	other_need(!xnuma_domain_open(config, &own), "open");
}

static TAP_UNUSED int other_is_kmod(void)
{
	struct xnuma_domain_attr attr;

	xnuma_domain_query(own, &attr);
	return attr.port == XNUMA_PORT_KMOD;
}

#endif
