/* SPDX-License-Identifier: BSD-3-Clause */
/* owner.h - threads that change an owner's memory and keep its leaves true */
#ifndef XNUMA_TORTURE_OWNER_H
#define XNUMA_TORTURE_OWNER_H

#include "world.h"

/* Pages of one kind; each belongs to one thread of the owner. */
struct region {
	long first, pages;
	enum { REGION_SMALL, REGION_HUGE, REGION_KSM, REGION_FILE } kind;
	__u64 events;		/* that fit here, of EV() */
	int mutator;
};

struct mutator {
	int index;
	struct dice dice;
	int uffd;
	const struct region *region;
	long first, pages;	/* that the event under way is about */
};

typedef void (*event_fn)(struct mutator *m);

extern const event_fn event_table[NEVENTS];

static inline char *page_at(long page)
{
	return (char *)AREA + page * (long)PAGE;
}

static inline char *range_at(const struct mutator *m)
{
	return page_at(m->first);
}

static inline size_t range_len(const struct mutator *m)
{
	return (size_t)m->pages * PAGE;
}

/* The next step of each page's reach, or seal: going, taken, coming, granted. */
void step_reach(struct mutator *m);
void back_reach(struct mutator *m);	/* from going */
void step_seal(struct mutator *m);

/*
 * What is there goes, and a new generation comes: before the system call that
 * does it, after it, and when the stamps are written. In between are zeros.
 */
void renew_begin(struct mutator *m);
void renew_next(struct mutator *m);	/* instead: in place, nothing goes */
void renew_retire(struct mutator *m);
void renew_stamp(struct mutator *m);

/* What happens to stores is uncertain; it is certain again. */
void step_epoch(struct mutator *m);
void allow_zeros(struct mutator *m);

/* Stores that importers know to be there are there. */
void check_slots(struct mutator *m);
/* Nobody stores in these pages: it lingers in between. */
void check_still(struct mutator *m, const char *base);

void range_whole(struct mutator *m);
static inline long file_offset(const struct mutator *m)
{
	return (m->first - m->region->first) * (long)PAGE;
}

bool map_over(struct mutator *m);

void event_renew(struct mutator *m);
void event_over(struct mutator *m);
void event_dontneed(struct mutator *m);
void event_missing(struct mutator *m);
void event_protected(struct mutator *m);
void event_collapse(struct mutator *m);
void event_split(struct mutator *m);
void event_ksm(struct mutator *m);
void event_truncate(struct mutator *m);
void event_punch(struct mutator *m);
void event_remap(struct mutator *m);

int region_map(const struct region *r, char *at, size_t len, long off);

/* Terminated by one without pages; before the fork. */
extern const struct region *regions;

/*
 * For peer_call(): map all, export, and publish; change until world->stop, or
 * until it leaves; in the end, are all stores there?
 */
long on_world(long life, long, long);
long on_mutate(long, long, long);
long on_check(long, long, long);

#endif
