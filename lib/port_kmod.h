/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_PORT_KMOD_H
#define XNUMA_PORT_KMOD_H

#include "port.h"

struct kmod_domain {
	int fd;		/* of the device */
};

int kmod_fd(struct xnuma_domain *dom);
int kmod_ioctl(struct xnuma_domain *dom, unsigned long command, void *arg);

int kmod_import(struct xnuma_import *imp);
void kmod_unimport(struct xnuma_import *imp);
int kmod_reset(struct xnuma_import *imp);
ssize_t kmod_prefault(struct xnuma_import *imp, char *ptr, uint64_t va,
		      size_t len, unsigned int rights);

int kmod_peer_open(struct xnuma_peer *peer);
void kmod_peer_close(struct xnuma_peer *peer);
void kmod_peer_forget(struct xnuma_peer *peer);
int kmod_wake(struct xnuma_peer *peer);
bool kmod_sender_dead(struct xnuma_domain *dom, uint64_t name);

#endif
