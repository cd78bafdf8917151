// SPDX-License-Identifier: BSD-3-Clause
/*
 * md.c - memory that peers read and write
 *
 * Nothing is registered: a process offers its whole memory when it opens its
 * domain. A key says nothing, unless it shall be possible to take it back.
 */
#include <errno.h>

#include "component.h"

struct handle {
	uint64_t		key;		/* that can be taken back, or 0 */
	void			*allocation;	/* or NULL */
};

bool md_has_rma(const struct md *md)
{
	return md->config.policy == XNUMA_EXPORT_ALL &&
	       md->attr.caps & (XNUMA_CAP_MAP | XNUMA_CAP_COPY);
}

bool md_has_keys(const struct md *md)
{
	return md_has_rma(md) && md->attr.caps & XNUMA_CAP_DENY;
}

static ucs_status_t domain_open(const struct md *md, struct xnuma_domain **dom,
				uint64_t *name)
{
	struct xnuma_config config = md->config;
	int ret;

	config.name = ucs_generate_uuid((uintptr_t)dom);
	ret = xnuma_domain_open(&config, dom);
	*name = config.name;
	return status_of(ret);
}

/* With the lock. The one that was closed with its interface is replaced. */
static ucs_status_t own_domain(struct md *md)
{
	if (md->domain)
		return UCS_OK;
	md->taken = false;
	return domain_open(md, &md->domain, &md->name);
}

static void md_close(uct_md_h tl_md)
{
	struct md *md = ucs_derived_of(tl_md, struct md);

	xnuma_domain_close(md->domain);
	keys_fini(&md->keys);
	pthread_mutex_destroy(&md->lock);
	ucs_free(md);
}

static ucs_status_t md_query(uct_md_h tl_md, compat_md_attr_t *attr)
{
	struct md *md = ucs_derived_of(tl_md, struct md);

	compat_md_attr_init(attr);
	COMPAT_MD_CAP(attr, flags) = UCT_MD_FLAG_ALLOC | UCT_MD_FLAG_NEED_RKEY;
	if (md_has_rma(md))
		COMPAT_MD_CAP(attr, flags) |= UCT_MD_FLAG_REG;
	if (md_has_keys(md))
		COMPAT_MD_CAP(attr, flags) |= COMPAT_MD_INVALIDATE;
	COMPAT_MD_CAP(attr, reg_mem_types) = UCS_BIT(UCS_MEMORY_TYPE_HOST);
	COMPAT_MD_CAP(attr, alloc_mem_types) = UCS_BIT(UCS_MEMORY_TYPE_HOST);
	COMPAT_MD_CAP(attr, access_mem_types) = UCS_BIT(UCS_MEMORY_TYPE_HOST);
	COMPAT_MD_CAP(attr, detect_mem_types) = 0;
	COMPAT_MD_CAP(attr, max_alloc) = ULONG_MAX;
	COMPAT_MD_CAP(attr, max_reg) = ULONG_MAX;
	attr->rkey_packed_size = sizeof(uint64_t);
	attr->reg_cost = ucs_linear_func_make(0, 0);
	memset(&attr->local_cpus, 0xff, sizeof(attr->local_cpus));
	return UCS_OK;
}

static struct handle *handle_make(void)
{
	return ucs_calloc(1, sizeof(struct handle), "xpmem_numa_handle");
}

static void handle_free(struct md *md, struct handle *handle, bool revoke)
{
	if (handle->key) {
		pthread_mutex_lock(&md->lock);
		if (revoke)
			key_revoke(md, handle->key);
		else
			key_drop(md, handle->key);
		pthread_mutex_unlock(&md->lock);
	}
	ucs_free(handle);
}

static ucs_status_t region_alloc(struct md *md, size_t length, void **address)
{
	ucs_status_t status;

	pthread_mutex_lock(&md->lock);
	status = own_domain(md);
	if (status == UCS_OK)
		status = status_of(xnuma_alloc(md->domain, length, -1,
					       address));
	md->nallocs += status == UCS_OK;
	pthread_mutex_unlock(&md->lock);
	return status;
}

static ucs_status_t md_alloc(uct_md_h tl_md, size_t *length, void **address,
			     ucs_memory_type_t type, COMPAT_ALLOC_ARGS
			     unsigned int flags, const char *name,
			     uct_mem_h *memh)
{
	struct md *md = ucs_derived_of(tl_md, struct md);
	struct handle *handle;
	ucs_status_t status;

	if (type != UCS_MEMORY_TYPE_HOST || flags & UCT_MD_MEM_FLAG_FIXED)
		return UCS_ERR_UNSUPPORTED;
	handle = handle_make();
	if (!handle)
		return UCS_ERR_NO_MEMORY;
	status = region_alloc(md, *length, address);
	if (status != UCS_OK) {
		ucs_free(handle);
		return status;
	}
	handle->allocation = *address;
	*length = ucs_align_up_pow2(*length, ucs_get_page_size());
	*memh = handle;
	return UCS_OK;
}

