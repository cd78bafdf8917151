/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tap.h - the test harness: one TEST is one sentence that can fail
 *
 *	static void test_empty_export(void)
 *	{
 *		check_int(xnuma_export(dev, addr, 0), ==, -EINVAL);
 *	}
 *
 *	int main(void)
 *	{
 *		TEST(test_empty_export(), "a zero-length export is refused");
 *		return tap_done();
 *	}
 *
 * The plan is printed last, so a program that crashes, is killed or exits in
 * mid-test leaves no plan, which every TAP reader reports. A TEST in which no
 * check ran is "not ok". A child reports by its exit status only: it ends with
 * child_done(), its parent judges it with check_child(). Include this header
 * in one file of a program; checks may run in any thread.
 */
#ifndef XNUMA_TESTS_TAP_H
#define XNUMA_TESTS_TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAP_UNUSED __attribute__((unused))

static struct {
	pid_t pid;	/* who may print TAP lines: the first process only */
	int tests;	/* TEST lines printed, = the plan */
	int failed;	/* "not ok" lines printed */
	int running;	/* inside a TEST; 0 or 1 */
	int checks;	/* checks run by the TEST that runs now */
	int bad;	/* ... of these failed */
	char skip[200];	/* reason given by skip_test(), "" = none */
	pid_t child;	/* the forked process whose failures child_bad counts */
	int child_bad;
} tap;

