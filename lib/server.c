/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server.h"

#define SERIAL_LISTEN	1ULL
#define SERIAL_STOP	2ULL
#define STACK		(256UL << 10)

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void server_ring(int event_fd)
{
	uint64_t one = 1;

	/* fails only when the counter is full: then it is readable anyway */
	if (event_fd >= 0 && write(event_fd, &one, sizeof(one)) < 0)
		return;
}

static int watch(struct server *server, int fd, uint64_t serial)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = serial };

	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) ?
	       -errno : 0;
}

/* In this order: a child may be forked at any instruction. */
static int slots_grow(struct server *server)
{
	uint32_t n = server->nslots ? 2 * server->nslots : 16, i;
	struct link_slot *old = server->slots, *slots;

	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	if (old)
		memcpy(slots, old, server->nslots * sizeof(*slots));
	for (i = n - 1; i > 0 && i >= server->nslots; i--) {
		slots[i].next = server->unused;
		server->unused = i;
	}
	server->slots = slots;
	atomic_signal_fence(memory_order_seq_cst);
	server->nslots = n;
	free(old);
	return 0;
}

static int link_add(struct server *server, struct link *link)
{
	uint32_t slot;
	int ret = 0;

	pthread_mutex_lock(&server->lock);
	if (!server->unused)
		ret = slots_grow(server);
	slot = server->unused;
	link->serial = ++server->serial << 32 | slot;
	if (!ret)
		ret = watch(server, link->fd, link->serial);
	if (!ret) {
		server->unused = server->slots[slot].next;
		server->slots[slot].link = link;
	}
	pthread_mutex_unlock(&server->lock);
	return ret;
}

static void link_remove(struct server *server, struct link *link)
{
	uint32_t slot = (uint32_t)link->serial;

	server->slots[slot].link = NULL;
	server->slots[slot].next = server->unused;
	server->unused = slot;
	close(link->fd);
	free(link);
}

/* An event may be of a link that another thread has removed meanwhile. */
static struct link *link_find(struct server *server, uint64_t serial)
{
	struct link *link = server->slots[(uint32_t)serial].link;

	return link && link->serial == serial ? link : NULL;
}

static void server_accept(struct server *server)
{
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct link *link;

	if (fd < 0) {
		/* out of descriptors: the client waits, this must not spin */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			usleep(10000);
		return;
	}
	link = link_permitted(server->dom, fd) ? calloc(1, sizeof(*link)) :
						 NULL;
	if (!link) {
		close(fd);
		return;
	}
	link->fd = fd;
	link->accepted = true;
	if (link_add(server, link)) {
		close(fd);
		free(link);
	}
}

/*
 * A connection hangs up when the last thread of its process has left its
 * memory, so no store of it is still to come.
 */
static void accepted_event(struct server *server, struct link *link)
{
	char bye;

	if (!link->served && !link_answer(server, link))
		return;
	if (link->served && recv(link->fd, &bye, 1, MSG_DONTWAIT) <= 0)
		queue_skip_dead(&server->dom->queue, link->name);
	link_remove(server, link);
}

static void made_event(struct server *server, struct link *link)
{
	uint32_t state = XPMEM_NUMA_OWNER_GONE;
	char bye;

	if (recv(link->fd, &bye, 1, MSG_DONTWAIT) > 0)
		state = XPMEM_NUMA_REVOKED;
	epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, link->fd, NULL);
	atomic_store_explicit(&link->status.state, state, memory_order_release);
	server_ring(server->event_fd);
}

static void server_event(struct server *server, uint64_t serial)
{
	struct link *link;

	if (serial == SERIAL_LISTEN) {
		server_accept(server);
		return;
	}
	pthread_mutex_lock(&server->lock);
	link = link_find(server, serial);
	if (link && link->accepted)
		accepted_event(server, link);
	else if (link)
		made_event(server, link);
	pthread_mutex_unlock(&server->lock);
}

static void *server_run(void *arg)
{
	struct server *server = arg;
	struct epoll_event events[16];
	int n, i;

	pthread_setname_np(pthread_self(), "xnuma");
	for (;;) {
		n = epoll_wait(server->epoll_fd, events, 16, -1);
		for (i = 0; i < n; i++) {
			if (events[i].data.u64 == SERIAL_STOP)
				return NULL;
			server_event(server, events[i].data.u64);
		}
	}
}

