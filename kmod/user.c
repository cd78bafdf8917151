// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include "mutate.h"
#include "stats.h"
#include "user.h"

/* Faults of one user that may wait for his owners' memory at a time, per node. */
#define USER_WORKERS 16

unsigned int xnuma_limits[XNUMA_LIMITS] = {
	[XNUMA_LIMIT_EXPORTS] = 1 << 16,
	[XNUMA_LIMIT_IMPORTS] = 1 << 20,
	[XNUMA_LIMIT_WINDOWS] = 1 << 20,
	[XNUMA_LIMIT_GRANULES] = 1 << 22,
	[XNUMA_LIMIT_DENIALS] = 1 << 18,
};

/* What is used is counted in an atomic_t. */
static int limit_set(const char *text, const struct kernel_param *param)
{
	return param_set_uint_minmax(text, param, 0, INT_MAX);
}

static const struct kernel_param_ops limit_ops = {
	.set = limit_set,
	.get = param_get_uint,
};

module_param_cb(max_exports, &limit_ops, &xnuma_limits[XNUMA_LIMIT_EXPORTS], 0644);
MODULE_PARM_DESC(max_exports, "exports that one user may have");
module_param_cb(max_imports, &limit_ops, &xnuma_limits[XNUMA_LIMIT_IMPORTS], 0644);
MODULE_PARM_DESC(max_imports, "imports that one user may have");
module_param_cb(max_windows, &limit_ops, &xnuma_limits[XNUMA_LIMIT_WINDOWS], 0644);
MODULE_PARM_DESC(max_windows, "windows that one user may have mapped");
module_param_cb(max_granules, &limit_ops, &xnuma_limits[XNUMA_LIMIT_GRANULES], 0644);
MODULE_PARM_DESC(max_granules, "2 MiB granules of one user that others may touch");
module_param_cb(max_denials, &limit_ops, &xnuma_limits[XNUMA_LIMIT_DENIALS], 0644);
MODULE_PARM_DESC(max_denials, "ranges that one user may have denied");

static DEFINE_MUTEX(users_lock);	/* protects users */
static DEFINE_HASHTABLE(users, 6);

static struct xnuma_user *user_find(kuid_t uid)
{
	struct xnuma_user *user;

	hash_for_each_possible(users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

static struct xnuma_user *user_create(kuid_t uid)
{
	struct xnuma_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	if (!user)
		return NULL;
	user->wq = alloc_workqueue("xpmem_numa/%u", WQ_UNBOUND, USER_WORKERS,
				   __kuid_val(uid));
	if (!user->wq) {
		kfree(user);
		return NULL;
	}
	refcount_set(&user->refs, 1);
	user->uid = uid;
	hash_add(users, &user->node, __kuid_val(uid));
	return user;
}

/*
 * Who answers for the caller. In a user namespace that somebody other than root
 * has made it is its maker, or he would have the limits of all its users.
 */
static kuid_t accountable(void)
{
	struct user_namespace *ns = current_user_ns();
	kuid_t uid = current_euid();

	for (; ns != &init_user_ns; ns = ns->parent)
		if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
			uid = ns->owner;
	return uid;
}

/* The caller's account, or NULL without memory. */
struct xnuma_user *xnuma_user_get(void)
{
	kuid_t uid = accountable();
	struct xnuma_user *user;

	mutex_lock(&users_lock);
	user = user_find(uid);
	if (user)
		refcount_inc(&user->refs);
	else
		user = user_create(uid);
	mutex_unlock(&users_lock);
	return user;
}

void xnuma_user_put(struct xnuma_user *user)
{
	if (!refcount_dec_and_mutex_lock(&user->refs, &users_lock))
		return;
	hash_del(&user->node);
	mutex_unlock(&users_lock);
	destroy_workqueue(user->wq);
	kfree(user);
}

bool xnuma_charge(struct xnuma_user *user, enum xnuma_limit limit)
{
	if (atomic_inc_return(&user->used[limit]) <=
	    READ_ONCE(xnuma_limits[limit]) || xnuma_mutated(LIMIT))
		return true;
	atomic_dec(&user->used[limit]);
	xnuma_count(edquot);
	return false;
}

void xnuma_uncharge(struct xnuma_user *user, enum xnuma_limit limit)
{
	atomic_dec(&user->used[limit]);
}
