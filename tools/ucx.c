/* SPDX-License-Identifier: BSD-3-Clause */
/* ucx.c - would UCX in this shell use the transport, and if not why? */
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "info.h"
#include "report.h"

/* Version, configuration and transports; the loader must not be sh's as well. */
#define ASK	"timeout 60 ucx_info -v -c -d 2>&1 </dev/null"
#define ASK_PRELOADED	"LD_PRELOAD=\"$XNUMA_UCX_LOADER${LD_PRELOAD:+:$LD_PRELOAD}\" " \
			"exec " ASK

struct answer {
	char		running[32];	/* version of UCX */
	char		tls[512];	/* UCX_TLS, of the environment or a file */
	char		port[16];	/* UCX_XPMEM_NUMA_PORT */
	bool		transport;	/* it is in the list */
	char		refusal[512];	/* of the loader */
	char		failure[256];	/* of the transport itself */
};

/* How a list of transports has ours */
enum naming {
	OTHERS,
	EXCLUDED,
	AUXILIARY,
	ALL,
	NAMED,
};

static const char *behind(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? at + strlen(key) : NULL;
}

/* What stands behind @key up to a character of @end; the first one counts. */
static void take(const char *line, const char *key, const char *end, char *to,
		 size_t size)
{
	const char *value = behind(line, key);

	if (value && !*to)
		snprintf(to, size, "%.*s", (int)strcspn(value, end), value);
}

static void take_line(const char *line, struct answer *a)
{
	take(line, "# Version ", " \n", a->running, sizeof(a->running));
	take(line, "# Library version: ", " \n", a->running, sizeof(a->running));
	take(line, "xpmem_numa: not used: ", "\n", a->failure,
	     sizeof(a->failure));
	if (behind(line, "the transport for UCX is not used"))
		take(line, "xpmem_numa: ", ";\n", a->refusal,
		     sizeof(a->refusal));
	if (!strncmp(line, "UCX_TLS=", 8))
		take(line, "=", "\n", a->tls, sizeof(a->tls));
	if (behind(line, "UCX_XPMEM_NUMA_PORT="))
		take(line, "=", "\n", a->port, sizeof(a->port));
	a->transport |= !!behind(line, "Transport: xpmemnuma");
}

static void ask(const char *command, struct answer *a)
{
	char line[1024];
	FILE *f;

	memset(a, 0, sizeof(*a));
	setenv("UCX_LOG_LEVEL", "diag", 1);
	f = popen(command, "r");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		take_line(line, a);
	pclose(f);
}

/* The loader, for ASK_PRELOADED as well */
static const char *loader_path(void)
{
	if (!getenv("XNUMA_UCX_LOADER"))
		setenv("XNUMA_UCX_LOADER", UCX_LOADER, 1);
	return getenv("XNUMA_UCX_LOADER");
}

static bool is_ours(const char *word, size_t len)
{
	return (len == 10 && !memcmp(word, "xpmem_numa", len)) ||
	       (len == 9 && !memcmp(word, "xpmemnuma", len));
}

static enum naming naming(const char *list)
{
	const bool excludes = *list == '^';
	enum naming best = OTHERS, is;
	const char *word;
	size_t n, len;

	for (word = list + excludes; *word; word += n + (word[n] == ',')) {
		n = strcspn(word, ",");
		if (*word == '\\' && n) {
			word++;
			n--;
		}
		len = strcspn(word, ":,");
		if (len == 3 && !memcmp(word, "all", len))
			is = ALL;
		else if (is_ours(word, len))
			is = n > len ? AUXILIARY : NAMED;
		else
			continue;
		best = is > best ? is : best;
	}
	if (excludes)
		return best == OTHERS ? ALL : EXCLUDED;
	return *list ? best : ALL;
}

/* Why UCX does not have it, even by the loader; NULL: it has */
static const char *not_there(const struct answer *a)
{
	if (!*a->running)
		return "ucx_info ends when the loader is preloaded";
	if (*a->refusal)
		return a->refusal;
	if (*a->failure)
		return a->failure;
	return a->transport ? NULL : "the loader is missing: see the key loader";
}

/* NULL: it is used */
static const char *not_used(const struct answer *shell,
			    const struct answer *preloaded)
{
	enum naming tls = naming(shell->tls);
	const char *why;

	if (!*shell->running)
		return "no ucx_info in PATH answers";
	why = shell->transport ? NULL : not_there(preloaded);
	if (why)
		return why;
	if (tls == OTHERS || tls == EXCLUDED)
		return "UCX_TLS leaves it out";
	if (tls == AUXILIARY)
		return "UCX_TLS has it for connecting only (:aux)";
	if (!shell->transport)
		return "nothing loads it: try xpmem-numa-run; in Open MPI the "
		       "hook does if UCX_TLS names it";
	return NULL;
}

/* ucx-SERIES.so where the loader looks first, which is beside itself */
static void report_builds(const char *loader)
{
	static const char *const patterns[] = {
		"%s/xpmem_numa/ucx-*.so", "%s/ucx-*.so",
	};
	char pattern[4096], *path = realpath(loader, NULL), *name;
	const char *folder = path ? dirname(path) : NULL;
	glob_t found = { .gl_pathc = 0 };
	size_t i;

	for (i = 0; folder && i < 2 && !found.gl_pathc; i++) {
		snprintf(pattern, sizeof(pattern), patterns[i], folder);
		glob(pattern, 0, NULL, &found);
	}
	report_open_values("builds");
	for (i = 0; i < found.gl_pathc; i++) {
		name = strrchr(found.gl_pathv[i], '-') + 1;
		name[strlen(name) - strlen(".so")] = '\0';
		report_text(NULL, name);
	}
	report_close_values();
	globfree(&found);
	free(path);
}

bool info_ucx(void)
{
	const char *loader = loader_path(), *why;
	struct answer shell, preloaded;

	ask(ASK, &shell);
	ask(ASK_PRELOADED, &preloaded);
	why = not_used(&shell, &preloaded);
	report_open("ucx");
	report_flag("used", !why);
	if (why)
		report_text("reason", why);
	report_text("running", shell.running);
	report_text("loader", loader);
	report_builds(loader);
	report_flag("found", shell.transport);
	report_flag("found_by_loader", preloaded.transport);
	report_text("tls", shell.tls);
	report_text("ucx_port", preloaded.port);
	report_close();
	return !why;
}
