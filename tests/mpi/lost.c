// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: rank 1 is killed, and each of the BTL's verbs on it is an error
 * from then on; the error callback is called once, with the name of the rank
 * and the reason; nothing hangs, no signal comes
 *
 * lost get|put|op|fop|cswap|flush|stopped : the verb that is to notice;
 * "stopped": operations are under way when it dies, and all are told of
 */
#include <signal.h>
#include <unistd.h>

#include "verbs.h"

static endpoint_t *endpoint;
static uint64_t words[8];
static uintptr_t target;
static int errors;
static char reason[256];

static void on_error(mca_btl_base_module_t *module, int32_t flags,
		     struct opal_proc_t *proc, char *text)
{
	need(module == btl && proc && proc->proc_name.vpid == 1);
	snprintf(reason, sizeof(reason), "%s", text);
	errors++;
}

static int get(void)
{
	return btl->btl_get(btl, endpoint, words, target, NULL, NULL, 8, 0,
			    MCA_BTL_NO_ORDER, on_done, NULL, NULL);
}

static int put(void)
{
	return btl->btl_put(btl, endpoint, words, target, NULL, NULL, 8, 0,
			    MCA_BTL_NO_ORDER, on_done, NULL, NULL);
}

static int op(void)
{
	return btl->btl_atomic_op(btl, endpoint, target, NULL,
				  MCA_BTL_ATOMIC_ADD, 1, 0, MCA_BTL_NO_ORDER,
				  on_done, NULL, NULL);
}

static int fop(void)
{
	return btl->btl_atomic_fop(btl, endpoint, words, target, NULL, NULL,
				   MCA_BTL_ATOMIC_ADD, 1, 0, MCA_BTL_NO_ORDER,
				   on_done, NULL, NULL);
}

static int cswap(void)
{
	return btl->btl_atomic_cswap(btl, endpoint, words, target, NULL, NULL,
				     1, 1, 0, MCA_BTL_NO_ORDER, on_done, NULL,
				     NULL);
}

/* A BTL without flush need not notice. */
static int flush(void)
{
	return btl->btl_flush ? btl->btl_flush(btl, endpoint) : get();
}

static const struct {
	const char	*name;
	int (*call)(void);
} verbs[] = {
	{ "get", get }, { "put", put }, { "op", op }, { "fop", fop },
	{ "cswap", cswap }, { "flush", flush },
};
#define VERBS	(sizeof(verbs) / sizeof(verbs[0]))

static void too_late(int sig)
{
	static const char text[] = "nothing was noticed for too long\n";

	(void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
	_exit(4);
}

/* One that is under way, as by request, ends by its callback. */
static int call(int (*verb)(void))
{
	int ret;

	memset(&done, 0, sizeof(done));
	ret = verb();
	if (ret || verb == flush)
		return ret < 0 ? ret : 0;
	while (!done.calls)
		opal_progress();
	return done.status;
}

static void notice(const char *name)
{
	double begin = MPI_Wtime();
	size_t i;

	for (i = 0; i < VERBS && strcmp(verbs[i].name, name); i++)
		;
	need(i < VERBS);
	while (!call(verbs[i].call))
		;
	printf("noticed after %.1f ms: %s\n", (MPI_Wtime() - begin) * 1e3,
	       reason);
}

static int is_stopped(pid_t pid)
{
	char path[32], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	need(file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1);
	fclose(file);
	return state == 'T';
}

/* What a stopped process is asked to do waits, until it is dead. */
static void under_way(pid_t pid)
{
	int i, started = 0;

	kill(pid, SIGSTOP);
	while (!is_stopped(pid))
		;
	memset(&done, 0, sizeof(done));
	for (i = 0; i < 10; i++)
		started += fop() == OPAL_SUCCESS;
	kill(pid, SIGKILL);
	if (done.calls == started) {
		notice("fop");
		return;
	}
	while (done.calls < started)
		opal_progress();
	need(done.calls == started && done.status < 0);
	printf("%d operations were under way: %s\n", started, reason);
}

static void survive(const char *mode, pid_t pid)
{
	size_t i;

	signal(SIGALRM, too_late);
	alarm(20);
	endpoint = endpoint_of(1);
	need(!call(get) && !call(fop));
	btl->btl_register_error(btl, on_error);
	if (!strcmp(mode, "stopped")) {
		under_way(pid);
	} else {
		kill(pid, SIGKILL);
		notice(mode);
	}
	for (i = 0; i < VERBS; i++)
		need(call(verbs[i].call) < 0);
	need(errors == 1 && strstr(reason, "lost rank 1"));
	puts("lost: all right");
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	uint64_t own[2] = { getpid(), (uintptr_t)words }, all[4];

	start(&argc, &argv);
	need(nranks == 2 && argc > 1);
	find_module();
	MPI_Allgather(own, 16, MPI_BYTE, all, 16, MPI_BYTE, MPI_COMM_WORLD);
	target = all[3];
	if (!rank)
		survive(argv[1], all[2]);
	for (;;)
		opal_progress();
}
