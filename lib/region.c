/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arena.h"
#include "error.h"
#include "place.h"
#include "region.h"

#define HEAP_MAX	(1ULL << 40)
#define HEAP_MIN	(1ULL << 20)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#endif

static uint64_t heap_max(bool shared)
{
	uint64_t len = HEAP_MAX;
	struct rlimit limit;

	if (len > arena_size() / 8)
		len = arena_size() / 8;
	if (!getrlimit(RLIMIT_AS, &limit))
		while (len > HEAP_MIN && len > limit.rlim_cur / 8)
			len /= 2;
	/* growing a file beyond this limit is a signal */
	if (shared && !getrlimit(RLIMIT_FSIZE, &limit))
		while (len > HEAP_MIN && len > limit.rlim_cur / 2)
			len /= 2;
	return len;
}

/* Peers map it, so it must never shrink below them. */
static int memfd_sealed(const char *name, size_t len)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, len) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

static int region_files(struct region *region)
{
	int fd = memfd_sealed("xnuma-queue",
			      REGION_HEADER_LEN + region->queue_len);

	if (fd < 0)
		return fd;
	region->queue_fd = fd;
	if (!region->heap_len)
		return 0;
	region->bitmap_len = region_bitmap_len(region->heap_len);
	fd = memfd_sealed("xnuma-heap", region->bitmap_len + region->heap_len);
	if (fd < 0)
		return fd;
	region->heap_fd = fd;
	return 0;
}

/* The heap is a wish, the queue is not. */
static int region_reserve(struct region *region, size_t front)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	void *ptr;
	int ret;

	for (;;) {
		ret = arena_map(front + region->heap_len, 0, PROT_NONE, flags,
				-1, 0, &ptr);
		if (!ret || !region->heap_len)
			break;
		region->heap_len = region->heap_len / 2 < HEAP_MIN ?
				   0 : region->heap_len / 2;
	}
	if (ret)
		return ret;
	region->header = ptr;
	region->queue = (char *)ptr + REGION_HEADER_LEN;
	region->heap = (char *)ptr + front;
	return 0;
}

static int map_file(void *at, size_t len, int prot, int fd, off_t offset)
{
	void *ptr = mmap(at, len, prot, MAP_SHARED | MAP_FIXED | MAP_NORESERVE,
			 fd, offset);

	return ptr == MAP_FAILED ? -errno : 0;
}

static int region_map(struct region *region, size_t front)
{
	void *bitmap;
	int ret;

	if (region->queue_fd < 0)
		return mprotect(region->header, front,
				PROT_READ | PROT_WRITE) ? -errno : 0;
	ret = map_file(region->header, front, PROT_READ | PROT_WRITE,
		       region->queue_fd, 0);
	if (ret || !region->heap_len)
		return ret;
	ret = map_file(region->heap, region->heap_len, PROT_NONE,
		       region->heap_fd, region->bitmap_len);
	if (ret)
		return ret;
	ret = arena_map(region->bitmap_len, 0, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_NORESERVE, region->heap_fd, 0,
			&bitmap);
	if (ret)
		return ret;
	madvise(bitmap, region->bitmap_len, MADV_DONTFORK);
	madvise(bitmap, region->bitmap_len, MADV_DONTDUMP);
	region->bitmap = bitmap;
	return 0;
}

int region_init(struct region *region, const struct region_params *params)
{
	size_t front = REGION_HEADER_LEN + params->queue_len;
	int ret;

	memset(region, 0, sizeof(*region));
	pthread_mutex_init(&region->lock, NULL);
	region->queue_fd = region->heap_fd = -1;
	region->queue_len = params->queue_len;
	region->node = params->node;
	if (!params->no_heap)
		region->heap_len = heap_max(params->shared);
	ret = region_reserve(region, front);
	if (!ret && params->shared)
		ret = region_files(region);
	if (!ret)
		ret = region_map(region, front);
	if (ret)
		goto fini;

	/* A ring costs what is touched of it, not a huge page. */
	madvise(region->header, front, MADV_NOHUGEPAGE);
	madvise(region->header, front, MADV_DONTFORK);
	madvise(region->header, front, MADV_DONTDUMP);
	if (region->heap_len)
		madvise(region->heap, region->heap_len, MADV_DONTDUMP);
	place_bind(region->header, front, params->node);
	region->header->facts.magic = REGION_MAGIC;
	region->header->facts.version = REGION_VERSION;
	region->header->facts.queue_len = region->queue_len;
	region->header->facts.heap_va = (uintptr_t)region->heap;
	region->header->facts.heap_len = region->heap_len;
	if (getrandom(region->header->facts.token, sizeof(region->header->facts.token), 0)
	    == sizeof(region->header->facts.token))
		return 0;
	ret = -EIO;
fini:
	region_fini(region);
	return error_code(ret, "no memory for the queue");
}

static void region_close(struct region *region)
{
	if (region->queue_fd >= 0)
		close(region->queue_fd);
	if (region->heap_fd >= 0)
		close(region->heap_fd);
	region->queue_fd = region->heap_fd = -1;
}

/* The heap stays: a child may read on what its parent had there. */
void region_fork(struct region *region)
{
	region_close(region);
	region->header = NULL;
	region->bitmap = NULL;
}

void region_fini(struct region *region)
{
	struct region_block *block;

	while ((block = region->blocks)) {
		region->blocks = block->next;
		free(block);
	}
	if (region->bitmap)
		munmap(region->bitmap, region->bitmap_len);
	if (region->header)
		munmap(region->header, REGION_HEADER_LEN + region->queue_len +
		       region->heap_len);
	else if (region->heap)
		munmap(region->heap, region->heap_len);
	region_close(region);
	pthread_mutex_destroy(&region->lock);
}
