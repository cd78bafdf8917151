/* SPDX-License-Identifier: BSD-3-Clause */
/* Must pass: the counterpart of the x-* programs, see t-tap.sh. */

#include "tap.h"

static void test_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		check_int(1, ==, 1);
		child_done();
	}
	check_child(pid);
}

static void test_skip(void)
{
	skip_test("there is no %s", "moon");
}

int main(void)
{
	TEST(test_child(), "a child whose checks hold");
	TEST(test_skip(), "a TEST that cannot run here");
	TEST(check_uint(UINT64_MAX, >, 1), "a 64-bit number is not negative");
	TEST(check_str("a", "a"), "strings are compared by content");
	return tap_done();
}
