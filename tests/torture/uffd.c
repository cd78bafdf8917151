/* SPDX-License-Identifier: BSD-3-Clause */
/* uffd.c - memory of an owner that has a user fault handler. */

#include <linux/userfaultfd.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "owner.h"
#include "stamp.h"

static bool uffd_begin(struct mutator *m, __u64 mode)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (__u64)(uintptr_t)range_at(m), range_len(m) },
		.mode = mode,
	};

	if (m->uffd < 0) {
		m->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
		must(m->uffd >= 0 && !ioctl(m->uffd, UFFDIO_API, &api),
		     "userfaultfd");
	}
	return must(!ioctl(m->uffd, UFFDIO_REGISTER, &reg), "UFFDIO_REGISTER");
}

static void uffd_end(struct mutator *m)
{
	struct uffdio_range range = { (__u64)(uintptr_t)range_at(m),
				      range_len(m) };

	must(!ioctl(m->uffd, UFFDIO_UNREGISTER, &range), "UFFDIO_UNREGISTER");
}

static void uffd_copy(struct mutator *m, long page)
{
	static __thread char buffer[PAGE] __attribute__((aligned(PAGE)));
	struct leaf *leaf = &world->leaf[page];
	struct uffdio_copy copy = {
		.dst = (__u64)(uintptr_t)page_at(page),
		.src = (__u64)(uintptr_t)buffer,
		.len = PAGE,
	};

	stamp_write((struct stamp *)buffer, leaf->number + world->life * PAGES,
		    leaf->high);
	must(!ioctl(m->uffd, UFFDIO_COPY, &copy), "UFFDIO_COPY");
	atomic_store(&leaf->zero, 0);
}

/* What is missing is nobody's to make but the handler's. */
void event_missing(struct mutator *m)
{
	long i;

	renew_begin(m);
	step_reach(m);
	if (!uffd_begin(m, UFFDIO_REGISTER_MODE_MISSING))
		return;
	happened(EV_MISSING);
	must(!madvise(range_at(m), range_len(m), MADV_DONTNEED), "DONTNEED");
	renew_retire(m);
	step_reach(m);
	linger();
	step_reach(m);
	for (i = 0; i < m->pages; i++)
		uffd_copy(m, m->first + i);
	uffd_end(m);
	step_reach(m);
}

/* Page by page: one call does not go beyond a mapping. */
static void uffd_protect(struct mutator *m, bool on)
{
	struct uffdio_writeprotect wp = {
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};
	long i;

	for (i = 0; i < m->pages; i++) {
		wp.range.start = (__u64)(uintptr_t)page_at(m->first + i);
		wp.range.len = PAGE;
		must(!ioctl(m->uffd, UFFDIO_WRITEPROTECT, &wp),
		     "UFFDIO_WRITEPROTECT");
	}
}

/*
 * Pages that are not present are refused because a handler could be waiting for
 * them, so nothing is promised to readers.
 */
void event_protected(struct mutator *m)
{
	check_slots(m);
	step_reach(m);
	step_seal(m);
	if (!uffd_begin(m, UFFDIO_REGISTER_MODE_WP))
		return;
	happened(EV_PROTECTED);
	uffd_protect(m, true);
	step_seal(m);
	check_still(m, range_at(m));
	step_seal(m);
	uffd_protect(m, false);
	uffd_end(m);
	step_seal(m);
	back_reach(m);
}
