/* SPDX-License-Identifier: BSD-3-Clause */
/* owner.c - regions, leaves, and the threads that make events happen. */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "owner.h"
#include "stamp.h"

const struct region *regions;

#define for_each_leaf(m, leaf)						\
	for (struct leaf *leaf = &world->leaf[(m)->first];		\
	     leaf < &world->leaf[(m)->first + (m)->pages]; leaf++)

void step_reach(struct mutator *m)
{
	for_each_leaf(m, leaf)
		atomic_fetch_add(&leaf->reach, 1);
}

void back_reach(struct mutator *m)
{
	for_each_leaf(m, leaf)
		atomic_fetch_add(&leaf->reach, 3);
}

void step_seal(struct mutator *m)
{
	for_each_leaf(m, leaf)
		atomic_fetch_add(&leaf->seal, 1);
}

void step_epoch(struct mutator *m)
{
	for_each_leaf(m, leaf)
		atomic_fetch_add(&leaf->epoch, 1);
}

void allow_zeros(struct mutator *m)
{
	for_each_leaf(m, leaf)
		atomic_store(&leaf->zero, 1);
}

void renew_next(struct mutator *m)
{
	allow_zeros(m);
	for_each_leaf(m, leaf)
		atomic_fetch_add(&leaf->high, 1);
}

void renew_begin(struct mutator *m)
{
	renew_next(m);
	step_epoch(m);
}

void renew_retire(struct mutator *m)
{
	for_each_leaf(m, leaf)
		atomic_store(&leaf->low, atomic_load(&leaf->high));
	step_epoch(m);
}

void renew_stamp(struct mutator *m)
{
	long i;

	for (i = m->first; i < m->first + m->pages; i++) {
		struct leaf *leaf = &world->leaf[i];

		stamp_write((struct stamp *)page_at(i),
			    leaf->number + world->life * PAGES,
			    atomic_load(&leaf->high));
		atomic_store(&leaf->low, atomic_load(&leaf->high));
		atomic_store(&leaf->zero, 0);
	}
}

/* The number first: its store came before it was told. */
void check_slots(struct mutator *m)
{
	long page;
	int i;

	for (page = m->first; page < m->first + m->pages; page++)
		for (i = 0; i < VISITORS; i++) {
			struct leaf *leaf = &world->leaf[page];
			struct stamp *s = (struct stamp *)page_at(page);
			__u64 told = atomic_load(&leaf->acked[i]);
			__u64 have = atomic_load(&s->slot[i]);

			if (told >> 32 == (__u32)atomic_load(&leaf->epoch) &&
			    have < (__u32)told)
				crime(CRIME_LOST, page,
				      "the owner finds %llu in slot %d, not %u",
				      have, i, (__u32)told);
		}
}

void check_still(struct mutator *m, const char *base)
{
	__u64 before[PAGES];
	long i;

	for (i = 0; i < m->pages; i++)
		before[i] = slots_sum((void *)(base + i * (long)PAGE));
	linger();
	for (i = 0; i < m->pages; i++)
		if (slots_sum((void *)(base + i * (long)PAGE)) != before[i])
			crime(CRIME_SHARED, m->first + i, "changed");
}

/* ---- regions ---- */

int region_map(const struct region *r, char *at, size_t len, long off)
{
	bool file = r->kind == REGION_FILE;
	void *p = mmap(at, len, PROT_READ | PROT_WRITE, MAP_FIXED |
		       (file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS),
		       file ? world->file : -1, off);

	if (p == MAP_FAILED)
		return -errno;
	if (file)
		return 0;
	return madvise(p, len, r->kind == REGION_HUGE ? MADV_HUGEPAGE :
							MADV_NOHUGEPAGE);
}

static int file_make(const struct region *r)
{
	world->file = memfd_create("torture", 0);
	if (world->file < 0 || ftruncate(world->file, r->pages * (long)PAGE))
		return -errno;
	return 0;
}

