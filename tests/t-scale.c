/* SPDX-License-Identifier: BSD-3-Clause */
/* System calls that must not be more where there are more windows. */

#include <sys/syscall.h>

#include "views.h"

#define MANY	1024		/* windows */
#define FEW	64

static long munmaps;		/* calls of this process */

/* The library calls this one. */
int munmap(void *addr, size_t len)
{
	munmaps++;
	return syscall(SYS_munmap, addr, len);
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

int main(void)
{
	struct xnuma_config config;

	xnuma_config_init(&config);
	other_start(&o, &config);
	view_memory(MANY);
	TEST(test_batch(), "windows are unmapped in batches, by one call each");
	TEST(test_used(), "what is used all the time is not evicted");
	TEST(other_stop(&o), "the other process ends well");
	xnuma_domain_close(own);
	return tap_done();
}
