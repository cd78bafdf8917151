/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "xpmem_objects.h"

static void *permits;
static xpmem_apid_t last;	/* never used again */

/* No poison: what cannot be reached is a signal. */
static int permit_import(struct permit *permit)
{
	struct xpmem_numa_import arg = {
		.id = permit->segid,
		.rights = permit->rights,
	};
	int ret = device_open();

	if (ret)
		return ret;
	arg.partition = device_partition();
	ret = device_call(XPMEM_NUMA_IMPORT, &arg);
	if (ret)
		return ret == -EPIPE ? -ENOENT : ret;
	permit->handle = arg.handle;
	permit->va = arg.addr;
	permit->len = arg.len;
	return 0;
}

int permit_get(xpmem_segid_t segid, int flags, xpmem_apid_t *apid)
{
	struct permit *permit = calloc(1, sizeof(*permit));
	int ret;

	if (!permit)
		return -ENOMEM;
	permit->segid = segid;
	permit->rights = XPMEM_NUMA_READ;
	if (flags & XPMEM_RDWR)
		permit->rights |= XPMEM_NUMA_WRITE;
	ret = permit_import(permit);
	if (ret)
		goto free_permit;
	permit->apid.id = last + 1;
	ret = -ENOMEM;
	if (!numbered_add(&permits, &permit->apid))
		goto unimport;
	*apid = ++last;
	return 0;

unimport:
	device_handle(XPMEM_NUMA_UNIMPORT, permit->handle);
free_permit:
	free(permit);
	return ret;
}

struct permit *permit_find(xpmem_apid_t apid)
{
	return numbered_find(&permits, apid);
}

int permit_release(xpmem_apid_t apid, struct attachment **gone)
{
	struct permit *permit = permit_find(apid);
	int ret = 0;

	if (!permit)
		return -ENOENT;
	if (permit->handle)
		ret = device_handle(XPMEM_NUMA_UNIMPORT, permit->handle);
	if (ret)
		return ret;
	attachments_take(permit, gone);
	numbered_remove(&permits, &permit->apid);
	free(permit);
	return 0;
}

/* WAKE asks whether the owner is there; no owner listens to it. */
int permit_check(struct permit *permit)
{
	int ret;

	if (!permit->handle)
		return permit_import(permit);
	ret = device_handle(XPMEM_NUMA_WAKE, permit->handle);
	return ret == -EPIPE ? -ENOENT : ret;
}

static void permit_inherit(const void *node, VISIT visit, int depth)
{
	struct permit *permit = *(struct permit *const *)node;

	permit->handle = 0;
	permit->attachments = NULL;
}

void permits_inherit(void)
{
	twalk(permits, permit_inherit);
}
