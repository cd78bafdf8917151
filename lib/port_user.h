/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_PORT_USER_H
#define XNUMA_PORT_USER_H

#include "server.h"

struct user_peer {
	struct link *link;
	_Atomic int heap_fd;	/* -1: there is no window yet */
	int event_fd;		/* -1: it never sleeps */
	_Atomic uint64_t *bitmap;
	size_t bitmap_len;
	bool can_copy;		/* process_vm_readv() works */
};

/* user_peer.c */
int user_peer_open(struct xnuma_peer *peer);
void user_peer_close(struct xnuma_peer *peer);
void user_peer_forget(struct xnuma_peer *peer);
void user_peer_close_fds(struct user_peer *user);
int user_window_fd(struct xnuma_import *imp);

/* user_copy.c: the system calls that copy between processes */
bool user_can_copy(void);
bool user_probe(const struct xnuma_peer *peer);
int user_copy(struct xnuma_import *imp, void *local, uint64_t va, size_t len,
	      bool write);

/* Never 0. */
uint64_t user_random(void);

#endif
