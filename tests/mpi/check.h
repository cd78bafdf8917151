/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check.h - patterns for the MPI programs: every byte is known from a seed
 *
 * A program prints what it did and exits 0, or prints the first thing that is
 * wrong and exits 1, which ends the job.
 */
#ifndef MPI_CHECK_H
#define MPI_CHECK_H

#include <mpi.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int rank, nranks;

static void __attribute__((noreturn, format(printf, 1, 2), unused))
fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "wrong: rank %d: ", rank);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	fflush(stderr);
	MPI_Abort(MPI_COMM_WORLD, 1);
	exit(1);
}

#define need(cond)							\
	do {								\
		if (!(cond))						\
			fail("%s:%d: %s", __FILE__, __LINE__, #cond);	\
	} while (0)

static void __attribute__((unused)) start(int *argc, char ***argv)
{
	MPI_Init(argc, argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &nranks);
}

static int __attribute__((unused)) finish(const char *what)
{
	MPI_Barrier(MPI_COMM_WORLD);
	if (!rank)
		printf("%s: all right\n", what);
	fflush(stdout);
	return MPI_Finalize() ? 1 : 0;
}

/* Not periodic in any power of two, so that shifted pages are noticed. */
static uint8_t pattern_byte(uint32_t seed, size_t i)
{
	uint32_t x = seed * 2654435761u + (uint32_t)i;

	return (x * 2246822519u) >> 21;
}

static void __attribute__((unused))
pattern_fill(void *buf, size_t len, uint32_t seed)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = pattern_byte(seed, i);
}

static void __attribute__((unused))
pattern_check(const char *what, const void *buf, size_t len, uint32_t seed)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] != pattern_byte(seed, i))
			fail("%s: byte %zu of %zu is %#x, not %#x", what, i,
			     len, p[i], pattern_byte(seed, i));
	}
}

static void __attribute__((unused))
constant_check(const char *what, const void *buf, size_t len, uint8_t value)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] != value)
			fail("%s: byte %zu of %zu is %#x, not untouched", what,
			     i, len, p[i]);
	}
}

static uint64_t __attribute__((unused)) random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif /* MPI_CHECK_H */
