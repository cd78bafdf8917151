/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * device.h - the module as such, apart from any domain
 */
#ifndef XNUMA_DEVICE_H
#define XNUMA_DEVICE_H

#include "xpmem_numa.h"

/* A descriptor, or -errno with a sentence. */
int device_open(void);

/* What the module is; -EPROTO if it is not for this library. */
int device_query(int fd, struct xpmem_numa_query *query);

#endif
