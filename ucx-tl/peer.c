// SPDX-License-Identifier: BSD-3-Clause
/* peer.c - the other interface, behind one or several endpoints */
#include "component.h"

struct peer *peer_find(struct iface *iface, uint64_t name)
{
	khiter_t at = kh_get(peers, &iface->peers, name);

	return at == kh_end(&iface->peers) ? NULL : kh_val(&iface->peers, at);
}

static ucs_status_t peer_add(struct iface *iface, struct peer *peer)
{
	khiter_t at;
	int ret;

	at = kh_put(peers, &iface->peers, peer->name, &ret);
	if (ret < 0)
		return UCS_ERR_NO_MEMORY;
	kh_val(&iface->peers, at) = peer;
	return UCS_OK;
}

static ucs_status_t peer_open(struct iface *iface, const uint8_t *device,
			      const struct iface_addr *addr, struct peer *peer)
{
	uint8_t blob[XNUMA_BLOB_LEN];
	int ret;

	memcpy(blob, device, XNUMA_DEVICE_LEN);
	memcpy(blob + XNUMA_DEVICE_LEN, addr->blob, sizeof(addr->blob));
	ret = xnuma_peer_open(iface->domain, blob, &peer->xnuma);
	if (!ret)
		return UCS_OK;
	ucs_diag("xpmem_numa: %s", xnuma_error());
	return status_of(ret);
}

ucs_status_t peer_get(struct iface *iface, const uint8_t *device,
		      const struct iface_addr *addr, struct peer **out)
{
	struct peer *peer = peer_find(iface, addr->name);
	ucs_status_t status;

	if (peer) {
		peer->refs++;
		*out = peer;
		return UCS_OK;
	}
	peer = ucs_malloc(sizeof(*peer), "xpmem_numa_peer");
	if (!peer)
		return UCS_ERR_NO_MEMORY;
	peer->name = addr->name;
	peer->refs = 1;
	peer->offer = addr->offer;
	peer->words = 0;
	peer->fence = NULL;
	status = peer_open(iface, device, addr, peer);
	if (status != UCS_OK)
		goto free_peer;
	status = peer_add(iface, peer);
	if (status != UCS_OK)
		goto close;
	*out = peer;
	return UCS_OK;

close:
	xnuma_peer_close(peer->xnuma);
free_peer:
	ucs_free(peer);
	return status;
}

void peer_put(struct iface *iface, struct peer *peer)
{
	if (--peer->refs)
		return;
	kh_del(peers, &iface->peers,
	       kh_get(peers, &iface->peers, peer->name));
	fence_forget(peer);
	xnuma_peer_close(peer->xnuma);
	ucs_free(peer);
}
