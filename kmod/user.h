/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_USER_H
#define XNUMA_USER_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>

struct workqueue_struct;

enum xnuma_limit {
	XNUMA_LIMIT_EXPORTS,
	XNUMA_LIMIT_IMPORTS,
	XNUMA_LIMIT_WINDOWS,
	XNUMA_LIMIT_GRANULES,
	XNUMA_LIMIT_DENIALS,
	XNUMA_LIMITS
};

/* What one user has, over all his processes. */
struct xnuma_user {
	refcount_t refs;
	kuid_t uid;
	struct hlist_node node;
	atomic_t used[XNUMA_LIMITS];
	/* Bounded, so that a file system that hangs stops its own user only. */
	struct workqueue_struct *wq;
};

extern unsigned int xnuma_limits[XNUMA_LIMITS];

struct xnuma_user *xnuma_user_get(void);
void xnuma_user_put(struct xnuma_user *user);

bool xnuma_charge(struct xnuma_user *user, enum xnuma_limit limit);
void xnuma_uncharge(struct xnuma_user *user, enum xnuma_limit limit);

#endif /* XNUMA_USER_H */
