/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port_user - the port that needs neither module nor rights
 *
 * Queue and heap are memfds that peers map. Other memory is copied by
 * process_vm_readv() and _writev() where the kernel lets one process do that to
 * another; else it has to travel in messages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "port.h"
#include "port_user.h"

static int read_boot_id(uint8_t fabric[FABRIC_LEN])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	unsigned int byte, i, at = 0;
	char text[40] = "";
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	for (i = 0; len > 0 && i < FABRIC_LEN; i++) {
		at += text[at] == '-';
		if (sscanf(text + at, "%2x", &byte) != 1)
			return -EIO;
		fabric[i] = byte;
		at += 2;
	}
	return i == FABRIC_LEN ? 0 : -EIO;
}

/* Pids, socket names and memfds only mean something within these. */
static void mix_namespaces(uint8_t fabric[FABRIC_LEN])
{
	static const char *const names[] = { "pid", "ipc", "net" };
	uint64_t hash = 0;
	char path[32];
	struct stat st;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (!stat(path, &st))
			hash ^= st.st_ino;
		hash = (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9ULL;
	}
	for (i = 0; i < 8; i++)
		fabric[i] ^= hash >> 8 * i;
}

static int user_open(struct xnuma_domain *dom)
{
	struct server *server;
	int ret = read_boot_id(dom->blob.fabric);

	if (ret)
		return error_code(ret, "this machine has no boot id");
	mix_namespaces(dom->blob.fabric);
	server = malloc(sizeof(*server));
	if (!server)
		return error(-ENOMEM, "out of memory");
	ret = server_open(server, dom);
	if (ret) {
		free(server);
		return ret;
	}
	dom->port = server;
	dom->blob.id = dom->blob.incarnation = server->id;
	if (user_can_copy())
		dom->caps |= XNUMA_CAP_COPY;
	return 0;
}

static int user_publish(struct xnuma_domain *dom)
{
	/* Without Yama this fails and is not needed. */
	if (dom->config.policy == XNUMA_EXPORT_ALL)
		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	return server_start(dom->port);
}

static void user_close(struct xnuma_domain *dom)
{
	server_close(dom->port);
	free(dom->port);
}

static void peer_close_fds(struct user_peer *user)
{
	if (user->heap_fd >= 0)
		close(user->heap_fd);
	if (user->event_fd >= 0)
		close(user->event_fd);
	user->heap_fd = user->event_fd = -1;
}

static void user_fork(struct xnuma_domain *dom)
{
	struct xnuma_peer *peer;

	server_fork(dom->port);
	for (peer = dom->peers; peer; peer = peer->next)
		if (!peer->self)
			peer_close_fds(peer->port);
}

static void user_forget(struct xnuma_domain *dom)
{
	server_forget(dom->port);
	free(dom->port);
}

static int user_fd(struct xnuma_domain *dom)
{
	return ((struct server *)dom->port)->event_fd;
}

static bool user_drain(struct xnuma_domain *dom)
{
	uint64_t count;

	return read(user_fd(dom), &count, sizeof(count)) == sizeof(count);
}

