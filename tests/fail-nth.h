/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fail-nth.h - an operation again and again, with its first, second, third ...
 * allocation or user copy failing, until it is over before one fails
 *
 * Each time the answer must be an errno or a signal that is allowed, the same
 * must work when it is done again, and nothing may be left behind. To be
 * included behind tap.h.
 */
#ifndef XNUMA_TESTS_FAIL_NTH_H
#define XNUMA_TESTS_FAIL_NTH_H

#include <errno.h>
#include <signal.h>

#include "guest.h"
#include "guest-fail.h"

#define N	100	/* more points than anything has */

static const char *const gauges[] = {
	"exports", "imports", "windows", "granules", "metadata",
};
#define GAUGES (sizeof(gauges) / sizeof(gauges[0]))

/* Of system calls, of the access by this process, of the page of others. */
static bool is_clean(int ret)
{
	return !ret || ret == -ENOMEM || ret == -EFAULT || ret == -SIGBUS;
}

/*
 * @run is done with a point armed and gives 0 or minus what is_clean() knows;
 * when it failed it is done again, and must give 0. @undo takes back what one
 * successful @run did.
 */
static TAP_UNUSED void check_made(int (*run)(int n), void (*undo)(int n),
				  long (*prepare)(int n))
{
	int n, ret = 0, failed = 0;
	bool injected = true;

	for (n = 1; n < N && injected; n++) {
		if (prepare)
			check_int(prepare(n), ==, 0);
		fail_arm(n);
		ret = run(n);
		injected = fail_disarm();
		failed += ret != 0;
		if (!check(is_clean(ret)))
			tap_diag("the %d. failure gave %d", n, ret);
		if (ret && !check_int(run(n), ==, 0))
			tap_diag("... after the %d. failure, which gave %d", n,
				 ret);
		if (undo)
			undo(n);
	}
	tap_diag("%d points, %d of them made it fail", n - 2, failed);
	check(!injected);
	check_int(ret, ==, 0);
	check_int(n, >, 2);
}

/* ... and nothing is left: not for faults, whose granules stay. */
static TAP_UNUSED void check_op(int (*run)(int n), void (*undo)(int n),
				long (*prepare)(int n))
{
	long before[GAUGES];
	size_t i;

	for (i = 0; i < GAUGES; i++)
		before[i] = stat_read(gauges[i]);
	check_made(run, undo, prepare);
	for (i = 0; i < GAUGES; i++)
		check(stat_settles(gauges[i], before[i]));
}

static void fail_begin(void)
{
	guest_begin();
	if (!fail_open())
		skip_all("a kernel without fault injection");
}

#endif