static TAP_UNUSED __attribute__((constructor)) void tap_init(void)
{
	tap.pid = getpid();
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

/* One diagnostic line; never part of the verdict. */
static TAP_UNUSED __attribute__((format(printf, 1, 2)))
void tap_diag(const char *fmt, ...)
{
	char line[500];
	va_list ap;
	char *p;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (p = line; (p = strchr(p, '\n')); )
		*p = ' ';
	printf("# %s\n", line);
}

static TAP_UNUSED bool tap_in_child(void)
{
	pid_t me = getpid();

	if (me == tap.pid)
		return false;
	if (me != tap.child) {
		tap.child = me;
		tap.child_bad = 0;
	}
	return true;
}

static TAP_UNUSED bool tap_count(bool ok)
{
	if (tap_in_child()) {
		__atomic_fetch_add(&tap.child_bad, !ok, __ATOMIC_RELAXED);
		return ok;
	}
	__atomic_fetch_add(&tap.checks, 1, __ATOMIC_RELAXED);
	if (!ok)
		__atomic_fetch_add(&tap.bad, 1, __ATOMIC_RELAXED);
	if (!tap.running) {
		tap_diag("the check above ran outside any TEST");
		tap.failed += !ok;
	}
	return ok;
}

static TAP_UNUSED bool tap_check(bool ok, const char *where, const char *text)
{
	if (!ok)
		tap_diag("%s: failed: %s", where, text);
	return tap_count(ok);
}

static TAP_UNUSED bool tap_check_int(bool ok, const char *where,
				     const char *text, intmax_t a, intmax_t b)
{
	if (!ok) {
		tap_diag("%s: failed: %s", where, text);
		tap_diag("   left: %jd", a);
		tap_diag("  right: %jd", b);
	}
	return tap_count(ok);
}

static TAP_UNUSED bool tap_check_uint(bool ok, const char *where,
				      const char *text, uintmax_t a,
				      uintmax_t b)
{
	if (!ok) {
		tap_diag("%s: failed: %s", where, text);
		tap_diag("   left: %ju (0x%jx)", a, a);
		tap_diag("  right: %ju (0x%jx)", b, b);
	}
	return tap_count(ok);
}

static TAP_UNUSED bool tap_check_str(const char *where, const char *text,
				     const char *a, const char *b)
{
	bool ok = a && b ? !strcmp(a, b) : a == b;

	if (!ok) {
		tap_diag("%s: failed: %s", where, text);
		tap_diag("   left: %s", a ? a : "(null)");
		tap_diag("  right: %s", b ? b : "(null)");
	}
	return tap_count(ok);
}

static TAP_UNUSED bool tap_check_child(const char *where, pid_t pid)
{
	int status;
	pid_t got;

	if (pid <= 0)
		return tap_check(false, where, "there is no child (fork failed?)");
	do {
		got = waitpid(pid, &status, 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return tap_check(false, where, "the child cannot be waited for");
	if (WIFSIGNALED(status))
		tap_diag("%s: child died of signal %d (%s)", where,
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		tap_diag("%s: child exited with status %d", where,
			 WEXITSTATUS(status));
	return tap_count(status == 0);
}

#define TAP_STR_(x) #x
#define TAP_STR(x) TAP_STR_(x)
#define TAP_WHERE __FILE__ ":" TAP_STR(__LINE__)

/* Each check is true when it holds and goes on when it does not. */
#define check(cond) tap_check(!!(cond), TAP_WHERE, #cond)

#define check_int(a, op, b) __extension__ ({				\
	intmax_t tap_a_ = (a), tap_b_ = (b);				\
	tap_check_int(tap_a_ op tap_b_, TAP_WHERE,			\
		      #a " " #op " " #b, tap_a_, tap_b_); })

#define check_uint(a, op, b) __extension__ ({				\
	uintmax_t tap_a_ = (a), tap_b_ = (b);				\
	tap_check_uint(tap_a_ op tap_b_, TAP_WHERE,			\
		       #a " " #op " " #b, tap_a_, tap_b_); })

#define check_str(a, b) tap_check_str(TAP_WHERE, #a " is " #b, a, b)

/* The child has exited with status 0; reaps it. */
#define check_child(pid) tap_check_child(TAP_WHERE, pid)

/* How a forked child ends: status 1 if one of its checks failed. */
static TAP_UNUSED __attribute__((noreturn)) void child_done(void)
{
	int bad = tap_in_child() ? tap.child_bad : 1;

	fflush(stdout);
	_exit(bad ? 1 : 0);
}

/* This TEST cannot run here; the caller returns after it. */
static TAP_UNUSED __attribute__((format(printf, 1, 2)))
void skip_test(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(tap.skip, sizeof(tap.skip), fmt, ap);
	va_end(ap);
	if (!tap.skip[0])
		strcpy(tap.skip, "no reason given");
}

/* Nothing of this program can run here; before the first TEST. */
static TAP_UNUSED __attribute__((noreturn, format(printf, 1, 2)))
void skip_all(const char *fmt, ...)
{
	va_list ap;

	if (tap.tests || tap.running || tap_in_child()) {
		tap_diag("skip_all() after the first TEST or in a child");
		exit(1);
	}
	printf("1..0 # SKIP ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(0);
}

static TAP_UNUSED void tap_begin(void)
{
	tap.running = 1;
	tap.checks = tap.bad = 0;
	tap.skip[0] = '\0';
}

static TAP_UNUSED void tap_end(const char *sentence)
{
	bool ok = tap.checks > 0 && tap.bad == 0;

	if (tap_in_child()) {
		tap_diag("a child returned from its TEST (%s)", sentence);
		fflush(stdout);
		_exit(1);
	}
	tap.running = 0;
	tap.tests++;
	if (tap.skip[0] && !tap.bad) {
		printf("ok %d - %s # SKIP %s\n", tap.tests, sentence, tap.skip);
		return;
	}
	if (!tap.checks)
		tap_diag("no check ran in this TEST");
	if (!ok)
		tap.failed++;
	printf("%s %d - %s\n", ok ? "ok" : "not ok", tap.tests, sentence);
}

#define TEST(call, sentence) do {					\
	tap_begin();							\
	call;								\
	tap_end(sentence);						\
} while (0)

/* Prints the plan; main() returns its value. */
static TAP_UNUSED int tap_done(void)
{
	if (tap_in_child()) {
		tap_diag("a child ran into tap_done()");
		fflush(stdout);
		_exit(1);
	}
	if (!tap.tests) {	/* a plan of 0 would read as a skip */
		tap.tests = tap.failed = 1;
		printf("not ok 1 - a TEST ran\n");
	}
	printf("1..%d\n", tap.tests);
	return tap.failed || fflush(stdout) ? 1 : 0;
}

#endif
