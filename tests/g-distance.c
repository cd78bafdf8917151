/* SPDX-License-Identifier: BSD-3-Clause */
/* A peer is as far as its node is, by the firmware's table of distances. */

#include "others.h"

#define NODES	8

static int node[NODES], nnodes;

/* As the kernel tells, without hwloc; 0: it does not. */
static int firmware(int from, int to)
{
	char path[80];
	int value = 0, i;
	FILE *f;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/node/node%d/distance", from);
	f = fopen(path, "r");
	for (i = 0; f && i <= to; i++)
		if (fscanf(f, "%d", &value) != 1)
			value = 0;
	if (f)
		fclose(f);
	return value;
}

static void query(int from, int to, struct xnuma_peer_attr *attr)
{
	struct xnuma_config config;
	struct other o;

	xnuma_config_init(&config);
	config.node = from;
	other_need(!xnuma_domain_open(&config, &own), "open");
	config.node = to;
	other_start(&o, &config);
	check(other_is_kmod());
	xnuma_peer_query(o.peer, attr);
	other_stop(&o);
	xnuma_domain_close(own);
	own = NULL;
}

static int near(double a, double b)
{
	return a > 0.999 * b && a < 1.001 * b;
}

static void test_distances(void)
{
	struct xnuma_peer_attr attr, local;
	double want;
	int i, j;

	for (i = 0; i < nnodes; i++) {
		query(node[i], node[i], &local);
		check(near(local.distance, 1));
		check(local.latency > 0 && local.bandwidth > 0);
		for (j = 0; j < nnodes; j++) {
			query(node[i], node[j], &attr);
			want = (double)firmware(node[i], node[j]) /
			       firmware(node[i], node[i]);
			tap_diag("node %d to %d: distance %.1f, %.0f ns, "
				 "%.1f GB/s", node[i], node[j], attr.distance,
				 attr.latency * 1e9, attr.bandwidth / 1e9);
			check_int(attr.node, ==, node[j]);
			check(near(attr.distance, want));
			check(near(attr.latency, local.latency * want));
			check(near(attr.bandwidth, local.bandwidth / want));
		}
	}
}

static void test_differ(void)
{
	int i, values = 0, seen = 0;

	for (i = 0; i < nnodes; i++) {
		if (firmware(node[0], node[i]) > seen) {
			seen = firmware(node[0], node[i]);
			values++;
		}
	}
	check_int(values, ==, nnodes);
}

int main(void)
{
	nnodes = xnuma_nodes(node, NODES);
	if (nnodes < 2 || nnodes > NODES)
		skip_all("needs two to eight nodes");
	TEST(test_differ(), "no two nodes are as far from the first");
	TEST(test_distances(), "latency and bandwidth follow the distance");
	return tap_done();
}
