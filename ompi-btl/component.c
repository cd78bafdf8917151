// SPDX-License-Identifier: BSD-3-Clause
/* component.c - life of the component, and the choice of the port */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "atomic.h"
#include "endpoint.h"
#include "frag.h"
#include "opal/mca/btl/base/btl_base_error.h"
#include "opal/runtime/opal.h"
#include "opal/util/argv.h"
#include "opal/util/output.h"
#include "opal/util/show_help.h"

#define POLL_BATCH	32	/* messages per poll */
#define WATCH_PERIOD	1024	/* polls between looks at the peers */

static int component_register(void)
{
	help_init();
	if (!series_is_ours()) {
		help_other(opal_version_string);
		return OPAL_ERR_NOT_AVAILABLE;
	}
	return params_register();
}

static int component_open(void)
{
	OBJ_CONSTRUCT(&component.lock, opal_mutex_t);
	OBJ_CONSTRUCT(&component.endpoints, opal_list_t);
	OBJ_CONSTRUCT(&component.waiting, opal_list_t);
	OBJ_CONSTRUCT(&component.by_name, opal_hash_table_t);
	frags_construct();
	return opal_hash_table_init(&component.by_name, 64);
}

static int component_close(void)
{
	frags_fini();
	OBJ_DESTRUCT(&component.by_name);
	OBJ_DESTRUCT(&component.waiting);
	OBJ_DESTRUCT(&component.endpoints);
	OBJ_DESTRUCT(&component.lock);
	free(component.config_error);
	component.config_error = NULL;
	return OPAL_SUCCESS;
}

bool btl_is_named(const char *name)
{
	const char *list = opal_btl_base_framework.framework_selection;
	char **words;
	bool found = false;
	int i;

	if (!list || list[0] == '^')
		return false;
	words = opal_argv_split(list, ',');
	for (i = 0; words && words[i]; i++)
		found |= !strcmp(words[i], name);
	opal_argv_free(words);
	return found;
}

/* The user asked for what cannot be had: the job ends with the reason. */
static void open_failed(int ret, const struct xnuma_config *config)
{
	if (ret == -EINVAL)
		help_refuse("bad configuration", xnuma_error());
	if (config->port == XNUMA_PORT_KMOD) {
		help_refuse(ret == -ENODEV ? "no module" :
			    ret == -EACCES ? "no permission" :
			    ret == -EPROTO ? "other module" : "open failed",
			    xnuma_error());
	}
	if (btl_is_named("xpmem_numa"))
		opal_show_help(HELP_FILE, "open failed", true,
			       opal_process_info.nodename, xnuma_error());
}

static void log_text(void *arg, enum xnuma_log_level level, const char *text)
{
	if (component.params.verbose > (level == XNUMA_LOG_INFO))
		opal_output(0, "xpmem_numa: %s", text);
}

static int domain_open(bool threads)
{
	struct xnuma_config config = component.config;
	int ret;

	if (component.config_error)
		help_refuse("bad configuration", component.config_error);
	params_domain(&config);
	key_of_job(config.key);
	component.key_mark = key_mark(config.key);
	config.name = btl_name(OPAL_PROC_MY_NAME);
	config.flags = XNUMA_SHARES | (threads ? 0 : XNUMA_SINGLE_THREAD);
	config.log = log_text;
	ret = xnuma_domain_open(&config, &component.domain);
	if (ret) {
		open_failed(ret, &config);
		return OPAL_ERR_NOT_AVAILABLE;
	}
	xnuma_domain_query(component.domain, &component.attr);
	return OPAL_SUCCESS;
}

/*
 * Without the module vader is as good, so the other port is taken only by
 * those who ask for this BTL by name.
 */
static bool port_is_wanted(void)
{
	if (component.attr.port == XNUMA_PORT_KMOD)
		return true;
	if (!btl_is_named("xpmem_numa"))
		return false;
	if (component.params.port == XNUMA_PORT_AUTO)
		help_warn("fallback", component.attr.fallback);
	return true;
}

