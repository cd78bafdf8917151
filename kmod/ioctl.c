// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "fabric.h"
#include "file.h"
#include "window.h"

/*
 * Every call gets a kernel copy of its argument and leaves the answer there.
 * What a call has made is taken back when the answer cannot be delivered: see
 * .undo.
 */
union argument {
	struct xpmem_numa_query query;
	struct xpmem_numa_export export;
	struct xpmem_numa_import import;
	struct xpmem_numa_handle handle;
	struct xpmem_numa_range range;
	struct xpmem_numa_prefault prefault;
	struct xpmem_numa_stats stats;
};

static long do_query(struct xnuma_file *f, union argument *arg)
{
	struct xpmem_numa_query *q = &arg->query;

	if (q->flags || q->pad || q->reserved)
		return -EINVAL;
	q->abi = XPMEM_NUMA_ABI;
	q->features = XPMEM_NUMA_FEATURE_POISON | XPMEM_NUMA_FEATURE_DENY |
		      XPMEM_NUMA_FEATURE_PMD;
	memcpy(q->fabric, xnuma_fabric.id, sizeof(q->fabric));
	q->partition = xnuma_fabric.partition;
	q->incarnation = xnuma_fabric.incarnation;
	q->max_exports = xnuma_limits[XNUMA_LIMIT_EXPORTS];
	q->max_imports = xnuma_limits[XNUMA_LIMIT_IMPORTS];
	q->max_windows = xnuma_limits[XNUMA_LIMIT_WINDOWS];
	q->max_granules = xnuma_limits[XNUMA_LIMIT_GRANULES];
	q->max_denials = xnuma_limits[XNUMA_LIMIT_DENIALS];
	return 0;
}

static long do_export(struct xnuma_file *f, union argument *arg)
{
	struct xpmem_numa_export *e = &arg->export;
	struct xnuma_export *exp;
	int ret;

	if (e->flags || e->pad)
		return -EINVAL;
	ret = xnuma_file_bind(f);
	if (ret)
		return ret;
	exp = xnuma_export_create(e, f->waker);
	if (IS_ERR(exp))
		return PTR_ERR(exp);
	xnuma_export_publish(exp);
	e->id = exp->id;
	ret = xnuma_file_add(f, &exp->obj, &e->handle);
	if (ret < 0)
		xnuma_export_kill(exp, XPMEM_NUMA_REVOKED);
	return ret == -EBUSY ? -EMFILE : ret;
}

static long do_unexport(struct xnuma_file *f, union argument *arg)
{
	struct xnuma_object *obj;

	if (arg->handle.flags)
		return -EINVAL;
	obj = xnuma_file_remove(f, arg->handle.handle, XNUMA_EXPORT);
	if (!obj)
		return -ENOENT;
	xnuma_export_kill(container_of(obj, struct xnuma_export, obj),
			  XPMEM_NUMA_REVOKED);
	return 0;
}

static long do_import(struct xnuma_file *f, union argument *arg)
{
	struct xpmem_numa_import *i = &arg->import;
	struct xnuma_import *imp;
	struct file *file;
	int ret;

	if (i->pad || i->flags & ~XPMEM_NUMA_IMPORT_POISON ||
	    !(i->rights & XPMEM_NUMA_READ) ||
	    i->rights & ~(XPMEM_NUMA_READ | XPMEM_NUMA_WRITE))
		return -EINVAL;
	if (i->partition != xnuma_fabric.partition)
		return -EHOSTUNREACH;
	ret = xnuma_file_bind(f);
	if (ret)
		return ret;
	file = xnuma_import_create(i, f->waker);
	if (IS_ERR(file))
		return PTR_ERR(file);
	imp = file->private_data;
	ret = xnuma_file_add(f, &imp->obj, &i->handle);
	if (ret < 0)
		fput(file);
	return ret == -EBUSY ? -EMFILE : ret;
}

static long do_unimport(struct xnuma_file *f, union argument *arg)
{
	struct xnuma_object *obj;

	if (arg->handle.flags)
		return -EINVAL;
	obj = xnuma_file_remove(f, arg->handle.handle, XNUMA_IMPORT);
	if (!obj)
		return -ENOENT;
	fput(container_of(obj, struct xnuma_import, obj)->file);
	return 0;
}

/* (0, 0) is the whole of [start, end); anything else lies within. */
static int get_range(u64 va, u64 len, unsigned long start, unsigned long end,
		     unsigned long *low, unsigned long *high)
{
	*low = start;
	*high = end;
	if (!va && !len)
		return 0;
	if (!len || !PAGE_ALIGNED(va) || !PAGE_ALIGNED(len) || va < start ||
	    va >= end || len > end - va)
		return -EINVAL;
	*low = va;
	*high = va + len;
	return 0;
}

static long deny_or_allow(struct xnuma_file *f, struct xpmem_numa_range *r,
			  int (*call)(struct xnuma_export *exp,
				      unsigned long start, unsigned long end))
{
	struct xnuma_export *exp;
	unsigned long start, end;
	int ret;

	if (r->flags)
		return -EINVAL;
	exp = xnuma_file_export(f, r->handle);
	if (!exp)
		return -ENOENT;
	ret = get_range(r->va, r->len, exp->start, exp->end, &start, &end);
	if (!ret)
		ret = call(exp, start, end);
	xnuma_export_put(exp);
	return ret;
}

static long do_deny(struct xnuma_file *f, union argument *arg)
{
	return deny_or_allow(f, &arg->range, xnuma_deny);
}

