/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-fs.c - a small ext4 of the test's own, which can be frozen.
 *
 * A frozen file system outlives the test that froze it, and then nobody who
 * waits for it can ever be killed. So a process of its own, in a session of its
 * own, waits for the test to end in whatever way, and thaws.
 */

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "guest.h"

static struct {
	int dir;
	int alive;	/* its other end is closed when the test ends */
	pid_t keeper;
} fs;

static __attribute__((noreturn)) void keeper_main(int gone)
{
	char byte;

	setsid();
	if (dup2(fs.dir, 0) < 0 || dup2(gone, 1) < 0 || close_range(2, ~0U, 0))
		_exit(1);
	while (read(1, &byte, 1) < 0 && errno == EINTR)
		;
	ioctl(0, FITHAW, 0);
	_exit(0);
}

int fs_mount(const char *dev, const char *mnt)
{
	char cmd[256];
	int p[2];

	snprintf(cmd, sizeof(cmd),
		 "modprobe brd && mkfs.ext4 -q -F %s && mkdir -p %s && mount %s %s",
		 dev, mnt, dev, mnt);
	if (system(cmd))
		return -ENODEV;
	fs.dir = open(mnt, O_RDONLY | O_CLOEXEC);
	if (fs.dir < 0 || pipe2(p, O_CLOEXEC))
		return -errno;
	fflush(stdout);
	fs.keeper = fork();
	if (!fs.keeper) {
		close(p[1]);
		keeper_main(p[0]);
	}
	close(p[0]);
	fs.alive = p[1];
	return fs.keeper < 0 ? -errno : 0;
}

int fs_umount(const char *mnt)
{
	close(fs.dir);
	close(fs.alive);
	waitpid(fs.keeper, NULL, 0);
	return umount2(mnt, 0) ? -errno : 0;
}

int fs_freeze(void)
{
	sync();
	return ioctl(fs.dir, FIFREEZE, 0) ? -errno : 0;
}

int fs_thaw(void)
{
	return ioctl(fs.dir, FITHAW, 0) ? -errno : 0;
}
