/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue - short messages into the memory of their reader
 *
 * Memory code only: no system call, no port. The reader owns a zero-filled,
 * page-aligned area; senders map it anywhere. Cold senders share one ring;
 * after QUEUE_PROMOTE_AFTER messages a sender takes a ring of its own while
 * there is one. queue_ring.h has the layout and the protocol.
 *
 * Order is kept per struct sender. A @name must belong to one process among
 * those alive: queue_skip_dead() goes by it.
 */
#ifndef XNUMA_QUEUE_H
#define XNUMA_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "queue_ring.h"
#include "xnuma.h"

/* ---- reader ---- */

struct queue_grave;

enum queue_own_state {
	QUEUE_OWN_IDLE,		/* free, or not announced yet */
	QUEUE_OWN_ACTIVE,
	QUEUE_OWN_ENDED,
	QUEUE_OWN_BROKEN,	/* not looked at until its owner is dead */
};

/* One ring that a sender owns, by ring number; the poller's private notes. */
struct queue_own {
	uint64_t	head;		/* next line to look at */
	uint64_t	published;	/* @head as its sender may know it */
	_Atomic uint64_t *credit;	/* where it may */
	uint32_t	last;		/* low bits of the poll in which it spoke */
	enum queue_own_state state;
};

/* What polling a ring needs; hot ones first, cold ones behind them. */
struct queue_slot {
	_Atomic uint64_t *word;		/* header word at the head */
	uint64_t	expect;		/* lap and published bit there */
	struct queue_own *own;		/* NULL: the shared ring */
};

struct queue {
	/* what a poll in vain looks at; from @nhot to @dying: by who holds @busy */
	bool		plain;		/* one thread, not polling; hot slots only */
	_Atomic unsigned int chores;	/* graves, + 1 with @resync */
	unsigned int	nhot;		/* slots looked at in each poll */
	_Atomic uint32_t polls;
	struct queue_slot *slots;	/* [1 + max_rings]: shared, hot, cold */

	struct queue_own *own;		/* [max_rings] */
	char		*rings;		/* ring 0 */
	char		*shared;	/* the shared ring */
	struct queue_header *header;
	uint64_t	head;		/* of the shared ring */
	uint64_t	published;	/* @head as its senders may know it */
	unsigned int	nslots;		/* these and the cold ones */
	unsigned int	turn;		/* where the next poll begins */
	unsigned int	cold;		/* cold slot whose turn it is */
	bool		resync;		/* lost where the shared headers are */
	struct queue_grave *dying;

	_Atomic bool	busy;		/* somebody polls */
	bool		single;		/* XNUMA_SINGLE_THREAD */
	bool		sleeps;		/* XNUMA_SLEEPS */
	_Atomic(struct queue_grave *) posted; /* new graves */
	struct queue_shape shape;
	void		*bounce;	/* long messages of the shared ring */

	_Atomic uint64_t messages;	/* handled */
	_Atomic uint64_t bytes;		/* of their payload */
	_Atomic uint64_t promotions;	/* rings announced */
	_Atomic uint64_t garbage;	/* headers that made no sense */
	_Atomic uint64_t skipped;	/* reservations of dead senders */
};

/** queue_size - bytes of memory that queue_init() wants */
size_t queue_size(const struct xnuma_config *config);

/** queue_send_max - largest payload of one message, in bytes */
size_t queue_send_max(const struct xnuma_config *config);

/**
 * queue_init - make a queue of zero-filled memory
 * @q:		out
 * @mem:	page aligned, queue_size() bytes; touched only as it is used
 * @config:	ring_size, max_rings and flags matter
 *
 * Return: 0, -EINVAL (sizes out of range, alignment), -ENOMEM
 */
int queue_init(struct queue *q, void *mem, const struct xnuma_config *config);

/** queue_fini - free what is local; @mem is not touched */
void queue_fini(struct queue *q);

/** queue_polls - how often was it polled? any thread */
static inline uint32_t queue_polls(const struct queue *q)
{
	return atomic_load_explicit(&q->polls, memory_order_relaxed);
}

static inline bool queue_slot_ready(const struct queue_slot *slot)
{
	return queue_word_published(atomic_load_explicit(slot->word,
				    memory_order_acquire), slot->expect);
}

#define QUEUE_SWEEP	1024	/* polls between looking for silent rings */

/* By who polls; returns how many there were. */
static inline uint32_t queue_polled(struct queue *q)
{
	uint32_t polls = queue_polls(q) + 1;

	atomic_store_explicit(&q->polls, polls, memory_order_relaxed);
	return polls;
}

