// SPDX-License-Identifier: BSD-3-Clause
/*
 * early.c - libucs_xpmemnuma.so.0: the word xpmem_numa for UCX 1.22 and newer
 *
 * There a transport may be a plugin, which is loaded when UCX_TLS has been read.
 * Plugins of the framework ucs come with the library itself, in time.
 */
#include "loader.h"

static void __attribute__((constructor)) early(void)
{
	alias_rewrite();
}
