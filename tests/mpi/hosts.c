// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: ranks that look like on several hosts, so many on each: only
 * the first and the last talk, the last before it knows the first; with
 * windows that MPI allocates as well
 *
 * hosts RANKS-PER-HOST [greet] : with "greet", nothing but that
 */
#include "check.h"

#define LEN	200000

static int last;

/* The first message of all: the receiver has no endpoint of its sender. */
static void greet(uint8_t *buf, size_t len, int tag)
{
	MPI_Status status;

	if (!rank) {
		pattern_fill(buf, len, tag);
		MPI_Send(buf, len, MPI_BYTE, last, tag, MPI_COMM_WORLD);
		MPI_Recv(buf, len, MPI_BYTE, last, tag, MPI_COMM_WORLD,
			 MPI_STATUS_IGNORE);
		pattern_check("answer", buf, len, tag + 1);
	} else {
		MPI_Recv(buf, len, MPI_BYTE, MPI_ANY_SOURCE, tag,
			 MPI_COMM_WORLD, &status);
		need(status.MPI_SOURCE == 0);
		pattern_check("greeting", buf, len, tag);
		pattern_fill(buf, len, tag + 1);
		MPI_Send(buf, len, MPI_BYTE, 0, tag, MPI_COMM_WORLD);
	}
}

static void window(void)
{
	int64_t one = 1, *base, old = 0;
	MPI_Win win;
	int i;

	MPI_Win_allocate(64, 8, MPI_INFO_NULL, MPI_COMM_WORLD, &base, &win);
	memset(base, 0, 64);
	MPI_Barrier(MPI_COMM_WORLD);
	MPI_Win_lock_all(0, win);
	for (i = 0; i < nranks; i++) {
		MPI_Fetch_and_op(&one, &old, MPI_INT64_T, i, 3, MPI_SUM, win);
		MPI_Win_flush(i, win);
		need(old >= 0 && old < nranks);
	}
	MPI_Barrier(MPI_COMM_WORLD);
	MPI_Get(&old, 1, MPI_INT64_T, (rank + 1) % nranks, 3, 1, MPI_INT64_T,
		win);
	MPI_Win_unlock_all(win);
	need(old == nranks);
	MPI_Win_free(&win);
}

int main(int argc, char **argv)
{
	uint8_t *buf = malloc(LEN);
	MPI_Comm near;
	int mine;

	start(&argc, &argv);
	need(argc > 1 && buf);
	last = nranks - 1;
	if (!rank || rank == last) {
		greet(buf, 8, 1);
		greet(buf, LEN, 2);
	}
	free(buf);
	if (argc > 2)
		return MPI_Finalize() ? 1 : 0;
	MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0,
			    MPI_INFO_NULL, &near);
	MPI_Comm_size(near, &mine);
	if (mine != atoi(argv[1]))
		fail("%d ranks are on my host, not %s", mine, argv[1]);
	MPI_Comm_free(&near);
	window();
	return finish("hosts");
}
