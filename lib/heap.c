/* SPDX-License-Identifier: BSD-3-Clause */
/* heap.c - what xnuma_alloc() takes from a region */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "error.h"
#include "place.h"
#include "region.h"

/* Only the owner writes, under its lock; peers read. */
static void bitmap_mark(struct region *region, const struct region_block *block,
			bool live)
{
	uint64_t page = block->offset / PAGE, end = page + block->len / PAGE;
	uint64_t mask, word;

	if (!region->bitmap)
		return;
	while (page < end) {
		mask = ~0ULL << page % 64;
		if (end - page / 64 * 64 < 64)
			mask &= ~(~0ULL << end % 64);
		word = atomic_load_explicit(&region->bitmap[page / 64],
					    memory_order_relaxed);
		word = live ? word | mask : word & ~mask;
		atomic_store_explicit(&region->bitmap[page / 64], word,
				      memory_order_release);
		page = (page / 64 + 1) * 64;
	}
}

bool region_live(const _Atomic uint64_t *bitmap, uint64_t offset, size_t len)
{
	uint64_t page = offset / PAGE, end = (offset + len + PAGE - 1) / PAGE;
	uint64_t mask;

	while (page < end) {
		mask = ~0ULL << page % 64;
		if (end - page / 64 * 64 < 64)
			mask &= ~(~0ULL << end % 64);
		if (mask & ~atomic_load_explicit(&bitmap[page / 64],
						 memory_order_acquire))
			return false;
		page = (page / 64 + 1) * 64;
	}
	return true;
}

/* First gap that is large enough; where to link the block. */
static struct region_block **heap_gap(struct region *region, size_t len,
				      uint64_t *offset)
{
	struct region_block **link = &region->blocks;

	*offset = 0;
	for (; *link; link = &(*link)->next) {
		if ((*link)->offset - *offset >= len)
			return link;
		*offset = (*link)->offset + (*link)->len;
	}
	return region->heap_len - *offset >= len ? link : NULL;
}

/* What a peer stored after the last free is not to be seen. */
static void heap_zero(struct region *region, const struct region_block *block)
{
	if (region->heap_fd >= 0)
		fallocate(region->heap_fd,
			  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  region->bitmap_len + block->offset, block->len);
	else
		madvise(region->heap + block->offset, block->len,
			MADV_DONTNEED);
}

static int heap_open(struct region *region, const struct region_block *block,
		     int node)
{
	char *ptr = region->heap + block->offset;

	heap_zero(region, block);
	if (mprotect(ptr, block->len, PROT_READ | PROT_WRITE))
		return -errno;
	place_bind(ptr, block->len, node);
	madvise(ptr, block->len, MADV_DODUMP);
	bitmap_mark(region, block, true);
	return 0;
}

static void heap_close(struct region *region, const struct region_block *block)
{
	char *ptr = region->heap + block->offset;

	bitmap_mark(region, block, false);
	mprotect(ptr, block->len, PROT_NONE);
	madvise(ptr, block->len, MADV_DONTDUMP);
	heap_zero(region, block);
}

int region_alloc(struct region *region, size_t len, int node, void **ptr)
{
	struct region_block *block, **link;
	int ret;

	if (len > region->heap_len)
		return error(-ENOMEM, "%zu bytes are more than the heap's %zu",
			     len, region->heap_len);
	block = malloc(sizeof(*block));
	if (!block)
		return error(-ENOMEM, "out of memory");
	block->len = (len + PAGE - 1) & -PAGE;
	pthread_mutex_lock(&region->lock);
	link = heap_gap(region, block->len, &block->offset);
	ret = link ? heap_open(region, block, node) : -ENOMEM;
	if (!ret) {
		block->next = *link;
		*link = block;
		*ptr = region->heap + block->offset;
	}
	pthread_mutex_unlock(&region->lock);
	if (!ret)
		return 0;
	free(block);
	return error_code(ret, "the heap has no %zu bytes", len);
}

int region_free(struct region *region, void *ptr)
{
	uint64_t offset = (char *)ptr - region->heap;
	struct region_block **link, *block;

	pthread_mutex_lock(&region->lock);
	for (link = &region->blocks; (block = *link); link = &block->next) {
		if (block->offset != offset)
			continue;
		*link = block->next;
		heap_close(region, block);
		break;
	}
	pthread_mutex_unlock(&region->lock);
	if (!block)
		return error(-EINVAL, "%p is not from xnuma_alloc()", ptr);
	free(block);
	return 0;
}

bool region_allocated(struct region *region, const void *ptr, size_t len)
{
	uint64_t offset = (const char *)ptr - region->heap;
	struct region_block *block;
	bool found = false;

	pthread_mutex_lock(&region->lock);
	for (block = region->blocks; block && !found; block = block->next)
		found = offset >= block->offset && len <= block->len &&
			offset - block->offset <= block->len - len;
	pthread_mutex_unlock(&region->lock);
	return found;
}
