/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_ZAP_H
#define XNUMA_ZAP_H

#include <linux/list.h>
#include <linux/sched.h>

/*
 * A task that takes mappings away from one address space may run into notifiers
 * of that address space, its exports', and they would take mappings away from a
 * third one, or from the first. Such nested calls have nothing to do: the range
 * that is being unmapped lies in a window, and windows cannot be exported.
 * Between begin and end, xnuma_zap_nested() is true for this task.
 */
struct xnuma_zap {
	struct hlist_node node;
	struct task_struct *task;
};

void xnuma_zap_begin(struct xnuma_zap *zap);
void xnuma_zap_end(struct xnuma_zap *zap);
bool xnuma_zap_nested(void);

#endif /* XNUMA_ZAP_H */
