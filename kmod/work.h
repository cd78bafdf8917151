/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_WORK_H
#define XNUMA_WORK_H

#include <linux/workqueue.h>

/* Frees what lost its last reference where freeing may not sleep. */
extern struct workqueue_struct *xnuma_free_wq;

#endif /* XNUMA_WORK_H */
