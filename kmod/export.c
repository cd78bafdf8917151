// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/user_namespace.h>
#include "export.h"
#include "granule.h"
#include "import.h"
#include "mutate.h"
#include "trace.h"
#include "work.h"

static DEFINE_SPINLOCK(ids_lock);	/* protects ids; looked up under RCU */
static DEFINE_HASHTABLE(ids, 12);

static struct xpmem_numa_export_status *status_of(struct xnuma_export *exp)
{
	return page_address(exp->status);
}

/* ---- the end ---- */

void xnuma_export_revoked(struct xnuma_export *exp)
{
	u64 *n = &status_of(exp)->revocations;

	/* Callbacks of different granules meet here. */
	atomic64_inc((atomic64_t *)n);
}

void xnuma_export_zap_all(struct xnuma_export *exp)
{
	xnuma_import_zap_all(exp, 0, XPMEM_NUMA_VA_LIMIT);
	xnuma_export_revoked(exp);
}

/* True for the one caller that ends it. */
static bool leave_active(struct xnuma_export *exp, u32 state)
{
	if (cmpxchg(&exp->state, XPMEM_NUMA_ACTIVE, state) != XPMEM_NUMA_ACTIVE)
		return false;
	/* user space acquires */
	smp_store_release(&status_of(exp)->state, state);
	if (state == XPMEM_NUMA_OWNER_GONE)
		xnuma_count(orphaned);
	trace_unexport(exp, state);
	xnuma_import_tell_all(exp, state);
	return true;
}

/*
 * The mm ends: exit, exec, kill. Nobody inserts meanwhile or after, since every
 * insertion holds the mm by mmget(). Zap even if somebody else ended the export:
 * he may not have come to it yet, and the pages go when this returns.
 */
static bool life_invalidate(struct mmu_interval_notifier *mni,
			    const struct mmu_notifier_range *range,
			    unsigned long seq)
{
	struct xnuma_export *exp = container_of(mni, struct xnuma_export, life);

	mmu_interval_set_seq(mni, seq);
	if (range->event == MMU_NOTIFY_RELEASE) {
		leave_active(exp, XPMEM_NUMA_OWNER_GONE);
		xnuma_export_zap_all(exp);
	}
	return true;
}

static const struct mmu_interval_notifier_ops life_ops = {
	.invalidate = life_invalidate,
};

/* UNEXPORT, or the file is closed. On return nobody reaches the memory. */
void xnuma_export_kill(struct xnuma_export *exp, u32 state)
{
	bool ended;

	/* Behind this lock no granule is made any more. */
	mutex_lock(&exp->granule_lock);
	ended = leave_active(exp, state);
	mutex_unlock(&exp->granule_lock);

	spin_lock(&ids_lock);
	hash_del_rcu(&exp->node_id);
	spin_unlock(&ids_lock);

	if (ended) {
		xnuma_granule_settle_all(exp);
		xnuma_export_zap_all(exp);
	}
	xnuma_granule_unhook_all(exp);
	if (exp->has_life)
		mmu_interval_notifier_remove(&exp->life);
	exp->has_life = false;
	xnuma_export_put(exp);
}

static void export_free(struct work_struct *work)
{
	struct xnuma_export *exp = container_of(work, struct xnuma_export, free);

	xnuma_granule_free_all(exp);
	xa_destroy(&exp->imports);
	xnuma_deny_free_all(exp);
	xnuma_sub(metadata, atomic64_read(&exp->stats.n[XNUMA_STAT_metadata]));
	xnuma_sub(exports, 1);
	put_page(exp->status);
	put_pid(exp->owner);
	put_user_ns(exp->user_ns);
	mmdrop(exp->mm);
	xnuma_waker_put(exp->waker);
	xnuma_uncharge(exp->user, XNUMA_LIMIT_EXPORTS);
	xnuma_user_put(exp->user);
	kfree_rcu(exp, rcu);
}

static void export_release(struct kref *kref)
{
	struct xnuma_export *exp = container_of(kref, struct xnuma_export, kref);

	/* The last reference may go under locks, or in a worker of the user. */
	queue_work(xnuma_free_wq, &exp->free);
}

void xnuma_export_put(struct xnuma_export *exp)
{
	kref_put(&exp->kref, export_release);
}

/* ---- the beginning ---- */

static int export_limits(struct xnuma_export *exp,
			 const struct xpmem_numa_export *arg)
{
	if (!arg->addr && !arg->len) {
		exp->start = 0;
		exp->end = XPMEM_NUMA_VA_LIMIT;
		return 0;
	}
	if (!arg->len || !PAGE_ALIGNED(arg->addr) || !PAGE_ALIGNED(arg->len) ||
	    arg->addr >= XPMEM_NUMA_VA_LIMIT ||
	    arg->len > XPMEM_NUMA_VA_LIMIT - arg->addr)
		return -EINVAL;
	exp->start = arg->addr;
	exp->end = arg->addr + arg->len;
	return 0;
}

static int export_rights(struct xnuma_export *exp,
			 const struct xpmem_numa_export *arg)
{
	if (arg->mode & ~0666U || !(arg->rights & XPMEM_NUMA_READ) ||
	    arg->rights & ~(XPMEM_NUMA_READ | XPMEM_NUMA_WRITE))
		return -EINVAL;
	exp->gid = arg->gid == (__u32)-1 ? current_egid() :
		make_kgid(current_user_ns(), arg->gid);
	if (!gid_valid(exp->gid))
		return -EINVAL;
	exp->rights = arg->rights;
	exp->mode = arg->mode ?: 0600;
	exp->uid = current_euid();
	memcpy(exp->key, arg->key, sizeof(exp->key));
	return 0;
}

