// SPDX-License-Identifier: BSD-3-Clause
/*
 * pingpong - latency and bandwidth between two ranks, every byte checked
 *
 * Plain MPI, for any transport. The tables have the shape of the OSU programs'.
 * The comparison of bytes is a pass of its own, so that it costs no time in the
 * tables. Exit status: 0, 1 when bytes differ, 2 on wrong usage.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

#define WINDOW		64	/* messages under way at once, bandwidth */
#define WINDOW_BYTES	(16UL << 20) /* fewer of them when they are large */
#define RATE_MAX	64	/* bytes: beyond, bandwidth says as much */
#define GUARD		64	/* bytes beside a message that must stay */

enum tag { TAG_DATA = 1, TAG_DONE };

/**
 * struct bench - one end of the ping-pong
 * @opt:	what to measure
 * @rank:	0 or 1
 * @sbuf:	sbuf[opt->buffers], each opt->max + 2 * GUARD bytes
 * @rbuf:	rbuf[opt->buffers], likewise
 */
struct bench {
	struct options	opt;
	int		rank;
	unsigned char	**sbuf;
	unsigned char	**rbuf;
};

static void *xalloc(size_t len)
{
	void *ptr = malloc(len);

	if (!ptr) {
		fprintf(stderr, "pingpong: no memory for %zu bytes\n", len);
		MPI_Abort(MPI_COMM_WORLD, 3);
	}
	return ptr;
}

static unsigned char **buffers_alloc(const struct bench *b, int fill)
{
	size_t len = b->opt.max + 2 * GUARD;
	unsigned char **buf;
	int i;

	buf = xalloc(b->opt.buffers * sizeof(*buf));
	for (i = 0; i < b->opt.buffers; i++) {
		buf[i] = xalloc(len);
		memset(buf[i], fill, len);	/* first touch is not timed */
	}
	return buf;
}

static void buffers_free(const struct bench *b, unsigned char **buf)
{
	int i;

	for (i = 0; i < b->opt.buffers; i++)
		free(buf[i]);
	free(buf);
}

/* messages of one size: fewer of the large ones */
static long scaled(size_t size, long count)
{
	if (size > BENCH_LARGE)
		count /= 10;
	return count ? count : 1;
}

static size_t next_size(size_t size)
{
	return size ? size * 2 : 1;
}

static void pingpong(struct bench *b, size_t size, long count)
{
	int peer = !b->rank, len = (int)size;
	long i;

	for (i = 0; i < count; i++) {
		unsigned char *s = b->sbuf[i % b->opt.buffers];
		unsigned char *r = b->rbuf[i % b->opt.buffers];

		if (b->rank == 0)
			MPI_Send(s, len, MPI_CHAR, peer, TAG_DATA,
				 MPI_COMM_WORLD);
		MPI_Recv(r, len, MPI_CHAR, peer, TAG_DATA, MPI_COMM_WORLD,
			 MPI_STATUS_IGNORE);
		if (b->rank == 1)
			MPI_Send(s, len, MPI_CHAR, peer, TAG_DATA,
				 MPI_COMM_WORLD);
	}
}

/* @window messages under way, then one empty answer */
static void stream(struct bench *b, size_t size, int window, long count)
{
	MPI_Request req[WINDOW];
	int peer = !b->rank, len = (int)size, w;
	long i, n = 0;

	for (i = 0; i < count; i++) {
		for (w = 0; w < window; w++, n++) {
			int at = (int)(n % b->opt.buffers);

			if (b->rank == 0)
				MPI_Isend(b->sbuf[at], len, MPI_CHAR, peer,
					  TAG_DATA, MPI_COMM_WORLD, &req[w]);
			else
				MPI_Irecv(b->rbuf[at], len, MPI_CHAR, peer,
					  TAG_DATA, MPI_COMM_WORLD, &req[w]);
		}
		MPI_Waitall(window, req, MPI_STATUSES_IGNORE);
		if (b->rank == 0)
			MPI_Recv(NULL, 0, MPI_CHAR, peer, TAG_DONE,
				 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		else
			MPI_Send(NULL, 0, MPI_CHAR, peer, TAG_DONE,
				 MPI_COMM_WORLD);
	}
}

/* With a limit in time a few must do: later batches are warm. */
static long warmup_of(const struct bench *b, size_t size)
{
	long count = scaled(size, b->opt.warmup);

	return b->opt.limit && count > 20 ? 20 : count;
}

/* @count, or as many as fit into the limit when @done of them took @start on. */
static long fitting(const struct bench *b, long count, long done, double start)
{
	double each = (MPI_Wtime() - start) / (double)done;
	double limit = (double)b->opt.limit / 1000;

	if (b->opt.limit && each * (double)count > limit)
		count = (long)(limit / each) + 1;
	MPI_Bcast(&count, 1, MPI_LONG, 0, MPI_COMM_WORLD);
	return count;
}

static double latency(struct bench *b, size_t size)
{
	long warmup = warmup_of(b, size);
	long count = scaled(size, b->opt.iterations);
	double start;

	MPI_Barrier(MPI_COMM_WORLD);
	start = MPI_Wtime();
	pingpong(b, size, warmup);
	count = fitting(b, count, warmup, start);
	MPI_Barrier(MPI_COMM_WORLD);
	start = MPI_Wtime();
	pingpong(b, size, count);
	return (MPI_Wtime() - start) * 1e6 / (2.0 * (double)count);
}

static double bandwidth(struct bench *b, size_t size)
{
	long warmup = warmup_of(b, size) / WINDOW + 1;
	long rounds = scaled(size, b->opt.iterations) / WINDOW + 1;
	int window = WINDOW;
	double start;

	if (size * WINDOW > WINDOW_BYTES)
		window = size > WINDOW_BYTES ? 1 : (int)(WINDOW_BYTES / size);
	MPI_Barrier(MPI_COMM_WORLD);
	start = MPI_Wtime();
	stream(b, size, window, warmup);
	rounds = fitting(b, rounds, warmup, start);
	MPI_Barrier(MPI_COMM_WORLD);
	start = MPI_Wtime();
	stream(b, size, window, rounds);
	return 1e-6 * (double)size * window * (double)rounds /
	       (MPI_Wtime() - start);
}

/* as many as bandwidth() has bytes */
static double rate(struct bench *b, size_t size)
{
	return bandwidth(b, size) / (double)size;
}

static double best(struct bench *b, size_t size, int greatest,
		   double (*measure)(struct bench *b, size_t size))
{
	double val = measure(b, size), next;
	int i;

	for (i = 1; i < b->opt.batches; i++) {
		next = measure(b, size);
		if (greatest ? next > val : next < val)
			val = next;
	}
	return val;
}

static void table(struct bench *b, const char *title, size_t first, size_t last,
		  double (*measure)(struct bench *b, size_t size))
{
	size_t size;
	double val;

	if (b->rank == 0)
		printf("%-10s%20s\n", "# Size", title);
	measure(b, first);	/* first contact is not the first row's */
	for (size = first; size <= last; size = next_size(size)) {
		val = best(b, size, measure != latency, measure);
		if (b->rank == 0) {
			printf("%-10zu%20.2f\n", size, val);
			fflush(stdout);
		}
	}
}

static unsigned char pattern(size_t at, size_t size, unsigned int round)
{
	size_t x = at * 2654435761u + size * 40503u + round * 97u;

	return (unsigned char)(x >> 7 ^ x);
}

static long count_wrong(const unsigned char *buf, size_t off, size_t size,
			unsigned int round, size_t len)
{
	long wrong = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char want = 0xa5;	/* outside the message */

		if (i >= off && i - off < size)
			want = pattern(i - off, size, round);
		wrong += buf[i] != want;
	}
	return wrong;
}

