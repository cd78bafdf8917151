// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/slab.h>
#include "export.h"
#include "granule.h"
#include "import.h"
#include "mutate.h"
#include "trace.h"
#include "zap.h"

static struct kmem_cache *granule_cache;

/* ---- revocation ---- */

static bool is_named(struct xnuma_granule *g, u16 slot)
{
	int i;

	for (i = 0; i < g->touched; i++)
		if (g->name[i] == slot)
			return true;
	return false;
}

/* An import is about to insert an entry: it has to be zapped from now on. */
void xnuma_granule_touch(struct xnuma_granule *g, struct xnuma_import *imp)
{
	lockdep_assert_held(&g->lock);
	if (g->touched > XNUMA_GRANULE_NAMES || is_named(g, imp->slot))
		return;
	if (g->touched < XNUMA_GRANULE_NAMES)
		g->name[g->touched] = imp->slot;
	g->touched++;
}

static void zap_named(struct xnuma_granule *g, unsigned long start,
		      unsigned long end)
{
	int i;

	for (i = 0; i < g->touched; i++) {
		struct xnuma_import *imp =
			xnuma_import_by_slot(g->exp, g->name[i]);

		/* Gone without a reference means gone without a window. */
		if (!imp)
			continue;
		xnuma_import_zap(imp, start, end);
		xnuma_import_put(imp);
	}
}

static unsigned long granule_start(struct xnuma_granule *g)
{
	return g->mni.interval_tree.start;
}

static unsigned long granule_end(struct xnuma_granule *g)
{
	return g->mni.interval_tree.last + 1;
}

static void granule_zap(struct xnuma_granule *g, unsigned long start,
			unsigned long end)
{
	lockdep_assert_held(&g->lock);
	if (xnuma_mutated(ZAP))
		return;
	if (g->touched > XNUMA_GRANULE_NAMES || xnuma_mutated(NAMES))
		xnuma_import_zap_all(g->exp, start, end);
	else
		zap_named(g, start, end);
	if (end - start == XNUMA_GRANULE_SIZE)
		g->touched = 0;
	xnuma_export_revoked(g->exp);
}

