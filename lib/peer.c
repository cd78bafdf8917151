/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "place.h"
#include "port.h"

static int blob_reachable(const struct xnuma_domain *dom,
			  const struct blob *blob)
{
	if (blob->version != BLOB_VERSION)
		return error(-EPROTO, "the peer speaks format %u, this process "
			     "%u", blob->version, BLOB_VERSION);
	if (blob->port != dom->blob.port)
		return error(-EHOSTUNREACH, "the peer has port %s, this "
			     "process %s", blob->port == XNUMA_PORT_KMOD ? "kmod" :
			     blob->port == XNUMA_PORT_USER ? "user" : "unknown",
			     dom->ops->name);
	if (memcmp(blob->fabric, dom->blob.fabric, FABRIC_LEN))
		return error(-EHOSTUNREACH, "the peer is in another fabric: "
			     "another machine%s",
			     dom->ops->shared ? " or namespace" : "");
	return 0;
}

int xnuma_peer_check(struct xnuma_domain *dom, const uint8_t *bytes, size_t len)
{
	struct blob blob;
	int ret;

	if (domain_inert(dom))
		return error_child();
	ret = blob_unpack(&blob, bytes, len);
	return ret ? ret : blob_reachable(dom, &blob);
}

static const char *const states[] = {
	[XPMEM_NUMA_ACTIVE] = "its queue has vanished",
	[XPMEM_NUMA_OWNER_GONE] = "its process has ended",
	[XPMEM_NUMA_REVOKED] = "it has closed its domain",
	[XPMEM_NUMA_PARTITION_LOST] = "its partition is lost",
};

/* One that closed its domain may have opened another with the same name. */
static bool name_lives(const struct xnuma_domain *dom, uint64_t name)
{
	const struct xnuma_peer *peer;

	for (peer = dom->peers; peer; peer = peer->next)
		if (peer->header.name == name && status_healthy(peer->status))
			return true;
	return false;
}

/* With the domain's lock: who blocks the queue and is not alive? */
void peer_unblock(struct xnuma_domain *dom, uint64_t name)
{
	struct xnuma_peer *peer;

	if (name_lives(dom, name))
		return;
	for (peer = dom->peers; peer; peer = peer->next) {
		if (peer->header.name != name)
			continue;
		peer_lost(peer);
		queue_skip_dead(&dom->queue, name);
		return;
	}
	if (dom->ops->sender_dead && dom->ops->sender_dead(dom, name))
		queue_skip_dead(&dom->queue, name);
}

/*
 * What a process reserved in the queue and did not commit, it never will: its
 * memory was gone before its state changed. One that closed its domain has
 * given everything back itself.
 */
static void peer_bury(struct xnuma_peer *peer, uint32_t state)
{
	struct xnuma_domain *dom = peer->dom;

	if (atomic_exchange(&peer->reported, true))
		return;
	stat_add(dom->shards, thread_self(), STAT_peers_lost, 1);
	domain_log(dom, XNUMA_LOG_WARN, "%s", xnuma_error());
	if (state == XPMEM_NUMA_OWNER_GONE ||
	    state == XPMEM_NUMA_PARTITION_LOST)
		queue_skip_dead(&dom->queue, peer->header.name);
}

int peer_lost(struct xnuma_peer *peer)
{
	uint32_t state = atomic_load_explicit(&peer->status->state,
					      memory_order_acquire);
	const char *text = "unknown state";
	int ret;

	/* An access that failed may know it before the queue's import does. */
	if (state == XPMEM_NUMA_ACTIVE && peer->memory.status)
		state = atomic_load_explicit(&peer->memory.status->state,
					     memory_order_acquire);
	if (state < sizeof(states) / sizeof(*states))
		text = states[state];
	ret = error(state == XPMEM_NUMA_REVOKED ? -ESHUTDOWN : -EPIPE,
		    "peer pid %d of partition %u: %s", peer->blob.pid,
		    peer->blob.partition, text);
	peer_bury(peer, state);
	return ret;
}

int xnuma_peer_alive(struct xnuma_peer *peer)
{
	if (domain_inert(peer->dom))
		return error_child();
	return status_healthy(peer->status) ? 0 : peer_lost(peer);
}

int peer_header(struct xnuma_peer *peer, const struct region_header *mapped)
{
	struct region_facts *header = &peer->header;
	uint64_t end;

	*header = mapped->facts;
	end = header->heap_va + header->heap_len;
	if (header->magic != REGION_MAGIC ||
	    header->version != REGION_VERSION)
		return error(-EPROTO, "pid %d has no queue there",
			     peer->blob.pid);
	if (header->policy > XNUMA_EXPORT_NONE || header->heap_va % PAGE ||
	    header->heap_len % PAGE || end < header->heap_va ||
	    end > XPMEM_NUMA_VA_LIMIT || !header->queue_len ||
	    header->queue_len % PAGE || header->queue_len > 1ULL << 41)
		return error(-EPROTO, "pid %d describes its queue wrongly",
			     peer->blob.pid);
	return 0;
}

