/* SPDX-License-Identifier: BSD-3-Clause */
/* queue-fixture - a queue between guard pages, messages that tell of faults */
#ifndef XNUMA_TESTS_QUEUE_FIXTURE_H
#define XNUMA_TESTS_QUEUE_FIXTURE_H

#include <sys/mman.h>

#include "queue-all.h"
#include "tap.h"

#define GUARD	65536

struct fixture {
	struct xnuma_config config;
	struct queue	queue;
	char		*map;
	char		*mem;
	size_t		len;
};

/* Flags of each queue besides those that its test asks for. */
static TAP_UNUSED unsigned int fixture_flags;

/* A reader of one thread polls by other code. */
#define TEST_BOTH(call, sentence)					\
	TEST((fixture_flags = 0, call,					\
	      fixture_flags = XNUMA_SINGLE_THREAD, call), sentence)

static TAP_UNUSED void fixture_open(struct fixture *f, size_t ring_size,
				    unsigned int max_rings, unsigned int flags)
{
	memset(f, 0, sizeof(*f));
	f->config.ring_size = ring_size;
	f->config.max_rings = max_rings;
	f->config.flags = flags | fixture_flags;
	f->len = queue_size(&f->config);
	f->map = mmap(NULL, f->len + 2 * GUARD, PROT_NONE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	f->mem = f->map + GUARD;
	if (f->map == MAP_FAILED ||
	    mprotect(f->mem, f->len, PROT_READ | PROT_WRITE) ||
	    queue_init(&f->queue, f->mem, &f->config)) {
		tap_diag("no queue: %s", strerror(errno));
		exit(1);
	}
}

static TAP_UNUSED void fixture_close(struct fixture *f)
{
	queue_fini(&f->queue);
	munmap(f->map, f->len + 2 * GUARD);
}

static TAP_UNUSED void fixture_sender(struct fixture *f, struct sender *s,
				      uint64_t name)
{
	if (!check_int(sender_init(s, f->mem, f->len, name, false, true), ==,
		       0))
		exit(1);
}

/* ---- random numbers, the same in each run ---- */

static TAP_UNUSED uint32_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

/* ---- content ---- */

/*
 * Payload of @len bytes that each word betrays: what is no text of ours looks
 * like the header that the reader will wait for there one lap later.
 */
static TAP_UNUSED void content_fill(char *buf, size_t len, uint64_t seed,
				    uint64_t lure)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = seed * 31 + i;
	for (i = QUEUE_LINE - QUEUE_HEAD; lure && i + 8 <= len;
	     i += QUEUE_LINE)
		memcpy(buf + i, &lure, sizeof(lure));
}

static TAP_UNUSED bool content_ok(const char *buf, size_t len, uint64_t seed,
				  uint64_t lure)
{
	static char want[1 << 20];

	content_fill(want, len, seed, lure);
	return !memcmp(buf, want, len);
}

/* a header of @s's next lap, of a message of 8 bytes */
static TAP_UNUSED uint64_t content_lure(const struct sender *s)
{
	return queue_word(&s->shape, s->tail + s->shape.nlines, QUEUE_DATA) |
	       8;
}

/* ---- receiving ---- */

struct inbox {
	unsigned int	messages;
	size_t		bytes;
	size_t		len;		/* of the last message */
	uint64_t	source;
	uint8_t		tag;
	char		data[1 << 20];
};

static TAP_UNUSED void inbox_handler(void *arg,
				     const struct xnuma_message *msg)
{
	struct inbox *in = arg;

	in->messages++;
	in->bytes += msg->len;
	in->len = msg->len;
	in->source = msg->source;
	in->tag = msg->tag;
	memcpy(in->data, msg->data, msg->len);
	if ((uintptr_t)msg->data % 8)
		in->len = SIZE_MAX;
}

static TAP_UNUSED int inbox_poll(struct fixture *f, struct inbox *in, int max)
{
	return queue_poll(&f->queue, inbox_handler, in, max);
}

/* polls until nothing is pending; returns the messages */
static TAP_UNUSED int inbox_drain(struct fixture *f, struct inbox *in)
{
	int n = 0;

	while (queue_pending(&f->queue))
		n += inbox_poll(f, in, 100);
	return n;
}

static TAP_UNUSED int send_bytes(struct sender *s, uint8_t tag,
				 const void *buf, size_t len)
{
	struct iovec iov = { (void *)buf, len };

	return sender_send(s, tag, &iov, 1);
}

/* past promotion, or past the try */
static TAP_UNUSED void sender_warm(struct fixture *f, struct sender *s,
				   struct inbox *in)
{
	int i;

	for (i = 0; i <= QUEUE_PROMOTE_AFTER; i++) {
		check_int(send_bytes(s, 0, &i, sizeof(i)), ==, 0);
		inbox_drain(f, in);
	}
}

#endif
