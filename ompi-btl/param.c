// SPDX-License-Identifier: BSD-3-Clause
/* param.c - MCA parameters; names as in vader and sm where they mean the same */
#include <limits.h>
#include <string.h>

#include "component.h"

#define VERSION	(&component.super.btl_version)

static const mca_base_var_enum_value_t port_values[] = {
	{ XNUMA_PORT_AUTO, "auto" },
	{ XNUMA_PORT_KMOD, "kmod" },
	{ XNUMA_PORT_USER, "user" },
	{ 0, NULL },
};

static const mca_base_var_enum_value_t export_values[] = {
	{ XNUMA_EXPORT_ALL, "all" },
	{ XNUMA_EXPORT_BUFFERS, "buffers" },
	{ XNUMA_EXPORT_NONE, "none" },
	{ 0, NULL },
};

static const mca_base_var_enum_value_t local_peers_values[] = {
	{ LOCAL_PEERS_AUTO, "auto" },
	{ LOCAL_PEERS_ALWAYS, "always" },
	{ LOCAL_PEERS_NEVER, "never" },
	{ 0, NULL },
};

/* The first wrong parameter; the others are told when it is right. */
static void remember(const char *text)
{
	if (!component.config_error)
		component.config_error = strdup(text);
}

/*
 * A word that is none ends the job later, with the other refusals. Told at
 * once, Open MPI says so as well, and goes on without this component.
 */
static int word_value(mca_base_var_enum_t *words, const char *word, int *value)
{
	const mca_base_var_enum_value_t *v = words->enum_values;
	char text[256];
	int i, len;

	len = snprintf(text, sizeof(text), "%s is \"%.64s\", not one of",
		       words->enum_name, word);
	for (i = 0; i < words->enum_value_count; i++) {
		*value = v[i].value;
		if (!strcmp(v[i].string, word))
			return OPAL_SUCCESS;
		len += snprintf(text + len, sizeof(text) - len, "%s %s",
				i ? "," : "", v[i].string);
	}
	remember(text);
	*value = v[0].value;
	return OPAL_SUCCESS;
}

static int choice(const char *name, const char *help,
		  const mca_base_var_enum_value_t *values, void *storage)
{
	mca_base_var_enum_t *words;
	char label[64];
	int ret;

	snprintf(label, sizeof(label), "btl_xpmem_numa_%s", name);
	ret = mca_base_var_enum_create(label, values, &words);
	if (ret)
		return ret;
	words->value_from_string = word_value;
	ret = mca_base_component_var_register(VERSION, name, help,
					      MCA_BASE_VAR_TYPE_INT, words, 0,
					      0, OPAL_INFO_LVL_3,
					      MCA_BASE_VAR_SCOPE_READONLY,
					      storage);
	OBJ_RELEASE(words);
	return ret < 0 ? ret : OPAL_SUCCESS;
}

static int number(const char *name, const char *help, mca_base_var_type_t type,
		  mca_base_var_info_lvl_t level, void *storage)
{
	char text[128];
	int ret;

	ret = mca_base_component_var_register(VERSION, name, help, type, NULL,
					      0, 0, level,
					      MCA_BASE_VAR_SCOPE_READONLY,
					      storage);
	if (ret < 0) {
		snprintf(text, sizeof(text), "btl_xpmem_numa_%s is no number",
			 name);
		remember(text);
	}
	return OPAL_SUCCESS;
}

static int choices_register(struct btl_params *params)
{
	int ret;

	ret = choice("port", "How peers are reached: \"kmod\" by the module "
		     "xpmem_numa, or the job fails; \"user\" without it; "
		     "\"auto\" by the module if it is loaded (default: auto)",
		     port_values, &params->port);
	if (ret)
		return ret;
	ret = choice("export", "What peers may reach: \"all\" of this "
		     "process, only \"buffers\" allocated for it, or \"none\", "
		     "when all data goes through queues (default: all)",
		     export_values, &params->policy);
	if (ret)
		return ret;
	return choice("local_peers", "Whether to serve peers on this node: "
		      "\"always\", \"never\" (another BTL does), or \"auto\": "
		      "unless vader is named as well and the module is not "
		      "loaded (default: auto)", local_peers_values,
		      &params->local_peers);
}

