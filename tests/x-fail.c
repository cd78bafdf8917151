/* SPDX-License-Identifier: BSD-3-Clause */
/* Must fail: one check of two does not hold. */

#include "tap.h"

static void test_sum(void)
{
	check_int(1 + 1, ==, 2);
	check_int(1 + 1, ==, 3);
}

int main(void)
{
	TEST(test_sum(), "one and one is three");
	return tap_done();
}
