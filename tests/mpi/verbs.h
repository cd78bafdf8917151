/* SPDX-License-Identifier: BSD-3-Clause */
/* verbs.h - the module of our BTL and its endpoints, as ob1 sees them */
#ifndef MPI_VERBS_H
#define MPI_VERBS_H

#include "check.h"
#include "opal_config.h"
#include "opal/mca/btl/base/base.h"
#include "opal/mca/btl/btl.h"
#include "opal/runtime/opal_progress.h"
#include "opal/util/proc.h"

typedef struct mca_btl_base_endpoint_t endpoint_t;

static mca_btl_base_module_t *btl;

/* what the callback of the last operation was told, and how often */
static struct {
	int		calls;
	int		status;
	void		*local, *context, *data;
	endpoint_t	*endpoint;
} done;

static void __attribute__((unused)) find_module(void)
{
	mca_btl_base_selected_module_t *item;

	OPAL_LIST_FOREACH(item, &mca_btl_base_modules_initialized,
			  mca_btl_base_selected_module_t) {
		if (!strcmp(item->btl_component->btl_version.mca_component_name,
			    "xpmem_numa"))
			btl = item->btl_module;
	}
	need(btl);
}

static __attribute__((unused)) endpoint_t *endpoint_of(int peer)
{
	opal_process_name_t name = OPAL_PROC_MY_NAME;
	struct opal_proc_t *proc;
	endpoint_t *endpoint = NULL;

	name.vpid = peer;
	proc = opal_proc_for_name(name);
	need(proc);
	need(!btl->btl_add_procs(btl, 1, &proc, &endpoint, NULL));
	need(endpoint);
	return endpoint;
}

static void __attribute__((unused))
on_done(mca_btl_base_module_t *module, endpoint_t *endpoint, void *local,
	mca_btl_base_registration_handle_t *handle, void *context, void *data,
	int status)
{
	need(module == btl && !handle);
	done.calls++;
	done.status = status;
	done.local = local;
	done.context = context;
	done.data = data;
	done.endpoint = endpoint;
}

#endif /* MPI_VERBS_H */
