/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_OBJECT_H
#define XNUMA_OBJECT_H

#include <linux/types.h>

/* What a handle names; first member of struct xnuma_export and xnuma_import. */
enum xnuma_kind { XNUMA_EXPORT, XNUMA_IMPORT };

struct xnuma_object {
	enum xnuma_kind kind;
};

#endif /* XNUMA_OBJECT_H */
