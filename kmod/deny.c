// SPDX-License-Identifier: GPL-2.0-only
/* DENY and ALLOW: ranges that the owner has taken back for a while. */
#include <linux/interval_tree.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "granule.h"
#include "mutate.h"
#include "window.h"

#define first_in(exp, start, last) \
	interval_tree_iter_first(&(exp)->denied, start, last)

/* Under a granule's lock, so that DENY has either zapped or been seen. */
bool xnuma_is_denied(struct xnuma_export *exp, unsigned long start,
		     unsigned long end)
{
	bool denied;

	if (!READ_ONCE(exp->has_denied) || xnuma_mutated(DENY))
		return false;
	spin_lock(&exp->denied_lock);
	denied = first_in(exp, start, end - 1);
	spin_unlock(&exp->denied_lock);
	return denied;
}

/* ---- ranges: they do not overlap or touch; deny_mutex is held ---- */

static struct interval_tree_node *range_create(struct xnuma_export *exp)
{
	struct interval_tree_node *range;

	if (!xnuma_charge(exp->user, XNUMA_LIMIT_DENIALS))
		return ERR_PTR(-EDQUOT);
	range = kmalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
	if (!range) {
		xnuma_uncharge(exp->user, XNUMA_LIMIT_DENIALS);
		return ERR_PTR(-ENOMEM);
	}
	xnuma_add_in(&exp->stats, metadata, sizeof(*range));
	return range;
}

static void range_free(struct xnuma_export *exp,
		       struct interval_tree_node *range)
{
	kfree(range);
	xnuma_add_in(&exp->stats, metadata, -(long)sizeof(*range));
	xnuma_uncharge(exp->user, XNUMA_LIMIT_DENIALS);
}

static void range_insert(struct xnuma_export *exp,
			 struct interval_tree_node *range,
			 unsigned long start, unsigned long last)
{
	range->start = start;
	range->last = last;
	spin_lock(&exp->denied_lock);
	interval_tree_insert(range, &exp->denied);
	spin_unlock(&exp->denied_lock);
}

static void range_remove(struct xnuma_export *exp,
			 struct interval_tree_node *range)
{
	spin_lock(&exp->denied_lock);
	interval_tree_remove(range, &exp->denied);
	spin_unlock(&exp->denied_lock);
	range_free(exp, range);
}

/* In one step: what stays denied is never seen as allowed. */
static void range_change(struct xnuma_export *exp,
			 struct interval_tree_node *range,
			 unsigned long start, unsigned long last)
{
	spin_lock(&exp->denied_lock);
	interval_tree_remove(range, &exp->denied);
	range->start = start;
	range->last = last;
	interval_tree_insert(range, &exp->denied);
	spin_unlock(&exp->denied_lock);
}

/* ---- the calls ---- */

/* One range for all that @range overlaps or touches. */
static void absorb(struct xnuma_export *exp, struct interval_tree_node *range)
{
	unsigned long low = range->start ? range->start - 1 : 0;
	unsigned long high = range->last + 1;
	struct interval_tree_node *old;

	for (;;) {
		old = first_in(exp, low, high);
		if (old == range)
			old = interval_tree_iter_next(old, low, high);
		if (!old)
			return;
		range_change(exp, range, min(range->start, old->start),
			     max(range->last, old->last));
		range_remove(exp, old);
		cond_resched();
	}
}

static int add(struct xnuma_export *exp, unsigned long start,
	       unsigned long last)
{
	struct interval_tree_node *range = first_in(exp, start ? start - 1 : 0,
						    last + 1);

	if (range) {
		range_change(exp, range, min(range->start, start),
			     max(range->last, last));
	} else {
		range = range_create(exp);
		if (IS_ERR(range))
			return PTR_ERR(range);
		range_insert(exp, range, start, last);
	}
	absorb(exp, range);
	WRITE_ONCE(exp->has_denied, true);
	return 0;
}

int xnuma_deny(struct xnuma_export *exp, unsigned long start, unsigned long end)
{
	int ret;

	mutex_lock(&exp->deny_mutex);
	ret = add(exp, start, end - 1);
	mutex_unlock(&exp->deny_mutex);
	if (ret)
		return ret;
	smp_mb();	/* a granule that the scan misses sees what is denied */
	xnuma_granule_zap_range(exp, start, end);
	return 0;
}

/* Leave of a range what lies outside of [start, last]. */
static int cut(struct xnuma_export *exp, struct interval_tree_node *old,
	       unsigned long start, unsigned long last)
{
	unsigned long end = old->last;
	struct interval_tree_node *right;

	if (old->start >= start) {
		if (end <= last)
			range_remove(exp, old);
		else
			range_change(exp, old, last + 1, end);
		return 0;
	}
	if (end > last) {
		right = range_create(exp);
		if (IS_ERR(right))
			return PTR_ERR(right);
		range_insert(exp, right, last + 1, end);
	}
	range_change(exp, old, old->start, start - 1);
	return 0;
}

/* It fails only where nothing is done: one range becomes two. */
int xnuma_allow(struct xnuma_export *exp, unsigned long start, unsigned long end)
{
	struct interval_tree_node *old;
	int ret = 0;

	mutex_lock(&exp->deny_mutex);
	while (!ret && (old = first_in(exp, start, end - 1))) {
		ret = cut(exp, old, start, end - 1);
		cond_resched();
	}
	if (RB_EMPTY_ROOT(&exp->denied.rb_root))
		WRITE_ONCE(exp->has_denied, false);
	mutex_unlock(&exp->deny_mutex);
	return ret;
}

/* Nobody faults any more. */
void xnuma_deny_free_all(struct xnuma_export *exp)
{
	struct interval_tree_node *range;

	while ((range = first_in(exp, 0, ULONG_MAX))) {
		range_remove(exp, range);
		cond_resched();
	}
}
