// SPDX-License-Identifier: BSD-3-Clause
/* keyed.c - put, get and atomics by a key that its owner can take back */
#include <errno.h>

#include "component.h"

#define TRIES	64	/* each after the owner has exchanged his fence */

static uint64_t offer_at(const struct peer *peer, size_t field)
{
	return peer->offer + field;
}

static int look(struct ep *ep, void *to, uint64_t va, size_t len)
{
	return xnuma_get(ep->memory, to, va, len, NULL);
}

/* Return: 0, 1 it was taken back, or -errno */
static int stands(struct ep *ep, uint64_t key)
{
	struct peer *peer = ep->peer;
	uint64_t number;
	int ret;

	if (unlikely(!peer->words)) {
		ret = look(ep, &peer->words, offer_at(peer, offsetof(
			   struct key_offer, words)), sizeof(peer->words));
		if (ret || !peer->words)
			return ret ? ret : 1;
	}
	ret = look(ep, &number, peer->words + key_place(key) *
		   sizeof(struct key_word), sizeof(number));
	return ret ? ret : number != key_number(key);
}

static ucs_status_t result(struct ep *ep, int ret)
{
	if (likely(!ret))
		return UCS_OK;
	if (ret < 0)
		return ep_error(ep, ret);
	ucs_log(ep_iface(ep)->super.config.failure_level,
		"ep %p: the key was taken back by its owner", ep);
	return UCS_ERR_REJECTED;
}

ucs_status_t keyed_get(struct ep *ep, uint64_t key, uint64_t va, void *buffer,
		       size_t length)
{
	int ret = stands(ep, key);

	if (likely(!ret))
		ret = xnuma_get(ep->memory, buffer, va, length, NULL);
	if (likely(!ret)) {
		atomic_thread_fence(memory_order_acquire);
		ret = stands(ep, key);
	}
	return result(ep, ret);
}

/* ---- through the fence ---- */

void fence_forget(struct peer *peer)
{
	if (peer->fence)
		xnuma_unimport(peer->fence);
	peer->fence = NULL;
}

static int fences(struct ep *ep, uint64_t *now)
{
	return look(ep, now, offer_at(ep->peer, offsetof(struct key_offer,
							 fences)),
		    sizeof(*now));
}

static bool is_exchanged(struct ep *ep, uint64_t number)
{
	uint64_t now;

	return !fences(ep, &now) && now != number;
}

static int fence_import(struct ep *ep, uint64_t number)
{
	struct peer *peer = ep->peer;
	uint8_t fence[XNUMA_RKEY_LEN];
	int ret;

	fence_forget(peer);
	ret = look(ep, fence, offer_at(peer, offsetof(struct key_offer,
						      fence[number & 1])),
		   sizeof(fence));
	if (ret)
		return ret;
	peer->fence_number = number;
	ret = xnuma_import(peer->xnuma, fence, XNUMA_READ | XNUMA_WRITE,
			   &peer->fence);
	return ret && is_exchanged(ep, number) ? -EAGAIN : ret;
}

/*
 * The fence first, then the key: what finds the key standing does so before it
 * is taken back, hence through the fence that ends then.
 */
static int attempt(struct ep *ep, uint64_t key, through_fence write, void *arg)
{
	struct peer *peer = ep->peer;
	uint64_t number;
	int ret = fences(ep, &number);

	if (!ret && (!peer->fence || peer->fence_number != number))
		ret = fence_import(ep, number);
	if (!ret)
		ret = stands(ep, key);
	if (ret)
		return ret;
	ret = write(peer->fence, arg);
	return ret == -EACCES && is_exchanged(ep, number) ? -EAGAIN : ret;
}

ucs_status_t keyed_write(struct ep *ep, uint64_t key, through_fence write,
			 void *arg)
{
	int ret = -EAGAIN, i;

	for (i = 0; ret == -EAGAIN && i < TRIES; i++)
		ret = attempt(ep, key, write, arg);
	return result(ep, ret);
}
