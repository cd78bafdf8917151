/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_COPY_H
#define XNUMA_COPY_H

#include <stddef.h>
#include <string.h>

typedef void (*copy_kernel)(void *dst, const void *src, size_t len);

/* Below the first, memcpy() is as good as anything. */
#define COPY_MEDIUM	(2UL << 10)
#define COPY_LARGE	(64UL << 10)

/* The fastest here for each class of length; chosen by copy_choose(). */
extern copy_kernel copy_medium, copy_large;

void copy_choose(void);

static inline void copy(void *dst, const void *src, size_t len)
{
	if (len < COPY_MEDIUM)
		memcpy(dst, src, len);
	else if (len < COPY_LARGE)
		copy_medium(dst, src, len);
	else
		copy_large(dst, src, len);
}

#endif
