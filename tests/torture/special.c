/* SPDX-License-Identifier: BSD-3-Clause */
/* special.c - huge pages, pages merged by KSM, and files. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "owner.h"

/* ---- huge pages, KSM ---- */

static bool collapse(struct mutator *m)
{
	range_whole(m);
	if (madvise(range_at(m), range_len(m), MADV_COLLAPSE))
		return false;
	happened(EV_COLLAPSE);
	return true;
}

void event_collapse(struct mutator *m)
{
	collapse(m);
	linger();
}

void event_split(struct mutator *m)
{
	struct mutator part = *m;

	if (collapse(m)) {
		linger();
		happened(EV_SPLIT);
		event_dontneed(&part);
	}
}

static long ksm_sharing(void)
{
	FILE *f = fopen("/sys/kernel/mm/ksm/pages_sharing", "r");
	long n = 0;

	if (!f || fscanf(f, "%ld", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

/* Equal pages, left alone until they are merged; then everybody comes. */
void event_ksm(struct mutator *m)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	long merged = 0;
	int i;

	range_whole(m);
	event_over(m);
	atomic_store(&world->focus[m->index], 0);
	must(!madvise(range_at(m), range_len(m), MADV_MERGEABLE), "MERGEABLE");
	for (i = 0; i < 100 && !merged && !atomic_load(&world->stop); i++) {
		nanosleep(&pause, NULL);
		merged = ksm_sharing();
	}
	atomic_store(&world->focus[m->index], m->first);
	if (merged)
		happened(EV_KSM);
	linger();
	event_renew(m);
}

/* ---- files ---- */

static void truncate_to(long length)
{
	atomic_store(&world->length, length);
	sem_post(&world->order);
	sem_wait(&world->done);
}

void event_truncate(struct mutator *m)
{
	m->pages = m->region->first + m->region->pages - m->first;
	happened(EV_TRUNCATE);
	renew_begin(m);
	step_reach(m);
	truncate_to(file_offset(m));
	renew_retire(m);
	step_reach(m);
	linger();
	step_reach(m);
	truncate_to(m->region->pages * (long)PAGE);
	step_reach(m);
	linger();
	renew_stamp(m);
}

void event_punch(struct mutator *m)
{
	happened(EV_PUNCH);
	renew_begin(m);
	must(!fallocate(world->file,
			FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			file_offset(m), (long)range_len(m)), "fallocate");
	renew_retire(m);
	linger();
	renew_stamp(m);
}

void event_remap(struct mutator *m)
{
	happened(EV_REMAP);
	step_reach(m);
	map_over(m);
	back_reach(m);
	linger();
}
