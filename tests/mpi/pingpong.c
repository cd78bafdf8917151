// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: ping-pong of ranks 0 and 1 over sizes from 0 to 4 MiB and one
 * byte around each power of two; every byte and the bytes behind are checked
 *
 * pingpong [ROUNDS]
 */
#include "check.h"

#define SIZE_MAX_LOG	22
#define GUARD		64

static uint8_t *buf;

static void send_one(size_t len, uint32_t seed)
{
	pattern_fill(buf, len, seed);
	MPI_Send(buf, len, MPI_BYTE, 1 - rank, seed % 1000, MPI_COMM_WORLD);
}

static void receive_one(size_t len, uint32_t seed)
{
	MPI_Status status;
	int count;

	memset(buf, 0xa5, len + GUARD);
	MPI_Recv(buf, len + GUARD, MPI_BYTE, 1 - rank, seed % 1000,
		 MPI_COMM_WORLD, &status);
	MPI_Get_count(&status, MPI_BYTE, &count);
	if ((size_t)count != len)
		fail("%d bytes came, not %zu", count, len);
	pattern_check("message", buf, len, seed);
	constant_check("behind the message", buf + len, GUARD, 0xa5);
}

static void round_trip(size_t len, uint32_t seed)
{
	if (rank == 0) {
		send_one(len, seed);
		receive_one(len, seed + 1);
	} else if (rank == 1) {
		receive_one(len, seed);
		send_one(len, seed + 1);
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 3;
	uint32_t seed = 1;
	int i, log, near;

	start(&argc, &argv);
	need(nranks >= 2);
	buf = malloc((1 << SIZE_MAX_LOG) + 1 + GUARD);
	need(buf);
	for (i = 0; i < rounds; i++) {
		round_trip(0, seed += 2);
		for (log = 0; log <= SIZE_MAX_LOG; log++) {
			for (near = -1; near <= 1; near++)
				round_trip((1 << log) + near, seed += 2);
		}
	}
	free(buf);
	return finish("pingpong");
}
