/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_INFO_H
#define XNUMA_INFO_H

#include <stdbool.h>
#include <sys/types.h>

/* Each reports one section. */
void info_module(void);
void info_limits(void);
void info_counters(void);
void info_machine(void);

/* True when port kmod can be used. */
bool info_port(void);

/* True when mpirun would use the BTL; @usable: port kmod is. */
bool info_ompi(bool usable);

/* True when UCX would have the transport. */
bool info_ucx(void);

/* 0, or -errno when there is no such process or it may not be looked at. */
int info_process(pid_t pid);

#endif
