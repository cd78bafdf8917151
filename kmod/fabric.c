// SPDX-License-Identifier: GPL-2.0-only
#include <linux/random.h>
#include "fabric.h"

struct xnuma_fabric xnuma_fabric;

/*
 * The local fabric: this kernel alone. Everybody on it asks the same module, so
 * a random name serves as well as boot_id, which modules cannot read, and no
 * clone of the machine can share it.
 */
void xnuma_fabric_init(void)
{
	get_random_bytes(xnuma_fabric.id, sizeof(xnuma_fabric.id));
	do {
		xnuma_fabric.incarnation = get_random_u64();
	} while (!xnuma_fabric.incarnation);
}
