// SPDX-License-Identifier: BSD-3-Clause
/*
 * count - what mapping a peer's memory costs, in instructions
 *
 *	count [--xpmem LIBRARY] [--heap MIB]
 *
 * Runs in a guest under lab --icount, started by kmod, which makes tables of
 * its lines "section<TAB>what<TAB>figure". With --xpmem it measures XPMEM by
 * that library.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "count.h"

const struct port *port = &port_kmod;
const char *const kind_name[KINDS] = { "4 KiB", "THP", "hugetlb" };
static double clock_cost;

void die(const char *what)
{
	fprintf(stderr, "count: %s: %s\n", what, strerror(errno));
	exit(2);
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

void row(double value, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	vprintf(what, args);
	va_end(args);
	printf("\t%.1f\n", value);
	fflush(stdout);
}

double least(double a, double b)
{
	return a && a < b ? a : b;
}

/* ---- the owner ---- */

long on_area(long len, long kind, long zero)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
	char *p;

	(void)zero;
	if (kind == KIND_HUGETLB)
		flags |= MAP_HUGETLB;
	p = mmap((void *)AREA, (size_t)len, PROT_READ | PROT_WRITE, flags, -1,
		 0);
	if (p == MAP_FAILED)
		return -errno;
	if (kind != KIND_HUGETLB &&
	    madvise(p, (size_t)len,
		    kind == KIND_THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		return -errno;
	touch_write(p, (size_t)len, PAGE);
	return 0;
}

long on_gone(long addr, long len, long zero)
{
	(void)zero;
	return munmap((void *)addr, (size_t)len) ? -errno : 0;
}

long on_offer(long addr, long len, long zero)
{
	(void)zero;
	return port->offer((void *)addr, (size_t)len);
}

long on_withdraw(long id, long zero, long nil)
{
	(void)zero;
	(void)nil;
	port->withdraw(id);
	return 0;
}

static long since(double start)
{
	return (long)(now() - start - clock_cost);
}

long on_time_advise(long addr, long len, long advice)
{
	double start = now();

	return madvise((void *)addr, (size_t)len, (int)advice) ? -errno :
								since(start);
}

long on_time_unmap(long addr, long len, long zero)
{
	double start = now();

	(void)zero;
	return munmap((void *)addr, (size_t)len) ? -errno : since(start);
}

/* The child goes at once: what it costs later is its own. */
long on_time_fork(long zero, long nil, long nought)
{
	double start = now();
	pid_t pid = fork();
	long cost;

	(void)zero;
	(void)nil;
	(void)nought;
	if (!pid)
		_exit(0);
	cost = since(start);
	return waitpid(pid, NULL, 0) == pid ? cost : -errno;
}

/* ---- the importer ---- */

void share_begin(struct share *s, struct peer *owner, size_t len)
{
	s->owner = owner;
	s->len = len;
	s->id = peer_call(owner, on_offer, AREA, (long)len, 0);
	s->handle = port->take(s->id);
	s->win = port->map(s->handle, arena_hint(len), (char *)AREA, len);
}

void share_end(struct share *s)
{
	if (s->win)
		port->unmap(s->win, s->len);
	port->drop(s->handle);
	peer_call(s->owner, on_withdraw, s->id, 0, 0);
}

void touch_read(volatile char *win, size_t len, size_t step)
{
	size_t off;

	for (off = 0; off < len; off += step)
		(void)win[off];
}

void touch_write(volatile char *win, size_t len, size_t step)
{
	size_t off;

	for (off = 0; off < len; off += step)
		win[off] = 2;
}

static double clock_calibrate(void)
{
	double start, cost = 0;
	int i;

	for (i = 0; i < 100; i++) {
		start = now();
		cost = least(cost, now() - start);
	}
	return cost;
}

/* hugetlb pages for LEN: the lab sets fewer aside. */
static void pages_reserve(void)
{
	FILE *f = fopen("/proc/sys/vm/nr_hugepages", "w");

	if (f) {
		fprintf(f, "%lu\n", LEN / (2 * MIB) + 1);
		fclose(f);
	}
}

int main(int argc, char **argv)
{
	size_t heap = 1024 * MIB;
	struct peer owner[4];
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--xpmem")) {
			port = &port_xpmem;
			port->setup(argv[i + 1]);
		} else if (!strcmp(argv[i], "--heap")) {
			heap = strtoul(argv[i + 1], NULL, 10) * MIB;
		} else {
			break;
		}
	}
	if (i != argc) {
		fprintf(stderr, "usage: count [--xpmem LIBRARY] [--heap MIB]\n");
		return 2;
	}
	pages_reserve();
	clock_cost = clock_calibrate();
	for (i = 0; i < 4; i++)		/* before the importer opens a device */
		if (peer_start(&owner[i]))
			die("fork");
	count_touch(&owner[0]);
	count_revoke(&owner[0]);
	peer_stop(&owner[0]);
	count_events(&owner[1]);
	peer_stop(&owner[1]);
	count_heap(&owner[2], heap);
	return 0;
}
