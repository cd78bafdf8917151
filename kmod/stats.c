// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/seq_file.h>
#include "stats.h"

DEFINE_PER_CPU(struct xnuma_totals, xnuma_totals);

static const char *const stat_names[] = {
#define STAT_NAME(name, text) #name,
	XPMEM_NUMA_STATS(STAT_NAME)
#undef STAT_NAME
};

static u64 total(enum xnuma_stat stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(xnuma_totals, cpu).n[stat]);
	return sum;
}

void xnuma_stats_total(struct xpmem_numa_stats *stats)
{
#define STAT_TOTAL(name, text) stats->name = total(XNUMA_STAT_##name);
	XPMEM_NUMA_STATS(STAT_TOTAL)
#undef STAT_TOTAL
}

void xnuma_stats_read(struct xnuma_counters *counters,
		      struct xpmem_numa_stats *stats)
{
#define STAT_READ(name, text) \
	stats->name = atomic64_read(&counters->n[XNUMA_STAT_##name]);
	XPMEM_NUMA_STATS(STAT_READ)
#undef STAT_READ
}

/* A call is about to return @ret. What xnuma_charge() refuses it counts. */
long xnuma_count_error(long ret)
{
	switch (ret) {
	case 0:
	case -EDQUOT:
		break;
	case -EACCES:
		xnuma_count(eacces);
		break;
	case -EINVAL:
		xnuma_count(einval);
		break;
	case -ENOENT:
		xnuma_count(enoent);
		break;
	case -ENOMEM:
		xnuma_count(enomem);
		break;
	case -ESTALE:
		xnuma_count(estale);
		break;
	default:
		xnuma_count(errors);
	}
	return ret;
}

/* The counters that moved, on one line. */
void xnuma_stats_show(struct seq_file *m, struct xnuma_counters *counters)
{
	int i;

	for (i = 0; i < XNUMA_STATS; i++) {
		u64 n = atomic64_read(&counters->n[i]);

		if (n)
			seq_printf(m, " %s %llu", stat_names[i], n);
	}
	seq_putc(m, '\n');
}

struct stat_attribute {
	struct device_attribute attr;
	enum xnuma_stat stat;
};

static ssize_t stat_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct stat_attribute *sa =
		container_of(attr, struct stat_attribute, attr);

	return sysfs_emit(buf, "%llu\n", total(sa->stat));
}

#define STAT_ATTR(name_, text)						\
	static struct stat_attribute stat_attr_##name_ = {		\
		.attr = { .attr = { .name = #name_, .mode = 0444 },	\
			  .show = stat_show },				\
		.stat = XNUMA_STAT_##name_,				\
	};
XPMEM_NUMA_STATS(STAT_ATTR)
#undef STAT_ATTR

static struct attribute *stat_attrs[] = {
#define STAT_POINTER(name, text) &stat_attr_##name.attr.attr,
	XPMEM_NUMA_STATS(STAT_POINTER)
#undef STAT_POINTER
	NULL
};

static const struct attribute_group stat_group = {
	.name = "stats",
	.attrs = stat_attrs,
};

const struct attribute_group *xnuma_stats_groups[] = { &stat_group, NULL };
