/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libxnuma - direct access to the memory of other processes
 *
 * A process opens one domain and hands its 56-byte address (the blob) to its
 * peers by any means. A peer opened from a blob takes messages (send, poll) and
 * its memory is read and written in place (get, put, atomic). Nothing is
 * registered per buffer: an address in the peer is enough.
 *
 * Every call returns 0 or a positive number, or -errno; xnuma_error() then has
 * the cause in words. Any thread may call any function on any object unless
 * the domain was opened with XNUMA_SINGLE_THREAD. Messages between one pair of
 * domains arrive in the order sent by one thread. get, put, atomic, send and
 * poll make no system call in steady state, take no lock that another process
 * can hold, allocate nothing and log nothing.
 *
 * The child of a fork() holds inert copies: every call on them returns -ECHILD,
 * close functions free what is local.
 */
#ifndef XNUMA_H
#define XNUMA_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define XNUMA_VERSION		1	/* of this interface */
#define XNUMA_BLOB_LEN		56	/* bytes of a domain's address */
#define XNUMA_DEVICE_LEN	24	/* of which name the fabric and format */
#define XNUMA_RKEY_LEN		40	/* bytes of a packed sub-range export */
#define XNUMA_KEY_LEN		16	/* bytes of a secret shared by a job */
#define XNUMA_INLINE_MAX	48	/* payload bytes of a one-line message */

struct xnuma_domain;	/* this process's own end */
struct xnuma_peer;	/* another process's domain, seen from here */
struct xnuma_export;	/* a range offered besides the domain's own export */
struct xnuma_import;	/* the right to reach an export of a peer */
struct xnuma_window;	/* a pointer into a peer, held until released */

/* ---- errors and configuration ---- */

/**
 * xnuma_error - why the last failed call of this thread failed
 *
 * Return: one sentence without a newline, never NULL; valid until the next
 * failing call of the same thread. "" when nothing failed yet.
 */
const char *xnuma_error(void);

enum xnuma_port {
	XNUMA_PORT_AUTO,	/* kmod, else user */
	XNUMA_PORT_KMOD,	/* /dev/xpmem_numa or fail */
	XNUMA_PORT_USER,	/* no module: memfd, queue and process_vm_readv */
};

enum xnuma_policy {
	XNUMA_EXPORT_ALL,	/* the whole address space, now and later */
	XNUMA_EXPORT_BUFFERS,	/* only xnuma_alloc() and xnuma_export() memory */
	XNUMA_EXPORT_NONE,	/* queues only */
};

enum xnuma_log_level { XNUMA_LOG_ERROR, XNUMA_LOG_WARN, XNUMA_LOG_INFO };

#define XNUMA_SINGLE_THREAD	(1U << 0) /* one thread at a time calls */
#define XNUMA_SLEEPS		(1U << 1) /* xnuma_domain_arm() will be used */
#define XNUMA_SHARES		(1U << 2) /* xnuma_share() will be called */

/**
 * struct xnuma_config - how to open a domain; fill by xnuma_config_init()
 * @port:	which implementation
 * @policy:	what peers may reach
 * @flags:	XNUMA_SINGLE_THREAD, XNUMA_SLEEPS, XNUMA_SHARES
 * @mode:	who may import, bits of 0666; 0600 is the same user
 * @gid:	group that @mode speaks of; (gid_t)-1 is the caller's
 * @key:	secret of the job, all zero is none
 * @name:	shown to peers as the source of messages; no two living processes
 *		may use the same. The default is the process id.
 * @ring_size:	bytes of a message ring, power of two, 4 KiB to 16 MiB
 * @max_rings:	rings that busy peers may own, 1 to 65,536
 * @share_min:	bytes from which on xnuma_get() calls the peer to copy a part,
 *		see xnuma_share(), twice as many with port user; 0 is never
 * @window_limit: bytes of address space for windows; 0 is the smaller of a
 *		quarter of RLIMIT_AS and 16 TiB
 * @window_size: bytes of one window, power of two; 0 is chosen from
 *		@window_limit
 * @node:	NUMA node for the queues; -1 is the caller's
 * @log:	told of warnings on slow paths; NULL is silence. It must not call
 *		this library.
 * @log_arg:	first argument of @log
 */
