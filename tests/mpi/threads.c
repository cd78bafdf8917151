// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: MPI_THREAD_MULTIPLE: threads of two ranks send and receive at
 * the same time, each pair on its own tag, and one by any source
 *
 * threads [COUNT [THREADS]]
 */
#include <pthread.h>

#include "check.h"

#define LEN_MAX	100000

static int count;

static size_t length(uint64_t *state)
{
	size_t range = random_next(state) % 4 ? 200 : LEN_MAX;

	return random_next(state) % range;
}

static void *run(void *arg)
{
	int tag = (int)(intptr_t)arg, i;
	uint64_t state = 0x9e3779b97f4a7c15u * (tag + 1);
	uint8_t *in = malloc(LEN_MAX), *out = malloc(LEN_MAX);
	size_t lens[2];
	MPI_Request request;
	MPI_Status status;
	int got;

	need(in && out);
	for (i = 0; i < count; i++) {
		lens[0] = length(&state);
		lens[1] = length(&state);
		pattern_fill(out, lens[rank], i * 64 + tag * 2 + rank);
		MPI_Isend(out, lens[rank], MPI_BYTE, 1 - rank, tag,
			  MPI_COMM_WORLD, &request);
		MPI_Recv(in, LEN_MAX, MPI_BYTE, tag ? 1 - rank : MPI_ANY_SOURCE,
			 tag, MPI_COMM_WORLD, &status);
		MPI_Get_count(&status, MPI_BYTE, &got);
		if ((size_t)got != lens[1 - rank])
			fail("thread %d: %d bytes, not %zu", tag, got,
			     lens[1 - rank]);
		pattern_check("message", in, got,
			      i * 64 + tag * 2 + 1 - rank);
		MPI_Wait(&request, MPI_STATUS_IGNORE);
	}
	free(in);
	free(out);
	return NULL;
}

int main(int argc, char **argv)
{
	int nthreads = argc > 2 ? atoi(argv[2]) : 4, provided, i;
	pthread_t threads[64];

	count = argc > 1 ? atoi(argv[1]) : 1000;
	MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &nranks);
	need(nranks == 2 && provided == MPI_THREAD_MULTIPLE);
	need(nthreads <= 64);
	for (i = 0; i < nthreads; i++)
		need(!pthread_create(&threads[i], NULL, run,
				     (void *)(intptr_t)i));
	for (i = 0; i < nthreads; i++)
		pthread_join(threads[i], NULL);
	return finish("threads");
}
