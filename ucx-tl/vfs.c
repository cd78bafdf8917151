// SPDX-License-Identifier: BSD-3-Clause
/* vfs.c - what report.c tells at an interface's end, for ucx_vfs while it lives */
#include <inttypes.h>
#include <ucs/datastruct/string_buffer.h>
#include <ucs/vfs/base/vfs_obj.h>

#include "component.h"

static void show_counter(void *obj, ucs_string_buffer_t *text, void *arg,
			 uint64_t offset)
{
	struct iface *iface = ucs_derived_of((uct_iface_h)obj, struct iface);
	struct xnuma_stats stats;

	xnuma_domain_stats(iface->domain, &stats);
	ucs_string_buffer_appendf(text, "%" PRIu64 "\n",
				  *(uint64_t *)((char *)&stats + offset));
}

static void show_port(void *obj, ucs_string_buffer_t *text, void *arg,
		      uint64_t unused)
{
	struct iface *iface = ucs_derived_of((uct_iface_h)obj, struct iface);
	struct xnuma_domain_attr attr;

	xnuma_domain_query(iface->domain, &attr);
	ucs_string_buffer_appendf(text, "%s\n", attr.port_name);
}

void vfs_refresh(uct_iface_h iface)
{
	ucs_vfs_obj_add_ro_file(iface, show_port, NULL, 0, "xpmem_numa/port");
#define ADD(name, text)							\
	ucs_vfs_obj_add_ro_file(iface, show_counter, NULL,		\
				offsetof(struct xnuma_stats, name),	\
				"xpmem_numa/" #name);
	XNUMA_STATS(ADD)
#undef ADD
}
