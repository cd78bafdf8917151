/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls, descriptors and bytes that must not be more where there are
 * more windows and peers.
 */

#include <malloc.h>
#include <sys/syscall.h>

#include "crowd.h"
#include "views.h"

#define MANY	1024		/* windows */
#define FEW	64
#define PEERS	64

static long munmaps, mmaps;	/* calls of this process */
static struct xnuma_peer *peer[PEERS];

/* The library calls these. */
int munmap(void *addr, size_t len)
{
	munmaps++;
	return syscall(SYS_munmap, addr, len);
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	mmaps++;
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

/* What goes together lies together, and goes by one call. */
static void test_batch(void)
{
	struct xnuma_stats before, after;
	long calls, evicted;
	struct view v;

	view_open(&v, FEW);
	view_walk(&v, 2 * FEW);
	xnuma_domain_stats(v.dom, &before);
	calls = munmaps;
	view_walk(&v, MANY);
	calls = munmaps - calls;
	xnuma_domain_stats(v.dom, &after);
	check_uint(after.windows_mapped - after.windows_evicted, <=, FEW);
	evicted = after.windows_evicted - before.windows_evicted;
	tap_diag("%ld windows evicted by %ld calls", evicted, calls);
	check_int(evicted, >=, MANY - FEW);
	check_int(calls * (1 + FEW / 16), <=, evicted + 2 * (1 + FEW / 16));
	view_close(&v);
}

/* One that is used all the time stays, whatever comes and goes. */
static void test_used(void)
{
	struct xnuma_stats before, after;
	struct view v;
	unsigned long i;

	view_open(&v, FEW);
	view_walk(&v, MANY);
	for (i = 0; i < MANY; i++)
		check_int(view_get(&v, i) | view_get(&v, 5), ==, 0);
	xnuma_domain_stats(v.dom, &before);
	for (i = 0; i < MANY; i++)
		check_int(view_get(&v, i) | view_get(&v, 5), ==, 0);
	xnuma_domain_stats(v.dom, &after);
	tap_diag("%ju windows mapped for %d others",
		 (uintmax_t)(after.windows_mapped - before.windows_mapped),
		 MANY - 1);
	check_uint(after.windows_mapped - before.windows_mapped, <=, MANY);
	view_close(&v);
}

/* A line "NAME: N kB" of this process's status, in bytes. */
static long status_bytes(const char *name)
{
	FILE *f = fopen("/proc/self/status", "r");
	size_t len = strlen(name);
	char line[200];
	long n = -1;

	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':')
			n = atol(line + len + 1) << 10;
	fclose(f);
	return n;
}

/* Resident bytes of what the library has mapped. */
static long arena_bytes(void)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start = 0, end, kib;
	char line[500];
	long n = 0;

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			continue;
		if (sscanf(line, "Rss: %lu kB", &kib) == 1 &&
		    start >= 0x200000000000UL && start < 0x500000000000UL)
			n += kib << 10;
	}
	fclose(f);
	return n;
}

static long calls_to_open(int i)
{
	long calls = mmaps + munmaps;

	check_int(xnuma_peer_open(own, crowd->blob[i], &peer[i]), ==, 0);
	return mmaps + munmaps - calls;
}

/* The first may have to wake what is asleep: the second is as good as any. */
static void test_open(void)
{
	long second, last = 0, heap, tables;
	int i;

	check_int(other_do(&o, crowd_job_domains, PEERS, 0, 0), ==, 0);
	calls_to_open(0);
	second = calls_to_open(1);
	heap = mallinfo2().uordblks;
	tables = status_bytes("VmPTE");
	for (i = 2; i < PEERS; i++)
		last = calls_to_open(i);
	heap = mallinfo2().uordblks - heap;
	tables = status_bytes("VmPTE") - tables;
	tap_diag("each peer: %ld mappings made and unmade, %ld bytes of heap, "
		 "%ld of page tables", last, heap / (PEERS - 2),
		 tables / (PEERS - 2));
	check_int(last, ==, second);
	check_int(heap, <, 2048L * (PEERS - 2));
	check_int(tables, <, 3 * 4096L * (PEERS - 2));
}

/* One that has a heap, too. */
static void test_descriptors(void)
{
	int before, i;

	/* it answers when its own connection to this process is made */
	other_do(&o, crowd_job_close, 0, 0, 0);
	before = entries("/proc/self/fd");
	for (i = 0; i < PEERS; i++)
		check_int(xnuma_peer_open(own, o.blob, &peer[i]), ==, 0);
	check_int(entries("/proc/self/fd") - before, ==,
		  other_is_kmod() ? 0 : PEERS);
	for (i = 0; i < PEERS; i++)
		xnuma_peer_close(peer[i]);
	check_int(entries("/proc/self/fd"), ==, before);
}

static void count_message(void *arg, const struct xnuma_message *msg)
{
	++*(int *)arg;
}

static void poll_for(int want)
{
	double limit = other_now() + 60;
	int got = 0;

	while (got < want && other_now() < limit)
		xnuma_poll(own, count_message, &got, 100);
	check_int(got, ==, want);
}

/* Silent ones leave a note in the header, those of one message share a ring. */
static void test_queue(void)
{
	long silent = arena_bytes(), few, busy;

	xnuma_domain_pack(own, crowd->master);
	check_int(other_do(&o, crowd_job_open, PEERS, 0, 0), ==, 0);
	silent = arena_bytes() - silent;
	few = arena_bytes();
	check_int(other_do(&o, crowd_job_send, PEERS, 1, 0), ==, 0);
	poll_for(PEERS);
	few = arena_bytes() - few;
	busy = arena_bytes();
	check_int(other_do(&o, crowd_job_send, 4, 40, 0), ==, 0);
	poll_for(4 * 40);
	busy = arena_bytes() - busy;
	tap_diag("bytes of the queue that %d peers take: silent %ld, "
		 "of one message %ld, 4 busy ones %ld", PEERS, silent, few,
		 busy);
	check_int(silent, <=, 4 * 4096);
	check_int(few, <=, PEERS * 64 + 3 * 4096);
	check_int(busy, >=, 4 * 4096);
	check_int(busy, <=, 8 * 4096);
}

static void test_close(void)
{
	int i;

	for (i = 0; i < PEERS; i++)
		xnuma_peer_close(peer[i]);
	check_int(other_do(&o, crowd_job_close, 0, 0, 0), ==, 0);
}

int main(void)
{
	struct xnuma_config config;

	crowd_open();
	xnuma_config_init(&config);
	other_start(&o, &config);
	TEST(test_descriptors(), "a peer takes one descriptor, with the module none");
	TEST(test_open(), "a peer takes as much as any other to open, and no more");
	TEST(test_queue(), "peers take memory of the queue as they talk");
	TEST(test_close(), "they are closed");
	view_memory(MANY);
	TEST(test_batch(), "windows are unmapped in batches, by one call each");
	TEST(test_used(), "what is used all the time is not evicted");
	TEST(other_stop(&o), "the other process ends well");
	xnuma_domain_close(own);
	return tap_done();
}
