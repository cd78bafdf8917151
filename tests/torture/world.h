/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world.h - what the processes of a torture test share
 *
 * An owner changes its memory in every way there is and tells in a leaf for each
 * page what may be seen there, before and after each system call. Importers look
 * at the leaf, go through a window, look at the leaf again, and judge.
 *
 * Generations: each page carries a stamp with a generation, which the owner
 * advances. As in rcutorture, what counts is how many generations were published
 * when an access began that are younger than what it found: none is legal.
 */
#ifndef XNUMA_TORTURE_WORLD_H
#define XNUMA_TORTURE_WORLD_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "guest.h"

#define PAGES		2048
#define VISITORS	9
#define AGES		8
#define MUTATORS	3

/* What owners, strangers and importers do; each has to happen. */
#define EVENTS(X) \
	X(RENEW, "written anew in place") \
	X(REPLACE, "munmap, then mmap") \
	X(OVER, "mmap over") \
	X(MOVE, "mremap away and back") \
	X(DONTNEED, "MADV_DONTNEED") \
	X(FREE, "MADV_FREE") \
	X(PAGEOUT, "MADV_PAGEOUT") \
	X(FORK, "fork, and the child looks") \
	X(NONE, "mprotect to nothing") \
	X(SEAL, "mprotect to read-only") \
	X(DENY, "DENY, then ALLOW") \
	X(MOVE_PAGES, "move_pages") \
	X(BIND, "mbind") \
	X(MISSING, "userfaultfd, missing") \
	X(PROTECTED, "userfaultfd, write-protected") \
	X(COLLAPSE, "MADV_COLLAPSE") \
	X(SPLIT, "part of a huge page unmapped") \
	X(KSM, "merged by KSM") \
	X(TRUNCATE, "another process's truncate") \
	X(PUNCH, "hole punched in a file") \
	X(REMAP, "file mapped over itself") \
	X(S_PAGEOUT, "process_madvise of another process") \
	X(S_MIGRATE, "migrate_pages by another process") \
	X(S_COMPACT, "compaction") \
	X(S_OFFLINE, "memory block offline and online") \
	X(L_EXIT, "owner exits") \
	X(L_KILL, "owner is killed") \
	X(L_EXEC, "owner calls exec") \
	X(L_UNEXPORT, "owner calls UNEXPORT") \
	X(W_IMPORT, "importer imports anew") \
	X(W_UNIMPORT, "UNIMPORT, window kept") \
	X(W_RESET, "RESET of all") \
	X(W_RESET_SOME, "RESET of a range") \
	X(W_PREFAULT, "PREFAULT") \
	X(W_ALLOC, "PREFAULT with ALLOC") \
	X(W_PUNCH, "part of a window unmapped") \
	X(W_SEAL, "window read-only for a while")

enum event {
#define EVENT(name, text) EV_##name,
	EVENTS(EVENT)
#undef EVENT
	NEVENTS
};

#define EV(name) (1ULL << EV_##name)

/* What must not be. */
#define CRIMES(X) \
	X(STALE, "stale: older than what was published before the access") \
	X(LOST, "lost: a store or a stamp that was there is there no more") \
	X(TAKEN, "reached what the owner had taken back") \
	X(SEALED, "wrote what the owner had made read-only") \
	X(SHARED, "changed a page of the owner's child, or one moved away") \
	X(FOREIGN, "neither this page's stamp nor zeros") \
	X(REFUSED, "refused although the page was there all the time") \
	X(BROKEN, "the test itself: a call that has to succeed")

enum crime {
#define CRIME(name, text) CRIME_##name,
	CRIMES(CRIME)
#undef CRIME
	NCRIMES
};

/*
 * One page's truth. The owner's thread that has the page writes it; all order is
 * sequentially consistent. reach and seal go round: 0 granted, 1 going, 2 taken,
 * 3 coming, 4 granted again ...
 */
struct leaf {
	_Atomic __u64 epoch;	/* odd while stores may get lost rightly */
	_Atomic __u64 low;	/* oldest generation that may be seen */
	_Atomic __u64 high;	/* youngest one begun */
	_Atomic __u64 number;	/* that its stamp has; equal for what KSM is to merge */
	_Atomic int event, earlier;	/* the last two, to be told */
	_Atomic __u32 zero;	/* zeros may be seen */
	_Atomic __u32 reach;	/* may it be accessed? */
	_Atomic __u32 seal;	/* may it be written? */
	_Atomic __u64 acked[VISITORS];	/* stores that were there: epoch, number */
};

static inline bool is_granted(__u32 state)
{
	return state % 4 == 0;
}

static inline bool is_taken(__u32 state)
{
	return state % 4 == 2;
}

struct tally {
	_Atomic long reads, writes;	/* that were good */
	_Atomic long zeros;		/* reads of fresh pages */
	_Atomic long rejected;		/* the status page said no */
	_Atomic long refused;		/* SIGBUS */
	_Atomic long age[AGES];		/* when the read had ended */
};

struct world {
	__u32 seed;
	long pages;
	__u64 events;		/* that are asked for, of EV() */
	_Atomic bool stop;
	_Atomic long stays;	/* of importers at a page, counted now and then */
	_Atomic long happened[NEVENTS];
	_Atomic long crimes[NCRIMES];
	_Atomic int told;	/* crimes described so far */
	struct tally tally[VISITORS];
	_Atomic long focus[MUTATORS];	/* pages where something goes on */

	/* exports one after the other; life n is over when over >= n */
	_Atomic __u64 id;
	_Atomic __u32 life, over;
	_Atomic int leave;	/* EV_L_...: how the owner is to go */

	/* a truncate that the owner wants another process to do */
	sem_t order, done;
	_Atomic long length;
	_Atomic int owner, file;	/* pid, and the file there */

	struct leaf leaf[PAGES];
};

extern struct world *world;

/* Before any fork; @pages of AREA, seed from XNUMA_SEED or the clock. */
int world_open(long pages, __u64 events);

void happened(enum event what);
/* Counts, and tells of the first few. */
__attribute__((format(printf, 3, 4)))
void crime(enum crime what, long page, const char *fmt, ...);
/* True, or a crime of the test itself. */
bool must(bool ok, const char *what);

/* Until importers have looked at least a little, or have no time to. */
void linger(void);

/* Until each event has happened @times and @reads were done; or a crime. */
void world_run(long times, long reads, int seconds);
/* The tallies and the histogram. */
void world_print(void);
const char *event_text(enum event what);

long world_reads(void);
bool world_has_crimes(void);
bool is_long(void);

/* xorshift: the same numbers for the same seed. */
struct dice {
	__u64 state;
};

void dice_init(struct dice *d, __u32 stream);
__u64 dice_roll(struct dice *d, __u64 sides);

#endif
