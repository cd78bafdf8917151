/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * xpmem_numa - the kernel interface of /dev/xpmem_numa
 *
 * Everything hangs from an open file of the device. A file belongs to the
 * address space (mm) of its first EXPORT or IMPORT; every later call from
 * another one is -ESTALE. Handles are small integers, valid in their file only.
 *
 * Rules for all structures: every byte is checked. Unknown flag bits and
 * non-zero padding are -EINVAL, unknown commands and 32-bit callers -ENOTTY.
 * Addresses are user virtual addresses, in bytes; "page" is 4096 bytes.
 */
#ifndef XPMEM_NUMA_H
#define XPMEM_NUMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define XPMEM_NUMA_DEVICE	"/dev/xpmem_numa"
#define XPMEM_NUMA_ABI		1

#define XPMEM_NUMA_KEY_LEN	16	/* bytes */
#define XPMEM_NUMA_FABRIC_LEN	16	/* bytes */

/*
 * mmap() offsets: handle << 48 | va. The low 47 bits are the owner's address;
 * bit 47 alone names the status pages. Owner memory at or above 2^47 cannot be
 * exported.
 */
#define XPMEM_NUMA_HANDLE_SHIFT	48
#define XPMEM_NUMA_HANDLE_MAX	0x7fffU
#define XPMEM_NUMA_VA_LIMIT	(1ULL << 47)
#define XPMEM_NUMA_STATUS	(1ULL << 47)
#define XPMEM_NUMA_OFFSET(handle, va) \
	((__u64)(handle) << XPMEM_NUMA_HANDLE_SHIFT | (__u64)(va))

/* rights of an export, an import and a prefault */
#define XPMEM_NUMA_READ		(1U << 0)
#define XPMEM_NUMA_WRITE	(1U << 1)	/* needs XPMEM_NUMA_READ */

/* features reported by QUERY */
#define XPMEM_NUMA_FEATURE_POISON	(1ULL << 0)
#define XPMEM_NUMA_FEATURE_DENY		(1ULL << 1)
#define XPMEM_NUMA_FEATURE_PMD		(1ULL << 2)	/* 2 MiB mappings */
#define XPMEM_NUMA_FEATURE_PARTITIONS	(1ULL << 3)	/* more than one */

/**
 * struct xpmem_numa_query - what this module is and allows (72 bytes)
 * @flags:		(in) 0
 * @abi:		(out) XPMEM_NUMA_ABI of the module
 * @features:		(out) XPMEM_NUMA_FEATURE_* bits
 * @fabric:		(out) the memory fabric; equal bytes can reach each other
 * @partition:		(out) this operating system's number in the fabric
 * @pad:		(out) 0
 * @incarnation:	(out) random, new at each load of the module, never 0
 * @max_exports:	(out) exports one user may have
 * @max_imports:	(out) imports one user may have
 * @max_windows:	(out) windows one user may have
 * @max_granules:	(out) 2 MiB granules of one user that others may touch
 * @max_denials:	(out) ranges one user may have denied
 * @reserved:		(out) 0
 */
struct xpmem_numa_query {
	__u32 flags;
	__u32 abi;
	__u64 features;
	__u8  fabric[XPMEM_NUMA_FABRIC_LEN];
	__u32 partition;
	__u32 pad;
	__u64 incarnation;
	__u32 max_exports;
	__u32 max_imports;
	__u32 max_windows;
	__u32 max_granules;
	__u32 max_denials;
	__u32 reserved;
};

/**
 * struct xpmem_numa_export - offer a range of the caller's memory (64 bytes)
 * @addr:	(in) first byte, page aligned; 0 with @len 0 is the whole space
 * @len:	(in) length in bytes, page aligned
 * @rights:	(in) XPMEM_NUMA_READ, or READ | WRITE
 * @mode:	(in) who may import: 0 (means 0600) or bits of 0666, as for files
 * @gid:	(in) group that the group bits of @mode speak of, in the caller's
 *		user namespace; (__u32)-1 is the caller's own group
 * @flags:	(in) 0
 * @key:	(in) importers must show the same; all zero is none
 * @id:		(out) random name of the export, never 0
 * @handle:	(out) for UNEXPORT, DENY and ALLOW
 * @pad:	(in) 0
 */
struct xpmem_numa_export {
	__u64 addr;
	__u64 len;
	__u32 rights;
	__u32 mode;
	__u32 gid;
	__u32 flags;
	__u8  key[XPMEM_NUMA_KEY_LEN];
	__u64 id;
	__u32 handle;
	__u32 pad;
};

/* sticky scratch pages instead of SIGBUS where memory cannot be reached */
#define XPMEM_NUMA_IMPORT_POISON	(1U << 0)

