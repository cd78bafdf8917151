/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <grp.h>
#include <unistd.h>

#include "guest-xpmem.h"

static long result(long ret)
{
	return ret == -1 ? -errno : ret;
}

long x_make(const void *addr, size_t len, int mode)
{
	return result(xpmem_make((void *)addr, len, XPMEM_PERMIT_MODE,
				 (void *)(long)mode));
}

long x_remove(long segid)
{
	return result(xpmem_remove(segid));
}

long x_get(long segid, int flags)
{
	return result(xpmem_get(segid, flags, XPMEM_PERMIT_MODE, NULL));
}

long x_release(long apid)
{
	return result(xpmem_release(apid));
}

long x_attach(long apid, long offset, size_t len, void *at)
{
	struct xpmem_addr addr = { .apid = apid, .offset = offset };

	return result((long)xpmem_attach(addr, len, at));
}

long x_import(long segid, int flags, long offset, size_t len)
{
	long apid = x_get(segid, flags);

	return apid < 0 ? apid : x_attach(apid, offset, len, NULL);
}

long x_detach(const void *addr)
{
	return result(xpmem_detach((void *)addr));
}

/* ---- in peers ---- */

long on_x_version(long a, long b, long c)
{
	return result(xpmem_version());
}

long on_x_make(long addr, long len, long mode)
{
	return x_make((void *)addr, (size_t)len, (int)mode);
}

long on_x_remove(long segid, long b, long c)
{
	return x_remove(segid);
}

long on_x_get(long segid, long flags, long c)
{
	return x_get(segid, (int)flags);
}

long on_x_release(long apid, long b, long c)
{
	return x_release(apid);
}

long on_x_attach(long apid, long offset, long len)
{
	return x_attach(apid, offset, (size_t)len, NULL);
}

long on_x_import(long segid, long offset, long len)
{
	return x_import(segid, XPMEM_RDWR, offset, (size_t)len);
}

long on_x_detach(long addr, long b, long c)
{
	return x_detach((void *)addr);
}

long on_x_begin(long len, long mode, long c)
{
	long ret = on_map(AREA, len, 0);

	return ret ? ret : x_make((void *)AREA, (size_t)len, (int)mode);
}

long on_x_become(long uid, long gid, long c)
{
	if (setgroups(0, NULL) ||
	    setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid))
		return -errno;
	return 0;
}

long x_owner(struct peer *p, size_t len, int mode)
{
	int ret = peer_start(p);

	return ret ? ret : peer_call(p, on_x_begin, (long)len, mode, 0);
}
