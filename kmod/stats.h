/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_STATS_H
#define XNUMA_STATS_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/sysfs.h>
#include "xpmem_numa.h"

enum xnuma_stat {
#define XNUMA_STAT_ENUM(name, text) XNUMA_STAT_##name,
	XPMEM_NUMA_STATS(XNUMA_STAT_ENUM)
#undef XNUMA_STAT_ENUM
	XNUMA_STATS
};

/* Totals of the module; a sum over the CPUs, so no line is shared. */
struct xnuma_totals {
	u64 n[XNUMA_STATS];
};
DECLARE_PER_CPU(struct xnuma_totals, xnuma_totals);

#define xnuma_count(stat)	this_cpu_inc(xnuma_totals.n[XNUMA_STAT_##stat])
#define xnuma_add(stat, d)	this_cpu_add(xnuma_totals.n[XNUMA_STAT_##stat], d)
#define xnuma_sub(stat, d)	this_cpu_sub(xnuma_totals.n[XNUMA_STAT_##stat], d)

/* The same for one export or import. */
struct xnuma_counters {
	atomic64_t n[XNUMA_STATS];
};

#define xnuma_count_in(counters, stat) do {				\
	xnuma_count(stat);						\
	atomic64_inc(&(counters)->n[XNUMA_STAT_##stat]);		\
} while (0)
#define xnuma_add_in(counters, stat, d) do {				\
	xnuma_add(stat, d);						\
	atomic64_add(d, &(counters)->n[XNUMA_STAT_##stat]);		\
} while (0)

struct seq_file;

long xnuma_count_error(long ret);

void xnuma_stats_total(struct xpmem_numa_stats *stats);
void xnuma_stats_read(struct xnuma_counters *counters,
		      struct xpmem_numa_stats *stats);
void xnuma_stats_show(struct seq_file *m, struct xnuma_counters *counters);

extern const struct attribute_group *xnuma_stats_groups[];

#endif /* XNUMA_STATS_H */
