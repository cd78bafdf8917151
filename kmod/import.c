// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include "import.h"
#include "mutate.h"
#include "trace.h"
#include "work.h"
#include "zap.h"

#define IMPORT_MAGIC	0x584e554d	/* "XNUM" */
#define SLOT_MAX	U16_MAX

/* ---- revocation ---- */

/*
 * Take [start, end) of the owner's addresses out of all windows of an import.
 * unmap_mapping_range() zaps another mm inside a notifier, where lockdep knows
 * one static map for all mms and reports recursion; depth is bounded to two by
 * the nesting mark.
 */
void xnuma_import_zap(struct xnuma_import *imp, unsigned long start,
		      unsigned long end)
{
	struct xnuma_zap zap;

	xnuma_count_in(&imp->stats, zaps);
	xnuma_zap_begin(&zap);
	lockdep_off();
	unmap_mapping_range(imp->inode->i_mapping, start, end - start, 1);
	lockdep_on();
	xnuma_zap_end(&zap);
}

/* NULL when the slot is free or its import has lost its last reference. */
struct xnuma_import *xnuma_import_by_slot(struct xnuma_export *exp, u16 slot)
{
	struct xnuma_import *imp;

	rcu_read_lock();
	imp = xa_load(&exp->imports, slot);
	if (imp && !kref_get_unless_zero(&imp->kref))
		imp = NULL;
	rcu_read_unlock();
	return imp;
}

static struct xnuma_import *import_next(struct xnuma_export *exp,
					unsigned long *slot)
{
	struct xnuma_import *imp;

	rcu_read_lock();
	imp = xa_find(&exp->imports, slot, SLOT_MAX, XA_PRESENT);
	while (imp && !kref_get_unless_zero(&imp->kref))
		imp = xa_find_after(&exp->imports, slot, SLOT_MAX, XA_PRESENT);
	rcu_read_unlock();
	return imp;
}

/*
 * Those that never mapped an owner's page have none to lose. Insertions are
 * over, by a lock that the caller took since, or kept from happening.
 */
void xnuma_import_zap_all(struct xnuma_export *exp, unsigned long start,
			  unsigned long end)
{
	struct xnuma_import *imp;
	unsigned long slot;

	for (slot = 0; (imp = import_next(exp, &slot)); slot++) {
		if (READ_ONCE(imp->mapped) || xnuma_mutated(NAMES))
			xnuma_import_zap(imp, start, end);
		xnuma_import_put(imp);
	}
}

/* The export has ended: say so in each status page, wake who sleeps. */
void xnuma_import_tell_all(struct xnuma_export *exp, u32 state)
{
	struct xnuma_import *imp;
	unsigned long slot;

	for (slot = 0; (imp = import_next(exp, &slot)); slot++) {
		/* one that failed meanwhile knows already; user space acquires */
		cmpxchg(&xnuma_import_status(imp)->state, XPMEM_NUMA_ACTIVE,
			state);
		xnuma_wake(imp->waker);
		xnuma_import_put(imp);
	}
}

/* ---- life ---- */

static void import_free(struct work_struct *work)
{
	struct xnuma_import *imp = container_of(work, struct xnuma_import, free);

	iput(imp->inode);
	put_page(imp->status);
	if (imp->scratch)
		put_page(imp->scratch);
	kfree(imp->pfns);
	xnuma_sub(imports, 1);
	xnuma_sub(metadata, atomic64_read(&imp->stats.n[XNUMA_STAT_metadata]));
	xnuma_waker_put(imp->waker);
	xnuma_uncharge(imp->user, XNUMA_LIMIT_IMPORTS);
	xnuma_user_put(imp->user);
	xnuma_export_put(imp->exp);
	kfree_rcu(imp, rcu);
}

static void import_release(struct kref *kref)
{
	struct xnuma_import *imp = container_of(kref, struct xnuma_import, kref);

	if (imp->slot >= 0)
		xa_erase(&imp->exp->imports, imp->slot);
	queue_work(xnuma_free_wq, &imp->free);
}

void xnuma_import_put(struct xnuma_import *imp)
{
	kref_put(&imp->kref, import_release);
}

static int import_file_release(struct inode *inode, struct file *file)
{
	struct xnuma_import *imp = file->private_data;

	if (imp->slot >= 0)
		trace_unimport(imp);
	xnuma_import_put(imp);
	return 0;
}

static const struct file_operations import_fops = {
	.owner = THIS_MODULE,
	.release = import_file_release,
	.llseek = noop_llseek,
};

/* ---- the tiny file system that the inodes live in ---- */

static char *import_dname(struct dentry *dentry, char *buffer, int buflen)
{
	char name[40];
	int len = scnprintf(name, sizeof(name), "xpmem_numa:[%llu]",
			    (u64)d_inode(dentry)->i_ino) + 1;

	if (len > buflen)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + buflen - len, name, len);
}

static const struct dentry_operations import_dops = {
	.d_dname = import_dname,
};

static int import_fs_init(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, IMPORT_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->dops = &import_dops;
	return 0;
}

