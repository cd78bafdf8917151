/* SPDX-License-Identifier: BSD-3-Clause */
/* Must fail: the failing check is in a child, which has its status only. */

#include "tap.h"

static void test_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		check_int(1, ==, 2);
		child_done();
	}
	check_child(pid);
}

int main(void)
{
	TEST(test_child(), "a child whose check fails");
	return tap_done();
}
