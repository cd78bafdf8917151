/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, below /sys/kernel/tracing/events/xpmem_numa. An import is named
 * by the number of its inode, which /proc/PID/maps shows for its windows; an
 * export by its id. Arguments are pointers: what is off must not load them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xpmem_numa

#if !defined(XNUMA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define XNUMA_TRACE_H

#include <linux/mmu_notifier.h>
#include <linux/tracepoint.h>
#include "granule.h"
#include "window.h"

#ifndef XNUMA_TRACE_ONCE
#define XNUMA_TRACE_ONCE
/* What an invalidation came to in a granule. */
enum xnuma_revoked {
	XNUMA_REVOKED_ZAPPED,
	XNUMA_REVOKED_IDLE,	/* nothing was mapped */
	XNUMA_REVOKED_NESTED,	/* the range lies in a window */
	XNUMA_REVOKED_REFUSED,	/* it could not block */
	XNUMA_REVOKED_LATER,	/* the end of the mm, which zaps all at once */
	XNUMA_REVOKED_BATCH,	/* zapped with the granules behind it */
	XNUMA_REVOKED_WAITED,	/* for such a batch */
};

/* Beside the kernel's events; far from them. */
enum { XNUMA_EVENT_DENY = 100 };
#endif

TRACE_DEFINE_ENUM(MMU_NOTIFY_UNMAP);
TRACE_DEFINE_ENUM(MMU_NOTIFY_CLEAR);
TRACE_DEFINE_ENUM(MMU_NOTIFY_PROTECTION_VMA);
TRACE_DEFINE_ENUM(MMU_NOTIFY_PROTECTION_PAGE);
TRACE_DEFINE_ENUM(MMU_NOTIFY_SOFT_DIRTY);
TRACE_DEFINE_ENUM(MMU_NOTIFY_RELEASE);
TRACE_DEFINE_ENUM(MMU_NOTIFY_MIGRATE);
TRACE_DEFINE_ENUM(XNUMA_EVENT_DENY);
TRACE_DEFINE_ENUM(XNUMA_REVOKED_ZAPPED);
TRACE_DEFINE_ENUM(XNUMA_REVOKED_IDLE);
TRACE_DEFINE_ENUM(XNUMA_REVOKED_NESTED);
TRACE_DEFINE_ENUM(XNUMA_REVOKED_REFUSED);
TRACE_DEFINE_ENUM(XNUMA_REVOKED_LATER);
TRACE_DEFINE_ENUM(XNUMA_REVOKED_BATCH);
TRACE_DEFINE_ENUM(XNUMA_REVOKED_WAITED);
TRACE_DEFINE_ENUM(XNUMA_PATH_FAST);
TRACE_DEFINE_ENUM(XNUMA_PATH_PMD);
TRACE_DEFINE_ENUM(XNUMA_PATH_CARRIED);
TRACE_DEFINE_ENUM(XNUMA_PATH_SLOW);
TRACE_DEFINE_ENUM(XNUMA_PATH_POISON);

#define xnuma_show_event(event) __print_symbolic(event,			\
	{ MMU_NOTIFY_UNMAP,		"unmap" },			\
	{ MMU_NOTIFY_CLEAR,		"clear" },			\
	{ MMU_NOTIFY_PROTECTION_VMA,	"protect" },			\
	{ MMU_NOTIFY_PROTECTION_PAGE,	"protect_page" },		\
	{ MMU_NOTIFY_SOFT_DIRTY,	"soft_dirty" },			\
	{ MMU_NOTIFY_RELEASE,		"release" },			\
	{ MMU_NOTIFY_MIGRATE,		"migrate" },			\
	{ XNUMA_EVENT_DENY,		"deny" })

#define xnuma_show_revoked(what) __print_symbolic(what,			\
	{ XNUMA_REVOKED_ZAPPED,		"zapped" },			\
	{ XNUMA_REVOKED_IDLE,		"idle" },			\
	{ XNUMA_REVOKED_NESTED,		"nested" },			\
	{ XNUMA_REVOKED_REFUSED,	"refused" },			\
	{ XNUMA_REVOKED_LATER,		"later" },			\
	{ XNUMA_REVOKED_BATCH,		"batch" },			\
	{ XNUMA_REVOKED_WAITED,		"waited" })

#define xnuma_show_path(path) __print_symbolic(path,			\
	{ XNUMA_PATH_FAST,		"fast" },			\
	{ XNUMA_PATH_PMD,		"pmd" },			\
	{ XNUMA_PATH_CARRIED,		"carried" },			\
	{ XNUMA_PATH_SLOW,		"slow" },			\
	{ XNUMA_PATH_POISON,		"poison" })

#define xnuma_show_state(state) __print_symbolic(state,			\
	{ XPMEM_NUMA_ACTIVE,		"active" },			\
	{ XPMEM_NUMA_OWNER_GONE,	"owner_gone" },			\
	{ XPMEM_NUMA_REVOKED,		"revoked" },			\
	{ XPMEM_NUMA_PARTITION_LOST,	"partition_lost" })

#define xnuma_show_reason(reason) __print_symbolic(reason,		\
	{ XPMEM_NUMA_REASON_HOLE,	"hole" },			\
	{ XPMEM_NUMA_REASON_READ_ONLY,	"read_only" },			\
	{ XPMEM_NUMA_REASON_DENIED,	"denied" },			\
	{ XPMEM_NUMA_REASON_GONE,	"gone" },			\
	{ XPMEM_NUMA_REASON_KIND,	"kind" },			\
	{ XPMEM_NUMA_REASON_HWPOISON,	"hwpoison" },			\
	{ XPMEM_NUMA_REASON_NOMEM,	"nomem" },			\
	{ XPMEM_NUMA_REASON_FAULT,	"fault" })