static void module_limits(mca_btl_base_module_t *btl)
{
	size_t max = component.attr.send_max;

	if (params_is_default("eager_limit") &&
	    component.attr.port == XNUMA_PORT_USER)
		btl->btl_eager_limit = 8 * 1024;
	if (params_is_default("rndv_eager_limit") &&
	    btl->btl_rndv_eager_limit < btl->btl_eager_limit)
		btl->btl_rndv_eager_limit = btl->btl_eager_limit;
	if (btl->btl_eager_limit > max)
		btl->btl_eager_limit = max;
	if (btl->btl_rndv_eager_limit > max)
		btl->btl_rndv_eager_limit = max;
	if (btl->btl_max_send_size > max)
		btl->btl_max_send_size = max;
	if (btl->btl_max_send_size < btl->btl_eager_limit)
		btl->btl_max_send_size = btl->btl_eager_limit;
}

/* What this port cannot do is not offered. */
static void module_abilities(mca_btl_base_module_t *btl)
{
	unsigned int caps = component.attr.caps;

	if (!(caps & (XNUMA_CAP_MAP | XNUMA_CAP_COPY)) ||
	    component.params.policy == XNUMA_EXPORT_NONE) {
		btl->btl_flags &= ~MCA_BTL_FLAGS_RDMA;
		btl->btl_get = NULL;
		btl->btl_put = NULL;
	}
	if (!(caps & XNUMA_CAP_MAP) ||
	    component.params.policy == XNUMA_EXPORT_NONE) {
		/* flush knows of no operation that is under way */
		btl->btl_flags &= ~MCA_BTL_FLAGS_RDMA_FLUSH;
		btl->btl_flush = NULL;
		btl->btl_atomic_op = emulate_op;
		btl->btl_atomic_fop = emulate_fop;
		btl->btl_atomic_cswap = emulate_cswap;
	}
}

static int modex_send(void)
{
	struct btl_modex modex;
	int ret;

	modex_fill(&modex);
	OPAL_MODEX_SEND(ret, COMPAT_MODEX_GLOBAL, &component.super.btl_version,
			&modex, sizeof(modex));
	return ret;
}

static mca_btl_base_module_t **
component_init(int *num_btls, bool enable_progress_threads,
	       bool enable_mpi_threads)
{
	mca_btl_base_module_t **btls;

	*num_btls = 0;
	atomic_store(&component.polling, false);
	/* Progress threads would be our own, and we have none. */
	component.threads = enable_mpi_threads || opal_using_threads();
	if (domain_open(component.threads))
		return NULL;
	if (!port_is_wanted())
		goto close;
	module_limits(&mca_btl_xpmem_numa);
	module_abilities(&mca_btl_xpmem_numa);
	if (frags_init())
		goto close;
	btls = malloc(sizeof(*btls));
	if (!btls)
		goto close;
	if (modex_send())
		goto free;
	btls[0] = &mca_btl_xpmem_numa;
	*num_btls = 1;
	return btls;
free:
	free(btls);
close:
	xnuma_domain_close(component.domain);
	component.domain = NULL;
	return NULL;
}

int btl_progress(void)
{
	int n;

	if (!poll_enter())
		return 0;
	n = xnuma_poll(component.domain, btl_receive, NULL, POLL_BATCH);
	if (n <= 0) {
		n = 0;
		component.empty++;
	}
	if (unlikely(atomic_load_explicit(&component.nwaiting,
					  memory_order_relaxed)))
		n += pending_progress();
	if (unlikely(++component.calls % WATCH_PERIOD == 0))
		ep_watch();
	poll_leave();
	return n;
}

struct btl_component mca_btl_xpmem_numa_component = {
	.super = {
		.btl_version = {
			MCA_BTL_DEFAULT_VERSION("xpmem_numa"),
			.mca_open_component = component_open,
			.mca_close_component = component_close,
			.mca_register_component_params = component_register,
		},
		.btl_data = {
			/* nothing of it survives a checkpoint */
			MCA_BASE_METADATA_PARAM_NONE
		},
		.btl_init = component_init,
		.btl_progress = btl_progress,
	},
};
