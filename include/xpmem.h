/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xpmem.h - the interface of XPMEM, spoken by the module xpmem_numa
 *
 * Names, types and values are those that programs written for XPMEM use; the
 * library behind it is libxpmem.so.0. A process makes a segment of its memory
 * and tells its number to others, who get a permit for it and attach parts.
 * Every call may be made by any thread. What fails returns -1 and sets errno.
 */
#ifndef XPMEM_H
#define XPMEM_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XPMEM_CURRENT_VERSION	0x00027004

typedef __s64 xpmem_segid_t;	/* of a segment, > 0, known to all processes */
typedef __s64 xpmem_apid_t;	/* of a permit, > 0, known to its process */

/* what to attach */
struct xpmem_addr {
	xpmem_apid_t	apid;
	off_t		offset;	/* from the first byte of the segment */
};

/* size of a segment that ends where the address space does */
#define XPMEM_MAXADDR_SIZE	((size_t)-1L)

/* permit_type: permit_value is a file mode, bits of 0777 */
#define XPMEM_PERMIT_MODE	0x1

/* flags of xpmem_get() */
#define XPMEM_RDONLY		0x1
#define XPMEM_RDWR		0x2

/* an error of the original's driver, which its library hides too */
#define XPMEM_ERRNO_NOPROC	2004

/**
 * xpmem_version - is XPMEM there?
 *
 * Return: XPMEM_CURRENT_VERSION, or -1:
 * * ENOENT, ENODEV, ENXIO - the module is not loaded
 * * EACCES	- no permission on the device
 * * EPROTO	- the module speaks another ABI version
 *
 * Every other call fails in the same way then.
 */
int xpmem_version(void);

/**
 * xpmem_make - let others attach to a range of the caller's memory
 * @vaddr:	first byte, page aligned; NULL with XPMEM_MAXADDR_SIZE is all
 * @size:	bytes, a multiple of the page size, or XPMEM_MAXADDR_SIZE
 * @permit_type: XPMEM_PERMIT_MODE
 * @permit_value: (void *)mode; 0600 is the same user. Execute bits mean
 *		nothing. Held against the credentials of who calls xpmem_get().
 *
 * Memory may come and go in the range. The segment ends by xpmem_remove(), exit
 * or exec.
 *
 * Return: the segment's number, which cannot be guessed; or -1:
 * * EINVAL	- alignment, size, permit_type or bits beyond 0777
 * * ENOMEM, EMFILE, EDQUOT - out of memory, handles, or the user's limits
 */
xpmem_segid_t xpmem_make(void *vaddr, size_t size, int permit_type,
			 void *permit_value);

/**
 * xpmem_remove - end a segment of this process
 * @segid:	from xpmem_make()
 *
 * On return nobody reaches the memory through it; who tries gets SIGBUS.
 *
 * Return: 0, or -1: EINVAL (not positive), ENOENT (no such segment), EACCES (of
 * another process)
 */
int xpmem_remove(xpmem_segid_t segid);

/**
 * xpmem_get - get a permit for a segment, of this process or another
 * @segid:	from xpmem_make()
 * @flags:	XPMEM_RDONLY or XPMEM_RDWR
 * @permit_type: XPMEM_PERMIT_MODE
 * @permit_value: not looked at
 *
 * Return: the permit, or -1: EINVAL, ENOENT (no such segment, or it has ended),
 * EACCES (its mode), ENOMEM, EMFILE, EDQUOT
 */
xpmem_apid_t xpmem_get(xpmem_segid_t segid, int flags, int permit_type,
		       void *permit_value);

/**
 * xpmem_release - give a permit back, and detach all that was attached by it
 * @apid:	from xpmem_get()
 *
 * Return: 0, or -1: EINVAL (not positive), ENOENT (no such permit)
 */
int xpmem_release(xpmem_apid_t apid);

/**
 * xpmem_attach - map a part of a segment
 * @addr:	permit, and offset in the segment
 * @size:	bytes, > 0; rounded up to pages, which must lie in the segment
 * @vaddr:	page aligned address to map it at, in place of what is there; or
 *		NULL
 *
 * Nothing is touched now. An access that the owner could not make raises
 * SIGBUS: nothing mapped there any more, read-only, the owner gone. What a
 * permit with XPMEM_RDONLY attaches is read-only. A forked child has none of
 * its parent's attachments, but its permits.
 *
 * Return: where @addr.offset is now, or (void *)-1:
 * * EINVAL	- outside the segment, or @vaddr is not aligned, in an
 *		  attachment, or in the memory to be attached itself
 * * ENOENT	- no such permit, or its segment has ended
 * * ENOMEM, EAGAIN, EDQUOT - out of address space, locked memory, or limits
 */
void *xpmem_attach(struct xpmem_addr addr, size_t size, void *vaddr);

/**
 * xpmem_detach - unmap an attachment
 * @vaddr:	any address in it
 *
 * Return: 0, also where nothing is mapped; or -1: EINVAL (something else is)
 */
int xpmem_detach(void *vaddr);

#ifdef __cplusplus
}
#endif

#endif /* XPMEM_H */
