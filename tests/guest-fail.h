/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-fail.h - allocations and user copies that fail, on kernels with
 * CONFIG_FAULT_INJECTION
 */
#ifndef XNUMA_TESTS_GUEST_FAIL_H
#define XNUMA_TESTS_GUEST_FAIL_H

#include <stdbool.h>

/* Sets up the kernel and this thread, once; false where there is none of it. */
bool fail_open(void);
/* The @n. point that this thread comes to fails; 0: none. */
void fail_arm(int n);
/* Ends that; did it fail? */
bool fail_disarm(void);

/*
 * The same by chance, for the kernel's workers: of @times points, each with
 * @percent; 0 ends it. How many there still were of the last ones.
 */
int fail_workers(int percent, int times);

#endif
