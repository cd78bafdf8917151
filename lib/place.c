/* SPDX-License-Identifier: BSD-3-Clause */
#include <hwloc.h>
#include <numa.h>
#include <numaif.h>
#include <pthread.h>
#include <sched.h>

#include "place.h"
#include "xnuma.h"

#define LATENCY		200e-9	/* seconds, one message within a node */
#define BANDWIDTH	10e9	/* bytes per second, one copy within a node */

/* Loading takes milliseconds, so nothing but a question for it does. */
static pthread_once_t topology_once = PTHREAD_ONCE_INIT;
static hwloc_topology_t topology;
static struct hwloc_distances_s *matrix;	/* between nodes, or NULL */

int place_node(void)
{
	unsigned int cpu, node;

	return getcpu(&cpu, &node) ? 0 : (int)node;
}

bool place_node_exists(int node)
{
	if (node < 0)
		return false;
	if (numa_available() < 0)
		return node == 0;
	return node <= numa_max_node() &&
	       numa_bitmask_isbitset(numa_get_mems_allowed(), node);
}

void place_bind(void *ptr, size_t len, int node)
{
	unsigned long mask[16] = { 0 };
	const unsigned int bits = 8 * sizeof(mask[0]);

	if (node < 0 || node >= (int)(sizeof(mask) * 8) ||
	    numa_available() < 0 || numa_max_node() == 0)
		return;
	mask[node / bits] = 1UL << node % bits;
	mbind(ptr, len, MPOL_PREFERRED, mask, sizeof(mask) * 8, 0);
}

static void topology_load(void)
{
	unsigned int nr = 1;

	if (hwloc_topology_init(&topology))
		return;
	hwloc_topology_set_all_types_filter(topology,
					    HWLOC_TYPE_FILTER_KEEP_NONE);
	if (hwloc_topology_load(topology) ||
	    hwloc_distances_get_by_type(topology, HWLOC_OBJ_NUMANODE, &nr,
					&matrix,
					HWLOC_DISTANCES_KIND_MEANS_LATENCY,
					0) || !nr)
		matrix = NULL;
}

static int matrix_index(int node)
{
	unsigned int i;

	for (i = 0; i < matrix->nbobjs; i++)
		if (matrix->objs[i] && (int)matrix->objs[i]->os_index == node)
			return i;
	return -1;
}

double place_distance(int from, int to)
{
	const double unknown = from == to || from < 0 || to < 0 ? 1.0 : 2.0;
	double near, far;
	int i, j;

	pthread_once(&topology_once, topology_load);
	if (!matrix)
		return unknown;
	i = matrix_index(from);
	j = matrix_index(to);
	if (i < 0 || j < 0)
		return unknown;
	near = matrix->values[i * matrix->nbobjs + i];
	far = matrix->values[i * matrix->nbobjs + j];
	return near > 0 && far > near ? far / near : 1.0;
}

int xnuma_nodes(int *nodes, int max)
{
	int node, n = 0, last = numa_available() < 0 ? 0 : numa_max_node();

	for (node = 0; node <= last; node++) {
		if (!place_node_exists(node))
			continue;
		if (n < max)
			nodes[n] = node;
		n++;
	}
	return n;
}

double xnuma_node_distance(int from, int to)
{
	return place_distance(from, to);
}

double place_latency(double distance)
{
	return LATENCY * distance;
}

double place_bandwidth(double distance)
{
	return BANDWIDTH / distance;
}
