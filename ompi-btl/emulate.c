// SPDX-License-Identifier: BSD-3-Clause
/*
 * emulate.c - atomic operations for a port that maps no memory
 *
 * The peer's own processor does them when the request is received, so they
 * are as atomic as its own. The answer finds its operation by address: only
 * this process made it, and only an operation on ep->operations is believed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "atomic.h"
#include "endpoint.h"
#include "frag.h"

struct operation {
	opal_list_item_t	super;		/* ep->operations */
	void			*local_address;
	mca_btl_base_registration_handle_t *local_handle;
	mca_btl_base_rdma_completion_fn_t cbfunc;
	void			*cbcontext;
	void			*cbdata;
	int			flags;
};

/* A fragment and what it carries; not of the lists, which may be limited. */
typedef struct control_frag {
	struct frag	frag;
	struct control	control;
} control_frag_t;

static OBJ_CLASS_INSTANCE(control_frag_t, btl_frag_t, NULL, NULL);

static void control_sent(mca_btl_base_module_t *btl,
			 mca_btl_base_endpoint_t *ep,
			 mca_btl_base_descriptor_t *des, int status)
{
	OBJ_RELEASE(des);
}

/* An answer that is not sent is a peer that waits for ever. */
static int control_post(mca_btl_base_endpoint_t *ep,
			const struct control *control)
{
	control_frag_t *message = OBJ_NEW(control_frag_t);
	mca_btl_base_descriptor_t *des = &message->frag.base;
	int ret;

	if (!message)
		return OPAL_ERR_OUT_OF_RESOURCE;
	message->control = *control;
	des->des_segments->seg_addr.pval = &message->control;
	des->des_segments->seg_len = sizeof(*control);
	des->des_segment_count = 1;
	des->des_flags = MCA_BTL_DES_SEND_ALWAYS_CALLBACK;
	des->des_cbfunc = control_sent;
	ret = btl_send(&mca_btl_xpmem_numa, ep, des, BTL_TAG_CONTROL);
	if (ret < 0)
		OBJ_RELEASE(des);
	return ret < 0 ? ret : OPAL_SUCCESS;
}

static void operation_end(mca_btl_base_endpoint_t *ep, struct operation *o,
			  int status)
{
	if (o->cbfunc)
		o->cbfunc(&mca_btl_xpmem_numa, ep, o->local_address,
			  o->local_handle, o->cbcontext, o->cbdata, status);
	OBJ_DESTRUCT(&o->super);
	free(o);
}

/* Return: whether it was under way; then it is nobody else's any more */
static bool operation_claim(mca_btl_base_endpoint_t *ep, struct operation *o)
{
	opal_list_item_t *item;
	bool found = false;

	OPAL_THREAD_LOCK(&ep->lock);
	OPAL_LIST_FOREACH(item, &ep->operations, opal_list_item_t) {
		found = item == &o->super;
		if (found)
			break;
	}
	if (found)
		opal_list_remove_item(&ep->operations, &o->super);
	OPAL_THREAD_UNLOCK(&ep->lock);
	return found;
}

static int operation_start(mca_btl_base_endpoint_t *ep, struct operation *o,
			   struct control *control)
{
	int ret;

	control->cookie = (uintptr_t)o;
	OPAL_THREAD_LOCK(&ep->lock);
	opal_list_append(&ep->operations, &o->super);
	OPAL_THREAD_UNLOCK(&ep->lock);
	ret = control_post(ep, control);
	if (ret && operation_claim(ep, o)) {
		OBJ_DESTRUCT(&o->super);
		free(o);
	}
	return ret;
}

static int start(mca_btl_base_endpoint_t *ep, int op, uint64_t va,
		 uint64_t operand, uint64_t compare, struct operation from)
{
	struct control control = {
		.kind = CONTROL_ATOMIC, .op = op, .va = va,
		.operand = operand, .compare = compare,
		.is_32 = !!(from.flags & MCA_BTL_ATOMIC_FLAG_32BIT),
	};
	struct operation *o;

	if (!atomic_can(op, from.flags, va))
		return OPAL_ERR_NOT_SUPPORTED;
	o = malloc(sizeof(*o));
	if (!o)
		return OPAL_ERR_OUT_OF_RESOURCE;
	*o = from;
	OBJ_CONSTRUCT(&o->super, opal_list_item_t);
	return operation_start(ep, o, &control);
}

