// SPDX-License-Identifier: BSD-3-Clause
/* report.c - what happened, for people and tests */
#include <inttypes.h>

#include "endpoint.h"
#include "opal/util/output.h"

void btl_report(void)
{
	struct xnuma_stats s;

	if (component.params.verbose < 1)
		return;
	xnuma_domain_stats(component.domain, &s);
	opal_output(0, "xpmem_numa: rank %u: port %s, peers %u of %u, "
		    "window get %" PRIu64 " put %" PRIu64 ", "
		    "queue %" PRIu64 ", syscall %" PRIu64 ", "
		    "local %" PRIu64 ", shared %" PRIu64 " bytes; "
		    "messages sent %" PRIu64 " received %" PRIu64 ", "
		    "refused %" PRIu64 ", fallbacks %" PRIu64 ", atomics %" PRIu64,
		    OPAL_PROC_MY_NAME.vpid, component.attr.port_name,
		    component.nopened, component.npeers,
		    s.window_get, s.window_put, s.queue_bytes,
		    s.syscall_get + s.syscall_put,
		    s.local_bytes + component.self_bytes, s.shared_bytes,
		    s.messages_sent, s.messages_received, s.again,
		    component.fallbacks, s.atomics);
}

void btl_dump(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	      int verbose)
{
	struct xnuma_peer_attr attr;
	struct xnuma_peer *peer;

	mca_btl_base_dump(btl, ep, verbose);
	if (!ep)
		return;
	peer = atomic_load(&ep->peer);
	opal_output(0, "xpmem_numa: rank %u, process %d: %s, %u waiting",
		    ep->name.vpid, (int)ep->pid, ep->is_self ? "self" :
		    ep->lost ? "lost" : peer ? "open" : "not opened",
		    atomic_load(&ep->npending));
	if (!peer)
		return;
	xnuma_peer_query(peer, &attr);
	opal_output(0, "xpmem_numa: partition %u, node %d, distance %.1f",
		    attr.partition, attr.node, attr.distance);
}
