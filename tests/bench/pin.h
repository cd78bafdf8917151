/* SPDX-License-Identifier: BSD-3-Clause */
/* pin.h - one of two processes, on a core of its own */
#ifndef XNUMA_BENCH_PIN_H
#define XNUMA_BENCH_PIN_H

#include <sched.h>

/* 0, or -1 and errno */
static inline int pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

#endif
