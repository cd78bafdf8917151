/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-xpmem.h - the calls of XPMEM, returning -errno, here and in peers
 */
#ifndef XNUMA_TESTS_GUEST_XPMEM_H
#define XNUMA_TESTS_GUEST_XPMEM_H

#include "guest.h"
#include "xpmem.h"

#define ALL	XPMEM_MAXADDR_SIZE

long x_make(const void *addr, size_t len, int mode);
long x_remove(long segid);
long x_get(long segid, int flags);
long x_release(long apid);
/* The address, or -errno. */
long x_attach(long apid, long offset, size_t len, void *at);
/* get and attach; the address */
long x_import(long segid, int flags, long offset, size_t len);
long x_detach(const void *addr);

/* For peer_call() */
long on_x_version(long, long, long);
long on_x_make(long addr, long len, long mode);
long on_x_remove(long segid, long, long);
long on_x_get(long segid, long flags, long);
long on_x_release(long apid, long, long);
long on_x_attach(long apid, long offset, long len);
long on_x_import(long segid, long offset, long len);	/* RDWR */
long on_x_detach(long addr, long, long);
/* on_map() at AREA and a segment of it; its number */
long on_x_begin(long len, long mode, long);
/* Real and effective, for good. */
long on_x_become(long uid, long gid, long);

/* A peer that has made a segment of @len bytes at AREA; its number. */
long x_owner(struct peer *p, size_t len, int mode);

#endif
