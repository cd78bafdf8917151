/* SPDX-License-Identifier: BSD-3-Clause */
/* loader.h - what lets any series of UCX find the transport */
#ifndef UCX_LOADER_H
#define UCX_LOADER_H

#include <stdbool.h>

#define PATH_SIZE	4096

/*
 * The build for @series, as seen from the loader's @folder: its path is in
 * @path, of PATH_SIZE bytes.
 */
bool build_find(const char *folder, const char *series, char *path);

/* All series that there are builds for, in @list of PATH_SIZE bytes; any? */
bool build_list(const char *folder, char *list);

void alias_rewrite(void);

#endif
