/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * component.h - the transport "xpmemnuma" of UCX, one series of it; loader.h:
 * what finds the right one
 *
 *	UCP, or who calls UCT
 *	     |  am.c rma.c atomic.c	operations of an endpoint
 *	     |  keyed.c		... by a key that can be taken back
 *	     |  pending.c		operations that wait for room
 *	ep.c			an endpoint; peer.c: the process behind several
 *	     |  watch.c		... and its death
 *	iface.c attr.c		a worker's end: one queue that is polled
 *	     |  reach.c		... and whom it reaches
 *	     |  report.c vfs.c	... and what went through it
 *	md.c key.c		memory
 *	component.c		how UCX comes to know of all this
 *	     |
 *	xnuma.h			all transport
 *
 * UCX calls everything of an interface and its endpoints from one thread at a
 * time; memory domains may be called by others meanwhile.
 */
#ifndef UCX_COMPONENT_H
#define UCX_COMPONENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "compat.h"
#include "key.h"
#include "xnuma.h"

#define TL_NAME		"xpmemnuma"	/* UCX takes 9 characters */
#define DEVICE_NAME	"memory"	/* as of all shared memory of UCX */
#define CONFIG_PREFIX	"XPMEM_NUMA_"

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* ---- configuration: config.c ---- */

struct md_config {
	uct_md_config_t		super;
	unsigned int		port;		/* enum xnuma_port */
	size_t			ring_size;
	size_t			max_rings;
	size_t			share_min;
	size_t			window_size;
	size_t			window_limit;
	int			wakeup;
};

struct iface_config {
	uct_iface_config_t	super;
	size_t			seg_size;
	double			bandwidth;
	double			overhead;
};

extern ucs_config_field_t md_config_table[];
extern ucs_config_field_t iface_config_table[];

int config_domain(const struct md_config *md, struct xnuma_config *config);

/* ---- memory domain: md.c ---- */

/*
 * The first interface takes the domain of the memory domain, so that memory
 * allocated there is reached by load and store in every port; further ones
 * open their own.
 */
struct md {
	uct_md_t		super;
	struct xnuma_config	config;
	struct xnuma_domain_attr attr;

	pthread_mutex_t		lock;	/* protects the rest */
	struct xnuma_domain	*domain;
	uint64_t		name;	/* source of its messages */
	bool			taken;	/* by an interface, now or before */
	size_t			nallocs; /* allocations in it */
	struct keys		keys;
	ucs_list_link_t		ifaces;
};

extern uct_component_t xpmem_numa_component;

ucs_status_t md_open(uct_component_t *component, const char *name,
		     const uct_md_config_t *config, uct_md_h *md);
ucs_status_t md_take_domain(struct md *md, struct xnuma_domain **dom,
			    uint64_t *name);
void md_give_domain(struct md *md, struct xnuma_domain *dom);
/* Does the policy let peers read and write any memory of this process? */
bool md_has_rma(const struct md *md);
/* Can keys be taken back? */
bool md_has_keys(const struct md *md);

/* ---- interface: iface.c, attr.c, reach.c ---- */

struct peer;
KHASH_INIT(peers, uint64_t, struct peer *, 1, kh_int64_hash_func,
	   kh_int64_hash_equal)

typedef struct iface {
	uct_base_iface_t	super;
	struct xnuma_domain	*domain;
	uint64_t		name;		/* source of its messages */
	size_t			seg_size;
	void			*bounce;	/* seg_size bytes */
	size_t			packed[UCT_AM_ID_MAX]; /* bytes the last time */
	unsigned int		calls;		/* of progress */
	unsigned int		nwaiting;	/* endpoints in waiting */
	ucs_list_link_t		waiting;	/* with pending requests */
	ucs_list_link_t		eps;
	ucs_list_link_t		*watched;	/* of eps, next to look at */
	khash_t(peers)		peers;		/* by name */
	struct key_offer	offer;
	struct xnuma_export	*fence;		/* with the domain's lock */
	ucs_list_link_t		of_md;
	double			bandwidth;
	double			latency;
	double			overhead;
} xpmem_numa_iface_t;

