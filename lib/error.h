/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_ERROR_H
#define XNUMA_ERROR_H

/*
 * Remembers the cause for xnuma_error() and returns @err, so that a failure is
 * one statement: return error(-EPIPE, "peer %d is gone", pid). Out of line and
 * cold: the fast paths only call it when they have failed.
 */
int error(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));

/* As error(), with ": " and the words of @err behind the text. */
int error_code(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));

/* What every call on a forked child's copy returns. */
int error_child(void) __attribute__((cold));

#endif
