// SPDX-License-Identifier: BSD-3-Clause
/* options - the command line of pingpong */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

#define SIZE_LIMIT	(1UL << 30)	/* fits MPI's int counts */

static const char usage[] =
	"usage: mpirun -np 2 pingpong [OPTION]...\n"
	"Latency and bandwidth of messages between two ranks.\n\n"
	"  -t lat|bw|rate|all  which tables [all]\n"
	"  -m [MIN:]MAX    sizes in bytes, K and M allowed [0:4M]\n"
	"  -i COUNT        messages per size, a tenth above 8 KiB [10000]\n"
	"  -w COUNT        messages before the clock starts [COUNT of -i / 10]\n"
	"  -l MS           at most about so long per size [no limit]\n"
	"  -r COUNT        measure each size so often, print the best [1]\n"
	"  -b COUNT        rotate over so many touched buffers [1]\n"
	"  -c 0|1          first compare every byte of every size [1]\n"
	"  -s SIZE         with -n: the size of the messages [8]\n"
	"  -n COUNT        only send COUNT messages each way, between the\n"
	"                  calls access(pingpong:begin) and access(pingpong:end)\n"
	"  -h              this text\n";

struct parser {
	int	verbose;	/* one rank speaks for all */
	int	opt;		/* the letter at hand */
};

static int refuse(const struct parser *p, const char *arg, const char *want)
{
	if (p->verbose)
		fprintf(stderr, "pingpong: -%c takes %s, not \"%s\"\n", p->opt,
			want, arg);
	return -1;
}

static int parse_size(const struct parser *p, const char *arg, size_t *size)
{
	unsigned long val;
	char *end;

	errno = 0;
	val = strtoul(arg, &end, 10);
	if (end == arg || *arg == '-' || errno)
		goto bad;
	if (*end == 'K' || *end == 'M') {
		unsigned int shift = *end++ == 'K' ? 10 : 20;

		if (val > SIZE_LIMIT >> shift)
			goto bad;
		val <<= shift;
	}
	if (*end || val > SIZE_LIMIT)
		goto bad;
	*size = val;
	return 0;
bad:
	return refuse(p, arg, "a size of at most 1024M");
}

static int parse_count(const struct parser *p, const char *arg, long min,
		       long *count)
{
	char *end;

	errno = 0;
	*count = strtol(arg, &end, 10);
	if (end == arg || *end || errno || *count < min || *count > 1000000000)
		return refuse(p, arg, min ? "a positive number" : "a number");
	return 0;
}

static int parse_range(const struct parser *p, char *arg, struct options *opt)
{
	char *colon = strchr(arg, ':');

	opt->min = 0;
	if (colon) {
		*colon = '\0';
		if (parse_size(p, arg, &opt->min))
			return -1;
		arg = colon + 1;
	}
	if (parse_size(p, arg, &opt->max))
		return -1;
	if (opt->min > opt->max)
		return refuse(p, arg, "MIN:MAX with MIN <= MAX");
	return 0;
}

static int parse_tables(const struct parser *p, const char *arg,
			struct options *opt)
{
	int all = !strcmp(arg, "all");

	opt->latency = all || !strcmp(arg, "lat");
	opt->bandwidth = all || !strcmp(arg, "bw");
	opt->rate = all || !strcmp(arg, "rate");
	if (!opt->latency && !opt->bandwidth && !opt->rate)
		return refuse(p, arg, "lat, bw, rate or all");
	return 0;
}

static int parse_small(const struct parser *p, const char *arg, long min,
		       long max, int *out)
{
	long val;

	if (parse_count(p, arg, min, &val))
		return -1;
	if (val > max)
		return refuse(p, arg, max == 1 ? "0 or 1" : "at most 4096");
	*out = (int)val;
	return 0;
}

static int parse_one(const struct parser *p, char *arg, struct options *opt)
{
	switch (p->opt) {
	case 't':
		return parse_tables(p, arg, opt);
	case 'm':
		return parse_range(p, arg, opt);
	case 'i':
		return parse_count(p, arg, 1, &opt->iterations);
	case 'w':
		return parse_count(p, arg, 0, &opt->warmup);
	case 'l':
		return parse_count(p, arg, 1, &opt->limit);
	case 'r':
		return parse_small(p, arg, 1, 4096, &opt->batches);
	case 'b':
		return parse_small(p, arg, 1, 4096, &opt->buffers);
	case 'c':
		return parse_small(p, arg, 0, 1, &opt->check);
	case 'n':
		return parse_count(p, arg, 1, &opt->count);
	case 's':
		return parse_size(p, arg, &opt->size);
	default:
		return -1;	/* getopt() has named it */
	}
}

int options_parse(struct options *opt, int argc, char **argv, int verbose)
{
	struct parser p = { .verbose = verbose };

	*opt = (struct options){
		.max = 4 << 20, .iterations = 10000, .warmup = -1,
		.latency = 1, .bandwidth = 1, .rate = 1, .check = 1, .buffers = 1, .batches = 1,
		.size = 8,
	};
	opterr = verbose;
	while ((p.opt = getopt(argc, argv, "t:m:i:w:l:r:b:c:n:s:h")) != -1) {
		if (p.opt == 'h') {
			if (verbose)
				fputs(usage, stdout);
			return 1;
		}
		if (parse_one(&p, optarg, opt))
			return -1;
	}
	if (optind < argc) {
		if (verbose)
			fprintf(stderr, "pingpong: unexpected \"%s\"\n",
				argv[optind]);
		return -1;
	}
	if (opt->warmup < 0)
		opt->warmup = opt->iterations / 10;
	return 0;
}