/* What an interface is called by, besides the device address. */
struct iface_addr {
	uint8_t			blob[XNUMA_BLOB_LEN - XNUMA_DEVICE_LEN];
	uint64_t		name;
	uint64_t		offer;		/* address of the keys' */
} UCS_S_PACKED;

UCS_CLASS_DECLARE_NEW_FUNC(xpmem_numa_iface_t, uct_iface_t, uct_md_h,
			   uct_worker_h, const uct_iface_params_t *,
			   const uct_iface_config_t *);

ucs_status_t iface_query(uct_iface_h iface, uct_iface_attr_t *attr);
ucs_status_t iface_estimate_perf(uct_iface_h iface, uct_perf_attr_t *attr);
void iface_estimates(struct iface *iface, const struct iface_config *config);

int iface_is_reachable(const uct_iface_h iface, const uct_device_addr_t *device,
		       const uct_iface_addr_t *addr);
void reach_internal_ops(uct_iface_internal_ops_t *ops);

static inline struct md *iface_md(const struct iface *iface)
{
	return ucs_derived_of(iface->super.md, struct md);
}

/* ---- peers: peer.c ---- */

/* Endpoints to the same interface share one, and thereby their order. */
struct peer {
	struct xnuma_peer	*xnuma;
	uint64_t		name;
	unsigned int		refs;
	uint64_t		offer, words;	/* of the keys; 0: not known yet */
	struct xnuma_import	*fence;
	uint64_t		fence_number;
};

ucs_status_t peer_get(struct iface *iface, const uint8_t *device,
		      const struct iface_addr *addr, struct peer **peer);
void peer_put(struct iface *iface, struct peer *peer);
struct peer *peer_find(struct iface *iface, uint64_t name);

/* ---- endpoints: ep.c ---- */

typedef struct ep {
	uct_base_ep_t		super;
	struct xnuma_peer	*xnuma;
	struct xnuma_import	*memory;
	ucs_queue_head_t	pending;
	bool			dispatching;	/* a pending request is tried */
	bool			is_waiting;	/* on iface->waiting */
	bool			invalid;	/* nothing is done any more */
	bool			barred;		/* waiting or invalid */
	bool			failed;		/* the error was scheduled */
	ucs_status_t		error;		/* ... namely this */
	struct peer		*peer;
	ucs_list_link_t		waiting;
	ucs_list_link_t		list;		/* iface->eps */
} xpmem_numa_ep_t;

UCS_CLASS_DECLARE_NEW_FUNC(xpmem_numa_ep_t, uct_ep_t, const uct_ep_params_t *);
UCS_CLASS_DECLARE_DELETE_FUNC(xpmem_numa_ep_t, uct_ep_t);

ucs_status_t status_of(int ret);
ucs_status_t ep_error(struct ep *ep, int ret);
void ep_fail(struct ep *ep, ucs_status_t status);
ucs_status_t ep_flush(uct_ep_h ep, unsigned int flags, uct_completion_t *comp);
ucs_status_t ep_fence(uct_ep_h ep, unsigned int flags);
ucs_status_t ep_check(uct_ep_h ep, unsigned int flags, uct_completion_t *comp);
ucs_status_t ep_invalidate(uct_ep_h ep, COMPAT_INVALIDATE_ARGS);
void watch(struct iface *iface);

static inline struct ep *ep_of(uct_ep_h ep)
{
	return ucs_derived_of(ep, struct ep);
}

static inline struct iface *ep_iface(const struct ep *ep)
{
	return ucs_derived_of(ep->super.super.iface, struct iface);
}

/* Nothing is sent past what waits; but that itself may be sent. */
static inline ucs_status_t ep_bar(const struct ep *ep)
{
	if (likely(!ep->barred))
		return UCS_OK;
	if (ep->invalid)
		return ep->error;
	return ep->dispatching ? UCS_OK : UCS_ERR_NO_RESOURCE;
}

