/* SPDX-License-Identifier: BSD-3-Clause */
/* guest-on.c - what peers are called to do. */

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

struct import mine = { .fd = -1 };

long on_map(long addr, long len, long flags)
{
	void *p = mmap((void *)addr, (size_t)len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS |
			       (flags ? (int)flags : MAP_FIXED_NOREPLACE),
		       -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	return madvise(p, (size_t)len, MADV_NOHUGEPAGE) ? -errno : 0;
}

long on_unmap(long addr, long len, long unused)
{
	return munmap((void *)addr, (size_t)len) ? -errno : 0;
}

long on_protect(long addr, long len, long prot)
{
	return mprotect((void *)addr, (size_t)len, (int)prot) ? -errno : 0;
}

long on_advise(long addr, long len, long advice)
{
	return madvise((void *)addr, (size_t)len, (int)advice) ? -errno : 0;
}

long on_fill(long addr, long len, long byte)
{
	memset((void *)addr, (int)byte, (size_t)len);
	return 0;
}

long on_stride(long addr, long n, long stride)
{
	for (; n--; addr += stride)
		*(volatile char *)addr = 0x31;
	return 0;
}

long on_load(long addr, long b, long c)
{
	return load((void *)addr);
}

long on_store(long addr, long byte, long c)
{
	return store((void *)addr, (int)byte);
}

long on_count(long addr, long len, long byte)
{
	const unsigned char *p = (void *)addr;
	long n = 0;

	for (; len--; p++)
		n += *p != byte;
	return n;
}

long on_fork(long a, long b, long c)
{
	pid_t parent = getpid(), pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)	/* it died before */
			_exit(0);
		close(3);	/* or the parent's end would not be seen */
		for (;;)
			pause();
	}
	return pid < 0 ? -errno : pid;
}

long on_kill(long pid, long b, long c)
{
	kill((pid_t)pid, SIGKILL);
	return waitpid((pid_t)pid, NULL, 0) == pid ? 0 : -errno;
}

long on_deny(long addr, long len, long c)
{
	return dev_range(own_fd, XPMEM_NUMA_DENY, own.handle, addr,
			 (size_t)len);
}

long on_allow(long addr, long len, long c)
{
	return dev_range(own_fd, XPMEM_NUMA_ALLOW, own.handle, addr,
			 (size_t)len);
}

long on_node(long addr, long b, long c)
{
	return node_of((void *)addr);
}

long on_drop(long uid, long gid, long group)
{
	gid_t groups[1] = { (gid_t)group };

	if (setgroups(group ? 1 : 0, groups) ||
	    setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid))
		return -errno;
	return prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

long on_import(long id, long len, long rights)
{
	return import_open(&mine, (__u64)id, (size_t)len, rights & 0xff,
			   (__u32)(rights >> 8));
}

long on_win_load(long off, long b, long c)
{
	return load(mine.win + off);
}

long on_win_store(long off, long byte, long c)
{
	return store(mine.win + off, (int)byte);
}

long on_valid(long a, long b, long c)
{
	return import_valid(&mine);
}

long on_import_close(long a, long b, long c)
{
	return import_close(&mine);
}

long on_mine(long a, long b, long c)
{
	return (long)mine.win;
}

long on_export_all(long rights, long b, long c)
{
	int ret;

	if (own_fd < 0)
		own_fd = dev_open();
	if (own_fd < 0)
		return own_fd;
	ret = dev_export(own_fd, NULL, 0, rights ? (__u32)rights : RW, &own);
	return ret ? ret : (long)own.id;
}
