/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "epoch.h"

_Thread_local struct thread *thread_current
	__attribute__((tls_model("initial-exec")));
_Atomic uint64_t epoch_now = 1;
bool epoch_fence = true;

static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static struct thread *_Atomic threads;	/* grows under threads_lock */
static unsigned int nthreads;		/* under threads_lock */
static pthread_key_t thread_key;	/* its destructor sees threads end */
static bool has_key;

static int membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static void thread_unregister(void *arg)
{
	struct thread *thread = arg;

	pthread_mutex_lock(&threads_lock);
	thread_current = NULL;
	thread->used = false;
	pthread_mutex_unlock(&threads_lock);
}

/* epoch_fence is set before any thread can enter and constant from then on. */
static __attribute__((constructor)) void epoch_init(void)
{
	has_key = !pthread_key_create(&thread_key, thread_unregister);
	epoch_fence =
		membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0;
}

static struct thread *thread_unused(void)
{
	struct thread *thread;

	for (thread = atomic_load(&threads); thread; thread = thread->next)
		if (!thread->used)
			return thread;
	thread = aligned_alloc(CACHE_LINE, sizeof(*thread));
	if (!thread)
		return NULL;
	memset(thread, 0, sizeof(*thread));
	thread->number = nthreads++;
	thread->next = atomic_load(&threads);
	atomic_store(&threads, thread);
	return thread;
}

struct thread *thread_register(void)
{
	struct thread *thread;

	pthread_mutex_lock(&threads_lock);
	thread = thread_unused();
	if (thread) {
		thread->used = true;
		thread->error[0] = '\0';
	}
	pthread_mutex_unlock(&threads_lock);
	thread_current = thread;
	if (thread && has_key)
		pthread_setspecific(thread_key, thread);
	return thread;
}

/*
 * A thread that is not seen inside an older section stored its epoch after the
 * barrier, or loaded an epoch that follows the unlinking: both ways its loads
 * come after the unlinking.
 */
void epoch_synchronize(void)
{
	uint64_t now = atomic_fetch_add(&epoch_now, 1) + 1, seen;
	struct thread *thread;

	if (!epoch_fence)
		membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	for (thread = atomic_load(&threads); thread; thread = thread->next) {
		while ((seen = atomic_load(&thread->epoch)) && seen < now)
			sched_yield();
	}
}

void epoch_fork_prepare(void)
{
	pthread_mutex_lock(&threads_lock);
}

void epoch_fork_parent(void)
{
	pthread_mutex_unlock(&threads_lock);
}

void epoch_fork_child(void)
{
	struct thread *thread;

	for (thread = atomic_load(&threads); thread; thread = thread->next) {
		atomic_store(&thread->epoch, 0);
		thread->used = thread == thread_current;
	}
	/* registration with membarrier belongs to the mm: not inherited */
	epoch_fence =
		membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0;
	pthread_mutex_unlock(&threads_lock);
}