static int user_wake(struct xnuma_peer *peer)
{
	struct user_peer *user = peer->port;

	server_ring(peer->self ? user_fd(peer->dom) : user->event_fd);
	return 0;
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

static int map_bitmap(struct xnuma_peer *peer, struct user_peer *user)
{
	size_t heap_len = peer->header.heap_len;
	ssize_t len;
	void *bitmap;
	int ret;

	if (user->heap_fd < 0 || !heap_len)
		return 0;
	len = sealed_length(user->heap_fd, &peer->blob);
	if (len < 0)
		return len;
	if (region_bitmap_len(heap_len) + heap_len != (size_t)len)
		return error(-EPROTO, "the heap of pid %d has another size",
			     peer->blob.pid);
	ret = map_shared(user->heap_fd, region_bitmap_len(heap_len), &bitmap);
	if (ret)
		return ret;
	user->bitmap = bitmap;
	user->bitmap_len = region_bitmap_len(heap_len);
	return 0;
}

static int user_peer_open(struct xnuma_peer *peer)
{
	struct user_peer *user = calloc(1, sizeof(*user));
	int fds[NFDS], ret;

	if (!user)
		return error(-ENOMEM, "out of memory");
	ret = server_connect(peer->dom->port, &peer->blob, &user->link, fds);
	if (ret)
		goto free_user;
	user->heap_fd = fds[FD_HEAP];
	user->event_fd = fds[FD_EVENT];
	ret = map_queue(peer, fds[FD_QUEUE]);
	close(fds[FD_QUEUE]);
	if (ret)
		goto disconnect;
	ret = map_bitmap(peer, user);
	if (ret)
		goto unmap;
	peer->port = user;
	peer->status = &user->link->status;
	user->can_copy = peer->header.policy == XNUMA_EXPORT_ALL &&
			 user_probe(peer);
	return 0;

unmap:
	munmap(peer->queue, peer->queue_len);
disconnect:
	peer_close_fds(user);
	server_disconnect(peer->dom->port, user->link);
free_user:
	free(user);
	return ret;
}

static void user_peer_close(struct xnuma_peer *peer)
{
	struct user_peer *user = peer->port;

	if (user->bitmap)
		munmap(user->bitmap, user->bitmap_len);
	munmap(peer->queue, peer->queue_len);
	peer_close_fds(user);
	server_disconnect(peer->dom->port, user->link);
	free(user);
}

static void user_peer_forget(struct xnuma_peer *peer)
{
	free(peer->port);
}

static int import_ticket(struct xnuma_import *imp)
{
	const struct region_header *header = imp->peer->queue;
	const struct rkey *rkey = &imp->rkey;

	if (rkey->slot >= REGION_TICKETS ||
	    rkey->va - imp->map_va >= imp->map_len ||
	    rkey->len > imp->map_len - (rkey->va - imp->map_va))
		return error(-EINVAL, "not a packed export of pid %d",
			     imp->peer->blob.pid);
	imp->ticket = &header->ticket[rkey->slot];
	if (atomic_load(imp->ticket) != rkey->id)
		return error(-ENOENT, "pid %d has taken this export back",
			     imp->peer->blob.pid);
	imp->map_va = rkey->va;
	imp->map_len = rkey->len;
	return 0;
}

/* Nothing is ever poisoned here, so the three kinds are the same. */
static int user_import(struct xnuma_import *imp)
{
	struct xnuma_peer *peer = imp->peer;
	struct user_peer *user = peer->port;

	imp->status = peer->status;
	imp->va = imp->rkey.va;
	imp->len = imp->rkey.len;
	if (user->bitmap) {
		imp->fd = user->heap_fd;
		imp->base = user->bitmap_len - peer->header.heap_va;
		imp->map_va = imp->live_va = peer->header.heap_va;
		imp->map_len = peer->header.heap_len;
		imp->live = user->bitmap;
	}
	return imp->rkey.slot == UINT32_MAX ? 0 : import_ticket(imp);
}

static void user_unimport(struct xnuma_import *imp)
{
}

static int user_reset(struct xnuma_import *imp)
{
	return 0;
}

/* Kernels before 5.14 cannot populate: then each page is read once. */
static ssize_t user_prefault(struct xnuma_import *imp, char *ptr, uint64_t va,
			     size_t len, unsigned int rights)
{
	size_t at;

	if (!madvise(ptr, len, rights & XNUMA_WRITE ? MADV_POPULATE_WRITE :
						      MADV_POPULATE_READ))
		return len;
	if (errno != EINVAL)
		return error_code(-errno, "memory of pid %d",
				  imp->peer->blob.pid);
	for (at = 0; at < len; at += PAGE)
		(void)*(volatile char *)(ptr + at);
	return len;
}

static int user_export(struct xnuma_export *exp)
{
	struct region *region = &exp->dom->region;
	uint32_t i;

	if (!region_allocated(region, (void *)(uintptr_t)exp->va, exp->len))
		return error(-ENOTSUP, "port user exports only what "
			     "xnuma_alloc() returned");
	for (i = 0; i < REGION_TICKETS; i++)
		if (!atomic_load(&region->header->ticket[i]))
			break;
	if (i == REGION_TICKETS)
		return error(-EDQUOT, "port user has %d exports at most",
			     REGION_TICKETS);
	exp->id = user_random();
	exp->handle = i;
	atomic_store(&region->header->ticket[i], exp->id);
	return 0;
}

static void user_unexport(struct xnuma_export *exp)
{
	atomic_store(&exp->dom->region.header->ticket[exp->handle], 0);
}

const struct port_ops port_user = {
	.port = XNUMA_PORT_USER,
	.name = "user",
	.shared = true,
	.open = user_open,
	.publish = user_publish,
	.close = user_close,
	.fork = user_fork,
	.forget = user_forget,
	.fd = user_fd,
	.drain = user_drain,
	.peer_open = user_peer_open,
	.peer_close = user_peer_close,
	.peer_forget = user_peer_forget,
	.wake = user_wake,
	.import = user_import,
	.unimport = user_unimport,
	.reset = user_reset,
	.copy = user_copy,
	.prefault = user_prefault,
	.export = user_export,
	.unexport = user_unexport,
};
