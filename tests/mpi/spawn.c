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

static MPI_Comm spawn(char *program, char *arg)
{
	char *args[] = { arg, NULL };
	MPI_Comm other;

	MPI_Comm_spawn(program, arg ? args : MPI_ARGV_NULL, 1, MPI_INFO_NULL,
		       0, MPI_COMM_SELF, &other, MPI_ERRCODES_IGNORE);
	return other;
}

static void exchange_all(MPI_Comm other, int is_first)
{
	size_t len;

	for (len = 1; len <= LEN; len = len * 3 + 1)
		exchange(other, len, is_first);
	MPI_Comm_disconnect(&other);
}

/* Who accepts tells the parent where, who connects is told. */
static void introduce(char *program)
{
	MPI_Comm first = spawn(program, "accept");
	MPI_Comm second = spawn(program, "connect");
	char port[MPI_MAX_PORT_NAME];

	MPI_Recv(port, sizeof(port), MPI_CHAR, 0, 1, first, MPI_STATUS_IGNORE);
	MPI_Send(port, sizeof(port), MPI_CHAR, 0, 1, second);
	exchange_all(first, 1);
	exchange_all(second, 1);
}

static void meet(MPI_Comm parent, const char *how)
{
	char port[MPI_MAX_PORT_NAME] = "";
	MPI_Comm other;

	if (!strcmp(how, "accept")) {
		MPI_Open_port(MPI_INFO_NULL, port);
		MPI_Send(port, sizeof(port), MPI_CHAR, 0, 1, parent);
		MPI_Comm_accept(port, MPI_INFO_NULL, 0, MPI_COMM_SELF, &other);
	} else {
		MPI_Recv(port, sizeof(port), MPI_CHAR, 0, 1, parent,
			 MPI_STATUS_IGNORE);
		MPI_Comm_connect(port, MPI_INFO_NULL, 0, MPI_COMM_SELF, &other);
	}
	exchange_all(other, !strcmp(how, "accept"));
}

int main(int argc, char **argv)
{
	MPI_Comm parent;

	start(&argc, &argv);
	MPI_Comm_get_parent(&parent);
	if (parent == MPI_COMM_NULL) {
		if (argc > 1)
			introduce(argv[0]);
		else
			exchange_all(spawn(argv[0], NULL), 1);
		linger();
		return finish("spawn");
	}
	if (argc > 1)
		meet(parent, argv[1]);
	exchange_all(parent, 0);
	return finish("spawned");
}
