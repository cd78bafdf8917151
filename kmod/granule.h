/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_GRANULE_H
#define XNUMA_GRANULE_H

#include <linux/mmu_notifier.h>
#include <linux/mutex.h>

struct xnuma_export;
struct xnuma_import;

#define XNUMA_GRANULE_SHIFT	21
#define XNUMA_GRANULE_SIZE	(1UL << XNUMA_GRANULE_SHIFT)
#define XNUMA_GRANULE_MASK	(~(XNUMA_GRANULE_SIZE - 1))
#define XNUMA_GRANULE_PAGES	(XNUMA_GRANULE_SIZE >> PAGE_SHIFT)

/* Importers of one granule that are zapped by name; beyond that, all are. */
#define XNUMA_GRANULE_NAMES	6

/*
 * 2 MiB of owner address space that somebody imported. Made by the fault that
 * needs it, lives as long as its export.
 */
struct xnuma_granule {
	struct mmu_interval_notifier mni;
	struct xnuma_export *exp;
	struct mutex lock;	/* taken by the notifier: never allocate under it */

	/* Imports that inserted something since they were last zapped, by slot.
	 * A slot that was given back may be named: zapping its next holder
	 * costs time, not truth.
	 */
	u8 touched;		/* valid names; more than there are: all imports */
	bool small;		/* a hint: no huge page was here last time */
	u16 name[XNUMA_GRANULE_NAMES];
	u16 batch;		/* that took the names last */
};

extern const struct mmu_interval_notifier_ops xnuma_granule_ops;

int xnuma_granule_init(void);
void xnuma_granule_exit(void);

struct xnuma_granule *xnuma_granule_find(struct xnuma_export *exp,
					 unsigned long va);
struct xnuma_granule *xnuma_granule_get(struct xnuma_export *exp,
					unsigned long va);
void xnuma_granule_touch(struct xnuma_granule *g, struct xnuma_import *imp);
void xnuma_granule_zap_range(struct xnuma_export *exp, unsigned long start,
			     unsigned long end);
void xnuma_granule_settle_all(struct xnuma_export *exp);
void xnuma_granule_unhook_all(struct xnuma_export *exp);
void xnuma_granule_free_all(struct xnuma_export *exp);

#endif /* XNUMA_GRANULE_H */