static int sizes_register(struct btl_params *params)
{
	const struct {
		const char *name, *help;
		mca_base_var_type_t type;
		mca_base_var_info_lvl_t level;
		void *storage;
	} vars[] = {
		{ "ring_size", "Size in bytes of the message ring of a peer "
		  "that talks often; a power of two from 4k to 16M",
		  MCA_BASE_VAR_TYPE_SIZE_T, OPAL_INFO_LVL_5,
		  &params->ring_size },
		{ "max_rings", "Number of peers that may have a ring of their "
		  "own; the others share one", MCA_BASE_VAR_TYPE_UNSIGNED_INT,
		  OPAL_INFO_LVL_5, &params->max_rings },
		{ "share_min", "Size in bytes of a message from which on its "
		  "sender copies a part of it if it waits meanwhile, twice "
		  "that without the module; 0 is never",
		  MCA_BASE_VAR_TYPE_SIZE_T, OPAL_INFO_LVL_5,
		  &params->share_min },
		{ "window_size", "Size in bytes of one window on a peer's "
		  "memory; a power of two, 0 chooses from window_limit",
		  MCA_BASE_VAR_TYPE_SIZE_T, OPAL_INFO_LVL_9,
		  &params->window_size },
		{ "window_limit", "Address space in bytes for all windows; 0 "
		  "is the smaller of a quarter of the limit on address space "
		  "and 16T", MCA_BASE_VAR_TYPE_SIZE_T, OPAL_INFO_LVL_9,
		  &params->window_limit },
		{ "max_inline_send", "Maximum size to transfer using copy-in "
		  "copy-out semantics; a longer contiguous fragment that "
		  "waits for room stays in the user's buffer",
		  MCA_BASE_VAR_TYPE_UNSIGNED_INT, OPAL_INFO_LVL_5,
		  &params->max_inline_send },
		{ "free_list_num", "Initial number of fragments to allocate "
		  "for shared memory communication.", MCA_BASE_VAR_TYPE_INT,
		  OPAL_INFO_LVL_9, &params->free_list_num },
		{ "free_list_max", "Maximum number of fragments to allocate "
		  "for shared memory communication; -1 is no limit.",
		  MCA_BASE_VAR_TYPE_INT, OPAL_INFO_LVL_9,
		  &params->free_list_max },
		{ "free_list_inc", "Number of fragments to create on each "
		  "allocation.", MCA_BASE_VAR_TYPE_INT, OPAL_INFO_LVL_9,
		  &params->free_list_inc },
		{ "verbose", "1 prints at the end of each process which port "
		  "it had and how many bytes went which way; 2 also what "
		  "happens on slow paths", MCA_BASE_VAR_TYPE_INT,
		  OPAL_INFO_LVL_3, &params->verbose },
	};
	size_t i;
	int ret;

	for (i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
		ret = number(vars[i].name, vars[i].help, vars[i].type,
			     vars[i].level, vars[i].storage);
		if (ret)
			return ret;
	}
	return OPAL_SUCCESS;
}

/* As for a loaded module; params_is_default() tells what may be adapted. */
static void module_defaults(mca_btl_base_module_t *btl)
{
	btl->btl_exclusivity = MCA_BTL_EXCLUSIVITY_HIGH + 1;
	btl->btl_eager_limit = 4 * 1024;
	btl->btl_rndv_eager_limit = btl->btl_eager_limit;
	btl->btl_max_send_size = 32 * 1024;
	btl->btl_rdma_pipeline_send_length = btl->btl_max_send_size;
	btl->btl_rdma_pipeline_frag_size = btl->btl_max_send_size;
	btl->btl_min_rdma_pipeline_size = INT_MAX;
	btl->btl_latency = 1;		/* microseconds */
	btl->btl_bandwidth = 80000;	/* Mbit/s */
	btl->btl_get_limit = SIZE_MAX;
	btl->btl_put_limit = SIZE_MAX;
	/*
	 * Not SEND_INPLACE: ob1 then packs eager messages by sendi, straight
	 * into the peer's ring, without a fragment.
	 */
	btl->btl_flags = MCA_BTL_FLAGS_SEND | MCA_BTL_FLAGS_RDMA |
			 MCA_BTL_FLAGS_ATOMIC_OPS | MCA_BTL_FLAGS_ATOMIC_FOPS |
			 MCA_BTL_FLAGS_RDMA_FLUSH |
			 COMPAT_FLAG_REMOTE_COMPLETION;
	btl->btl_atomic_flags = MCA_BTL_ATOMIC_SUPPORTS_ADD |
				MCA_BTL_ATOMIC_SUPPORTS_AND |
				MCA_BTL_ATOMIC_SUPPORTS_OR |
				MCA_BTL_ATOMIC_SUPPORTS_XOR |
				MCA_BTL_ATOMIC_SUPPORTS_SWAP |
				MCA_BTL_ATOMIC_SUPPORTS_CSWAP |
				MCA_BTL_ATOMIC_SUPPORTS_32BIT |
				MCA_BTL_ATOMIC_SUPPORTS_GLOB;
}

int params_register(void)
{
	struct btl_params *params = &component.params;
	struct xnuma_config *config = &component.config;
	int ret;

	if (xnuma_config_init(config))
		component.config_error = strdup(xnuma_error());
	*params = (struct btl_params) {
		.port = config->port,
		.policy = config->policy,
		.local_peers = LOCAL_PEERS_AUTO,
		.ring_size = config->ring_size,
		.max_rings = config->max_rings,
		.share_min = config->share_min,
		.window_size = config->window_size,
		.window_limit = config->window_limit,
		.max_inline_send = 256,
		.free_list_num = 8,
		.free_list_max = -1,
		.free_list_inc = 64,
	};
	mca_base_var_group_component_register(VERSION, "Direct access to the "
		"memory of processes of this and of other partitions");
	ret = choices_register(params);
	if (!ret)
		ret = sizes_register(params);
	if (ret)
		return ret;
	module_defaults(&mca_btl_xpmem_numa);
	return mca_btl_base_param_register(VERSION, &mca_btl_xpmem_numa);
}

bool params_is_default(const char *name)
{
	mca_base_var_source_t source = MCA_BASE_VAR_SOURCE_DEFAULT;
	int var = mca_base_var_find("opal", "btl", "xpmem_numa", name);

	if (var >= 0)
		mca_base_var_get_value(var, NULL, &source, NULL);
	return source == MCA_BASE_VAR_SOURCE_DEFAULT;
}

void params_domain(struct xnuma_config *config)
{
	const struct btl_params *params = &component.params;

	config->port = params->port;
	config->policy = params->policy;
	config->ring_size = params->ring_size;
	config->max_rings = params->max_rings;
	config->share_min = params->share_min;
	config->window_size = params->window_size;
	config->window_limit = params->window_limit;
}
