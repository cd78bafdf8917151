/* SPDX-License-Identifier: BSD-3-Clause */
/* threads_pthreads_threads.h - what opal/mca/threads/threads.h of 5.0 wants */
#ifndef THREADS_PTHREADS_THREADS_H
#define THREADS_PTHREADS_THREADS_H

#include <pthread.h>
#include <sched.h>

static inline void opal_thread_yield(void)
{
	sched_yield();
}

#endif /* THREADS_PTHREADS_THREADS_H */
