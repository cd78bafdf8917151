/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arena.h - address space of its own for what this library maps
 *
 * mmap(NULL) would put a window of gigabytes below the last mapping of this
 * process and everything mapped later below that: its own mmap area, and with
 * it the windows its peers need to cover it, would grow by every window. So
 * windows live in a part of the address space that mmap(NULL) does not reach.
 */
#ifndef XNUMA_ARENA_H
#define XNUMA_ARENA_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes of the part for large mappings. */
uint64_t arena_size(void);

/**
 * arena_map - mmap() inside the arena
 * @len:	bytes, page aligned, > 0
 * @congruent:	the address is this modulo the next power of two of @len, as
 *		far as that matters for huge pages
 * @ptr:	out
 *
 * Return: 0, or what mmap() said
 */
int arena_map(size_t len, uint64_t congruent, int prot, int flags, int fd,
	      off_t offset, void **ptr);

#endif
