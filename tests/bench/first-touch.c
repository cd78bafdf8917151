/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * first-touch - how much memory of each node the queues of many workers take
 *
 * The figures are those for which mspec was written (Jes Sorensen, linux-kernel,
 * 2005): 512 threads with 992 pages each.
 */
#include <getopt.h>

#include "../first-touch.h"

static const char usage[] =
	"usage: first-touch [OPTION]...\n"
	"Bytes on each node when workers reserve pages for their queues and\n"
	"others write to them, and when one process allocates all of them.\n\n"
	"  --workers N   processes, the same number on each node [512]\n"
	"  --pages N     of 4 KiB, for each [992]\n"
	"  --help        this text\n\n"
	"For instance tests/lab/lab --nodes 4 --cpus 4 --mem 4G -- ...\n";

static long number(const char *name, const char *arg, long min, long max)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (*arg && !*end && n >= min && n <= max)
		return n;
	fprintf(stderr, "first-touch: --%s takes a number from %ld to %ld, "
		"not \"%s\"\n", name, min, max, arg);
	exit(2);
}

/* A line of /sys/devices/system/node/nodeN/meminfo, in MiB. */
static double node_mib(int node, const char *name)
{
	char path[100], line[200], label[50], *at;
	double mib = 0;
	FILE *f;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/node/node%d/meminfo", node);
	snprintf(label, sizeof(label), " %s:", name);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, label);
		if (at)
			mib = atof(at + strlen(label)) / 1024;
	}
	if (f)
		fclose(f);
	return mib;
}

static void row(const struct touch *t, const char *name)
{
	int n;

	printf("%-24s", name);
	for (n = 0; n < t->nnodes; n++)
		printf("%9.1f", t->found[n] * TOUCH_PAGE / 1048576.0);
	printf("%14ld\n", t->astray);
	fflush(stdout);
}

static void nodes(const struct touch *t, const char *name, const char *field)
{
	int n;

	printf("%-24s", name);
	for (n = 0; n < t->nnodes; n++)
		printf("%9.1f", node_mib(t->node[n], field));
	printf("\n");
	fflush(stdout);
}

static void tables(struct touch *t)
{
	double all = (double)t->workers * t->pages * TOUCH_PAGE / 1048576;
	int n;

	first_touch(t);
	if (t->failed) {
		fprintf(stderr, "first-touch: %d workers could not go on\n",
			t->failed);
		exit(1);
	}
	printf("# %d workers x %d pages, %.1f MiB, port %s; MiB on each node "
	       "by move_pages()\n%-24s", t->workers, t->pages, all, t->port,
	       "# Node");
	for (n = 0; n < t->nnodes; n++)
		printf("%9d", t->node[n]);
	printf("%14s\n", "astray pages");
	nodes(t, "memory of the node", "MemTotal");
	nodes(t, "free, of it, now", "MemFree");
	row(t, "first touch");
	printf("%-24s%ld pages, astray %ld\n", "... message queues", t->queue,
	       t->queue_astray);
	up_front(t);
	row(t, "up front, by one");
	printf("%-24s%9.1f MiB wanted on node %d, which has %.1f\n", "",
	       all, t->node[0], node_mib(t->node[0], "MemTotal"));
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "workers", required_argument, NULL, 'w' },
		{ "pages", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct touch t = { .workers = 512, .pages = 992 };
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'w') {
			t.workers = number("workers", optarg, 2, 4096);
		} else if (opt == 'p') {
			t.pages = number("pages", optarg, 1, 1 << 20);
		} else {
			fputs(usage, opt == 'h' ? stdout : stderr);
			return opt == 'h' ? 0 : 2;
		}
	}
	tables(&t);
	return 0;
}
