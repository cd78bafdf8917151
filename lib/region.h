/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * region.h - a domain's own memory for its peers
 *
 *	header | queue | heap .........
 *
 * Contiguous addresses, so that one export covers them under every policy.
 * All of it is only reserved; what is touched is what is used. The heap is
 * where xnuma_alloc() takes from; what is not allocated there is PROT_NONE.
 *
 * Anonymous memory with port kmod. With port user two memfds that peers map:
 * one of header and queue, one of a bitmap (a bit per page of the heap, set
 * while it is allocated) and the heap.
 */
#ifndef XNUMA_REGION_H
#define XNUMA_REGION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGION_MAGIC		0x786e756d61526731ULL
#define REGION_VERSION		2
#define REGION_HEADER_LEN	16384
#define REGION_TICKETS		1984
#define REGION_SHARES		3
#define PAGE			4096UL

/* Whose messages these are, should it die unknown to the owner of the queue. */
struct region_caller {
	_Atomic uint64_t id;		/* of its export, 0: free */
	_Atomic uint64_t name;
};

/*
 * Written by the owner before anybody knows the address; peers copy it, then
 * check the copy.
 */
struct region_facts {
	uint64_t magic;
	uint32_t version;
	uint32_t policy;	/* enum xnuma_policy */
	uint64_t token[2];	/* random: who reads it reads this process */
	uint64_t name;		/* source of the owner's messages */
	uint64_t queue_len;
	uint64_t heap_va;
	uint64_t heap_len;
	uint64_t reserved[7];
};

/* A copy that two do together; see share.h. */
struct region_share {
	_Alignas(64) _Atomic uint64_t claim;	/* by both */
	_Alignas(64) _Atomic uint64_t done;	/* by the peer */
};

/* First bytes of the region. */
struct region_header {
	struct region_facts facts;
	union {
		/* port user: id of an export while it exists, else 0 */
		_Atomic uint64_t ticket[REGION_TICKETS];
		/* port kmod: written by who opens this domain as a peer */
		struct region_caller caller[REGION_TICKETS / 2];
	};
	struct region_share share[REGION_SHARES];
};

_Static_assert(sizeof(struct region_header) <= REGION_HEADER_LEN, "layout");

struct region_block {
	uint64_t offset;		/* in the heap */
	uint64_t len;
	struct region_block *next;	/* by offset */
};

struct region {
	struct region_header *header;
	char *queue;
	char *heap;
	size_t queue_len;		/* whole pages */
	size_t heap_len;		/* 0: no heap */
	int queue_fd;			/* -1: anonymous */
	int heap_fd;
	_Atomic uint64_t *bitmap;	/* NULL: anonymous */
	size_t bitmap_len;
	int node;

	pthread_mutex_t lock;		/* protects blocks */
	struct region_block *blocks;
};

struct region_params {
	size_t queue_len;
	bool shared;		/* memfds */
	bool no_heap;
	int node;
};

int region_init(struct region *region, const struct region_params *params);
void region_fini(struct region *region);

/* In a forked child: descriptors; the queue's memory is not there any more. */
void region_fork(struct region *region);

int region_alloc(struct region *region, size_t len, int node, void **ptr);

/* 0, or -EINVAL when @ptr is not what region_alloc() returned. */
int region_free(struct region *region, void *ptr);

/* Does the range lie in one allocation? */
bool region_allocated(struct region *region, const void *ptr, size_t len);

/* Bytes of the bitmap for a heap. */
static inline size_t region_bitmap_len(size_t heap_len)
{
	return (heap_len / PAGE / 8 + PAGE - 1) & -PAGE;
}

/* Are all pages of a part of the heap allocated? */
bool region_live(const _Atomic uint64_t *bitmap, uint64_t offset, size_t len);

#endif
