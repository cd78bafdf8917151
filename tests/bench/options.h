/* SPDX-License-Identifier: BSD-3-Clause */
/* options - the command line of pingpong */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stddef.h>

/**
 * struct options - what to measure
 * @min:	first size of a table, bytes
 * @max:	last size of a table, bytes
 * @iterations:	messages per batch up to BENCH_LARGE; a tenth beyond it
 * @warmup:	messages before the clock starts, scaled likewise
 * @limit:	0, or milliseconds per batch, with fewer messages if need be
 * @batches:	measure each size so often, print the best
 * @latency:	print the latency table
 * @bandwidth:	print the bandwidth table
 * @rate:	print the table of messages, of few bytes, in a second
 * @check:	pass over all sizes first, comparing every byte
 * @buffers:	malloc()ed buffers that messages go through in turn
 * @count:	0, or send this many messages of @size each way and say nothing
 * @size:	bytes of these
 */
struct options {
	size_t	min;
	size_t	max;
	long	iterations;
	long	warmup;
	long	limit;
	int	batches;
	int	latency;
	int	bandwidth;
	int	rate;
	int	check;
	int	buffers;
	long	count;
	size_t	size;
};

#define BENCH_LARGE	8192	/* bytes */

/* Returns 0, 1 when help was asked for, or -1 with a message on stderr. */
int options_parse(struct options *opt, int argc, char **argv, int verbose);

#endif /* BENCH_OPTIONS_H */
