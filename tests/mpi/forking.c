// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: processes that fork with messages under way, in both ranks;
 * the child writes over its copies and exits 0, the parent writes too, which
 * gives one of them new pages, and every byte still comes as it was sent
 *
 * forking [COUNT]
 */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define LEN	(1 << 20)

static uint8_t *in, *out;

static pid_t fork_child(void)
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid) {
		memset(in, 0xee, LEN);
		memset(out, 0xee, LEN);
		exit(0);
	}
	return pid;
}

static void reap(pid_t pid)
{
	int status;

	need(waitpid(pid, &status, 0) == pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail("the child ended with status %#x", status);
}

static void round_trip(int i, size_t len)
{
	MPI_Request requests[2];
	uint32_t seed = i * 4;
	pid_t pid;

	MPI_Irecv(in, len, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD,
		  &requests[0]);
	pattern_fill(out, len, seed + rank);
	pid = fork_child();
	/* under a fork just done, each page written is a new page */
	pattern_fill(out, len, seed + 2 + rank);
	MPI_Isend(out, len, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD,
		  &requests[1]);
	if (i % 2) {
		reap(pid);
		pid = fork_child();
	}
	MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
	pattern_check("message", in, len, seed + 2 + 1 - rank);
	reap(pid);
}

int main(int argc, char **argv)
{
	static const size_t lens[] = { 8, 5000, 100000, LEN };
	int count = argc > 1 ? atoi(argv[1]) : 20;
	int i;

	start(&argc, &argv);
	need(nranks == 2);
	in = malloc(LEN);
	out = malloc(LEN);
	need(in && out);
	for (i = 0; i < count; i++)
		round_trip(i, lens[i % 4]);
	return finish("forking");
}
