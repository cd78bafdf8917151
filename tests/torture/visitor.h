/* SPDX-License-Identifier: BSD-3-Clause */
/* visitor.h - threads that read and write an owner's pages and judge them */
#ifndef XNUMA_TORTURE_VISITOR_H
#define XNUMA_TORTURE_VISITOR_H

#include "world.h"

/* A window on all pages, perhaps shared by threads. */
struct view {
	struct import im;
	bool handle;		/* the import's handle was not given back */
	__u32 life;
};

/* What the visitor knows of its own slot in a page. */
struct memory {
	__u64 epoch;		/* odd: nothing */
	__u64 number;
};

struct visitor {
	int index;		/* slot in each page */
	struct view *view;
	bool poison, alone;	/* its view is nobody else's */
	bool reader;		/* rights to read only */
	struct dice dice;
	struct tally *tally;
	long count;
	struct memory memory[PAGES];

	/* the visit under way */
	long page;
	bool writing, rejected;
	__u64 epoch, low, cleared;
	__u32 zero, reach, seal, over, life;
};

/* Until world->stop; in any thread of a process that began with guest_begin(). */
void visit(struct visitor *v);

/* For visit(): something with the window or the import, now and then. */
void view_change(struct visitor *v);
int view_open(struct visitor *v);
/* When the owner is gone: to the next one. */
void view_renew(struct visitor *v);

#define VISIT_READ	1	/* rights to read only */
#define VISIT_ALONE	2	/* a view for each thread */

/*
 * For peer_call(): a process with three threads, whose slots are @first and the
 * two behind. Two of them share a view, the third changes its own as it goes.
 */
long on_visit(long first, long poison, long flags);

#endif
