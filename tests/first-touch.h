/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * first-touch.h - where the queues of many workers come to lie
 *
 *	first_touch(&t);	each worker reserves pages; others write to them
 *	up_front(&t);		this process reserves and writes all of them
 *
 * A worker is a process on the processors of one node, with a domain of its
 * own. Its pages are written to through a window, by a worker of the next node.
 * What counts is what move_pages() says of each page afterwards.
 */
#ifndef XNUMA_TESTS_FIRST_TOUCH_H
#define XNUMA_TESTS_FIRST_TOUCH_H

#include <numaif.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tap.h"
#include "xnuma.h"

#define TOUCH_NODES	16
#define TOUCH_PAGE	4096UL

struct touch {
	int workers;
	int pages;			/* of each */
	int nnodes;
	int node[TOUCH_NODES];		/* their numbers */
	long found[TOUCH_NODES];	/* out: pages found on each */
	long astray;			/* out: not on their reader's node */
	long queue_astray;		/* out: the same of message queues */
	long queue;			/* out: pages of message queues */
	int failed;			/* out: workers that could not go on */
	const char *port;		/* out */
};

/* What the workers share. */
struct touch_table {
	pthread_barrier_t barrier;
	_Atomic long found[TOUCH_NODES], astray, queue, queue_astray;
	_Atomic int failed, kmod;
	struct touch_worker {
		uint8_t blob[XNUMA_BLOB_LEN];
		uint64_t at;
	} worker[];
};

static TAP_UNUSED int touch_node_now(void)
{
	unsigned int cpu, node;

	return getcpu(&cpu, &node) ? -1 : (int)node;
}

/* On the processors of one node, from here on. */
static TAP_UNUSED int touch_run_on(int node)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	cpu_set_t set, one;
	int cpu;

	CPU_ZERO(&set);
	for (cpu = 0; cpu < cpus; cpu++) {
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (!sched_setaffinity(0, sizeof(one), &one) &&
		    touch_node_now() == node)
			CPU_SET(cpu, &set);
	}
	return sched_setaffinity(0, sizeof(set), &set);
}

/* Node of each page as the kernel tells; -1: there is none yet. */
static TAP_UNUSED int touch_node_of(void *page)
{
	int status = -1;

	return move_pages(0, 1, &page, NULL, &status, 0) ? -1 : status;
}

/* Pages of the domain's queue: all anonymous ones of the library's arena. */
static TAP_UNUSED void touch_queue(struct touch_table *table, int node,
				   uint64_t but)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end, inode;
	char line[500];
	int at;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &start, &end,
			   &inode) != 3 || inode || strstr(line, "---p") ||
		    start < 0x200000000000UL || end > 0x500000000000UL ||
		    (but >= start && but < end))
			continue;
		for (; start < end; start += TOUCH_PAGE) {
			at = touch_node_of((void *)start);
			if (at < 0)
				continue;
			atomic_fetch_add(&table->queue, 1);
			if (at != node)
				atomic_fetch_add(&table->queue_astray, 1);
		}
	}
	if (maps)
		fclose(maps);
}

static TAP_UNUSED void touch_count(struct touch *t, char *at, long pages,
				   int node, struct touch_table *table)
{
	long i;
	int n, found;

	for (i = 0; i < pages; i++) {
		/* a file's page is written by others, but not mapped here */
		if (!table->kmod)
			(void)*(volatile char *)(at + i * TOUCH_PAGE);
		found = touch_node_of(at + i * TOUCH_PAGE);
		for (n = 0; n < t->nnodes; n++)
			if (t->node[n] == found)
				atomic_fetch_add(&table->found[n], 1);
		if (found != node)
			atomic_fetch_add(&table->astray, 1);
	}
}

static TAP_UNUSED void touch_message(void *arg, const struct xnuma_message *msg)
{
	++*(int *)arg;
}

