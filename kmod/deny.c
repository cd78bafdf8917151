// SPDX-License-Identifier: GPL-2.0-only
/* DENY and ALLOW: ranges that the owner has taken back for a while. */
#include <linux/maple_tree.h>
#include "granule.h"
#include "mutate.h"
#include "window.h"

/* Under a granule's lock, so that DENY has either zapped or been seen. */
bool xnuma_is_denied(struct xnuma_export *exp, unsigned long start,
		     unsigned long end)
{
	unsigned long index = start;
	bool denied;

	if (!READ_ONCE(exp->has_denied) || xnuma_mutated(DENY))
		return false;
	/* Without the lock, 6.1 follows nodes that a writer has just freed. */
	mtree_lock(&exp->denied);
	denied = mt_find(&exp->denied, &index, end - 1);
	mtree_unlock(&exp->denied);
	return denied;
}

int xnuma_deny(struct xnuma_export *exp, unsigned long start, unsigned long end)
{
	int ret = mtree_store_range(&exp->denied, start, end - 1,
				    xa_mk_value(1), GFP_KERNEL_ACCOUNT);

	if (ret)
		return ret;
	WRITE_ONCE(exp->has_denied, true);
	smp_mb();	/* a granule that the scan misses sees what is denied */
	xnuma_granule_zap_range(exp, start, end);
	return 0;
}

int xnuma_allow(struct xnuma_export *exp, unsigned long start, unsigned long end)
{
	if (!READ_ONCE(exp->has_denied))
		return 0;
	return mtree_store_range(&exp->denied, start, end - 1, NULL,
				 GFP_KERNEL_ACCOUNT);
}
