/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * blob.h - the address of a domain and the packed form of an export
 *
 * Little-endian on every machine.
 *
 *   0 fabric[16] | 16 version u16 | 18 port u8 | 19 flags u8 | 20 zero u32
 *   24 partition u16 | 26 node s16 | 28 pid u32 | 32 incarnation u64
 *   40 export id u64 | 48 queue va u64
 */
#ifndef XNUMA_BLOB_H
#define XNUMA_BLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "xnuma.h"

#define BLOB_VERSION	1
#define BLOB_SLEEPS	(1U << 0)	/* senders look whether to wake */
#define BLOB_SHARES	(1U << 1)	/* may be called to share a copy */

#define FABRIC_LEN	16

struct blob {
	uint8_t		fabric[FABRIC_LEN];
	unsigned int	version;
	enum xnuma_port	port;
	unsigned int	flags;
	unsigned int	partition;
	int		node;		/* -1 unknown */
	pid_t		pid;
	uint64_t	incarnation;
	uint64_t	id;		/* of the export; never 0 */
	uint64_t	va;		/* of the queue's region header */
};

void blob_pack(const struct blob *blob, uint8_t *bytes);

/* Only the device part when @len is XNUMA_DEVICE_LEN. 0 or -EINVAL. */
int blob_unpack(struct blob *blob, const uint8_t *bytes, size_t len);

/* id u64 | va u64 | len u64 | domain's export id u64 | slot u32 | rights u32 */
struct rkey {
	uint64_t	id;		/* never 0 */
	uint64_t	va;
	uint64_t	len;
	uint64_t	domain;
	uint32_t	slot;		/* port user: where @id stands */
	uint32_t	rights;
};

void rkey_pack(const struct rkey *rkey, uint8_t *bytes);

/* 0, or -EINVAL when the numbers cannot be those of an export. */
int rkey_unpack(struct rkey *rkey, const uint8_t *bytes);

#endif
