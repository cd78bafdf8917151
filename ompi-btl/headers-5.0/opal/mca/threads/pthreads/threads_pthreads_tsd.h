/* SPDX-License-Identifier: BSD-3-Clause */
/* threads_pthreads_tsd.h - what opal/mca/threads/tsd.h of 5.0 wants */
#ifndef THREADS_PTHREADS_TSD_H
#define THREADS_PTHREADS_TSD_H

#include <pthread.h>

#include "opal/constants.h"

typedef pthread_key_t opal_tsd_key_t;

static inline int opal_tsd_key_delete(opal_tsd_key_t key)
{
	return pthread_key_delete(key) ? OPAL_ERROR : OPAL_SUCCESS;
}

static inline int opal_tsd_set(opal_tsd_key_t key, void *value)
{
	return pthread_setspecific(key, value) ? OPAL_ERROR : OPAL_SUCCESS;
}

static inline int opal_tsd_get(opal_tsd_key_t key, void **value)
{
	*value = pthread_getspecific(key);
	return OPAL_SUCCESS;
}

#endif /* THREADS_PTHREADS_TSD_H */