static ucs_status_t md_free(uct_md_h tl_md, uct_mem_h memh)
{
	struct md *md = ucs_derived_of(tl_md, struct md);
	struct handle *handle = memh;

	pthread_mutex_lock(&md->lock);
	xnuma_free(md->domain, handle->allocation);
	md->nallocs--;
	pthread_mutex_unlock(&md->lock);
	handle_free(md, handle, false);
	return UCS_OK;
}

static ucs_status_t md_reg(uct_md_h tl_md, void *address, size_t length,
			   COMPAT_REG_ARGS, uct_mem_h *memh)
{
	*memh = handle_make();
	return *memh ? UCS_OK : UCS_ERR_NO_MEMORY;
}

static ucs_status_t md_dereg(uct_md_h tl_md,
			     const uct_md_mem_dereg_params_t *params)
{
	struct md *md = ucs_derived_of(tl_md, struct md);
	bool revoke;

	UCT_MD_MEM_DEREG_CHECK_PARAMS(params, md_has_keys(md));
	revoke = UCT_MD_MEM_DEREG_FIELD_VALUE(params, flags, FIELD_FLAGS, 0) &
		 UCT_MD_MEM_DEREG_FLAG_INVALIDATE;
	handle_free(md, params->memh, revoke);
	if (revoke)
		uct_invoke_completion(params->comp, UCS_OK);
	return UCS_OK;
}

static ucs_status_t md_pack(uct_md_h tl_md, uct_mem_h memh, COMPAT_PACK_ARGS
			    const uct_md_mkey_pack_params_t *params, void *rkey)
{
	struct md *md = ucs_derived_of(tl_md, struct md);
	struct handle *handle = memh;
	unsigned int flags = UCS_PARAM_VALUE(UCT_MD_MKEY_PACK_FIELD, params,
					     flags, FLAGS, 0);
	uint64_t key = 0;

	if (flags & COMPAT_PACK_INVALIDATE && md_has_keys(md)) {
		pthread_mutex_lock(&md->lock);
		if (!handle->key)
			handle->key = key_make(md);
		key = handle->key;
		pthread_mutex_unlock(&md->lock);
		if (!key)
			return UCS_ERR_NO_MEMORY;
	}
	memcpy(rkey, &key, sizeof(key));
	return UCS_OK;
}

static uct_md_ops_t md_ops = {
	.close = md_close,
	.query = md_query,
	.mem_alloc = md_alloc,
	.mem_free = md_free,
	.mem_advise = (void *)ucs_empty_function_return_unsupported,
	.mem_reg = md_reg,
	.mem_dereg = md_dereg,
	.mem_query = (void *)ucs_empty_function_return_unsupported,
	.mkey_pack = md_pack,
	COMPAT_MD_STUBS
	.detect_memory_type = (void *)ucs_empty_function_return_unsupported,
};

static void log_text(void *arg, enum xnuma_log_level level, const char *text)
{
	ucs_debug("xpmem_numa: %s", text);
}

ucs_status_t md_open(uct_component_t *component, const char *name,
		     const uct_md_config_t *config, uct_md_h *out)
{
	struct md *md = ucs_calloc(1, sizeof(*md), "xpmem_numa_md");
	ucs_status_t status;

	if (!md)
		return UCS_ERR_NO_MEMORY;
	status = status_of(config_domain(ucs_derived_of(config,
							struct md_config),
					 &md->config));
	if (status != UCS_OK)
		goto failed;
	md->config.log = log_text;
	status = domain_open(md, &md->domain, &md->name);
	if (status != UCS_OK)
		goto failed;
	pthread_mutex_init(&md->lock, NULL);
	ucs_list_head_init(&md->ifaces);
	xnuma_domain_query(md->domain, &md->attr);
	if (*md->attr.fallback)
		ucs_debug("xpmem_numa: port %s: %s", md->attr.port_name,
			  md->attr.fallback);
	md->super.ops = &md_ops;
	md->super.component = component;
	*out = &md->super;
	return UCS_OK;

failed:
	ucs_diag("xpmem_numa: not used: %s", xnuma_error());
	ucs_free(md);
	return status;
}

ucs_status_t md_take_domain(struct md *md, struct xnuma_domain **dom,
			    uint64_t *name)
{
	ucs_status_t status;

	pthread_mutex_lock(&md->lock);
	status = own_domain(md);
	if (status == UCS_OK && md->taken) {
		status = domain_open(md, dom, name);
	} else if (status == UCS_OK) {
		md->taken = true;
		*dom = md->domain;
		*name = md->name;
	}
	pthread_mutex_unlock(&md->lock);
	if (status != UCS_OK)
		ucs_error("xpmem_numa: %s", xnuma_error());
	return status;
}

/* Peers are to see it go, unless memory that they may reach is in it. */
void md_give_domain(struct md *md, struct xnuma_domain *dom)
{
	pthread_mutex_lock(&md->lock);
	if (dom != md->domain) {
		xnuma_domain_close(dom);
	} else if (!md->nallocs) {
		xnuma_domain_close(dom);
		md->domain = NULL;
	}
	pthread_mutex_unlock(&md->lock);
}
