/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owners one after the other, each with the same memory at the same place, that
 * exit, are killed, call exec or UNEXPORT in the midst of changes; importers go
 * on reading and writing and turn to the next one. When an owner's memory is
 * gone nobody reaches it, and nobody finds one owner's pages in another's.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "tap.h"
#include "torture/owner.h"
#include "torture/visitor.h"

#define LIVES	12
#define WAYS	(EV(L_EXIT) | EV(L_KILL) | EV(L_EXEC) | EV(L_UNEXPORT))
#define CHANGES	(EV(RENEW) | EV(REPLACE) | EV(OVER) | EV(DONTNEED) | \
		 EV(PAGEOUT) | EV(FORK) | EV(MOVE))

static const struct region layout[] = {
	{ 0, 64, REGION_SMALL, CHANGES, 0 },
	{ 64, 64, REGION_SMALL, CHANGES, 1 },
	{ 0 },
};

static const enum event ways[] = { EV_L_EXIT, EV_L_KILL, EV_L_EXEC,
				   EV_L_UNEXPORT };

static struct peer owner, importer[2];

/* A file that is mapped for writing as long as the owner's memory is there. */
static long on_life(long life, long b, long c)
{
	long ret = on_world(life, 0, 0);
	char *p;

	world->file = memfd_create("life", MFD_ALLOW_SEALING);
	if (ret || world->file < 0 || ftruncate(world->file, PAGE))
		return ret ? ret : -errno;
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, world->file, 0);
	if (p == MAP_FAILED || madvise(p, PAGE, MADV_DONTFORK))
		return -errno;
	return 0;
}

static int life_file(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", owner.pid, world->file);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* False: the file was mapped to the end of the limit. */
static bool memory_is_gone(int file)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	int i;

	for (i = 0; i < 30000; i++) {
		if (!fcntl(file, F_ADD_SEALS, F_SEAL_WRITE))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static void wait_for_stays(long more)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	long until = atomic_load(&world->stays) + more;

	while (atomic_load(&world->stays) < until && !atomic_load(&world->stop))
		nanosleep(&pause, NULL);
}

static void life_begin(int life)
{
	check_int(peer_start(&owner), ==, 0);
	check_int(peer_call(&owner, on_life, life, 0, 0), ==, 0);
	check_int(peer_begin(&owner, on_mutate, 0, 0, 0), ==, 0);
}

static void life_end(int life, enum event way)
{
	int file = life_file();

	check_int(file, >=, 0);
	if (way == EV_L_KILL)
		kill(owner.pid, SIGKILL);
	else
		atomic_store(&world->leave, way);
	check_int(peer_end(&owner), ==, -EPIPE);
	if (way != EV_L_UNEXPORT)
		check(memory_is_gone(file));
	atomic_store(&world->over, life);
	wait_for_stays(200);
	atomic_store(&world->leave, 0);
	close(file);
	peer_kill(&owner, SIGKILL);
	happened(way);
}

/* The last one: there were enough, or there is something to tell. */
static bool is_last(int life)
{
	const char *text = getenv("XNUMA_READS");

	if (world_has_crimes())
		return true;
	return life >= (is_long() ? 100 * LIVES : LIVES) &&
	       world_reads() >= (text ? atol(text) : 0);
}

static void test_lives(void)
{
	bool last = false;
	int life, i;

	life_begin(1);
	for (i = 0; i < 2; i++) {
		check_int(peer_start(&importer[i]), ==, 0);
		check_int(peer_begin(&importer[i], on_visit, 3 * i, i,
				     VISIT_ALONE), ==, 0);
	}
	for (life = 1; !last; life++) {
		if (life > 1)
			life_begin(life);
		wait_for_stays(500);
		last = is_last(life);
		if (last)
			atomic_store(&world->stop, true);
		else
			life_end(life, ways[life % 4]);
	}
	for (i = 0; i < 2; i++) {
		check_int(peer_end(&importer[i]), ==, 0);
		check_int(peer_stop(&importer[i]), ==, 0);
	}
	check_int(peer_end(&owner), ==, 0);
	check_int(peer_call(&owner, on_check, 0, 0, 0), ==, 0);
	peer_stop(&owner);
	world_print();
	check_int(atomic_load(&world->crimes[CRIME_BROKEN]), ==, 0);
	check_int(world_reads(), >, 1000);
}

static void test_crime(enum crime what)
{
	check_int(atomic_load(&world->crimes[what]), ==, 0);
}

static void test_ways(void)
{
	int i;

	for (i = 0; i < NEVENTS; i++)
		if (WAYS >> i & 1) {
			tap_diag("%6ld times %s", world->happened[i],
				 event_text(i));
			check_int(world->happened[i], >, 0);
		}
}

int main(int argc, char **argv)
{
	if (argc > 1)	/* what an owner turns to by exec */
		for (;;)
			pause();
	guest_begin();
	regions = layout;
	if (world_open(128, CHANGES | WAYS))
		return 1;
	TEST(test_lives(), "owners come and go under importers");
	TEST(test_crime(CRIME_TAKEN), "I1: nobody reaches what is gone");
	TEST(test_crime(CRIME_STALE), "I1: nobody reads what was replaced");
	TEST(test_crime(CRIME_LOST), "I6: no store is lost while an owner lives");
	TEST(test_crime(CRIME_FOREIGN), "no owner's pages are taken for another's");
	TEST(test_crime(CRIME_SHARED), "I5: no child's page changes");
	TEST(test_crime(CRIME_REFUSED), "what is there is reached");
	TEST(test_ways(), "each end has happened");
	return tap_done();
}
