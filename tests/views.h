/* SPDX-License-Identifier: BSD-3-Clause */
/* views.h - domains of this process, each with its own room for windows */
#ifndef XNUMA_TESTS_VIEWS_H
#define XNUMA_TESTS_VIEWS_H

#include "others.h"

#define VIEW_SIZE	(64UL << 10)	/* of a window */

static TAP_UNUSED struct other o;
static TAP_UNUSED uint64_t view_at;	/* its memory, a window for each byte */

/* A domain of its own in this process, with room for so many windows. */
struct view {
	struct xnuma_domain *dom;
	struct xnuma_peer *peer;
	struct xnuma_import *memory;
};

static TAP_UNUSED void view_open(struct view *v, unsigned int room)
{
	static unsigned int opened;
	struct xnuma_config config;

	xnuma_config_init(&config);
	config.window_size = VIEW_SIZE;
	config.window_limit = room * VIEW_SIZE;
	config.max_rings = 1;
	config.name = (uint64_t)getpid() << 32 | ++opened;
	other_need(!xnuma_domain_open(&config, &v->dom), "open");
	other_need(!xnuma_peer_open(v->dom, o.blob, &v->peer), "peer");
	v->memory = xnuma_peer_memory(v->peer);
}

static TAP_UNUSED void view_close(struct view *v)
{
	xnuma_peer_close(v->peer);
	xnuma_domain_close(v->dom);
}

static TAP_UNUSED int view_get(struct view *v, unsigned long window)
{
	unsigned char byte;
	int ret = xnuma_get(v->memory, &byte, view_at + window * VIEW_SIZE, 1, NULL);

	return ret ? ret : byte - other_byte(0, window);
}

static TAP_UNUSED long view_fill(long addr, long windows, long c)
{
	long i;

	view_at = addr;
	for (i = 0; i < windows; i++)
		*(unsigned char *)(view_at + i * VIEW_SIZE) = other_byte(0, i);
	return 0;
}

/* What all views look at. */
static TAP_UNUSED void view_memory(unsigned long windows)
{
	view_at = other_do(&o, other_alloc, windows * VIEW_SIZE, 0, 0);
	other_do(&o, view_fill, view_at, windows, 0);
}

static TAP_UNUSED void view_walk(struct view *v, unsigned long windows)
{
	unsigned long i;

	for (i = 0; i < windows; i++)
		check_int(view_get(v, i), ==, 0);
}

#endif
