// SPDX-License-Identifier: BSD-3-Clause
/*
 * queue_send - the sender and its own ring
 *
 * @limit - @tail lines are free. A message needs one more than it fills: the
 * one behind it, whose word must not mislead. That line is also END's, so a
 * sender can always leave.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "queue_sender.h"

#define SENDER_SPINS	1000

/* Yields only to a thread of this process that holds a reservation for long. */
static void sender_lock(struct sender *s)
{
	unsigned int spins = 0;

	if (!s->threads)
		return;
	while (atomic_exchange_explicit(&s->locked, true,
					memory_order_acquire)) {
		while (atomic_load_explicit(&s->locked, memory_order_relaxed))
			if (++spins % SENDER_SPINS == 0)
				sched_yield();
	}
}

static void sender_unlock(struct sender *s)
{
	if (s->threads)
		atomic_store_explicit(&s->locked, false, memory_order_release);
}

int sender_init(struct sender *s, void *mem, size_t len, uint64_t name,
		bool threads, bool may_sleep)
{
	struct queue_header *header = mem;

	memset(s, 0, sizeof(*s));
	if (!mem || len < sizeof(*header))
		return -EINVAL;
	if (atomic_load_explicit(&header->magic, memory_order_acquire) !=
	    QUEUE_MAGIC || header->version != QUEUE_VERSION)
		return -EPROTO;
	if (queue_shape_init(&s->shape, header->ring_size, header->max_rings))
		return -EINVAL;
	if (queue_header_len(&s->shape) + (1 + (size_t)s->shape.max_rings) *
	    s->shape.ring_size > len)
		return -EINVAL;
	s->header = header;
	s->name = name;
	s->threads = threads;
	s->may_sleep = may_sleep && header->sleeps;
	s->patience = QUEUE_PROMOTE_AFTER;
	return 0;
}

/* END needs no line behind it: the reader stops there. */
void sender_fini(struct sender *s)
{
	if (s->ring) {
		sender_publish(queue_line(s->ring, &s->shape, s->tail),
			       sender_word(s, s->tail, QUEUE_CONTROL, 0, 0));
	} else if (s->claimed) {
		sender_unclaim(s);
	}
	sender_forget(s);
}

void sender_forget(struct sender *s)
{
	free(s->headers);
	free(s->bounce);
	memset(s, 0, sizeof(*s));
}

/* ---- the lines that were headers ---- */

void sender_begin(struct sender *s, uint64_t start, uint64_t *headers)
{
	s->tail = start;
	s->limit = start + s->shape.nlines;
	s->headers = headers;
	/* position 0: nobody was here, all words are 0 and harmless */
	s->uneven = start ? s->limit : 0;
	memset(headers, start ? 0 : 0xff, s->shape.nlines / 8);
	if (start)
		atomic_store_explicit(queue_line_word(queue_line(s->ring,
						&s->shape, start)), 0,
				      memory_order_relaxed);
}

static inline bool was_header(const struct sender *s, uint64_t pos)
{
	pos &= s->shape.mask;
	return s->headers[pos / 64] >> pos % 64 & 1;
}

static void mark_header(struct sender *s, uint64_t pos)
{
	pos &= s->shape.mask;
	s->headers[pos / 64] |= 1ULL << pos % 64;
}

/* Up to @end there is payload, which a lap later is where no header was. */
static inline void uneven(struct sender *s, uint64_t end)
{
	if (end + s->shape.nlines > s->uneven)
		s->uneven = end + s->shape.nlines;
}

/* Lines that do not go around the end of the ring. */
static void mark_payload(struct sender *s, uint64_t pos, uint32_t n)
{
	uint64_t bits;
	uint32_t first;

	if (n)
		uneven(s, pos + n);
	for (pos &= s->shape.mask; n; pos += 64 - first) {
		first = pos % 64;
		bits = ~0ULL << first;
		if (n < 64 - first)
			bits &= ~(~0ULL << (first + n));
		n -= n < 64 - first ? n : 64 - first;
		s->headers[pos / 64] &= ~bits;
	}
}

static void mark_far(struct sender *s, uint64_t pos, uint32_t n)
{
	mark_header(s, pos);
	mark_payload(s, pos + 1, n - 1);
	pos += n;
	if (!was_header(s, pos))
		atomic_store_explicit(queue_line_word(queue_line(s->ring,
						&s->shape, pos)), 0,
				      memory_order_relaxed);
}

/*
 * Marks @n lines from @pos, a header and its payload, and zeroes the word behind
 * them if it might mislead, before the caller publishes by a release store.
 */
static inline void mark(struct sender *s, uint64_t pos, uint32_t n)
{
	uint64_t *word = &s->headers[(pos & s->shape.mask) / 64];
	uint64_t lines = (1ULL << (n & 63)) - 1, bits;
	unsigned int first = pos % 64;

	if (first + n >= 64) {
		mark_far(s, pos, n);
		return;
	}
	if (n > 1)
		uneven(s, pos + n);
	bits = (*word & ~(lines << first)) | 1ULL << first;
	*word = bits;
	if (!(bits >> (first + n) & 1))
		atomic_store_explicit(queue_line_word(queue_line(s->ring,
						&s->shape, pos + n)), 0,
				      memory_order_relaxed);
}

/* ---- messages ---- */

