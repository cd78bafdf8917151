/* SPDX-License-Identifier: BSD-3-Clause */
/* hold.c - pointers that leave the library, and page tables filled early */

#include <errno.h>
#include <stdlib.h>

#include "access.h"
#include "port.h"

static int hold_check(const struct xnuma_import *imp, uint64_t va, size_t len)
{
	int ret;

	if (domain_inert(imp->dom))
		return error_child();
	if (!thread_self())
		return -ENOMEM;
	if (!len)
		return error(-EINVAL, "a window of no bytes");
	ret = access_check(imp, va, len, XNUMA_READ);
	if (ret || imp->self)
		return ret;
	if (!status_alive(imp->status))
		return access_gone((struct xnuma_import *)imp);
	if (!access_mapped(imp, va, len))
		return error(-ENOTSUP, "port %s has no window onto this memory",
			     imp->dom->ops->name);
	if (!access_live(imp, va, len))
		return access_dead((struct xnuma_import *)imp);
	return 0;
}

static int hold_self(struct xnuma_import *imp, uint64_t va, void **ptr,
		     struct xnuma_window **win)
{
	*win = calloc(1, sizeof(**win));
	if (!*win)
		return error(-ENOMEM, "out of memory");
	(*win)->dom = imp->dom;
	*ptr = (void *)(uintptr_t)va;
	return 0;
}

int xnuma_window_hold(struct xnuma_import *imp, uint64_t va, size_t len,
		      void **ptr, struct xnuma_window **win)
{
	struct xnuma_import *hold;
	int ret = hold_check(imp, va, len);

	if (ret)
		return ret;
	if (imp->self)
		return hold_self(imp, va, ptr, win);
	ret = import_hold(imp, &hold);
	if (ret)
		return ret;
	ret = window_hold(hold, va, len, win);
	if (!ret)
		*ptr = (*win)->ptr + (va - (*win)->va);
	return ret;
}

/* The window is held meanwhile: this is a system call, no section. */
static ssize_t prefault_piece(struct xnuma_import *imp, uint64_t va, size_t len,
			      unsigned int rights)
{
	struct xnuma_window *win;
	ssize_t done;
	int ret = window_hold(imp, va, 1, &win);

	if (ret)
		return ret;
	if (len > win->va + win->len - va)
		len = win->va + win->len - va;
	done = imp->dom->ops->prefault(imp, win->ptr + (va - win->va), va, len,
				       rights);
	xnuma_window_release(win);
	return done;
}

ssize_t xnuma_prefault(struct xnuma_import *imp, uint64_t va, size_t len,
		       unsigned int rights)
{
	const unsigned int all = XNUMA_READ | XNUMA_WRITE;
	uint64_t start = va & -PAGE, end = (va + len + PAGE - 1) & -PAGE, at;
	ssize_t ret = 0;

	if (!(rights & XNUMA_READ) || rights & ~all)
		return error(-EINVAL, "no such rights");
	ret = hold_check(imp, va, len);
	if (!ret)
		ret = access_check(imp, va, len, rights);
	if (ret)
		return ret;
	if (imp->self)
		return len;
	for (at = start; at < end; at += ret) {
		ret = prefault_piece(imp, at, end - at, rights);
		if (ret <= 0)
			break;
	}
	if (ret < 0 && at == start)
		return ret;
	if (at <= va)
		return 0;
	return at - va < len ? at - va : len;
}
