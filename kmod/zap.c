// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hash.h>
#include <linux/spinlock.h>
#include "zap.h"

#define ZAP_BITS 6

static struct {
	spinlock_t lock;	/* protects head */
	struct hlist_head head;
} zap_table[1 << ZAP_BITS] = {
	[0 ... (1 << ZAP_BITS) - 1] = {
		.lock = __SPIN_LOCK_UNLOCKED(zap_table.lock),
	},
};

void xnuma_zap_begin(struct xnuma_zap *zap)
{
	int i = hash_ptr(current, ZAP_BITS);

	zap->task = current;
	spin_lock(&zap_table[i].lock);
	hlist_add_head(&zap->node, &zap_table[i].head);
	spin_unlock(&zap_table[i].lock);
}

void xnuma_zap_end(struct xnuma_zap *zap)
{
	int i = hash_ptr(current, ZAP_BITS);

	spin_lock(&zap_table[i].lock);
	hlist_del(&zap->node);
	spin_unlock(&zap_table[i].lock);
}

bool xnuma_zap_nested(void)
{
	int i = hash_ptr(current, ZAP_BITS);
	struct xnuma_zap *zap;
	bool nested = false;

	/* Only this task adds its own entry, so a racy emptiness is its truth. */
	if (hlist_empty(&zap_table[i].head))
		return false;
	spin_lock(&zap_table[i].lock);
	hlist_for_each_entry(zap, &zap_table[i].head, node)
		if (zap->task == current)
			nested = true;
	spin_unlock(&zap_table[i].lock);
	return nested;
}
