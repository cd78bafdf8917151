// SPDX-License-Identifier: BSD-3-Clause
/*
 * first-fault - what the first touch of a peer's page costs
 *
 * One process exports 64 MiB that it has touched; another maps a window on it
 * and loads or stores once per 4 KiB page. The same loop over the pages that
 * are then mapped is subtracted. Under lab --icount a nanosecond is one
 * instruction, and the figures are exact.
 *
 *	first-fault [SMALL THP]		fail above so many ns per page
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "xpmem_numa.h"

#define PAGE	4096UL
#define HUGE	(2UL << 20)
#define LEN	(64UL << 20)
#define RIGHTS	(XPMEM_NUMA_READ | XPMEM_NUMA_WRITE)

enum way { WAY_READ, WAY_WRITE, WAY_PREFAULT, WAYS };

static void die(const char *what)
{
	fprintf(stderr, "first-fault: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static int device_open(void)
{
	int fd = open(XPMEM_NUMA_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(XPMEM_NUMA_DEVICE);
	return fd;
}

/*
 * LEN touched bytes, in pages of one kind. Not inherited: pages that the
 * importer has a copy of would first have to be copied for it to write.
 */
static char *buffer_alloc(int advice)
{
	char *ptr, *aligned;

	ptr = mmap(NULL, LEN + HUGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ptr == MAP_FAILED)
		die("mmap of the buffer");
	aligned = (char *)(((uintptr_t)ptr + HUGE - 1) & ~(HUGE - 1));
	if (madvise(aligned, LEN, advice) ||
	    madvise(aligned, LEN, MADV_DONTFORK))
		die("madvise");
	memset(aligned, 1, LEN);
	return aligned;
}

static uint64_t buffer_export(int fd, char *buf)
{
	struct xpmem_numa_export exp = {
		.addr = (uintptr_t)buf, .len = LEN, .rights = RIGHTS,
	};

	if (ioctl(fd, XPMEM_NUMA_EXPORT, &exp))
		die("EXPORT");
	return exp.id;
}

static unsigned int buffer_import(int fd, uint64_t id)
{
	struct xpmem_numa_query query = { 0 };
	struct xpmem_numa_import imp = { .id = id, .rights = RIGHTS };

	if (ioctl(fd, XPMEM_NUMA_QUERY, &query))
		die("QUERY");
	imp.partition = query.partition;
	if (ioctl(fd, XPMEM_NUMA_IMPORT, &imp))
		die("IMPORT");
	return imp.handle;
}

static void touch_read(volatile char *win)
{
	size_t off;

	for (off = 0; off < LEN; off += PAGE)
		(void)win[off];
}

static void touch_write(volatile char *win)
{
	size_t off;

	for (off = 0; off < LEN; off += PAGE)
		win[off] = 2;
}

static void prefault(int fd, unsigned int handle, const char *buf)
{
	struct xpmem_numa_prefault pre = {
		.handle = handle, .va = (uintptr_t)buf, .len = LEN,
		.rights = XPMEM_NUMA_READ,
	};

	if (ioctl(fd, XPMEM_NUMA_PREFAULT, &pre) || pre.done != LEN)
		die("PREFAULT");
}

/* Returns ns per page of going through a fresh window. */
static double window_cost(int fd, unsigned int handle, const char *buf,
			  enum way way)
{
	void (*touch)(volatile char *win) =
		way == WAY_WRITE ? touch_write : touch_read;
	double start, first, again;
	char *win;

	win = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   XPMEM_NUMA_OFFSET(handle, (uintptr_t)buf));
	if (win == MAP_FAILED)
		die("mmap of the window");
	start = now();
	if (way == WAY_PREFAULT)
		prefault(fd, handle, buf);
	touch(win);
	first = now() - start;
	start = now();
	touch(win);
	again = now() - start;
	munmap(win, LEN);
	return (first - again) / (LEN / PAGE);
}

/* Runs in the importer; returns 1 when @limit is passed. */
static int report(const char *kind, const char *buf, uint64_t id, double limit)
{
	int fd = device_open(), over = 0, way;
	unsigned int handle = buffer_import(fd, id);
	double cost;

	printf("%-8s", kind);
	for (way = 0; way < WAYS; way++) {
		cost = window_cost(fd, handle, buf, way);
		printf("%16.1f", cost);
		over |= limit > 0 && cost > limit;
	}
	printf("\n");
	fflush(stdout);
	close(fd);
	if (over)
		fprintf(stderr, "first-fault: %s: more than %.0f\n", kind,
			limit);
	return over;
}

static int measure(const char *kind, int advice, double limit)
{
	char *buf = buffer_alloc(advice);
	int fd = device_open(), status;
	uint64_t id = buffer_export(fd, buf);
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		_exit(report(kind, buf, id, limit));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("the importer");
	close(fd);
	munmap(buf, LEN);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	double small = argc == 3 ? atof(argv[1]) : 0;
	double thp = argc == 3 ? atof(argv[2]) : 0;
	int ret;

	if (argc != 1 && (argc != 3 || small <= 0 || thp <= 0)) {
		fprintf(stderr, "usage: first-fault [SMALL THP]\n");
		return 2;
	}
	printf("# First touch of 64 MiB, ns per 4 KiB page\n");
	printf("%-8s%16s%16s%16s\n", "# Pages", "read", "write", "prefault");
	ret = measure("4K", MADV_NOHUGEPAGE, small);
	ret |= measure("THP", MADV_HUGEPAGE, thp);
	return ret;
}