struct xnuma_config {
	enum xnuma_port		port;
	enum xnuma_policy	policy;
	unsigned int		flags;
	mode_t			mode;
	gid_t			gid;
	uint8_t			key[XNUMA_KEY_LEN];
	uint64_t		name;
	size_t			ring_size;
	unsigned int		max_rings;
	size_t			share_min;
	size_t			window_limit;
	size_t			window_size;
	int			node;
	void (*log)(void *arg, enum xnuma_log_level level, const char *text);
	void			*log_arg;
};

/**
 * xnuma_config_init - defaults, then the environment
 * @config:	out
 *
 * XNUMA_PORT (auto, kmod, user), XNUMA_EXPORT (all, buffers, none),
 * XNUMA_RING_SIZE, XNUMA_MAX_RINGS, XNUMA_SHARE_MIN, XNUMA_WINDOW_LIMIT and
 * XNUMA_WINDOW_SIZE (bytes; K, M, G, T allowed) override the defaults.
 *
 * Return:
 * * 0		- filled
 * * -EINVAL	- a variable has no valid value; @config holds the defaults
 */
int xnuma_config_init(struct xnuma_config *config);

/* ---- domain ---- */

/**
 * xnuma_domain_open - open this process's end
 * @config:	from xnuma_config_init(); copied
 * @dom:	out: written only on success; xnuma_domain_close()
 *
 * Return:
 * * 0		- open
 * * -ENODEV	- port kmod: the module is not loaded; or pages are not 4 KiB
 * * -EACCES	- port kmod: no permission on the device
 * * -EPROTO	- port kmod: the module speaks another ABI version
 * * -EINVAL	- a field of @config is out of range
 * * -ENOMEM, -EMFILE, -EDQUOT - out of memory, files, or the user's limits
 */
int xnuma_domain_open(const struct xnuma_config *config,
		      struct xnuma_domain **dom);

/**
 * xnuma_domain_close - close the domain; peers see it as gone
 * @dom:	NULL is allowed. All its peers and exports must be closed.
 */
void xnuma_domain_close(struct xnuma_domain *dom);

/* what a port can do with memory that xnuma_alloc() did not return */
#define XNUMA_CAP_MAP	 (1U << 0) /* get, put, atomic by load and store */
#define XNUMA_CAP_COPY	 (1U << 1) /* get and put by a system call */
#define XNUMA_CAP_POISON (1U << 2) /* vanished memory is an error, no signal */
#define XNUMA_CAP_DENY	 (1U << 3) /* xnuma_deny() works */

/**
 * struct xnuma_domain_attr - what a domain is
 * @port:	XNUMA_PORT_KMOD or XNUMA_PORT_USER
 * @port_name:	"kmod" or "user"
 * @fallback:	why auto did not take kmod, "" otherwise
 * @caps:	XNUMA_CAP_*
 * @partition:	this operating system in its fabric
 * @node:	NUMA node of the queues
 * @send_max:	largest payload of one message, bytes
 * @window_limit: address space that windows may take, bytes
 * @window_size: bytes of one window
 */
struct xnuma_domain_attr {
	enum xnuma_port	port;
	const char	*port_name;
	const char	*fallback;
	unsigned int	caps;
	unsigned int	partition;
	int		node;
	size_t		send_max;
	size_t		window_limit;
	size_t		window_size;
};

/** xnuma_domain_query - describe an open domain; always succeeds */
void xnuma_domain_query(struct xnuma_domain *dom,
			struct xnuma_domain_attr *attr);

/**
 * xnuma_domain_pack - the address that peers open
 * @dom:	the domain
 * @blob:	out. Equal first XNUMA_DEVICE_LEN bytes can reach each other.
 */
void xnuma_domain_pack(struct xnuma_domain *dom, uint8_t blob[XNUMA_BLOB_LEN]);

/* bytes and events by path, since the domain was opened */
#define XNUMA_STATS(X) \
	X(messages_sent,   "messages sent") \
	X(messages_received, "messages received") \
	X(queue_bytes,	   "payload bytes sent through queues") \
	X(window_get,	   "bytes read through windows") \
	X(window_put,	   "bytes written through windows") \
	X(syscall_get,	   "bytes read by system calls") \
	X(syscall_put,	   "bytes written by system calls") \
	X(local_bytes,	   "bytes copied within this process") \
	X(shared_bytes,	   "bytes copied for peers that were getting them") \
	X(atomics,	   "atomic operations") \
	X(again,	   "sends refused because a ring was full") \
	X(promotions,	   "peers that got a ring of their own") \
	X(windows_mapped,  "windows mapped") \
	X(windows_evicted, "windows unmapped to make room") \
	X(windows_replaced, "windows mapped anew for huge pages") \
	X(poisoned,	   "accesses refused because memory had vanished") \
	X(peers_lost,	   "peers that died")

