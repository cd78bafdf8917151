// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: operations of some kinds, to count what they cost: one-sided
 * ones of each rank on the next one's memory, and messages between all pairs
 *
 * counted get|put|sum|fetch|swap|all:SIZE:COUNT...
 *
 * For strace, access() marks where each kind begins and ends.
 */
#include <stddef.h>
#include <unistd.h>

#include "check.h"

#define LEN	65536
#define WARMUP	20

enum { SUM, FETCH, SWAP, NCOUNTERS };

/* Counters; what others read; what the rank before this one writes. */
static struct memory {
	int64_t counter[NCOUNTERS][LEN / 8];
	uint8_t source[LEN];
	uint8_t target[LEN];
} own;
static uint8_t buf[LEN];
static int64_t ones[LEN / 8], made[NCOUNTERS];
static int next;
static MPI_Win win;

#define AT(field)	((MPI_Aint)offsetof(struct memory, field))

static void get(int size)
{
	memset(buf, 0, size);
	MPI_Get(buf, size, MPI_BYTE, next, AT(source), size, MPI_BYTE, win);
	MPI_Win_flush(next, win);
	pattern_check("get", buf, size, next);
}

static void put(int size)
{
	pattern_fill(buf, size, rank + size);
	MPI_Put(buf, size, MPI_BYTE, next, AT(target), size, MPI_BYTE, win);
	MPI_Win_flush(next, win);
}

static void sum(int size)
{
	MPI_Accumulate(ones, size / 8, MPI_INT64_T, next, AT(counter[SUM]),
		       size / 8, MPI_INT64_T, MPI_SUM, win);
	MPI_Win_flush(next, win);
	made[SUM]++;
}

static void fetch(int size)
{
	int64_t old = -1;

	MPI_Fetch_and_op(ones, &old, MPI_INT64_T, next, AT(counter[FETCH]),
			 MPI_SUM, win);
	MPI_Win_flush(next, win);
	need(old == made[FETCH]++);
}

static void swap(int size)
{
	int64_t seen = made[SWAP], new = seen + 1, old = -1;

	MPI_Compare_and_swap(&new, &seen, &old, MPI_INT64_T, next,
			     AT(counter[SWAP]), win);
	MPI_Win_flush(next, win);
	need(old == seen);
	made[SWAP]++;
}

static void all(int size)
{
	static uint8_t *in;
	MPI_Request *request = malloc(2 * nranks * sizeof(*request));
	int i;

	if (!in)
		in = malloc((size_t)nranks * LEN);
	need(in && request);
	memset(buf, rank, size);
	for (i = 0; i < nranks; i++) {
		MPI_Irecv(in + (size_t)i * LEN, i == rank ? 0 : size, MPI_BYTE,
			  i == rank ? MPI_PROC_NULL : i, 0, MPI_COMM_WORLD,
			  &request[i]);
		MPI_Isend(buf, i == rank ? 0 : size, MPI_BYTE,
			  i == rank ? MPI_PROC_NULL : i, 0, MPI_COMM_WORLD,
			  &request[nranks + i]);
	}
	MPI_Waitall(2 * nranks, request, MPI_STATUSES_IGNORE);
	for (i = 0; i < nranks; i++)
		if (i != rank)
			need(in[(size_t)i * LEN + size - 1] == i);
	free(request);
}

static const struct kind {
	const char *name;
	void (*once)(int size);
} kinds[] = {
	{ "get", get }, { "put", put }, { "sum", sum }, { "fetch", fetch },
	{ "swap", swap }, { "all", all },
};
#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static void mark(const char *name, int size, const char *what)
{
	char text[64];

	snprintf(text, sizeof(text), "%s-%d:%s", name, size, what);
	need(access(text, F_OK));
}

static void repeat(const struct kind *kind, int size, int count)
{
	int i;

	for (i = 0; i < WARMUP; i++)
		kind->once(size);
	MPI_Barrier(MPI_COMM_WORLD);
	mark(kind->name, size, "begin");
	for (i = 0; i < count; i++)
		kind->once(size);
	mark(kind->name, size, "end");
	MPI_Barrier(MPI_COMM_WORLD);
	if (kind->once == put)
		pattern_check("put", own.target, size,
			      (rank + nranks - 1) % nranks + size);
	MPI_Barrier(MPI_COMM_WORLD);
}

static void run(const char *arg)
{
	int size, count;
	char name[16];
	size_t i;

	need(sscanf(arg, "%15[^:]:%d:%d", name, &size, &count) == 3);
	need(size > 0 && size <= LEN);
	for (i = 0; i < KINDS && strcmp(kinds[i].name, name); i++)
		;
	need(i < KINDS);
	repeat(&kinds[i], size, count);
}

int main(int argc, char **argv)
{
	int i;

	start(&argc, &argv);
	need(nranks >= 2);
	next = (rank + 1) % nranks;
	pattern_fill(own.source, LEN, rank);
	for (i = 0; i < LEN / 8; i++)
		ones[i] = 1;
	MPI_Win_create(&own, sizeof(own), 1, MPI_INFO_NULL, MPI_COMM_WORLD,
		       &win);
	MPI_Win_lock_all(0, win);
	for (i = 1; i < argc; i++)
		run(argv[i]);
	MPI_Win_unlock_all(win);
	MPI_Barrier(MPI_COMM_WORLD);
	for (i = 0; i < NCOUNTERS; i++)
		need(own.counter[i][0] == made[i]);
	MPI_Win_free(&win);
	return finish("counted");
}
