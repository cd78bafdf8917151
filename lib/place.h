/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_PLACE_H
#define XNUMA_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* NUMA node of the calling thread, 0 if the kernel does not tell. */
int place_node(void);

/* Does this machine have such a node with memory? */
bool place_node_exists(int node);

/*
 * Pages of a range that nobody has touched are to come from @node, whoever
 * touches them first. Best effort: without NUMA rights there is nothing to do.
 */
void place_bind(void *ptr, size_t len, int node);

/* Distance between two nodes relative to a node's own; -1 is unknown. */
double place_distance(int from, int to);

/* Rough figures for what is that far away. */
double place_latency(double distance);
double place_bandwidth(double distance);

#endif