struct xnuma_stats {
#define XNUMA_STATS_FIELD(name, text) uint64_t name;
	XNUMA_STATS(XNUMA_STATS_FIELD)
#undef XNUMA_STATS_FIELD
};

/** xnuma_domain_stats - read the counters; exact when no call is running */
void xnuma_domain_stats(struct xnuma_domain *dom, struct xnuma_stats *stats);

/* ---- peers ---- */

/**
 * xnuma_peer_check - can this blob be reached from here?
 * @dom:	the own domain
 * @blob:	from xnuma_domain_pack() of any process, or XNUMA_DEVICE_LEN of it
 * @len:	its length in bytes
 *
 * Return:
 * * 0			- same fabric and format
 * * -EHOSTUNREACH	- another fabric; xnuma_error() says which differs
 * * -EPROTO		- another format version
 * * -EINVAL		- not a blob
 */
int xnuma_peer_check(struct xnuma_domain *dom, const uint8_t *blob, size_t len);

/**
 * xnuma_peer_open - open a peer; its own blob gives a peer to oneself
 * @dom:	the own domain
 * @blob:	XNUMA_BLOB_LEN bytes
 * @peer:	out: written only on success; xnuma_peer_close()
 *
 * Return:
 * * 0		- open
 * * -EPIPE	- the peer is gone
 * * -EACCES	- it did not grant this user
 * * others	- as xnuma_peer_check(), xnuma_domain_open()
 */
int xnuma_peer_open(struct xnuma_domain *dom, const uint8_t *blob,
		    struct xnuma_peer **peer);

/** xnuma_peer_close - forget a peer; its imports and windows must be closed */
void xnuma_peer_close(struct xnuma_peer *peer);

/**
 * xnuma_peer_alive - is it still there? One load.
 * @peer:	the peer
 *
 * Return:
 * * 0			- it is
 * * -EPIPE		- it died; peer and reason are in xnuma_error()
 * * -ESHUTDOWN		- it closed its domain, as one does who leaves in order
 *
 * A peer that is gone stays gone.
 */
int xnuma_peer_alive(struct xnuma_peer *peer);

/**
 * struct xnuma_peer_attr - where a peer is and how far
 * @is_self:	the domain itself
 * @pid:	its process, in its own pid namespace
 * @partition:	its operating system
 * @node:	NUMA node of its queues, -1 unknown
 * @distance:	hwloc distance relative to local, 1.0 is the same node
 * @latency:	expected time of a small message, in seconds
 * @bandwidth:	expected copy rate, in bytes per second
 */
struct xnuma_peer_attr {
	int		is_self;
	pid_t		pid;
	unsigned int	partition;
	int		node;
	double		distance;
	double		latency;
	double		bandwidth;
};

/** xnuma_peer_query - describe an open peer; always succeeds */
void xnuma_peer_query(struct xnuma_peer *peer, struct xnuma_peer_attr *attr);

/* ---- messages ---- */

/**
 * xnuma_send - copy a message into the peer's queue
 * @peer:	the receiver
 * @tag:	any, shown to the receiver
 * @iov:	the payload in @iovcnt pieces, gathered
 * @iovcnt:	0 to 8
 *
 * Return:
 * * 0		- the receiver will see it
 * * -EAGAIN	- no room now; poll, then try again
 * * -EMSGSIZE	- longer than send_max
 * * -EPIPE, -ESHUTDOWN - the peer is gone, see xnuma_peer_alive()
 */
int xnuma_send(struct xnuma_peer *peer, uint8_t tag, const struct iovec *iov,
	       int iovcnt);

/**
 * xnuma_send_reserve - room in the peer's queue, to be filled in place
 * @peer:	the receiver
 * @len:	bytes wanted
 * @buf:	out: where to write; contiguous, 8-byte aligned
 *
 * Ends by xnuma_send_commit() or xnuma_send_cancel() in the same thread; only
 * one reservation per thread and peer, and no other send to this peer between,
 * nor a get from it that is shared.
 *
 * Return: 0, or as xnuma_send()
 */
int xnuma_send_reserve(struct xnuma_peer *peer, size_t len, void **buf);

