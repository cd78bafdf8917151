// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "file.h"
#include "mutate.h"
#include "window.h"

/* ---- whose file ---- */

/* The child of a fork and the receiver of a passed descriptor are strangers. */
int xnuma_file_check(struct xnuma_file *f)
{
	struct mm_struct *mm = READ_ONCE(f->mm);

	return !mm || mm == current->mm || xnuma_mutated(STRANGER) ? 0 :
								     -ESTALE;
}

static bool never_called(struct mmu_interval_notifier *mni,
			 const struct mmu_notifier_range *range,
			 unsigned long seq)
{
	mmu_interval_set_seq(mni, seq);
	return true;
}

static const struct mmu_interval_notifier_ops first_ops = {
	.invalidate = never_called,
};

/*
 * The first notifier of an mm takes all its locks, those of the files it maps
 * among them, in no order that we know. A window's is taken below those of the
 * owner's files, so the first notifier has to be there before any window. What
 * it sets up lives as long as the mm; itself it may go.
 */
static int first_notifier(void)
{
	struct mmu_interval_notifier mni;
	int ret = mmu_interval_notifier_insert(&mni, current->mm, TASK_SIZE_MAX,
					       PAGE_SIZE, &first_ops);

	if (!ret)
		mmu_interval_notifier_remove(&mni);
	/* It gives up for any signal. */
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

/* Takes the caller's mmap_lock. */
int xnuma_file_bind(struct xnuma_file *f)
{
	int ret;

	if (!READ_ONCE(f->mm)) {
		ret = first_notifier();
		if (ret)
			return ret;
		mmgrab(current->mm);
		if (cmpxchg(&f->mm, NULL, current->mm))
			mmdrop(current->mm);
	}
	return xnuma_file_check(f);
}

/* ---- handles ---- */

int xnuma_file_add(struct xnuma_file *f, struct xnuma_object *obj, u32 *handle)
{
	return xa_alloc(&f->handles, handle, obj,
			XA_LIMIT(1, XPMEM_NUMA_HANDLE_MAX), GFP_KERNEL_ACCOUNT);
}

/* Whoever gets it out owns the reference that the handle held. */
struct xnuma_object *xnuma_file_remove(struct xnuma_file *f, u32 handle,
				       enum xnuma_kind kind)
{
	struct xnuma_object *obj;

	xa_lock(&f->handles);
	obj = xa_load(&f->handles, handle);
	if (obj && obj->kind == kind)
		__xa_erase(&f->handles, handle);
	else
		obj = NULL;
	xa_unlock(&f->handles);
	return obj;
}

/* Referenced; xnuma_export_put(). */
struct xnuma_export *xnuma_file_export(struct xnuma_file *f, u32 handle)
{
	struct xnuma_object *obj;
	struct xnuma_export *exp = NULL;

	xa_lock(&f->handles);
	obj = xa_load(&f->handles, handle);
	if (obj && obj->kind == XNUMA_EXPORT) {
		exp = container_of(obj, struct xnuma_export, obj);
		xnuma_export_get(exp);
	}
	xa_unlock(&f->handles);
	return exp;
}

/* With a reference to its file; fput(imp->file). */
struct xnuma_import *xnuma_file_import(struct xnuma_file *f, u32 handle)
{
	struct xnuma_object *obj;
	struct xnuma_import *imp = NULL;

	xa_lock(&f->handles);
	obj = xa_load(&f->handles, handle);
	if (obj && obj->kind == XNUMA_IMPORT) {
		imp = container_of(obj, struct xnuma_import, obj);
		get_file(imp->file);
	}
	xa_unlock(&f->handles);
	return imp;
}

/* ---- the device file ---- */

static int file_open(struct inode *inode, struct file *file)
{
	struct xnuma_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return -ENOMEM;
	f->waker = xnuma_waker_create();
	if (!f->waker) {
		kfree(f);
		return -ENOMEM;
	}
	xa_init_flags(&f->handles, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	file->private_data = f;
	return nonseekable_open(inode, file);
}

static bool owner_has_left(struct xnuma_export *exp)
{
	struct task_struct *task;
	bool left;

	if (task_tgid(current) == exp->owner)
		return true;
	rcu_read_lock();
	task = pid_task(exp->owner, PIDTYPE_TGID);
	left = !task || READ_ONCE(task->mm) != exp->mm;
	rcu_read_unlock();
	return left;
}

/*
 * An owner that dies or execs while somebody holds his mm for a moment closes
 * his files first, or a child of his does; that is his end nevertheless, and no
 * UNEXPORT.
 */
static u32 end_state(struct xnuma_export *exp)
{
	return current->mm != exp->mm && owner_has_left(exp) ?
		XPMEM_NUMA_OWNER_GONE : XPMEM_NUMA_REVOKED;
}

static int file_release(struct inode *inode, struct file *file)
{
	struct xnuma_file *f = file->private_data;
	struct xnuma_object *obj;
	struct xnuma_export *exp;
	unsigned long i;

	xa_for_each(&f->handles, i, obj) {
		if (obj->kind == XNUMA_IMPORT) {
			fput(container_of(obj, struct xnuma_import, obj)->file);
			continue;
		}
		exp = container_of(obj, struct xnuma_export, obj);
		xnuma_export_kill(exp, end_state(exp));
	}
	xa_destroy(&f->handles);
	xnuma_waker_put(f->waker);
	if (f->mm)
		mmdrop(f->mm);
	kfree(f);
	return 0;
}

static int window_at(struct xnuma_file *f, struct vm_area_struct *vma)
{
	unsigned long handle_pages = XPMEM_NUMA_HANDLE_SHIFT - PAGE_SHIFT;
	unsigned long va = (vma->vm_pgoff & ((1UL << handle_pages) - 1))
			   << PAGE_SHIFT;
	struct xnuma_import *imp;
	struct file *file;
	int ret = xnuma_file_check(f);

	if (ret)
		return ret;
	imp = xnuma_file_import(f, vma->vm_pgoff >> handle_pages);
	if (!imp)
		return -ENOENT;
	file = imp->file;
	ret = xnuma_window_mmap(imp, vma, va);
	fput(file);
	return ret;
}

static int file_mmap(struct file *file, struct vm_area_struct *vma)
{
	return xnuma_count_error(window_at(file->private_data, vma));
}

static __poll_t file_poll(struct file *file, poll_table *wait)
{
	struct xnuma_file *f = file->private_data;

	poll_wait(file, &f->waker->wait, wait);
	return atomic64_read(&f->waker->count) ? EPOLLIN | EPOLLRDNORM : 0;
}

static ssize_t file_read(struct file *file, char __user *buf, size_t len,
			 loff_t *pos)
{
	struct xnuma_file *f = file->private_data;
	struct xnuma_waker *w = f->waker;
	u64 count;
	int ret = xnuma_count_error(xnuma_file_check(f));

	if (ret)
		return ret;
	if (len < sizeof(count))
		return -EINVAL;
	while (!(count = atomic64_xchg(&w->count, 0))) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(w->wait,
					       atomic64_read(&w->count));
		if (ret)
			return ret;
	}
	if (!copy_to_user(buf, &count, sizeof(count)))
		return sizeof(count);
	atomic64_add(count, &w->count);
	return -EFAULT;
}

static void show_export(struct seq_file *m, unsigned long handle,
			struct xnuma_export *exp)
{
	seq_printf(m, "export: %lu range %lx-%lx rights %u state %u id %016llx",
		   handle, exp->start, exp->end, exp->rights,
		   xnuma_export_state(exp), exp->id);
	xnuma_stats_show(m, &exp->stats);
	xnuma_export_put(exp);
}

static void show_import(struct seq_file *m, unsigned long handle,
			struct xnuma_import *imp)
{
	struct xnuma_export *exp = imp->exp;

	seq_printf(m, "import: %lu range %lx-%lx rights %u state %u id %016llx number %llu owner %d",
		   handle, exp->start, exp->end, imp->rights,
		   xnuma_export_state(exp), exp->id, (u64)imp->inode->i_ino,
		   pid_vnr(exp->owner));
	xnuma_stats_show(m, &imp->stats);
	xnuma_import_put(imp);
}

/* The next object from handle *@i on, referenced for the caller. */
static struct xnuma_object *object_next(struct xnuma_file *f, unsigned long *i)
{
	struct xnuma_object *obj;

	xa_lock(&f->handles);
	obj = xa_find(&f->handles, i, XPMEM_NUMA_HANDLE_MAX, XA_PRESENT);
	if (obj && obj->kind == XNUMA_EXPORT)
		xnuma_export_get(container_of(obj, struct xnuma_export, obj));
	else if (obj)
		kref_get(&container_of(obj, struct xnuma_import, obj)->kref);
	xa_unlock(&f->handles);
	return obj;
}

/* A full buffer is thrown away and a larger one given: no need to go on. */
static void file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct xnuma_file *f = file->private_data;
	struct xnuma_object *obj;
	unsigned long i;

	for (i = 0; (obj = object_next(f, &i)); i++) {
		if (obj->kind == XNUMA_EXPORT)
			show_export(m, i, container_of(obj, struct xnuma_export,
						       obj));
		else
			show_import(m, i, container_of(obj, struct xnuma_import,
						       obj));
		if (seq_has_overflowed(m) || fatal_signal_pending(current))
			break;
		cond_resched();
	}
}

const struct file_operations xnuma_file_ops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.release = file_release,
	.unlocked_ioctl = xnuma_ioctl,
	.mmap = file_mmap,
	.get_unmapped_area = thp_get_unmapped_area,
	.poll = file_poll,
	.read = file_read,
	.show_fdinfo = file_show_fdinfo,
};
