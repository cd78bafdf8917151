/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * component.h - the one component and the one module of this BTL
 *
 *	ob1, osc/rdma
 *	     |  send.c sendi.c get.c put.c atomic.c emulate.c	the verbs
 *	module.c		procs come and go
 *	     |  endpoint.c	a peer: opened at first use
 *	     |  watch.c		... and lost at most once
 *	     |  frag.c pending.c	messages that wait for room
 *	receive.c		messages that came
 *	component.c param.c	life of the component, its parameters
 *	     |  key.c		what the processes of a job share
 *	     |
 *	xnuma.h			all transport
 */
#ifndef BTL_COMPONENT_H
#define BTL_COMPONENT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "compat.h"
#include "opal/class/opal_hash_table.h"
#include "xnuma.h"

#define HELP_FILE	"help-mca-btl-xpmem-numa.txt"

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* Messages of this BTL to itself; ob1 and osc have other tags. */
#define BTL_TAG_CONTROL	(MCA_BTL_TAG_BTL + 5)

enum local_peers { LOCAL_PEERS_AUTO, LOCAL_PEERS_ALWAYS, LOCAL_PEERS_NEVER };

struct btl_params {
	int		port;		/* enum xnuma_port */
	int		policy;		/* enum xnuma_policy */
	int		local_peers;	/* enum local_peers */
	int		verbose;
	size_t		ring_size;
	unsigned int	max_rings;
	size_t		share_min;
	size_t		window_size;
	size_t		window_limit;
	unsigned int	max_inline_send;
	int		free_list_num;
	int		free_list_max;
	int		free_list_inc;
};

struct btl_component {
	mca_btl_base_component_t super;
	struct xnuma_domain	*domain;
	bool			threads;	/* several at a time call */
	atomic_bool		polling;	/* a thread is in progress() */
	unsigned int		calls;		/* of progress(); the poller's */
	unsigned int		empty;		/* polls that found nothing */
	struct compat_receiver	receiver;	/* the poller's */

	opal_mutex_t		lock;		/* protects the next four */
	opal_list_t		endpoints;
	opal_hash_table_t	by_name;	/* endpoints but those of procs gone */
	opal_list_t		waiting;	/* endpoints with pending */
	mca_btl_base_endpoint_t	*watched;	/* next to be looked at */
	atomic_uint		nwaiting;

	opal_free_list_t	frags[3];	/* inline, eager, max_send */
	mca_btl_base_module_error_cb_fn_t error_cb;
	struct btl_params	params;
	struct xnuma_config	config;		/* defaults and environment */
	char			*config_error;
	struct xnuma_domain_attr attr;
	uint32_t		key_mark;	/* of the job's key */
	atomic_uint		npeers;		/* endpoints ever made, no self */
	atomic_uint		nopened;	/* of which were opened */
	_Atomic uint64_t	self_bytes;	/* moved by get and put to self */
	_Atomic uint64_t	fallbacks;	/* get and put refused */
};

extern COMPAT_EXPORT struct btl_component mca_btl_xpmem_numa_component;
extern mca_btl_base_module_t mca_btl_xpmem_numa;

#define component	mca_btl_xpmem_numa_component

/* One thread at a time polls, and not from within an upcall. */
static inline bool poll_enter(void)
{
	if (component.threads)
		return !atomic_exchange_explicit(&component.polling, true,
						 memory_order_acquire);
	if (atomic_load_explicit(&component.polling, memory_order_relaxed))
		return false;
	atomic_store_explicit(&component.polling, true, memory_order_relaxed);
	return true;
}

static inline void poll_leave(void)
{
	atomic_store_explicit(&component.polling, false, memory_order_release);
}

int btl_progress(void);
int params_register(void);
bool params_is_default(const char *name);
void params_domain(struct xnuma_config *config);

void btl_receive(void *arg, const struct xnuma_message *msg);

void key_of_job(uint8_t key[XNUMA_KEY_LEN]);
uint32_t key_mark(const uint8_t key[XNUMA_KEY_LEN]);

void help_init(void);
void help_other(const char *running);
void help_warn(const char *topic, const char *text);
void help_refuse(const char *topic, const char *text);

uint64_t btl_name(opal_process_name_t name);
bool btl_is_named(const char *name);
void btl_report(void);
void btl_dump(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	      int verbose);

/* one BTL verb a file; see atomic.h as well */
int btl_send(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	     mca_btl_base_descriptor_t *des, mca_btl_base_tag_t tag);
int btl_sendi(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	      opal_convertor_t *convertor, void *header, size_t header_size,
	      size_t payload_size, uint8_t order, uint32_t flags,
	      mca_btl_base_tag_t tag, mca_btl_base_descriptor_t **des);
int btl_get(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	    void *local_address, uint64_t remote_address,
	    mca_btl_base_registration_handle_t *local_handle,
	    mca_btl_base_registration_handle_t *remote_handle, size_t size,
	    int flags, int order, mca_btl_base_rdma_completion_fn_t cbfunc,
	    void *cbcontext, void *cbdata);
int btl_put(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	    void *local_address, uint64_t remote_address,
	    mca_btl_base_registration_handle_t *local_handle,
	    mca_btl_base_registration_handle_t *remote_handle, size_t size,
	    int flags, int order, mca_btl_base_rdma_completion_fn_t cbfunc,
	    void *cbcontext, void *cbdata);
int btl_flush(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep);

#endif /* BTL_COMPONENT_H */
