/* SPDX-License-Identifier: BSD-3-Clause */
/* guest-page.c - where pages are, and how they are made to go elsewhere. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest.h"

int page_move(pid_t pid, long addr, size_t npages, int node)
{
	int moved = 0, status[512], nodes[512];
	void *pages[512];
	size_t i;

	if (npages > 512)
		return -EINVAL;
	for (i = 0; i < npages; i++) {
		pages[i] = (void *)(addr + (long)(i * PAGE));
		nodes[i] = node;
	}
	if (syscall(SYS_move_pages, pid, npages, pages,
		    node < 0 ? NULL : nodes, status, 2 /* MPOL_MF_MOVE */) < 0)
		return -errno;
	if (node < 0)
		return status[0];
	for (i = 0; i < npages; i++)
		moved += status[i] == node;
	return moved;
}

int node_of(const void *addr)
{
	return page_move(0, (long)addr, 1, -1);
}

int node_bind(void *addr, size_t len, int node)
{
	unsigned long mask = 1UL << node;

	return syscall(SYS_mbind, addr, len, 2 /* MPOL_BIND */, &mask, 64, 0) ?
		       -errno :
		       0;
}

/*
 * Pages on their way to the lists that reclaim looks at are left out by it;
 * move_pages(), even of nothing, waits until all of them have arrived.
 */
static void pages_settle(pid_t pid, long addr)
{
	int node = page_move(pid, addr, 1, -1);

	page_move(pid, addr, 1, node < 0 ? 0 : node);
}

int page_out(pid_t pid, long addr, size_t len)
{
	struct iovec iov = { (void *)addr, len };
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	long ret;

	if (pidfd < 0)
		return -errno;
	pages_settle(pid, addr);
	ret = syscall(SYS_process_madvise, pidfd, &iov, 1, MADV_PAGEOUT, 0);
	ret = ret < 0 ? -errno : (size_t)ret == len ? 0 : -EIO;
	close(pidfd);
	return (int)ret;
}

#define ENTRIES 4096

static size_t page_entries(pid_t pid, long addr, uint64_t *entry, size_t n)
{
	ssize_t got;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = pread(fd, entry, n * sizeof(*entry), addr / (long)PAGE * 8);
	close(fd);
	return got < 0 ? 0 : (size_t)got / sizeof(*entry);
}

static uint64_t page_entry(pid_t pid, long addr)
{
	uint64_t entry;

	return page_entries(pid, addr, &entry, 1) == 1 ? entry : 0;
}

static long pages_with(pid_t pid, long addr, size_t npages, int bit)
{
	static uint64_t entry[ENTRIES];
	size_t i, n;
	long count = 0;

	n = page_entries(pid, addr, entry, npages < ENTRIES ? npages : ENTRIES);
	for (i = 0; i < n; i++)
		count += entry[i] >> bit & 1;
	return n == npages ? count : -EIO;
}

long pages_present(pid_t pid, long addr, size_t npages)
{
	return pages_with(pid, addr, npages, 63);
}

long pages_swapped(pid_t pid, long addr, size_t npages)
{
	return pages_with(pid, addr, npages, 62);
}

bool page_present(pid_t pid, long addr)
{
	return page_entry(pid, addr) >> 63;
}

bool page_swapped(pid_t pid, long addr)
{
	return page_entry(pid, addr) >> 62 & 1;
}

unsigned long page_frame(pid_t pid, long addr)
{
	uint64_t entry = page_entry(pid, addr);

	return entry >> 63 ? entry & ((1UL << 55) - 1) : 0;
}

long page_frames(pid_t pid, long addr, unsigned long *frame, size_t npages)
{
	uint64_t entry[512];
	size_t i, n, all;

	for (all = 0; all < npages; all += n) {
		n = npages - all < 512 ? npages - all : 512;
		if (page_entries(pid, addr + (long)(all * PAGE), entry, n) != n)
			return -EIO;
		for (i = 0; i < n; i++)
			frame[all + i] = entry[i] >> 63 ?
				entry[i] & ((1UL << 55) - 1) : 0;
	}
	return 0;
}
