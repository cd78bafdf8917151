// SPDX-License-Identifier: GPL-2.0-only
/*
 * I1: what the notifiers of granules do. An event over many granules is zapped
 * once, by the first callback that finds something to zap.
 */
#include <linux/delay.h>
#include <linux/sched.h>
#include "export.h"
#include "granule.h"
#include "import.h"
#include "mutate.h"
#include "trace.h"
#include "zap.h"

/* ---- the imports that touched ---- */

static void name_add(u8 *touched, u16 *name, u16 slot)
{
	int i;

	if (*touched > XNUMA_GRANULE_NAMES)
		return;
	for (i = 0; i < *touched; i++)
		if (name[i] == slot)
			return;
	if (*touched < XNUMA_GRANULE_NAMES)
		name[*touched] = slot;
	++*touched;
}

/* An import is about to insert an entry: it has to be zapped from now on. */
void xnuma_granule_touch(struct xnuma_granule *g, struct xnuma_import *imp)
{
	lockdep_assert_held(&g->lock);
	name_add(&g->touched, g->name, imp->slot);
	WRITE_ONCE(imp->mapped, true);
}

static void zap_named(struct xnuma_export *exp, int n, const u16 *name,
		      unsigned long start, unsigned long end)
{
	int i;

	for (i = 0; i < n; i++) {
		struct xnuma_import *imp = xnuma_import_by_slot(exp, name[i]);

		/* Gone without a reference means gone without a window. */
		if (!imp)
			continue;
		xnuma_import_zap(imp, start, end);
		xnuma_import_put(imp);
	}
}

static void zap(struct xnuma_export *exp, int touched, const u16 *name,
		unsigned long start, unsigned long end)
{
	if (xnuma_mutated(ZAP))
		return;
	if (touched > XNUMA_GRANULE_NAMES || xnuma_mutated(NAMES))
		xnuma_import_zap_all(exp, start, end);
	else
		zap_named(exp, touched, name, start, end);
	xnuma_export_revoked(exp);
}

static void granule_zap(struct xnuma_granule *g, unsigned long start,
			unsigned long end)
{
	lockdep_assert_held(&g->lock);
	zap(g->exp, g->touched, g->name, start, end);
	if (end - start == XNUMA_GRANULE_SIZE)
		g->touched = 0;
}

/* ---- many granules at once ---- */

/*
 * A batch takes the names from all granules of a range, each under its lock, and
 * then zaps the range once, under none. Until that is done a granule without
 * names may still be mapped, and who finds it so has to wait: it carries the
 * number of the batch. A number that comes again makes somebody wait in vain.
 */
static bool is_in_batch(struct xnuma_granule *g)
{
	lockdep_assert_held(&g->lock);
	/* a batch that is over has zapped */
	return g->batch && g->batch == smp_load_acquire(&g->exp->batch);
}

/* No granule's lock is held. */
static void batch_wait(struct xnuma_export *exp)
{
	mutex_lock(&exp->batch_lock);
	mutex_unlock(&exp->batch_lock);
}

/*
 * All of [start, end) is being invalidated, and consists of whole granules. The
 * callbacks of those behind the first are still to come: what is inserted there
 * meanwhile brings its name back, and they will zap it.
 */
static void batch_zap(struct xnuma_export *exp, unsigned long start,
		      unsigned long end)
{
	u16 name[XNUMA_GRANULE_NAMES];
	struct xnuma_granule *g;
	unsigned long index;
	u8 touched = 0;
	int i;

	mutex_lock(&exp->batch_lock);
	exp->last_batch = exp->last_batch + 1 ?: 1;
	WRITE_ONCE(exp->batch, exp->last_batch);
	xa_for_each_range(&exp->granules, index, g,
			  start >> XNUMA_GRANULE_SHIFT,
			  (end - 1) >> XNUMA_GRANULE_SHIFT) {
		mutex_lock(&g->lock);
		for (i = 0; i < min_t(int, g->touched, XNUMA_GRANULE_NAMES); i++)
			name_add(&touched, name, g->name[i]);
		if (g->touched > XNUMA_GRANULE_NAMES)
			touched = g->touched;
		if (g->touched)
			g->batch = exp->last_batch;
		g->touched = 0;
		mutex_unlock(&g->lock);
		cond_resched();
	}
	if (xnuma_mutated(BATCH))
		msleep(20);	/* let somebody come */
	if (touched)
		zap(exp, touched, name, start, end);
	smp_store_release(&exp->batch, 0);	/* for is_in_batch() */
	mutex_unlock(&exp->batch_lock);
}

