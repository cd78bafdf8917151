/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_MUTATE_H
#define XNUMA_MUTATE_H

/*
 * Faults built in on purpose, to see that the tests notice. They exist only in
 * a module built with MUTATIONS=1; the parameter "mutate" chooses one.
 */
enum xnuma_mutation {
	XNUMA_MUTATE_NONE,
	XNUMA_MUTATE_ZAP,	/* invalidations leave the entries (I1) */
	XNUMA_MUTATE_RETRY,	/* insertion does not ask what came between (I3) */
	XNUMA_MUTATE_DIRTY,	/* writable entries are not dirty pages (I6) */
	XNUMA_MUTATE_WRITE,	/* anonymous pages are written that may not be (I5) */
	XNUMA_MUTATE_RIGHTS,	/* everybody may import */
	XNUMA_MUTATE_STRANGER,	/* a file works in any address space */
	XNUMA_MUTATE_DENY,	/* DENY is forgotten by the next fault */
	XNUMA_MUTATE_POISON,	/* poison comes without its counter (I11) */
	XNUMA_MUTATE_SECRET,	/* any kind of memory is exported (I5) */
	XNUMA_MUTATE_NODE,	/* first touch takes the importer's node (I9) */
	XNUMA_MUTATE_NAMES,	/* all importers are zapped, not those that touched */
	XNUMA_MUTATE_NEST,	/* a zap's own notifiers are answered as others' (I4) */
	XNUMA_MUTATE_BATCH,	/* who meets a batch does not wait for it (I1) */
	XNUMA_MUTATE_GONE,	/* insertion does not ask whether the export ended */
	XNUMA_MUTATE_CARRY,	/* nor for what the slow path saw (I3) */
	XNUMA_MUTATE_OCCUPIED,	/* poison stays in the way of memory mapped since */
	XNUMA_MUTATE_CLEARED,	/* RESET clears first, and for a range (I11) */
	XNUMA_MUTATE_HUGE,	/* huge entries in windows that cannot hold them */
	XNUMA_MUTATE_SHARED,	/* all other pages are written, the zero page too */
	XNUMA_MUTATE_PROMPT,	/* who touches waits for file systems himself (I4) */
	XNUMA_MUTATE_LIMIT,	/* limits of a user are not obeyed */
};

#ifdef XNUMA_MUTATIONS
extern unsigned int xnuma_mutation;
#define xnuma_mutated(what) (READ_ONCE(xnuma_mutation) == XNUMA_MUTATE_##what)
#else
#define xnuma_mutated(what) false
#endif

#endif /* XNUMA_MUTATE_H */
