/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * threads_pthreads_mutex.h - what opal/mca/threads/mutex.h of 5.0 wants
 *
 * Stands in for a header that some packages name but lack; see configure. An
 * opal_mutex_t is part of what the process shares with us, so the type must
 * have the size it has there: component.c asks the process.
 */
#ifndef THREADS_PTHREADS_MUTEX_H
#define THREADS_PTHREADS_MUTEX_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "opal/class/opal_object.h"
#include "opal/constants.h"

typedef pthread_mutex_t opal_thread_internal_mutex_t;
typedef pthread_cond_t opal_thread_internal_cond_t;

#define OPAL_THREAD_INTERNAL_MUTEX_INITIALIZER	PTHREAD_MUTEX_INITIALIZER
#define OPAL_THREAD_INTERNAL_COND_INITIALIZER	PTHREAD_COND_INITIALIZER
#ifdef PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP
#define OPAL_THREAD_INTERNAL_RECURSIVE_MUTEX_INITIALIZER \
	PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP
#endif

static inline int
opal_thread_internal_mutex_init(opal_thread_internal_mutex_t *mutex,
				bool recursive)
{
	pthread_mutexattr_t attr;
	int ret;

	if (pthread_mutexattr_init(&attr))
		return OPAL_ERR_OUT_OF_RESOURCE;
	if (recursive)
		pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	ret = pthread_mutex_init(mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	return ret ? OPAL_ERR_OUT_OF_RESOURCE : OPAL_SUCCESS;
}

static inline void
opal_thread_internal_mutex_lock(opal_thread_internal_mutex_t *mutex)
{
	pthread_mutex_lock(mutex);
}

/* Return: 0, or not when somebody holds it */
static inline int
opal_thread_internal_mutex_trylock(opal_thread_internal_mutex_t *mutex)
{
	return pthread_mutex_trylock(mutex) ? 1 : 0;
}

static inline void
opal_thread_internal_mutex_unlock(opal_thread_internal_mutex_t *mutex)
{
	pthread_mutex_unlock(mutex);
}

static inline void
opal_thread_internal_mutex_destroy(opal_thread_internal_mutex_t *mutex)
{
	pthread_mutex_destroy(mutex);
}

static inline int opal_thread_internal_cond_init(opal_thread_internal_cond_t *cond)
{
	return pthread_cond_init(cond, NULL) ? OPAL_ERR_OUT_OF_RESOURCE :
					       OPAL_SUCCESS;
}

static inline void
opal_thread_internal_cond_wait(opal_thread_internal_cond_t *cond,
			       opal_thread_internal_mutex_t *mutex)
{
	pthread_cond_wait(cond, mutex);
}

static inline void
opal_thread_internal_cond_broadcast(opal_thread_internal_cond_t *cond)
{
	pthread_cond_broadcast(cond);
}

static inline void
opal_thread_internal_cond_signal(opal_thread_internal_cond_t *cond)
{
	pthread_cond_signal(cond);
}

static inline void
opal_thread_internal_cond_destroy(opal_thread_internal_cond_t *cond)
{
	pthread_cond_destroy(cond);
}

#endif /* THREADS_PTHREADS_MUTEX_H */
