// SPDX-License-Identifier: BSD-3-Clause
/* module.c - the module: procs come and go */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "atomic.h"
#include "endpoint.h"
#include "frag.h"
#include "opal/mca/hwloc/base/base.h"
#include "opal/util/output.h"

/* With the module we are at least as good as any; else the user chooses. */
static bool serves_local(void)
{
	switch (component.params.local_peers) {
	case LOCAL_PEERS_ALWAYS:
		return true;
	case LOCAL_PEERS_NEVER:
		return false;
	default:
		return component.attr.port == XNUMA_PORT_KMOD ||
		       !(btl_is_named("vader") || btl_is_named("sm"));
	}
}

/* Return: 0; -1: the peer has not published, or is not within reach */
static int proc_modex(struct opal_proc_t *proc, struct btl_modex *modex)
{
	const char *reason = NULL;
	void *data = NULL;
	size_t len = 0;
	int ret;

	OPAL_MODEX_RECV(ret, &component.super.btl_version, &proc->proc_name,
			&data, &len);
	if (!ret && len == sizeof(*modex))
		memcpy(modex, data, sizeof(*modex));
	else
		ret = -1;
	free(data);
	if (ret)
		return -1;
	if (xnuma_peer_check(component.domain, modex->blob,
			     sizeof(modex->blob)))
		reason = xnuma_error();
	else if (modex->key_mark != component.key_mark)
		reason = "another mpirun gave it another key";
	if (reason && component.params.verbose > 0)
		opal_output(0, "xpmem_numa: rank %u cannot be reached: %s",
			    proc->proc_name.vpid, reason);
	return reason ? -1 : 0;
}

/* Cheap: peers are opened at first use. */
static mca_btl_base_endpoint_t *proc_endpoint(struct opal_proc_t *proc)
{
	bool is_self = proc == opal_proc_local_get();
	mca_btl_base_endpoint_t *ep;
	struct btl_modex modex;

	if (!is_self && OPAL_PROC_ON_LOCAL_NODE(proc->proc_flags) &&
	    !serves_local())
		return NULL;
	ep = ep_find(btl_name(proc->proc_name));
	if (!ep) {
		if (is_self)
			modex_fill(&modex);
		else if (proc_modex(proc, &modex))
			return NULL;
		ep = ep_create(&modex);
	}
	if (ep)
		ep->proc = proc;
	return ep;
}

static int add_procs(mca_btl_base_module_t *btl, size_t nprocs,
		     struct opal_proc_t **procs, mca_btl_base_endpoint_t **eps,
		     opal_bitmap_t *reachable)
{
	size_t i;

	for (i = 0; i < nprocs; i++) {
		eps[i] = proc_endpoint(procs[i]);
		if (eps[i] && reachable)
			opal_bitmap_set_bit(reachable, i);
	}
	return OPAL_SUCCESS;
}

static void poll_own(void)
{
	while (!poll_enter())
		sched_yield();
}

/* eps is not cleared: r2 compares its copies to know what is gone. */
static int del_procs(mca_btl_base_module_t *btl, size_t nprocs,
		     struct opal_proc_t **procs, mca_btl_base_endpoint_t **eps)
{
	size_t i;

	/* HELLO of those who came late must be in before we say BYE */
	btl_progress();
	poll_own();
	for (i = 0; i < nprocs; i++) {
		if (eps[i])
			ep_destroy(eps[i]);
	}
	poll_leave();
	return OPAL_SUCCESS;
}

static int finalize(mca_btl_base_module_t *btl)
{
	opal_list_item_t *item;

	btl_report();
	poll_own();
	while (!opal_list_is_empty(&component.endpoints)) {
		item = opal_list_get_first(&component.endpoints);
		ep_destroy((mca_btl_base_endpoint_t *)item);
	}
	component.error_cb = NULL;
	xnuma_domain_close(component.domain);
	component.domain = NULL;
	/* no poll_leave(): a late progress() must find nothing to do */
	return OPAL_SUCCESS;
}

static int register_error(mca_btl_base_module_t *btl,
			  mca_btl_base_module_error_cb_fn_t cbfunc)
{
	component.error_cb = cbfunc;
	return OPAL_SUCCESS;
}

mca_btl_base_module_t mca_btl_xpmem_numa = {
	.btl_component = &component.super,
	.btl_add_procs = add_procs,
	.btl_del_procs = del_procs,
	.btl_finalize = finalize,
	.btl_alloc = btl_alloc,
	.btl_free = btl_free,
	.btl_prepare_src = btl_prepare_src,
	.btl_send = btl_send,
	.btl_sendi = btl_sendi,
	.btl_put = btl_put,
	.btl_get = btl_get,
	.btl_dump = btl_dump,
	.btl_atomic_op = btl_atomic_op,
	.btl_atomic_fop = btl_atomic_fop,
	.btl_atomic_cswap = btl_atomic_cswap,
	.btl_flush = btl_flush,
	.btl_register_error = register_error,
	COMPAT_FT_EVENT
};
