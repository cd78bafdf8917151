/* SPDX-License-Identifier: BSD-3-Clause */
/* xpmem_segment.c - what others may attach to; and the trees of all */

#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "xpmem_objects.h"

struct segment {
	struct numbered segid;
	uint32_t handle;
};

static void *segments;

/* ---- trees ---- */

static int numbered_compare(const void *a, const void *b)
{
	int64_t left = ((const struct numbered *)a)->id;
	int64_t right = ((const struct numbered *)b)->id;

	return (left > right) - (left < right);
}

void *numbered_find(void *const *tree, int64_t id)
{
	const struct numbered key = { id };
	void *found = tfind(&key, tree, numbered_compare);

	return found ? *(void **)found : NULL;
}

bool numbered_add(void **tree, struct numbered *node)
{
	return tsearch(node, tree, numbered_compare);
}

void numbered_remove(void **tree, struct numbered *node)
{
	tdelete(node, tree, numbered_compare);
}

/* ---- segments ---- */

/*
 * Nobody: every import reads, so a right to write alone lets no class in. To
 * the module 0 would mean the default.
 */
static uint32_t export_mode(uintptr_t mode)
{
	return mode & 0666 ? mode & 0666 : 0200;
}

/* All of memory is (0, 0) to the module. */
static int export_range(struct xpmem_numa_export *arg, uintptr_t va,
			size_t size)
{
	if (size == XPMEM_MAXADDR_SIZE && !va)
		return 0;
	if (size == XPMEM_MAXADDR_SIZE && va < XPMEM_NUMA_VA_LIMIT)
		size = XPMEM_NUMA_VA_LIMIT - va;
	if (!size)
		return -EINVAL;
	arg->addr = va;
	arg->len = size;
	return 0;
}

static int segment_add(xpmem_segid_t segid, uint32_t handle)
{
	struct segment *seg = malloc(sizeof(*seg));

	if (!seg)
		return -ENOMEM;
	*seg = (struct segment) { .segid.id = segid, .handle = handle };
	if (numbered_add(&segments, &seg->segid))
		return 0;
	free(seg);
	return -ENOMEM;
}

int segment_make(void *vaddr, size_t size, uintptr_t mode,
		 xpmem_segid_t *segid)
{
	struct xpmem_numa_export arg = {
		.rights = XPMEM_NUMA_READ | XPMEM_NUMA_WRITE,
		.mode = export_mode(mode),
		.gid = (__u32)-1,
	};
	int ret = export_range(&arg, (uintptr_t)vaddr, size);

	if (!ret)
		ret = device_call(XPMEM_NUMA_EXPORT, &arg);
	if (ret)
		return ret;
	ret = segment_add((xpmem_segid_t)arg.id, arg.handle);
	if (ret)
		device_handle(XPMEM_NUMA_UNEXPORT, arg.handle);
	*segid = (xpmem_segid_t)arg.id;
	return ret;
}

/* There is another's, or there is none. */
static int segment_foreign(xpmem_segid_t segid)
{
	struct xpmem_numa_import arg = {
		.id = segid,
		.partition = device_partition(),
		.rights = XPMEM_NUMA_READ,
	};
	int ret = device_call(XPMEM_NUMA_IMPORT, &arg);

	if (!ret)
		device_handle(XPMEM_NUMA_UNIMPORT, arg.handle);
	return ret ? ret : -EACCES;
}

int segment_remove(xpmem_segid_t segid)
{
	struct segment *seg = numbered_find(&segments, segid);
	int ret;

	if (!seg)
		return segment_foreign(segid);
	ret = device_handle(XPMEM_NUMA_UNEXPORT, seg->handle);
	if (ret)
		return ret;
	numbered_remove(&segments, &seg->segid);
	free(seg);
	return 0;
}

bool segment_is_own(xpmem_segid_t segid)
{
	return numbered_find(&segments, segid);
}

void segments_forget(void)
{
	tdestroy(segments, free);
	segments = NULL;
}
