// SPDX-License-Identifier: BSD-3-Clause
/*
 * queue - what the message queue alone costs
 *
 * Two processes, each pinned to a core, with queues in a shared anonymous
 * mapping: one-way latency of a ping-pong, rate of a stream. The first row is
 * the floor: one word in one cache line, handed to and fro. On a machine that
 * others use the best of many short batches says more than the median.
 * Instructions are counted by stepping a child: exact on any machine.
 *
 *	queue [--counts | CPU0 CPU1]
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../queue-all.h"
#include "pin.h"

#define BATCHES	500
#define BATCH	200	/* round trips or messages between two looks at a clock */
#define ROUNDS	(BATCHES * BATCH)
#define WINDOW	50	/* batches, many times what a ring holds */
#define STEPS	100	/* calls counted by stepping */

static struct xnuma_config config = {
	.flags		= XNUMA_SINGLE_THREAD,
	.ring_size	= 64 << 10,
	.max_rings	= 4,
};

static int cpus[2] = { 0, 1 };
static char payload[8192];

struct end {
	struct queue	queue;		/* own */
	struct sender	sender;		/* to the other */
};

/* shared between both */
static struct {
	_Alignas(64) _Atomic uint64_t ball;
	_Alignas(64) _Atomic uint64_t ready;
} *shared;
static char *mem[2];

static void die(const char *what)
{
	fprintf(stderr, "queue: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *map(size_t len)
{
	void *ptr = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ptr == MAP_FAILED)
		die("mmap");
	return ptr;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* One side of a table: @me 0 keeps the time, 1 answers. */
typedef void (*bench)(int me, struct end *end, size_t len);

static double batches[BATCHES];	/* ns each, of side 0 */
static double started;

/* At the end of round @i of the side that keeps the time. */
static inline void tick(int i)
{
	double t;

	if (i % BATCH)
		return;
	t = now();
	if (i)
		batches[i / BATCH - 1] = (t - started) / BATCH;
	started = t;
}

/* ns per message over the best stretch of WINDOW batches */
static double best_window(void)
{
	double best = 0;
	int i, k;

	for (i = 0; i + WINDOW <= BATCHES; i++) {
		double sum = 0;

		for (k = 0; k < WINDOW; k++)
			sum += batches[i + k];
		if (i == 0 || sum < best)
			best = sum;
	}
	return best / WINDOW;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void end_open(struct end *end, int me)
{
	if (queue_init(&end->queue, mem[me], &config))
		die("queue_init");
	atomic_fetch_add(&shared->ready, 1);
	while (atomic_load(&shared->ready) < 2)
		;
	if (sender_init(&end->sender, mem[!me], queue_size(&config), me,
			false, false))
		die("sender_init");
}

static void run(bench func, size_t len)
{
	struct end end;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	mem[0] = map(queue_size(&config));
	mem[1] = map(queue_size(&config));
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pin(cpus[pid == 0]))
		die("sched_setaffinity");
	end_open(&end, pid == 0);
	func(pid == 0, &end, len);
	if (pid == 0)
		_exit(0);
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
	munmap(mem[0], queue_size(&config));
	munmap(mem[1], queue_size(&config));
}

static void print_latency(void)
{
	qsort(batches, BATCHES, sizeof(batches[0]), compare);
	printf("%-14.3f %-14.3f", batches[0] / 2e3, batches[BATCHES / 2] / 2e3);
}

/* ---- the floor ---- */

static void hand_off(int me, struct end *end, size_t len)
{
	uint64_t i;

	for (i = 0; i <= ROUNDS; i++) {
		tick(i);
		if (me == 0)
			atomic_store_explicit(&shared->ball, 2 * i + 1,
					      memory_order_release);
		while (atomic_load_explicit(&shared->ball,
					    memory_order_acquire) !=
		       2 * i + (me == 0 ? 2 : 1))
			;
		if (me == 1)
			atomic_store_explicit(&shared->ball, 2 * i + 2,
					      memory_order_release);
	}
}

/* ---- messages ---- */

/* Looks at each line, so that all of the message has to arrive. */
static void count(void *arg, const struct xnuma_message *msg)
{
	const char *data = msg->data;
	size_t i, sum = msg->len;

	for (i = 0; i < msg->len; i += QUEUE_LINE)
		sum += data[i];
	*(size_t *)arg += sum;
}

static void send_one(struct end *end, const struct iovec *iov)
{
	while (sender_send(&end->sender, 1, iov, 1))
		;
}

static void receive_one(struct end *end)
{
	size_t sum = 0;

	while (!queue_poll(&end->queue, count, &sum, 1))
		;
}

static void ping_pong(int me, struct end *end, size_t len)
{
	struct iovec iov = { payload, len };
	int i;

	for (i = 0; i <= ROUNDS; i++) {
		tick(i);
		if (me == 0)
			send_one(end, &iov);
		receive_one(end);
		if (me == 1)
			send_one(end, &iov);
	}
}

static void stream(int me, struct end *end, size_t len)
{
	struct iovec iov = { payload, len };
	size_t sum = 0;
	int i, k;

	for (i = 0; i <= ROUNDS; i += BATCH) {
		tick(i);
		for (k = 0; k < BATCH && me == 0; k++)
			send_one(end, &iov);
		for (k = 0; k < BATCH && me == 1; )
			k += queue_poll(&end->queue, count, &sum, BATCH - k);
	}
}

/* ---- instructions ---- */

enum step {
	STEP_NONE, STEP_SEND, STEP_SEND2, STEP_SEND64, STEP_POLL, STEP_IDLE
};

static void step_call(enum step step, struct end *end, const struct iovec *iov)
{
	static volatile size_t sum;

	switch (step) {
	case STEP_NONE:
		sum++;
		break;
	case STEP_SEND:
		sum += sender_send(&end->sender, 1, iov, 1);
		break;
	case STEP_SEND2:
		sum += sender_send(&end->sender, 1, iov, 2);
		break;
	case STEP_SEND64:
		sum += sender_send(&end->sender, 1, iov + 2, 1);
		break;
	default:
		sum += queue_poll(&end->queue, count, (void *)&sum, 1);
	}
}

/* To itself, past promotion; a signal marks the beginning. */
static void step_child(enum step step)
{
	struct iovec iov[3] = {
		{ payload, 8 }, { payload, 32 }, { payload, 64 },
	};
	struct end end;
	size_t sum = 0;
	int i;

	atomic_store(&shared->ready, 1);
	end_open(&end, 0);
	if (sender_init(&end.sender, mem[0], queue_size(&config), 0, false,
			false))
		die("sender_init");
	for (i = 0; i < 200; i++) {
		send_one(&end, iov);
		queue_poll(&end.queue, count, &sum, 16);
	}
	for (i = 0; step == STEP_POLL && i < STEPS; i++)
		send_one(&end, iov);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		die("ptrace");
	raise(SIGSTOP);
	for (i = 0; i < STEPS; i++)
		step_call(step, &end, iov);
	raise(SIGSTOP);
	_exit(0);
}

static long step_count(enum step step)
{
	long steps = 0;
	int status;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	mem[0] = mem[1] = map(queue_size(&config));
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		step_child(step);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	do {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL))
			break;
		if (waitpid(pid, &status, 0) != pid)
			break;
		steps++;
	} while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	munmap(mem[0], queue_size(&config));
	return steps;
}

