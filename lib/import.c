/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "port.h"

/* Own memory is always there and never poisoned. */
static const struct status status_self;

static int import_self(struct xnuma_import *imp)
{
	imp->self = true;
	imp->status = &status_self;
	imp->va = imp->rkey.va;
	imp->len = imp->rkey.len;
	if (imp->peer->dom->ops->shared && imp->rkey.slot < REGION_TICKETS)
		imp->ticket = &imp->dom->region.header->ticket[imp->rkey.slot];
	return 0;
}

int import_init(struct xnuma_import *imp, struct xnuma_peer *peer,
		enum import_kind kind, const struct rkey *rkey)
{
	int ret;

	memset(imp, 0, sizeof(*imp));
	imp->dom = peer->dom;
	imp->peer = peer;
	imp->kind = kind;
	imp->rkey = *rkey;
	imp->rights = rkey->rights;
	imp->fd = -1;
	window_table_init(&imp->table);
	imp->regain_at = imp->regain_step = REGAIN_FIRST;
	pthread_mutex_init(&imp->poison_lock, NULL);
	ret = peer->self ? import_self(imp) : imp->dom->ops->import(imp);
	if (ret)
		pthread_mutex_destroy(&imp->poison_lock);
	return ret;
}

static void import_free(struct xnuma_import *imp)
{
	if (!imp)
		return;
	import_fini(imp);
	free(imp);
}

void import_fini(struct xnuma_import *imp)
{
	if (!domain_inert(imp->dom)) {
		window_drop(imp);
		if (!imp->self)
			imp->dom->ops->unimport(imp);
		pthread_mutex_destroy(&imp->poison_lock);
	}
	window_table_fini(&imp->table);
	import_free(imp->hold);
}

/* Two threads may both make one; the second gives its own back. */
int import_hold(struct xnuma_import *imp, struct xnuma_import **hold)
{
	struct xnuma_domain *dom = imp->dom;
	struct xnuma_import *new;
	int ret;

	pthread_mutex_lock(&dom->lock);
	*hold = imp->hold;
	pthread_mutex_unlock(&dom->lock);
	if (*hold)
		return 0;
	new = malloc(sizeof(*new));
	if (!new)
		return error(-ENOMEM, "out of memory");
	ret = import_init(new, imp->peer, IMPORT_HOLD, &imp->rkey);
	if (ret) {
		free(new);
		return ret;
	}
	pthread_mutex_lock(&dom->lock);
	if (!imp->hold) {
		imp->hold = new;
		new = NULL;
	}
	*hold = imp->hold;
	pthread_mutex_unlock(&dom->lock);
	import_free(new);
	return 0;
}
