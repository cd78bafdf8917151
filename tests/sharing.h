/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sharing.h - another process whose memory is got, and that polls meanwhile
 *
 *	sharing_start(&config);
 *	begin(&o, job_serve, 0);
 *	check_int(get(0, LEN), ==, 0);
 *	bytes = end(&o);		copied by the other
 *	sharing_stop();
 */
#ifndef XNUMA_TESTS_SHARING_H
#define XNUMA_TESTS_SHARING_H

#include "others.h"
#include "share.h"

#define LEN	(16UL << 20)
#define SMALL	(256UL << 10)
#define ENOUGH	1	/* tag: stop polling */

static TAP_UNUSED struct other o;
static TAP_UNUSED unsigned char *buffer;
static TAP_UNUSED uint64_t at;	/* LEN bytes of the other, and some more */

static TAP_UNUSED const struct iovec nothing;

static TAP_UNUSED long send_until(struct xnuma_peer *peer, uint8_t tag,
				  const struct iovec *iov, int iovcnt)
{
	double end = other_now() + 60;
	long ret;

	while ((ret = xnuma_send(peer, tag, iov, iovcnt)) == -EAGAIN &&
	       other_now() < end)
		sched_yield();
	return ret;
}

/* ---- what the other does when it is called ---- */

struct service {
	bool enough;
	long bytes;
	long last;	/* what xnuma_share() returned */
};

/* ... or told that it is enough. */
static TAP_UNUSED bool is_call(struct service *s,
			       const struct xnuma_message *msg)
{
	s->enough |= msg->tag == ENOUGH;
	return msg->tag == XNUMA_TAG_SHARE;
}

static TAP_UNUSED struct share_call call_of(const struct xnuma_message *msg)
{
	struct share_call call;

	memcpy(&call, msg->data, sizeof(call));
	return call;
}

static TAP_UNUSED struct region_share *words_of(const struct share_call *call)
{
	struct region_header *header = master->queue;

	return &header->share[call->slot];
}

/* Units at the back, if so many are left. */
static TAP_UNUSED bool take_back(const struct share_call *call, uint64_t units)
{
	const struct share_cut cut = share_cut(call->len, call->generation);
	_Atomic uint64_t *claim = &words_of(call)->claim;
	uint64_t old = atomic_load(claim);

	do {
		if (share_left(&cut, old) < units)
			return false;
	} while (!atomic_compare_exchange_weak(claim, &old,
					       old + (units << SHARE_BITS)));
	return true;
}

static TAP_UNUSED void serve(void *arg, const struct xnuma_message *msg)
{
	struct service *s = arg;

	if (!is_call(s, msg))
		return;
	s->last = xnuma_share(master, msg);
	if (s->last > 0)
		s->bytes += s->last;
}

static TAP_UNUSED long poll_with(xnuma_handler handler, struct service *s)
{
	double end = other_now() + 60;

	while (!s->enough && other_now() < end)
		xnuma_poll(own, handler, s, 1);
	return s->enough;
}

/* What the handler counts until it is enough. */
static TAP_UNUSED long poll_bytes(xnuma_handler handler)
{
	struct service s = { 0 };

	return poll_with(handler, &s) ? s.bytes : -ETIME;
}

/* Bytes copied until it is enough, or what the last call gave. */
static TAP_UNUSED long job_serve(long last, long b, long c)
{
	struct service s = { .last = -ENOMSG };

	if (!poll_with(serve, &s))
		return -ETIME;
	return last ? s.last : s.bytes;
}

/* ---- the getter ---- */

static TAP_UNUSED void begin(struct other *other, other_job job, long arg)
{
	struct other_order order = { job, { arg } };

	other_transfer(other->fd, &order, sizeof(order), 1);
}

static TAP_UNUSED long end(struct other *other)
{
	long ret = -EPIPE;

	check_int(send_until(other->peer, ENOUGH, &nothing, 0), ==, 0);
	check(other_transfer(other->fd, &ret, sizeof(ret), 0));
	return ret;
}

static TAP_UNUSED long get(size_t skew, size_t len)
{
	memset(buffer, 0, len);
	o.peer->missed = 0;
	return xnuma_get(o.memory, buffer, at + skew, len, NULL);
}

static TAP_UNUSED long differ(size_t skew, size_t len)
{
	long i, n = 0;

	for (i = 0; i < (long)len; i++)
		n += buffer[i] != other_byte(i + skew, 3);
	return n;
}

static TAP_UNUSED void sharing_start(struct xnuma_config *config)
{
	xnuma_config_init(config);
	config->flags |= XNUMA_SHARES;
	buffer = malloc(LEN + OTHER_PAGE);
	memset(buffer, 0x77, LEN + OTHER_PAGE);
	other_start(&o, config);
	at = other_do(&o, other_map, 0, LEN + OTHER_PAGE, 0);
	other_do(&o, other_fill, at, LEN + OTHER_PAGE, 3);
}

static TAP_UNUSED void sharing_stop(void)
{
	xnuma_domain_close(own);
	free(buffer);
}

#endif
