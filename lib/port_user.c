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

static void user_fork(struct xnuma_domain *dom)
{
	struct xnuma_peer *peer;

	server_fork(dom->port);
	for (peer = dom->peers; peer; peer = peer->next)
		if (!peer->self)
			user_peer_close_fds(peer->port);
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
	.window_fd = user_window_fd,
	.reset = user_reset,
	.copy = user_copy,
	.prefault = user_prefault,
	.export = user_export,
	.unexport = user_unexport,
};
