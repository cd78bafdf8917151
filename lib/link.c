/* SPDX-License-Identifier: BSD-3-Clause */
/* link.c - what is said on a connection between two domains */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "server.h"

#define LINK_MAGIC	0x786e756d614c6e32ULL
#define LINK_TIMEOUT	30	/* seconds, for a stopped or swamped peer */

struct request {
	uint64_t magic;
	uint64_t id;
	uint64_t name;
	uint64_t stay;		/* 0: only for the descriptors */
	uint8_t key[XNUMA_KEY_LEN];
};

struct reply {
	uint64_t magic;
	int32_t status;		/* 0 or -errno */
	uint32_t fds;		/* bit n: descriptor n of NFDS is attached */
};

/* Abstract: nothing to leak in a file system. Returns the address's length. */
int link_name(uint64_t id, void *addr)
{
	struct sockaddr_un *un = addr;
	int len;

	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	len = snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1,
		       "xnuma-%016llx", (unsigned long long)id);
	return offsetof(struct sockaddr_un, sun_path) + 1 + len;
}

static bool in_group(int fd, gid_t primary, gid_t gid)
{
	gid_t groups[1024];
	socklen_t len = sizeof(groups);
	size_t i;

	if (primary == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* As the kernel module: the bits of one class decide, root is let in. */
bool link_permitted(const struct xnuma_domain *dom, int fd)
{
	mode_t mode = dom->config.mode;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return false;
	if (!cred.uid)
		return true;
	if (cred.uid == geteuid())
		mode >>= 6;
	else if (in_group(fd, cred.gid, dom->config.gid))
		mode >>= 3;
	return (mode & 06) == 06;
}

/* In constant time: nobody learns how many bytes were right. */
static bool key_matches(const uint8_t *a, const uint8_t *b)
{
	volatile uint8_t differ = 0;
	int i;

	for (i = 0; i < XNUMA_KEY_LEN; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

static int send_reply(int fd, struct reply *reply, const int *fds, int nfds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(NFDS * sizeof(int))];
	} control;
	struct iovec iov = { reply, sizeof(*reply) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (nfds) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* 0: it stays. */
int link_answer(const struct server *server, struct link *link)
{
	const struct region *region = &server->dom->region;
	const int own[NFDS] = {
		[FD_QUEUE] = region->queue_fd,
		[FD_HEAP] = region->heap_fd,
		[FD_EVENT] = server->event_fd,
	};
	struct reply reply = { .magic = LINK_MAGIC };
	struct request request;
	int fds[NFDS], nfds = 0, i;

	if (recv(link->fd, &request, sizeof(request), MSG_DONTWAIT) !=
	    sizeof(request) || request.magic != LINK_MAGIC)
		return -EPROTO;
	if (request.id != server->id ||
	    !key_matches(request.key, server->dom->config.key))
		reply.status = -EACCES;
	for (i = 0; i < NFDS && !reply.status; i++) {
		if (own[i] < 0)
			continue;
		reply.fds |= 1U << i;
		fds[nfds++] = own[i];
	}
	link->name = request.name;
	link->served = !reply.status && request.stay;
	i = send_reply(link->fd, &reply, fds, nfds);
	return i ? i : !link->served;
}

static void take_fds(struct msghdr *msg, uint32_t bits, int fds[NFDS])
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	int got[NFDS], n, used = 0, i;

	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET ||
	    cmsg->cmsg_type != SCM_RIGHTS)
		return;
	n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(got, CMSG_DATA(cmsg), n * sizeof(int));
	for (i = 0; i < NFDS && used < n; i++)
		if (bits & 1U << i)
			fds[i] = got[used++];
	while (used < n)
		close(got[used++]);
}

static int take_reply(int fd, const struct blob *blob, int fds[NFDS])
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(NFDS * sizeof(int))];
	} control;
	struct reply reply = { 0 };
	struct iovec iov = { &reply, sizeof(reply) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t len;

	do {
		len = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len < 0 && errno == EAGAIN)
		return error(-ETIMEDOUT, "pid %d does not answer", blob->pid);
	if (len == 0 || (len < 0 && errno == ECONNRESET))
		return error(-EACCES, "pid %d did not let this user in, or "
			     "ended just now", blob->pid);
	if (len != sizeof(reply) || reply.magic != LINK_MAGIC)
		return error(-EPROTO, "pid %d answers nonsense", blob->pid);
	take_fds(&msg, reply.fds, fds);
	if (msg.msg_flags & MSG_CTRUNC)
		return error(-EMFILE, "too many open files");
	if (reply.status == -EACCES)
		return error(-EACCES, "pid %d has another key", blob->pid);
	return reply.status ? error_code(-EPROTO, "pid %d", blob->pid) : 0;
}

static int link_dial(int fd, const struct blob *blob)
{
	const struct timeval patience = { .tv_sec = LINK_TIMEOUT };
	struct sockaddr_un addr;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int ret;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	do {
		ret = connect(fd, (struct sockaddr *)&addr,
			      link_name(blob->id, &addr));
	} while (ret && errno == EINTR);
	if (ret && errno == ECONNREFUSED)
		return error(-EPIPE, "peer pid %d is gone", blob->pid);
	if (ret)
		return error_code(errno == EAGAIN ? -ETIMEDOUT : -errno,
				  "connection to pid %d", blob->pid);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) ||
	    cred.pid != blob->pid)
		return error(-EPIPE, "peer pid %d is gone, pid %d has its name",
			     blob->pid, cred.pid);
	return 0;
}

int link_connect(const struct server *server, const struct blob *blob,
		 bool stay, int fds[NFDS])
{
	struct request request = {
		.magic = LINK_MAGIC,
		.id = blob->id,
		.name = server->dom->config.name,
		.stay = stay,
	};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), ret, i;

	for (i = 0; i < NFDS; i++)
		fds[i] = -1;
	if (fd < 0)
		return error_code(-errno, "no socket");
	memcpy(request.key, server->dom->config.key, XNUMA_KEY_LEN);
	ret = link_dial(fd, blob);
	if (ret)
		goto fail;
	/* a refusal may have come first: then the reply says so */
	send(fd, &request, sizeof(request), MSG_NOSIGNAL);
	ret = take_reply(fd, blob, fds);
	if (!ret && fds[FD_QUEUE] < 0)
		ret = error(-EPROTO, "pid %d has no queue to give", blob->pid);
	if (!ret)
		return fd;
	for (i = 0; i < NFDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
fail:
	close(fd);
	return ret;
}

void link_bye(int fd)
{
	send(fd, "b", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}
