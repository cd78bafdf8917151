/* SPDX-License-Identifier: BSD-3-Clause */
/* visitor.c - one visit: look at the leaf, at the page, and at the leaf again. */

#include <signal.h>

#include "stamp.h"
#include "visitor.h"

#define STAYS	16	/* pages that are visited in one signal context */

static struct stamp *stamp_at(struct visitor *v)
{
	return (struct stamp *)(v->view->im.win + v->page * (long)PAGE);
}

/* Most of the time where something happens. */
static long choose(struct visitor *v)
{
	long at = (long)dice_roll(&v->dice, (__u64)world->pages);

	if (dice_roll(&v->dice, 4))
		at = atomic_load(&world->focus[dice_roll(&v->dice, MUTATORS)]) +
		     (long)dice_roll(&v->dice, 16);
	return at % world->pages;
}

static void begin(struct visitor *v)
{
	struct leaf *leaf = &world->leaf[v->page];

	v->writing = !v->reader && !dice_roll(&v->dice, 8);
	v->life = v->view->life;
	v->over = atomic_load(&world->over);
	v->epoch = atomic_load(&leaf->epoch);
	v->low = atomic_load(&leaf->low);
	v->zero = atomic_load(&leaf->zero);
	v->reach = atomic_load(&leaf->reach);
	v->seal = atomic_load(&leaf->seal);
	if (v->poison)
		v->cleared = __atomic_load_n(&v->view->im.st->cleared,
					     __ATOMIC_ACQUIRE);
}

/* I11: only what is behind this was real. */
static bool is_good(struct visitor *v)
{
	if (!v->poison)
		return true;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&v->view->im.st->poisoned, __ATOMIC_ACQUIRE) ==
	       v->cleared;
}

static bool was_reachable(struct visitor *v)
{
	struct leaf *leaf = &world->leaf[v->page];

	if (v->over >= v->life)
		crime(CRIME_TAKEN, v->page, "life %u after life %u", v->life,
		      v->over);
	else if (is_taken(v->reach) && atomic_load(&leaf->reach) == v->reach)
		crime(CRIME_TAKEN, v->page, v->writing ? "written" : "read");
	else
		return true;
	return false;
}

/* The owner's view of life is the leaf's only as long as it lasts. */
static bool same_life(struct visitor *v)
{
	return atomic_load(&world->life) == v->life;
}

static void judge_age(struct visitor *v, __u64 g)
{
	struct leaf *leaf = &world->leaf[v->page];
	__u64 now = atomic_load(&leaf->low), age;

	if (g < v->low)
		crime(CRIME_STALE, v->page,
		      "generation %llu, %llu was published", g, v->low);
	else if (g > atomic_load(&leaf->high))
		crime(CRIME_FOREIGN, v->page, "generation %llu to come", g);
	age = now > g ? now - g : 0;
	v->tally->age[age < AGES ? age : AGES - 1]++;
}

/*
 * Its own slot is what this visitor made it. What it only reads while zeros may
 * be seen, MADV_FREE can take away yet; not so what it has stored.
 */
static void judge_slot(struct visitor *v, __u64 number, bool stable)
{
	struct memory *m = &v->memory[v->page];

	if (stable && m->epoch == v->epoch && number != m->number)
		crime(CRIME_LOST, v->page, "%s slot %d: %llu, not %llu",
		      v->writing ? "adding to" : "reading", v->index, number,
		      m->number);
	if (stable && (v->writing || !v->zero || m->epoch == v->epoch))
		m->epoch = v->epoch;
	else
		m->epoch = 1;
	m->number = number;
}

static bool is_stable(struct visitor *v)
{
	return !(v->epoch % 2) &&
	       atomic_load(&world->leaf[v->page].epoch) == v->epoch;
}

static void read_page(struct visitor *v)
{
	__u64 number = world->leaf[v->page].number + v->life * PAGES, g, slot;
	struct stamp *s = stamp_at(v);
	bool ours = stamp_read(s, number, &g);

	slot = atomic_load(&s->slot[v->index]);
	if (!is_good(v)) {
		v->tally->rejected++;
		v->rejected = true;
		return;
	}
	v->tally->reads++;
	if (!was_reachable(v) || !same_life(v))
		return;
	if (!ours)
		crime(CRIME_FOREIGN, v->page, "number %llx, generation %llu",
		      atomic_load(&s->number), g);
	if (g)
		judge_age(v, g);
	else
		v->tally->zeros++;
	if (!g && !v->zero && is_stable(v) &&
	    atomic_load(&world->leaf[v->page].high) == v->low)
		crime(CRIME_LOST, v->page, "no stamp");
	if (!v->reader)
		judge_slot(v, slot, is_stable(v));
}

static void judge_write(struct visitor *v, __u64 number)
{
	struct leaf *leaf = &world->leaf[v->page];
	bool stable = is_stable(v);

	if (is_taken(v->seal) && atomic_load(&leaf->seal) == v->seal)
		crime(CRIME_SEALED, v->page, "written");
	judge_slot(v, number, stable);
	v->memory[v->page].number++;
	if (stable)
		atomic_store(&leaf->acked[v->index],
			     v->epoch << 32 | (number + 1));
}

static void write_page(struct visitor *v)
{
	__u64 number = atomic_fetch_add(&stamp_at(v)->slot[v->index], 1);

	if (!is_good(v)) {
		v->tally->rejected++;
		v->rejected = true;
		v->memory[v->page].epoch = 1;
		return;
	}
	v->tally->writes++;
	if (was_reachable(v) && same_life(v))
		judge_write(v, number);
}

/* A signal instead of a page: there must have been a reason. */
static void missed(struct visitor *v, int sig)
{
	struct leaf *leaf = &world->leaf[v->page];

	v->tally->refused++;
	if (sig != SIGBUS || v->poison)
		crime(CRIME_REFUSED, v->page, "signal %d", sig);
	else if (v->view->im.st->state == XPMEM_NUMA_ACTIVE && is_granted(v->reach) &&
		 atomic_load(&leaf->reach) == v->reach &&
		 (!v->writing || (is_granted(v->seal) &&
				  atomic_load(&leaf->seal) == v->seal)))
		crime(CRIME_REFUSED, v->page, v->writing ? "written" : "read");
}

/* Some time at one page: mostly short, seldom long. */
static void stay(struct visitor *v)
{
	long visits = 1L << dice_roll(&v->dice, 9);

	v->page = choose(v);
	while (visits-- && !v->rejected) {
		begin(v);
		if (v->writing)
			write_page(v);
		else
			read_page(v);
	}
	v->rejected = false;
}

/* One signal context for many visits: it costs a system call. */
static void visit_some(struct visitor *v)
{
	int sig = sigsetjmp(trap.env, 1);

	trap.armed = false;
	if (sig)
		missed(v, sig);
	while (++v->count % STAYS) {
		trap.armed = true;
		stay(v);
		trap.armed = false;
	}
}

void visit(struct visitor *v)
{
	while (!atomic_load(&world->stop)) {
		visit_some(v);
		atomic_fetch_add(&world->stays, STAYS);
		if (v->view->im.st->state == XPMEM_NUMA_ACTIVE)
			view_change(v);
		else
			view_renew(v);
	}
}
