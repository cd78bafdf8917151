/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * steps.h - how many instructions a function takes, exactly
 *
 *	steps_open();			before any thread or domain
 *	n = steps_count(f, arg);	instructions of f(arg) in user space
 *	steps_close();
 *
 * Another process steps the calling thread through the function, one
 * instruction at a time. So the number is the same on a busy machine, in a
 * guest, and on a processor whose counters are not to be had. Other threads run
 * on. A step takes some microseconds.
 */
#ifndef XNUMA_TESTS_STEPS_H
#define XNUMA_TESTS_STEPS_H

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "tap.h"

enum { STEPS_IDLE, STEPS_WANTED, STEPS_READY, STEPS_DONE, STEPS_END };

static struct steps {
	_Atomic int state;
	_Atomic int error;	/* errno of the one who counts */
	_Atomic long count;
	pid_t thread;
} *steps;

static pid_t steps_pid;

static __attribute__((noinline)) void steps_from(void)
{
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void steps_to(void)
{
	__asm__ volatile("nop" ::: "memory");
}

/* 0: unknown */
static unsigned long steps_pc(pid_t thread)
{
#ifdef __x86_64__
	return ptrace(PTRACE_PEEKUSER, thread,
		      offsetof(struct user, regs.rip), 0);
#else
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	return ptrace(PTRACE_GETREGSET, thread, 1, &iov) ? 0 : regs.pc;
#endif
}

/* Stops without SIGTRAP are signals for the thread; it gets them. */
static int steps_walk(pid_t thread)
{
	long n = 0, counting = 0;
	int status, sig = 0;
	unsigned long pc;

	for (;;) {
		if (ptrace(PTRACE_SINGLESTEP, thread, 0, sig) ||
		    waitpid(thread, &status, __WALL) != thread ||
		    !WIFSTOPPED(status))
			return ESRCH;
		sig = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
		n += counting;
		pc = steps_pc(thread);
		if (pc == (unsigned long)steps_from)
			n = !(counting = 1);
		if (pc == (unsigned long)steps_to)
			break;
	}
	steps->count = n;
	return 0;
}

static int steps_attach(pid_t thread)
{
	int status, ret = 0;

	if (ptrace(PTRACE_SEIZE, thread, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, thread, 0, 0) ||
	    waitpid(thread, &status, __WALL) != thread)
		ret = errno;
	return ret;
}

static void steps_serve(void)
{
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (steps->state != STEPS_END) {
		if (steps->state != STEPS_WANTED) {
			usleep(50);
			continue;
		}
		ret = steps_attach(steps->thread);
		steps->state = STEPS_READY;
		if (!ret) {
			ret = steps_walk(steps->thread);
			ptrace(PTRACE_DETACH, steps->thread, 0, 0);
		}
		steps->error = ret;
		steps->state = STEPS_DONE;
	}
	_exit(0);
}

static TAP_UNUSED void steps_open(void)
{
	steps = mmap(NULL, sizeof(*steps), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (steps == MAP_FAILED)
		abort();
	fflush(stdout);
	steps_pid = fork();
	if (!steps_pid)
		steps_serve();
	prctl(PR_SET_PTRACER, steps_pid, 0, 0, 0);
}

/* -errno where processes may not be traced. */
static TAP_UNUSED long steps_count(void (*f)(void *arg), void *arg)
{
	steps->thread = gettid();
	steps->state = STEPS_WANTED;
	while (steps->state == STEPS_WANTED)
		sched_yield();
	steps_from();
	f(arg);
	steps_to();
	while (steps->state != STEPS_DONE)
		sched_yield();
	steps->state = STEPS_IDLE;
	return steps->error ? -steps->error : steps->count;
}

static TAP_UNUSED void steps_close(void)
{
	steps->state = STEPS_END;
	waitpid(steps_pid, NULL, 0);
}

#endif
