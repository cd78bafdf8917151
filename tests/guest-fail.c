/* SPDX-License-Identifier: BSD-3-Clause */
/* guest-fail.c - see guest-fail.h. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest-fail.h"

static int nth_fd = -1;

static const char *const kinds[] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

static void attribute_set(const char *kind, const char *name, int value)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, name);
	f = fopen(path, "w");
	if (!f)
		return;		/* not every kind has every attribute */
	fprintf(f, "%d\n", value);
	fclose(f);
}

static int attribute_get(const char *kind, const char *name)
{
	char path[100];
	int value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, name);
	f = fopen(path, "r");
	if (f && fscanf(f, "%d", &value) != 1)
		value = -1;
	if (f)
		fclose(f);
	return value;
}

bool fail_open(void)
{
	size_t i;

	close(nth_fd);
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		return false;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		attribute_set(kinds[i], "task-filter", 1);
		attribute_set(kinds[i], "verbose", 0);
		attribute_set(kinds[i], "ignore-gfp-wait", 0);
		attribute_set(kinds[i], "ignore-gfp-highmem", 0);
		attribute_set(kinds[i], "min-order", 0);
	}
	return true;
}

void fail_arm(int n)
{
	char text[12];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(nth_fd, text, (size_t)len, 0) != len)
		abort();
}

bool fail_disarm(void)
{
	char text[12] = "";
	ssize_t got = pread(nth_fd, text, sizeof(text) - 1, 0);

	/* Reading is a user copy, too: that it fails says that nothing had. */
	if (got < 0)
		return false;
	if (!atoi(text))
		return true;
	/* ... and so is writing, which fails when it was the last one. */
	if (pwrite(nth_fd, "0", 1, 0) != 1)
		fail_arm(0);
	return false;
}

static void make_it_fail(const char *pid, int fail)
{
	char path[300], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "r");
	if (!f)
		return;
	if (!fgets(comm, sizeof(comm), f) || strncmp(comm, "kworker/u", 9))
		comm[0] = '\0';
	fclose(f);
	snprintf(path, sizeof(path), "/proc/%s/make-it-fail", pid);
	f = comm[0] ? fopen(path, "w") : NULL;
	if (!f)
		return;
	fprintf(f, "%d\n", fail);
	fclose(f);
}

int fail_workers(int percent, int times)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	int left = 0;
	size_t i;

	for (i = 0; i < 2; i++) {
		left += attribute_get(kinds[i], "times");
		attribute_set(kinds[i], "times", percent ? times : -1);
		attribute_set(kinds[i], "probability", percent);
	}
	while (dir && (d = readdir(dir)))
		if (atoi(d->d_name))
			make_it_fail(d->d_name, percent != 0);
	if (dir)
		closedir(dir);
	return left;
}
