// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: the last rank is killed in mid-traffic; rank 0, which has to do
 * with it, is told within two seconds, by the error callback, which ends it, or by
 * an error returned. If not, it says so.
 *
 * killed recv|send|large|rma
 */
#include <signal.h>
#include <unistd.h>

#include "check.h"

#define LEN	(256 * 1024)

static uint8_t buf[LEN];
static MPI_Win win;

static void too_late(int sig)
{
	static const char text[] = "nothing was noticed for too long\n";

	(void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
	_exit(4);
}

static int traffic(int victim, int len)
{
	int peer = rank == victim ? 0 : victim;

	return MPI_Sendrecv_replace(buf, len, MPI_BYTE, peer, 0, peer, 0,
				    MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static int one_sided(int victim)
{
	int64_t one = 1, old;
	int ret = MPI_Fetch_and_op(&one, &old, MPI_INT64_T, victim, 0, MPI_SUM,
				   win);

	return ret ? ret : MPI_Win_flush(victim, win);
}

/* Until an error is returned, or the process is ended from below. */
static int go_on(const char *mode, int victim)
{
	int ret = 0;

	while (!ret) {
		if (!strcmp(mode, "send"))
			ret = MPI_Send(buf, 64, MPI_BYTE, victim, 0,
				       MPI_COMM_WORLD);
		else if (!strcmp(mode, "large"))
			ret = traffic(victim, LEN);
		else if (!strcmp(mode, "rma"))
			ret = one_sided(victim);
		else
			ret = MPI_Recv(buf, 64, MPI_BYTE, victim, 0,
				       MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	}
	return ret;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "recv";
	char text[MPI_MAX_ERROR_STRING];
	int i, len, victim;

	start(&argc, &argv);
	need(nranks >= 2);
	victim = nranks - 1;
	MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	if (!strcmp(mode, "rma")) {
		MPI_Win_create(buf, LEN, 1, MPI_INFO_NULL, MPI_COMM_WORLD,
			       &win);
		MPI_Win_set_errhandler(win, MPI_ERRORS_RETURN);
		MPI_Win_lock_all(0, win);
		one_sided(victim);
	}
	for (i = 0; i < 50 && (!rank || rank == victim); i++)
		traffic(victim, i % 2 ? LEN : 64);
	MPI_Barrier(MPI_COMM_WORLD);
	if (rank == victim) {
		printf("rank %d is killed\n", rank);
		fflush(stdout);
		kill(getpid(), SIGKILL);
	}
	if (rank) {
		MPI_Recv(buf, 64, MPI_BYTE, 0, 99, MPI_COMM_WORLD,
			 MPI_STATUS_IGNORE);
		return 0;
	}
	signal(SIGALRM, too_late);
	alarm(2);
	i = go_on(mode, victim);
	MPI_Error_string(i, text, &len);
	printf("an error was returned: %s\n", text);
	fflush(stdout);
	_exit(3);
}
