/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows within a limit: shared by threads, evicted, held. */

#include <pthread.h>
#include <sys/resource.h>

#include "others.h"

#define SIZE	(64UL << 10)
#define ROOM	2
#define LEN	(32 * SIZE)
#define THREADS	8
#define COPIES	400

static struct other o;
static uint64_t at;

static long job_stack(long a, long b, long c)
{
	return (long)__builtin_frame_address(0);
}

static unsigned long mapped_in_arena(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end, total = 0;
	char line[500], name[100];
	int n;

	while (fgets(line, sizeof(line), maps)) {
		name[0] = '\0';
		n = sscanf(line, "%lx-%lx %*s %*s %*s %*s %99s", &start, &end,
			   name);
		if (n >= 3 && end - start <= SIZE && end - start > 2 * 4096 &&
		    (strstr(name, "xnuma-heap") || strstr(name, "xpmem_numa:")))
			total += end - start;
	}
	fclose(maps);
	return total;
}

struct run {
	unsigned int seed;
	long wrong;
	long failed;
};

/* Any part, also across windows; what is read must be what the other wrote. */
static void *run_reader(void *arg)
{
	unsigned char buf[2 * SIZE];
	struct run *run = arg;
	size_t from, len, j;
	int i;

	for (i = 0; i < COPIES; i++) {
		from = rand_r(&run->seed) % (LEN - sizeof(buf));
		len = 1 + rand_r(&run->seed) %
			  (i % 8 ? 200 : sizeof(buf));
		if (xnuma_get(o.memory, buf, at + from, len, NULL)) {
			run->failed++;
			continue;
		}
		for (j = 0; j < len; j++)
			run->wrong += buf[j] != other_byte(from + j, 6);
	}
	return NULL;
}

static void test_threads(void)
{
	struct run run[THREADS];
	pthread_t thread[THREADS];
	struct xnuma_stats stats;
	int i;

	for (i = 0; i < THREADS; i++) {
		run[i] = (struct run){ .seed = 1000 + i };
		pthread_create(&thread[i], NULL, run_reader, &run[i]);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		check_int(run[i].failed, ==, 0);
		check_int(run[i].wrong, ==, 0);
	}
	xnuma_domain_stats(own, &stats);
	check(stats.windows_evicted > THREADS);
	check(stats.windows_mapped <= stats.windows_evicted + ROOM);
	tap_diag("%d copies mapped %ju windows", THREADS * COPIES,
		 (uintmax_t)stats.windows_mapped);
}

static void test_limit(void)
{
	check_uint(mapped_in_arena(), <=, ROOM * SIZE);
	check_uint(mapped_in_arena(), >, 0);
}

static void test_arena(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[500];
	int seen = 0;

	while (fgets(line, sizeof(line), maps)) {
		if (!strstr(line, "xnuma-heap") && !strstr(line, "xpmem_numa:"))
			continue;
		sscanf(line, "%lx-%lx", &start, &end);
		check(end <= 0x500000000000UL);
		seen++;
	}
	fclose(maps);
	check_int(seen, >, 0);
}

/* A held window stays where it is while all others come and go. */
static void test_hold(void)
{
	struct run run = { .seed = 5 };
	struct xnuma_window *win;
	unsigned char *ptr;
	void *p;

	check_int(xnuma_window_hold(o.memory, at + 100, 50, &p, &win), ==, 0);
	ptr = p;
	check_int(ptr[3], ==, other_byte(103, 6));
	run_reader(&run);
	check_int(run.failed, ==, 0);
	check_int(run.wrong, ==, 0);
	check_int(ptr[3], ==, other_byte(103, 6));
	ptr[3]++;
	check_int(other_do(&o, other_differ, at, LEN, 6), ==, 1);
	ptr[3]--;
	xnuma_window_release(win);
}

