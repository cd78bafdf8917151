/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest.h - what the guest tests share
 *
 * A test is told by one process, the importer that prints. Its peers are forked
 * before it opens the device; they do nothing but what peer_call() makes them
 * do, so the order of events is the order of the lines of the test.
 *
 *	struct owner o;				a peer that exports all it has
 *	struct import im;			this process's view of AREA in it
 *
 *	share_open(&o, &im, len, RW, RW, 0);
 *	peer_call(&o.peer, on_fill, AREA, len, 0x31);
 *	check_int(load(im.win), ==, 0x31);
 *	share_close(&o, &im);
 *
 * What returns int or long returns -errno on failure, unless said otherwise.
 */
#ifndef XNUMA_TESTS_GUEST_H
#define XNUMA_TESTS_GUEST_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "xpmem_numa.h"

#define PAGE	4096UL
#define MIB	(1UL << 20)
#define GIB	(1UL << 30)
#define TIB	(1UL << 40)

/* Where an owner's memory lies, far from everything: 2 MiB aligned. */
#define AREA	0x100000000000L

#define RO	XPMEM_NUMA_READ
#define RW	(XPMEM_NUMA_READ | XPMEM_NUMA_WRITE)
#define POISON	XPMEM_NUMA_IMPORT_POISON

/* Newer than the C library's headers. */
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif
#ifndef MADV_HWPOISON
#define MADV_HWPOISON		100
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif

/* First line of main(): a hang ends the program, faults can be caught. */
void guest_begin(void);

/* How many times slower than usual this kernel is said to be, 1 or more. */
unsigned int guest_slowness(void);

/*
 * The signal that STMT raised in this thread, 0 for none.
 */
extern __thread struct trap {
	sigjmp_buf env;
	volatile bool armed;
} trap;

#define caught(stmt) __extension__ ({				\
	int caught_ = sigsetjmp(trap.env, 1);			\
	if (!caught_) {						\
		trap.armed = true;				\
		stmt;						\
	}							\
	trap.armed = false;					\
	caught_; })

/* The byte at @p, or minus the signal that reading it raised. */
int load(const volatile void *p);
/* 0, or minus the signal that writing it raised. */
int store(volatile void *p, int byte);

/* Peers: forked children that are called like functions. */
struct peer {
	pid_t pid;
	int sock;
};

typedef long (*peer_fn)(long a, long b, long c);

int peer_start(struct peer *p);
/* fn(a, b, c) in the peer; -EPIPE when it died of it. */
long peer_call(struct peer *p, peer_fn fn, long a, long b, long c);
/* The same in two halves. */
int peer_begin(struct peer *p, peer_fn fn, long a, long b, long c);
long peer_end(struct peer *p);
/* There is an answer, or the peer is dead, within @ms. */
bool peer_answers(struct peer *p, int ms);
/* Ends the peer in order, or by @sig; its wait status. */
int peer_stop(struct peer *p);
int peer_kill(struct peer *p, int sig);

/* The device, raw. */
int dev_open(void);
int dev_call(int fd, unsigned long cmd, void *arg);
int dev_export(int fd, const void *addr, size_t len, __u32 rights,
	       struct xpmem_numa_export *ex);
int dev_import(int fd, __u64 id, __u32 rights, __u32 flags,
	       struct xpmem_numa_import *im);
/* UNEXPORT, UNIMPORT, WAKE; DENY, ALLOW, RESET */
int dev_handle(int fd, unsigned long cmd, __u32 handle);
int dev_range(int fd, unsigned long cmd, __u32 handle, long va, size_t len);
/* Bytes gone through, or -errno. */
long dev_prefault(int fd, __u32 handle, long va, size_t len, __u32 rights,
		  __u32 flags);
/* In the window arena, where mmap() itself never goes; MAP_FAILED and errno. */
void *dev_window(int fd, __u32 handle, long va, size_t len, int prot);
/* A free address there, 2 MiB aligned. */
void *arena_hint(size_t len);

/* Totals of the module by name; negative if it cannot be read. */
long stat_read(const char *name);
/* Waits until a gauge is @want: what was freed may be freed by a worker. */
bool stat_settles(const char *name, long want);
/* The same of all gauges, and none. */
bool module_empties(void);
/* Sets a module parameter; the value it had, or -1. */
long param_set(const char *name, long value);

