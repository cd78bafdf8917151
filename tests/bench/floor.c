// SPDX-License-Identifier: BSD-3-Clause
/*
 * floor - what this machine asks for a message, without any library
 *
 * Two processes, each pinned to a core, play ping-pong with buffers that nobody
 * changes meanwhile, as pingpong does. A message is a cache line handed over
 * after or before a copy:
 *
 *	through	into shared memory by the one, out of it by the other
 *	call	by one process_vm_readv() of the receiver
 *	parts	by two, of a half each: the sender's is process_vm_writev()
 *	load	by one memcpy() of the receiver, as windows of the module let it
 *
 * The best of many short batches, in microseconds one way.
 *
 *	floor [CPU0 CPU1]
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pin.h"

#define MOST	(4UL << 20)
#define BATCHES	200
#define BATCH_US	100	/* about */

static int cpus[2] = { 0, 1 };

/* What both see; each side has its own of what is twice there. */
static struct shared {
	_Alignas(64) _Atomic uint64_t ball[2];
	_Alignas(64) _Atomic uint64_t half[2];
	_Alignas(64) _Atomic int done;
	_Alignas(4096) char ring[2][MOST];
	char open[2][MOST];
} *shared;

/* At the same addresses on both sides, but not the same memory. */
static char *source, *target;

struct side {
	int me;
	pid_t other;
	size_t len;
	uint64_t turn;
};

typedef void (*method)(struct side *s, int send);

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void hand_over(_Atomic uint64_t *word, uint64_t turn)
{
	atomic_store_explicit(word, turn, memory_order_release);
}

static void await(_Atomic uint64_t *word, uint64_t turn)
{
	while (atomic_load_explicit(word, memory_order_acquire) != turn)
		;
}

static void vm(const struct side *s, int write, size_t offset, size_t len)
{
	struct iovec own = { (write ? source : target) + offset, len };
	struct iovec its = { (write ? target : source) + offset, len };
	ssize_t n = write ? process_vm_writev(s->other, &own, 1, &its, 1, 0) :
			    process_vm_readv(s->other, &own, 1, &its, 1, 0);

	if (n != (ssize_t)len)
		die("process_vm_readv");
}

/* ---- a message ---- */

static void line(struct side *s, int send)
{
	if (send)
		hand_over(&shared->ball[s->me], s->turn);
	else
		await(&shared->ball[!s->me], s->turn);
}

static void through(struct side *s, int send)
{
	if (send)
		memcpy(shared->ring[s->me], source, s->len);
	line(s, send);
	if (!send)
		memcpy(target, shared->ring[!s->me], s->len);
}

static void call(struct side *s, int send)
{
	line(s, send);
	if (!send)
		vm(s, 0, 0, s->len);
}

static void parts(struct side *s, int send)
{
	size_t half = s->len / 2;

	line(s, send);
	vm(s, send, send ? half : 0, send ? s->len - half : half);
	if (send)
		hand_over(&shared->half[s->me], s->turn);
	else
		await(&shared->half[!s->me], s->turn);
}

static void load(struct side *s, int send)
{
	line(s, send);
	if (!send)
		memcpy(target, shared->open[!s->me], s->len);
}

/* ---- ping-pong ---- */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static void rounds(struct side *s, method method, long n)
{
	while (n--) {
		s->turn++;
		method(s, !s->me);
		method(s, s->me);
	}
}

/* us of one message */
static double best(struct side *s, method method, long batch)
{
	double least = 0, begin, took;
	int i;

	for (i = 0; i < BATCHES; i++) {
		begin = now();
		rounds(s, method, batch);
		took = (now() - begin) / (2 * batch);
		if (!i || took < least)
			least = took;
	}
	return least;
}

static double measure(method method, size_t len)
{
	long batch = 1 + BATCH_US * 1000 / (200 + len / 4);
	struct side s = { .len = len, .other = getpid() };
	pid_t pid;
	double us;

	memset(shared, 0, offsetof(struct shared, ring));
	pid = fork();
	if (pid < 0)
		die("fork");
	s.me = !pid;
	if (pid)
		s.other = pid;
	else
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pin(cpus[s.me]))
		die("sched_setaffinity");
	memset(source, s.me + 1, len);
	memset(target, 0, len);
	us = best(&s, method, batch);
	/* the other one may be reading yet */
	for (shared->done++; shared->done < 2; )
		sched_yield();
	if (!pid)
		_exit(method != line && target[len - 1] == 0);
	if (waitpid(pid, &s.me, 0) != pid || s.me)
		die("the other side");
	return us;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		method method;
	} methods[] = {
		{ "through", through }, { "call", call }, { "parts", parts },
		{ "load", load },
	};
	const size_t n = sizeof(methods) / sizeof(methods[0]);
	size_t len, i;

	if (argc == 3) {
		cpus[0] = atoi(argv[1]);
		cpus[1] = atoi(argv[2]);
	} else if (argc != 1) {
		printf("usage: floor [CPU0 CPU1]\n");
		return argc == 2 && !strcmp(argv[1], "--help") ? 0 : 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	source = malloc(MOST);
	target = malloc(MOST);
	if (shared == MAP_FAILED || !source || !target)
		die("memory");
	memset(shared, 1, sizeof(*shared));
	printf("# line handed over: %.3f us\n# %-8s", measure(line, 0), "size");
	for (i = 0; i < n; i++)
		printf("%12s", methods[i].name);
	printf("\n");
	for (len = 8; len <= MOST; len *= len < 256 ? 4 : 2) {
		printf("%-10zu", len);
		for (i = 0; i < n; i++)
			printf("%12.3f", measure(methods[i].method, len));
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
