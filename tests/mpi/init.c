// SPDX-License-Identifier: BSD-3-Clause
/* Description: start, one barrier, end; run many times by the scripts */
#include "check.h"

int main(int argc, char **argv)
{
	start(&argc, &argv);
	return finish("init");
}
