// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: MPI_THREAD_MULTIPLE: threads of all ranks work on one window at
 * the same time: each adds to a counter that all share, and writes and reads
 * back a place of its own
 *
 * winthreads [COUNT [THREADS]]
 */
#include <pthread.h>

#include "check.h"

#define LEN	20000	/* bytes a thread has in each rank */

static MPI_Win win;
static int count, nthreads;

static void add_one(void)
{
	int64_t one = 1, old = -1;

	MPI_Fetch_and_op(&one, &old, MPI_INT64_T, 0, 0, MPI_SUM, win);
	MPI_Win_flush(0, win);
	if (old < 0 || old >= (int64_t)count * nthreads * nranks)
		fail("the counter was %lld", (long long)old);
}

static void write_and_read(int thread, int i, uint8_t *from, uint8_t *to)
{
	MPI_Aint at = 64 + (MPI_Aint)(rank * nthreads + thread) * LEN;
	int len = i % 4 ? i % 64 + 1 : LEN;
	int target = (rank + 1) % nranks;
	uint32_t seed = i * 1000 + thread * 10 + rank;

	pattern_fill(from, len, seed);
	MPI_Put(from, len, MPI_BYTE, target, at, len, MPI_BYTE, win);
	MPI_Win_flush(target, win);
	memset(to, 0, len);
	MPI_Get(to, len, MPI_BYTE, target, at, len, MPI_BYTE, win);
	MPI_Win_flush(target, win);
	pattern_check("what was put", to, len, seed);
}

static void *run(void *arg)
{
	uint8_t *from = malloc(LEN), *to = malloc(LEN);
	int i;

	need(from && to);
	for (i = 0; i < count; i++) {
		add_one();
		write_and_read((intptr_t)arg, i, from, to);
	}
	free(from);
	free(to);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	int64_t *base, total;
	int provided, i;

	count = argc > 1 ? atoi(argv[1]) : 200;
	nthreads = argc > 2 ? atoi(argv[2]) : 4;
	MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &nranks);
	need(provided == MPI_THREAD_MULTIPLE && nthreads <= 64);
	total = 64 + (int64_t)nranks * nthreads * LEN;
	base = calloc(1, total);
	need(base);
	MPI_Win_create(base, total, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &win);
	MPI_Win_lock_all(0, win);
	for (i = 0; i < nthreads; i++)
		need(!pthread_create(&threads[i], NULL, run,
				     (void *)(intptr_t)i));
	for (i = 0; i < nthreads; i++)
		pthread_join(threads[i], NULL);
	MPI_Win_unlock_all(win);
	MPI_Barrier(MPI_COMM_WORLD);
	if (!rank && *base != (int64_t)count * nthreads * nranks)
		fail("the counter is %lld at the end", (long long)*base);
	MPI_Win_free(&win);
	free(base);
	return finish("winthreads");
}
