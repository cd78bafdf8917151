/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "blob.h"
#include "error.h"

static uint8_t *put(uint8_t *to, uint64_t value, int len)
{
	int i;

	for (i = 0; i < len; i++)
		to[i] = value >> 8 * i;
	return to + len;
}

static uint64_t get(const uint8_t **from, int len)
{
	uint64_t value = 0;
	int i;

	for (i = 0; i < len; i++)
		value |= (uint64_t)(*from)[i] << 8 * i;
	*from += len;
	return value;
}

void blob_pack(const struct blob *blob, uint8_t *bytes)
{
	memcpy(bytes, blob->fabric, FABRIC_LEN);
	bytes = put(bytes + FABRIC_LEN, blob->version, 2);
	bytes = put(bytes, blob->port, 1);
	bytes = put(bytes, blob->flags, 1);
	bytes = put(bytes, 0, 4);
	bytes = put(bytes, blob->partition, 2);
	bytes = put(bytes, (uint16_t)blob->node, 2);
	bytes = put(bytes, blob->pid, 4);
	bytes = put(bytes, blob->incarnation, 8);
	bytes = put(bytes, blob->id, 8);
	put(bytes, blob->va, 8);
}

int blob_unpack(struct blob *blob, const uint8_t *bytes, size_t len)
{
	memset(blob, 0, sizeof(*blob));
	if (len != XNUMA_BLOB_LEN && len != XNUMA_DEVICE_LEN)
		return error(-EINVAL, "an address has %d or %d bytes, not %zu",
			     XNUMA_BLOB_LEN, XNUMA_DEVICE_LEN, len);
	memcpy(blob->fabric, bytes, FABRIC_LEN);
	bytes += FABRIC_LEN;
	blob->version = get(&bytes, 2);
	blob->port = get(&bytes, 1);
	blob->flags = get(&bytes, 1);
	if (get(&bytes, 4))
		return error(-EINVAL, "not the address of a domain");
	if (len == XNUMA_DEVICE_LEN)
		return 0;
	blob->partition = get(&bytes, 2);
	blob->node = (int16_t)get(&bytes, 2);
	blob->pid = get(&bytes, 4);
	blob->incarnation = get(&bytes, 8);
	blob->id = get(&bytes, 8);
	blob->va = get(&bytes, 8);
	if (!blob->id || blob->va % 4096)
		return error(-EINVAL, "not the address of a domain");
	return 0;
}

void rkey_pack(const struct rkey *rkey, uint8_t *bytes)
{
	bytes = put(bytes, rkey->id, 8);
	bytes = put(bytes, rkey->va, 8);
	bytes = put(bytes, rkey->len, 8);
	bytes = put(bytes, rkey->domain, 8);
	bytes = put(bytes, rkey->slot, 4);
	put(bytes, rkey->rights, 4);
}

int rkey_unpack(struct rkey *rkey, const uint8_t *bytes)
{
	const unsigned int all = XNUMA_READ | XNUMA_WRITE;

	rkey->id = get(&bytes, 8);
	rkey->va = get(&bytes, 8);
	rkey->len = get(&bytes, 8);
	rkey->domain = get(&bytes, 8);
	rkey->slot = get(&bytes, 4);
	rkey->rights = get(&bytes, 4);
	if (!rkey->id || !rkey->len || rkey->va + rkey->len < rkey->va ||
	    !(rkey->rights & XNUMA_READ) || rkey->rights & ~all)
		return error(-EINVAL, "not a packed export");
	return 0;
}
