/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frag.h - a message that is not in the peer's queue yet
 *
 * The first segment is the fragment's own memory, behind the struct; the
 * second, if any, is the user's.
 */
#ifndef BTL_FRAG_H
#define BTL_FRAG_H

#include "component.h"

struct frag {
	mca_btl_base_descriptor_t base;
	mca_btl_base_segment_t	segments[2];
	mca_btl_base_tag_t	tag;
	opal_free_list_t	*home;
};

typedef struct frag btl_frag_t;	/* the macro wants one word */
OBJ_CLASS_DECLARATION(btl_frag_t);

int frags_init(void);
void frags_construct(void);
void frags_fini(void);

mca_btl_base_descriptor_t *btl_alloc(mca_btl_base_module_t *btl,
				     mca_btl_base_endpoint_t *ep, uint8_t order,
				     size_t size, uint32_t flags);
int btl_free(mca_btl_base_module_t *btl, mca_btl_base_descriptor_t *des);
mca_btl_base_descriptor_t *btl_prepare_src(mca_btl_base_module_t *btl,
					   mca_btl_base_endpoint_t *ep,
					   opal_convertor_t *convertor,
					   uint8_t order, size_t reserve,
					   size_t *size, uint32_t flags);

/* pending.c: messages that found no room */
void pending_add(mca_btl_base_endpoint_t *ep, struct frag *frag);
int pending_progress(void);
void pending_flush(mca_btl_base_endpoint_t *ep);
void pending_fail(mca_btl_base_endpoint_t *ep, int status);

int frag_post(mca_btl_base_endpoint_t *ep, struct frag *frag);
void frag_complete(mca_btl_base_endpoint_t *ep, struct frag *frag, int status,
		   bool call);

#endif /* BTL_FRAG_H */