/**
 * struct xpmem_numa_import - get the right to map an export (64 bytes)
 * @id:		(in) from the owner
 * @partition:	(in) the owner's partition
 * @rights:	(in) READ, or READ | WRITE; no more than exported
 * @flags:	(in) XPMEM_NUMA_IMPORT_*
 * @handle:	(out) for mmap, PREFAULT, RESET, WAKE and UNIMPORT
 * @key:	(in) as given to EXPORT
 * @addr:	(out) first byte of the export
 * @len:	(out) its length in bytes
 * @pad:	(in) 0
 */
struct xpmem_numa_import {
	__u64 id;
	__u32 partition;
	__u32 rights;
	__u32 flags;
	__u32 handle;
	__u8  key[XPMEM_NUMA_KEY_LEN];
	__u64 addr;
	__u64 len;
	__u64 pad;
};

/**
 * struct xpmem_numa_handle - argument of UNEXPORT, UNIMPORT and WAKE (8 bytes)
 * @handle:	(in) from EXPORT (UNEXPORT) or IMPORT (UNIMPORT, WAKE)
 * @flags:	(in) 0
 */
struct xpmem_numa_handle {
	__u32 handle;
	__u32 flags;
};

/**
 * struct xpmem_numa_range - argument of DENY, ALLOW and RESET (24 bytes)
 * @handle:	(in) an export's (DENY, ALLOW), an import's (RESET)
 * @flags:	(in) 0
 * @va:		(in) first byte in the owner, page aligned
 * @len:	(in) length in bytes, page aligned; 0 with @va 0 is everything
 */
struct xpmem_numa_range {
	__u32 handle;
	__u32 flags;
	__u64 va;
	__u64 len;
};

/* allocate in the owner what it has not touched yet */
#define XPMEM_NUMA_PREFAULT_ALLOC	(1U << 0)

/**
 * struct xpmem_numa_prefault - fill the page tables of windows (40 bytes)
 * @handle:	(in) an import's
 * @flags:	(in) XPMEM_NUMA_PREFAULT_*
 * @va:		(in) first byte in the owner, page aligned
 * @len:	(in) length in bytes, page aligned, > 0
 * @rights:	(in) READ, or READ | WRITE to make pages writable at once. Without
 *		XPMEM_NUMA_PREFAULT_ALLOC what would need a new page is passed over.
 * @pad:	(in) 0
 * @done:	(out) bytes gone through before a hole, the end of a window or
 *		an error; the call fails only if this is 0
 */
struct xpmem_numa_prefault {
	__u32 handle;
	__u32 flags;
	__u64 va;
	__u64 len;
	__u32 rights;
	__u32 pad;
	__u64 done;
};

/*
 * Counters and gauges, for the whole module (STATS of handle 0, sysfs) or for
 * one export or import (fdinfo shows those that concern it).
 */
#define XPMEM_NUMA_STATS(X) \
	X(exports,	"exports that exist") \
	X(imports,	"imports that exist") \
	X(windows,	"windows mapped") \
	X(granules,	"2 MiB granules with a notifier") \
	X(faults,	"faults in windows") \
	X(inserted,	"4 KiB entries inserted") \
	X(inserted_pmd,	"2 MiB entries inserted") \
	X(blocked,	"faults that found a page table where one could be") \
	X(slow,		"faults that went through the owner's page tables") \
	X(carried,	"insertions from what the slow path had found") \
	X(retries,	"insertions overtaken by an invalidation") \
	X(invalidations, "notifier calls on granules") \
	X(idle,		"of which nothing was mapped") \
	X(nested,	"of which came from our own zapping") \
	X(refused,	"of which could not block and were refused") \
	X(zaps,		"ranges taken from an import") \
	X(poisoned,	"scratch pages inserted") \
	X(sigbus,	"faults answered by SIGBUS") \
	X(missed,	"faults of PREFAULT that found nothing") \
	X(contended,	"faults that found the owner's mmap_lock taken") \
	X(resets,	"RESET calls") \
	X(prefaults,	"PREFAULT calls") \
	X(denied,	"faults refused by DENY") \
	X(wakes,	"WAKE calls") \
	X(orphaned,	"exports that ended with their owner") \
	X(eacces,	"calls refused for lack of rights") \
	X(edquot,	"calls and faults refused by a limit of the user") \
	X(einval,	"calls refused for an argument that is not defined") \
	X(enoent,	"calls that named no export or handle") \
	X(enomem,	"calls refused for lack of memory") \
	X(estale,	"calls from a foreign address space") \
	X(errors,	"calls that failed otherwise") \
	X(metadata,	"bytes of kernel memory in use")

/**
 * struct xpmem_numa_stats - read the counters
 * @handle:	(in) 0 for the module, else an export's or import's
 * @flags:	(in) 0
 *
 * The rest: (out) in the order of XPMEM_NUMA_STATS.
 */
