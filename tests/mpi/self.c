// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: messages and windows of a process with itself, on COMM_SELF
 * and by its rank in COMM_WORLD; with any number of ranks
 */
#include "check.h"

static void message(MPI_Comm comm, int self, size_t len, uint32_t seed)
{
	uint8_t *from = malloc(len + 1), *to = calloc(1, len + 1);
	MPI_Request request;

	need(from && to);
	pattern_fill(from, len, seed);
	MPI_Irecv(to, len, MPI_BYTE, self, 7, comm, &request);
	MPI_Send(from, len, MPI_BYTE, self, 7, comm);
	MPI_Wait(&request, MPI_STATUS_IGNORE);
	pattern_check("expected", to, len, seed);

	memset(to, 0, len);
	MPI_Isend(from, len, MPI_BYTE, self, 8, comm, &request);
	MPI_Recv(to, len, MPI_BYTE, self, 8, comm, MPI_STATUS_IGNORE);
	MPI_Wait(&request, MPI_STATUS_IGNORE);
	pattern_check("unexpected", to, len, seed);

	memset(to, 0, len);
	MPI_Issend(from, len, MPI_BYTE, self, 9, comm, &request);
	MPI_Recv(to, len, MPI_BYTE, self, 9, comm, MPI_STATUS_IGNORE);
	MPI_Wait(&request, MPI_STATUS_IGNORE);
	pattern_check("synchronous", to, len, seed);
	free(from);
	free(to);
}

static void strided(MPI_Comm comm, int self, int count)
{
	int *from = calloc(count * 3, sizeof(int));
	int *to = calloc(count, sizeof(int));
	MPI_Request request;
	MPI_Datatype type;
	int i;

	need(from && to);
	for (i = 0; i < count * 3; i++)
		from[i] = i;
	MPI_Type_vector(count, 1, 3, MPI_INT, &type);
	MPI_Type_commit(&type);
	MPI_Irecv(to, count, MPI_INT, self, 10, comm, &request);
	MPI_Send(from, 1, type, self, 10, comm);
	MPI_Wait(&request, MPI_STATUS_IGNORE);
	for (i = 0; i < count; i++) {
		if (to[i] != 3 * i)
			fail("strided: element %d is %d", i, to[i]);
	}
	MPI_Type_free(&type);
	free(from);
	free(to);
}

static void window(void)
{
	int base[64] = { 0 }, from[64], to[64] = { 0 }, one = 1, old, i;
	MPI_Win win;

	MPI_Win_create(base, sizeof(base), sizeof(int), MPI_INFO_NULL,
		       MPI_COMM_SELF, &win);
	for (i = 0; i < 64; i++)
		from[i] = i * i;
	MPI_Win_fence(0, win);
	MPI_Put(from, 64, MPI_INT, 0, 0, 64, MPI_INT, win);
	MPI_Win_fence(0, win);
	MPI_Get(to, 64, MPI_INT, 0, 0, 64, MPI_INT, win);
	MPI_Win_fence(0, win);
	for (i = 0; i < 64; i++) {
		if (to[i] != i * i)
			fail("window: element %d is %d", i, to[i]);
	}
	MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, win);
	MPI_Fetch_and_op(&one, &old, MPI_INT, 0, 5, MPI_SUM, win);
	MPI_Win_unlock(0, win);
	if (old != 25 || base[5] != 26)
		fail("window: fetch_and_op gave %d, left %d", old, base[5]);
	MPI_Win_free(&win);
}

int main(int argc, char **argv)
{
	static const size_t lens[] = {
		0, 1, 33, 34, 35, 256, 257, 1000, 4096, 8192, 10000, 65536,
		1 << 20, 5000000,
	};
	size_t i;

	start(&argc, &argv);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		message(MPI_COMM_SELF, 0, lens[i], i);
		message(MPI_COMM_WORLD, rank, lens[i], i + 100);
	}
	for (i = 1; i < 200000; i *= 7)
		strided(MPI_COMM_WORLD, rank, i);
	window();
	return finish("self");
}
