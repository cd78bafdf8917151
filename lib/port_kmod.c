/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include "port.h"
static int kmod_open(struct xnuma_domain *dom)
{
	return error(-ENODEV, "this build has no port kmod yet");
}
const struct port_ops port_kmod = { .port = XNUMA_PORT_KMOD, .name = "kmod", .open = kmod_open };
