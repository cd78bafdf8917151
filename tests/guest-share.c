/* SPDX-License-Identifier: BSD-3-Clause */
/* guest-share.c - the device, owners, imports and their windows. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

struct xpmem_numa_export own;
int own_fd = -1;

int dev_open(void)
{
	int fd = open(XPMEM_NUMA_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int dev_call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

int dev_export(int fd, const void *addr, size_t len, __u32 rights,
	       struct xpmem_numa_export *ex)
{
	memset(ex, 0, sizeof(*ex));
	ex->addr = (uintptr_t)addr;
	ex->len = len;
	ex->rights = rights;
	return dev_call(fd, XPMEM_NUMA_EXPORT, ex);
}

int dev_import(int fd, __u64 id, __u32 rights, __u32 flags,
	       struct xpmem_numa_import *im)
{
	struct xpmem_numa_query q = { 0 };
	int ret = dev_call(fd, XPMEM_NUMA_QUERY, &q);

	memset(im, 0, sizeof(*im));
	im->id = id;
	im->partition = q.partition;
	im->rights = rights;
	im->flags = flags;
	return ret ? ret : dev_call(fd, XPMEM_NUMA_IMPORT, im);
}

int dev_handle(int fd, unsigned long cmd, __u32 handle)
{
	struct xpmem_numa_handle arg = { .handle = handle };

	return dev_call(fd, cmd, &arg);
}

int dev_range(int fd, unsigned long cmd, __u32 handle, long va, size_t len)
{
	struct xpmem_numa_range arg = { .handle = handle, .va = (__u64)va,
					.len = len };

	return dev_call(fd, cmd, &arg);
}

long dev_prefault(int fd, __u32 handle, long va, size_t len, __u32 rights,
		  __u32 flags)
{
	struct xpmem_numa_prefault arg = { .handle = handle, .va = (__u64)va,
					   .len = len, .rights = rights,
					   .flags = flags };
	int ret = dev_call(fd, XPMEM_NUMA_PREFAULT, &arg);

	return ret ? ret : (long)arg.done;
}

void *arena_hint(size_t len)
{
	static uintptr_t next = 0x200000000000;
	uintptr_t hint = next;

	len = (len + 2 * MIB - 1) & -(2 * MIB);
	if (hint + len > 0x600000000000)
		hint = 0x200000000000;
	next = hint + len + 2 * MIB;
	return (void *)hint;
}

void *dev_window(int fd, __u32 handle, long va, size_t len, int prot)
{
	/* congruent with the owner: huge pages stay huge */
	char *hint = (char *)arena_hint(len + 2 * MIB) + va % (2 * MIB);

	return mmap(hint, len, prot, MAP_SHARED | MAP_FIXED_NOREPLACE, fd,
		    (off_t)XPMEM_NUMA_OFFSET(handle, va));
}

static int import_map(struct import *im, size_t len)
{
	int prot = PROT_READ | (im->rights & XPMEM_NUMA_WRITE ? PROT_WRITE : 0);
	void *st, *win;

	st = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, im->fd,
		  (off_t)XPMEM_NUMA_OFFSET(im->handle, XPMEM_NUMA_STATUS));
	if (st == MAP_FAILED)
		return -errno;
	im->st = st;
	im->ex = (void *)((char *)st + PAGE);
	if (!len)
		return 0;
	win = dev_window(im->fd, im->handle, AREA, len, prot);
	if (win == MAP_FAILED)
		return -errno;
	im->win = win;
	im->len = len;
	return 0;
}

int import_open(struct import *im, __u64 id, size_t len, __u32 rights,
		__u32 flags)
{
	struct xpmem_numa_import arg;
	int ret;

	memset(im, 0, sizeof(*im));
	im->fd = dev_open();
	if (im->fd < 0)
		return im->fd;
	ret = dev_import(im->fd, id, rights, flags, &arg);
	im->handle = arg.handle;
	im->rights = rights;
	if (!ret)
		ret = import_map(im, len);
	if (ret)
		import_close(im);
	return ret;
}

int import_close(struct import *im)
{
	int ret = 0;

	if (im->win)
		ret |= munmap(im->win, im->len);
	if (im->st)
		ret |= munmap((void *)im->st, 2 * PAGE);
	if (im->fd >= 0)
		ret |= close(im->fd);
	memset(im, 0, sizeof(*im));
	im->fd = -1;
	return ret;
}

bool import_valid(const struct import *im)
{
	__u64 poisoned, cleared;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	cleared = __atomic_load_n(&im->st->cleared, __ATOMIC_ACQUIRE);
	poisoned = __atomic_load_n(&im->st->poisoned, __ATOMIC_ACQUIRE);
	return poisoned == cleared;
}

static long on_export(long len, long rights, long id)
{
	long ret = len ? on_map(AREA, len, 0) : 0;

	if (ret < 0)
		return ret;
	own_fd = dev_open();
	if (own_fd < 0)
		return own_fd;
	ret = dev_export(own_fd, NULL, 0, (__u32)rights, &own);
	*(__u64 *)id = own.id;
	return ret;
}

int owner_start(struct owner *o, size_t len, __u32 rights)
{
	__u64 *id = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ret = id == MAP_FAILED ? -errno : peer_start(&o->peer);

	if (ret)
		return ret;
	ret = (int)peer_call(&o->peer, on_export, (long)len, rights, (long)id);
	o->id = *id;
	munmap(id, PAGE);
	if (ret)
		owner_stop(o);
	return ret;
}

int owner_stop(struct owner *o)
{
	return peer_stop(&o->peer);
}

int share_open(struct owner *o, struct import *im, size_t len, __u32 owned,
	       __u32 rights, __u32 flags)
{
	int ret = owner_start(o, len, owned);

	im->fd = -1;
	if (ret)
		return ret;
	ret = import_open(im, o->id, len, rights, flags);
	if (ret)
		owner_stop(o);
	return ret;
}

void share_close(struct owner *o, struct import *im)
{
	import_close(im);
	owner_stop(o);
}
