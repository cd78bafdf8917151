/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_COPY_H
#define XNUMA_COPY_H

#include <stddef.h>
#include <string.h>

/*
 * From this size on the processor's own string copy is taken: it skips the
 * read for ownership and the vector code of memcpy().
 */
#define COPY_STRING	(16UL << 10)

static inline void copy(void *dst, const void *src, size_t len)
{
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
	if (len >= COPY_STRING) {
		__asm__ volatile("rep movsb"
				 : "+D"(dst), "+S"(src), "+c"(len)
				 :
				 : "memory");
		return;
	}
#endif
	memcpy(dst, src, len);
}

#endif
