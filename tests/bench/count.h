/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * count.h - what the parts of count share
 *
 * count measures what mapping a peer's memory costs, for importer and owner. It
 * runs on one processor whose clock counts instructions (lab --icount), so that
 * a nanosecond is an instruction and the least of a few repetitions is exact.
 * The owner is a peer process, the importer the process that prints.
 */
#ifndef XNUMA_BENCH_COUNT_H
#define XNUMA_BENCH_COUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "guest.h"

#define LEN	(64 * MIB)	/* of most measurements */
#define PAGES	(LEN / PAGE)
#define REPEATS	5

/*
 * A module that exports memory. Ids and handles are numbers; what fails ends
 * the program. Both are called in the process that they are about.
 */
struct port {
	const char *name;
	void (*setup)(const char *arg);
	long (*offer)(void *addr, size_t len);		/* returns the id */
	void (*withdraw)(long id);
	long (*take)(long id);				/* returns a handle */
	void (*drop)(long handle);
	char *(*map)(long handle, char *addr, char *first, size_t len);
	void (*unmap)(char *win, size_t len);
	bool (*prefault)(long handle, char *addr, size_t len);
	long (*metadata)(void);				/* bytes; -1: not told */
};

extern const struct port port_kmod, port_xpmem;
extern const struct port *port;

void die(const char *what) __attribute__((noreturn));
double now(void);
/* Prints a line: section, tab, what, tab, instructions. */
void row(double value, const char *what, ...)
	__attribute__((format(printf, 2, 3)));
double least(double a, double b);

/* In the owner, by peer_call(). */
enum kind { KIND_4K, KIND_THP, KIND_HUGETLB, KINDS };
extern const char *const kind_name[KINDS];
long on_area(long len, long kind, long);	/* fresh, touched, at AREA */
long on_gone(long addr, long len, long);
long on_offer(long addr, long len, long);
long on_withdraw(long id, long, long);
/* What the call itself costs the owner. */
long on_time_advise(long addr, long len, long advice);
long on_time_unmap(long addr, long len, long);
long on_time_fork(long, long, long);

/* One import, mapped whole. */
struct share {
	struct peer *owner;
	long id, handle;
	char *win;
	size_t len;
};

void share_begin(struct share *s, struct peer *owner, size_t len);
void share_end(struct share *s);
void touch_read(volatile char *win, size_t len, size_t step);
void touch_write(volatile char *win, size_t len, size_t step);

void count_touch(struct peer *owner);
void count_revoke(struct peer *owner);
void count_events(struct peer *owner);	/* one that never exported */
void count_heap(struct peer *owner, size_t len);

#endif
