/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compat_series.h - is this process of the Open MPI that we were built for?
 *
 * Open MPI's loader compares the version of its own interface only, which is
 * the same in 4.1 and 5.0.
 */
#ifndef OMPI_COMPAT_SERIES_H
#define OMPI_COMPAT_SERIES_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "opal_config.h"
#include "opal/runtime/opal.h"
#if OPAL_MAJOR_VERSION < 5
#include "opal/threads/mutex.h"
#else
#include "opal/mca/threads/mutex.h"
#endif

#define SERIES_TEXT(major, minor)	SERIES_TEXT_(major, minor)
#define SERIES_TEXT_(major, minor)	#major "." #minor
#define SERIES_BUILT	SERIES_TEXT(OPAL_MAJOR_VERSION, OPAL_MINOR_VERSION)

/*
 * A mutex is part of objects that the process and a component share, and its
 * type may come from our headers.
 */
static inline bool series_is_ours(void)
{
	const char *running = opal_version_string;
	int major, minor;

	running += strcspn(running, "0123456789");
	return sscanf(running, "%d.%d", &major, &minor) == 2 &&
	       major == OPAL_MAJOR_VERSION && minor == OPAL_MINOR_VERSION &&
	       opal_mutex_t_class.cls_sizeof == sizeof(opal_mutex_t);
}

#endif /* OMPI_COMPAT_SERIES_H */