/* What the reader published counts only as far as it can be true. */
static bool own_room(struct sender *s, uint32_t need)
{
	uint64_t known = s->limit - s->shape.nlines, consumed;

	if (s->tail + need <= s->limit)
		return true;
	consumed = atomic_load_explicit(s->consumed, memory_order_acquire);
	if (consumed - known <= s->tail - known)
		s->limit = consumed + s->shape.nlines;
	return s->tail + need <= s->limit;
}

static int own_reserve(struct sender *s, size_t len, size_t likely, void **buf)
{
	uint32_t n = queue_own_lines(len);
	uint32_t gap = s->shape.nlines - (s->tail & s->shape.mask);

	if (n <= gap)
		gap = 0;
	if (!own_room(s, gap + n + 1))
		return -EAGAIN;
	s->pos = s->tail + gap;
	s->nlines = n;
	*buf = queue_line(s->ring, &s->shape, s->pos) + QUEUE_HEAD;
	queue_ahead_write((char *)*buf - QUEUE_HEAD, queue_own_lines(likely));
	return 0;
}

/* All that was reserved may have been written to, but for the first word. */
static void own_cancel(struct sender *s)
{
	mark_payload(s, s->pos + 1, s->nlines - 1);
}

/* The message first: where the void leads, it is there. */
static void own_commit(struct sender *s, uint8_t tag, size_t len)
{
	char *line = queue_line(s->ring, &s->shape, s->pos);
	uint64_t gap = s->pos - s->tail;

	if (!s->tidy)
		mark_payload(s, s->pos + 1, s->nlines - 1);
	mark(s, s->pos, queue_own_lines(len));
	atomic_store_explicit(queue_line_name(line), s->name,
			      memory_order_relaxed);
	sender_publish(line, sender_word(s, s->pos, QUEUE_DATA, tag, len));
	if (gap) {
		mark_header(s, s->tail);
		mark_payload(s, s->tail + 1, gap - 1);
		sender_publish(queue_line(s->ring, &s->shape, s->tail),
			       sender_word(s, s->tail, QUEUE_VOID, 0, gap));
	}
	s->tail = s->pos + queue_own_lines(len);
}

static int reserve(struct sender *s, size_t len, size_t likely, void **buf)
{
	int ret = 0;

	if (len > s->shape.send_max)
		return -EMSGSIZE;
	if (!s->ring && sender_sent(s) >= s->patience)
		ret = sender_promote(s);
	if (!ret)
		ret = s->ring ? own_reserve(s, len, likely, buf) :
				sender_cold_reserve(s, len, buf);
	if (ret == -EAGAIN)
		queue_count(&s->again, 1);
	return ret;
}

static void commit(struct sender *s, uint8_t tag, size_t len)
{
	if (s->ring)
		own_commit(s, tag, len);
	else
		sender_cold_commit(s, QUEUE_DATA, tag, len);
	queue_count(&s->messages, 1);
	queue_count(&s->bytes, len);
}

static int reserve_locked(struct sender *s, size_t len, size_t likely,
			  bool tidy, void **buf)
{
	int ret;

	sender_lock(s);
	ret = reserve(s, len, likely, buf);
	s->tidy = tidy;
	if (ret)
		sender_unlock(s);
	return ret;
}

int sender_reserve(struct sender *s, size_t len, void **buf)
{
	return reserve_locked(s, len, len, false, buf);
}

int sender_reserve_most(struct sender *s, size_t len, size_t likely, void **buf)
{
	return reserve_locked(s, len, likely < len ? likely : len, true, buf);
}

void sender_commit(struct sender *s, uint8_t tag, size_t len)
{
	commit(s, tag, len);
	sender_unlock(s);
}

void sender_cancel(struct sender *s)
{
	if (s->ring)
		own_cancel(s);
	else
		sender_cold_cancel(s);
	sender_unlock(s);
}

static void copy_in(char *to, const struct iovec *iov, int iovcnt)
{
	for (; iovcnt > 0; iovcnt--, iov++) {
		if (iov->iov_len)
			memcpy(to, iov->iov_base, iov->iov_len);
		to += iov->iov_len;
	}
}

/* Where nothing has to be asked: room is known, and no end of the ring near. */
static inline bool own_fits(const struct sender *s, uint32_t n)
{
	return s->ring && !s->threads && s->tail + n < s->limit &&
	       (s->tail & s->shape.mask) + n <= s->shape.nlines;
}

static void own_send(struct sender *s, uint8_t tag, const struct iovec *iov,
		     int iovcnt, size_t len)
{
	char *line = queue_line(s->ring, &s->shape, s->tail);
	uint32_t n = queue_own_lines(len);

	queue_ahead_write(line, n);
	copy_in(line + QUEUE_HEAD, iov, iovcnt);
	mark(s, s->tail, n);
	sender_line(s, line, tag, len);
	s->tail += n;
}

int sender_send_any(struct sender *s, uint8_t tag, const struct iovec *iov,
		    int iovcnt)
{
	size_t len = 0;
	void *buf;
	int ret, i;

	for (i = 0; i < iovcnt; i++) {
		if (iov[i].iov_len > s->shape.send_max)
			return -EMSGSIZE;
		len += iov[i].iov_len;
	}
	if (len <= s->shape.send_max && own_fits(s, queue_own_lines(len))) {
		own_send(s, tag, iov, iovcnt, len);
		return 0;
	}
	sender_lock(s);
	ret = reserve(s, len, len, &buf);
	s->tidy = true;
	if (!ret) {
		copy_in(buf, iov, iovcnt);
		commit(s, tag, len);
	}
	sender_unlock(s);
	return ret;
}
