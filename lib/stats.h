/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.h - counters of a domain
 *
 * Each thread counts in a shard of its own by plain loads and stores; only
 * threads beyond NSHARDS share the last one, by atomic addition.
 */
#ifndef XNUMA_STATS_H
#define XNUMA_STATS_H

#include "epoch.h"
#include "xnuma.h"

enum counter {
#define STAT_NAME(name, text) STAT_##name,
	XNUMA_STATS(STAT_NAME)
#undef STAT_NAME
	NSTATS
};

#define NSHARDS	16

struct shard {
	_Alignas(CACHE_LINE) _Atomic uint64_t count[NSTATS];
};

static inline void stat_add(struct shard *shards, const struct thread *self,
			    enum counter stat, uint64_t n)
{
	_Atomic uint64_t *count;

	if (self->number >= NSHARDS - 1) {
		count = &shards[NSHARDS - 1].count[stat];
		atomic_fetch_add_explicit(count, n, memory_order_relaxed);
		return;
	}
	count = &shards[self->number].count[stat];
	atomic_store_explicit(count, n +
		atomic_load_explicit(count, memory_order_relaxed),
		memory_order_relaxed);
}

static inline uint64_t stat_sum(const struct shard *shards, enum counter stat)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < NSHARDS; i++)
		sum += atomic_load_explicit(&shards[i].count[stat],
					    memory_order_relaxed);
	return sum;
}

#endif