TRACE_EVENT(export,
	TP_PROTO(struct xnuma_export *exp),
	TP_ARGS(exp),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(u32, rights)
		__field(u32, mode)
	),
	TP_fast_assign(
		__entry->id = exp->id;
		__entry->start = exp->start;
		__entry->end = exp->end;
		__entry->rights = exp->rights;
		__entry->mode = exp->mode;
	),
	TP_printk("id=%016llx start=0x%lx end=0x%lx rights=%u mode=0%o",
		  __entry->id, __entry->start, __entry->end, __entry->rights,
		  __entry->mode)
);

TRACE_EVENT(unexport,
	TP_PROTO(struct xnuma_export *exp, u32 state),
	TP_ARGS(exp, state),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, state)
	),
	TP_fast_assign(
		__entry->id = exp->id;
		__entry->state = state;
	),
	TP_printk("id=%016llx state=%s", __entry->id,
		  xnuma_show_state(__entry->state))
);

TRACE_EVENT(import,
	TP_PROTO(struct xnuma_import *imp),
	TP_ARGS(imp),
	TP_STRUCT__entry(
		__field(unsigned long, import)
		__field(u64, id)
		__field(u32, rights)
		__field(u32, flags)
	),
	TP_fast_assign(
		__entry->import = imp->inode->i_ino;
		__entry->id = imp->exp->id;
		__entry->rights = imp->rights;
		__entry->flags = imp->flags;
	),
	TP_printk("import=%lu id=%016llx rights=%u flags=0x%x", __entry->import,
		  __entry->id, __entry->rights, __entry->flags)
);

TRACE_EVENT(unimport,
	TP_PROTO(struct xnuma_import *imp),
	TP_ARGS(imp),
	TP_STRUCT__entry(
		__field(unsigned long, import)
		__field(u64, id)
	),
	TP_fast_assign(
		__entry->import = imp->inode->i_ino;
		__entry->id = imp->exp->id;
	),
	TP_printk("import=%lu id=%016llx", __entry->import, __entry->id)
);

TRACE_EVENT(fault,
	TP_PROTO(struct xnuma_fault *f),
	TP_ARGS(f),
	TP_STRUCT__entry(
		__field(unsigned long, import)
		__field(unsigned long, address)
		__field(unsigned long, va)
		__field(bool, write)
		__field(bool, upgrade)
		__field(bool, prefault)
		__field(u8, path)
	),
	TP_fast_assign(
		__entry->import = f->imp->inode->i_ino;
		__entry->address = f->vmf->address;
		__entry->va = f->va;
		__entry->write = f->write;
		__entry->upgrade = f->upgrade;
		__entry->prefault = f->prefault != NULL;
		__entry->path = f->path;
	),
	TP_printk("import=%lu address=0x%lx va=0x%lx write=%d upgrade=%d prefault=%d path=%s",
		  __entry->import, __entry->address, __entry->va,
		  __entry->write, __entry->upgrade, __entry->prefault,
		  xnuma_show_path(__entry->path))
);

TRACE_EVENT(insert,
	TP_PROTO(struct xnuma_fault *f, unsigned long start, unsigned long end,
		 unsigned long pages, bool pmd),
	TP_ARGS(f, start, end, pages, pmd),
	TP_STRUCT__entry(
		__field(unsigned long, import)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(unsigned long, pages)
		__field(bool, pmd)
	),
	TP_fast_assign(
		__entry->import = f->imp->inode->i_ino;
		__entry->start = start;
		__entry->end = end;
		__entry->pages = pages;
		__entry->pmd = pmd;
	),
	TP_printk("import=%lu start=0x%lx end=0x%lx pages=%lu pmd=%d",
		  __entry->import, __entry->start, __entry->end,
		  __entry->pages, __entry->pmd)
);

TRACE_EVENT(revoke,
	TP_PROTO(struct xnuma_granule *g, unsigned long start,
		 unsigned long end, int event, enum xnuma_revoked what),
	TP_ARGS(g, start, end, event, what),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(u8, event)
		__field(u8, what)
	),
	TP_fast_assign(
		__entry->id = g->exp->id;
		__entry->start = max(start, g->mni.interval_tree.start);
		__entry->end = min(end, g->mni.interval_tree.last + 1);
		__entry->event = event;
		__entry->what = what;
	),
	TP_printk("id=%016llx start=0x%lx end=0x%lx event=%s what=%s",
		  __entry->id, __entry->start, __entry->end,
		  xnuma_show_event(__entry->event),
		  xnuma_show_revoked(__entry->what))
);

TRACE_EVENT(poison,
	TP_PROTO(struct xnuma_fault *f, int reason, bool sigbus),
	TP_ARGS(f, reason, sigbus),
	TP_STRUCT__entry(
		__field(unsigned long, import)
		__field(unsigned long, va)
		__field(bool, write)
		__field(bool, sigbus)
		__field(u8, reason)
	),
	TP_fast_assign(
		__entry->import = f->imp->inode->i_ino;
		__entry->va = f->va;
		__entry->write = f->write;
		__entry->sigbus = sigbus;
		__entry->reason = reason;
	),
	TP_printk("import=%lu va=0x%lx write=%d sigbus=%d reason=%s",
		  __entry->import, __entry->va, __entry->write,
		  __entry->sigbus, xnuma_show_reason(__entry->reason))
);

#endif /* XNUMA_TRACE_H */

/* Kbuild adds this folder to where trace.c looks. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
