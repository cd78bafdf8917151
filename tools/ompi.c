/* SPDX-License-Identifier: BSD-3-Clause */
/* ompi.c - would mpirun of this shell use the BTL, and if not why? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "info.h"
#include "report.h"

#define ASK	"ompi_info --parsable --param all all --level 9 2>/dev/null"
/* as mpirun's processes see it, who may have another component path */
#define ASK_JOB	"OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 " \
		"timeout 60 mpirun -n 1 " ASK " </dev/null"

struct answer {
	bool		given;
	bool		component;	/* it is in the list */
	char		running[32];	/* version of Open MPI */
	char		path[512];
	char		btl[256];	/* what is selected */
	char		pml[64];
	char		port[16];
	unsigned int	exclusivity;
	unsigned int	other;		/* exclusivity of vader or sm */
};

/* The value behind @key, if the line has it. */
static const char *value_of(const char *line, const char *key)
{
	size_t len = strlen(key);

	return strncmp(line, key, len) ? NULL : line + len;
}

static void take(const char *line, const char *key, char *to, size_t size)
{
	const char *value = value_of(line, key);
	size_t len;

	if (!value)
		return;
	value += *value == '"';
	len = strcspn(value, "\"\n");
	snprintf(to, size, "%.*s", (int)len, value);
}

static void take_number(const char *line, const char *key, unsigned int *to)
{
	const char *value = value_of(line, key);

	if (value)
		*to = strtoul(value, NULL, 10);
}

#define PARAM(framework, component, name) \
	"mca:" framework ":" component ":param:" name ":value:"

static void take_line(const char *line, struct answer *a)
{
	a->component |= !!value_of(line, "mca:btl:xpmem_numa:");
	take(line, "mca:btl:self:version:\"component:", a->running,
	     sizeof(a->running));
	take(line, PARAM("mca", "base", "mca_base_component_path"), a->path,
	     sizeof(a->path));
	take(line, PARAM("btl", "base", "btl"), a->btl, sizeof(a->btl));
	take(line, PARAM("pml", "base", "pml"), a->pml, sizeof(a->pml));
	take(line, PARAM("btl", "xpmem_numa", "btl_xpmem_numa_port"), a->port,
	     sizeof(a->port));
	take_number(line, PARAM("btl", "xpmem_numa",
				"btl_xpmem_numa_exclusivity"),
		    &a->exclusivity);
	take_number(line, PARAM("btl", "vader", "btl_vader_exclusivity"),
		    &a->other);
	take_number(line, PARAM("btl", "sm", "btl_sm_exclusivity"), &a->other);
}

static void ask(const char *command, struct answer *a)
{
	char line[1024];
	FILE *f = popen(command, "r");

	memset(a, 0, sizeof(*a));
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		a->given = true;
		take_line(line, a);
	}
	pclose(f);
}

static bool is_built_for(const char *running)
{
	size_t len = strlen(OMPI_SERIES);

	return !strncmp(running, OMPI_SERIES, len) && running[len] == '.';
}

/* Is @name a word of a selection; those behind ^ are left out. */
static bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name), n;

	for (list += *list == '^'; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == len && !strncmp(list, name, n))
			return true;
	}
	return false;
}

static bool is_selected(const char *list, const char *name)
{
	return !*list || (*list == '^') != is_listed(list, name);
}

/* Why a job finds no component; NULL: it does */
static const char *not_found(const struct answer *shell,
			     const struct answer *job)
{
	if (!*OMPI_SERIES)
		return "this xnuma-info was built without Open MPI";
	if (!shell->given)
		return "no ompi_info in PATH answers";
	if (*shell->running && !is_built_for(shell->running))
		return "the component is built for another series of Open MPI";
	if (!shell->component)
		return "ompi_info does not find the component: try "
		       "eval \"$(xpmem-numa-env)\"";
	if (!job->given)
		return "mpirun starts nothing here: try mpirun -n 1 true";
	if (!job->component)
		return "mpirun gives its processes another component path: try "
		       "eval \"$(xpmem-numa-env)\"";
	return NULL;
}

/* Why a job that finds it does without; NULL: it does not */
static const char *not_used(const struct answer *job, bool usable)
{
	bool named = *job->btl != '^' && is_listed(job->btl, "xpmem_numa");

	if (!is_selected(job->btl, "xpmem_numa"))
		return "the parameter btl leaves it out";
	if (!is_selected(job->pml, "ob1"))
		return "the parameter pml leaves out ob1, which BTLs serve";
	if (!strcmp(job->port, "kmod") && !usable)
		return "the port is kmod, which cannot be used: jobs end";
	if (!usable && !named)
		return "without the module it is used only if btl names it";
	if (!strcmp(job->port, "user") && !named)
		return "with the port user it is used only if btl names it";
	if (job->exclusivity < job->other)
		return "its exclusivity is below that of vader or sm";
	return NULL;
}

bool info_ompi(bool usable)
{
	struct answer shell, job;
	const char *why;

	ask(ASK, &shell);
	ask(ASK_JOB, &job);
	why = not_found(&shell, &job);
	if (!why)
		why = not_used(&job, usable);
	report_open("ompi");
	report_flag("used", !why);
	if (why)
		report_text("reason", why);
	report_text("built_for", OMPI_SERIES);
	report_text("running", shell.running);
	report_flag("found", shell.component);
	report_flag("found_in_job", job.component);
	report_text("component_path", job.path);
	report_text("btl", job.btl);
	report_text("pml", job.pml);
	report_text("btl_port", job.port);
	report_number("exclusivity", job.exclusivity);
	report_number("sm_exclusivity", job.other);
	report_close();
	return !why;
}
