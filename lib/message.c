/* SPDX-License-Identifier: BSD-3-Clause */
/* message.c - send, poll, and sleeping between them */

#include <errno.h>

#include "peer.h"
#include "port.h"

/* Polls between looking for a death that nobody reported. */
#define WATCH_POLLS	4096

static int send_check(const struct xnuma_peer *peer)
{
	if (domain_inert(peer->dom))
		return error_child();
	if (!status_healthy(peer->status))
		return peer_lost((struct xnuma_peer *)peer);
	return 0;
}

/* Stores into a queue that has vanished went to a scratch page. */
static int __attribute__((noinline, cold))
send_failed(struct xnuma_peer *peer, int ret)
{
	if (!status_healthy(peer->status))
		return peer_lost(peer);
	if (ret == -EAGAIN)
		return error(ret, "the queue of pid %d is full",
			     peer->blob.pid);
	return error(ret, "a message has at most %zu bytes",
		     sender_send_max(&peer->sender));
}

static void send_wake(struct xnuma_peer *peer)
{
	if (sender_must_wake(&peer->sender))
		peer->dom->ops->wake(peer);
}

int xnuma_send(struct xnuma_peer *peer, uint8_t tag, const struct iovec *iov,
	       int iovcnt)
{
	int ret;

	if (domain_inert(peer->dom))
		return error_child();
	ret = sender_send(&peer->sender, tag, iov, iovcnt);
	atomic_thread_fence(memory_order_acquire);
	if (ret || !status_healthy(peer->status))
		return send_failed(peer, ret);
	send_wake(peer);
	return 0;
}

static int reserved(struct xnuma_peer *peer, int ret)
{
	if (!ret && !status_healthy(peer->status)) {
		sender_cancel(&peer->sender);
		return peer_lost(peer);
	}
	return ret ? send_failed(peer, ret) : 0;
}

int xnuma_send_reserve(struct xnuma_peer *peer, size_t len, void **buf)
{
	int ret = send_check(peer);

	return ret ? ret : reserved(peer, sender_reserve(&peer->sender, len,
							 buf));
}

int xnuma_send_reserve_most(struct xnuma_peer *peer, size_t len, size_t likely,
			    void **buf)
{
	int ret = send_check(peer);

	return ret ? ret : reserved(peer, sender_reserve_most(&peer->sender,
							len, likely, buf));
}

void xnuma_send_commit(struct xnuma_peer *peer, uint8_t tag, size_t len)
{
	if (domain_inert(peer->dom))
		return;
	sender_commit(&peer->sender, tag, len);
	send_wake(peer);
	atomic_thread_fence(memory_order_acquire);
	if (!status_healthy(peer->status))
		peer_lost(peer);
}

void xnuma_send_cancel(struct xnuma_peer *peer)
{
	if (!domain_inert(peer->dom))
		sender_cancel(&peer->sender);
}

/*
 * A process that died between reserving and committing blocks the shared ring,
 * and this process may have had no other business with it.
 */
static void __attribute__((noinline, cold))
poll_watch(struct xnuma_domain *dom)
{
	uint64_t name;

	if (!queue_blocked(&dom->queue, &name))
		return;
	pthread_mutex_lock(&dom->lock);
	peer_unblock(dom, name);
	pthread_mutex_unlock(&dom->lock);
}

static void poll_awake(struct xnuma_domain *dom)
{
	if (!atomic_exchange(&dom->armed, false))
		return;
	queue_disarm(&dom->queue);
	dom->ops->drain(dom);
}

int xnuma_poll(struct xnuma_domain *dom, xnuma_handler handler, void *arg,
	       int max)
{
	int n;

	if (domain_inert(dom))
		return error_child();
	if (atomic_load_explicit(&dom->armed, memory_order_relaxed))
		poll_awake(dom);
	n = queue_poll(&dom->queue, handler, arg, max);
	if (queue_polls(&dom->queue) % WATCH_POLLS == 0)
		poll_watch(dom);
	return n;
}

int xnuma_domain_fd(struct xnuma_domain *dom)
{
	if (domain_inert(dom))
		return error_child();
	if (!(dom->config.flags & XNUMA_SLEEPS))
		return error(-ENOTSUP, "the domain was opened without "
			     "XNUMA_SLEEPS");
	return dom->ops->fd(dom);
}

/*
 * A wake-up that came since the last poll is reported as something pending: it
 * may be a peer's death, of which no message tells.
 */
int xnuma_domain_arm(struct xnuma_domain *dom)
{
	int ret = xnuma_domain_fd(dom);

	if (ret < 0)
		return ret;
	if (dom->ops->drain(dom))
		return error(-EBUSY, "somebody has called");
	ret = queue_arm(&dom->queue);
	if (ret)
		return error_code(ret, "messages are pending");
	atomic_store(&dom->armed, true);
	return 0;
}

int xnuma_peer_wake(struct xnuma_peer *peer)
{
	int ret = send_check(peer);

	if (ret)
		return ret;
	if (!(peer->blob.flags & BLOB_SLEEPS))
		return error(-ENOTSUP, "pid %d does not sleep",
			     peer->blob.pid);
	return peer->dom->ops->wake(peer);
}
