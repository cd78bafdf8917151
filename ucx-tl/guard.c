// SPDX-License-Identifier: BSD-3-Clause
/*
 * guard.c - is the running UCX of the series that this was built for?
 *
 * Its internal tables differ between series: another one would crash, or not
 * show the transport and not say why. Only libucp tells its version; whoever
 * uses UCX has it loaded, or is about to.
 */
#include <dlfcn.h>
#include <stdio.h>

#include "component.h"

#include <uct/api/version.h>

typedef void (*get_version)(unsigned int *major, unsigned int *minor,
			    unsigned int *release);

static bool version(unsigned int *major, unsigned int *minor)
{
	void *lib = dlopen("libucp.so.0", RTLD_LAZY | RTLD_LOCAL);
	unsigned int release;
	get_version ask;

	if (!lib)
		return false;
	ask = (get_version)dlsym(lib, "ucp_get_version");
	if (ask)
		ask(major, minor, &release);
	/* with the reference kept, what we link with stays of that series */
	return ask;
}

bool guard_series(void)
{
	unsigned int major, minor;

	if (!version(&major, &minor)) {
		fprintf(stderr, "xpmem_numa: libucp.so.0 is missing or tells no "
			"version; the transport is not used\n");
		return false;
	}
	if (major == UCT_VERNO_MAJOR && minor == UCT_VERNO_MINOR)
		return true;
	fprintf(stderr, "xpmem_numa: built for UCX %d.%d, but %u.%u is running; "
		"the transport is not used\n", UCT_VERNO_MAJOR,
		UCT_VERNO_MINOR, major, minor);
	return false;
}
