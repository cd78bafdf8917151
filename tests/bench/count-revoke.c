/* SPDX-License-Identifier: BSD-3-Clause */
/* count-revoke.c - what events in his own memory cost an owner. */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "count.h"

#define GRANULE	(2 * MIB)
#define MANY	5000
#define SPARSE	(MANY * GRANULE)	/* a page here and there */
#define DENSE	(AREA + (long)(12 * GIB))	/* whole pages */
#define ALONE	(AREA + (long)(13 * GIB))	/* no importer ever here */
#define SINGLE	(AREA + (long)(14 * GIB))	/* a page that comes and goes */
#define WHOLE	(16 * GIB)


static double timed(struct peer *owner, peer_fn fn, long addr, long len, long c)
{
	long cost = peer_call(owner, fn, addr, len, c);

	if (cost < 0)
		die("an event in the owner");
	return (double)cost;
}

/* ---- ranges that are mapped by the importer, or by nobody ---- */

static double range_event(struct peer *owner, struct share *s, enum kind kind,
			  peer_fn event)
{
	if (peer_call(owner, on_area, (long)LEN, kind, 0))
		die("memory of the owner");
	if (s)
		touch_read(s->win, LEN, PAGE);
	return timed(owner, event, AREA, (long)LEN, MADV_DONTNEED);
}

static void range_cost(struct peer *owner, enum kind kind, const char *section,
		       peer_fn event)
{
	double with = 0, without = 0;
	struct share s;
	int i;

	for (i = 0; i < REPEATS; i++)
		without = least(without, range_event(owner, NULL, kind, event));
	peer_call(owner, on_area, (long)LEN, kind, 0);
	share_begin(&s, owner, LEN);
	for (i = 0; i < REPEATS; i++)
		with = least(with, range_event(owner, &s, kind, event));
	share_end(&s);
	peer_call(owner, on_gone, AREA, (long)LEN, 0);
	row(without, "%s\t%s, mapped by nobody", section, kind_name[kind]);
	row(with, "%s\t%s, mapped by an importer", section, kind_name[kind]);
	row((with / without - 1) * 100, "%s\t%s, more, in percent", section,
	    kind_name[kind]);
}

void count_revoke(struct peer *owner)
{
	enum kind kind;

	for (kind = KIND_4K; kind <= KIND_THP; kind++) {
		range_cost(owner, kind, "Owner: munmap of 64 MiB",
			   on_time_unmap);
		range_cost(owner, kind, "Owner: MADV_DONTNEED of 64 MiB",
			   on_time_advise);
	}
}

/* ---- single pages, with granules elsewhere ---- */

struct events {
	double advise, unmap, revoke;
};

static void events_once(struct peer *owner, struct events *e, char *dense)
{
	long page = DENSE + 100 * (long)PAGE;

	e->advise = least(e->advise, timed(owner, on_time_advise, ALONE, PAGE,
					   MADV_DONTNEED));
	peer_call(owner, on_map, SINGLE, PAGE, MAP_FIXED);
	peer_call(owner, on_fill, SINGLE, PAGE, 1);
	e->unmap = least(e->unmap, timed(owner, on_time_unmap, SINGLE, PAGE, 0));
	peer_call(owner, on_fill, page, PAGE, 1);
	if (!dense)
		return;
	touch_read(dense, 2 * MIB, PAGE);
	e->revoke = least(e->revoke, timed(owner, on_time_advise, page, PAGE,
					   MADV_DONTNEED));
}

/* The first event after a change is an odd one, often a cheap one. */
static void events_measure(struct peer *owner, struct events *e, char *dense)
{
	struct events first = { 0 };
	int i;

	events_once(owner, &first, dense);
	for (i = 0; i < REPEATS; i++)
		events_once(owner, e, dense);
}

static void events_row(const char *who, const struct events *e)
{
	row(e->advise, "Owner: MADV_DONTNEED of a page nobody imported\t%s",
	    who);
	row(e->unmap, "Owner: munmap of a page nobody imported\t%s", who);
	if (e->revoke)
		row(e->revoke, "Owner: MADV_DONTNEED of a page that an "
		    "importer has mapped\t%s", who);
}

/* A window of its own for each of @n granules. */
static char *windows_map(const struct share *s, size_t n)
{
	char *base = arena_hint(SPARSE);
	size_t i;

	for (i = 0; i < n; i++)
		port->map(s->handle, base + i * GRANULE,
			  (char *)AREA + i * GRANULE, GRANULE);
	return base;
}

static void windows_unmap(char *base, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		port->unmap(base + i * GRANULE, GRANULE);
}

/* What is revoked has a window of its own. */
static void events_windows(struct peer *owner, const struct share *s, size_t n)
{
	struct events e = { 0 };
	char *dense = port->map(s->handle, arena_hint(2 * MIB), (char *)DENSE,
				2 * MIB);
	char *base = windows_map(s, n - 1), who[60];

	touch_read(base, (n - 1) * GRANULE, GRANULE);
	events_measure(owner, &e, dense);
	snprintf(who, sizeof(who), "%zu windows of a granule each", n);
	events_row(who, &e);
	windows_unmap(base, n - 1);
	port->unmap(dense, 2 * MIB);
}

static void events_granules(struct peer *owner, const struct share *s, size_t n)
{
	struct events e = { 0 };
	char who[60];

	touch_read(s->win, (n - 1) * GRANULE, GRANULE);
	events_measure(owner, &e, s->win + (DENSE - AREA));
	snprintf(who, sizeof(who), "one window, %zu granules touched", n);
	events_row(who, &e);
}

void count_events(struct peer *owner)
{
	static const size_t counts[] = { 1, 100, 512, MANY };
	struct events none = { 0 }, exported = { 0 };
	struct share s;
	size_t i;

	if (peer_call(owner, on_map, AREA, SINGLE - AREA,
		      MAP_FIXED | MAP_NORESERVE))
		die("address space of the owner");
	peer_call(owner, on_stride, AREA, MANY, GRANULE);
	peer_call(owner, on_fill, DENSE, (long)(2 * MIB), 1);
	events_measure(owner, &none, NULL);
	events_row("not exported", &none);
	share_begin(&s, owner, WHOLE);
	events_measure(owner, &exported, NULL);
	events_row("exported", &exported);
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		events_granules(owner, &s, counts[i]);
	share_end(&s);
	share_begin(&s, owner, WHOLE);
	port->unmap(s.win, s.len);
	s.win = NULL;
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		events_windows(owner, &s, counts[i]);
	share_end(&s);
	peer_call(owner, on_gone, AREA, (long)WHOLE, 0);
}
