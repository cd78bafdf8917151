/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two libraries in one process, copies of descriptors, and the end of things
 * in every order: what one gives up is still the other's, and nothing is given
 * up twice.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	64
#define LEN	(NPAGES * PAGE)

static struct owner o;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

/* ---- two libraries, each with a file of its own ---- */

struct library {
	struct import im;
	struct xpmem_numa_export ex;
};

static void library_open(struct library *l)
{
	check_int(import_open(&l->im, o.id, LEN, RW, 0), ==, 0);
	check_int(dev_export(l->im.fd, NULL, 0, RW, &l->ex), ==, 0);
	check_int(load(l->im.win), ==, 0x31);
}

static void check_library(struct library *l)
{
	check_int(load(l->im.win + PAGE), ==, 0x31);
	check_int(load(l->im.win + 2 * PAGE), ==, 0x31);
	check_uint(l->im.st->state, ==, XPMEM_NUMA_ACTIVE);
	check_int(dev_handle(l->im.fd, XPMEM_NUMA_WAKE, l->im.handle), ==, 0);
	check_int(on(on_import, (long)l->ex.id, 0, RW), ==, 0);
	check_int(on(on_import_close, 0, 0, 0), ==, 0);
}

static void test_libraries(int first)
{
	struct library l[2];

	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	library_open(&l[0]);
	library_open(&l[1]);
	check_uint(l[0].ex.id, !=, l[1].ex.id);
	/* close() alone, as a library does that is unloaded */
	check_int(close(l[first].im.fd), ==, 0);
	l[first].im.fd = -1;
	check_library(&l[!first]);
	check_int(on(on_import, (long)l[first].ex.id, 0, RW), ==, -ENOENT);
	/* windows do not end by it, but by munmap() */
	check_int(load(l[first].im.win + 3 * PAGE), ==, 0x31);
	check_int(import_close(&l[first].im), ==, 0);
	check_library(&l[!first]);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_library(&l[!first]);
	check_int(import_close(&l[!first].im), ==, 0);
	owner_stop(&o);
	check(module_empties());
}

/* ---- copies of one descriptor ---- */

static void test_dup(void)
{
	struct library l;
	int copy, again;
	pid_t pid;

	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	library_open(&l);
	copy = dup(l.im.fd);
	check_int(close(l.im.fd), ==, 0);
	l.im.fd = copy;
	check_library(&l);
	again = dup2(copy, copy + 10);
	check_int(close(again), ==, 0);
	check_library(&l);
	/* a child closes, dies, or execs with its copies */
	pid = fork();
	if (!pid) {
		close(l.im.fd);
		child_done();
	}
	check_child(pid);
	check_library(&l);
	pid = fork();
	if (!pid)
		raise(SIGKILL);
	check_int(waitpid(pid, NULL, 0), ==, pid);
	check_library(&l);
	pid = fork();
	if (!pid) {
		fcntl(l.im.fd, F_SETFD, 0);
		execl("/bin/true", "true", NULL);
	}
	check_child(pid);
	check_library(&l);
	check_int(import_close(&l.im), ==, 0);
	owner_stop(&o);
	check(module_empties());
}

/* The parent closes first: the child's copy keeps it open, no more than that. */
static void test_child_keeps(void)
{
	struct library l;
	int p[2];
	char byte;
	pid_t pid;

	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	library_open(&l);
	check_int(pipe(p), ==, 0);
	pid = fork();
	if (!pid) {
		close(p[1]);
		check_int(read(p[0], &byte, 1), ==, 0);
		child_done();
	}
	close(p[0]);
	check_int(close(l.im.fd), ==, 0);
	l.im.fd = -1;
	check_int(on(on_import, (long)l.ex.id, 0, RW), ==, 0);
	check_int(on(on_import_close, 0, 0, 0), ==, 0);
	check_int(load(l.im.win + PAGE), ==, 0x31);
	close(p[1]);
	check_child(pid);
	check_int(on(on_import, (long)l.ex.id, 0, RW), ==, -ENOENT);
	check_int(import_close(&l.im), ==, 0);
	owner_stop(&o);
	check(module_empties());
}

/* ---- all orders of the four ends of an import ---- */

enum { UNMAP, UNIMPORT, CLOSE, DEATH, ENDS };