/* Whatever the last owner left: a new one has everything, in its first state. */
static void leaves_reset(const struct region *r)
{
	long i;

	for (i = r->first; i < r->first + r->pages; i++) {
		struct leaf *leaf = &world->leaf[i];

		leaf->number = (__u64)(r->kind == REGION_KSM ? r->first : i);
		leaf->zero = 1;
		leaf->epoch = (leaf->epoch | 1) + 1;
		leaf->reach = (leaf->reach + 3) & ~3U;
		leaf->seal = (leaf->seal + 3) & ~3U;
		leaf->high++;
		leaf->low = atomic_load(&leaf->high);
	}
}

long on_world(long life, long b, long c)
{
	const struct region *r;
	long id = on_export_all(0, 0, 0);
	int ret = id < 0 && !own.id ? (int)id : 0;

	for (r = regions; r->pages && !ret; r++) {
		if (r->kind == REGION_FILE)
			ret = file_make(r);
		ret = ret ?: region_map(r, page_at(r->first),
					(size_t)r->pages * PAGE, 0);
	}
	if (ret)
		return ret;
	for (r = regions; r->pages; r++)
		leaves_reset(r);
	world->owner = getpid();
	world->id = own.id;
	world->life = (__u32)life;
	return 0;
}

/* ---- events ---- */

static void range_choose(struct mutator *m)
{
	const struct region *r = m->region;

	m->first = r->first + (long)dice_roll(&m->dice, (__u64)r->pages);
	m->pages = 1 + (long)dice_roll(&m->dice, 16);
	if (m->pages > r->first + r->pages - m->first)
		m->pages = r->first + r->pages - m->first;
	if (r->kind == REGION_HUGE && !dice_roll(&m->dice, 3))
		range_whole(m);
}

void range_whole(struct mutator *m)
{
	m->first = m->region->first;
	m->pages = m->region->pages;
}

static enum event event_choose(struct mutator *m)
{
	__u64 events = m->region->events & world->events;
	enum event e;

	do {
		e = dice_roll(&m->dice, NEVENTS);
	} while (!(events >> e & 1));
	return e;
}

static void region_once(struct mutator *m)
{
	enum event e = event_choose(m);

	range_choose(m);
	atomic_store(&world->focus[m->index], m->first);
	if (!dice_roll(&m->dice, 4))
		check_slots(m);
	for_each_leaf(m, leaf) {
		leaf->earlier = leaf->event;
		leaf->event = e;
	}
	event_table[e](m);
}

/* The end of this life, in the middle of what the other threads do. */
static void owner_leave(void)
{
	switch (atomic_load(&world->leave)) {
	case EV_L_EXEC:
		execl("/proc/self/exe", "g-torture-life", "sleep", NULL);
		break;
	case EV_L_UNEXPORT:
		must(!dev_handle(own_fd, XPMEM_NUMA_UNEXPORT, own.handle),
		     "UNEXPORT");
		atomic_store(&world->over, world->life);
		linger();
		break;
	default:
		break;
	}
	_exit(0);
}

/* False: it has none. */
static bool each_region(struct mutator *m, event_fn fn)
{
	bool any = false;

	for (m->region = regions; m->region->pages; m->region++)
		if (m->region->mutator == m->index) {
			any = true;
			range_whole(m);
			fn(m);
		}
	return any;
}

static void region_fill(struct mutator *m)
{
	renew_begin(m);
	renew_retire(m);
	renew_stamp(m);
}

static void *mutator_main(void *arg)
{
	struct mutator *m = arg;

	each_region(m, region_fill);
	do {
		if (!m->index && atomic_load(&world->leave))
			owner_leave();
	} while (!atomic_load(&world->stop) && each_region(m, region_once));
	return NULL;
}

long on_mutate(long a, long b, long c)
{
	static struct mutator mutator[MUTATORS];
	pthread_t thread[MUTATORS];
	int i, ret = 0;

	for (i = 0; i < MUTATORS; i++) {
		mutator[i].index = i;
		mutator[i].uffd = -1;
		dice_init(&mutator[i].dice, world->life * 1000 + 200U + (__u32)i);
		ret |= pthread_create(&thread[i], NULL, mutator_main,
				      &mutator[i]);
	}
	for (i = 0; i < MUTATORS; i++)
		pthread_join(thread[i], NULL);
	return -ret;
}

long on_check(long a, long b, long c)
{
	struct mutator m = { .index = 0 };

	for (; m.index < MUTATORS; m.index++)
		each_region(&m, check_slots);
	return 0;
}
