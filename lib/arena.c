/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "arena.h"

#define GIB	(1ULL << 30)
#define HUGE	(2ULL << 20)

/*
 * Three parts, so that small mappings do not pierce the slots of large ones,
 * and those of a few pages, of which each peer has some, share page tables.
 * The kernel knows what is free; a part only remembers where to go on looking.
 */
struct part {
	uint64_t start;
	uint64_t end;
	_Atomic uint64_t next;
};

static struct part parts[] = {
	{ 0x200000000000ULL, 0x210000000000ULL, 0x200000000000ULL },
	{ 0x210000000000ULL, 0x240000000000ULL, 0x210000000000ULL },
	{ 0x240000000000ULL, 0x500000000000ULL, 0x240000000000ULL },
};

/* Defined where ThreadSanitizer is; it has no shadow for the usual arena. */
void __tsan_init(void) __attribute__((weak, visibility("default")));

static __attribute__((constructor)) void arena_init(void)
{
	if (!__tsan_init)
		return;
	parts[0] = (struct part) { 0x001000000000ULL, 0x001400000000ULL,
				   0x001000000000ULL };
	parts[1] = (struct part) { 0x001400000000ULL, 0x002000000000ULL,
				   0x001400000000ULL };
	parts[2] = (struct part) { 0x002000000000ULL, 0x007000000000ULL,
				   0x002000000000ULL };
}

uint64_t arena_size(void)
{
	return parts[2].end - parts[2].start;
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & -to;
}

static uint64_t alignment(uint64_t len)
{
	uint64_t align = HUGE;

	if (len < HUGE)
		return 4096;
	while (align < len && align < 64 * GIB)
		align *= 2;
	return align;
}

static int try_map(uint64_t at, size_t len, int prot, int flags, int fd,
		   off_t offset, void **ptr)
{
	void *hint = (void *)(uintptr_t)at;
	void *got = mmap(hint, len, prot, flags | MAP_FIXED_NOREPLACE, fd,
			 offset);

	if (got == MAP_FAILED)
		return -errno;
	if (got != hint) {	/* before 4.17 the flag was but a hint */
		munmap(got, len);
		return -EEXIST;
	}
	*ptr = got;
	return 0;
}

/*
 * Steps double over what is occupied, so no search is longer than a few
 * thousand calls even in a crowded arena; the second round starts at the
 * beginning.
 */
int arena_map(size_t len, uint64_t congruent, int prot, int flags, int fd,
	      off_t offset, void **ptr)
{
	struct part *part = &parts[(len >= HUGE) + (len >= GIB)];
	uint64_t align = alignment(len), skew = congruent & (align - 1);
	uint64_t slot = round_up(atomic_load(&part->next), align);
	uint64_t step = align;
	int ret, round = 0;

	if (len > part->end - part->start)
		return -ENOMEM;
	for (;;) {
		if (slot + skew + len > part->end) {
			if (round++)
				return -ENOMEM;
			slot = part->start;
			step = align;
			continue;
		}
		ret = try_map(slot + skew, len, prot, flags, fd, offset, ptr);
		if (ret != -EEXIST)
			break;
		slot += step;
		if (step < GIB)
			step *= 2;
	}
	if (!ret)
		atomic_store(&part->next, slot + skew + len);
	return ret;
}
