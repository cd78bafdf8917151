/* SPDX-License-Identifier: BSD-3-Clause */
/* share.c - who gets: calls the peer, copies from the front, waits for the back */

#include <errno.h>
#include <sched.h>
#include <time.h>

#include "access.h"
#include "share.h"

/*
 * Turns of waiting: a part that is under way ends soon, unless who copies it has
 * lost its processor; he gets it by a yield, or by a nap where this process has
 * priority.
 */
#define PAUSES	(1U << 12)
#define YIELDS	(PAUSES + (1U << 10))
#define NAP	50000	/* ns */

#define PATIENCE	(256UL << 10)	/* bytes */
#define ABSENT		4	/* copies missed */
#define ABSENT_MOST	4096	/* ... between two calls */

struct share {
	struct xnuma_import *imp;
	char *dst;
	uint64_t va;
	struct share_cut cut;
	struct region_share *words;
	uint32_t slot;
	uint32_t front;		/* units taken here; only this side does */
};

/* No other copy of this domain has the slot's words until slot_give(). */
static bool slot_take(struct share *s)
{
	struct xnuma_domain *dom = s->imp->dom;
	struct share_slot *slot;
	uint32_t i;

	for (i = 0; i < REGION_SHARES; i++) {
		slot = &dom->shares[i];
		if (atomic_exchange_explicit(&slot->used, true,
					     memory_order_acquire))
			continue;
		s->slot = i;
		s->words = &dom->region.header->share[i];
		slot->generation = (slot->generation + 2) &
				   (UINT64_MAX >> 2 * SHARE_BITS);
		s->cut.generation = slot->generation | 1;
		return true;
	}
	return false;
}

static void slot_give(struct share *s)
{
	atomic_store_explicit(&s->imp->dom->shares[s->slot].used, false,
			      memory_order_release);
}

/*
 * A peer that did not come to the last few copies is busy, perhaps getting from
 * here himself. He is then called ever more seldom, since cutting a copy that
 * nobody joins makes it slower, and calls fill the queue of one who does not
 * poll.
 */
static bool is_absent(const struct xnuma_peer *peer)
{
	unsigned int missed = atomic_load_explicit(&peer->missed,
						   memory_order_relaxed);

	return missed >= ABSENT && missed & (missed - 1) &&
	       missed % ABSENT_MOST;
}

static void note_absence(struct xnuma_peer *peer, bool came)
{
	unsigned int missed = atomic_load_explicit(&peer->missed,
						   memory_order_relaxed);

	atomic_store_explicit(&peer->missed, came ? 0 : missed + 1,
			      memory_order_relaxed);
}

/* A peer that sleeps is not woken for this; one without room has work. */
static bool call(const struct share *s)
{
	struct share_call call = {
		.src = s->va,
		.dst = (uintptr_t)s->dst,
		.len = s->cut.len,
		.slot = s->slot,
		.domain = s->imp->dom->blob.id,
		.generation = s->cut.generation,
	};
	const struct iovec iov = { &call, sizeof(call) };

	return !sender_send(&s->imp->peer->sender, XNUMA_TAG_SHARE, &iov, 1);
}

static int copy_units(const struct share *s, uint32_t at, uint32_t units)
{
	size_t offset = at * s->cut.unit;

	return copy_range(s->imp, s->dst + offset, s->va + offset,
			  share_bytes(&s->cut, at, units), false);
}

/*
 * A little more than half of what is left, since the peer begins later; all
 * where the rest is not worth a call, or where the peer seems not to come.
 */
static uint32_t part(const struct share_cut *cut, uint64_t claim, uint32_t left)
{
	size_t rest = left / 2 * cut->unit;

	if (rest < SHARE_LEAST ||
	    (share_front(claim) && !share_back(claim) && rest < PATIENCE))
		return left;
	return left - left * 7 / 16;
}

static int copy_front(struct share *s)
{
	_Atomic uint64_t *claim = &s->words->claim;
	uint64_t old = atomic_load_explicit(claim, memory_order_relaxed);
	uint32_t left, units;
	int ret = 0;

	while (!ret && share_front(old) == s->front &&
	       (left = share_left(&s->cut, old))) {
		units = part(&s->cut, old, left);
		if (!atomic_compare_exchange_weak(claim, &old, old + units))
			continue;
		s->front += units;
		ret = copy_units(s, share_front(old), units);
		old = atomic_load_explicit(claim, memory_order_relaxed);
	}
	return ret;
}

static void cpu_relax(void)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static void wait_once(unsigned int turn)
{
	const struct timespec nap = { .tv_nsec = NAP };

	if (turn < PAUSES)
		cpu_relax();
	else if (turn < YIELDS)
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

static bool is_over(const struct share *s, uint64_t done, uint32_t back)
{
	return done >> 2 * SHARE_BITS == s->cut.generation &&
	       (done & SHARE_FAILED || (done & SHARE_UNITS) >= back);
}

/* Units at the back that the peer has copied, of the @back that it took. */
static int wait_for_back(struct share *s, uint32_t back, uint32_t *units)
{
	unsigned int turn = 0;
	uint64_t done;

	for (;;) {
		done = atomic_load_explicit(&s->words->done,
					    memory_order_acquire);
		if (is_over(s, done, back))
			break;
		if (!status_alive(s->imp->status))
			return access_gone(s->imp);
		wait_once(++turn);
	}
	*units = done & SHARE_UNITS;
	return 0;
}

/* Nobody takes a part of it any more; the peer's may be under way yet. */
static int finish(struct share *s, int ret)
{
	uint64_t claim = atomic_exchange(&s->words->claim, 0);
	uint32_t back = share_back(claim), units = 0;
	int lost;

	if (claim >> 2 * SHARE_BITS != s->cut.generation ||
	    share_front(claim) != s->front || s->front + back > s->cut.units)
		return error(-EPROTO, "pid %d spoils what it was called to "
			     "copy", s->imp->peer->blob.pid);
	lost = back ? wait_for_back(s, back, &units) : 0;
	note_absence(s->imp->peer, units);
	if (lost || ret)
		return lost ? lost : ret;
	return units < back ? copy_units(s, s->cut.units - back, back - units) :
			      0;
}

int share_get(struct xnuma_import *imp, char *dst, uint64_t va, size_t len)
{
	struct share s = { .imp = imp, .dst = dst, .va = va };
	int ret;

	if (is_absent(imp->peer)) {
		note_absence(imp->peer, false);
		return copy_range(imp, dst, va, len, false);
	}
	if (!slot_take(&s))
		return copy_range(imp, dst, va, len, false);
	s.cut = share_cut(len, s.cut.generation);
	atomic_store_explicit(&s.words->done, share_word(&s.cut),
			      memory_order_relaxed);
	atomic_store_explicit(&s.words->claim, share_word(&s.cut),
			      memory_order_release);
	if (!call(&s)) {
		slot_give(&s);
		note_absence(imp->peer, false);
		return copy_range(imp, dst, va, len, false);
	}
	ret = finish(&s, copy_front(&s));
	/* of spoiled words nobody knows whether the peer is done with them */
	if (ret != -EPROTO)
		slot_give(&s);
	return ret;
}
