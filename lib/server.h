/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server.h - how peers without a kernel module find and watch each other
 *
 *	client                                server (a thread of each domain)
 *	connect to the name made of the id -> may this user? else closed
 *	struct request (key, name)         -> key compared
 *	                                   <- struct reply + descriptors
 *	... the connection stays; when a process ends, the kernel hangs up ...
 *	bye, on close in good order       <-> bye
 *
 * The same thread watches the connections that this process made: a hang-up
 * becomes a store to the peer's status, so that looking is one load.
 */
#ifndef XNUMA_SERVER_H
#define XNUMA_SERVER_H

#include "peer.h"

enum { FD_QUEUE, FD_HEAP, FD_EVENT, NFDS };

/* One connection, made or accepted. */
struct link {
	uint64_t serial;	/* in epoll events, never reused: slot below */
	int fd;
	bool accepted;
	bool served;		/* accepted: the descriptors were sent */
	uint64_t name;		/* accepted: source of its messages */
	struct status status;	/* made: written by the server's thread */
};

/* Where a link is found by its serial; free ones are chained. */
struct link_slot {
	struct link *link;	/* NULL: free */
	uint32_t next;		/* free one, 0: none */
};

struct server {
	struct xnuma_domain *dom;
	uint64_t id;		/* of the domain's export: names the socket */
	int listen_fd;
	int epoll_fd;
	int stop_fd;
	int event_fd;		/* what xnuma_domain_fd() returns, or -1 */
	bool running;
	pthread_t thread;
	pthread_mutex_t lock;	/* protects the rest, and a link while in use */
	struct link_slot *slots; /* [nslots]; 0 is not used */
	uint32_t nslots;
	uint32_t unused;	/* first free slot, 0: none */
	uint64_t serial;
};

int server_open(struct server *server, struct xnuma_domain *dom);
int server_start(struct server *server);
void server_close(struct server *server);

/* In a forked child: close descriptors; then free what is local. */
void server_fork(struct server *server);
void server_forget(struct server *server);

/* Connect to a peer; @fds: -1 where it has none to give. */
int server_connect(struct server *server, const struct blob *blob,
		   struct link **link, int fds[NFDS]);
/* Its heap once more, by a connection that does not stay; or -errno. */
int server_heap(struct server *server, const struct blob *blob);
void server_disconnect(struct server *server, struct link *link);

/* Tell who sleeps on xnuma_domain_fd(). */
void server_ring(int event_fd);

/* link.c: the two ends of a connection; @stay: until one of them ends */
int link_connect(const struct server *server, const struct blob *blob,
		 bool stay, int fds[NFDS]);
int link_name(uint64_t id, void *addr);
bool link_permitted(const struct xnuma_domain *dom, int fd);
int link_answer(const struct server *server, struct link *link);
void link_bye(int fd);

#endif
