/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xpmem_objects.h - segments, permits and attachments of libxpmem
 *
 * A segment is an export, a permit an import without poison, an attachment a
 * window. All are found in trees, under one lock that xpmem.c takes around
 * every call. What returns int returns 0 or -errno; -ESTALE says that this is
 * another process than the one that opened the device.
 */
#ifndef XPMEM_OBJECTS_H
#define XPMEM_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xpmem.h"
#include "xpmem_numa.h"

/* ---- the device: one file, opened when it is needed first ---- */

int device_open(void);
void device_close(void);
int device_fd(void);
uint32_t device_partition(void);
int device_call(unsigned long command, void *arg);
/* UNEXPORT, UNIMPORT, WAKE */
int device_handle(unsigned long command, uint32_t handle);

/* ---- trees by number, tsearch() of <search.h> ---- */

/* First member of what is in a tree. */
struct numbered {
	int64_t id;
};

void *numbered_find(void *const *tree, int64_t id);
bool numbered_add(void **tree, struct numbered *node);
void numbered_remove(void **tree, struct numbered *node);

/* ---- segments ---- */

int segment_make(void *vaddr, size_t size, uintptr_t mode,
		 xpmem_segid_t *segid);
int segment_remove(xpmem_segid_t segid);
bool segment_is_own(xpmem_segid_t segid);
/* In a child: they are the parent's. */
void segments_forget(void);

/* ---- permits ---- */

struct permit {
	struct numbered apid;
	xpmem_segid_t segid;
	uint32_t rights;		/* XPMEM_NUMA_READ ... */
	uint32_t handle;		/* 0: inherited, not imported yet */
	uint64_t va;			/* of the segment's first byte */
	uint64_t len;
	struct attachment *attachments;
};

int permit_get(xpmem_segid_t segid, int flags, xpmem_apid_t *apid);
int permit_release(xpmem_apid_t apid, struct attachment **gone);
struct permit *permit_find(xpmem_apid_t apid);
/* Imported here, and its segment not ended. */
int permit_check(struct permit *permit);
/* In a child: it has the permits, not what they stand for. */
void permits_inherit(void);

/* ---- attachments ---- */

struct attachment {
	uintptr_t start;		/* whole pages */
	size_t len;
	struct permit *permit;
	struct attachment *prev;	/* of the permit */
	struct attachment *next;
};

int attachment_make(const struct xpmem_addr *addr, size_t size, void *vaddr,
		    void **ptr);
int attachment_remove(const void *vaddr, struct attachment **gone);
/* All of a permit, out of the tree. */
void attachments_take(struct permit *permit, struct attachment **gone);
/* Without the lock: memory hooks of others may run. */
void attachments_unmap(struct attachment *gone);
/* In a child: they are not there. */
void attachments_forget(void);

#endif
