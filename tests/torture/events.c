/* SPDX-License-Identifier: BSD-3-Clause */
/* events.c - what an owner does to its memory. Each begins and ends granted. */

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "owner.h"
#include "stamp.h"

#define AWAY	(64L << 30)	/* where pages go meanwhile, behind AREA */

bool map_over(struct mutator *m)
{
	return must(!region_map(m->region, range_at(m), range_len(m),
				file_offset(m)), "mmap");
}

void event_renew(struct mutator *m)
{
	happened(EV_RENEW);
	renew_next(m);
	renew_stamp(m);
}

static void event_replace(struct mutator *m)
{
	happened(EV_REPLACE);
	renew_begin(m);
	step_reach(m);
	must(!munmap(range_at(m), range_len(m)), "munmap");
	renew_retire(m);
	step_reach(m);
	linger();
	step_reach(m);
	map_over(m);
	step_reach(m);
	linger();
	renew_stamp(m);
}

void event_over(struct mutator *m)
{
	happened(EV_OVER);
	renew_begin(m);
	step_reach(m);	/* there is a hole for a moment */
	map_over(m);
	renew_retire(m);
	back_reach(m);
	linger();
	renew_stamp(m);
}

void event_dontneed(struct mutator *m)
{
	happened(EV_DONTNEED);
	renew_begin(m);
	must(!madvise(range_at(m), range_len(m), MADV_DONTNEED), "DONTNEED");
	renew_retire(m);
	linger();
	renew_stamp(m);
}

static bool move(char *from, char *to, size_t len)
{
	return mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to;
}

/* A range may be several mappings; then it moves page by page. */
static void move_all(struct mutator *m, char *from, char *to)
{
	long i;

	if (move(from, to, range_len(m)))
		return;
	for (i = 0; i < m->pages; i++)
		must(move(from + i * (long)PAGE, to + i * (long)PAGE, PAGE),
		     "mremap");
}

static void event_move(struct mutator *m)
{
	char *away = range_at(m) + AWAY;

	happened(EV_MOVE);
	step_reach(m);
	move_all(m, range_at(m), away);
	step_reach(m);
	check_still(m, away);
	step_reach(m);
	move_all(m, away, range_at(m));
	step_reach(m);
}

/* Old or zero, as the kernel likes; but what is stored now has to stay. */
static void event_free(struct mutator *m)
{
	happened(EV_FREE);
	allow_zeros(m);
	step_epoch(m);
	must(!madvise(range_at(m), range_len(m), MADV_FREE), "FREE");
	step_epoch(m);
	linger();
	must(!madvise(range_at(m), range_len(m), MADV_PAGEOUT), "PAGEOUT");
	linger();
	check_slots(m);
	event_renew(m);
}

static void event_pageout(struct mutator *m)
{
	happened(EV_PAGEOUT);
	must(!madvise(range_at(m), range_len(m), MADV_PAGEOUT), "PAGEOUT");
	linger();
}

/* Nobody writes into a child's pages. Only system calls: threads were lost. */
static void event_fork(struct mutator *m)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		check_still(m, range_at(m));
		_exit(0);
	}
	if (!must(pid > 0, "fork"))
		return;
	event_renew(m);
	linger();
	must(waitpid(pid, &status, 0) == pid && !status, "child");
	happened(EV_FORK);
}

static void event_none(struct mutator *m)
{
	happened(EV_NONE);
	step_reach(m);
	must(!mprotect(range_at(m), range_len(m), PROT_NONE), "mprotect");
	step_reach(m);
	linger();
	step_reach(m);
	must(!mprotect(range_at(m), range_len(m), PROT_READ | PROT_WRITE),
	     "mprotect");
	step_reach(m);
}

static void event_seal(struct mutator *m)
{
	happened(EV_SEAL);
	step_seal(m);
	must(!mprotect(range_at(m), range_len(m), PROT_READ), "mprotect");
	step_seal(m);
	check_still(m, range_at(m));
	step_seal(m);
	must(!mprotect(range_at(m), range_len(m), PROT_READ | PROT_WRITE),
	     "mprotect");
	step_seal(m);
}

static void event_deny(struct mutator *m)
{
	happened(EV_DENY);
	step_reach(m);
	must(!on_deny((long)range_at(m), (long)range_len(m), 0), "DENY");
	step_reach(m);
	check_still(m, range_at(m));
	step_reach(m);
	must(!on_allow((long)range_at(m), (long)range_len(m), 0), "ALLOW");
	step_reach(m);
}

static void event_move_pages(struct mutator *m)
{
	if (page_move(0, (long)range_at(m), (size_t)m->pages,
		      (int)dice_roll(&m->dice, 2)) > 0)
		happened(EV_MOVE_PAGES);
}

static void event_bind(struct mutator *m)
{
	unsigned long mask = 1UL << dice_roll(&m->dice, 2);

	/* preferred there, with what is there already; then as before */
	if (!syscall(SYS_mbind, range_at(m), range_len(m), 1, &mask, 64, 2))
		happened(EV_BIND);
	linger();
	syscall(SYS_mbind, range_at(m), range_len(m), 0, NULL, 0, 0);
}

const event_fn event_table[NEVENTS] = {
	[EV_RENEW] = event_renew,
	[EV_REPLACE] = event_replace,
	[EV_OVER] = event_over,
	[EV_MOVE] = event_move,
	[EV_DONTNEED] = event_dontneed,
	[EV_FREE] = event_free,
	[EV_PAGEOUT] = event_pageout,
	[EV_FORK] = event_fork,
	[EV_NONE] = event_none,
	[EV_SEAL] = event_seal,
	[EV_DENY] = event_deny,
	[EV_MOVE_PAGES] = event_move_pages,
	[EV_BIND] = event_bind,
	[EV_MISSING] = event_missing,
	[EV_PROTECTED] = event_protected,
	[EV_COLLAPSE] = event_collapse,
	[EV_SPLIT] = event_split,
	[EV_KSM] = event_ksm,
	[EV_TRUNCATE] = event_truncate,
	[EV_PUNCH] = event_punch,
	[EV_REMAP] = event_remap,
};
