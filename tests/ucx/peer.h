/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer.h - two processes that speak UCP, one the child of the other
 *
 * The child gives its address and the key of a buffer through a pipe and then
 * does nothing but progress, until it is killed or told to end.
 */
#ifndef UCX_PEER_H
#define UCX_PEER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucp/api/ucp.h>
#include <unistd.h>

#define BUFFER_LEN	(4UL << 20)

#define must(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,	\
			__LINE__, #condition);				\
		_exit(1);						\
	}								\
} while (0)

struct offer {
	size_t		address_len;
	size_t		rkey_len;
	uint64_t	buffer;
	char		bytes[4096];	/* address, rkey */
};

struct end {
	ucp_context_h	context;
	ucp_worker_h	worker;
	ucp_ep_h	ep;
	ucp_rkey_h	rkey;
	uint64_t	buffer;		/* the child's */
	pid_t		child;
	int		told;		/* times that the handler was called */
	ucs_status_t	error;		/* ... with this */
};

static inline double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static inline void end_open(struct end *end)
{
	const ucp_params_t params = {
		.field_mask = UCP_PARAM_FIELD_FEATURES,
		.features = UCP_FEATURE_TAG | UCP_FEATURE_RMA,
	};
	const ucp_worker_params_t worker = { 0 };

	must(ucp_init(&params, NULL, &end->context) == UCS_OK);
	must(ucp_worker_create(end->context, &worker, &end->worker) == UCS_OK);
}

static inline void offer_fill(struct end *end, struct offer *offer, void *buffer)
{
	const ucp_mem_map_params_t params = {
		.field_mask = UCP_MEM_MAP_PARAM_FIELD_ADDRESS |
			      UCP_MEM_MAP_PARAM_FIELD_LENGTH,
		.address = buffer,
		.length = BUFFER_LEN,
	};
	ucp_address_t *address;
	ucp_mem_h memh;
	void *rkey;

	must(ucp_mem_map(end->context, &params, &memh) == UCS_OK);
	must(ucp_worker_get_address(end->worker, &address,
				    &offer->address_len) == UCS_OK);
	must(ucp_rkey_pack(end->context, memh, &rkey, &offer->rkey_len) ==
	     UCS_OK);
	must(offer->address_len + offer->rkey_len <= sizeof(offer->bytes));
	memcpy(offer->bytes, address, offer->address_len);
	memcpy(offer->bytes + offer->address_len, rkey, offer->rkey_len);
	offer->buffer = (uintptr_t)buffer;
}

/* Never returns. @unmap: the buffer goes away when a byte comes. */
static inline void child_main(int out, int in, bool unmap)
{
	struct offer offer = { 0 };
	struct end end = { 0 };
	void *buffer;
	char byte;

	end_open(&end);
	buffer = mmap(NULL, BUFFER_LEN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(buffer != MAP_FAILED);
	memset(buffer, 1, BUFFER_LEN);
	offer_fill(&end, &offer, buffer);
	must(write(out, &offer, sizeof(offer)) == sizeof(offer));
	if (unmap) {
		must(read(in, &byte, 1) == 1);
		must(!munmap(buffer, BUFFER_LEN));
		must(write(out, &byte, 1) == 1);
	}
	for (;;)
		ucp_worker_progress(end.worker);
}

/* True in the child; *@in and *@out are pipes to the other one. */
static inline bool end_fork(struct end *end, int *in, int *out)
{
	int up[2], down[2];

	must(!pipe(up) && !pipe(down));
	end->child = fork();
	must(end->child >= 0);
	*in = end->child ? up[0] : down[0];
	*out = end->child ? down[1] : up[1];
	return !end->child;
}

static inline void told(void *arg, ucp_ep_h ep, ucs_status_t status)
{
	struct end *end = arg;

	end->told++;
	end->error = status;
}

/* Opens the parent's end, and connects it to what the child offers through @in. */
static inline void end_connect(struct end *end, int in,
			       ucp_err_handling_mode_t mode)
{
	struct offer offer;
	const ucp_ep_params_t params = {
		.field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS |
			      UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE |
			      UCP_EP_PARAM_FIELD_ERR_HANDLER,
		.address = (const ucp_address_t *)offer.bytes,
		.err_mode = mode,
		.err_handler = { told, end },
	};

	end_open(end);
	must(read(in, &offer, sizeof(offer)) == sizeof(offer));
	must(ucp_ep_create(end->worker, &params, &end->ep) == UCS_OK);
	must(ucp_ep_rkey_unpack(end->ep, offer.bytes + offer.address_len,
				&end->rkey) == UCS_OK);
	end->buffer = offer.buffer;
}

/* Return: the status of what was begun, once it has ended */
static inline ucs_status_t end_wait(struct end *end, ucs_status_ptr_t request)
{
	double limit = now() + 60;
	ucs_status_t status;

	if (!UCS_PTR_IS_PTR(request))
		return UCS_PTR_STATUS(request);
	while ((status = ucp_request_check_status(request)) ==
	       UCS_INPROGRESS && now() < limit)
		ucp_worker_progress(end->worker);
	ucp_request_free(request);
	return status;
}

#endif /* UCX_PEER_H */