/**
 * xnuma_send_reserve_most - the same for who learns the length as he writes
 * @peer:	the receiver
 * @len:	bytes at most
 * @likely:	bytes that will be written, as far as is known; only speed
 *		depends on it
 * @buf:	out: where to write
 *
 * Who then commits fewer bytes than @len has not written more than those.
 *
 * Return: as xnuma_send_reserve()
 */
int xnuma_send_reserve_most(struct xnuma_peer *peer, size_t len, size_t likely,
			    void **buf);

/**
 * xnuma_send_commit - publish what was reserved
 * @peer:	the receiver
 * @tag:	any, shown to the receiver
 * @len:	bytes written, at most as reserved
 */
void xnuma_send_commit(struct xnuma_peer *peer, uint8_t tag, size_t len);

/** xnuma_send_cancel - give the reservation back; the receiver sees nothing */
void xnuma_send_cancel(struct xnuma_peer *peer);

/**
 * struct xnuma_message - a received message
 * @data:	payload, 8-byte aligned, valid during the handler only
 * @len:	its length in bytes
 * @source:	@name of the sender's configuration
 * @tag:	from the sender
 */
struct xnuma_message {
	const void	*data;
	size_t		len;
	uint64_t	source;
	uint8_t		tag;
};

typedef void (*xnuma_handler)(void *arg, const struct xnuma_message *msg);

/**
 * xnuma_poll - receive messages
 * @dom:	the own domain
 * @handler:	called for each; may send and get, must not poll
 * @arg:	its first argument
 * @max:	stop after as many, > 0
 *
 * A second thread that polls meanwhile gets 0 at once.
 *
 * Return: number of messages handled
 */
int xnuma_poll(struct xnuma_domain *dom, xnuma_handler handler, void *arg,
	       int max);

/* ---- sleeping ---- */

/**
 * xnuma_domain_fd - a descriptor for poll(2), owned by the domain
 * @dom:	the own domain
 *
 * Readable after xnuma_domain_arm() when a message came or a peer died.
 *
 * Return: the descriptor, or -ENOTSUP without XNUMA_SLEEPS
 */
int xnuma_domain_fd(struct xnuma_domain *dom);

/**
 * xnuma_domain_arm - ask for a wake-up
 * @dom:	the own domain
 *
 * Return:
 * * 0		- nothing pending: sleep on the descriptor, then poll
 * * -EBUSY	- something is pending: poll first
 */
int xnuma_domain_arm(struct xnuma_domain *dom);

/** xnuma_peer_wake - make the peer's descriptor readable; a system call */
int xnuma_peer_wake(struct xnuma_peer *peer);

/* ---- memory of a peer ---- */

/**
 * struct xnuma_completion - told when an operation that returned 1 ends
 * @func:	called from xnuma_poll() with 0 or -errno
 */
struct xnuma_completion {
	void (*func)(struct xnuma_completion *self, int status);
};

/**
 * xnuma_peer_memory - the import of what the peer's domain exports
 * @peer:	the peer
 *
 * Return: never NULL; lives as long as the peer
 */
struct xnuma_import *xnuma_peer_memory(struct xnuma_peer *peer);

/**
 * xnuma_get - read a peer's memory
 * @imp:	whose
 * @dst:	where to, in this process
 * @va:		address in the peer
 * @len:	bytes, any alignment
 * @comp:	NULL: the call returns when all is done
 *
 * Return:
 * * 0		- done; @comp will not be called
 * * 1		- under way, @comp will be called; only if @comp was given
 * * -EFAULT	- some of it is not (or no longer) reachable; @dst is undefined
 * * -EACCES	- not exported, denied, or taken back by xnuma_unexport()
 * * -EPIPE, -ESHUTDOWN - the peer is gone, see xnuma_peer_alive()
 * * -ENOTSUP	- this port cannot reach this memory: send it instead
 * * -ENOMEM	- no address space for a window
 */
int xnuma_get(struct xnuma_import *imp, void *dst, uint64_t va, size_t len,
	      struct xnuma_completion *comp);

/**
 * xnuma_put - write a peer's memory
 * @imp:	whose
 * @va:		address in the peer
 * @src:	where from, in this process
 * @len:	bytes, any alignment
 * @comp:	as for xnuma_get()
 *
 * When done, the peer's loads see the bytes.
 *
 * Return: as xnuma_get(); after an error some bytes may have been written
 */
int xnuma_put(struct xnuma_import *imp, uint64_t va, const void *src,
	      size_t len, struct xnuma_completion *comp);

