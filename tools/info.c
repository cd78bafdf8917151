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

#define EXIT_USABLE	0	/* port kmod, or with --ompi the BTL, is used */
#define EXIT_UNUSABLE	1
#define EXIT_TROUBLE	2	/* wrong usage, or no such process */

static const char usage[] =
	"usage: xnuma-info [OPTION]...\n"
	"Show the module xpmem_numa, its limits and counters, and this machine.\n"
	"\n"
	"  --ompi       would mpirun use the BTL, and if not why? Takes seconds\n"
	"  --json       for programs; xnuma-info(1) lists the keys\n"
	"  --pid PID    show the exports and imports of a process as well\n"
	"  --help       this text\n"
	"\n"
	"Exits with 0 if the port kmod can be used, else with 1; with --ompi with\n"
	"0 if mpirun would use the BTL.\n";

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "ompi", no_argument, NULL, 'o' },
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

static int show(bool json, bool ompi, const char *process)
{
	pid_t pid = process ? parse_pid(process) : 0;
	bool usable;
	int ret = 0;

	if (pid < 0)
		return trouble(process, "not a process id");
	report_begin(json);
	info_module();
	usable = info_port();
	info_limits();
	info_counters();
	info_machine();
	if (ompi)
		usable = info_ompi(usable);
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
	const char *process = NULL;
	bool json = false, ompi = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'j':
			json = true;
			break;
		case 'o':
			ompi = true;
			break;
		case 'p':
			process = optarg;
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
	return show(json, ompi, process);
}
