// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: a process of another job, spawned at run time, is a peer like
 * any other: short and long messages both ways, every byte checked; that it
 * ends, long before us, is no error
 */
#include "check.h"

#define LEN	300000

static void exchange(MPI_Comm other, size_t len, int is_parent)
{
	uint8_t *in = calloc(1, len), *out = malloc(len);

	need(in && out);
	pattern_fill(out, len, len + is_parent);
	MPI_Sendrecv(out, len, MPI_BYTE, 0, 0, in, len, MPI_BYTE, 0, 0, other,
		     MPI_STATUS_IGNORE);
	pattern_check("message", in, len, len + !is_parent);
	free(in);
	free(out);
}

static void linger(void)
{
	double end = MPI_Wtime() + 2;
	int flag;

	while (MPI_Wtime() < end)
		MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &flag,
			   MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
	MPI_Comm other;
	size_t len;
	int is_parent;

	start(&argc, &argv);
	MPI_Comm_get_parent(&other);
	is_parent = other == MPI_COMM_NULL;
	if (is_parent)
		MPI_Comm_spawn(argv[0], MPI_ARGV_NULL, 1, MPI_INFO_NULL, 0,
			       MPI_COMM_SELF, &other, MPI_ERRCODES_IGNORE);
	for (len = 1; len <= LEN; len = len * 3 + 1)
		exchange(other, len, is_parent);
	MPI_Comm_disconnect(&other);
	if (is_parent)
		linger();
	return finish(is_parent ? "spawn" : "spawned");
}
