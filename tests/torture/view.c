/* SPDX-License-Identifier: BSD-3-Clause */
/* view.c - the windows of visitors, and what importers do with windows. */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "stamp.h"
#include "visitor.h"

/* arena_hint() hands out addresses of the whole process. */
static pthread_mutex_t hints = PTHREAD_MUTEX_INITIALIZER;

static int open_life(struct visitor *v)
{
	struct view *view = v->view;
	int ret;

	do {
		view->life = atomic_load(&world->life);
		pthread_mutex_lock(&hints);
		ret = import_open(&view->im, atomic_load(&world->id),
				  (size_t)world->pages * PAGE,
				  v->reader ? RO : RW, v->poison ? POISON : 0);
		pthread_mutex_unlock(&hints);
		if (!ret && atomic_load(&world->life) != view->life) {
			import_close(&view->im);
			ret = -EAGAIN;
		}
	} while (ret == -EAGAIN);
	view->handle = !ret;
	return ret;
}

/* An owner may be gone; then there will be another one, or the end. */
int view_open(struct visitor *v)
{
	int ret;

	while ((ret = open_life(v)) && !atomic_load(&world->stop))
		sched_yield();
	return ret;
}

void view_renew(struct visitor *v)
{
	if (atomic_load(&world->life) == v->view->life)
		return;
	import_close(&v->view->im);
	must(!view_open(v), "IMPORT");
}

static void reopen(struct visitor *v)
{
	happened(EV_W_IMPORT);
	import_close(&v->view->im);
	must(!view_open(v), "IMPORT");
}

static void unimport(struct visitor *v)
{
	happened(EV_W_UNIMPORT);
	v->view->handle = false;
	must(!dev_handle(v->view->im.fd, XPMEM_NUMA_UNIMPORT,
			 v->view->im.handle), "UNIMPORT");
}

static void reset(struct visitor *v, long at, size_t len)
{
	happened(len ? EV_W_RESET_SOME : EV_W_RESET);
	must(!dev_range(v->view->im.fd, XPMEM_NUMA_RESET, v->view->im.handle,
			len ? AREA + at : 0, len), "RESET");
}

static void prefault(struct visitor *v, long at, size_t len)
{
	bool alloc = !v->reader && dice_roll(&v->dice, 2);

	if (dev_prefault(v->view->im.fd, v->view->im.handle, AREA + at, len,
			 v->reader || dice_roll(&v->dice, 2) ? RO : RW,
			 alloc ? XPMEM_NUMA_PREFAULT_ALLOC : 0) > 0)
		happened(alloc ? EV_W_ALLOC : EV_W_PREFAULT);
}

static void punch(struct visitor *v, long at, size_t len)
{
	struct import *im = &v->view->im;
	int prot = PROT_READ | (v->reader ? 0 : PROT_WRITE);

	happened(EV_W_PUNCH);
	must(!munmap(im->win + at, len), "munmap of a window");
	must(mmap(im->win + at, len, prot, MAP_SHARED | MAP_FIXED_NOREPLACE,
		  im->fd, (off_t)XPMEM_NUMA_OFFSET(im->handle, AREA + at)) ==
	     im->win + at, "mmap of a window");
}

static void seal(struct visitor *v, long at, size_t len)
{
	char *p = v->view->im.win + at;

	if (v->reader)
		return;
	happened(EV_W_SEAL);
	must(!mprotect(p, len, PROT_READ), "mprotect of a window");
	load(p);
	if (!store(p + offsetof(struct stamp, pad), 1))
		crime(CRIME_SEALED, at / (long)PAGE, "through a read-only window");
	must(!mprotect(p, len, PROT_READ | PROT_WRITE), "mprotect of a window");
}

static void change_own(struct visitor *v, long at, size_t len)
{
	switch (dice_roll(&v->dice, 6)) {
	case 0:
		reopen(v);
		break;
	case 1:
		unimport(v);
		break;
	case 2:
	case 3:
		punch(v, at, len);
		break;
	default:
		seal(v, at, len);
	}
}

static bool is_poisoned(struct visitor *v)
{
	return v->poison && v->view->im.st->poisoned != v->view->im.st->cleared;
}

void view_change(struct visitor *v)
{
	long page = (long)dice_roll(&v->dice, (__u64)world->pages);
	size_t n = 1 + dice_roll(&v->dice, 64);
	bool some = !dice_roll(&v->dice, 4);

	if (n > (size_t)(world->pages - page))
		n = (size_t)(world->pages - page);
	if (!v->view->handle) {
		if (some || is_poisoned(v))
			reopen(v);
		return;
	}
	if (is_poisoned(v) && dice_roll(&v->dice, 2))
		reset(v, 0, 0);
	if (!some)
		return;
	if (v->alone && dice_roll(&v->dice, 2))
		change_own(v, page * (long)PAGE, n * PAGE);
	else if (v->poison && !dice_roll(&v->dice, 3))
		reset(v, page * (long)PAGE, n * PAGE);
	else
		prefault(v, page * (long)PAGE, n * PAGE);
}

/* ---- processes ---- */

#define THREADS 3

static void *visitor_main(void *arg)
{
	visit(arg);
	return NULL;
}

static void visitor_init(struct visitor *v, int index, struct view *view)
{
	v->index = index;
	v->view = view;
	v->tally = &world->tally[index];
	dice_init(&v->dice, 100U + (__u32)index);
}

long on_visit(long first, long poison, long flags)
{
	static struct visitor visitor[THREADS];
	static struct view view[THREADS];
	pthread_t thread[THREADS];
	int i, own, ret = 0;

	for (i = 0; i < THREADS && !ret; i++) {
		/* the first two share one, unless owners come and go */
		own = i == THREADS - 1 || flags & VISIT_ALONE ? i : 0;
		visitor_init(&visitor[i], (int)first + i, &view[own]);
		visitor[i].poison = poison;
		visitor[i].reader = flags & VISIT_READ;
		visitor[i].alone = own;
		if (own == i)
			ret = view_open(&visitor[i]);
	}
	for (i = 0; i < THREADS && !ret; i++)
		ret = -pthread_create(&thread[i], NULL, visitor_main,
				      &visitor[i]);
	for (i = 0; i < THREADS && !ret; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < THREADS && !ret; i++)
		if (view[i].im.win)
			import_close(&view[i].im);
	return ret;
}
