/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_FABRIC_H
#define XNUMA_FABRIC_H

#include "xpmem_numa.h"

/* The memory that this kernel shares with others, and its place in it. */
struct xnuma_fabric {
	u8 id[XPMEM_NUMA_FABRIC_LEN];
	u32 partition;
	u64 incarnation;	/* of this load of the module, never 0 */
};

extern struct xnuma_fabric xnuma_fabric;

void xnuma_fabric_init(void);

#endif /* XNUMA_FABRIC_H */