static void export_init(struct xnuma_export *exp, struct xnuma_waker *waker)
{
	exp->obj.kind = XNUMA_EXPORT;
	kref_init(&exp->kref);
	INIT_WORK(&exp->free, export_free);
	xa_init_flags(&exp->granules, XA_FLAGS_ACCOUNT);
	xa_init_flags(&exp->imports, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	mutex_init(&exp->deny_mutex);
	spin_lock_init(&exp->denied_lock);
	exp->denied = RB_ROOT_CACHED;
	mutex_init(&exp->granule_lock);
	mutex_init(&exp->batch_lock);
	INIT_HLIST_NODE(&exp->node_id);
	exp->mm = current->mm;
	mmgrab(exp->mm);
	exp->owner = get_task_pid(current, PIDTYPE_TGID);
	exp->node = numa_node_id();
	exp->user_ns = get_user_ns(current_user_ns());
	exp->waker = xnuma_waker_get(waker);
	xnuma_add(exports, 1);
	xnuma_add_in(&exp->stats, metadata, sizeof(*exp) + PAGE_SIZE);
}

/* An export nobody can find yet. The caller's mm has had its first notifier. */
struct xnuma_export *xnuma_export_create(struct xpmem_numa_export *arg,
					 struct xnuma_waker *waker)
{
	struct xnuma_export *exp = kzalloc(sizeof(*exp), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!exp)
		return ERR_PTR(ret);
	ret = export_limits(exp, arg) ?: export_rights(exp, arg);
	if (ret)
		goto free_exp;
	ret = -ENOMEM;
	exp->user = xnuma_user_get();
	if (!exp->user)
		goto free_exp;
	exp->status = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!exp->status)
		goto put_user;
	ret = -EDQUOT;
	if (!xnuma_charge(exp->user, XNUMA_LIMIT_EXPORTS))
		goto free_status;

	export_init(exp, waker);
	ret = mmu_interval_notifier_insert(&exp->life, exp->mm, TASK_SIZE_MAX,
					   PAGE_SIZE, &life_ops);
	if (ret) {
		xnuma_export_put(exp);
		return ERR_PTR(ret);
	}
	exp->has_life = true;
	return exp;

free_status:
	__free_page(exp->status);
put_user:
	xnuma_user_put(exp->user);
free_exp:
	kfree(exp);
	return ERR_PTR(ret);
}

static struct xnuma_export *id_find(u64 id)
{
	struct xnuma_export *exp;

	hash_for_each_possible_rcu(ids, exp, node_id, id)
		if (exp->id == id)
			return exp;
	return NULL;
}

/*
 * Give it the random name by which it is found from now on: positive also to
 * those who keep it in a signed number.
 */
void xnuma_export_publish(struct xnuma_export *exp)
{
	spin_lock(&ids_lock);
	rcu_read_lock();
	do {
		exp->id = get_random_u64() >> 1;
	} while (!exp->id || id_find(exp->id));
	rcu_read_unlock();
	trace_export(exp);	/* before anybody can import it */
	hash_add_rcu(ids, &exp->node_id, exp->id);
	spin_unlock(&ids_lock);
}

struct xnuma_export *xnuma_export_find(u64 id)
{
	struct xnuma_export *exp;

	rcu_read_lock();
	exp = id_find(id);
	if (exp && (xnuma_export_state(exp) != XPMEM_NUMA_ACTIVE ||
		    !kref_get_unless_zero(&exp->kref)))
		exp = NULL;
	rcu_read_unlock();
	return exp;
}

/* ---- who may ---- */

static bool key_equal(const u8 *a, const u8 *b)
{
	u8 diff = 0;
	int i;

	for (i = 0; i < XPMEM_NUMA_KEY_LEN; i++)
		diff |= READ_ONCE(a[i]) ^ READ_ONCE(b[i]);
	return !diff;
}

/* Current credentials, in kernel ids, against the bits that concern them. */
static bool mode_permits(struct xnuma_export *exp, u32 rights)
{
	umode_t mode = exp->mode;
	umode_t want = rights & XPMEM_NUMA_WRITE ? 6 : 4;

	if (uid_eq(current_euid(), exp->uid))
		mode >>= 6;
	else if (in_egroup_p(exp->gid))
		mode >>= 3;
	return (mode & want) == want ||
	       ns_capable(exp->user_ns, CAP_SYS_PTRACE);
}

int xnuma_export_permits(struct xnuma_export *exp,
			 const struct xpmem_numa_import *arg)
{
	if (xnuma_mutated(RIGHTS))
		return 0;
	if (arg->rights & ~exp->rights || !key_equal(exp->key, arg->key) ||
	    !mode_permits(exp, arg->rights))
		return -EACCES;
	return 0;
}

/* I9: where a page goes that an importer is the first to touch. */
int xnuma_export_node(struct xnuma_export *exp)
{
	struct task_struct *task;
	int node = exp->node;

	rcu_read_lock();
	task = pid_task(exp->owner, PIDTYPE_TGID);
	if (task)
		node = cpu_to_node(task_cpu(task));
	rcu_read_unlock();
	return node;
}