/* Writes to each page of another worker, and sends it some messages. */
static TAP_UNUSED int touch_other(struct touch *t, struct xnuma_domain *dom,
				  const struct touch_worker *other)
{
	struct xnuma_peer *peer;
	uint64_t word = 1;
	struct iovec iov = { &word, sizeof(word) };
	int i;

	if (xnuma_peer_open(dom, other->blob, &peer))
		return -1;
	for (i = 0; i < t->pages; i++)
		if (xnuma_put(xnuma_peer_memory(peer),
			      other->at + i * TOUCH_PAGE, &word, sizeof(word),
			      NULL))
			return -1;
	for (i = 0; i < 40; i++)
		if (xnuma_send(peer, 1, &iov, 1))
			return -1;
	xnuma_peer_close(peer);
	return 0;
}

static TAP_UNUSED void touch_work(struct touch *t, struct touch_table *table,
				  int me)
{
	int n = me % t->nnodes, node = t->node[n], got = 0, bad;
	struct xnuma_domain_attr attr;
	struct xnuma_config config;
	struct xnuma_domain *dom;
	void *ptr = NULL;

	bad = touch_run_on(node) || xnuma_config_init(&config) ||
	      xnuma_domain_open(&config, &dom);
	if (!bad) {
		xnuma_domain_query(dom, &attr);
		atomic_store(&table->kmod, attr.port == XNUMA_PORT_KMOD);
		bad = xnuma_alloc(dom, t->pages * TOUCH_PAGE, -1, &ptr);
		table->worker[me].at = (uintptr_t)ptr;
		xnuma_domain_pack(dom, table->worker[me].blob);
	}
	pthread_barrier_wait(&table->barrier);
	if (!bad)
		bad = touch_other(t, dom,
				  &table->worker[(me + 1) % t->workers]);
	pthread_barrier_wait(&table->barrier);
	if (bad) {
		atomic_fetch_add(&table->failed, 1);
	} else {
		touch_count(t, ptr, t->pages, node, table);
		touch_queue(table, node, (uintptr_t)ptr);
		while (xnuma_poll(dom, touch_message, &got, 64) > 0)
			;
	}
	pthread_barrier_wait(&table->barrier);
	_exit(bad != 0);
}

static TAP_UNUSED struct touch_table *touch_begin(struct touch *t)
{
	size_t len = sizeof(struct touch_table) +
		     t->workers * sizeof(struct touch_worker);
	pthread_barrierattr_t shared;
	struct touch_table *table;

	table = mmap(NULL, len, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (table == MAP_FAILED)
		abort();
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&table->barrier, &shared, t->workers);
	t->nnodes = xnuma_nodes(t->node, TOUCH_NODES);
	if (t->nnodes > TOUCH_NODES)
		t->nnodes = TOUCH_NODES;
	return table;
}

static TAP_UNUSED void touch_end(struct touch *t, struct touch_table *table)
{
	int n;

	for (n = 0; n < t->nnodes; n++)
		t->found[n] = table->found[n];
	t->astray = table->astray;
	t->queue = table->queue;
	t->queue_astray = table->queue_astray;
	t->failed = table->failed;
	t->port = table->kmod ? "kmod" : "user";
	munmap(table, sizeof(*table) +
		      t->workers * sizeof(struct touch_worker));
}

static TAP_UNUSED void first_touch(struct touch *t)
{
	struct touch_table *table = touch_begin(t);
	int i, status;

	fflush(stdout);
	for (i = 0; i < t->workers; i++) {
		pid_t pid = fork();

		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			touch_work(t, table, i);
		}
		if (pid < 0)
			abort();
	}
	for (i = 0; i < t->workers; i++)
		wait(&status);
	touch_end(t, table);
}

/* All of it wanted on the first node, as one master would have it. */
static TAP_UNUSED void up_front(struct touch *t)
{
	struct touch_table *table = touch_begin(t);
	long pages = (long)t->workers * t->pages, i;
	int node = t->node[0];
	pid_t pid;
	char *at;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		touch_run_on(node);
		at = mmap(NULL, pages * TOUCH_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		madvise(at, pages * TOUCH_PAGE, MADV_NOHUGEPAGE);
		for (i = 0; i < pages; i++)
			at[i * TOUCH_PAGE] = 1;
		touch_count(t, at, pages, node, table);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	touch_end(t, table);
}

#endif
