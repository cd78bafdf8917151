/* SPDX-License-Identifier: BSD-3-Clause */
/* Must fail: a child that returns from its TEST may not add TAP lines. */

#include "tap.h"

static void test_return(void)
{
	pid_t pid = fork();

	if (pid)
		check_child(pid);
	else
		check(true);
}

int main(void)
{
	TEST(test_return(), "a child that runs on");
	return tap_done();
}
