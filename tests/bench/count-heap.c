/* SPDX-License-Identifier: BSD-3-Clause */
/* count-heap.c - an owner's big heap, under windows of which one was touched. */

#include <stdio.h>

#include "count.h"

#define IMPORTS	127

static struct heap_import {
	long handle;
	char *win;
} imports[IMPORTS];

static void heap_row(const char *what, size_t n, double cost)
{
	row(cost, "Owner: a heap of huge pages, one import touched\t"
	    "%s, %zu import%s", what, n, n == 1 ? "" : "s");
}

static void heap_import(size_t len, long id, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		imports[i].handle = port->take(id);
		imports[i].win = port->map(imports[i].handle, arena_hint(len),
					   (char *)AREA, len);
	}
}

static void heap_drop(size_t len, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		port->unmap(imports[i].win, len);
		port->drop(imports[i].handle);
	}
}

static void heap_touch(size_t len, size_t n)
{
	touch_read(imports[n / 2].win, len, PAGE);
}

static double heap_kill(struct peer *owner)
{
	double start = now();

	peer_kill(owner, SIGKILL);
	return now() - start;
}

static void heap_fill(struct peer *owner, size_t len)
{
	if (peer_call(owner, on_area, (long)len, KIND_THP, 0))
		die("memory for the heap");
}

static void heap_metadata(size_t len, long before)
{
	if (before >= 0)
		row((double)(port->metadata() - before) * (double)GIB /
		    (double)len,
		    "Kernel memory\tbytes per GiB that an importer touched");
}

static void heap_cost(struct peer *owner, size_t len, size_t n)
{
	double cost = 0;
	long id, before;
	int i;

	heap_fill(owner, len);
	id = peer_call(owner, on_offer, AREA, (long)len, 0);
	heap_import(len, id, n);
	before = port->metadata();
	for (i = 0; i < 3; i++) {
		heap_touch(len, n);
		if (n == 1 && !i)
			heap_metadata(len, before);
		cost = least(cost, (double)peer_call(owner, on_time_fork, 0, 0,
						     0));
	}
	heap_row("fork", n, cost);
	heap_touch(len, n);
	cost = (double)peer_call(owner, on_time_unmap, AREA, (long)len, 0);
	heap_row("munmap", n, cost);
	heap_fill(owner, len);
	heap_touch(len, n);
	heap_row("exit", n, heap_kill(owner));
	heap_drop(len, n);
}

/* With two owners, since each dies of it. */
void count_heap(struct peer *owner, size_t len)
{
	heap_cost(&owner[0], len, 1);
	heap_cost(&owner[1], len, IMPORTS);
}
