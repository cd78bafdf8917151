/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xpmem.c - the calls of XPMEM
 */
#include <errno.h>
#include <pthread.h>

#include "xpmem_objects.h"

#define PUBLIC __attribute__((visibility("default")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- one process ---- */

static void forget_parent(void)
{
	device_close();
	segments_forget();
	permits_inherit();
	attachments_forget();
}

static void fork_prepare(void)
{
	pthread_mutex_lock(&lock);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&lock);
}

/* At once: the copy of the descriptor would keep the parent's segments alive. */
static void fork_child(void)
{
	forget_parent();
	pthread_mutex_unlock(&lock);
}

static __attribute__((constructor)) void watch_fork(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* A child made behind the C library's back learns here that it is one. */
#define call(expr) __extension__ ({			\
	int ret_;					\
							\
	pthread_mutex_lock(&lock);			\
	ret_ = (expr);					\
	if (ret_ == -ESTALE) {				\
		forget_parent();			\
		ret_ = (expr);				\
	}						\
	pthread_mutex_unlock(&lock);			\
	ret_; })

static int result(int ret)
{
	if (!ret)
		return 0;
	errno = -ret;
	return -1;
}

/* ---- calls ---- */

/* Declared by no header, but looked for by configure scripts. */
PUBLIC int xpmem_init(void);

int xpmem_init(void)
{
	return result(call(device_open()));
}

PUBLIC int xpmem_version(void)
{
	return xpmem_init() ? -1 : XPMEM_CURRENT_VERSION;
}

PUBLIC xpmem_segid_t xpmem_make(void *vaddr, size_t size, int permit_type,
				void *permit_value)
{
	uintptr_t mode = (uintptr_t)permit_value;
	xpmem_segid_t segid;

	if (permit_type != XPMEM_PERMIT_MODE || mode & ~0777UL)
		return result(-EINVAL);
	if (result(call(segment_make(vaddr, size, mode, &segid))))
		return -1;
	return segid;
}

PUBLIC int xpmem_remove(xpmem_segid_t segid)
{
	if (segid <= 0)
		return result(-EINVAL);
	return result(call(segment_remove(segid)));
}

PUBLIC xpmem_apid_t xpmem_get(xpmem_segid_t segid, int flags, int permit_type,
			      void *permit_value)
{
	const int both = XPMEM_RDONLY | XPMEM_RDWR;
	xpmem_apid_t apid;

	if (segid <= 0 || flags & ~both || (flags & both) == both ||
	    permit_type != XPMEM_PERMIT_MODE)
		return result(-EINVAL);
	if (result(call(permit_get(segid, flags, &apid))))
		return -1;
	return apid;
}

PUBLIC int xpmem_release(xpmem_apid_t apid)
{
	struct attachment *gone = NULL;
	int ret;

	if (apid <= 0)
		return result(-EINVAL);
	ret = call(permit_release(apid, &gone));
	attachments_unmap(gone);
	return result(ret);
}

PUBLIC void *xpmem_attach(struct xpmem_addr addr, size_t size, void *vaddr)
{
	void *ptr;

	if (addr.apid <= 0 || addr.offset < 0 || !size)
		errno = EINVAL;
	else if (!result(call(attachment_make(&addr, size, vaddr, &ptr))))
		return ptr;
	return (void *)-1;
}

PUBLIC int xpmem_detach(void *vaddr)
{
	struct attachment *gone = NULL;
	int ret = call(attachment_remove(vaddr, &gone));

	attachments_unmap(gone);
	return result(ret);
}
