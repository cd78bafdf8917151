// SPDX-License-Identifier: BSD-3-Clause
/* component.c - how UCX comes to know of the transport */
#include "component.h"

#include <uct/api/version.h>

static ucs_status_t query_devices(uct_md_h md,
				  uct_tl_device_resource_t **devices,
				  unsigned int *ndevices)
{
	return uct_single_device_resource(md, DEVICE_NAME, UCT_DEVICE_TYPE_SHM,
					  UCS_SYS_DEVICE_ID_UNKNOWN, devices,
					  ndevices);
}

static uct_tl_t tl = {
	.name = TL_NAME,
	.query_devices = query_devices,
	.iface_open = UCS_CLASS_NEW_FUNC_NAME(xpmem_numa_iface_t),
	.config = {
		.name = TL_NAME " transport",
		.prefix = CONFIG_PREFIX,
		.table = iface_config_table,
		.size = sizeof(struct iface_config),
	},
};

/* The peer's whole memory is reached through its endpoint: see key.h. */
static ucs_status_t rkey_unpack(uct_component_t *component, const void *buffer,
				COMPAT_UNPACK_ARGS uct_rkey_t *rkey,
				void **handle)
{
	uint64_t key;

	memcpy(&key, buffer, sizeof(key));
	*rkey = key;
	*handle = NULL;
	return UCS_OK;
}

static ucs_status_t rkey_release(uct_component_t *component, uct_rkey_t rkey,
				 void *handle)
{
	return UCS_OK;
}

uct_component_t xpmem_numa_component = {
	.query_md_resources = uct_md_query_single_md_resource,
	.md_open = md_open,
	.cm_open = (void *)ucs_empty_function_return_unsupported,
	.rkey_unpack = rkey_unpack,
	.rkey_ptr = (void *)ucs_empty_function_return_unsupported,
	.rkey_release = rkey_release,
#ifdef HAVE_UCX_RKEY_COMPARE
	.rkey_compare = uct_base_rkey_compare,
#endif
	.name = TL_NAME,
	.md_config = {
		.name = TL_NAME " memory domain",
		.prefix = CONFIG_PREFIX,
		.table = md_config_table,
		.size = sizeof(struct md_config),
	},
	.cm_config = UCS_CONFIG_EMPTY_GLOBAL_LIST_ENTRY,
	.tl_list = UCT_COMPONENT_TL_LIST_INITIALIZER(&xpmem_numa_component),
	.flags = 0,
	.md_vfs_init = (uct_component_md_vfs_init_func_t)ucs_empty_function,
};

static bool is_registered(void)
{
	const uct_component_t *component;

	ucs_list_for_each(component, &uct_components_list, list)
		if (!strcmp(component->name, TL_NAME))
			return true;
	return false;
}

/* ---- what the loader looks for ---- */

#define EXPORT	__attribute__((visibility("default")))

extern EXPORT const char xpmem_numa_ucx_series[];
EXPORT void xpmem_numa_ucx_register(void);

const char xpmem_numa_ucx_series[] = UCS_PP_MAKE_STRING(UCT_VERNO_MAJOR) "."
				     UCS_PP_MAKE_STRING(UCT_VERNO_MINOR);

/*
 * Another loader may have been here, as a plugin and by LD_PRELOAD. UCX never
 * unloads us (-z nodelete), so nothing is ever unregistered.
 */
void xpmem_numa_ucx_register(void)
{
	if (is_registered())
		return;
	uct_component_register(&xpmem_numa_component);
	uct_tl_register(&xpmem_numa_component, &tl);
}
