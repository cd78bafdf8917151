// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: COUNT messages of SIZE bytes to and fro, to count what they
 * cost; with "fresh" each from another buffer of malloc's, touched before
 *
 * stream COUNT SIZE [fresh]
 *
 * For strace, access() marks where the messages begin that count.
 */
#include <unistd.h>

#include "check.h"

/* as many whatever COUNT is, so that only messages differ */
#define POOL	(32 << 20)	/* bytes of all buffers, at most */
#define BUFS	400		/* buffers, at most */

static uint8_t **bufs;
static size_t nbufs = 1;

static void prepare(size_t size, int fresh)
{
	size_t i;

	if (fresh) {
		nbufs = POOL / (size + 1);
		if (nbufs > BUFS)
			nbufs = BUFS;
	}
	bufs = malloc(nbufs * sizeof(*bufs));
	need(bufs);
	for (i = 0; i < nbufs; i++) {
		bufs[i] = malloc(size + 1);
		need(bufs[i]);
		memset(bufs[i], 0xff, size);
	}
}

/* The first and last byte change, so that an old message is noticed. */
static void send_one(int i, size_t size)
{
	uint8_t *buf = bufs[i % nbufs];

	if (size) {
		buf[0] = i;
		buf[size - 1] = i;
	}
	MPI_Send(buf, size, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD);
}

static void receive_one(int i, size_t size)
{
	uint8_t *buf = bufs[(i + nbufs / 2) % nbufs];

	MPI_Recv(buf, size, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD,
		 MPI_STATUS_IGNORE);
	if (size && (buf[0] != (uint8_t)i || buf[size - 1] != (uint8_t)i))
		fail("message %d is another", i);
}

static void messages(int count, size_t size)
{
	int i;

	for (i = 0; i < count; i++) {
		if (rank == i % 2)
			send_one(i, size);
		else
			receive_one(i, size);
	}
}

int main(int argc, char **argv)
{
	int count, ret;
	size_t size;

	start(&argc, &argv);
	need(nranks == 2 && argc > 2);
	count = atoi(argv[1]);
	size = strtoul(argv[2], NULL, 0);
	prepare(size, argc > 3 && !strcmp(argv[3], "fresh"));
	/* each buffer has been sent and received once, in both ranks */
	messages(2 * nbufs + 100, size);
	MPI_Barrier(MPI_COMM_WORLD);
	ret = access("stream:begin", F_OK);
	messages(count, size);
	ret &= access("stream:end", F_OK);
	need(ret);
	return finish("stream");
}
