/* SPDX-License-Identifier: BSD-3-Clause */
/* guest.c - peers, faults that are caught, counters. See guest.h. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

__thread struct trap trap;

static void trap_handler(int sig)
{
	if (trap.armed)
		siglongjmp(trap.env, sig);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Far more than it takes: hosts are slow, and clocks in guests are fast. */
#define SECONDS 240

unsigned int guest_slowness(void)
{
	const char *factor = getenv("XNUMA_SLOW");

	return factor ? (unsigned int)atoi(factor) : 1;
}

void guest_begin(void)
{
	struct sigaction act = { .sa_handler = trap_handler,
				 .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &act, NULL);
	sigaction(SIGSEGV, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	printf("# limit: %d\n", SECONDS + 10);
	alarm(SECONDS * guest_slowness());
	/* What the program before held is freed by workers, and tests count. */
	if (stat_read("exports") >= 0)
		module_empties();
}

int load(const volatile void *p)
{
	volatile int byte = 0;
	int sig = caught(byte = *(const volatile unsigned char *)p);

	return sig ? -sig : byte;
}

int store(volatile void *p, int byte)
{
	return -caught(*(volatile unsigned char *)p = (unsigned char)byte);
}

struct call {
	peer_fn fn;
	long a, b, c;
};

/* A small memory cgroup may be full of what a worker has yet to free. */
static bool peer_tell(long ret)
{
	int tries = 1000;

	while (send(3, &ret, sizeof(ret), 0) != sizeof(ret)) {
		if ((errno != ENOMEM && errno != ENOBUFS) || !--tries)
			return false;
		usleep(10000);
	}
	return true;
}

static __attribute__((noreturn)) void peer_main(int sock, pid_t parent)
{
	struct call call;
	long ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* An inherited device file would keep its imports alive. */
	if (dup2(sock, 3) < 0 || close_range(4, ~0U, 0))
		_exit(1);
	fcntl(3, F_SETFD, FD_CLOEXEC);
	while (recv(3, &call, sizeof(call), MSG_WAITALL) == sizeof(call)) {
		ret = call.fn(call.a, call.b, call.c);
		if (!peer_tell(ret))
			_exit(1);
	}
	_exit(0);
}

int peer_start(struct peer *p)
{
	pid_t parent = getpid();
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		return -errno;
	fflush(stdout);
	p->pid = fork();
	if (!p->pid)
		peer_main(sv[1], parent);
	close(sv[1]);
	p->sock = sv[0];
	return p->pid < 0 ? -errno : 0;
}

int peer_begin(struct peer *p, peer_fn fn, long a, long b, long c)
{
	struct call call = { fn, a, b, c };

	return send(p->sock, &call, sizeof(call), 0) == sizeof(call) ? 0 :
								      -EPIPE;
}

long peer_end(struct peer *p)
{
	long ret;

	return recv(p->sock, &ret, sizeof(ret), MSG_WAITALL) == sizeof(ret) ?
		       ret :
		       -EPIPE;
}

long peer_call(struct peer *p, peer_fn fn, long a, long b, long c)
{
	return peer_begin(p, fn, a, b, c) ? -EPIPE : peer_end(p);
}

bool peer_answers(struct peer *p, int ms)
{
	struct pollfd ready = { .fd = p->sock, .events = POLLIN };

	return poll(&ready, 1, ms) == 1;
}

static int peer_reap(struct peer *p)
{
	int status = -1;

	close(p->sock);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	p->pid = -1;
	return status;
}

int peer_stop(struct peer *p)
{
	if (p->pid <= 0)
		return -1;
	shutdown(p->sock, SHUT_WR);
	return peer_reap(p);
}

int peer_kill(struct peer *p, int sig)
{
	if (p->pid <= 0)
		return -1;
	kill(p->pid, sig);
	return peer_reap(p);
}

long stat_read(const char *name)
{
	char path[128];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/misc/xpmem_numa/stats/%s",
		 name);
	f = fopen(path, "r");
	if (!f)
		return -errno;
	if (fscanf(f, "%ld", &value) != 1)
		value = -EIO;
	fclose(f);
	return value;
}

bool stat_settles(const char *name, long want)
{
	struct timespec pause = { .tv_nsec = 2000000 };
	unsigned int i;

	for (i = 0; i < 2500 * guest_slowness(); i++) {
		if (stat_read(name) == want)
			return true;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "gauge %s is %ld, not %ld\n", name, stat_read(name),
		want);
	return false;
}

/* All are looked at, so that each that is left is told. */
bool module_empties(void)
{
	static const char *const gauges[] = {
		"exports", "imports", "windows", "granules", "metadata",
	};
	bool empty = true;
	size_t i;

	for (i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		empty &= stat_settles(gauges[i], 0);
	return empty;
}

long param_set(const char *name, long value)
{
	char path[80];
	long old = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/xpmem_numa/parameters/%s",
		 name);
	f = fopen(path, "r+");
	if (f && fscanf(f, "%ld", &old) == 1) {
		rewind(f);
		fprintf(f, "%ld\n", value);
	}
	if (f)
		fclose(f);
	return old;
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}
