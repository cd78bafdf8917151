/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xnuma-info - what this machine has of xpmem_numa, and who uses it
 *
 * See xnuma-info(1) for the keys, which do not change.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "info.h"
#include "report.h"

#define EXIT_USABLE	0	/* port kmod, or what was asked for, is used */
#define EXIT_UNUSABLE	1
#define EXIT_TROUBLE	2	/* wrong usage, or no such process */

static const char usage[] =
	"usage: xnuma-info [OPTION]...\n"
	"Show the module xpmem_numa, its limits and counters, and this machine.\n"
	"\n"
	"  --ompi       would mpirun use the BTL, and if not why? Takes seconds\n"
	"  --ucx        would UCX use the transport, and if not why?\n"
	"  --json       for programs; xnuma-info(1) lists the keys\n"
	"  --pid PID    show the exports and imports of a process as well\n"
	"  --help       this text\n"
	"\n"
	"Exits with 0 if the port kmod can be used, else with 1; with --ompi and --ucx\n"
	"with 0 if what they ask about is used.\n";

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "ompi", no_argument, NULL, 'o' },
	{ "ucx", no_argument, NULL, 'u' },
	{ "pid", required_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int trouble(const char *what, const char *why)
{
	fprintf(stderr, "xnuma-info: %s: %s\n", what, why);
	return EXIT_TROUBLE;
}

static pid_t parse_pid(const char *text)
{
	char *end;
	long pid = strtol(text, &end, 10);

	return *end || pid <= 0 || pid > 1 << 22 ? -1 : (pid_t)pid;
}

struct request {
	const char	*process;
	bool		json;
	bool		ompi;
	bool		ucx;
};

/* Return: what the exit status is about */
static bool used(const struct request *r, bool usable)
{
	bool ompi = r->ompi ? info_ompi(usable) : true;
	bool ucx = r->ucx ? info_ucx() : true;

	return r->ompi || r->ucx ? ompi && ucx : usable;
}

static int show(const struct request *r)
{
	const char *process = r->process;
	pid_t pid = process ? parse_pid(process) : 0;
	bool usable;
	int ret = 0;

	if (pid < 0)
		return trouble(process, "not a process id");
	report_begin(r->json);
	info_module();
	usable = info_port();
	info_limits();
	info_counters();
	info_machine();
	usable = used(r, usable);
	if (pid)
		ret = info_process(pid);
	report_end();
	if (fflush(stdout) || ferror(stdout))
		return trouble("standard output", strerror(errno));
	if (ret)
		return trouble(process, strerror(-ret));
	return usable ? EXIT_USABLE : EXIT_UNUSABLE;
}

int main(int argc, char **argv)
{
	struct request r = { .json = false };
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'j':
			r.json = true;
			break;
		case 'o':
			r.ompi = true;
			break;
		case 'u':
			r.ucx = true;
			break;
		case 'p':
			r.process = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_USABLE;
		default:
			fputs(usage, stderr);
			return EXIT_TROUBLE;
		}
	}
	if (optind < argc)
		return trouble(argv[optind], "not an option");
	return show(&r);
}
