/* SPDX-License-Identifier: BSD-3-Clause */
#include "info.h"
#include "report.h"
#include "xnuma.h"

#define NODES_MAX 64

static void report_node(const int *nodes, int n, int i)
{
	int j;

	report_open(NULL);
	report_number("node", nodes[i]);
	report_open_values("distances");
	for (j = 0; j < n; j++)
		report_real(NULL, xnuma_node_distance(nodes[i], nodes[j]));
	report_close_values();
	report_close();
}

/* As the library sees it: relative to the node itself. */
void info_machine(void)
{
	int nodes[NODES_MAX], i, n = xnuma_nodes(nodes, NODES_MAX);

	if (n > NODES_MAX)
		n = NODES_MAX;
	report_open_list("nodes");
	for (i = 0; i < n; i++)
		report_node(nodes, n, i);
	report_close_list();
	report_open("copy");
	report_text("small", xnuma_copy_name(64));
	report_text("medium", xnuma_copy_name(16 << 10));
	report_text("large", xnuma_copy_name(1 << 20));
	report_close();
}
