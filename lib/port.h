/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port.h - what differs between having the kernel module and not
 */
#ifndef XNUMA_PORT_H
#define XNUMA_PORT_H

#include "peer.h"

struct port_ops {
	enum xnuma_port port;
	const char *name;
	bool shared;		/* the region is memfds */

	/* Device or server; fills fabric, partition, incarnation, caps. */
	int (*open)(struct xnuma_domain *dom);
	/* The region is ready: let peers in; sets the export id. */
	int (*publish)(struct xnuma_domain *dom);
	/* Undo open() and publish(), whatever of them was done. */
	void (*close)(struct xnuma_domain *dom);
	/* In a forked child: descriptors only, no lock, no waiting. */
	void (*fork)(struct xnuma_domain *dom);
	/* What close() frees in the child. */
	void (*forget)(struct xnuma_domain *dom);

	/* The descriptor that arm() and wake() are about. */
	int (*fd)(struct xnuma_domain *dom);
	/* Make it unreadable; true if it was readable. */
	bool (*drain)(struct xnuma_domain *dom);

	/* Map the queue and fill status, header, queue, queue_len. */
	int (*peer_open)(struct xnuma_peer *peer);
	void (*peer_close)(struct xnuma_peer *peer);
	void (*peer_forget)(struct xnuma_peer *peer);
	int (*wake)(struct xnuma_peer *peer);
	/* Is a sender that is no peer dead? NULL: the port watches itself. */
	bool (*sender_dead)(struct xnuma_domain *dom, uint64_t name);

	/* Fill the port's part of an import by kind and rkey. */
	int (*import)(struct xnuma_import *imp);
	void (*unimport)(struct xnuma_import *imp);
	/*
	 * The file that windows are of; the first call may wait for the peer.
	 * NULL: imp->fd.
	 */
	int (*window_fd)(struct xnuma_import *imp);
	/* Take all poison of an import away. */
	int (*reset)(struct xnuma_import *imp);
	/* Memory that no window reaches; NULL: there is none. */
	int (*copy)(struct xnuma_import *imp, void *local, uint64_t va,
		    size_t len, bool write);
	/* Fill page tables at @ptr, which is @va; bytes done or -errno. */
	ssize_t (*prefault)(struct xnuma_import *imp, char *ptr, uint64_t va,
			    size_t len, unsigned int rights);

	int (*export)(struct xnuma_export *exp);
	void (*unexport)(struct xnuma_export *exp);
	/* In one export; NULL: not supported. */
	int (*deny)(struct xnuma_domain *dom, uint32_t handle, uint64_t va,
		    uint64_t len, bool deny);
};

extern const struct port_ops port_kmod;
extern const struct port_ops port_user;

#endif
