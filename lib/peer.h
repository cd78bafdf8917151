/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_PEER_H
#define XNUMA_PEER_H

#include "domain.h"
#include "xpmem_numa.h"

/*
 * What is known about an import's health: the kernel's status page, or with
 * port user this process's own, written by the thread that watches the peer.
 * @poisoned and @cleared stay equal where nothing is ever poisoned, and
 * @blocked is 0 where windows have no page tables of the module's making.
 */
struct status {
	_Atomic uint32_t state;
	_Atomic uint32_t reason;
	_Atomic uint64_t poisoned;
	_Atomic uint64_t cleared;
	_Atomic uint64_t blocked;
};

_Static_assert(sizeof(struct status) == sizeof(struct xpmem_numa_import_status),
	       "the ABI's layout");

#define REGAIN_FIRST	8	/* blocked faults before windows are replaced */

enum import_kind {
	IMPORT_MEMORY,	/* poison instead of signals: get, put, atomic */
	IMPORT_QUEUE,	/* the same, of its own: see message.c */
	IMPORT_HOLD,	/* signals: pointers that leave the library */
};

struct xnuma_import {
	struct xnuma_domain *dom;
	struct xnuma_peer *peer;
	enum import_kind kind;
	bool self;		/* own memory: no window, no port */
	uint64_t va;		/* what it covers */
	uint64_t len;
	struct rkey rkey;	/* of a sub-range; id is always valid */
	unsigned int rights;

	/* the port's: window offset is @base + va in @fd */
	const struct status *status;
	int fd;
	uint64_t base;
	uint32_t handle;
	uint64_t map_va;	/* windows reach this; the rest is copied */
	uint64_t map_len;
	const _Atomic uint64_t *live;	/* a bit per page from @live_va on */
	uint64_t live_va;
	const _Atomic uint64_t *ticket;	/* holds rkey.id while it is valid */

	struct window_table table;
	_Atomic uint64_t regain_at;	/* blocked faults, see access_regain() */
	uint64_t regain_step;		/* domain's lock; how many each time */
	pthread_mutex_t poison_lock;	/* one thread at a time cures poison */
	struct xnuma_import *hold;	/* domain's lock; NULL until used */
};

struct xnuma_peer {
	struct xnuma_domain *dom;
	struct blob blob;
	bool self;
	const struct status *status;	/* of the queue import */
	_Atomic bool reported;		/* its death is counted and told */
	struct sender sender;
	struct region_facts header;	/* copy, checked */
	void *queue;			/* header, then queue, mapped here */
	size_t queue_len;		/* bytes mapped */
	struct xnuma_import memory;
	struct xnuma_import queue_import;
	_Atomic unsigned int missed;	/* shared copies, one after the other */
	void *port;			/* the port's own */
	struct region_caller *caller;	/* kmod: this domain's entry there */
	struct xnuma_peer *next, **link;	/* by the domain's lock */
};

static inline bool status_alive(const struct status *status)
{
	return atomic_load_explicit(&status->state, memory_order_acquire) ==
	       XPMEM_NUMA_ACTIVE;
}

/* Also for a queue import: its poison is never taken away. */
static inline bool status_healthy(const struct status *status)
{
	return status_alive(status) &&
	       atomic_load_explicit(&status->poisoned, memory_order_relaxed) ==
	       atomic_load_explicit(&status->cleared, memory_order_relaxed);
}

/* -EPIPE or -ESHUTDOWN with peer and reason; counts the first time. */
int peer_lost(struct xnuma_peer *peer) __attribute__((cold));

/* With the domain's lock: @name blocks the queue, see whether it is dead. */
void peer_unblock(struct xnuma_domain *dom, uint64_t name);

/* Common part of an import; the port does the rest. */
int import_init(struct xnuma_import *imp, struct xnuma_peer *peer,
		enum import_kind kind, const struct rkey *rkey);
void import_fini(struct xnuma_import *imp);

/* Fills @memory by dom and blob. */
int peer_open_memory(struct xnuma_peer *peer);

/* The import for pointers that leave the library, made at first use. */
int import_hold(struct xnuma_import *imp, struct xnuma_import **hold);

/*
 * Copy the header of a peer's region, already mapped at @mapped, and check the
 * copy.
 */
int peer_header(struct xnuma_peer *peer, const struct region_header *mapped);

static inline int window_enter(struct xnuma_import *imp, struct thread *self,
			       uint64_t va, size_t *len, char **ptr)
{
	struct xnuma_window *win;

	if (self)
		epoch_enter(self);
	win = window_find(&imp->table, va);
	if (__builtin_expect(!win, 0)) {
		window_leave(self);
		return window_enter_slow(imp, self, va, len, ptr);
	}
	*ptr = window_at(win, &imp->dom->pool, va, len);
	return 0;
}

#endif