/* ---- operations ---- */

#define AM_MAX_IOV	8	/* pieces of a message; as xnuma_send() takes */

ucs_status_t am_short(uct_ep_h ep, uint8_t id, uint64_t header,
		      const void *payload, unsigned int length);
ucs_status_t am_short_iov(uct_ep_h ep, uint8_t id, const uct_iov_t *iov,
			  size_t iovcnt);
ssize_t am_bcopy(uct_ep_h ep, uint8_t id, uct_pack_callback_t pack, void *arg,
		 unsigned int flags);
void am_receive(void *iface, const struct xnuma_message *msg);

ucs_status_t put_short(uct_ep_h ep, const void *buffer, unsigned int length,
		       uint64_t va, uct_rkey_t rkey);
ssize_t put_bcopy(uct_ep_h ep, uct_pack_callback_t pack, void *arg,
		  uint64_t va, uct_rkey_t rkey);
ucs_status_t put_zcopy(uct_ep_h ep, const uct_iov_t *iov, size_t iovcnt,
		       uint64_t va, uct_rkey_t rkey, uct_completion_t *comp);
ucs_status_t get_short(uct_ep_h ep, void *buffer, unsigned int length,
		       uint64_t va, uct_rkey_t rkey);
ucs_status_t get_bcopy(uct_ep_h ep, uct_unpack_callback_t unpack, void *arg,
		       size_t length, uint64_t va, uct_rkey_t rkey,
		       uct_completion_t *comp);
ucs_status_t get_zcopy(uct_ep_h ep, const uct_iov_t *iov, size_t iovcnt,
		       uint64_t va, uct_rkey_t rkey, uct_completion_t *comp);

ucs_status_t atomic_post32(uct_ep_h ep, unsigned int op, uint32_t value,
			   uint64_t va, uct_rkey_t rkey);
ucs_status_t atomic_post64(uct_ep_h ep, unsigned int op, uint64_t value,
			   uint64_t va, uct_rkey_t rkey);
ucs_status_t atomic_fetch32(uct_ep_h ep, unsigned int op, uint32_t value,
			    uint32_t *result, uint64_t va, uct_rkey_t rkey,
			    uct_completion_t *comp);
ucs_status_t atomic_fetch64(uct_ep_h ep, unsigned int op, uint64_t value,
			    uint64_t *result, uint64_t va, uct_rkey_t rkey,
			    uct_completion_t *comp);
ucs_status_t atomic_cswap32(uct_ep_h ep, uint32_t compare, uint32_t swap,
			    uint64_t va, uct_rkey_t rkey, uint32_t *result,
			    uct_completion_t *comp);
ucs_status_t atomic_cswap64(uct_ep_h ep, uint64_t compare, uint64_t swap,
			    uint64_t va, uct_rkey_t rkey, uint64_t *result,
			    uct_completion_t *comp);

/* ---- keys that can be taken back: key.c, keyed.c ---- */

void offer_open(struct iface *iface);
void offer_close(struct iface *iface);
void keys_fini(struct keys *keys);
uint64_t key_make(struct md *md);
void key_drop(struct md *md, uint64_t key);
void key_revoke(struct md *md, uint64_t key);

typedef int (*through_fence)(struct xnuma_import *fence, void *arg);

ucs_status_t keyed_get(struct ep *ep, uint64_t key, uint64_t va, void *buffer,
		       size_t length);
ucs_status_t keyed_write(struct ep *ep, uint64_t key, through_fence write,
			 void *arg);
void fence_forget(struct peer *peer);

/* ---- waiting for room: pending.c ---- */

ucs_status_t pending_add(uct_ep_h ep, uct_pending_req_t *req,
			 unsigned int flags);
void pending_purge(uct_ep_h ep, uct_pending_purge_callback_t cb, void *arg);
unsigned int pending_progress(struct iface *iface);

/* ---- to be seen: report.c, vfs.c ---- */

void report(struct iface *iface);
void vfs_refresh(uct_iface_h iface);

#endif /* UCX_COMPONENT_H */
