/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An owner does everything to its memory that an owner can, strangers do to it
 * what they can, and importers read and write through windows and judge what
 * they see, as rcutorture does for grace periods: torture/world.h.
 *
 * XNUMA_SEED repeats the choices, not the order of the threads. With
 * XNUMA_LONG=1: 10^8 reads, or XNUMA_READS of them.
 */

#include "tap.h"
#include "torture/owner.h"
#include "torture/stranger.h"
#include "torture/visitor.h"

#define COMMON	(EV(RENEW) | EV(PAGEOUT) | EV(NONE) | EV(SEAL) | EV(DENY) | \
		 EV(MOVE_PAGES) | EV(BIND))
#define ANON	(COMMON | EV(REPLACE) | EV(OVER) | EV(MOVE) | EV(DONTNEED) | \
		 EV(FREE) | EV(FORK))
#define SMALL	(ANON | EV(MISSING) | EV(PROTECTED))
#define HUGE	(ANON | EV(COLLAPSE) | EV(SPLIT))
#define MERGED	(EV(KSM) | EV(PAGEOUT) | EV(MOVE_PAGES) | EV(SEAL))
#define FILED	(COMMON | EV(TRUNCATE) | EV(PUNCH) | EV(REMAP))
#define OTHERS	(EV(S_PAGEOUT) | EV(S_MIGRATE) | EV(S_COMPACT) | EV(S_OFFLINE))
#define WINDOWS	(EV(W_IMPORT) | EV(W_UNIMPORT) | EV(W_RESET) | \
		 EV(W_RESET_SOME) | EV(W_PREFAULT) | EV(W_ALLOC) | \
		 EV(W_PUNCH) | EV(W_SEAL))

/* Two threads meet in the first granule, and in the third one. */
static const struct region layout[] = {
	{ 0, 256, REGION_SMALL, SMALL, 0 },
	{ 256, 256, REGION_SMALL, SMALL, 1 },
	{ 512, 512, REGION_HUGE, HUGE, 2 },
	{ 1024, 64, REGION_KSM, MERGED, 0 },
	{ 1088, 256, REGION_FILE, FILED, 1 },
	{ 0 },
};

#define TIMES	3	/* each event, if there is time */

static struct peer owner, stranger, importer[3];

static void begin(void)
{
	int i, n = is_long() ? 3 : 2;

	check_int(peer_start(&owner), ==, 0);
	check_int(peer_start(&stranger), ==, 0);
	for (i = 0; i < n; i++)
		check_int(peer_start(&importer[i]), ==, 0);
	check_int(peer_call(&owner, on_world, 1, 0, 0), ==, 0);
	check_int(peer_begin(&owner, on_mutate, 0, 0, 0), ==, 0);
	for (i = 0; i < n; i++)
		check_int(peer_begin(&importer[i], on_visit, 3 * i, i == 0,
				     i == 2 ? VISIT_READ : 0), ==, 0);
	check_int(peer_begin(&stranger, on_disturb, 0, 0, 0), ==, 0);
}

static void end(void)
{
	int i;

	for (i = 0; i < 3; i++)
		if (importer[i].pid) {
			check_int(peer_end(&importer[i]), ==, 0);
			check_int(peer_stop(&importer[i]), ==, 0);
		}
	check_int(peer_end(&owner), ==, 0);
	check_int(peer_call(&owner, on_check, 0, 0, 0), ==, 0);
	check_int(peer_end(&stranger), ==, 0);
	peer_stop(&stranger);
	peer_stop(&owner);
}

static void test_run(void)
{
	const char *text = getenv("XNUMA_READS");
	long reads = text ? atol(text) : is_long() ? 100000000 : 200000;

	vmstat_begin();
	begin();
	world_run(TIMES, reads, is_long() ? 7000 : 180);
	end();
	world_print();
	vmstat_print();
	check_int(atomic_load(&world->crimes[CRIME_BROKEN]), ==, 0);
	check_int(world_reads(), >=, reads);
}

static void test_crime(enum crime what)
{
	check_int(atomic_load(&world->crimes[what]), ==, 0);
}

static void test_events(void)
{
	int i;

	for (i = 0; i < NEVENTS; i++)
		if (world->events >> i & 1) {
			tap_diag("%6ld times %s", world->happened[i],
				 event_text(i));
			check_int(world->happened[i], >, 0);
		}
}

int main(void)
{
	guest_begin();
	if (is_long()) {
		alarm(7200);
		printf("# limit: 7200\n");
	}
	regions = layout;
	if (world_open(1344, SMALL | HUGE | MERGED | FILED | OTHERS | WINDOWS))
		return 1;
	TEST(test_run(), "an owner, strangers and importers run to the end");
	TEST(test_crime(CRIME_STALE),
	     "I1: no read finds what was replaced before it began");
	TEST(test_crime(CRIME_LOST), "I6: no store and no stamp is lost");
	TEST(test_crime(CRIME_TAKEN),
	     "I1: no access reaches what is unmapped, protected or denied");
	TEST(test_crime(CRIME_SEALED), "I5: no store reaches a read-only page");
	TEST(test_crime(CRIME_SHARED),
	     "I5: no store reaches the owner's child, or what was moved away");
	TEST(test_crime(CRIME_FOREIGN), "no read finds another page");
	TEST(test_crime(CRIME_REFUSED), "what is there all the time is reached");
	TEST(test_events(), "all that was asked for has happened");
	return tap_done();
}
