/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copy_kernel.c - the loops that move bytes, and which of them is fast here
 *
 * What is fast differs by processor, and is not what its feature bits say:
 * string instructions win on one machine and lose tenfold on an emulated one.
 * So each process tries, once, for less than a millisecond.
 */

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "copy.h"
#include "xnuma.h"

#define ROUNDS	6

static void copy_memcpy(void *dst, const void *src, size_t len)
{
	memcpy(dst, src, len);
}

copy_kernel copy_medium = copy_memcpy, copy_large = copy_memcpy;

typedef uint64_t vector __attribute__((vector_size(32), aligned(1), may_alias));

/* Vectors as wide as the compiler is told to assume. */
#define VECTOR_LOOP							\
	char *to = dst;							\
	const char *from = src;						\
									\
	for (; len >= 4 * sizeof(vector); len -= 4 * sizeof(vector)) {	\
		vector a = ((const vector *)from)[0];			\
		vector b = ((const vector *)from)[1];			\
		vector c = ((const vector *)from)[2];			\
		vector d = ((const vector *)from)[3];			\
									\
		((vector *)to)[0] = a;					\
		((vector *)to)[1] = b;					\
		((vector *)to)[2] = c;					\
		((vector *)to)[3] = d;					\
		from += 4 * sizeof(vector);				\
		to += 4 * sizeof(vector);				\
	}								\
	memcpy(to, from, len)

static void copy_vector(void *dst, const void *src, size_t len)
{
	VECTOR_LOOP;
}

#ifdef __x86_64__
__attribute__((target("avx2")))
static void copy_avx2(void *dst, const void *src, size_t len)
{
	VECTOR_LOOP;
}

static void copy_string(void *dst, const void *src, size_t len)
{
	__asm__ volatile("rep movsb"
			 : "+D"(dst), "+S"(src), "+c"(len)
			 :
			 : "memory");
}
#endif

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

/* The shortest of a few: the rest was somebody else's time. */
static uint64_t kernel_time(copy_kernel kernel, char *buf, size_t len)
{
	uint64_t best = UINT64_MAX, start, time;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		start = now();
		kernel(buf, buf + len, len);
		time = now() - start;
		if (time < best)
			best = time;
	}
	return best;
}

static copy_kernel kernel_choose(char *buf, size_t len)
{
	copy_kernel kernels[4] = { copy_memcpy, copy_vector };
	copy_kernel best = copy_memcpy;
	uint64_t shortest, time;
	size_t n = 2, i;

#ifdef __x86_64__
	kernels[n++] = copy_string;
	if (__builtin_cpu_supports("avx2"))
		kernels[n++] = copy_avx2;
#endif
	shortest = kernel_time(best, buf, len);
	for (i = 1; i < n; i++) {
		time = kernel_time(kernels[i], buf, len);
		/* The C library's own unless another is clearly better. */
		if (time < shortest - shortest / 16) {
			shortest = time;
			best = kernels[i];
		}
	}
	return best;
}

static void choose(void)
{
	/* memcpy() itself changes its ways within a class: try its upper end. */
	size_t large = 2 * COPY_LARGE, medium = COPY_LARGE / 2;
	char *buf = calloc(2, large);

	if (!buf)
		return;
	copy_medium = kernel_choose(buf, medium);
	copy_large = kernel_choose(buf, large);
	free(buf);
}

/* A race detector has to see each byte: there the C library's it is. */
void copy_choose(void)
{
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, choose);
#endif
}

const char *xnuma_copy_name(size_t len)
{
	copy_kernel kernel = copy_memcpy;

	copy_choose();
	if (len >= COPY_LARGE)
		kernel = copy_large;
	else if (len >= COPY_MEDIUM)
		kernel = copy_medium;
#ifdef __x86_64__
	if (kernel == copy_string)
		return "string";
	if (kernel == copy_avx2)
		return "avx2";
#endif
	return kernel == copy_vector ? "vector" : "memcpy";
}
