/* SPDX-License-Identifier: BSD-3-Clause */
/* Must fail: a program without a TEST proves nothing. */

#include "tap.h"

int main(void)
{
	return tap_done();
}
