/* SPDX-License-Identifier: BSD-3-Clause */
/* user_peer.c - peers of port user: a connection, and memfds mapped here */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "port_user.h"

void user_peer_close_fds(struct user_peer *user)
{
	int heap_fd = atomic_exchange(&user->heap_fd, -1);

	if (heap_fd >= 0)
		close(heap_fd);
	if (user->event_fd >= 0)
		close(user->event_fd);
	user->event_fd = -1;
}

/*
 * A peer that could shrink the file could raise SIGBUS here. Returns its
 * length, or -EPROTO.
 */
static ssize_t sealed_length(int fd, const struct blob *blob)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW;
	struct stat st;

	if ((fcntl(fd, F_GET_SEALS) & seals) != seals || fstat(fd, &st))
		return error(-EPROTO, "pid %d gave a file that is not sealed",
			     blob->pid);
	return st.st_size;
}

static int map_shared(int fd, size_t len, void **ptr)
{
	int ret = arena_map(len, 0, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_NORESERVE, fd, 0, ptr);

	if (ret)
		return error_code(ret, "no address space for a peer");
	madvise(*ptr, len, MADV_DONTFORK);
	madvise(*ptr, len, MADV_DONTDUMP);
	return 0;
}

static int map_queue(struct xnuma_peer *peer, int fd)
{
	ssize_t len = sealed_length(fd, &peer->blob);
	int ret;

	if (len < 0)
		return len;
	if (len <= REGION_HEADER_LEN)
		return error(-EPROTO, "pid %d has no queue", peer->blob.pid);
	ret = map_shared(fd, len, &peer->queue);
	if (ret)
		return ret;
	peer->queue_len = len;
	ret = peer_header(peer, peer->queue);
	if (!ret &&
	    peer->header.queue_len + REGION_HEADER_LEN != peer->queue_len)
		ret = error(-EPROTO, "the queue of pid %d has another size",
			    peer->blob.pid);
	if (ret)
		munmap(peer->queue, peer->queue_len);
	return ret;
}

static int check_heap(const struct xnuma_peer *peer, int fd)
{
	size_t heap_len = peer->header.heap_len;
	ssize_t len = sealed_length(fd, &peer->blob);

	if (len < 0)
		return len;
	if (region_bitmap_len(heap_len) + heap_len != (size_t)len)
		return error(-EPROTO, "the heap of pid %d has another size",
			     peer->blob.pid);
	return 0;
}

static int map_bitmap(struct xnuma_peer *peer, struct user_peer *user, int fd)
{
	size_t heap_len = peer->header.heap_len;
	void *bitmap;
	int ret;

	if (fd < 0 || !heap_len)
		return 0;
	ret = check_heap(peer, fd);
	if (ret)
		return ret;
	ret = map_shared(fd, region_bitmap_len(heap_len), &bitmap);
	if (ret)
		return ret;
	user->bitmap = bitmap;
	user->bitmap_len = region_bitmap_len(heap_len);
	return 0;
}

int user_peer_open(struct xnuma_peer *peer)
{
	struct user_peer *user = calloc(1, sizeof(*user));
	int fds[NFDS], ret;

	if (!user)
		return error(-ENOMEM, "out of memory");
	ret = server_connect(peer->dom->port, &peer->blob, &user->link, fds);
	if (ret)
		goto free_user;
	atomic_init(&user->heap_fd, -1);
	user->event_fd = fds[FD_EVENT];
	ret = map_queue(peer, fds[FD_QUEUE]);
	if (!ret && (ret = map_bitmap(peer, user, fds[FD_HEAP])))
		munmap(peer->queue, peer->queue_len);
	close(fds[FD_QUEUE]);
	if (fds[FD_HEAP] >= 0)
		close(fds[FD_HEAP]);
	if (ret)
		goto disconnect;
	peer->port = user;
	peer->status = &user->link->status;
	user->can_copy = peer->header.policy == XNUMA_EXPORT_ALL &&
			 user_probe(peer);
	return 0;

disconnect:
	user_peer_close_fds(user);
	server_disconnect(peer->dom->port, user->link);
free_user:
	free(user);
	return ret;
}

void user_peer_close(struct xnuma_peer *peer)
{
	struct user_peer *user = peer->port;

	if (user->bitmap)
		munmap(user->bitmap, user->bitmap_len);
	munmap(peer->queue, peer->queue_len);
	user_peer_close_fds(user);
	server_disconnect(peer->dom->port, user->link);
	free(user);
}

void user_peer_forget(struct xnuma_peer *peer)
{
	free(peer->port);
}

/*
 * Most peers are never mapped, and there may be thousands: so the file is asked
 * for when the first window is, and then kept.
 */
int user_window_fd(struct xnuma_import *imp)
{
	struct user_peer *user = imp->peer->port;
	int fd = atomic_load(&user->heap_fd), none = -1, ret;

	if (fd >= 0)
		return fd;
	fd = server_heap(imp->dom->port, &imp->peer->blob);
	if (fd < 0)
		return fd;
	ret = check_heap(imp->peer, fd);
	if (!ret && atomic_compare_exchange_strong(&user->heap_fd, &none, fd))
		return fd;
	close(fd);
	return ret ? ret : none;
}