/** queue_poll_any - queue_poll() for what is not plain; @counted: this poll */
int queue_poll_any(struct queue *q, bool counted, xnuma_handler handler,
		   void *arg, int max);

/** queue_poll_own - slot @i, a ring of one sender, and those behind it */
int queue_poll_own(struct queue *q, unsigned int i, xnuma_handler handler,
		   void *arg, int max);

/**
 * queue_poll - handle messages
 *
 * Returns 0 at once while another thread polls and within a handler.
 *
 * Return: messages handled, 0 to @max; 0 also where that is negative
 */
static inline int queue_poll(struct queue *q, xnuma_handler handler, void *arg,
			     int max)
{
	const struct queue_slot *slots;
	unsigned int nhot, i = 0;

	if (!q->plain)
		return queue_poll_any(q, false, handler, arg, max);
	if (queue_polled(q) % QUEUE_SWEEP == 0 ||
	    atomic_load_explicit(&q->chores, memory_order_relaxed))
		return queue_poll_any(q, true, handler, arg, max);
	slots = q->slots;
	nhot = q->nhot;
	while (!queue_slot_ready(&slots[i]))
		if (++i == nhot)
			return 0;
	return i ? queue_poll_own(q, i, handler, arg, max) :
		   queue_poll_any(q, true, handler, arg, max);
}

/** queue_pending - would a poll find something? true while one runs */
bool queue_pending(struct queue *q);

/**
 * queue_arm - have the next sender told by sender_must_wake()
 *
 * Return: 0, -EBUSY (something is pending, or a poll runs),
 * -ENOTSUP (without XNUMA_SLEEPS senders do not look)
 */
int queue_arm(struct queue *q);

/** queue_disarm - awake again */
void queue_disarm(struct queue *q);

/**
 * queue_skip_dead - a sender's process is gone: do not wait for it
 * @q:		the queue
 * @name:	as it was given to sender_init()
 *
 * Any thread, also from a handler. What it committed is still delivered; what
 * it only reserved is passed over and its rings go to others, by later polls.
 * The caller has made sure that none of its stores is still to come.
 *
 * Return: 0, -ENOMEM
 */
int queue_skip_dead(struct queue *q, uint64_t name);

/**
 * queue_blocked - whose reservation holds the shared ring up?
 * @name:	out: meaningful when true
 *
 * For slow paths that suspect a death nobody reported. False also while a poll
 * runs and in the first nanoseconds of a reservation.
 */
bool queue_blocked(struct queue *q, uint64_t *name);

/* ---- sender ---- */

struct sender {
	char		*ring;		/* own ring, NULL: shared */
	uint64_t	tail;		/* next line of the own ring */
	uint64_t	limit;		/* lines below are free */
	uint64_t	name;
	uint64_t	uneven;		/* from here on all @headers are set */
	bool		threads;
	bool		may_sleep;
	_Atomic bool	locked;		/* only with @threads */
	struct queue_shape shape;
	struct queue_header *header;

	uint64_t	*headers;	/* bit: a header in the last lap */
	void		*bounce;	/* long reservations in the shared ring */
	_Atomic uint64_t *consumed;	/* of the own ring */
	uint64_t	credit;		/* shared ring consumed, as last read */
	uint64_t	pos;		/* of the reservation */
	uint32_t	nlines;		/* of the reservation */
	bool		tidy;		/* only what is committed was written to */
	uint32_t	number;		/* of the own or claimed ring */
	bool		claimed;	/* @number is ours, not announced yet */
	uint64_t	patience;	/* messages until the next promotion try */

	_Atomic uint64_t messages;	/* committed */
	_Atomic uint64_t bytes;		/* of their payload */
	_Atomic uint64_t again;		/* -EAGAIN returned */
	_Atomic uint64_t promotions;	/* 0 or 1 */
};

/**
 * sender_init - begin to send to a queue
 * @s:		out
 * @mem:	the queue's memory as mapped here
 * @len:	bytes mapped
 * @name:	source of the messages
 * @threads:	several threads may send at a time
 * @may_sleep:	sender_must_wake() will be called; no cost where the reader
 *		never sleeps
 *
 * Return: 0, -EPROTO (no queue, or another version), -EINVAL (sizes that do not
 * fit @len)
 */
int sender_init(struct sender *s, void *mem, size_t len, uint64_t name,
		bool threads, bool may_sleep);

