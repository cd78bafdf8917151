// SPDX-License-Identifier: BSD-3-Clause
/*
 * component.c - brings the transport into UCX for Open MPI
 *
 * Before 1.22 UCX loads no transport that it was not built with. This component
 * loads ours before pml/ucx and osc/ucx open UCX, and only when UCX_TLS names
 * it: nobody else is to pay for it. Both want one of the networks that they
 * were made for, which ours is not, unless told that any will do.
 */
#include "opal_config.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ompi/mca/hook/hook.h"
#include "opal/mca/base/mca_base_var.h"
#include "opal/util/output.h"
#include "compat_series.h"

#define VERSION	(&mca_hook_xpmem_numa_component.hookm_version)

extern __attribute__((visibility("default")))
const ompi_hook_base_component_t mca_hook_xpmem_numa_component;

static const char *transport = HOOK_TRANSPORT;

static bool is_named(const char *list)
{
	return list && *list != '^' &&
	       (strstr(list, "xpmem_numa") || strstr(list, "xpmemnuma"));
}

static int component_register(void)
{
	if (!series_is_ours())
		return OPAL_ERR_NOT_AVAILABLE;
	(void)mca_base_component_var_register(VERSION, "transport",
		"File of the transport for UCX; it is loaded when UCX_TLS "
		"names xpmem_numa", MCA_BASE_VAR_TYPE_STRING, NULL, 0, 0,
		OPAL_INFO_LVL_9, MCA_BASE_VAR_SCOPE_READONLY, &transport);
	return OPAL_SUCCESS;
}

/* UCX keeps pointers into the transport, so it stays until the process ends. */
static int component_open(void)
{
	if (!is_named(getenv("UCX_TLS")))
		return OPAL_SUCCESS;
	if (!dlopen(transport, RTLD_NOW | RTLD_NODELETE)) {
		opal_output(0, "xpmem_numa: the transport for UCX cannot be "
			    "loaded: %s", dlerror());
		return OPAL_SUCCESS;
	}
	setenv("OMPI_MCA_opal_common_ucx_tls", "any", 0);
	setenv("OMPI_MCA_opal_common_ucx_devices", "any", 0);
	return OPAL_SUCCESS;
}

const ompi_hook_base_component_t mca_hook_xpmem_numa_component = {
	.hookm_version = {
		OMPI_HOOK_BASE_VERSION_1_0_0,
		.mca_component_name = "xpmem_numa",
		.mca_component_major_version = 0,
		.mca_component_minor_version = 1,
		.mca_component_release_version = 0,
		.mca_register_component_params = component_register,
		.mca_open_component = component_open,
	},
	.hookm_data = {
		MCA_BASE_METADATA_PARAM_NONE
	},
};
