/* SPDX-License-Identifier: BSD-3-Clause */
/* Must fail: exits with success in mid-test, so there is no plan. */

#include "tap.h"

static void test_exit(void)
{
	check(true);
	exit(0);
}

int main(void)
{
	TEST(check(true), "a good start");
	TEST(test_exit(), "an exit(0) in mid-test");
	return tap_done();
}