static int peer_open_self(struct xnuma_peer *peer)
{
	static const struct status alive;

	peer->self = true;
	peer->status = &alive;
	peer->queue = peer->dom->region.header;
	peer->queue_len = REGION_HEADER_LEN + peer->dom->region.queue_len;
	return peer_header(peer, peer->queue);
}

static int peer_open_port(struct xnuma_peer *peer)
{
	uint8_t own[XNUMA_BLOB_LEN], its[XNUMA_BLOB_LEN];

	blob_pack(&peer->dom->blob, own);
	blob_pack(&peer->blob, its);
	if (!memcmp(own, its, sizeof(own)))
		return peer_open_self(peer);
	return peer->dom->ops->peer_open(peer);
}

static void peer_close_port(struct xnuma_peer *peer)
{
	if (!peer->self)
		peer->dom->ops->peer_close(peer);
}

/* What the peer's domain exports; rkey.id is its id. */
int peer_open_memory(struct xnuma_peer *peer)
{
	const struct rkey rkey = {
		.id = peer->blob.id,
		.domain = peer->blob.id,
		.slot = UINT32_MAX,
		.len = XPMEM_NUMA_VA_LIMIT,
		.rights = XNUMA_READ | XNUMA_WRITE,
	};

	return import_init(&peer->memory, peer, IMPORT_MEMORY, &rkey);
}

static int peer_open_sender(struct xnuma_peer *peer)
{
	struct xnuma_domain *dom = peer->dom;
	int ret = sender_init(&peer->sender,
			      (char *)peer->queue + REGION_HEADER_LEN,
			      peer->queue_len - REGION_HEADER_LEN,
			      dom->config.name, dom->threads,
			      peer->blob.flags & BLOB_SLEEPS);

	atomic_thread_fence(memory_order_acquire);
	if (status_healthy(peer->status))
		return ret ? error_code(ret, "the queue of pid %d",
					peer->blob.pid) : 0;
	if (!ret)
		sender_forget(&peer->sender);
	return peer_lost(peer);
}

static int peer_open(struct xnuma_domain *dom, struct xnuma_peer *peer)
{
	int ret;

	peer->dom = dom;
	if ((ret = peer_open_port(peer)))
		return ret;
	if ((ret = peer_open_memory(peer)))
		goto close_port;
	if ((ret = peer_open_sender(peer)))
		goto close_memory;
	pthread_mutex_lock(&dom->lock);
	peer->next = dom->peers;
	peer->link = &dom->peers;
	if (peer->next)
		peer->next->link = &peer->next;
	dom->peers = peer;
	pthread_mutex_unlock(&dom->lock);
	return 0;

close_memory:
	import_fini(&peer->memory);
close_port:
	peer_close_port(peer);
	return ret;
}

int xnuma_peer_open(struct xnuma_domain *dom, const uint8_t *bytes,
		    struct xnuma_peer **out)
{
	struct xnuma_peer *peer;
	int ret = xnuma_peer_check(dom, bytes, XNUMA_BLOB_LEN);

	if (ret)
		return ret;
	if (!thread_self())
		return -ENOMEM;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return error(-ENOMEM, "out of memory");
	ret = blob_unpack(&peer->blob, bytes, XNUMA_BLOB_LEN);
	if (!ret)
		ret = peer_open(dom, peer);
	if (ret) {
		free(peer);
		return ret;
	}
	*out = peer;
	return 0;
}

static void peer_unlink(struct xnuma_peer *peer)
{
	struct xnuma_domain *dom = peer->dom;

	pthread_mutex_lock(&dom->lock);
	*peer->link = peer->next;
	if (peer->next)
		peer->next->link = peer->link;
	stats_keep(dom, &peer->sender);
	pthread_mutex_unlock(&dom->lock);
}

void xnuma_peer_close(struct xnuma_peer *peer)
{
	if (domain_inert(peer->dom)) {
		sender_forget(&peer->sender);
		import_fini(&peer->memory);
		if (!peer->self)
			peer->dom->ops->peer_forget(peer);
	} else {
		peer_unlink(peer);
		sender_fini(&peer->sender);
		import_fini(&peer->memory);
		peer_close_port(peer);
	}
	free(peer);
}

struct xnuma_import *xnuma_peer_memory(struct xnuma_peer *peer)
{
	return &peer->memory;
}

void xnuma_peer_query(struct xnuma_peer *peer, struct xnuma_peer_attr *attr)
{
	attr->is_self = peer->self;
	attr->pid = peer->blob.pid;
	attr->partition = peer->blob.partition;
	attr->node = peer->blob.node;
	attr->distance = place_distance(peer->dom->node, peer->blob.node);
	attr->latency = place_latency(attr->distance);
	attr->bandwidth = place_bandwidth(attr->distance);
}
