/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * user_copy.c - process_vm_readv() and process_vm_writev()
 *
 * A pid may come to name another process. A read fetches the peer's token in
 * the same call, so what it returns is the peer's or is thrown away. A write
 * first looks whether the connection still stands: it is hung up before the
 * pid is free.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include "port_user.h"

#define ONE_CALL	(1UL << 30)	/* the kernel stops short of 2 GiB */

struct token {
	uint64_t word[2];
};

bool user_can_copy(void)
{
	char from = 1, to = 0;
	const struct iovec local = { &to, 1 }, remote = { &from, 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1;
}

uint64_t user_random(void)
{
	uint64_t id = 0;

	while (!id && getrandom(&id, sizeof(id), 0) != sizeof(id))
		id = 0;
	return id;
}

static bool token_matches(const struct xnuma_peer *peer,
			  const struct token *token)
{
	return !memcmp(token, peer->header.token, sizeof(*token));
}

/* Bytes of @local filled, or -errno; -ESRCH: that process is another one. */
static ssize_t read_once(const struct xnuma_peer *peer, void *local,
			 uint64_t va, size_t len)
{
	struct token token;
	uint64_t at = peer->blob.va + offsetof(struct region_header,
						  facts.token);
	const struct iovec to[2] = {
		{ &token, sizeof(token) }, { local, len },
	};
	const struct iovec from[2] = {
		{ (void *)(uintptr_t)at, sizeof(token) },
		{ (void *)(uintptr_t)va, len },
	};
	ssize_t got = process_vm_readv(peer->blob.pid, to, 2, from, 2, 0);

	if (got < 0)
		return -errno;
	if ((size_t)got < sizeof(token) || !token_matches(peer, &token))
		return -ESRCH;
	return got - sizeof(token);
}

static ssize_t write_once(const struct xnuma_peer *peer, void *local,
			  uint64_t va, size_t len)
{
	const struct user_peer *user = peer->port;
	const struct iovec from = { local, len };
	const struct iovec to = { (void *)(uintptr_t)va, len };
	struct pollfd link = { .fd = user->link->fd, .events = POLLIN };
	ssize_t put;

	if (poll(&link, 1, 0) != 0)
		return -ESRCH;
	put = process_vm_writev(peer->blob.pid, &from, 1, &to, 1, 0);
	return put < 0 ? -errno : put;
}

bool user_probe(const struct xnuma_peer *peer)
{
	char none;

	return read_once(peer, &none, peer->blob.va, 1) == 1;
}

static int copy_failed(struct xnuma_peer *peer, ssize_t ret)
{
	struct user_peer *user = peer->port;
	uint32_t active = XPMEM_NUMA_ACTIVE;

	if (ret == -ESRCH) {
		atomic_compare_exchange_strong(&user->link->status.state,
					       &active, XPMEM_NUMA_OWNER_GONE);
		return peer_lost(peer);
	}
	if (ret == -EPERM)
		return error(-EACCES, "the kernel does not let this process "
			     "into pid %d", peer->blob.pid);
	if (ret >= 0 || ret == -EFAULT)
		return error(-EFAULT, "memory of pid %d is not mapped there",
			     peer->blob.pid);
	return error_code(ret, "memory of pid %d", peer->blob.pid);
}

int user_copy(struct xnuma_import *imp, void *local, uint64_t va, size_t len,
	      bool write)
{
	struct xnuma_peer *peer = imp->peer;
	struct user_peer *user = peer->port;
	char *at = local;
	ssize_t ret;
	size_t n;

	if (peer->header.policy != XNUMA_EXPORT_ALL)
		return error(-EACCES, "pid %d exports only what it allocated "
			     "for that", peer->blob.pid);
	if (!user->can_copy)
		return error(-ENOTSUP, "the kernel does not let this process "
			     "into pid %d", peer->blob.pid);
	for (; len; at += n, va += n, len -= n) {
		n = len < ONE_CALL ? len : ONE_CALL;
		ret = write ? write_once(peer, at, va, n) :
			      read_once(peer, at, va, n);
		if (ret != (ssize_t)n)
			return copy_failed(peer, ret);
	}
	return 0;
}
