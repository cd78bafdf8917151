/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file belongs to the address space of its first EXPORT or IMPORT. A forked
 * child, the receiver of a passed descriptor and a program after exec are
 * strangers to it, and can do no harm by closing it.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "guest.h"
#include "tap.h"

#define LEN	(4 * PAGE)

static struct owner o;
static struct import im;
static struct xpmem_numa_export ex;

/* Everything that a stranger can try with the file @fd. */
static void check_stale(int fd)
{
	struct xpmem_numa_query q = { 0 };
	struct xpmem_numa_stats stats = { 0 };
	struct xpmem_numa_import i;
	struct xpmem_numa_export e;
	__u64 count;

	check_int(dev_call(fd, XPMEM_NUMA_QUERY, &q), ==, -ESTALE);
	check_int(dev_call(fd, XPMEM_NUMA_STATS_READ, &stats), ==, -ESTALE);
	check_int(dev_export(fd, NULL, 0, RW, &e), ==, -ESTALE);
	memset(&i, 0, sizeof(i));
	i.id = o.id;
	i.rights = RO;
	check_int(dev_call(fd, XPMEM_NUMA_IMPORT, &i), ==, -ESTALE);
	check_int(dev_handle(fd, XPMEM_NUMA_UNEXPORT, ex.handle), ==, -ESTALE);
	check_int(dev_handle(fd, XPMEM_NUMA_UNIMPORT, im.handle), ==, -ESTALE);
	check_int(dev_handle(fd, XPMEM_NUMA_WAKE, im.handle), ==, -ESTALE);
	check_int(dev_range(fd, XPMEM_NUMA_DENY, ex.handle, 0, 0), ==, -ESTALE);
	check_int(dev_range(fd, XPMEM_NUMA_ALLOW, ex.handle, 0, 0), ==,
		  -ESTALE);
	check_int(dev_range(fd, XPMEM_NUMA_RESET, im.handle, 0, 0), ==,
		  -ESTALE);
	check_int((int)dev_prefault(fd, im.handle, AREA, PAGE, RO, 0), ==,
		  -ESTALE);
	check(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd,
		   (off_t)XPMEM_NUMA_OFFSET(im.handle, AREA)) == MAP_FAILED);
	check_int(errno, ==, ESTALE);
	check_int(fcntl(fd, F_SETFL, O_NONBLOCK), ==, 0);
	check_int(read(fd, &count, sizeof(count)), ==, -1);
	check_int(errno, ==, ESTALE);
}

static void begin(void)
{
	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(peer_call(&o.peer, on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(dev_export(im.fd, NULL, 0, RW, &ex), ==, 0);
	check_int(load(im.win), ==, 0x31);
}

/* All that the owner of the file had still works. */
static void end(void)
{
	check_int(load(im.win + PAGE), ==, 0x31);
	check_int(peer_call(&o.peer, on_import, (long)ex.id, 0, RW), ==, 0);
	check_int(dev_handle(im.fd, XPMEM_NUMA_WAKE, im.handle), ==, 0);
	check_int(dev_handle(im.fd, XPMEM_NUMA_UNEXPORT, ex.handle), ==, 0);
	share_close(&o, &im);
}

static void test_fork(void)
{
	long before = stat_read("estale");
	pid_t pid;

	begin();
	pid = fork();
	if (!pid) {
		check_stale(im.fd);
		close(im.fd);
		child_done();
	}
	check_child(pid);
	check_int(stat_read("estale") - before, ==, 13);
	end();
}

static long on_own_file(long flags, long b, long c)
{
	int ret = import_open(&mine, (__u64)b, (size_t)c, RW, 0);

	return ret ? ret : load(mine.win);
}

/* The child's own file is as good as the parent's. */
static void test_reopen(void)
{
	struct peer child;

	begin();
	check_int(peer_start(&child), ==, 0);
	check_int(peer_call(&child, on_own_file, 0, (long)o.id, LEN), ==, 0x31);
	check_int(peer_stop(&child), ==, 0);
	end();
}

static int socket_pass(int sock, int fd)
{
	char data = 'x', control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &data, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int socket_take(int sock)
{
	char data, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &data, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(sock, &msg, 0) != 1)
		return -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (!c)
		return -ENOMSG;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* The receiver is forked before there is a file, so it inherits none. */
static void test_socket(void)
{
	int sv[2], got;
	pid_t pid;

	check_int(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), ==, 0);
	pid = fork();
	if (!pid) {
		/* the sender's end, or its death would not be seen */
		close(sv[0]);
		got = socket_take(sv[1]);
		check_int(got, >=, 0);
		check_stale(got);
		child_done();
	}
	close(sv[1]);
	begin();
	check_int(socket_pass(sv[0], im.fd), ==, 0);
	check_child(pid);
	close(sv[0]);
	end();
}

/* Nobody's file as yet: the first to use it gets it. */
static void test_unbound(void)
{
	struct xpmem_numa_query q = { 0 };
	struct xpmem_numa_export e;
	int fd = dev_open();
	pid_t pid;

	begin();
	check_int(dev_call(fd, XPMEM_NUMA_QUERY, &q), ==, 0);
	pid = fork();
	if (!pid) {
		check_int(dev_call(fd, XPMEM_NUMA_QUERY, &q), ==, 0);
		check_int(dev_export(fd, NULL, 0, RO, &e), ==, 0);
		child_done();
	}
	check_child(pid);
	check_int(dev_export(fd, NULL, 0, RO, &e), ==, -ESTALE);
	check_int(close(fd), ==, 0);
	end();
}

/* Across exec without O_CLOEXEC; the handles die with the old memory. */
static void test_exec(void)
{
	char text[16];
	pid_t pid;
	int fd;

	begin();
	pid = fork();
	if (!pid) {
		fd = open(XPMEM_NUMA_DEVICE, O_RDWR);
		snprintf(text, sizeof(text), "%d", fd);
		check_int(dev_export(fd, NULL, 0, RO, &ex), ==, 0);
		execl("/proc/self/exe", "g-stale", text, NULL);
		_exit(2);
	}
	check_child(pid);
	end();
}

/* What the exec'd program does; its exit status is the verdict. */
static int after_exec(int fd)
{
	struct xpmem_numa_query q = { 0 };

	return dev_call(fd, XPMEM_NUMA_QUERY, &q) == -ESTALE ? 0 : 1;
}

static void test_exec_export(void)
{
	check(stat_settles("exports", 0));
	test_exec();
	check(stat_settles("exports", 0));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return after_exec(atoi(argv[1]));
	guest_begin();
	TEST(test_fork(), "a forked child gets ESTALE from each call");
	TEST(test_reopen(), "a forked child opens the device anew");
	TEST(test_socket(), "the receiver of the file gets ESTALE");
	TEST(test_unbound(), "a file belongs to the first who exports by it");
	TEST(test_exec_export(), "after exec the file is another's");
	return tap_done();
}
