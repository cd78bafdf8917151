/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I9: a page that the importer is first to touch is the owner's: it comes by
 * the policy of the owner's mapping, else from the owner's node. The toucher
 * keeps its processors, its policy and its priority.
 */

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	64
#define LEN	(NPAGES * PAGE)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)

static int node_now(void)
{
	unsigned int cpu, node;

	return syscall(SYS_getcpu, &cpu, &node, NULL) ? -errno : (int)node;
}

/* On the processors of one node, from here on. */
static long on_node_run(long node, long b, long c)
{
	cpu_set_t set, one;
	int cpu;

	CPU_ZERO(&set);
	for (cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF); cpu++) {
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (!sched_setaffinity(0, sizeof(one), &one) &&
		    node_now() == node)
			CPU_SET(cpu, &set);
	}
	if (sched_setaffinity(0, sizeof(set), &set))
		return -errno;
	return node_now() == node ? 0 : -EXDEV;
}

static void begin(int owner, int importer)
{
	check_int((int)on_node_run(importer, 0, 0), ==, 0);
	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(on(on_node_run, owner, 0, 0), ==, 0);
	/* exported where it ran before: what counts is where it runs now */
	check_int(import_open(&im, o.id, LEN, RW, 0), ==, 0);
}

static void end(void)
{
	share_close(&o, &im);
}

static long on_pages_elsewhere(long addr, long len, long node)
{
	long n = 0;

	for (; len > 0; addr += (long)PAGE, len -= (long)PAGE)
		n += node_of((void *)addr) != node;
	return n;
}

static int store_all(void)
{
	int failed = 0;
	size_t i;

	for (i = 0; i < NPAGES; i++)
		failed += store(page(i), 0x31);
	return failed;
}

static void test_first_touch(int owner, int importer)
{
	begin(owner, importer);
	check_int(store_all(), ==, 0);
	check_int(on(on_pages_elsewhere, AREA, LEN, owner), ==, 0);
	end();
}

static void test_alloc(int owner, int importer)
{
	begin(owner, importer);
	check_int(dev_prefault(im.fd, im.handle, AREA, LEN, RW,
			       XPMEM_NUMA_PREFAULT_ALLOC), ==, LEN);
	check_int(on(on_pages_elsewhere, AREA, LEN, owner), ==, 0);
	end();
}

static long on_bind(long addr, long len, long node)
{
	return node_bind((void *)addr, (size_t)len, (int)node);
}

/* The mapping's policy wins over anybody's whereabouts. */
static void test_policy(int owner, int importer, int policy)
{
	begin(owner, importer);
	check_int(on(on_bind, AREA, LEN, policy), ==, 0);
	check_int(store_all(), ==, 0);
	check_int(on(on_pages_elsewhere, AREA, LEN, policy), ==, 0);
	end();
}

struct habits {
	cpu_set_t cpus;
	unsigned long nodes;
	int mode, nice, policy;
};

static void habits_read(struct habits *h)
{
	memset(h, 0, sizeof(*h));
	check_int(sched_getaffinity(0, sizeof(h->cpus), &h->cpus), ==, 0);
	check_int(syscall(SYS_get_mempolicy, &h->mode, &h->nodes, 64, NULL, 0),
		  ==, 0);
	h->nice = getpriority(PRIO_PROCESS, 0);
	h->policy = sched_getscheduler(0);
}

/* The importer insists on a node of its own; the owner's memory is not his. */
static void test_habits(void)
{
	unsigned long mask = 1UL << 1;
	struct habits before, after;

	begin(0, 1);
	check_int(syscall(SYS_set_mempolicy, 2 /* BIND */, &mask, 64), ==, 0);
	habits_read(&before);
	check_int(store_all(), ==, 0);
	check_int(on(on_pages_elsewhere, AREA, LEN, 0), ==, 0);
	habits_read(&after);
	check_int(memcmp(&before, &after, sizeof(before)), ==, 0);
	check_int(syscall(SYS_set_mempolicy, 0, NULL, 0), ==, 0);
	end();
}

/* The same on the owner's node, where no worker is needed. */
static void test_habits_near(void)
{
	unsigned long mask = 1UL << 1;

	begin(0, 0);
	check_int(syscall(SYS_set_mempolicy, 2 /* BIND */, &mask, 64), ==, 0);
	check_int(store_all(), ==, 0);
	check_int(on(on_pages_elsewhere, AREA, LEN, 0), ==, 0);
	check_int(syscall(SYS_set_mempolicy, 0, NULL, 0), ==, 0);
	end();
}

int main(void)
{
	guest_begin();
	if (on_node_run(1, 0, 0) || on_node_run(0, 0, 0))
		skip_all("needs processors on nodes 0 and 1");
	TEST(test_first_touch(0, 1), "I9: a touch from node 1 lands on node 0");
	TEST(test_first_touch(1, 0), "I9: a touch from node 0 lands on node 1");
	TEST(test_first_touch(1, 1), "I9: on one node it stays there");
	TEST(test_alloc(0, 1), "I9: PREFAULT from node 1 lands on node 0");
	TEST(test_alloc(1, 0), "I9: PREFAULT from node 0 lands on node 1");
	TEST(test_policy(0, 0, 1), "I9: the mapping's policy wins: node 1");
	TEST(test_policy(1, 1, 0), "I9: the mapping's policy wins: node 0");
	TEST(test_policy(0, 1, 1), "I9: ... also when the toucher is there");
	TEST(test_habits(), "I9: the toucher's habits are not changed or used");
	TEST(test_habits_near(), "I9: ... nor is its policy on the owner's node");
	return tap_done();
}