/** sender_fini - give the ring back to the reader and free what is local */
void sender_fini(struct sender *s);

/** sender_forget - free what is local only: for the child of a fork() */
void sender_forget(struct sender *s);

/** sender_send_max - largest payload of one message, in bytes */
static inline size_t sender_send_max(const struct sender *s)
{
	return s->shape.send_max;
}

/**
 * sender_reserve - room for a message, contiguous and 8-byte aligned
 *
 * With @threads the sender is locked until sender_commit() or sender_cancel().
 *
 * Return: 0, -EAGAIN, -EMSGSIZE
 */
int sender_reserve(struct sender *s, size_t len, void **buf);

/**
 * sender_reserve_most - sender_reserve() for who learns @len as he writes
 * @likely: bytes; so many lines are asked for ahead
 *
 * Who commits less than @len has not written more.
 */
int sender_reserve_most(struct sender *s, size_t len, size_t likely,
			void **buf);

/** sender_commit - publish it; @len at most as reserved */
void sender_commit(struct sender *s, uint8_t tag, size_t len);

/** sender_cancel - give the room back */
void sender_cancel(struct sender *s);

/** sender_send_any - sender_send() for what its fast path does not take */
int sender_send_any(struct sender *s, uint8_t tag, const struct iovec *iov,
		    int iovcnt);

/* at most 48 bytes, without a call */
static inline char *queue_copy_small(char *to, const struct iovec *iov)
{
	const char *from = iov->iov_base;
	size_t len = iov->iov_len;

	if (len > 16) {
		memcpy(to, from, 16);
		if (len > 32)
			memcpy(to + 16, from + 16, 16);
		memcpy(to + len - 16, from + len - 16, 16);
	} else if (len >= 8) {
		memcpy(to, from, 8);
		memcpy(to + len - 8, from + len - 8, 8);
	} else if (len >= 4) {
		memcpy(to, from, 4);
		memcpy(to + len - 4, from + len - 4, 4);
	} else if (len) {
		to[0] = from[0];
		to[len / 2] = from[len / 2];
		to[len - 1] = from[len - 1];
	}
	return to + len;
}

/* publishes what begins in @line, the one at the tail of the own ring */
static inline void sender_line(struct sender *s, char *line, uint8_t tag,
			       size_t len)
{
	atomic_store_explicit(queue_line_name(line), s->name,
			      memory_order_relaxed);
	atomic_store_explicit(queue_line_word(line),
			      queue_word(&s->shape, s->tail, QUEUE_DATA) |
			      (uint64_t)tag << QUEUE_TAG_SHIFT | len,
			      memory_order_release);
	queue_count(&s->messages, 1);
	queue_count(&s->bytes, len);
}

/* into the own ring; there is room, and all that was there were headers */
static inline void sender_send_line(struct sender *s, uint8_t tag,
				    const struct iovec *iov, int iovcnt,
				    size_t len)
{
	char *line = queue_line(s->ring, &s->shape, s->tail);
	char *to = line + QUEUE_HEAD;
	int i;

	for (i = 0; i < iovcnt; i++)
		to = queue_copy_small(to, &iov[i]);
	sender_line(s, line, tag, len);
	s->tail++;
}

/**
 * sender_send - copy a message into the queue
 *
 * Return: 0, -EAGAIN, -EMSGSIZE
 */
static inline int sender_send(struct sender *s, uint8_t tag,
			      const struct iovec *iov, int iovcnt)
{
	size_t len;

	if (s->threads || iovcnt < 1 || iovcnt > 2 ||
	    s->tail + 2 > s->limit || s->tail < s->uneven)
		return sender_send_any(s, tag, iov, iovcnt);
	len = iov[0].iov_len + (iovcnt == 2 ? iov[1].iov_len : 0);
	if (len > XNUMA_INLINE_MAX)
		return sender_send_any(s, tag, iov, iovcnt);
	sender_send_line(s, tag, iov, iovcnt, len);
	return 0;
}

/**
 * sender_must_wake - after a commit: does the reader sleep?
 *
 * Return: true for one sender of those that find it armed
 */
static inline bool sender_must_wake(struct sender *s)
{
	_Atomic uint32_t *armed;

	if (!s->may_sleep)
		return false;
	/*
	 * Ours: message, fence, armed. The reader's: armed, fence, message. One
	 * of the two sees the other's store.
	 */
	armed = &s->header->armed;
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(armed, memory_order_relaxed) &&
	       atomic_exchange_explicit(armed, 0, memory_order_relaxed);
}

#endif
