/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compat.h - every difference between the Open MPI series, and nothing else
 *
 * 4.1 (BTL interface 3.1.0) and 5.0 to main (3.3.0). The header named btl.h
 * does not change within a series, so one build serves all its releases.
 */
#ifndef BTL_COMPAT_H
#define BTL_COMPAT_H

#include <stdbool.h>

#include "opal_config.h"
#include "opal/mca/btl/btl.h"
#include "opal/mca/btl/base/base.h"
#include "opal/util/proc.h"

#define COMPAT_IS_4	(BTL_VERSION < 330)

#if BTL_VERSION < 310
#error "Open MPI 4.1 or later is needed"
#endif

#if COMPAT_IS_4
#include "opal/mca/pmix/pmix.h"
#else
#include "opal/mca/pmix/pmix-internal.h"
#endif

#include "compat_series.h"

/* btl.h leaves both the struct and its name to the BTL */
typedef struct mca_btl_base_endpoint_t mca_btl_base_endpoint_t;

/* OPAL_MODULE_DECLSPEC ended with 4.1 */
#define COMPAT_EXPORT	__attribute__((visibility("default")))

/* Peers of other nodes read the address as well. */
#if COMPAT_IS_4
#define COMPAT_MODEX_GLOBAL	OPAL_PMIX_GLOBAL
#else
#define COMPAT_MODEX_GLOBAL	PMIX_GLOBAL
#endif

/* When put says done, the target's loads see it: 5.0's osc/rdma asks. */
#if COMPAT_IS_4
#define COMPAT_FLAG_REMOTE_COMPLETION	0
#else
#define COMPAT_FLAG_REMOTE_COMPLETION	MCA_BTL_FLAGS_RDMA_REMOTE_COMPLETION
#endif

#if COMPAT_IS_4
static inline int compat_ft_event(int state)
{
	return OPAL_SUCCESS;
}
#define COMPAT_FT_EVENT	.btl_ft_event = compat_ft_event,
#else
#define COMPAT_FT_EVENT
#endif

/* Not in ompi_info, which only registers parameters. */
static inline bool compat_in_job(void)
{
#if COMPAT_IS_4
	return opal_pmix.initialized && opal_pmix.initialized();
#else
	return PMIx_Initialized();
#endif
}

/* Ends the whole job; may return before it does. */
static inline void compat_abort(int status, const char *text)
{
#if COMPAT_IS_4
	opal_pmix.abort(status, text, NULL);
#else
	PMIx_Abort(status, text, NULL, 0);
#endif
}

/*
 * Delivery of a message of one segment to whom the tag belongs. One receiver
 * object serves one thread at a time and is not in use during its own upcall.
 */
struct compat_receiver {
#if COMPAT_IS_4
	mca_btl_base_descriptor_t	des;
#else
	mca_btl_base_receive_descriptor_t des;
#endif
	mca_btl_base_segment_t		segment;
};

static inline void compat_upcall(mca_btl_base_module_t *btl,
				 struct compat_receiver *receiver,
				 mca_btl_base_endpoint_t *ep,
				 mca_btl_base_tag_t tag,
				 mca_btl_base_segment_t *segments, size_t count)
{
	mca_btl_active_message_callback_t *reg =
		mca_btl_base_active_message_trigger + tag;

	receiver->des.des_segments = segments;
	receiver->des.des_segment_count = count;
#if COMPAT_IS_4
	reg->cbfunc(btl, tag, &receiver->des, reg->cbdata);
#else
	receiver->des.endpoint = ep;
	receiver->des.tag = tag;
	receiver->des.cbdata = reg->cbdata;
	reg->cbfunc(btl, &receiver->des);
#endif
}

#endif /* BTL_COMPAT_H */
