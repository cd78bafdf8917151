/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "info.h"
#include "report.h"
#include "xnuma.h"

#define MODULE		"/sys/module/xpmem_numa"
#define PARAMETERS	MODULE "/parameters/"

/* The first line of a file, "" without one. */
static void read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "r");

	if (!f || !fgets(line, size, f))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void report_features(uint64_t features)
{
	static const char *const names[] = {
		"poison", "deny", "pmd", "partitions",
	};
	size_t i;

	report_open_values("features");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (features >> i & 1)
			report_text(NULL, names[i]);
	report_close_values();
}

static void report_fabric(const uint8_t *fabric, size_t len)
{
	char text[2 * 16 + 1] = "";
	size_t i;

	for (i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", fabric[i]);
	report_text("fabric", text);
}

void info_module(void)
{
	struct xnuma_module module;
	char version[64];
	int ret = xnuma_module_query(&module);

	report_open("module");
	report_flag("present", !access(MODULE, F_OK));
	read_line(MODULE "/version", version, sizeof(version));
	report_text("version", version);
	report_number("library_abi", module.library_abi);
	if (ret) {
		report_text("error", xnuma_error());
	} else {
		report_number("abi", module.abi);
		report_features(module.features);
		report_fabric(module.fabric, sizeof(module.fabric));
		report_number("partition", module.partition);
		report_hex("incarnation", module.incarnation);
	}
	report_close();
}

static void report_rlimit(const char *key, int which)
{
	struct rlimit limit;

	if (getrlimit(which, &limit))
		return;
	if (limit.rlim_cur == RLIM_INFINITY)
		report_text(key, "unlimited");
	else
		report_number(key, limit.rlim_cur);
}

/* Readable without the device, by whoever may not open it. */
void info_limits(void)
{
	static const char *const names[] = {
		"max_exports", "max_imports", "max_windows", "max_granules",
		"max_denials",
	};
	char path[64], value[32];
	unsigned long number;
	size_t i;

	report_open("limits");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), PARAMETERS "%s", names[i]);
		read_line(path, value, sizeof(value));
		if (sscanf(value, "%lu", &number) == 1)
			report_meaning(names[i], number, "set_in", path);
	}
	report_rlimit("RLIMIT_AS", RLIMIT_AS);
	report_rlimit("RLIMIT_MEMLOCK", RLIMIT_MEMLOCK);
	report_close();
}

static void report_counter(void *arg, const char *name, const char *text,
			   uint64_t value)
{
	report_meaning(name, value, "text", text);
}

void info_counters(void)
{
	report_open("counters");
	xnuma_module_stats(report_counter, NULL);
	report_close();
}