static long do_allow(struct xnuma_file *f, union argument *arg)
{
	return deny_or_allow(f, &arg->range, xnuma_allow);
}

static long do_wake(struct xnuma_file *f, union argument *arg)
{
	struct xnuma_import *imp;
	long ret = 0;

	if (arg->handle.flags)
		return -EINVAL;
	imp = xnuma_file_import(f, arg->handle.handle);
	if (!imp)
		return -ENOENT;
	if (xnuma_export_state(imp->exp) == XPMEM_NUMA_ACTIVE)
		xnuma_wake(imp->exp->waker);
	else
		ret = -EPIPE;
	xnuma_count_in(&imp->stats, wakes);
	fput(imp->file);
	return ret;
}

static long do_prefault(struct xnuma_file *f, union argument *arg)
{
	struct xpmem_numa_prefault *p = &arg->prefault;
	struct xnuma_import *imp;
	unsigned long start, end;
	long ret;

	if (p->pad || p->flags & ~XPMEM_NUMA_PREFAULT_ALLOC || !p->len ||
	    !(p->rights & XPMEM_NUMA_READ) ||
	    p->rights & ~(XPMEM_NUMA_READ | XPMEM_NUMA_WRITE))
		return -EINVAL;
	imp = xnuma_file_import(f, p->handle);
	if (!imp)
		return -ENOENT;
	ret = get_range(p->va, p->len, imp->exp->start, imp->exp->end,
			&start, &end);
	if (!ret && p->rights & ~imp->rights)
		ret = -EACCES;
	if (!ret)
		ret = xnuma_prefault(imp, p);
	fput(imp->file);
	return ret;
}

static long do_reset(struct xnuma_file *f, union argument *arg)
{
	struct xpmem_numa_range *r = &arg->range;
	struct xnuma_import *imp;
	unsigned long start, end;
	long ret;

	if (r->flags)
		return -EINVAL;
	imp = xnuma_file_import(f, r->handle);
	if (!imp)
		return -ENOENT;
	ret = get_range(r->va, r->len, imp->exp->start, imp->exp->end,
			&start, &end);
	if (!ret)
		ret = xnuma_reset(imp, start, r->len);
	fput(imp->file);
	return ret;
}

static long do_stats(struct xnuma_file *f, union argument *arg)
{
	struct xpmem_numa_stats *s = &arg->stats;
	struct xnuma_export *exp;
	struct xnuma_import *imp;

	if (s->flags)
		return -EINVAL;
	if (!s->handle) {
		xnuma_stats_total(s);
		return 0;
	}
	exp = xnuma_file_export(f, s->handle);
	if (exp) {
		xnuma_stats_read(&exp->stats, s);
		xnuma_export_put(exp);
		return 0;
	}
	imp = xnuma_file_import(f, s->handle);
	if (!imp)
		return -ENOENT;
	xnuma_stats_read(&imp->stats, s);
	fput(imp->file);
	return 0;
}

/* ---- calls ---- */

/* The answer did not reach the caller: he must not own what he cannot name. */
static void undo_export(struct xnuma_file *f, union argument *arg)
{
	struct xpmem_numa_handle h = { .handle = arg->export.handle };

	do_unexport(f, (union argument *)&h);
}

static void undo_import(struct xnuma_file *f, union argument *arg)
{
	struct xpmem_numa_handle h = { .handle = arg->import.handle };

	do_unimport(f, (union argument *)&h);
}

static const struct call {
	unsigned int cmd;
	long (*func)(struct xnuma_file *f, union argument *arg);
	void (*undo)(struct xnuma_file *f, union argument *arg);
} calls[] = {
	{ XPMEM_NUMA_QUERY,	 do_query },
	{ XPMEM_NUMA_EXPORT,	 do_export, undo_export },
	{ XPMEM_NUMA_UNEXPORT,	 do_unexport },
	{ XPMEM_NUMA_IMPORT,	 do_import, undo_import },
	{ XPMEM_NUMA_UNIMPORT,	 do_unimport },
	{ XPMEM_NUMA_DENY,	 do_deny },
	{ XPMEM_NUMA_ALLOW,	 do_allow },
	{ XPMEM_NUMA_WAKE,	 do_wake },
	{ XPMEM_NUMA_PREFAULT,	 do_prefault },
	{ XPMEM_NUMA_RESET,	 do_reset },
	{ XPMEM_NUMA_STATS_READ, do_stats },
};

static long call(struct xnuma_file *f, unsigned int cmd, unsigned long ptr)
{
	void __user *user = (void __user *)ptr;
	size_t size = _IOC_SIZE(cmd);
	const struct call *c;
	union argument arg = {};
	long ret;

	if (_IOC_NR(cmd) >= ARRAY_SIZE(calls))
		return -ENOTTY;
	c = &calls[_IOC_NR(cmd)];
	if (c->cmd != cmd)
		return -ENOTTY;
	ret = xnuma_file_check(f);
	if (ret)
		return ret;
	if (copy_from_user(&arg, user, size))
		return -EFAULT;
	ret = c->func(f, &arg);
	if (ret || !(_IOC_DIR(cmd) & _IOC_READ))
		return ret;
	if (!copy_to_user(user, &arg, size))
		return 0;
	if (c->undo)
		c->undo(f, &arg);
	return -EFAULT;
}

long xnuma_ioctl(struct file *file, unsigned int cmd, unsigned long ptr)
{
	return xnuma_count_error(call(file->private_data, cmd, ptr));
}