static enum xnuma_revoked granule_revoke(struct xnuma_granule *g,
					 const struct mmu_notifier_range *range,
					 unsigned long seq)
{
	enum xnuma_revoked what = XNUMA_REVOKED_ZAPPED;

	if (xnuma_zap_nested() && !xnuma_mutated(NEST)) {
		xnuma_count(nested);
		return XNUMA_REVOKED_NESTED;
	}
	if (mmu_notifier_range_blockable(range)) {
		mutex_lock(&g->lock);
	} else if (!mutex_trylock(&g->lock)) {
		xnuma_count(refused);
		return XNUMA_REVOKED_REFUSED;
	}
	if (g->touched && !mmu_notifier_range_blockable(range)) {
		mutex_unlock(&g->lock);
		xnuma_count(refused);
		return XNUMA_REVOKED_REFUSED;
	}
	mmu_interval_set_seq(&g->mni, seq);
	if (!g->touched) {
		xnuma_count(idle);
		what = XNUMA_REVOKED_IDLE;
	} else if (range->event == MMU_NOTIFY_RELEASE) {
		g->touched = 0;	/* the life notifier zaps everything at once */
		what = XNUMA_REVOKED_LATER;
	} else {
		granule_zap(g, max(granule_start(g), range->start),
			    min(granule_end(g), range->end));
	}
	mutex_unlock(&g->lock);
	return what;
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

static const struct mmu_interval_notifier_ops granule_ops = {
	.invalidate = granule_invalidate,
};

/* Take a range back although the owner's mappings stay: DENY. */
void xnuma_granule_zap_range(struct xnuma_export *exp, unsigned long start,
			     unsigned long end)
{
	struct xnuma_granule *g;
	unsigned long i;

	xa_for_each_range(&exp->granules, i, g, start >> XNUMA_GRANULE_SHIFT,
			  (end - 1) >> XNUMA_GRANULE_SHIFT) {
		unsigned long base = i << XNUMA_GRANULE_SHIFT;

		mutex_lock(&g->lock);
		if (g->touched) {
			granule_zap(g, max(start, base),
				    min(end, base + XNUMA_GRANULE_SIZE));
			trace_revoke(g, start, end, XNUMA_EVENT_DENY,
				     XNUMA_REVOKED_ZAPPED);
		}
		mutex_unlock(&g->lock);
		cond_resched();
	}
}

/* ---- life ---- */

static size_t granule_cost(struct xnuma_export *exp, unsigned long index)
{
	unsigned long first = index & ~(XA_CHUNK_SIZE - 1UL);
	size_t cost = sizeof(struct xnuma_granule);

	/* The first of its 64 neighbours brings a leaf of the tree. */
	if (!xa_find(&exp->granules, &first, first + XA_CHUNK_SIZE - 1,
		     XA_PRESENT))
		cost += sizeof(struct xa_node);
	return cost;
}

static void granule_hook(struct xnuma_export *exp, struct xnuma_granule *g,
			 unsigned long index)
{
	/*
	 * The life notifier has set up the mm's notifier tree, so insertion
	 * takes a spinlock only; its might_lock(mmap_lock) speaks of the first
	 * insertion into an mm. It cannot fail for an mm that is held.
	 */
	lockdep_off();
	WARN_ON_ONCE(mmu_interval_notifier_insert(&g->mni, exp->mm,
						  index << XNUMA_GRANULE_SHIFT,
						  XNUMA_GRANULE_SIZE,
						  &granule_ops));
	lockdep_on();
}

static int granule_add(struct xnuma_export *exp, struct xnuma_granule *g,
		       unsigned long index)
{
	size_t cost = granule_cost(exp, index);
	int ret;

	lockdep_assert_held(&exp->granule_lock);
	if (xnuma_export_state(exp) != XPMEM_NUMA_ACTIVE)
		return -EPIPE;
	ret = xa_reserve(&exp->granules, index, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	g->exp = exp;
	mutex_init(&g->lock);
	granule_hook(exp, g, index);
	xa_store(&exp->granules, index, g, GFP_NOWAIT);
	xnuma_add_in(&exp->stats, granules, 1);
	xnuma_add_in(&exp->stats, metadata, cost);
	return 0;
}

static struct xnuma_granule *granule_make(struct xnuma_export *exp,
					  unsigned long index)
{
	struct xnuma_granule *g, *old;
	int ret = -EDQUOT;

	if (!xnuma_charge(exp->user, XNUMA_LIMIT_GRANULES))
		return ERR_PTR(ret);
	ret = -ENOMEM;
	g = kmem_cache_zalloc(granule_cache, GFP_KERNEL_ACCOUNT);
	if (!g)
		goto uncharge;

	mutex_lock(&exp->granule_lock);
	old = xa_load(&exp->granules, index);
	ret = old ? 0 : granule_add(exp, g, index);
	mutex_unlock(&exp->granule_lock);
	if (!ret && !old)
		return g;

	kmem_cache_free(granule_cache, g);
uncharge:
	xnuma_uncharge(exp->user, XNUMA_LIMIT_GRANULES);
	return ret ? ERR_PTR(ret) : old;
}

struct xnuma_granule *xnuma_granule_find(struct xnuma_export *exp,
					 unsigned long va)
{
	return xa_load(&exp->granules, va >> XNUMA_GRANULE_SHIFT);
}

/* The caller holds the owner's mm (mmget). May sleep, takes no mmap_lock. */
struct xnuma_granule *xnuma_granule_get(struct xnuma_export *exp,
					unsigned long va)
{
	struct xnuma_granule *g = xnuma_granule_find(exp, va);

	return g ?: granule_make(exp, va >> XNUMA_GRANULE_SHIFT);
}

/*
 * After the state has left ACTIVE: insertion tests it under the granule's lock,
 * so that behind this no fault inserts any more. What was inserted stays named,
 * and the notifier goes on zapping it, until the caller has zapped everything.
 */
void xnuma_granule_settle_all(struct xnuma_export *exp)
{
	struct xnuma_granule *g;
	unsigned long i;

	xa_for_each(&exp->granules, i, g) {
		mutex_lock(&g->lock);
		mutex_unlock(&g->lock);
		cond_resched();
	}
}

/* Makes the owner free of cost; slow faults may still read mni.mm. */
void xnuma_granule_unhook_all(struct xnuma_export *exp)
{
	struct xnuma_granule *g;
	unsigned long i;

	xa_for_each(&exp->granules, i, g) {
		mmu_interval_notifier_remove(&g->mni);
		cond_resched();
	}
}

void xnuma_granule_free_all(struct xnuma_export *exp)
{
	struct xnuma_granule *g;
	unsigned long i;

	xa_for_each(&exp->granules, i, g) {
		kmem_cache_free(granule_cache, g);
		xnuma_uncharge(exp->user, XNUMA_LIMIT_GRANULES);
		xnuma_sub(granules, 1);
		cond_resched();
	}
	xa_destroy(&exp->granules);
}

int xnuma_granule_init(void)
{
	granule_cache = KMEM_CACHE(xnuma_granule, SLAB_ACCOUNT);
	return granule_cache ? 0 : -ENOMEM;
}

void xnuma_granule_exit(void)
{
	kmem_cache_destroy(granule_cache);
}