/* ---- events ---- */

static unsigned long granule_start(struct xnuma_granule *g)
{
	return g->mni.interval_tree.start;
}

static unsigned long granule_end(struct xnuma_granule *g)
{
	return g->mni.interval_tree.last + 1;
}

/* Under the lock, with the sequence moved. BATCH is to be done behind the lock. */
static enum xnuma_revoked revoke(struct xnuma_granule *g,
				 const struct mmu_notifier_range *range)
{
	if (!g->touched) {
		xnuma_count(idle);
		return XNUMA_REVOKED_IDLE;
	}
	if (range->event == MMU_NOTIFY_RELEASE) {
		g->touched = 0;	/* the life notifier zaps everything at once */
		return XNUMA_REVOKED_LATER;
	}
	if (range->start <= granule_start(g) &&
	    range->end >= granule_end(g) + XNUMA_GRANULE_SIZE)
		return XNUMA_REVOKED_BATCH;
	granule_zap(g, max(granule_start(g), range->start),
		    min(granule_end(g), range->end));
	return XNUMA_REVOKED_ZAPPED;
}

static enum xnuma_revoked granule_revoke(struct xnuma_granule *g,
					 const struct mmu_notifier_range *range,
					 unsigned long seq)
{
	bool blockable = mmu_notifier_range_blockable(range);
	enum xnuma_revoked what;
	bool in_batch;

	if (xnuma_zap_nested() && !xnuma_mutated(NEST)) {
		xnuma_count(nested);
		return XNUMA_REVOKED_NESTED;
	}
	if (blockable) {
		mutex_lock(&g->lock);
	} else if (!mutex_trylock(&g->lock)) {
		xnuma_count(refused);
		return XNUMA_REVOKED_REFUSED;
	}
	in_batch = is_in_batch(g);
	if (!blockable && (g->touched || in_batch)) {
		mutex_unlock(&g->lock);
		xnuma_count(refused);
		return XNUMA_REVOKED_REFUSED;
	}
	mmu_interval_set_seq(&g->mni, seq);
	what = revoke(g, range);
	mutex_unlock(&g->lock);
	if (what == XNUMA_REVOKED_BATCH)
		batch_zap(g->exp, granule_start(g),
			  range->end & XNUMA_GRANULE_MASK);
	if (!in_batch || what == XNUMA_REVOKED_BATCH || xnuma_mutated(BATCH))
		return what;
	/* Names that are here came back since; those that it took matter too. */
	batch_wait(g->exp);
	return XNUMA_REVOKED_WAITED;
}

/*
 * I1: when this returns true, no importer reaches [range) any more. I3: set_seq
 * happens under the lock under which faults insert, so a fault that looked
 * before is either zapped here or sees the new sequence.
 */
static bool granule_invalidate(struct mmu_interval_notifier *mni,
			       const struct mmu_notifier_range *range,
			       unsigned long seq)
{
	struct xnuma_granule *g = container_of(mni, struct xnuma_granule, mni);
	enum xnuma_revoked what;

	xnuma_count(invalidations);
	what = granule_revoke(g, range, seq);
	trace_revoke(g, range->start, range->end, range->event, what);
	return what != XNUMA_REVOKED_REFUSED;
}

const struct mmu_interval_notifier_ops xnuma_granule_ops = {
	.invalidate = granule_invalidate,
};

/* Take a range back although the owner's mappings stay: DENY. */
void xnuma_granule_zap_range(struct xnuma_export *exp, unsigned long start,
			     unsigned long end)
{
	struct xnuma_granule *g;
	unsigned long i;
	bool wait = false;

	xa_for_each_range(&exp->granules, i, g, start >> XNUMA_GRANULE_SHIFT,
			  (end - 1) >> XNUMA_GRANULE_SHIFT) {
		unsigned long base = i << XNUMA_GRANULE_SHIFT;

		mutex_lock(&g->lock);
		wait |= is_in_batch(g);
		if (g->touched) {
			granule_zap(g, max(start, base),
				    min(end, base + XNUMA_GRANULE_SIZE));
			trace_revoke(g, start, end, XNUMA_EVENT_DENY,
				     XNUMA_REVOKED_ZAPPED);
		}
		mutex_unlock(&g->lock);
		cond_resched();
	}
	if (wait)
		batch_wait(exp);
}
