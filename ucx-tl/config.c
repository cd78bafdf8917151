// SPDX-License-Identifier: BSD-3-Clause
/* config.c - the variables UCX_XPMEM_NUMA_* */
#include "component.h"

static const char *port_names[] = {
	[XNUMA_PORT_AUTO] = "auto",
	[XNUMA_PORT_KMOD] = "kmod",
	[XNUMA_PORT_USER] = "user",
	NULL,
};

ucs_config_field_t md_config_table[] = {
	{"", "", NULL, ucs_offsetof(struct md_config, super),
	 UCS_CONFIG_TYPE_TABLE(uct_md_config_table)},

	{"PORT", "auto",
	 "How peers are reached: kmod - by the module xpmem_numa, or not at all;\n"
	 "user - without it; auto - as XNUMA_PORT says, else by the module if it\n"
	 "is loaded",
	 ucs_offsetof(struct md_config, port), UCS_CONFIG_TYPE_ENUM(port_names)},

	{"RING_SIZE", "auto",
	 "Size of the message ring of a peer that talks often; a power of two",
	 ucs_offsetof(struct md_config, ring_size), UCS_CONFIG_TYPE_MEMUNITS},

	{"MAX_RINGS", "auto",
	 "Number of peers that may have a ring of their own; the others share one",
	 ucs_offsetof(struct md_config, max_rings), UCS_CONFIG_TYPE_ULUNITS},

	{"SHARE_MIN", "auto",
	 "Size from which on the peer that is read from copies a part itself when\n"
	 "it has nothing else to do; inf - never",
	 ucs_offsetof(struct md_config, share_min), UCS_CONFIG_TYPE_MEMUNITS},

	{"WINDOW_SIZE", "auto",
	 "Size of one window on a peer's memory; a power of two",
	 ucs_offsetof(struct md_config, window_size), UCS_CONFIG_TYPE_MEMUNITS},

	{"WINDOW_LIMIT", "auto",
	 "Address space for all windows",
	 ucs_offsetof(struct md_config, window_limit), UCS_CONFIG_TYPE_MEMUNITS},

	{"WAKEUP", "y",
	 "Let the worker sleep on a file descriptor; costs every sender a fence\n"
	 "per message",
	 ucs_offsetof(struct md_config, wakeup), UCS_CONFIG_TYPE_BOOL},

	{NULL}
};

ucs_config_field_t iface_config_table[] = {
	{"", "", NULL, ucs_offsetof(struct iface_config, super),
	 UCS_CONFIG_TYPE_TABLE(uct_iface_config_table)},

	{"SEG_SIZE", "8256",
	 "Size of the longest active message; less if a quarter of the ring is",
	 ucs_offsetof(struct iface_config, seg_size), UCS_CONFIG_TYPE_MEMUNITS},

	{"BW", "auto",
	 "Bandwidth of one copy, by which protocols are chosen",
	 ucs_offsetof(struct iface_config, bandwidth), UCS_CONFIG_TYPE_BW},

	{"OVERHEAD", "10ns",
	 "Time of the processor per message, by which protocols are chosen",
	 ucs_offsetof(struct iface_config, overhead), UCS_CONFIG_TYPE_TIME},

	{NULL}
};

static void size_set(size_t *to, size_t from)
{
	if (from != UCS_MEMUNITS_AUTO)
		*to = from;
}

/* Return: 0 or -errno; the cause is in xnuma_error() */
int config_domain(const struct md_config *md, struct xnuma_config *config)
{
	int ret = xnuma_config_init(config);

	if (ret)
		return ret;
	if (md->port != XNUMA_PORT_AUTO)
		config->port = md->port;
	size_set(&config->ring_size, md->ring_size);
	if (md->max_rings != UCS_ULUNITS_AUTO)
		config->max_rings = md->max_rings;
	size_set(&config->share_min, md->share_min);
	if (config->share_min == UCS_MEMUNITS_INF)
		config->share_min = 0;
	size_set(&config->window_size, md->window_size);
	size_set(&config->window_limit, md->window_limit);
	config->flags = XNUMA_SINGLE_THREAD | XNUMA_SHARES |
			(md->wakeup ? XNUMA_SLEEPS : 0);
	return 0;
}
