/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stranger.c - what others do to an owner's memory: reclaim, migration,
 * compaction, memory that goes offline, and a file that gets shorter.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stranger.h"

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static void get(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

/* ---- what the kernel does by itself, faster ---- */

static struct knob {
	const char *path, *value;
	char old[32];
} knob[] = {
	{ "/proc/sys/kernel/numa_balancing", "1", "" },
	{ "/sys/kernel/debug/sched/numa_balancing/scan_delay_ms", "20", "" },
	{ "/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms", "20", "" },
	{ "/sys/kernel/debug/sched/numa_balancing/scan_period_max_ms", "50", "" },
	{ "/sys/kernel/mm/ksm/pages_to_scan", "2000", "" },
	{ "/sys/kernel/mm/ksm/sleep_millisecs", "2", "" },
	{ "/sys/kernel/mm/ksm/run", "1", "" },
	{ "/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs",
	  "5", "" },
	{ "/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs",
	  "5", "" },
};

#define KNOBS (sizeof(knob) / sizeof(knob[0]))

static void knobs_turn(void)
{
	size_t i;

	for (i = 0; i < KNOBS; i++) {
		get(knob[i].path, knob[i].old, sizeof(knob[i].old));
		if (put(knob[i].path, knob[i].value))
			printf("# this kernel has no %s\n", knob[i].path);
	}
}

static void knobs_return(void)
{
	size_t i;

	for (i = 0; i < KNOBS; i++)
		put(knob[i].path, knob[i].old);
}

static const char *const counters[] = {
	"numa_pte_updates", "numa_hint_faults", "numa_pages_migrated",
	"pgmigrate_success", "compact_success", "compact_isolated",
	"thp_fault_alloc", "thp_collapse_alloc", "thp_split_pmd", "pswpin",
	"pswpout", "pglazyfreed", "ksm_swpin_copy", "cow_ksm",
};

#define COUNTERS (sizeof(counters) / sizeof(counters[0]))

static long counted[COUNTERS];

static void vmstat_read(long *value)
{
	FILE *f = fopen("/proc/vmstat", "r");
	char name[64];
	size_t i;
	long n;

	while (f && fscanf(f, "%63s %ld", name, &n) == 2)
		for (i = 0; i < COUNTERS; i++)
			if (!strcmp(name, counters[i]))
				value[i] = n;
	if (f)
		fclose(f);
}

void vmstat_begin(void)
{
	vmstat_read(counted);
}

void vmstat_print(void)
{
	long now[COUNTERS] = { 0 };
	size_t i;

	vmstat_read(now);
	printf("# the kernel counted:");
	for (i = 0; i < COUNTERS; i++)
		printf(" %s %ld", counters[i], now[i] - counted[i]);
	printf("\n");
}

/* ---- disturbances ---- */

static void reclaim(struct dice *d)
{
	long at = (long)dice_roll(d, (__u64)world->pages);
	size_t n = 1 + dice_roll(d, 64);

	if (n > (size_t)(world->pages - at))
		n = (size_t)(world->pages - at);
	/* -ENOMEM is a hole at that moment */
	if (!page_out(world->owner, AREA + at * (long)PAGE, n * PAGE))
		happened(EV_S_PAGEOUT);
}

static void migrate(struct dice *d)
{
	unsigned long from = 1UL << dice_roll(d, 2), to = from ^ 3;

	if (syscall(SYS_migrate_pages, world->owner, 64, &from, &to) >= 0)
		happened(EV_S_MIGRATE);
}

static void compact(struct dice *d)
{
	if (!put("/proc/sys/vm/compact_memory", "1"))
		happened(EV_S_COMPACT);
}

/* Tries one block; another time another one. */
static void offline(struct dice *d)
{
	static int tried;
	char path[80];
	int ret;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/memory/memory%d/state", tried++ % 64);
	if (put(path, "offline"))
		return;
	happened(EV_S_OFFLINE);
	/* one in which an earlier program broke a page stays away */
	ret = put(path, "online");
	must(!ret || ret == -EHWPOISON, "a memory block back online");
}

static void disturb(struct dice *d)
{
	static void (*const way[])(struct dice *d) = {
		[0 ... 11] = reclaim, [12] = migrate, [13] = compact,
		[14 ... 15] = offline,
	};
	struct timespec pause = { .tv_nsec = 2000000 };

	way[dice_roll(d, 16)](d);
	nanosleep(&pause, NULL);
}

/* The owner's file, truncated when he asks for it. */
static void *truncate_main(void *arg)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", world->owner,
		 world->file);
	fd = open(path, O_RDWR | O_CLOEXEC);
	for (;;) {
		sem_wait(&world->order);
		must(!ftruncate(fd, atomic_load(&world->length)), "ftruncate");
		sem_post(&world->done);
	}
	return NULL;
}

long on_disturb(long a, long b, long c)
{
	pthread_t thread;
	struct dice d;

	dice_init(&d, 300);
	if (pthread_create(&thread, NULL, truncate_main, NULL))
		return -EAGAIN;
	knobs_turn();
	while (!atomic_load(&world->stop))
		disturb(&d);
	knobs_return();
	return 0;
}
