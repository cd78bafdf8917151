// SPDX-License-Identifier: BSD-3-Clause
/* component.c - life of the component, and what peers are told of it */
#include <inttypes.h>

#include "opal/util/output.h"
#include "smsc.h"

#define PRIORITY	50	/* of cma 37, of Open MPI's own for XPMEM 42 */

static int component_register(void)
{
	const mca_base_component_t *version = &component.super.smsc_version;

	if (!series_is_ours())
		return OPAL_ERR_NOT_AVAILABLE;
	component.super.priority = PRIORITY;
	(void)mca_base_component_var_register(version, "priority",
		"The component with the highest priority that can be used is used",
		MCA_BASE_VAR_TYPE_INT, NULL, 0, 0, OPAL_INFO_LVL_3,
		MCA_BASE_VAR_SCOPE_READONLY, &component.super.priority);
	(void)mca_base_component_var_register(version, "verbose",
		"1: print at the end what was mapped and copied, 2: why it is not used",
		MCA_BASE_VAR_TYPE_INT, NULL, 0, 0, OPAL_INFO_LVL_3,
		MCA_BASE_VAR_SCOPE_READONLY, &component.verbose);
	return OPAL_SUCCESS;
}

static int component_open(void)
{
	OBJ_CONSTRUCT(&component.lock, opal_mutex_t);
	OBJ_CONSTRUCT(&component.peers, opal_list_t);
	return OPAL_SUCCESS;
}

static void report(void)
{
	if (component.verbose < 1)
		return;
	opal_output(0, "smsc xpmem_numa: rank %u: maps %" PRIu64 ", copied %"
		    PRIu64 " bytes; held %u, failed %" PRIu64,
		    OPAL_PROC_MY_NAME.vpid, component.maps, component.copied,
		    component.nheld, component.failed);
}

/* Mappings that were never given back keep all until the process ends. */
static int component_close(void)
{
	if (component.domain) {
		report();
		if (!component.nheld) {
			smsc_peers_close();
			xnuma_domain_close(component.domain);
		}
		component.domain = NULL;
	}
	OBJ_DESTRUCT(&component.peers);
	OBJ_DESTRUCT(&component.lock);
	return OPAL_SUCCESS;
}

static int domain_open(void)
{
	struct xnuma_config config;
	struct xnuma_domain_attr attr;

	if (xnuma_config_init(&config) || config.port == XNUMA_PORT_USER ||
	    config.policy != XNUMA_EXPORT_ALL)
		return OPAL_ERR_NOT_AVAILABLE;
	config.port = XNUMA_PORT_KMOD;
	if (xnuma_domain_open(&config, &component.domain))
		return OPAL_ERR_NOT_AVAILABLE;
	xnuma_domain_query(component.domain, &attr);
	if (attr.caps & XNUMA_CAP_MAP)
		return OPAL_SUCCESS;
	xnuma_domain_close(component.domain);
	component.domain = NULL;
	return OPAL_ERR_NOT_AVAILABLE;
}

static int query(void)
{
	uint8_t blob[XNUMA_BLOB_LEN];
	int ret = domain_open();

	if (ret) {
		if (component.verbose > 1)
			opal_output(0, "smsc xpmem_numa: not used: %s",
				    xnuma_error());
		return ret;
	}
	xnuma_domain_pack(component.domain, blob);
	OPAL_MODEX_SEND(ret, PMIX_LOCAL, &component.super.smsc_version, blob,
			sizeof(blob));
	return ret;
}

static mca_smsc_module_t *enable(void)
{
	return &smsc_module;
}

struct smsc_component mca_smsc_xpmem_numa_component = {
	.super = {
		.smsc_version = {
			MCA_SMSC_DEFAULT_VERSION("xpmem_numa"),
			.mca_open_component = component_open,
			.mca_close_component = component_close,
			.mca_register_component_params = component_register,
		},
		.query = query,
		.enable = enable,
	},
};
