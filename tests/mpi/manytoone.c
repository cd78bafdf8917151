// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: all ranks send to rank 0, which receives from any source; each
 * sender's messages come in order, none is lost, every byte checked
 *
 * manytoone [COUNT]
 */
#include "check.h"

#define LEN_MAX	20000

/* From 8 bytes, the number of the message, up to beyond the eager limit. */
static size_t length(int source, int i)
{
	return 8 + (size_t)(source * 7919 + i * 104729) % (LEN_MAX - 8);
}

static void send_all(int count)
{
	uint8_t *buf = malloc(LEN_MAX);
	uint64_t number;
	size_t len;
	int i;

	need(buf);
	for (i = 0; i < count; i++) {
		len = i % 4 ? length(rank, i) % 64 + 8 : length(rank, i);
		number = i;
		memcpy(buf, &number, 8);
		pattern_fill(buf + 8, len - 8, rank * 1000 + i);
		MPI_Send(buf, len, MPI_BYTE, 0, i % 5, MPI_COMM_WORLD);
	}
	free(buf);
}

static void receive_all(int count)
{
	uint8_t *buf = malloc(LEN_MAX);
	int *next = calloc(nranks, sizeof(int));
	MPI_Status status;
	uint64_t number;
	int i, len;

	need(buf && next);
	for (i = 0; i < count * (nranks - 1); i++) {
		MPI_Recv(buf, LEN_MAX, MPI_BYTE, MPI_ANY_SOURCE, MPI_ANY_TAG,
			 MPI_COMM_WORLD, &status);
		MPI_Get_count(&status, MPI_BYTE, &len);
		memcpy(&number, buf, 8);
		if ((int)number != next[status.MPI_SOURCE])
			fail("message %d of rank %d came when %d was due",
			     (int)number, status.MPI_SOURCE,
			     next[status.MPI_SOURCE]);
		next[status.MPI_SOURCE]++;
		pattern_check("message", buf + 8, len - 8,
			      status.MPI_SOURCE * 1000 + number);
	}
	free(next);
	free(buf);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 2000;

	start(&argc, &argv);
	need(nranks >= 2);
	if (rank)
		send_all(count);
	else
		receive_all(count);
	return finish("manytoone");
}
