/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XNUMA_FILE_H
#define XNUMA_FILE_H

#include <linux/xarray.h>
#include "export.h"
#include "import.h"

/* An open file of the device. */
struct xnuma_file {
	struct mm_struct *mm;	/* set once, by the first EXPORT or IMPORT */
	struct xarray handles;	/* struct xnuma_object, 1..HANDLE_MAX */
	struct xnuma_waker *waker;
};

extern const struct file_operations xnuma_file_ops;

long xnuma_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

int xnuma_file_check(struct xnuma_file *f);
int xnuma_file_bind(struct xnuma_file *f);
int xnuma_file_add(struct xnuma_file *f, struct xnuma_object *obj, u32 *handle);
struct xnuma_object *xnuma_file_remove(struct xnuma_file *f, u32 handle,
				       enum xnuma_kind kind);
struct xnuma_export *xnuma_file_export(struct xnuma_file *f, u32 handle);
struct xnuma_import *xnuma_file_import(struct xnuma_file *f, u32 handle);

#endif /* XNUMA_FILE_H */
