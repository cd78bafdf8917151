/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "domain.h"
#include "peer.h"

static uint64_t count(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void senders_add(uint64_t *sum, const struct sender *sender)
{
	sum[SENT_MESSAGES] += count(&sender->messages);
	sum[SENT_BYTES] += count(&sender->bytes);
	sum[SENT_AGAIN] += count(&sender->again);
}

void stats_keep(struct xnuma_domain *dom, const struct sender *sender)
{
	senders_add(dom->sent, sender);
}

void xnuma_domain_stats(struct xnuma_domain *dom, struct xnuma_stats *stats)
{
	uint64_t sent[NSENT];
	struct xnuma_peer *peer;

	memset(stats, 0, sizeof(*stats));
	if (domain_inert(dom))
		return;
	pthread_mutex_lock(&dom->lock);
	memcpy(sent, dom->sent, sizeof(sent));
	for (peer = dom->peers; peer; peer = peer->next)
		senders_add(sent, &peer->sender);
	pthread_mutex_unlock(&dom->lock);
#define STAT_SUM(name, text) stats->name = stat_sum(dom->shards, STAT_##name);
	XNUMA_STATS(STAT_SUM)
#undef STAT_SUM
	stats->messages_sent = sent[SENT_MESSAGES];
	stats->queue_bytes = sent[SENT_BYTES];
	stats->again = sent[SENT_AGAIN];
	stats->messages_received = count(&dom->queue.messages);
	stats->promotions = count(&dom->queue.promotions);
}
