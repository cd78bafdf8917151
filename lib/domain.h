/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_DOMAIN_H
#define XNUMA_DOMAIN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "blob.h"
#include "error.h"
#include "queue.h"
#include "region.h"
#include "stats.h"
#include "window.h"
#include "xnuma.h"

struct port_ops;

/* what a sender counts */
enum { SENT_MESSAGES, SENT_BYTES, SENT_AGAIN, NSENT };

/* A range taken back by xnuma_deny(), whole pages. */
struct denial {
	uint64_t va;
	uint64_t len;
	struct denial *next;
};

/* Of a copy that a peer takes part in; see share.h. */
struct share_slot {
	_Atomic bool used;
	uint64_t generation;		/* of the last one; its user's */
};

struct xnuma_export {
	struct xnuma_domain *dom;
	uint64_t id;
	uint64_t va;			/* whole pages are offered */
	uint64_t len;
	unsigned int rights;
	uint32_t handle;		/* kmod: handle, user: ticket */
	struct xnuma_export *next;
};

struct xnuma_domain {
	const struct port_ops *ops;
	void *port;			/* the port's own */
	struct xnuma_config config;
	bool threads;			/* several at a time may call */
	_Atomic bool inert;		/* copy in a forked child */
	_Atomic bool armed;
	struct blob blob;		/* own address */
	unsigned int caps;
	int node;
	char fallback[200];

	struct xnuma_export own;	/* what peers open; constant */

	struct region region;
	struct queue queue;
	size_t share_min;		/* 0: never */
	struct share_slot shares[REGION_SHARES];
	struct xnuma_peer *_Atomic view;	/* of itself; NULL until used */

	pthread_mutex_t lock;		/* protects all below but the shards */
	struct window_pool pool;
	struct xnuma_peer *peers;
	struct xnuma_export *exports;
	struct denial *denials;
	uint64_t sent[NSENT];		/* by senders that are closed */
	struct xnuma_domain *next;	/* under the registry's lock, fork.c */
	struct shard shards[NSHARDS];
};

static inline bool domain_inert(const struct xnuma_domain *dom)
{
	return atomic_load_explicit(&dom->inert, memory_order_relaxed);
}

/* Tell @config.log; for slow paths. */
void domain_log(const struct xnuma_domain *dom, enum xnuma_log_level level,
		const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* deny.c: an export made while ranges are denied; with the domain's lock. */
int deny_export(struct xnuma_domain *dom, const struct xnuma_export *exp);

/* A sender that is being closed; with the domain's lock. */
void stats_keep(struct xnuma_domain *dom, const struct sender *sender);

/* fork.c: domains of this process that a child has to make inert. */
int fork_register(struct xnuma_domain *dom);
void fork_unregister(struct xnuma_domain *dom);

#endif
