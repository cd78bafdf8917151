// SPDX-License-Identifier: GPL-2.0-only
/*
 * I11: in an import with POISON an access that cannot be satisfied finds zeros
 * or the import's scratch page, after the status page has said so.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include "granule.h"
#include "mutate.h"
#include "trace.h"
#include "window.h"
#include "zap.h"

/* What reads find. Not the kernel's zero page: that one is also an owner's. */
static struct page *poison_zeros;

int xnuma_poison_init(void)
{
	poison_zeros = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return poison_zeros ? 0 : -ENOMEM;
}

void xnuma_poison_exit(void)
{
	__free_page(poison_zeros);
}

/* For RESET, which must not cost the good entries of other granules. */
static void remember(struct xnuma_import *imp, unsigned long granule)
{
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, imp->poisons, XNUMA_POISONS); i++)
		if (imp->poison[i] == granule)
			return;
	if (imp->poisons < XNUMA_POISONS)
		imp->poison[imp->poisons] = granule;
	if (imp->poisons <= XNUMA_POISONS)
		imp->poisons++;
}

static vm_fault_t insert(struct xnuma_fault *f)
{
	unsigned long addr = f->vmf->address & PAGE_MASK;
	vm_flags_t flags = f->vma->vm_flags;
	struct page *page = f->write ? f->imp->scratch : poison_zeros;
	struct xnuma_zap zap;

	if (!f->write)
		flags &= ~VM_WRITE;
	if (f->upgrade) {
		xnuma_zap_begin(&zap);
		lockdep_off();
		compat_zap_window(f->vma, addr, PAGE_SIZE);
		lockdep_on();
		xnuma_zap_end(&zap);
	}
	/* A huge entry came meanwhile: look again. Else the table stays. */
	if (!xnuma_insert_table(f->vmf))
		return VM_FAULT_NOPAGE;
	return vmf_insert_pfn_prot(f->vma, addr, page_to_pfn(page),
				   vm_get_page_prot(flags));
}

/*
 * Bump and insertion are one step for RESET: otherwise it would take the bump
 * for one whose page it has zapped. RESET zaps under the nesting mark, so that
 * it takes no other lock below poison_lock.
 */
static vm_fault_t poison(struct xnuma_fault *f, int reason)
{
	struct xpmem_numa_import_status *st = xnuma_import_status(f->imp);
	vm_fault_t ret;

	mutex_lock(&f->imp->poison_lock);
	WRITE_ONCE(st->reason, reason);
	if (!xnuma_mutated(POISON))	/* user space acquires: the reason is there */
		smp_store_release(&st->poisoned, st->poisoned + 1);
	smp_mb();	/* the counter before the page, for readers elsewhere */
	remember(f->imp, f->va & XNUMA_GRANULE_MASK);
	ret = insert(f);
	mutex_unlock(&f->imp->poison_lock);
	xnuma_count_in(&f->imp->stats, poisoned);
	return ret;
}

/*
 * Whoever ends the export tells its importers one after the other, and nobody
 * has begun to where the last hold on the mm was a fault's, which leaves its end
 * to a worker. An import whose access fails learns of it before that.
 */
static void tell_gone(struct xnuma_import *imp)
{
	u32 *told = &xnuma_import_status(imp)->state;
	u32 state = xnuma_export_state(imp->exp);

	if (state == XPMEM_NUMA_ACTIVE)
		state = XPMEM_NUMA_OWNER_GONE;
	cmpxchg(told, XPMEM_NUMA_ACTIVE, state);
}

vm_fault_t xnuma_poison(struct xnuma_fault *f, int reason)
{
	if (reason == XPMEM_NUMA_REASON_GONE)
		tell_gone(f->imp);
	if (reason == XPMEM_NUMA_REASON_DENIED)
		xnuma_count_in(&f->imp->stats, denied);
	if (f->prefault) {
		xnuma_count_in(&f->imp->stats, missed);
		return VM_FAULT_SIGBUS;
	}
	if (!(f->imp->flags & XPMEM_NUMA_IMPORT_POISON)) {
		xnuma_count_in(&f->imp->stats, sigbus);
		trace_poison(f, reason, true);
		return VM_FAULT_SIGBUS;
	}
	trace_poison(f, reason, false);
	return poison(f, reason);
}

static void unpoison(struct xnuma_import *imp, unsigned long start,
		     unsigned long end)
{
	unsigned int i;

	if (imp->poisons > XNUMA_POISONS) {
		xnuma_import_zap(imp, start, end);
		return;
	}
	for (i = 0; i < imp->poisons; i++) {
		unsigned long low = max(start, imp->poison[i]);
		unsigned long high = min(end, imp->poison[i] +
					 XNUMA_GRANULE_SIZE);

		if (low < high)
			xnuma_import_zap(imp, low, high);
	}
}

/* @len 0: all of it; only that says that no poison is left. */
int xnuma_reset(struct xnuma_import *imp, unsigned long va, unsigned long len)
{
	struct xpmem_numa_import_status *st = xnuma_import_status(imp);
	u64 poisoned;

	mutex_lock(&imp->poison_lock);
	poisoned = st->poisoned;
	if (xnuma_mutated(CLEARED)) {
		WRITE_ONCE(st->cleared, poisoned);
		usleep_range(100, 300);	/* let somebody look */
	}
	if (len) {
		unpoison(imp, va, va + len);
	} else {
		unpoison(imp, 0, XPMEM_NUMA_VA_LIMIT);
		imp->poisons = 0;
		/* user space acquires: the pages are gone */
		smp_store_release(&st->cleared, poisoned);
	}
	mutex_unlock(&imp->poison_lock);
	xnuma_count_in(&imp->stats, resets);
	return 0;
}