static int server_listen(struct server *server)
{
	struct sockaddr_un addr;
	int ret;

	server->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
				   SOCK_NONBLOCK, 0);
	if (server->listen_fd < 0)
		return -errno;
	do {
		if (getrandom(&server->id, sizeof(server->id), 0) < 0)
			return -errno;
		ret = !server->id ||
		      bind(server->listen_fd, (struct sockaddr *)&addr,
			   link_name(server->id, &addr)) ? -errno : 0;
	} while (ret == -EADDRINUSE);
	if (!ret && listen(server->listen_fd, 4096))
		ret = -errno;
	return ret ? ret : watch(server, server->listen_fd, SERIAL_LISTEN);
}

int server_open(struct server *server, struct xnuma_domain *dom)
{
	int ret;

	memset(server, 0, sizeof(*server));
	pthread_mutex_init(&server->lock, NULL);
	server->dom = dom;
	server->serial = SERIAL_STOP;
	server->listen_fd = server->event_fd = -1;
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->stop_fd < 0 || server->epoll_fd < 0)
		ret = -errno;
	else
		ret = watch(server, server->stop_fd, SERIAL_STOP);
	if (!ret && dom->config.flags & XNUMA_SLEEPS) {
		server->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ret = server->event_fd < 0 ? -errno : 0;
	}
	if (!ret)
		ret = server_listen(server);
	if (ret) {
		server_forget(server);
		return error_code(ret, "no socket to listen on");
	}
	return 0;
}

/* The thread takes no signal: all of them are the application's. */
int server_start(struct server *server)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = -pthread_create(&server->thread, &attr, server_run, server);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	server->running = !ret;
	return ret ? error_code(ret, "no thread for connections") : 0;
}

void server_fork(struct server *server)
{
	uint32_t i;

	close_fd(&server->listen_fd);
	close_fd(&server->epoll_fd);
	close_fd(&server->stop_fd);
	close_fd(&server->event_fd);
	for (i = 1; i < server->nslots; i++)
		if (server->slots[i].link)
			close_fd(&server->slots[i].link->fd);
}

void server_forget(struct server *server)
{
	uint32_t i;

	server_fork(server);
	for (i = 1; i < server->nslots; i++)
		free(server->slots[i].link);
	free(server->slots);
}

void server_close(struct server *server)
{
	uint32_t i;

	if (server->running) {
		server_ring(server->stop_fd);
		pthread_join(server->thread, NULL);
	}
	for (i = 1; i < server->nslots; i++)
		if (server->slots[i].link)
			link_bye(server->slots[i].link->fd);
	server_forget(server);
	pthread_mutex_destroy(&server->lock);
}

int server_connect(struct server *server, const struct blob *blob,
		   struct link **out, int fds[NFDS])
{
	struct link *link = calloc(1, sizeof(*link));
	int ret, i;

	if (!link)
		return error(-ENOMEM, "out of memory");
	link->fd = ret = link_connect(server, blob, true, fds);
	if (ret >= 0)
		ret = link_add(server, link);
	if (ret >= 0) {
		*out = link;
		return 0;
	}
	if (link->fd >= 0) {
		for (i = 0; i < NFDS; i++)
			close_fd(&fds[i]);
		close(link->fd);
		error_code(ret, "the connection cannot be watched");
	}
	free(link);
	return ret;
}

int server_heap(struct server *server, const struct blob *blob)
{
	int fds[NFDS], fd = link_connect(server, blob, false, fds);

	if (fd < 0)
		return fd;
	close(fd);
	close_fd(&fds[FD_QUEUE]);
	close_fd(&fds[FD_EVENT]);
	return fds[FD_HEAP] >= 0 ? fds[FD_HEAP] :
		error(-EPROTO, "pid %d has no heap to give", blob->pid);
}

void server_disconnect(struct server *server, struct link *link)
{
	pthread_mutex_lock(&server->lock);
	link_bye(link->fd);
	link_remove(server, link);
	pthread_mutex_unlock(&server->lock);
}