#define XNUMA_TAG_SHARE	255	/* of messages between libraries */

/**
 * xnuma_share - copy a part of what a peer is getting from this process
 * @peer:	who sent @msg, by its source
 * @msg:	a message with tag XNUMA_TAG_SHARE
 *
 * Two cores copy faster than one. Where both domains were opened with
 * XNUMA_SHARES a large xnuma_get() of the peer's own memory sends this message
 * to its owner and begins to copy from the front. An owner that polls meanwhile
 * calls xnuma_share() and copies from the back until nothing is left. Nobody
 * waits for one that does not; who has begun is waited for. What @msg asks for
 * is never a signal, and with the module never more than the peer could read;
 * with port user the kernel copies what this process itself can read.
 *
 * Return: bytes copied, 0 when nothing was left, -EPROTO when @msg is none, or
 * as xnuma_put(): the peer then copies that part itself.
 */
ssize_t xnuma_share(struct xnuma_peer *peer, const struct xnuma_message *msg);

enum xnuma_op {
	XNUMA_ADD, XNUMA_AND, XNUMA_OR, XNUMA_XOR, XNUMA_SWAP, XNUMA_CSWAP,
};

/**
 * xnuma_atomic - atomic operation of the CPU on a peer's memory
 * @imp:	whose
 * @op:		what
 * @va:		address in the peer, aligned to @size
 * @size:	4 or 8 bytes
 * @operand:	the operand; for XNUMA_CSWAP the new value
 * @compare:	for XNUMA_CSWAP the expected value
 * @old:	out: the value before, zero-extended; NULL if not wanted
 *
 * Return: 0, -EINVAL (size, alignment, operation), or as xnuma_get()
 */
int xnuma_atomic(struct xnuma_import *imp, enum xnuma_op op, uint64_t va,
		 size_t size, uint64_t operand, uint64_t compare,
		 uint64_t *old);

/** xnuma_fence - operations before it are seen before those after it */
void xnuma_fence(struct xnuma_domain *dom);

/**
 * xnuma_flush - have all operations to a peer ended?
 * @peer:	the peer
 * @comp:	as for xnuma_get()
 *
 * Return: 0 all done, 1 under way, or as xnuma_peer_alive()
 */
int xnuma_flush(struct xnuma_peer *peer, struct xnuma_completion *comp);

/**
 * xnuma_window_hold - a pointer into a peer, for code outside this library
 * @imp:	whose
 * @va:		address in the peer
 * @len:	bytes, > 0
 * @ptr:	out: the same bytes in this process
 * @win:	out: xnuma_window_release()
 *
 * Never moved or evicted while held. Memory that vanishes raises SIGBUS.
 *
 * Return: 0, or as xnuma_get()
 */
int xnuma_window_hold(struct xnuma_import *imp, uint64_t va, size_t len,
		      void **ptr, struct xnuma_window **win);

/** xnuma_window_release - the pointer is no longer used */
void xnuma_window_release(struct xnuma_window *win);

/* ---- exports besides the domain's own ---- */

#define XNUMA_READ	(1U << 0)
#define XNUMA_WRITE	(1U << 1)

/**
 * xnuma_export - offer a range to those who get its packed form
 * @dom:	the own domain
 * @addr:	first byte, any alignment; whole pages are offered
 * @len:	bytes, > 0
 * @rights:	XNUMA_READ, or XNUMA_READ | XNUMA_WRITE
 * @exp:	out: xnuma_unexport()
 *
 * Return: 0, -EINVAL, -ENOTSUP (policy none; port user: not from
 * xnuma_alloc()), -ENOMEM, -EDQUOT
 */
int xnuma_export(struct xnuma_domain *dom, void *addr, size_t len,
		 unsigned int rights, struct xnuma_export **exp);

/** xnuma_unexport - take it back; on return no peer reaches it through @exp */
void xnuma_unexport(struct xnuma_export *exp);

/** xnuma_export_pack - what a peer passes to xnuma_import() */
void xnuma_export_pack(struct xnuma_export *exp, uint8_t rkey[XNUMA_RKEY_LEN]);

/**
 * xnuma_import - reach an export of a peer
 * @peer:	its owner
 * @rkey:	from xnuma_export_pack()
 * @rights:	XNUMA_READ, or XNUMA_READ | XNUMA_WRITE
 * @imp:	out: xnuma_unimport()
 *
 * Return: 0, -ENOENT, -EACCES, -EPIPE, -EINVAL, -ENOMEM, -EDQUOT
 */
