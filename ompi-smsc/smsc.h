/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smsc.h - Open MPI 5's single copy by windows onto the peers' memory
 *
 * btl/sm and collectives of one node move and map memory by this component in
 * place of cma's system calls. All memory is exported once, so no region is
 * ever registered. It offers nothing without the module, where cma is as good.
 *
 *	component.c	life of the component, what peers are told
 *	module.c	a peer, copies, mappings
 */
#ifndef XNUMA_SMSC_H
#define XNUMA_SMSC_H

#include <stdatomic.h>
#include <stdbool.h>

#include "opal_config.h"
#include "opal/class/opal_list.h"
#include "opal/mca/pmix/pmix-internal.h"
#include "opal/mca/smsc/base/base.h"
#include "opal/mca/smsc/smsc.h"
#include "compat_series.h"
#include "xnuma.h"

struct smsc_component {
	mca_smsc_component_t	super;
	struct xnuma_domain	*domain;
	int			verbose;

	opal_mutex_t		lock;		/* protects peers */
	opal_list_t		peers;		/* struct smsc_peer */

	atomic_uint		nheld;		/* mappings not given back */
	_Atomic uint64_t	maps;
	_Atomic uint64_t	copied;		/* bytes */
	_Atomic uint64_t	failed;		/* copies and mappings */
};

extern __attribute__((visibility("default")))
struct smsc_component mca_smsc_xpmem_numa_component;
extern mca_smsc_module_t smsc_module;

#define component	mca_smsc_xpmem_numa_component

void smsc_peers_close(void);

#endif /* XNUMA_SMSC_H */
