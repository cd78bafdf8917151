/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "arena.h"
#include "xpmem_objects.h"

#define PAGE	4096UL

static void *attachments;	/* tree by address; they do not overlap */

/* Ranges that overlap are equal. */
static int compare(const void *a, const void *b)
{
	const struct attachment *left = a, *right = b;

	if (left->start + left->len <= right->start)
		return -1;
	return right->start + right->len <= left->start;
}

static struct attachment *find(uintptr_t start, size_t len)
{
	const struct attachment key = { .start = start, .len = len };
	void *found = tfind(&key, &attachments, compare);

	return found ? *(struct attachment **)found : NULL;
}

static void unlink_from_permit(struct attachment *att)
{
	if (att->prev)
		att->prev->next = att->next;
	else
		att->permit->attachments = att->next;
	if (att->next)
		att->next->prev = att->prev;
}

static void drop(struct attachment *att)
{
	tdelete(att, &attachments, compare);
	unlink_from_permit(att);
}

/*
 * The kernel has just put a window here, so an older attachment at this place
 * has been unmapped by munmap() or a mapping over it.
 */
static int add(struct attachment *att)
{
	struct attachment *old;

	while ((old = find(att->start, att->len))) {
		drop(old);
		free(old);
	}
	if (!tsearch(att, &attachments, compare))
		return -ENOMEM;
	att->next = att->permit->attachments;
	if (att->next)
		att->next->prev = att;
	att->permit->attachments = att;
	return 0;
}

static bool is_mapped(const void *vaddr)
{
	void *page = (void *)((uintptr_t)vaddr & -PAGE);
	unsigned char resident;

	return !mincore(page, PAGE, &resident) || errno != ENOMEM;
}

/*
 * A place that the caller chose: not an attachment, unless it was unmapped behind
 * our back, nor what it shows.
 */
static int place_check(const struct permit *permit, uintptr_t place,
		       uint64_t va, size_t len)
{
	const struct attachment *there = find(place, len);

	if (place % PAGE || place >= XPMEM_NUMA_VA_LIMIT ||
	    len > XPMEM_NUMA_VA_LIMIT - place ||
	    (there && is_mapped((void *)there->start)))
		return -EINVAL;
	if (segment_is_own(permit->segid) && place < va + len &&
	    va < place + len)
		return -EINVAL;
	return 0;
}

/* A range of the owner, at @place or, for 0, in the arena. */
static int map(const struct permit *permit, uint64_t va, size_t len,
	       uintptr_t place, void **ptr)
{
	const int flags = MAP_SHARED | MAP_NORESERVE;
	off_t offset = XPMEM_NUMA_OFFSET(permit->handle, va);
	int prot = PROT_READ;

	if (permit->rights & XPMEM_NUMA_WRITE)
		prot |= PROT_WRITE;
	if (!place)
		return arena_map(len, va, prot, flags, device_fd(), offset,
				 ptr);
	*ptr = mmap((void *)place, len, prot, flags | MAP_FIXED, device_fd(),
		    offset);
	return *ptr == MAP_FAILED ? -errno : 0;
}

int attachment_make(const struct xpmem_addr *addr, size_t size, void *vaddr,
		    void **ptr)
{
	struct permit *permit = permit_find(addr->apid);
	uint64_t skew = addr->offset % PAGE, start = addr->offset - skew, va;
	uintptr_t place = (uintptr_t)vaddr;
	struct attachment *att;
	int ret;

	if (!permit)
		return -ENOENT;
	ret = permit_check(permit);
	if (ret)
		return ret;
	if (start >= permit->len || size > permit->len - start - skew)
		return -EINVAL;
	size = (skew + size + PAGE - 1) & -PAGE;
	va = permit->va + start;
	ret = place ? place_check(permit, place, va, size) : 0;
	if (ret)
		return ret;
	att = calloc(1, sizeof(*att));
	if (!att)
		return -ENOMEM;
	ret = map(permit, va, size, place, ptr);
	if (ret)
		goto free_att;
	att->start = (uintptr_t)*ptr;
	att->len = size;
	att->permit = permit;
	ret = add(att);
	if (ret)
		goto unmap;
	*ptr = (char *)*ptr + skew;
	return 0;

unmap:
	munmap(*ptr, size);
free_att:
	free(att);
	return ret;
}

int attachment_remove(const void *vaddr, struct attachment **gone)
{
	struct attachment *att = find((uintptr_t)vaddr, 1);

	if (!att)
		return is_mapped(vaddr) ? -EINVAL : 0;
	drop(att);
	att->next = NULL;
	*gone = att;
	return 0;
}

void attachments_take(struct permit *permit, struct attachment **gone)
{
	struct attachment *att;

	for (att = permit->attachments; att; att = att->next)
		tdelete(att, &attachments, compare);
	*gone = permit->attachments;
	permit->attachments = NULL;
}

void attachments_unmap(struct attachment *gone)
{
	struct attachment *att;

	while ((att = gone)) {
		gone = att->next;
		munmap((void *)att->start, att->len);
		free(att);
	}
}

void attachments_forget(void)
{
	tdestroy(attachments, free);
	attachments = NULL;
}
