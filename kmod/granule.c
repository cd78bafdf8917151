// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/slab.h>
#include "export.h"
#include "granule.h"

static struct kmem_cache *granule_cache;

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
						  &xnuma_granule_ops));
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
