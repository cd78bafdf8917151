// SPDX-License-Identifier: BSD-3-Clause
/*
 * loader.c - libuct_xpmemnuma.so.0: loads the build for the UCX that is running
 *
 * The internal tables of UCX differ between series: a build for another one
 * would crash, or not show the transport and not say why. So this knows nothing
 * of UCX but how to ask for its version. The builds are ucx-SERIES.so
 *
 *	LIBDIR/xpmem_numa/	beside where this lies, links resolved, or
 *	LIBDIR/			as in the build tree, or
 *	where they were to be installed, when this is a copy elsewhere
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

typedef void (*get_version)(unsigned int *major, unsigned int *minor,
			    unsigned int *release);

static void refuse(const char *why, const char *what)
{
	fprintf(stderr, "xpmem_numa: %s%s; the transport for UCX is not used\n",
		why, what);
}

/* The folder of the file that @symbol is in, with the slash behind it. */
static bool folder_of(const void *symbol, char *folder, size_t size)
{
	char *path, *end;
	Dl_info info;
	bool fits;

	if (!dladdr(symbol, &info))
		return false;
	path = realpath(info.dli_fname, NULL);
	if (!path)
		return false;
	end = strrchr(path, '/') + 1;
	*end = '\0';
	fits = (size_t)snprintf(folder, size, "%s", path) < size;
	free(path);
	return fits;
}

/* That of the libuct in use; else what a program would get. */
static void *libucp(void)
{
	void *lib = dlopen("libucp.so.0", RTLD_LAZY | RTLD_NOLOAD), *uct;
	char path[PATH_SIZE];
	void *symbol;

	if (lib)
		return lib;
	uct = dlopen("libuct.so.0", RTLD_LAZY | RTLD_NOLOAD);
	symbol = uct ? dlsym(uct, "uct_component_register") : NULL;
	if (symbol && folder_of(symbol, path, sizeof(path) - 16))
		lib = dlopen(strcat(path, "libucp.so.0"), RTLD_LAZY);
	return lib ? lib : dlopen("libucp.so.0", RTLD_LAZY);
}

/* "1.13". With the reference kept, what we load stays with that series. */
static bool running(char *series, size_t size)
{
	unsigned int major, minor, release;
	void *lib = libucp();
	get_version ask = lib ? (get_version)dlsym(lib, "ucp_get_version") : NULL;

	if (!ask)
		return false;
	ask(&major, &minor, &release);
	snprintf(series, size, "%u.%u", major, minor);
	return true;
}

static void load(const char *path, const char *series)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const char *built;
	void (*begin)(void);

	if (!lib) {
		refuse("", dlerror());
		return;
	}
	built = dlsym(lib, "xpmem_numa_ucx_series");
	begin = (void (*)(void))dlsym(lib, "xpmem_numa_ucx_register");
	if (built && begin && !strcmp(built, series))
		begin();
	else
		refuse(path, " is not what its name says");
}

static void __attribute__((constructor)) loader(void)
{
	char series[32], folder[PATH_SIZE], path[PATH_SIZE], text[256];

	alias_rewrite();
	if (!running(series, sizeof(series))) {
		refuse("libucp.so.0 is missing or tells no version", "");
		return;
	}
	if (!folder_of((void *)loader, folder, sizeof(folder)))
		*folder = '\0';
	if (build_find(folder, series, path)) {
		load(path, series);
		return;
	}
	snprintf(text, sizeof(text), "UCX %s is running, but there %s ", series,
		 build_list(folder, path) ? "are builds only for" : "is");
	refuse(text, *path ? path : "no build for any");
}
