/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults against an owner that is busy with its address space, against each
 * other, and against the owner's death.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	1024
#define LEN	(NPAGES * PAGE)
#define THREADS	8

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)

static atomic_bool churn_stop;

/* Maps, touches and unmaps memory that nobody imports, in a thread. */
static void *churn(void *arg)
{
	char *at = (char *)AREA + GIB + (uintptr_t)arg * GIB, *q;

	while (!atomic_load(&churn_stop)) {
		q = mmap(at, 16 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		*q = 1;
		munmap(q, 16 * PAGE);
	}
	return NULL;
}

static long on_churn(long start, long b, long c)
{
	static pthread_t thread[2];
	int i, ret = 0;

	atomic_store(&churn_stop, !start);
	for (i = 0; i < 2; i++)
		ret |= start ? pthread_create(&thread[i], NULL, churn,
				      (void *)(long)i) :
			       pthread_join(thread[i], NULL);
	return -ret;
}

/* Each page needs a fault of its own: it is absent until then. */
static void test_first_touch(void)
{
	long faults, inserted, carried;
	int failed = 0;
	size_t i;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_churn, 1, 0, 0), ==, 0);
	faults = stat_read("faults");
	inserted = stat_read("inserted");
	carried = stat_read("carried");
	for (i = 0; i < NPAGES; i++)
		failed += store(page(i), 0x31);
	faults = stat_read("faults") - faults;
	inserted = stat_read("inserted") - inserted;
	carried = stat_read("carried") - carried;
	check_int(on(on_churn, 0, 0, 0), ==, 0);
	tap_diag("%ld faults, %ld inserted, %ld of them carried", faults,
		 inserted, carried);
	check_int(failed, ==, 0);
	check_int(faults, <=, 4 * NPAGES);
	check_int(inserted, >=, NPAGES);
	check_int(on(on_load, AREA + LEN - PAGE, 0, 0), ==, 0x31);
	share_close(&o, &im);
}

static pthread_barrier_t barrier;

/* All threads go for one word of one page at a time. */
static void *adder(void *arg)
{
	size_t i;

	for (i = 0; i < 256; i++) {
		pthread_barrier_wait(&barrier);
		atomic_fetch_add((atomic_int *)page(i), 1);
	}
	return NULL;
}

static long on_sum_wrong(long npages, long want, long c)
{
	long i, n = 0;

	for (i = 0; i < npages; i++)
		n += *(int *)(AREA + i * (long)PAGE) != want;
	return n;
}

static void test_one_page(void)
{
	pthread_t thread[THREADS];
	int i;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, adder, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	check_int(on(on_sum_wrong, 256, THREADS, 0), ==, 0);
	share_close(&o, &im);
}

/* The same while the owner's pages come and go from swap. */
static void test_one_page_reclaimed(void)
{
	pthread_t thread[THREADS];
	int i;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, adder, NULL);
	for (i = 0; i < 10; i++)
		check_int(page_out(o.peer.pid, AREA, LEN), ==, 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	check_int(on(on_sum_wrong, 256, THREADS, 0), ==, 0);
	share_close(&o, &im);
}

/* Importers that fault as fast as they can until they get a SIGBUS. */
static void *toucher(void *arg)
{
	size_t i = 0;

	while (load(page(i % NPAGES)) >= 0 && !store(page(i * 7 % NPAGES), 1))
		i += 13;
	return NULL;
}

static void test_death(void)
{
	pthread_t thread[3];
	int round, i;

	for (round = 0; round < 50; round++) {
		check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
		for (i = 0; i < 3; i++)
			pthread_create(&thread[i], NULL, toucher, NULL);
		/* at another depth of faulting each time */
		while (load(page(round * 11)) != 1)
			store(page(round * 11), 1);
		peer_kill(&o.peer, SIGKILL);
		for (i = 0; i < 3; i++)
			pthread_join(thread[i], NULL);
		check_uint(im.st->state, ==, XPMEM_NUMA_OWNER_GONE);
		check_int(import_close(&im), ==, 0);
	}
	check(stat_settles("granules", 0));
}

/* IMPORT, window and fault race with the death itself. */
static void *importer(void *arg)
{
	__u64 id = *(__u64 *)arg;
	struct import i;

	while (!import_open(&i, id, LEN, RW, 0)) {
		load(i.win);
		store(i.win + PAGE, 1);
		import_close(&i);
	}
	return NULL;
}

static void test_import_death(void)
{
	pthread_t thread[3];
	long imports;
	int round, i;

	for (round = 0; round < 50; round++) {
		check_int(owner_start(&o, LEN, RW), ==, 0);
		imports = stat_read("faults");
		for (i = 0; i < 3; i++)
			pthread_create(&thread[i], NULL, importer, &o.id);
		while (stat_read("faults") == imports)
			;
		peer_kill(&o.peer, SIGKILL);
		for (i = 0; i < 3; i++)
			pthread_join(thread[i], NULL);
	}
	check(stat_settles("exports", 0));
	check(stat_settles("imports", 0));
}

/* UNEXPORT and EXPORT anew, while old windows are faulted. */
static long on_reexport(long times, long b, long c)
{
	struct xpmem_numa_export e;
	int ret = 0;

	for (; times-- && !ret;) {
		ret = dev_handle(own_fd, XPMEM_NUMA_UNEXPORT, own.handle);
		ret = ret ? ret : dev_export(own_fd, NULL, 0, RW, &e);
		own = e;
	}
	return ret ? ret : (long)own.id;
}

static void test_reexport(void)
{
	pthread_t thread[3];
	int round, i;
	long id;

	check_int(owner_start(&o, LEN, RW), ==, 0);
	id = (long)o.id;
	for (round = 0; round < 50; round++) {
		check_int(import_open(&im, (__u64)id, LEN, RW, 0), ==, 0);
		for (i = 0; i < 3; i++)
			pthread_create(&thread[i], NULL, toucher, NULL);
		while (load(page(round * 11)) != 1)
			store(page(round * 11), 1);
		id = on(on_reexport, 1, 0, 0);
		for (i = 0; i < 3; i++)
			pthread_join(thread[i], NULL);
		check_uint(im.st->state, ==, XPMEM_NUMA_REVOKED);
		check_int(import_close(&im), ==, 0);
	}
	owner_stop(&o);
}

int main(void)
{
	guest_begin();
	TEST(test_first_touch(),
	     "at most 4 faults a page while the owner maps and unmaps");
	TEST(test_one_page(), "8 threads that fault one page lose no store");
	TEST(test_one_page_reclaimed(), "I6: ... nor under reclaim");
	TEST(test_death(), "50 owners die under 3 faulting threads each");
	TEST(test_import_death(), "50 owners die while they are imported");
	TEST(test_reexport(), "50 exports end under 3 faulting threads each");
	return tap_done();
}
