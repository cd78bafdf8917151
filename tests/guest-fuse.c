/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-fuse.c - a file system in user space with one file, whose pages come
 * when the test says so, or never
 *
 * The server is a process of its own, which speaks to /dev/fuse itself. When it
 * ends, in whatever way, the kernel answers for it with errors, so that nobody
 * waits for longer than the test lives.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define FILE_SIZE	(4 * MIB)
#define FILE_BYTE	0x46
#define HELD		256

static struct {
	pid_t server;
	const char *mnt;
	volatile struct control {
		int hold;	/* reads wait */
		int held;	/* how many do */
		int async;
	} *ctl;			/* shared with the server */
} fuse;

static void reply(int fd, __u64 unique, int error, const void *data, size_t len)
{
	struct fuse_out_header out = { .len = (__u32)(sizeof(out) + len),
				       .error = -error, .unique = unique };
	struct iovec iov[2] = { { &out, sizeof(out) }, { (void *)data, len } };

	if (writev(fd, iov, 2) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attr_of(__u64 node)
{
	struct fuse_attr a = { .ino = node, .nlink = 1 };

	a.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0666;
	a.size = node == FUSE_ROOT_ID ? 0 : FILE_SIZE;
	return a;
}

static void answer_read(int fd, __u64 unique, const struct fuse_read_in *in)
{
	static char data[1 << 20];
	size_t len = in->size < sizeof(data) ? in->size : sizeof(data);

	memset(data, FILE_BYTE, sizeof(data));
	reply(fd, unique, 0, data, len);
}

static void answer(int fd, const struct fuse_in_header *in, const void *arg)
{
	struct fuse_init_out init = { .major = 7, .minor = 31,
				      .max_readahead = 4096,
				      .max_write = 4096, .max_background = 64 };
	struct fuse_entry_out entry = { .nodeid = 2, .entry_valid = 3600,
					.attr_valid = 3600,
					.attr = attr_of(2) };
	struct fuse_attr_out attr = { .attr_valid = 3600,
				      .attr = attr_of(in->nodeid) };
	struct fuse_open_out open = { .fh = 1 };

	switch (in->opcode) {
	case FUSE_INIT:
		init.flags = fuse.ctl->async ? FUSE_ASYNC_READ : 0;
		reply(fd, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		reply(fd, in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		reply(fd, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(fd, in->unique, 0, &open, sizeof(open));
		break;
	case FUSE_READ:
		answer_read(fd, in->unique, arg);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(fd, in->unique, ENOSYS, NULL, 0);
	}
}

/* Requests to read are put aside while they are to be held. */
static __attribute__((noreturn)) void server_main(int fd)
{
	static char buf[1 << 17], held[HELD][256];
	struct fuse_in_header *in = (void *)buf;
	size_t i;

	for (;;) {
		if (read(fd, buf, sizeof(buf)) < (ssize_t)sizeof(*in)) {
			if (errno != EAGAIN && errno != EINTR)
				_exit(0);
			usleep(2000);
		} else if (in->opcode == FUSE_READ && fuse.ctl->hold &&
			   fuse.ctl->held < HELD) {
			memcpy(held[fuse.ctl->held], buf, in->len);
			fuse.ctl->held++;
		} else {
			answer(fd, in, in + 1);
		}
		for (i = 0; !fuse.ctl->hold && i < (size_t)fuse.ctl->held; i++) {
			struct fuse_in_header *old = (void *)held[i];

			answer(fd, old, old + 1);
		}
		if (!fuse.ctl->hold)
			fuse.ctl->held = 0;
	}
}

int fuse_start(const char *mnt, bool async)
{
	char opt[100];
	int fd;

	if (system("modprobe fuse") || (mkdir(mnt, 0755) && errno != EEXIST))
		return -ENODEV;
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	fuse.ctl = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fuse.ctl->async = async;
	fuse.mnt = mnt;
	snprintf(opt, sizeof(opt),
		 "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", fd);
	if (mount("xnuma", mnt, "fuse", MS_NODEV | MS_NOSUID, opt))
		return -errno;
	fflush(stdout);
	fuse.server = fork();
	if (!fuse.server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		server_main(fd);
	}
	close(fd);
	return fuse.server < 0 ? -errno : 0;
}

void fuse_hold(bool hold)
{
	fuse.ctl->hold = hold;
}

int fuse_held(void)
{
	return fuse.ctl->held;
}

/* Whoever waits gets an error. */
void fuse_die(void)
{
	if (fuse.server > 0) {
		kill(fuse.server, SIGKILL);
		waitpid(fuse.server, NULL, 0);
	}
	fuse.server = -1;
}

int fuse_stop(void)
{
	fuse_die();
	munmap((void *)fuse.ctl, PAGE);
	return umount2(fuse.mnt, MNT_DETACH) ? -errno : 0;
}

long on_map_fuse(long at, long len, long off)
{
	char path[64];
	void *p;
	int fd;

	snprintf(path, sizeof(path), "%s/file", fuse.mnt);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	p = mmap((void *)at, (size_t)len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_FIXED, fd, off);
	close(fd);
	return p == MAP_FAILED ? -errno : 0;
}
