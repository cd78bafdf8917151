// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: all ranks flood rank 0, which sleeps meanwhile outside of MPI:
 * queues fill up, messages wait in the sender, and all come in order when the
 * receiver wakes, short, strided and long ones
 *
 * flood [COUNT]
 */
#include <unistd.h>

#include "check.h"

#define LEN	30000

static const int lens[] = { 8, 40, 300, 3000, 8, 100, LEN, 64 };

static int length(int i)
{
	return lens[i % 8];
}

/* Every other byte of a buffer twice as long */
static MPI_Datatype strided(int len)
{
	MPI_Datatype type;

	MPI_Type_vector(len, 1, 2, MPI_BYTE, &type);
	MPI_Type_commit(&type);
	return type;
}

static void fill(uint8_t *buf, int i, int is_strided)
{
	int k;

	for (k = 0; k < length(i); k++)
		buf[is_strided ? 2 * k : k] =
			pattern_byte(rank * 100000 + i, k);
}

static void send_all(int count)
{
	MPI_Request *requests = malloc(count * sizeof(*requests));
	uint8_t **bufs = malloc(count * sizeof(*bufs));
	MPI_Datatype type;
	int i, is_strided;

	need(requests && bufs);
	for (i = 0; i < count; i++) {
		is_strided = i % 3 == 1;
		bufs[i] = malloc(2 * length(i));
		need(bufs[i]);
		fill(bufs[i], i, is_strided);
		type = strided(length(i));
		MPI_Isend(bufs[i], is_strided ? 1 : length(i),
			  is_strided ? type : MPI_BYTE, 0, 0, MPI_COMM_WORLD,
			  &requests[i]);
		MPI_Type_free(&type);
	}
	MPI_Waitall(count, requests, MPI_STATUSES_IGNORE);
	for (i = 0; i < count; i++)
		free(bufs[i]);
	free(bufs);
	free(requests);
}

static void receive_all(int count)
{
	uint8_t *buf = malloc(LEN);
	MPI_Status status;
	int i, source, len;

	need(buf);
	for (i = 0; i < count; i++) {
		for (source = 1; source < nranks; source++) {
			MPI_Recv(buf, LEN, MPI_BYTE, source, 0,
				 MPI_COMM_WORLD, &status);
			MPI_Get_count(&status, MPI_BYTE, &len);
			if (len != length(i))
				fail("message %d has %d bytes", i, len);
			pattern_check("message", buf, len,
				      source * 100000 + i);
		}
	}
	free(buf);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 2000;

	start(&argc, &argv);
	need(nranks >= 2);
	MPI_Barrier(MPI_COMM_WORLD);
	if (rank) {
		send_all(count);
	} else {
		usleep(300000);
		receive_all(count);
	}
	return finish("flood");
}
