/* SPDX-License-Identifier: BSD-3-Clause */
/* process.c - what the open files of a process say of themselves */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "info.h"
#include "report.h"

#define DEVICE "xpmem_numa"

static bool is_device(pid_t pid, const char *fd)
{
	char path[64], target[256];
	ssize_t len, tail = strlen(DEVICE);

	snprintf(path, sizeof(path), "/proc/%d/fd/%.20s", pid, fd);
	len = readlink(path, target, sizeof(target));
	return len >= tail && !memcmp(target + len - tail, DEVICE, tail);
}

static const char *state_name(unsigned long state)
{
	static const char *const names[] = {
		"active", "owner_gone", "revoked", "partition_lost",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] :
							  "unknown";
}

/* What is not a counter has a meaning of its own. */
static bool report_field(const char *key, const char *value)
{
	unsigned long number = strtoul(value, NULL, 10);

	if (!strcmp(key, "range")) {
		report_text(key, value);
	} else if (!strcmp(key, "rights")) {
		report_text(key, number & 2 ? "rw" : "r");
	} else if (!strcmp(key, "state")) {
		report_text(key, state_name(number));
	} else if (!strcmp(key, "id")) {
		report_text(key, value);
	} else if (!strcmp(key, "number") || !strcmp(key, "owner")) {
		report_number(key, number);
	} else {
		return false;
	}
	return true;
}

/* "HANDLE key value key value ...": fields first, then counters. */
static void report_object(const char *fd, char *line)
{
	char *rest = line, *key, *value = strsep(&rest, " \n");
	bool counters = false;

	report_open(NULL);
	report_number("fd", strtoul(fd, NULL, 10));
	report_number("handle", strtoul(value, NULL, 10));
	while ((key = strsep(&rest, " \n")) && *key &&
	       (value = strsep(&rest, " \n"))) {
		if (!counters && report_field(key, value))
			continue;
		if (!counters)
			report_open("counters");
		counters = true;
		report_number(key, strtoull(value, NULL, 10));
	}
	if (counters)
		report_close();
	report_close();
}

static void report_file(pid_t pid, const char *fd, const char *kind)
{
	char path[64], *line = NULL;
	size_t size = 0, len = strlen(kind);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.20s", pid, fd);
	f = fopen(path, "r");
	while (f && getline(&line, &size, f) > 0)
		if (!strncmp(line, kind, len))
			report_object(fd, line + len);
	free(line);
	if (f)
		fclose(f);
}

static int report_files(pid_t pid, const char *key, const char *kind)
{
	char path[32];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	report_open_list(key);
	while ((entry = readdir(dir)))
		if (is_device(pid, entry->d_name))
			report_file(pid, entry->d_name, kind);
	report_close_list();
	closedir(dir);
	return 0;
}

int info_process(pid_t pid)
{
	int ret;

	report_open("process");
	report_number("pid", pid);
	ret = report_files(pid, "exports", "export: ");
	if (!ret)
		ret = report_files(pid, "imports", "import: ");
	report_close();
	return ret;
}
