/* SPDX-License-Identifier: BSD-3-Clause */
/* count-touch.c - first touch of a window, and its end. */

#include <stdio.h>

#include "count.h"

#define TOUCH	"First touch of 64 MiB, per page of 4 KiB"
#define WINDOW	"A window of 64 MiB"

enum way { WAY_READ, WAY_AGAIN, WAY_WRITE, WAY_PREFAULT, WAYS };

static const char *const way_name[WAYS] = {
	"read", "read, mapped again", "write", "PREFAULT"
};

struct cost {
	double touch[WAYS];
	double loop;		/* the same over what is mapped */
	double detach, take, map;
};

static double touch_once(struct share *s, enum way way)
{
	double start = now();

	if (way == WAY_PREFAULT &&
	    !port->prefault(s->handle, (char *)AREA, s->len))
		return 0;
	if (way == WAY_WRITE)
		touch_write(s->win, s->len, PAGE);
	else
		touch_read(s->win, s->len, PAGE);
	return now() - start;
}

/* One way to touch a fresh window, on an export that is new but for AGAIN. */
static void window_cost(struct peer *owner, enum way way, struct cost *c)
{
	struct share s;
	double first, loop, start;

	share_begin(&s, owner, LEN);
	if (way == WAY_AGAIN) {
		touch_once(&s, WAY_READ);
		port->unmap(s.win, s.len);
		s.win = port->map(s.handle, s.win, (char *)AREA, s.len);
	}
	first = touch_once(&s, way);
	loop = touch_once(&s, way == WAY_WRITE ? WAY_WRITE : WAY_READ);
	if (first)
		c->touch[way] = least(c->touch[way], first - loop);
	c->loop = least(c->loop, loop);
	start = now();
	port->unmap(s.win, s.len);
	c->detach = least(c->detach, now() - start);
	s.win = NULL;
	share_end(&s);
}

static void import_cost(struct peer *owner, struct cost *c)
{
	long id = peer_call(owner, on_offer, AREA, (long)LEN, 0), handle;
	double start = now();
	char *win;

	handle = port->take(id);
	c->take = least(c->take, now() - start);
	start = now();
	win = port->map(handle, arena_hint(LEN), (char *)AREA, LEN);
	c->map = least(c->map, now() - start);
	port->unmap(win, LEN);
	port->drop(handle);
	peer_call(owner, on_withdraw, id, 0, 0);
}

static void kind_cost(struct peer *owner, enum kind kind)
{
	struct cost c = { .loop = 0 };
	enum way way;
	int i;

	if (peer_call(owner, on_area, (long)LEN, kind, 0)) {
		fprintf(stderr, "count: no %s memory\n", kind_name[kind]);
		return;
	}
	for (i = 0; i < REPEATS; i++) {
		for (way = 0; way < WAYS; way++)
			window_cost(owner, way, &c);
		import_cost(owner, &c);
	}
	peer_call(owner, on_gone, AREA, (long)LEN, 0);
	for (way = 0; way < WAYS; way++)
		if (c.touch[way])
			row(c.touch[way] / PAGES, "%s\t%s, %s", TOUCH,
			    kind_name[kind], way_name[way]);
	row(c.loop / PAGES, "%s\t%s, loop over mapped pages (subtracted)",
	    TOUCH, kind_name[kind]);
	row(c.detach, "%s\t%s, unmap", WINDOW, kind_name[kind]);
	if (kind == KIND_4K) {
		row(c.take, "%s\timport", WINDOW);
		row(c.map, "%s\tmap", WINDOW);
	}
}

void count_touch(struct peer *owner)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++)
		kind_cost(owner, kind);
}
