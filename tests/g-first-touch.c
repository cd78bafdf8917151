/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queue memory is its reader's: on its node at first touch, whoever touches it
 * first, and none before. bench/first-touch shows the same at full size.
 */

#include "first-touch.h"

#define WORKERS	8
#define PAGES	62

static void test_first_touch(struct touch *t)
{
	int n;

	first_touch(t);
	check_int(t->failed, ==, 0);
	check_str(t->port, "kmod");
	check_int(t->astray, ==, 0);
	for (n = 0; n < t->nnodes; n++)
		check_int(t->found[n] * TOUCH_PAGE, ==,
			  WORKERS / t->nnodes * PAGES * TOUCH_PAGE);
}

/* Header, shared ring and own ring of each were used by a far worker. */
static void test_queue(struct touch *t)
{
	tap_diag("%ld pages of %d queues", t->queue, WORKERS);
	check_int(t->queue, >=, 4 * WORKERS);
	check_int(t->queue, <=, 12 * WORKERS);
	check_int(t->queue_astray, ==, 0);
}

static void test_up_front(struct touch *t)
{
	int n;

	up_front(t);
	check_int(t->found[0] * TOUCH_PAGE, ==, WORKERS * PAGES * TOUCH_PAGE);
	for (n = 1; n < t->nnodes; n++)
		check_int(t->found[n], ==, 0);
}

int main(void)
{
	struct touch t = { .workers = WORKERS, .pages = PAGES };

	if (xnuma_nodes(t.node, TOUCH_NODES) < 2)
		skip_all("needs two nodes");
	TEST(test_first_touch(&t), "each node has the bytes of its own workers");
	TEST(test_queue(&t), "message queues are on their reader's node");
	TEST(test_up_front(&t), "allocated up front, one node has all bytes");
	return tap_done();
}
