/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * endpoint.h - a peer process
 *
 * Made by add_procs, or by the first message of a process that add_procs has
 * not named yet; opened at first use. Whoever opens a peer says HELLO, whoever
 * leaves in order says BYE to all that it opened or that said HELLO. A peer
 * that is gone without BYE is lost: reported once, its waiting messages fail.
 */
#ifndef BTL_ENDPOINT_H
#define BTL_ENDPOINT_H

#include "component.h"

struct mca_btl_base_endpoint_t {
	opal_list_item_t	super;		/* component.endpoints */
	struct xnuma_peer	*_Atomic peer;	/* NULL until opened; self never */
	struct xnuma_import	*memory;	/* valid once peer is */
	atomic_uint		npending;
	bool			is_self;
	bool			said_hello;	/* they did */
	bool			said_bye;
	bool			hello_due;	/* ours found no room */
	atomic_bool		lost;
	bool			suspect;	/* gone; BYE may be on its way */
	unsigned int		suspect_at;	/* component.empty then */
	char			*reason;	/* of being suspect */

	opal_mutex_t		lock;		/* protects pending, opening */
	opal_list_t		pending;	/* struct frag, in order */
	opal_list_item_t	waiting;	/* component.waiting */
	bool			is_waiting;	/* on it; component.lock */
	opal_list_t		operations;	/* emulated; lock */

	opal_process_name_t	name;
	struct opal_proc_t	*proc;		/* NULL until add_procs */
	pid_t			pid;
	uint8_t			blob[XNUMA_BLOB_LEN];
};

/* What a process tells all others about itself. */
struct btl_modex {
	uint8_t		blob[XNUMA_BLOB_LEN];
	uint32_t	jobid;
	uint32_t	vpid;
	int32_t		pid;
	uint32_t	key_mark;
};

enum control_kind {
	CONTROL_HELLO = 1,
	CONTROL_BYE,
	CONTROL_ATOMIC,		/* please do */
	CONTROL_ANSWER,		/* the old value is in operand */
};

struct control {
	uint16_t		kind;
	uint16_t		is_32;
	int32_t			op;		/* enum xnuma_op */
	union {
		struct btl_modex modex;		/* HELLO, BYE */
		struct {
			uint64_t va, operand, compare, cookie;
		};
	};
};

void modex_fill(struct btl_modex *modex);

mca_btl_base_endpoint_t *ep_create(const struct btl_modex *modex);
mca_btl_base_endpoint_t *ep_find(uint64_t name);
void ep_destroy(mca_btl_base_endpoint_t *ep);
struct xnuma_peer *ep_open(mca_btl_base_endpoint_t *ep);
void ep_hello(mca_btl_base_endpoint_t *ep, struct xnuma_peer *peer);
void ep_lost(mca_btl_base_endpoint_t *ep, const char *reason);
void ep_watch(void);
int ep_status(mca_btl_base_endpoint_t *ep, int ret);

/* The open peer, or NULL when it cannot be opened. */
static inline struct xnuma_peer *ep_peer(mca_btl_base_endpoint_t *ep)
{
	struct xnuma_peer *peer =
		atomic_load_explicit(&ep->peer, memory_order_acquire);

	return likely(peer) ? peer : ep_open(ep);
}

#endif /* BTL_ENDPOINT_H */