static void test_hold_all(void)
{
	struct xnuma_window *win[ROOM + 1];
	unsigned char byte;
	void *p;
	int i;

	for (i = 0; i < ROOM; i++)
		check_int(xnuma_window_hold(o.memory, at + i * SIZE, 8, &p,
					    &win[i]), ==, 0);
	check_int(xnuma_window_hold(o.memory, at + ROOM * SIZE, 8, &p,
				    &win[ROOM]), ==, -ENOMEM);
	check_int(xnuma_get(o.memory, &byte, at + ROOM * SIZE, 1, NULL), ==,
		  -ENOMEM);
	for (i = 0; i < ROOM; i++)
		xnuma_window_release(win[i]);
	check_int(xnuma_get(o.memory, &byte, at + ROOM * SIZE, 1, NULL), ==, 0);
}

static void test_hold_across(void)
{
	struct xnuma_window *win;
	unsigned char *ptr;
	void *p;

	check_int(xnuma_window_hold(o.memory, at + SIZE - 50, 100, &p, &win),
		  ==, 0);
	ptr = p;
	check_int(ptr[99], ==, other_byte(SIZE + 49, 6));
	xnuma_window_release(win);
	check_int(xnuma_window_hold(o.memory, at, LEN, &p, &win), ==, -ENOMEM);
}

/* The import goes first, its held window later. */
static void test_hold_longer(void)
{
	struct xnuma_window *win;
	struct xnuma_peer *peer;
	unsigned char *ptr;
	void *p;

	check_int(xnuma_peer_open(own, o.blob, &peer), ==, 0);
	check_int(xnuma_window_hold(xnuma_peer_memory(peer), at, 8, &p, &win),
		  ==, 0);
	ptr = p;
	xnuma_peer_close(peer);
	check_int(ptr[5], ==, other_byte(5, 6));
	xnuma_window_release(win);
}

/*
 * Far less address space than the windows want, where nobody else calls: they
 * shrink, then make room for each other.
 */
static void test_short(void)
{
	struct rlimit as = { 3UL << 30, 3UL << 30 };
	struct xnuma_config config;
	struct xnuma_domain *dom;
	struct xnuma_peer *peer;
	unsigned char buf[4096];
	uint64_t stack = other_do(&o, job_stack, 0, 0, 0), from;
	pid_t pid = fork();
	int i;

	if (!pid) {
		xnuma_peer_close(o.peer);
		xnuma_domain_close(own);
		check(!setrlimit(RLIMIT_AS, &as));
		xnuma_config_init(&config);
		config.flags = XNUMA_SINGLE_THREAD;
		config.window_limit = 16UL << 40;
		check_int(xnuma_domain_open(&config, &dom), ==, 0);
		check_int(xnuma_peer_open(dom, o.blob, &peer), ==, 0);
		for (i = 0; i < 100; i++) {
			from = i * 5003 % (LEN - 4096);
			check_int(xnuma_get(xnuma_peer_memory(peer), buf,
					    at + from, 4096, NULL), ==, 0);
			check_int(buf[9], ==, other_byte(from + 9, 6));
			check_int(xnuma_get(xnuma_peer_memory(peer), buf,
					    stack, 8, NULL), ==, 0);
		}
		xnuma_peer_close(peer);
		xnuma_domain_close(dom);
		child_done();
	}
	check_child(pid);
}

int main(void)
{
	struct xnuma_config config;

	xnuma_config_init(&config);
	config.window_size = SIZE;
	config.window_limit = ROOM * SIZE;
	other_start(&o, &config);
	at = other_do(&o, other_alloc, LEN, 0, 0);
	other_do(&o, other_fill, at, LEN, 6);

	TEST(test_threads(), "eight threads share room for two windows");
	TEST(test_limit(), "windows keep to their limit");
	TEST(test_arena(), "windows are not where mmap() puts things");
	TEST(test_hold(), "a held window is not moved");
	TEST(test_hold_all(), "when all are held there is no room");
	TEST(test_hold_across(), "a held window may be larger than others");
	TEST(test_hold_longer(), "a held window outlives its import");
	TEST(test_short(), "short of address space windows get smaller");
	TEST(other_stop(&o), "the other process ends well");
	xnuma_domain_close(own);
	return tap_done();
}