struct xpmem_numa_stats {
	__u32 handle;
	__u32 flags;
#define XPMEM_NUMA_STATS_FIELD(name, text) __u64 name;
	XPMEM_NUMA_STATS(XPMEM_NUMA_STATS_FIELD)
#undef XPMEM_NUMA_STATS_FIELD
};

#define XPMEM_NUMA_IOCTL	0xE7
#define XPMEM_NUMA_QUERY	_IOWR(XPMEM_NUMA_IOCTL, 0, struct xpmem_numa_query)
#define XPMEM_NUMA_EXPORT	_IOWR(XPMEM_NUMA_IOCTL, 1, struct xpmem_numa_export)
#define XPMEM_NUMA_UNEXPORT	_IOW(XPMEM_NUMA_IOCTL, 2, struct xpmem_numa_handle)
#define XPMEM_NUMA_IMPORT	_IOWR(XPMEM_NUMA_IOCTL, 3, struct xpmem_numa_import)
#define XPMEM_NUMA_UNIMPORT	_IOW(XPMEM_NUMA_IOCTL, 4, struct xpmem_numa_handle)
#define XPMEM_NUMA_DENY		_IOW(XPMEM_NUMA_IOCTL, 5, struct xpmem_numa_range)
#define XPMEM_NUMA_ALLOW	_IOW(XPMEM_NUMA_IOCTL, 6, struct xpmem_numa_range)
#define XPMEM_NUMA_WAKE		_IOW(XPMEM_NUMA_IOCTL, 7, struct xpmem_numa_handle)
#define XPMEM_NUMA_PREFAULT	_IOWR(XPMEM_NUMA_IOCTL, 8, struct xpmem_numa_prefault)
#define XPMEM_NUMA_RESET	_IOW(XPMEM_NUMA_IOCTL, 9, struct xpmem_numa_range)
#define XPMEM_NUMA_STATS_READ	_IOWR(XPMEM_NUMA_IOCTL, 10, struct xpmem_numa_stats)

/*
 * poll() and read(): the file is readable when a peer called WAKE on one of its
 * exports or the owner of one of its imports died. read() of 8 bytes returns
 * how often that happened since the last read, as a __u64, and -EAGAIN for 0
 * with O_NONBLOCK.
 */

/* states of an import and of an export */
#define XPMEM_NUMA_ACTIVE		0U
#define XPMEM_NUMA_OWNER_GONE		1U	/* exit, exec, kill */
#define XPMEM_NUMA_REVOKED		2U	/* UNEXPORT, or the file closed */
#define XPMEM_NUMA_PARTITION_LOST	3U

/* why the last access was poisoned */
#define XPMEM_NUMA_REASON_NONE		0U
#define XPMEM_NUMA_REASON_HOLE		1U	/* nothing mapped, or PROT_NONE */
#define XPMEM_NUMA_REASON_READ_ONLY	2U	/* write to what the owner may not */
#define XPMEM_NUMA_REASON_DENIED	3U	/* DENY */
#define XPMEM_NUMA_REASON_GONE		4U	/* @state says why */
#define XPMEM_NUMA_REASON_KIND		5U	/* never exported: secret, device */
#define XPMEM_NUMA_REASON_HWPOISON	6U	/* broken memory */
#define XPMEM_NUMA_REASON_NOMEM		7U	/* no memory, or over a limit */
#define XPMEM_NUMA_REASON_FAULT		8U	/* the owner's fault failed */

/**
 * struct xpmem_numa_import_status - first status page, one per import
 * @state:	XPMEM_NUMA_ACTIVE ...
 * @reason:	XPMEM_NUMA_REASON_* of the last poisoning
 * @poisoned:	poisonings so far; advanced before the scratch page is inserted
 * @cleared:	@poisoned as it was when RESET last took all of them away
 * @blocked:	faults of this import that found a page table where a 2 MiB
 *		entry could be; in no order with anything
 *
 * The kernel writes with release, user space reads with acquire. An access
 * through a window is good only if @poisoned, read after it behind an acquire
 * fence, equals @cleared as read before it: then every scratch page of earlier
 * poisonings was gone before the access, and none came until its end. (Reading
 * @cleared after the access would take another thread's RESET for one's own.)
 */
struct xpmem_numa_import_status {
	__u32 state;
	__u32 reason;
	__u64 poisoned;
	__u64 cleared;
	__u64 blocked;
};

/**
 * struct xpmem_numa_export_status - second status page, shared by all importers
 * @state:		XPMEM_NUMA_ACTIVE ...
 * @pad:		0
 * @revocations:	ranges taken back so far
 */
struct xpmem_numa_export_status {
	__u32 state;
	__u32 pad;
	__u64 revocations;
};

#endif /* XPMEM_NUMA_H */