/* Writes a file of the kernel's, or of a control group. */
int file_write(const char *path, const char *text);

struct owner {
	struct peer peer;
	__u64 id;
};

/* A peer with @len bytes of untouched 4 KiB pages at AREA, exported whole. */
int owner_start(struct owner *o, size_t len, __u32 rights);
int owner_stop(struct owner *o);

struct import {
	int fd;
	__u32 handle;
	__u32 rights;
	char *win;		/* AREA of the owner, or NULL */
	size_t len;
	const struct xpmem_numa_import_status *st;
	const struct xpmem_numa_export_status *ex;
};

/* With @len 0 without a window. */
int import_open(struct import *im, __u64 id, size_t len, __u32 rights,
		__u32 flags);
int import_close(struct import *im);

/* What is read through the windows of @im up to now was real. */
bool import_valid(const struct import *im);

int share_open(struct owner *o, struct import *im, size_t len, __u32 owned,
	       __u32 rights, __u32 flags);
void share_close(struct owner *o, struct import *im);

/*
 * For peer_call(): what an owner does. Of addresses, lengths and bytes.
 */
extern struct xpmem_numa_export own;	/* in a peer: its export */
extern int own_fd;			/* ... and the file it hangs from */

long on_map(long addr, long len, long flags);	/* anonymous, RW, at addr */
long on_unmap(long addr, long len, long);
long on_protect(long addr, long len, long prot);
long on_advise(long addr, long len, long advice);
long on_fill(long addr, long len, long byte);
long on_stride(long addr, long n, long stride);	/* n times the byte 0x31 */
long on_load(long addr, long, long);		/* as load() */
long on_store(long addr, long byte, long);
long on_count(long addr, long len, long byte);	/* bytes that are not @byte */
long on_fork(long, long, long);			/* a child that waits; its pid */
long on_kill(long pid, long, long);		/* ... and its end */
long on_deny(long addr, long len, long);
long on_allow(long addr, long len, long);
long on_node(long addr, long, long);		/* node of a present page */
/* Becomes uid and gid for good, with one other group unless that is 0. */
long on_drop(long uid, long gid, long group);

/* For peer_call(): what an importer does with one import of its own. */
extern struct import mine;

long on_import(long id, long len, long rights_and_flags_shifted_8);
long on_win_load(long off, long, long);
long on_win_store(long off, long byte, long);
long on_valid(long, long, long);
long on_import_close(long, long, long);
long on_mine(long, long, long);			/* address of its window */
/* Exports all of the caller once more; its id. */
long on_export_all(long rights, long, long);

/* An ext4 on the RAM disk @dev, one a program. */
int fs_mount(const char *dev, const char *mnt);
int fs_umount(const char *mnt);
int fs_freeze(void);	/* after a sync */
int fs_thaw(void);

/*
 * A file of 4 MiB of 'F', below @mnt, from a server in user space that can be
 * told to answer no more. @async: readers do not wait with mmap_lock held.
 */
int fuse_start(const char *mnt, bool async);
void fuse_hold(bool hold);
int fuse_held(void);	/* pages that are waited for */
void fuse_die(void);	/* errors for who waits */
int fuse_stop(void);
long on_map_fuse(long addr, long len, long offset);	/* private */

/* System calls that need other headers, and /proc. */
int node_of(const void *addr);
int node_bind(void *addr, size_t len, int node);
int page_move(pid_t pid, long addr, size_t npages, int node);
int page_out(pid_t pid, long addr, size_t len);
/* Fields of /proc/PID/pagemap of one page. */
bool page_present(pid_t pid, long addr);
bool page_swapped(pid_t pid, long addr);
/* How many of @npages, at most 4096, are present, or swapped out. */
long pages_present(pid_t pid, long addr, size_t npages);
long pages_swapped(pid_t pid, long addr, size_t npages);
/* Frame number of a present page, 0 without one. */
unsigned long page_frame(pid_t pid, long addr);
long page_frames(pid_t pid, long addr, unsigned long *frame, size_t npages);

#endif
