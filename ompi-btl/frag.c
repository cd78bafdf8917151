// SPDX-License-Identifier: BSD-3-Clause
/* frag.c - messages that are not in the peer's queue yet */
#include <errno.h>
#include <string.h>

#include "endpoint.h"
#include "frag.h"

enum { FRAG_INLINE, FRAG_EAGER, FRAG_MAX, FRAG_LISTS };

/* ob1's and osc's headers, besides what is sent inline */
#define FRAG_HEADER	128

static void *frag_memory(struct frag *frag)
{
	return frag + 1;
}

static void frag_construct(btl_frag_t *frag)
{
	frag->base.des_segments = frag->segments;
	frag->base.order = MCA_BTL_NO_ORDER;
	frag->segments[0].seg_addr.pval = frag_memory(frag);
}

OBJ_CLASS_INSTANCE(btl_frag_t, mca_btl_base_descriptor_t, frag_construct, NULL);

static size_t frag_room(int list)
{
	const mca_btl_base_module_t *btl = &mca_btl_xpmem_numa;

	switch (list) {
	case FRAG_INLINE:
		return component.params.max_inline_send + FRAG_HEADER;
	case FRAG_EAGER:
		return btl->btl_eager_limit > btl->btl_rndv_eager_limit ?
		       btl->btl_eager_limit : btl->btl_rndv_eager_limit;
	default:
		return btl->btl_max_send_size;
	}
}

static int set_home(opal_free_list_item_t *item, void *ctx)
{
	((struct frag *)item)->home = ctx;
	return OPAL_SUCCESS;
}

void frags_construct(void)
{
	int i;

	for (i = 0; i < FRAG_LISTS; i++)
		OBJ_CONSTRUCT(&component.frags[i], opal_free_list_t);
}

int frags_init(void)
{
	const struct btl_params *params = &component.params;
	int i, ret;

	for (i = 0; i < FRAG_LISTS; i++) {
		ret = opal_free_list_init(&component.frags[i],
					  sizeof(struct frag) + frag_room(i),
					  opal_cache_line_size,
					  OBJ_CLASS(btl_frag_t), 0, 0,
					  params->free_list_num,
					  params->free_list_max,
					  params->free_list_inc, NULL, 0, NULL,
					  set_home, &component.frags[i]);
		if (ret)
			return ret;
	}
	return OPAL_SUCCESS;
}

void frags_fini(void)
{
	int i;

	for (i = 0; i < FRAG_LISTS; i++)
		OBJ_DESTRUCT(&component.frags[i]);
}

mca_btl_base_descriptor_t *btl_alloc(mca_btl_base_module_t *btl,
				     mca_btl_base_endpoint_t *ep, uint8_t order,
				     size_t size, uint32_t flags)
{
	struct frag *frag = NULL;
	int i;

	for (i = 0; i < FRAG_LISTS && !frag; i++) {
		if (size <= frag_room(i))
			frag = (struct frag *)
				opal_free_list_get(&component.frags[i]);
	}
	if (unlikely(!frag))
		return NULL;
	frag->segments[0].seg_len = size;
	frag->base.des_segment_count = 1;
	frag->base.des_flags = flags;
	return &frag->base;
}

int btl_free(mca_btl_base_module_t *btl, mca_btl_base_descriptor_t *des)
{
	struct frag *frag = (struct frag *)des;

	opal_free_list_return(frag->home, &des->super);
	return OPAL_SUCCESS;
}

static int frag_pack(struct frag *frag, opal_convertor_t *convertor,
		     size_t reserve, size_t *size)
{
	struct iovec iov = {
		.iov_base = (char *)frag_memory(frag) + reserve,
		.iov_len = *size,
	};
	uint32_t count = 1;

	if (opal_convertor_pack(convertor, &iov, &count, size) < 0)
		return -EIO;
	frag->segments[0].seg_len = reserve + *size;
	return 0;
}

mca_btl_base_descriptor_t *btl_prepare_src(mca_btl_base_module_t *btl,
					   mca_btl_base_endpoint_t *ep,
					   opal_convertor_t *convertor,
					   uint8_t order, size_t reserve,
					   size_t *size, uint32_t flags)
{
	bool in_place = *size > component.params.max_inline_send &&
			!opal_convertor_need_buffers(convertor);
	struct frag *frag;
	void *data;

	if (unlikely(reserve > btl->btl_max_send_size))
		return NULL;
	if (*size > btl->btl_max_send_size - reserve)
		*size = btl->btl_max_send_size - reserve;
	frag = (struct frag *)btl_alloc(btl, ep, order,
					reserve + (in_place ? 0 : *size),
					flags);
	if (unlikely(!frag))
		return NULL;
	if (in_place) {
		opal_convertor_get_current_pointer(convertor, &data);
		frag->segments[1].seg_addr.pval = data;
		frag->segments[1].seg_len = *size;
		frag->base.des_segment_count = 2;
	} else if (*size && frag_pack(frag, convertor, reserve, size)) {
		btl_free(btl, &frag->base);
		return NULL;
	}
	return &frag->base;
}

/* Return: as xnuma_send() */
int frag_post(mca_btl_base_endpoint_t *ep, struct frag *frag)
{
	struct xnuma_peer *peer = ep_peer(ep);
	struct iovec iov[2];
	size_t i;

	if (unlikely(!peer))
		return -EPIPE;
	for (i = 0; i < frag->base.des_segment_count; i++) {
		iov[i].iov_base = frag->base.des_segments[i].seg_addr.pval;
		iov[i].iov_len = frag->base.des_segments[i].seg_len;
	}
	return xnuma_send(peer, frag->tag, iov, i);
}

/*
 * The callback may hand the fragment back itself, so whether it is ours is
 * read before.
 */
void frag_complete(mca_btl_base_endpoint_t *ep, struct frag *frag, int status,
		   bool call)
{
	bool ours = frag->base.des_flags & MCA_BTL_DES_FLAGS_BTL_OWNERSHIP;

	if (call && frag->base.des_cbfunc)
		frag->base.des_cbfunc(&mca_btl_xpmem_numa, ep, &frag->base,
				      status);
	if (ours)
		btl_free(&mca_btl_xpmem_numa, &frag->base);
}