void emulate_request(mca_btl_base_endpoint_t *ep, const struct control *request)
{
	struct control answer = {
		.kind = CONTROL_ANSWER, .cookie = request->cookie,
	};

	answer.operand = atomic_local(request->op, request->is_32, request->va,
				      request->operand, request->compare);
	control_post(ep, &answer);
}

void emulate_answer(mca_btl_base_endpoint_t *ep, const struct control *answer)
{
	struct operation *o = (void *)(uintptr_t)answer->cookie;

	if (!operation_claim(ep, o))
		return;
	if (o->local_address)
		atomic_result(o->local_address, o->flags, answer->operand);
	operation_end(ep, o, OPAL_SUCCESS);
}

void emulate_fail(mca_btl_base_endpoint_t *ep, int status)
{
	opal_list_item_t *item;

	do {
		OPAL_THREAD_LOCK(&ep->lock);
		item = opal_list_remove_first(&ep->operations);
		OPAL_THREAD_UNLOCK(&ep->lock);
		if (item)
			operation_end(ep, (struct operation *)item, status);
	} while (item);
}

int emulate_op(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
	       uint64_t remote_address,
	       mca_btl_base_registration_handle_t *remote_handle,
	       mca_btl_base_atomic_op_t op, uint64_t operand, int flags,
	       int order, mca_btl_base_rdma_completion_fn_t cbfunc,
	       void *cbcontext, void *cbdata)
{
	if (ep->is_self)
		return btl_atomic_op(btl, ep, remote_address, remote_handle,
				     op, operand, flags, order, cbfunc,
				     cbcontext, cbdata);
	return start(ep, atomic_op_of(op), remote_address, operand, 0,
		     (struct operation) {
			.cbfunc = cbfunc, .cbcontext = cbcontext,
			.cbdata = cbdata, .flags = flags,
		     });
}

int emulate_fop(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		void *local_address, uint64_t remote_address,
		mca_btl_base_registration_handle_t *local_handle,
		mca_btl_base_registration_handle_t *remote_handle,
		mca_btl_base_atomic_op_t op, uint64_t operand, int flags,
		int order, mca_btl_base_rdma_completion_fn_t cbfunc,
		void *cbcontext, void *cbdata)
{
	if (ep->is_self)
		return btl_atomic_fop(btl, ep, local_address, remote_address,
				      local_handle, remote_handle, op, operand,
				      flags, order, cbfunc, cbcontext, cbdata);
	return start(ep, atomic_op_of(op), remote_address, operand, 0,
		     (struct operation) {
			.local_address = local_address,
			.local_handle = local_handle, .cbfunc = cbfunc,
			.cbcontext = cbcontext, .cbdata = cbdata,
			.flags = flags,
		     });
}

int emulate_cswap(mca_btl_base_module_t *btl, mca_btl_base_endpoint_t *ep,
		  void *local_address, uint64_t remote_address,
		  mca_btl_base_registration_handle_t *local_handle,
		  mca_btl_base_registration_handle_t *remote_handle,
		  uint64_t compare, uint64_t value, int flags, int order,
		  mca_btl_base_rdma_completion_fn_t cbfunc, void *cbcontext,
		  void *cbdata)
{
	if (ep->is_self)
		return btl_atomic_cswap(btl, ep, local_address, remote_address,
					local_handle, remote_handle, compare,
					value, flags, order, cbfunc, cbcontext,
					cbdata);
	return start(ep, XNUMA_CSWAP, remote_address, value, compare,
		     (struct operation) {
			.local_address = local_address,
			.local_handle = local_handle, .cbfunc = cbfunc,
			.cbcontext = cbcontext, .cbdata = cbdata,
			.flags = flags,
		     });
}
