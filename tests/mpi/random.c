// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: random sizes and alignments, both directions at once, several
 * messages under way, some waited for late; every byte checked
 *
 * random [COUNT [SEED]]
 */
#include "check.h"

#define DEPTH	8
#define LEN_MAX	(1 << 20)

struct message {
	uint8_t		*mem;
	size_t		offset, len;
	uint32_t	seed;
	MPI_Request	request;
};

static struct message out[DEPTH], in[DEPTH];

/* Mostly short, seldom long: as far from one size class as can be. */
static size_t random_len(uint64_t *state)
{
	int log = random_next(state) % 20;

	if (log > 16 && random_next(state) % 8)
		log -= 8;
	return random_next(state) % ((size_t)2 << log);
}

static void random_message(struct message *msg, uint64_t *state)
{
	msg->len = random_len(state);
	msg->offset = random_next(state) % 257;
	msg->seed = random_next(state);
}

static void post(struct message *msg, int peer, int tag, int is_send)
{
	uint8_t *p = msg->mem + msg->offset;

	if (is_send) {
		pattern_fill(p, msg->len, msg->seed);
		MPI_Isend(p, msg->len, MPI_BYTE, peer, tag, MPI_COMM_WORLD,
			  &msg->request);
	} else {
		memset(p, 0x5a, msg->len);
		MPI_Irecv(p, msg->len, MPI_BYTE, peer, tag, MPI_COMM_WORLD,
			  &msg->request);
	}
}

static void finish_receive(struct message *msg)
{
	MPI_Status status;
	int count;

	MPI_Wait(&msg->request, &status);
	MPI_Get_count(&status, MPI_BYTE, &count);
	if ((size_t)count != msg->len)
		fail("%d bytes came, not %zu", count, msg->len);
	pattern_check("message", msg->mem + msg->offset, msg->len, msg->seed);
}

/* Each side knows both random sequences, so nothing else need be agreed. */
static void exchange(int peer, int count, uint64_t *mine, uint64_t *theirs)
{
	int i, k, n;

	for (i = 0; i < count; i += n) {
		n = count - i < DEPTH ? count - i : DEPTH;
		for (k = 0; k < n; k++) {
			random_message(&in[k], theirs);
			random_message(&out[k], mine);
		}
		/* half of the messages come unexpected */
		for (k = 0; k < n; k += 2)
			post(&in[k], peer, k, 0);
		for (k = 0; k < n; k++)
			post(&out[k], peer, k, 1);
		for (k = 1; k < n; k += 2)
			post(&in[k], peer, k, 0);
		for (k = n - 1; k >= 0; k--)
			finish_receive(&in[k]);
		for (k = 0; k < n; k++)
			MPI_Wait(&out[k].request, MPI_STATUS_IGNORE);
	}
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 2000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 12345;
	uint64_t state[2];
	int k;

	start(&argc, &argv);
	need(nranks == 2);
	for (k = 0; k < DEPTH; k++) {
		out[k].mem = malloc(2 * LEN_MAX + 512);
		in[k].mem = malloc(2 * LEN_MAX + 512);
		need(out[k].mem && in[k].mem);
	}
	state[0] = seed * 0x9e3779b97f4a7c15u | 1;
	state[1] = (seed + 1) * 0xbf58476d1ce4e5b9u | 1;
	exchange(1 - rank, count, &state[rank], &state[1 - rank]);
	return finish("random");
}
