/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arena.h"
#include "config.h"
#include "error.h"

#define WINDOW_LIMIT	(16ULL << 40)	/* most that is taken unasked */
#define WINDOW_SIZE	(64ULL << 30)
#define WINDOW_MIN	(64ULL << 10)
#define SHARE_MIN	(64ULL << 10)
#define WINDOWS		16	/* windows that should fit into the limit */

struct word {
	const char *name;
	int value;
};

static const struct word ports[] = {
	{ "auto", XNUMA_PORT_AUTO },
	{ "kmod", XNUMA_PORT_KMOD },
	{ "user", XNUMA_PORT_USER },
	{ NULL, 0 },
};

static const struct word policies[] = {
	{ "all", XNUMA_EXPORT_ALL },
	{ "buffers", XNUMA_EXPORT_BUFFERS },
	{ "none", XNUMA_EXPORT_NONE },
	{ NULL, 0 },
};

static int parse_word(const char *text, const struct word *words, uint64_t *out)
{
	for (; words->name; words++) {
		if (!strcmp(text, words->name)) {
			*out = words->value;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_size(const char *text, const struct word *words, uint64_t *out)
{
	static const char units[] = "KMGT";
	unsigned long long value;
	const char *unit = NULL;
	unsigned int shift = 0;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end)
		unit = strchr(units, *end & ~0x20);
	if (*end && (!unit || end[1]))
		return -EINVAL;
	if (unit)
		shift = 10 * (unit - units + 1);
	if (errno || value << shift >> shift != value)
		return -EINVAL;
	*out = value << shift;
	return 0;
}

typedef int (*parse)(const char *text, const struct word *words, uint64_t *out);

/* *@out changes only when the variable is set and valid. */
static int environment(const char *name, parse parse, const struct word *words,
		       uint64_t *out)
{
	const char *text = getenv(name);

	if (!text || !*text || !parse(text, words, out))
		return 0;
	return error(-EINVAL, "%s has no valid value: \"%s\"", name, text);
}

static void config_defaults(struct xnuma_config *config)
{
	memset(config, 0, sizeof(*config));
	config->mode = 0600;
	config->gid = (gid_t)-1;
	config->name = getpid();
	config->ring_size = 64 << 10;
	config->max_rings = 64;
	config->share_min = SHARE_MIN;
	config->node = -1;
}

int xnuma_config_init(struct xnuma_config *config)
{
	uint64_t port = XNUMA_PORT_AUTO, policy = XNUMA_EXPORT_ALL;
	uint64_t ring, rings, share, limit = 0, size = 0;
	int ret;

	config_defaults(config);
	ring = config->ring_size;
	rings = config->max_rings;
	share = config->share_min;
	if ((ret = environment("XNUMA_PORT", parse_word, ports, &port)) ||
	    (ret = environment("XNUMA_EXPORT", parse_word, policies,
			       &policy)) ||
	    (ret = environment("XNUMA_RING_SIZE", parse_size, NULL, &ring)) ||
	    (ret = environment("XNUMA_MAX_RINGS", parse_size, NULL, &rings)) ||
	    (ret = environment("XNUMA_SHARE_MIN", parse_size, NULL, &share)) ||
	    (ret = environment("XNUMA_WINDOW_LIMIT", parse_size, NULL,
			       &limit)) ||
	    (ret = environment("XNUMA_WINDOW_SIZE", parse_size, NULL, &size)))
		return ret;
	if (rings > CONFIG_MAX_RINGS)
		return error(-EINVAL, "XNUMA_MAX_RINGS is above %u",
			     CONFIG_MAX_RINGS);
	config->port = port;
	config->policy = policy;
	config->ring_size = ring;
	config->max_rings = rings;
	config->share_min = share;
	config->window_limit = limit;
	config->window_size = size;
	return 0;
}

static bool power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

static int config_check(const struct xnuma_config *config)
{
	const unsigned int flags = XNUMA_SINGLE_THREAD | XNUMA_SLEEPS |
				   XNUMA_SHARES;

	if (config->port > XNUMA_PORT_USER ||
	    config->policy > XNUMA_EXPORT_NONE || config->flags & ~flags)
		return error(-EINVAL, "port, policy or flags out of range");
	if (config->mode & ~0666)
		return error(-EINVAL, "mode %#o has bits beyond 0666",
			     config->mode);
	if (!power_of_two(config->ring_size) || config->ring_size < 4 << 10 ||
	    config->ring_size > 16 << 20)
		return error(-EINVAL, "ring_size %zu is no power of two from "
			     "4 KiB to 16 MiB", config->ring_size);
	if (!config->max_rings || config->max_rings > CONFIG_MAX_RINGS)
		return error(-EINVAL, "max_rings %u is not from 1 to %u",
			     config->max_rings, CONFIG_MAX_RINGS);
	if (config->window_size && (!power_of_two(config->window_size) ||
				    config->window_size < WINDOW_MIN))
		return error(-EINVAL, "window_size %zu is no power of two from "
			     "64 KiB", config->window_size);
	if (config->window_limit && config->window_limit < WINDOW_MIN)
		return error(-EINVAL, "window_limit %zu is below 64 KiB",
			     config->window_limit);
	return 0;
}

static uint64_t window_limit(void)
{
	uint64_t limit = WINDOW_LIMIT;
	struct rlimit as;

	if (!getrlimit(RLIMIT_AS, &as) && as.rlim_cur != RLIM_INFINITY &&
	    as.rlim_cur / 4 < limit)
		limit = as.rlim_cur / 4;
	if (limit > arena_size() / 4 * 3)
		limit = arena_size() / 4 * 3;
	return limit > WINDOW_MIN ? limit : WINDOW_MIN;
}

/* The largest power of two of which WINDOWS fit, else the smallest allowed. */
static uint64_t window_size(uint64_t limit)
{
	uint64_t size = WINDOW_SIZE;

	while (size > WINDOW_MIN && size > limit / WINDOWS)
		size /= 2;
	return size;
}

int config_settle(struct xnuma_config *config)
{
	int ret = config_check(config);

	if (ret)
		return ret;
	if (!config->window_limit)
		config->window_limit = window_limit();
	if (!config->window_size)
		config->window_size = window_size(config->window_limit);
	if (config->window_size > config->window_limit)
		return error(-EINVAL, "window_size %zu is above window_limit "
			     "%zu", config->window_size, config->window_limit);
	if (!config->mode)
		config->mode = 0600;
	if (config->gid == (gid_t)-1)
		config->gid = getegid();
	return 0;
}
