// SPDX-License-Identifier: BSD-3-Clause
/* builds.c - the builds of the transport, one file for each series of UCX */
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"

static const char *const folders[] = {
	"%sxpmem_numa/ucx-%s.so",
	"%sucx-%s.so",
	"%.0s" BUILDS_DIR "/ucx-%s.so",
};

#define NFOLDERS	(sizeof(folders) / sizeof(folders[0]))

bool build_find(const char *folder, const char *series, char *path)
{
	size_t i;

	for (i = 0; i < NFOLDERS; i++) {
		snprintf(path, PATH_SIZE, folders[i], folder, series);
		if (!access(path, F_OK))
			return true;
	}
	return false;
}

/* The series in a path that %s was the pattern * in */
static void list_add(char *list, const char *path)
{
	const char *series = strrchr(path, '-') + 1;
	size_t len = strlen(series) - strlen(".so"), end = strlen(list);

	if (end + len + 3 < PATH_SIZE)
		sprintf(list + end, "%s%.*s", end ? ", " : "", (int)len, series);
}

bool build_list(const char *folder, char *list)
{
	char pattern[PATH_SIZE];
	glob_t found;
	size_t i, n;

	*list = '\0';
	for (i = 0; i < NFOLDERS && !*list; i++) {
		snprintf(pattern, sizeof(pattern), folders[i], folder, "*");
		if (glob(pattern, 0, NULL, &found))
			continue;
		for (n = 0; n < found.gl_pathc; n++)
			list_add(list, found.gl_pathv[n]);
		globfree(&found);
	}
	return *list;
}
