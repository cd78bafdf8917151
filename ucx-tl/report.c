// SPDX-License-Identifier: BSD-3-Clause
/* report.c - at the end of an interface, which way its bytes went */
#include <inttypes.h>

#include "component.h"

void report(struct iface *iface)
{
	struct xnuma_domain_attr attr;
	struct xnuma_stats stats;

	if (!ucs_log_is_enabled(UCS_LOG_LEVEL_INFO))
		return;
	xnuma_domain_query(iface->domain, &attr);
	xnuma_domain_stats(iface->domain, &stats);
	ucs_info("xpmem_numa: port %s, messages %" PRIu64 ", queue %" PRIu64
		 ", window get %" PRIu64 ", window put %" PRIu64
		 ", syscall get %" PRIu64 ", syscall put %" PRIu64
		 ", shared %" PRIu64 ", atomics %" PRIu64 ", refused %" PRIu64,
		 attr.port_name, stats.messages_sent, stats.queue_bytes,
		 stats.window_get, stats.window_put, stats.syscall_get,
		 stats.syscall_put, stats.shared_bytes, stats.atomics,
		 stats.again);
}