/* Both ranks send at once, at an offset that changes with the size. */
static long check_size(struct bench *b, size_t size, unsigned int round)
{
	size_t soff = (round * 7) % GUARD, roff = (round * 13) % GUARD;
	size_t len = b->opt.max + 2 * GUARD, i;
	unsigned char *s = b->sbuf[round % b->opt.buffers];
	unsigned char *r = b->rbuf[round % b->opt.buffers];
	int peer = !b->rank;

	for (i = 0; i < size; i++)
		s[soff + i] = pattern(i, size, round + peer);
	memset(r, 0xa5, len);
	MPI_Sendrecv(s + soff, (int)size, MPI_CHAR, peer, TAG_DATA, r + roff,
		     (int)size, MPI_CHAR, peer, TAG_DATA, MPI_COMM_WORLD,
		     MPI_STATUS_IGNORE);
	return count_wrong(r, roff, size, round + b->rank, len);
}

static int check(struct bench *b)
{
	unsigned int round = 0;
	long wrong = 0, n;
	size_t size;

	for (size = b->opt.min; size <= b->opt.max; size = next_size(size)) {
		n = check_size(b, size, round++);
		if (n)
			fprintf(stderr, "pingpong: rank %d: %ld wrong bytes "
				"at size %zu\n", b->rank, n, size);
		wrong += n;
	}
	MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_LONG, MPI_SUM,
		      MPI_COMM_WORLD);
	return wrong != 0;
}

/* Two system calls that a trace shows enclose the messages to be counted. */
static void counted(struct bench *b)
{
	long warmup = 100;

	if (warmup < b->opt.buffers)
		warmup = b->opt.buffers;
	pingpong(b, b->opt.size, warmup);
	MPI_Barrier(MPI_COMM_WORLD);
	(void)!access("pingpong:begin", F_OK);
	pingpong(b, b->opt.size, b->opt.count);
	(void)!access("pingpong:end", F_OK);
}

static int run(struct bench *b)
{
	size_t first = b->opt.min ? b->opt.min : 1, last = b->opt.max;
	int ret = 0;

	if (b->opt.count) {
		counted(b);
		return 0;
	}
	if (b->opt.check)
		ret = check(b);
	if (ret)
		return ret;
	if (b->opt.latency)
		table(b, "Latency (us)", b->opt.min, last, latency);
	if (b->opt.bandwidth)
		table(b, "Bandwidth (MB/s)", first, last, bandwidth);
	if (b->opt.rate)
		table(b, "Messages (M/s)", first,
		      last < RATE_MAX ? last : RATE_MAX, rate);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b;
	int ranks, ret;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &b.rank);
	MPI_Comm_size(MPI_COMM_WORLD, &ranks);
	ret = options_parse(&b.opt, argc, argv, b.rank == 0);
	if (ret == 0 && ranks != 2) {
		if (b.rank == 0)
			fprintf(stderr, "pingpong: needs 2 ranks, not %d\n",
				ranks);
		ret = -1;
	}
	if (ret) {
		MPI_Finalize();
		return ret < 0 ? 2 : 0;
	}
	if (b.opt.count)
		b.opt.max = b.opt.size;
	b.sbuf = buffers_alloc(&b, 'a');
	b.rbuf = buffers_alloc(&b, 'b');
	ret = run(&b);
	buffers_free(&b, b.sbuf);
	buffers_free(&b, b.rbuf);
	MPI_Finalize();
	return ret;
}
