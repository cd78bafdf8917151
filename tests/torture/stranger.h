/* SPDX-License-Identifier: BSD-3-Clause */
/* stranger.h - a process that disturbs the owner from outside */
#ifndef XNUMA_TORTURE_STRANGER_H
#define XNUMA_TORTURE_STRANGER_H

#include "world.h"

/* For peer_call(): until world->stop. Goes on truncating until it is stopped. */
long on_disturb(long, long, long);

/* Since the first call: prints what the kernel has counted of its own doing. */
void vmstat_begin(void);
void vmstat_print(void);

#endif
