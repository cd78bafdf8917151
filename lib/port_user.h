/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_PORT_USER_H
#define XNUMA_PORT_USER_H

#include "server.h"

struct user_peer {
	struct link *link;
	int heap_fd;		/* -1: none */
	int event_fd;		/* -1: it never sleeps */
	_Atomic uint64_t *bitmap;
	size_t bitmap_len;
	bool can_copy;		/* process_vm_readv() works */
};

/* user_copy.c: the system calls that copy between processes */
bool user_can_copy(void);
bool user_probe(const struct xnuma_peer *peer);
int user_copy(struct xnuma_import *imp, void *local, uint64_t va, size_t len,
	      bool write);

/* Never 0. */
uint64_t user_random(void);

#endif
