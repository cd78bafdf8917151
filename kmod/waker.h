/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_WAKER_H
#define XNUMA_WAKER_H

#include <linux/kref.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>

/* What poll() on a file waits for; peers hold it beyond the file's life. */
struct xnuma_waker {
	struct kref kref;
	wait_queue_head_t wait;
	atomic64_t count;	/* wake-ups that nobody has read yet */
};

static inline struct xnuma_waker *xnuma_waker_create(void)
{
	struct xnuma_waker *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (w) {
		kref_init(&w->kref);
		init_waitqueue_head(&w->wait);
	}
	return w;
}

static inline struct xnuma_waker *xnuma_waker_get(struct xnuma_waker *w)
{
	kref_get(&w->kref);
	return w;
}

static inline void xnuma_waker_free(struct kref *kref)
{
	kfree(container_of(kref, struct xnuma_waker, kref));
}

static inline void xnuma_waker_put(struct xnuma_waker *w)
{
	kref_put(&w->kref, xnuma_waker_free);
}

static inline void xnuma_wake(struct xnuma_waker *w)
{
	atomic64_inc(&w->count);
	wake_up_interruptible_poll(&w->wait, EPOLLIN);
}

#endif /* XNUMA_WAKER_H */
