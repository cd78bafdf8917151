/* SPDX-License-Identifier: BSD-3-Clause */
/* Must fail: dies of a signal after a good TEST, so there is no plan. */

#include "tap.h"

static void test_crash(void)
{
	check(true);
	abort();
}

int main(void)
{
	TEST(check(true), "a good start");
	TEST(test_crash(), "an abort in mid-test");
	return tap_done();
}
