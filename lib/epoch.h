/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epoch.h - when has every thread left what was taken away?
 *
 * A thread is inside a section between epoch_enter() and epoch_leave(). What
 * was unlinked before epoch_synchronize() began cannot be in use by any thread
 * when it returns. Sections do not nest and never wait for anything.
 *
 * Entering is one store. The store must be visible before the loads of the
 * section: where the kernel has private expedited membarrier, the one who waits
 * pays for that order, elsewhere every enter pays a fence.
 */
#ifndef XNUMA_EPOCH_H
#define XNUMA_EPOCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CACHE_LINE	64

/* Per thread, in a list that only grows; reused after its thread ended. */
struct thread {
	_Alignas(CACHE_LINE)
	_Atomic uint64_t epoch;	/* when its section was entered, 0 outside */
	unsigned int number;	/* unique, counted from 0 */
	bool used;		/* belongs to a living thread */
	struct thread *next;
	char error[232];	/* text of xnuma_error() */
};

extern _Thread_local struct thread *thread_current
	__attribute__((tls_model("initial-exec")));
extern _Atomic uint64_t epoch_now;
extern bool epoch_fence;

struct thread *thread_register(void);

/* NULL only when memory has run out. */
static inline struct thread *thread_self(void)
{
	return thread_current ? thread_current : thread_register();
}

static inline void epoch_enter(struct thread *self)
{
	uint64_t now = atomic_load_explicit(&epoch_now, memory_order_acquire);

#ifdef __SANITIZE_THREAD__
	atomic_store(&self->epoch, now);
#else
	atomic_store_explicit(&self->epoch, now, memory_order_release);
	if (epoch_fence)
		atomic_thread_fence(memory_order_seq_cst);
	else
		atomic_signal_fence(memory_order_seq_cst);
#endif
}

static inline void epoch_leave(struct thread *self)
{
	atomic_store_explicit(&self->epoch, 0, memory_order_release);
}

/* The caller is in no section. */
void epoch_synchronize(void);

/* Around fork(): the child keeps only the calling thread. */
void epoch_fork_prepare(void);
void epoch_fork_parent(void);
void epoch_fork_child(void);

#endif
