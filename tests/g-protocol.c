/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protocol of the two poison counters (I11) under threads that meet one
 * hole while another maps memory there and RESETs. The owner's memory, when
 * there is any, is never zero, so whoever accepts a zero was deceived.
 *
 *	c0 = cleared (acquire); access; acquire fence; good if poisoned == c0
 *
 * Two shorter rules are tried as well and must be seen to fail: comparing
 * poisoned with an own snapshot of it, and comparing it with what cleared is
 * after the access.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define READERS 2
#define ROUNDS	96

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

enum rule { SOUND, SNAPSHOT, AFTER, RULES };

static __u64 poisoned(void)
{
	return __atomic_load_n(&im.st->poisoned, __ATOMIC_ACQUIRE);
}

static __u64 cleared(void)
{
	return __atomic_load_n(&im.st->cleared, __ATOMIC_ACQUIRE);
}

/* The two halves of a rule, around an access. */
static __u64 rule_begin(enum rule rule)
{
	return rule == SNAPSHOT ? poisoned() : rule == SOUND ? cleared() : 0;
}

static bool rule_good(enum rule rule, __u64 begin)
{
	__u64 now;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	now = poisoned();
	return now == (rule == AFTER ? cleared() : begin);
}

static void reset(void)
{
	check_int(dev_range(im.fd, XPMEM_NUMA_RESET, im.handle, 0, 0), ==, 0);
}

static void begin(void)
{
	check_int(share_open(&o, &im, PAGE, RW, RW, POISON), ==, 0);
	check_int(on(on_unmap, AREA, PAGE, 0), ==, 0);
}

/* Somebody else has met the hole, and the owner has mapped memory since. */
static void test_late(enum rule rule, bool accepts)
{
	__u64 at;

	begin();
	check_int(load(im.win), ==, 0);
	check_int(on(on_map, AREA, PAGE, 0), ==, 0);
	check_int(on(on_store, AREA, 0x31, 0), ==, 0);
	at = rule_begin(rule);
	check_int(load(im.win), ==, 0);
	check_int(rule_good(rule, at), ==, accepts);
	reset();
	at = rule_begin(rule);
	check_int(load(im.win), ==, 0x31);
	check(rule_good(rule, at));
	share_close(&o, &im);
}

/* A RESET comes between the access and the judgement. */
static void test_overtaken(enum rule rule, bool accepts)
{
	__u64 at;

	begin();
	at = rule_begin(rule);
	check_int(load(im.win), ==, 0);
	reset();
	check_int(rule_good(rule, at), ==, accepts);
	share_close(&o, &im);
}

static atomic_bool stop;
static atomic_long accepted[RULES], deceived[RULES];

static void *reader(void *arg)
{
	__u64 at[RULES];
	enum rule r;
	int byte;

	while (!atomic_load(&stop)) {
		for (r = 0; r < RULES; r++)
			at[r] = rule_begin(r);
		byte = *(volatile unsigned char *)im.win;
		for (r = 0; r < RULES; r++) {
			if (!rule_good(r, at[r]))
				continue;
			atomic_fetch_add(&accepted[r], 1);
			if (!byte)
				atomic_fetch_add(&deceived[r], 1);
		}
	}
	return NULL;
}

/* Hole, then memory that is 0x31 before it can be seen; 32 times a call. */
static long on_flicker(long times, long b, long c)
{
	char *at = (char *)AREA, *spare = at + MIB, *p;

	for (; times--;) {
		if (munmap(at, PAGE))
			return -errno;
		p = mmap(spare, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (p != spare)
			return -errno;
		*p = 0x31;
		if (mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) !=
		    at)
			return -errno;
	}
	return 0;
}

static void test_threads(void)
{
	pthread_t thread[READERS];
	__u64 last;
	int i;

	begin();
	for (i = 0; i < READERS; i++)
		check_int(pthread_create(&thread[i], NULL, reader, NULL), ==,
			  0);
	for (i = 0; i < ROUNDS; i++) {
		check_int(on(on_flicker, 4, 0, 0), ==, 0);
		/* half of the resets while the owner goes on flickering */
		if (i % 2)
			check_int(peer_begin(&o.peer, on_flicker, 4, 0, 0), ==,
				  0);
		reset();
		if (i % 2)
			check_int(peer_end(&o.peer), ==, 0);
		last = atomic_load(&accepted[SOUND]);
		/* somebody must come to accept before the next round */
		while (i % 16 == 0 && atomic_load(&accepted[SOUND]) == (long)last)
			reset();
	}
	atomic_store(&stop, true);
	for (i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	tap_diag("accepted %ld, poisonings %llu, deceived: sound %ld, own snapshot %ld, cleared after %ld",
		 atomic_load(&accepted[SOUND]), (unsigned long long)poisoned(),
		 atomic_load(&deceived[SOUND]), atomic_load(&deceived[SNAPSHOT]),
		 atomic_load(&deceived[AFTER]));
	check_int(atomic_load(&accepted[SOUND]), >, ROUNDS / 16);
	check_uint(poisoned(), >, ROUNDS / 8);
	check_int(atomic_load(&deceived[SOUND]), ==, 0);
	share_close(&o, &im);
}

int main(void)
{
	guest_begin();
	TEST(test_late(SOUND, false), "I11: old poison deceives nobody");
	TEST(test_late(SNAPSHOT, true), "an own snapshot of poisoned would accept it");
	TEST(test_late(AFTER, false), "cleared read afterwards would not");
	TEST(test_overtaken(SOUND, false), "I11: a RESET in between is noticed");
	TEST(test_overtaken(SNAPSHOT, false), "an own snapshot notices it too");
	TEST(test_overtaken(AFTER, true),
	     "cleared read afterwards would accept the zeros");
	TEST(test_threads(), "I11: no thread accepts zeros while others RESET");
	return tap_done();
}
