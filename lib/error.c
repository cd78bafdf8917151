/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "epoch.h"
#include "error.h"
#include "xnuma.h"

static void error_format(const char *fmt, va_list ap, int err)
{
	struct thread *self = thread_self();
	int len;

	if (!self)
		return;
	len = vsnprintf(self->error, sizeof(self->error), fmt, ap);
	if (err && len >= 0 && (size_t)len < sizeof(self->error))
		snprintf(self->error + len, sizeof(self->error) - len, ": %s",
			 strerrordesc_np(-err) ? strerrordesc_np(-err) :
						 "unknown error");
}

int error(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_format(fmt, ap, 0);
	va_end(ap);
	return err;
}

int error_code(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_format(fmt, ap, err);
	va_end(ap);
	return err;
}

int error_child(void)
{
	return error(-ECHILD, "a forked child cannot use its parent's domain");
}

const char *xnuma_error(void)
{
	struct thread *self = thread_self();

	return self ? self->error : "out of memory";
}