static void end_by(struct import *im, int what)
{
	switch (what) {
	case UNMAP:
		check_int(munmap(im->win, LEN), ==, 0);
		im->win = NULL;
		break;
	case UNIMPORT:
		if (im->fd >= 0)
			check_int(dev_handle(im->fd, XPMEM_NUMA_UNIMPORT,
					     im->handle), ==, 0);
		break;
	case CLOSE:
		check_int(close(im->fd), ==, 0);
		im->fd = -1;
		break;
	default:
		peer_kill(&o.peer, SIGKILL);
	}
}

static void test_orders(void)
{
	struct import im;
	int order, n, what, left;

	for (order = 0; order < 24; order++) {
		bool used[ENDS] = { false };
		int rest = order;

		check_int(owner_start(&o, LEN, RW), ==, 0);
		check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
		check_int(import_open(&im, o.id, LEN, RW, 0), ==, 0);
		check_int(load(im.win), ==, 0x31);
		for (n = ENDS; n > 0; rest /= n--) {
			left = rest % n;
			for (what = 0; used[what] || left--; what++)
				;
			used[what] = true;
			end_by(&im, what);
			if (im.win)
				check_int(load(im.win), ==,
					  used[DEATH] ? -SIGBUS : 0x31);
		}
		import_close(&im);
		check(module_empties());
	}
}

/* ---- the ends at the same time, from several threads ---- */

static struct {
	struct xpmem_numa_import arg;
	char *win;
	int fd;
	atomic_int step, unimported, again;
	pthread_barrier_t go;
} race;

#define ROUNDS 200

static void *race_unmap(void *arg)
{
	size_t half = (size_t)(uintptr_t)arg * LEN / 2;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&race.go);
		load(race.win + half);
		munmap(race.win + half, LEN / 2);
		pthread_barrier_wait(&race.go);
	}
	return NULL;
}

static void *race_unimport(void *arg)
{
	int i, ret;

	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&race.go);
		ret = dev_handle(race.fd, XPMEM_NUMA_UNIMPORT,
				 race.arg.handle);
		atomic_fetch_add(ret ? &race.again : &race.unimported, 1);
		pthread_barrier_wait(&race.go);
	}
	return NULL;
}

static void *race_close(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&race.go);
		dev_range(race.fd, XPMEM_NUMA_RESET, race.arg.handle, 0, 0);
		dev_prefault(race.fd, race.arg.handle, AREA, LEN, RO, 0);
		if (i % 2)
			close(race.fd);
		pthread_barrier_wait(&race.go);
	}
	return NULL;
}

static void test_race(void)
{
	void *(*const what[])(void *) = { race_unmap, race_unmap, race_unimport,
					  race_unimport, race_close };
	enum { N = sizeof(what) / sizeof(*what) };
	pthread_t thread[N];
	int i;

	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	pthread_barrier_init(&race.go, NULL, N + 1);
	for (i = 0; i < N; i++)
		pthread_create(&thread[i], NULL, what[i], (void *)(long)i);
	for (i = 0; i < ROUNDS; i++) {
		race.fd = dev_open();
		check_int(dev_import(race.fd, o.id, RW, POISON, &race.arg), ==,
			  0);
		race.win = dev_window(race.fd, race.arg.handle, AREA, LEN,
				      PROT_READ | PROT_WRITE);
		check(race.win != MAP_FAILED);
		pthread_barrier_wait(&race.go);
		pthread_barrier_wait(&race.go);
		if (i % 2 == 0)
			close(race.fd);
	}
	for (i = 0; i < N; i++)
		pthread_join(thread[i], NULL);
	/* the handle goes once; after close() there may be none to give back */
	check_int(race.unimported, <=, ROUNDS);
	check_int(race.unimported, >=, ROUNDS / 2);
	check_int(race.unimported + race.again, ==, 2 * ROUNDS);
	owner_stop(&o);
	check(module_empties());
}

int main(void)
{
	guest_begin();
	TEST(test_libraries(0), "two libraries: one closes, the other works on");
	TEST(test_libraries(1), "... and the other way round");
	TEST(test_dup(), "closing a copy of the descriptor ends nothing");
	TEST(test_child_keeps(), "a file ends with its last copy, in a child");
	TEST(test_orders(), "unmap, UNIMPORT, close and death in all orders");
	TEST(test_race(), "the same at once, from five threads, 200 times");
	return tap_done();
}