int xnuma_import(struct xnuma_peer *peer, const uint8_t rkey[XNUMA_RKEY_LEN],
		 unsigned int rights, struct xnuma_import **imp);

/** xnuma_unimport - give the right back; held windows stay until released */
void xnuma_unimport(struct xnuma_import *imp);

/**
 * xnuma_deny - take a range back from all peers until xnuma_allow()
 * @dom:	the own domain
 * @addr:	first byte; widened to whole pages
 * @len:	bytes
 *
 * On return no peer reaches the old pages; their operations get -EACCES.
 *
 * Return: 0, -ENOTSUP (port user), -EINVAL, -ENOMEM, -EDQUOT
 */
int xnuma_deny(struct xnuma_domain *dom, void *addr, size_t len);

/** xnuma_allow - undo xnuma_deny(); same arguments and errors */
int xnuma_allow(struct xnuma_domain *dom, void *addr, size_t len);

/* ---- placement ---- */

/**
 * xnuma_alloc - memory that peers reach by load and store in every port
 * @dom:	the own domain
 * @len:	bytes, > 0; rounded up to pages
 * @node:	NUMA node for first touch, -1 is the domain's
 * @ptr:	out: zeroed, page aligned; xnuma_free()
 *
 * Return: 0, -ENOMEM, -EINVAL (no such node)
 */
int xnuma_alloc(struct xnuma_domain *dom, size_t len, int node, void **ptr);

/** xnuma_free - give memory of xnuma_alloc() back; peers lose it at once */
void xnuma_free(struct xnuma_domain *dom, void *ptr);

/**
 * xnuma_prefault - map a peer's range now rather than at first touch
 * @imp:	whose
 * @va:		address in the peer
 * @len:	bytes
 * @rights:	XNUMA_READ, or XNUMA_READ | XNUMA_WRITE
 *
 * Return: bytes mapped (0 to @len), or as xnuma_get()
 */
ssize_t xnuma_prefault(struct xnuma_import *imp, uint64_t va, size_t len,
		       unsigned int rights);

/* ---- this machine; no domain is needed ---- */

/**
 * struct xnuma_module - what the loaded module says of itself
 * @library_abi: ABI version that this library speaks; always set
 * @abi:	ABI version of the module
 * @features:	bits as in <xpmem_numa.h>: poison, deny, pmd, partitions
 * @fabric:	the memory that can be reached; equal on all who reach each other
 * @partition:	this operating system in its fabric
 * @incarnation: random, new at each load of the module
 */
struct xnuma_module {
	unsigned int	library_abi;
	unsigned int	abi;
	uint64_t	features;
	uint8_t		fabric[16];
	unsigned int	partition;
	uint64_t	incarnation;
};

/**
 * xnuma_module_query - ask the module, whatever port would be chosen
 * @module:	out: all but @library_abi is 0 after an error
 *
 * Return:
 * * 0		- it answered
 * * -ENODEV	- the module is not loaded
 * * -EACCES	- no permission on the device
 * * -EPROTO	- the module speaks another ABI version
 */
int xnuma_module_query(struct xnuma_module *module);

/* Told of one counter: its name, what it counts, how much. */
typedef void (*xnuma_counter)(void *arg, const char *name, const char *text,
			      uint64_t value);

/**
 * xnuma_module_stats - the totals of the module, which everybody may read
 * @counter:	called for each
 * @arg:	its first argument
 *
 * Return: how many there are; 0 without the module
 */
int xnuma_module_stats(xnuma_counter counter, void *arg);

/**
 * xnuma_nodes - the NUMA nodes that this process may allocate from
 * @nodes:	out: at most @max numbers, ascending
 * @max:	room in @nodes
 *
 * Return: how many there are, which may be more than @max
 */
int xnuma_nodes(int *nodes, int max);

/**
 * xnuma_node_distance - how far two nodes are from each other
 * @from:	number of one
 * @to:	number of the other
 *
 * Return: relative to a node's own memory, which is 1.0; 2.0 if unknown
 */
double xnuma_node_distance(int from, int to);

/**
 * xnuma_copy_name - the loop that copies so many bytes, chosen by trying
 * @len:	how many
 *
 * Return: "memcpy", "vector", "string" or "avx2"
 */
const char *xnuma_copy_name(size_t len);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* XNUMA_H */