static void print_instructions(void)
{
	static const struct {
		enum step	step;
		const char	*what;
	} rows[] = {
		{ STEP_SEND,	"send 8 B" },
		{ STEP_SEND2,	"send 8 + 32 B" },
		{ STEP_SEND64,	"send 64 B" },
		{ STEP_POLL,	"poll one message of 8 B" },
		{ STEP_IDLE,	"poll nothing, one ring" },
	};
	long none = step_count(STEP_NONE);
	size_t i;

	printf("# Instructions per call\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("%-24s %8.1f\n", rows[i].what,
		       (double)(step_count(rows[i].step) - none) / STEPS);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 0, 8, 16, 32, 48, 64, 112, 128, 256,
					512, 1024, 2048, 4096, 8192 };
	size_t i;

	if (argc == 3) {
		cpus[0] = atoi(argv[1]);
		cpus[1] = atoi(argv[2]);
	} else if (argc != 1 && (argc != 2 || strcmp(argv[1], "--counts"))) {
		printf("usage: queue [--counts | CPU0 CPU1]\n");
		return argc == 2 && !strcmp(argv[1], "--help") ? 0 : 2;
	}
	shared = map(sizeof(*shared));
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (argc == 2) {
		print_instructions();
		return 0;
	}
	printf("# Size   Latency (us)  median        Messages (/s)"
	       "       MB/s\n");
	run(hand_off, 0);
	printf("line     ");
	print_latency();
	printf("\n");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		run(ping_pong, sizes[i]);
		printf("%-8zu ", sizes[i]);
		print_latency();
		run(stream, sizes[i]);
		printf("%-19.0f %.1f\n", 1e9 / best_window(),
		       sizes[i] * 1e3 / best_window());
	}
	printf("\n");
	print_instructions();
	return 0;
}