/* No .owner: the internal mount would pin the module for ever. */
static struct file_system_type import_fs = {
	.name = "xpmem_numa",
	.init_fs_context = import_fs_init,
	.kill_sb = kill_anon_super,
};

static struct vfsmount *import_mnt;

int xnuma_import_init(void)
{
	import_mnt = kern_mount(&import_fs);
	return PTR_ERR_OR_ZERO(import_mnt);
}

void xnuma_import_exit(void)
{
	kern_unmount(import_mnt);
}

static struct file *import_file(struct xnuma_import *imp)
{
	/* It nests inside the i_mmap_rwsem of the owner's files. */
	static struct lock_class_key i_mmap_key;
	struct inode *inode = alloc_anon_inode(import_mnt->mnt_sb);
	struct file *file;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	lockdep_set_class(&inode->i_mapping->i_mmap_rwsem, &i_mmap_key);
	compat_allow_huge_fault(inode);
	ihold(inode);	/* for callbacks that outlive the file */
	/* __fput() drops one that alloc_file_pseudo() does not take. */
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, import_mnt, "xpmem_numa", O_RDWR,
				 &import_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(inode);
		iput(inode);
		return file;
	}
	file->private_data = imp;
	imp->inode = inode;
	return file;
}

static int import_pages(struct xnuma_import *imp)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO;

	imp->status = alloc_page(gfp);
	if (!imp->status)
		return -ENOMEM;
	if (imp->flags & XPMEM_NUMA_IMPORT_POISON) {
		imp->scratch = alloc_page(gfp);
		if (!imp->scratch) {
			__free_page(imp->status);
			return -ENOMEM;
		}
	}
	return 0;
}

static void import_init(struct xnuma_import *imp,
			const struct xpmem_numa_import *arg)
{
	imp->obj.kind = XNUMA_IMPORT;
	imp->slot = -1;
	kref_init(&imp->kref);
	INIT_WORK(&imp->free, import_free);
	spin_lock_init(&imp->lock);
	mutex_init(&imp->poison_lock);
	INIT_LIST_HEAD(&imp->prefaults);
	imp->rights = arg->rights;
	imp->flags = arg->flags;
}

/* Visible in exp->imports: the end of the export is told from here on. */
static int import_hook(struct xnuma_import *imp)
{
	struct xnuma_export *exp = imp->exp;
	u32 state, slot;
	int ret;

	ret = xa_alloc(&exp->imports, &slot, imp, XA_LIMIT(0, SLOT_MAX),
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? -ENOSPC : ret;
	imp->slot = slot;
	smp_mb();	/* either the end sees the slot, or the slot the end */
	state = xnuma_export_state(exp);
	if (state != XPMEM_NUMA_ACTIVE)	/* user space acquires */
		smp_store_release(&xnuma_import_status(imp)->state, state);
	return 0;
}

static struct xnuma_import *import_alloc(const struct xpmem_numa_import *arg)
{
	struct xnuma_import *imp = kzalloc(sizeof(*imp), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!imp)
		return ERR_PTR(ret);
	import_init(imp, arg);
	imp->user = xnuma_user_get();
	if (!imp->user)
		goto free_imp;
	ret = -EDQUOT;
	if (!xnuma_charge(imp->user, XNUMA_LIMIT_IMPORTS))
		goto put_user;
	ret = import_pages(imp);
	if (ret)
		goto uncharge;
	return imp;

uncharge:
	xnuma_uncharge(imp->user, XNUMA_LIMIT_IMPORTS);
put_user:
	xnuma_user_put(imp->user);
free_imp:
	kfree(imp);
	return ERR_PTR(ret);
}

/*
 * The file of a new import; its private_data is the import. @arg has been
 * checked for form, the rights are checked here.
 */
struct file *xnuma_import_create(struct xpmem_numa_import *arg,
				 struct xnuma_waker *waker)
{
	struct xnuma_export *exp = xnuma_export_find(arg->id);
	struct xnuma_import *imp;
	struct file *file;
	int ret;

	if (!exp)
		return ERR_PTR(-ENOENT);
	ret = xnuma_export_permits(exp, arg);
	if (ret)
		goto put_exp;
	imp = import_alloc(arg);
	ret = PTR_ERR_OR_ZERO(imp);
	if (ret)
		goto put_exp;

	/* From here import_free() undoes everything. */
	imp->exp = exp;
	imp->waker = xnuma_waker_get(waker);
	xnuma_add(imports, 1);
	xnuma_add_in(&imp->stats, metadata, sizeof(*imp) +
		     (imp->scratch ? 2 : 1) * PAGE_SIZE);
	file = import_file(imp);
	if (IS_ERR(file)) {
		xnuma_import_put(imp);
		return file;
	}
	/* Only now: whoever finds it in a slot zaps its inode. */
	ret = import_hook(imp);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	imp->file = file;
	trace_import(imp);
	arg->addr = exp->start;
	arg->len = exp->end - exp->start;
	return file;

put_exp:
	xnuma_export_put(exp);
	return ERR_PTR(ret);
}
