/* SPDX-License-Identifier: BSD-3-Clause */
/* Must fail: a TEST that returns before its first check proves nothing. */

#include "tap.h"

static void test_empty(void)
{
}

int main(void)
{
	TEST(test_empty(), "a test without checks");
	return tap_done();
}
