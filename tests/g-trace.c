/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tracepoints: each is seen, with the fields of what happened. Written to an
 * instance of its own, so that nobody else's events are among them.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define DIR	"/sys/kernel/tracing/instances/g-trace"
#define LEN	(4 * MIB)

static struct owner o;
static struct import im;
static unsigned long ino;	/* by which events name @im */

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static int put(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), DIR "/%s", name);
	return file_write(path, text);
}

/*
 * The last event @name whose fields contain each word of @want in order; ""
 * without one. Valid until the next call.
 */
static const char *seen(const char *name, const char *want)
{
	static char found[512];
	char line[512], head[64], words[256], *text, *word, *rest;
	FILE *f = fopen(DIR "/trace", "r");
	bool all;

	found[0] = '\0';
	snprintf(head, sizeof(head), ": %s: ", name);
	while (f && fgets(line, sizeof(line), f)) {
		text = strstr(line, head);
		if (!text)
			continue;
		text += strlen(head) - 1;
		text[strcspn(text, "\n")] = ' ';
		snprintf(words, sizeof(words), "%s", want);
		for (all = true, rest = words; (word = strsep(&rest, "|"));)
			all = all && strstr(text, word);
		if (all)
			snprintf(found, sizeof(found), "%s", text);
	}
	if (f)
		fclose(f);
	return found;
}

/* check_seen(NAME, FORMAT...): the event with these fields was written */
#define check_seen(name, ...) do {					\
	char want_[256];						\
	snprintf(want_, sizeof(want_), __VA_ARGS__);			\
	if (!check(*seen(name, want_)))					\
		tap_diag("no %s with \"%s\"; last: %s", name, want_,	\
			 seen(name, ""));				\
} while (0)

#define check_unseen(name, ...) do {					\
	char want_[256];						\
	snprintf(want_, sizeof(want_), __VA_ARGS__);			\
	check_str(seen(name, want_), "");				\
} while (0)

/* The number that /proc/self/maps shows for a window. */
static unsigned long window_number(const void *win)
{
	char line[256], *name;
	unsigned long start, n = 0;
	FILE *f = fopen("/proc/self/maps", "r");

	while (f && fgets(line, sizeof(line), f)) {
		name = strstr(line, "xpmem_numa:[");
		if (name && sscanf(line, "%lx", &start) == 1 &&
		    start == (unsigned long)win)
			n = strtoul(name + strlen("xpmem_numa:["), NULL, 10);
	}
	if (f)
		fclose(f);
	return n;
}

static void begin(__u32 flags)
{
	check_int(put("trace", ""), ==, 0);
	check_int(put("events/xpmem_numa/enable", "1"), ==, 0);
	check_int(share_open(&o, &im, LEN, RW, RW, flags), ==, 0);
	check_int(on(on_fill, AREA, 2 * MIB, 0x31), ==, 0);
	ino = window_number(im.win);
	check_uint(ino, !=, 0);
}

static void end(void)
{
	share_close(&o, &im);
	check_int(put("events/xpmem_numa/enable", "0"), ==, 0);
}

static void test_life(void)
{
	struct xpmem_numa_export e;
	unsigned long number;
	int fd = dev_open();
	__u64 id;

	begin(POISON);
	id = o.id;
	number = ino;
	check_seen("export", " id=%016llx | start=0x0 | end=0x800000000000 "
		   "| rights=3 | mode=0600 ", id);
	check_seen("import", " import=%lu | id=%016llx | rights=3 | flags=0x1 ",
		   number, id);
	check_unseen("unimport", " import=%lu ", number);
	check_unseen("unexport", " id=%016llx ", id);
	end();
	check_seen("unimport", " import=%lu | id=%016llx ", number, id);
	check_seen("unexport", " id=%016llx | state=owner_gone ", id);

	check_int(put("events/xpmem_numa/enable", "1"), ==, 0);
	check_int(dev_export(fd, (void *)AREA, PAGE, RO, &e), ==, 0);
	check_int(dev_handle(fd, XPMEM_NUMA_UNEXPORT, e.handle), ==, 0);
	check_seen("export", " id=%016llx | start=0x%lx | end=0x%lx | rights=1 ",
		   e.id, AREA, AREA + PAGE);
	check_seen("unexport", " id=%016llx | state=revoked ", e.id);
	close(fd);
}

static void check_fault(size_t off, int write, const char *path)
{
	check_seen("fault", " import=%lu | address=0x%lx | va=0x%lx | write=%d "
		   "| upgrade=0 | prefault=0 | path=%s ", ino,
		   (unsigned long)im.win + off, AREA + off, write, path);
}

static void test_fault(void)
{
	begin(0);
	check_int(load(im.win + PAGE), ==, 0x31);
	check_fault(PAGE, 0, "fast");
	check_seen("insert", " import=%lu | start=0x%lx | end=0x%lx "
		   "| pages=512 | pmd=0 ", ino, AREA, AREA + 2 * MIB);
	check_unseen("fault", " path=slow ");
	/* what the owner has not touched comes by the slow path */
	check_int(store(im.win + 2 * MIB, 1), ==, 0);
	check_fault(2 * MIB, 1, "slow");
	check_fault(2 * MIB, 1, "carried");
	check_seen("insert", " import=%lu | start=0x%lx | pages=1 | pmd=0 ",
		   ino, AREA + 2 * MIB);
	end();
}

static void test_prefault(void)
{
	begin(0);
	check_int(dev_prefault(im.fd, im.handle, AREA, 2 * MIB, RO, 0), ==,
		  2 * MIB);
	check_seen("fault", " import=%lu | va=0x%lx | prefault=1 | path=fast ",
		   ino, AREA);
	end();
}

static long on_huge(long addr, long len, long c)
{
	return madvise((void *)addr, (size_t)len, MADV_HUGEPAGE) ? -errno :
		on_fill(addr, len, 0x32);
}

static void test_huge(void)
{
	begin(0);
	check_int(on(on_huge, AREA + 2 * MIB, 2 * MIB, 0), ==, 0);
	check_int(load(im.win + 2 * MIB + PAGE), ==, 0x32);
	check_fault(2 * MIB + PAGE, 0, "pmd");
	check_seen("insert", " import=%lu | start=0x%lx | end=0x%lx | pages=1 "
		   "| pmd=1 ", ino, AREA + 2 * MIB, AREA + 4 * MIB);
	end();
}

static void check_revoke(long va, size_t len, const char *event,
			 const char *what)
{
	check_seen("revoke", " id=%016llx | start=0x%lx | end=0x%lx | event=%s "
		   "| what=%s ", o.id, va, va + len, event, what);
}

static void test_revoke(void)
{
	begin(0);
	check_int(load(im.win), ==, 0x31);
	check_unseen("revoke", " id=%016llx | what=zapped ", o.id);
	check_int(on(on_advise, AREA + PAGE, PAGE, MADV_DONTNEED), ==, 0);
	check_revoke(AREA + PAGE, PAGE, "clear", "zapped");
	check_int(on(on_deny, AREA + 2 * PAGE, PAGE, 0), ==, 0);
	check_revoke(AREA + 2 * PAGE, PAGE, "deny", "zapped");
	check_int(on(on_protect, AREA, LEN, PROT_READ), ==, 0);
	check_revoke(AREA, 2 * MIB, "protect", "batch");
	check_int(on(on_unmap, AREA + 3 * PAGE, PAGE, 0), ==, 0);
	check_revoke(AREA + 3 * PAGE, PAGE, "unmap", "idle");
	check_int(load(im.win), ==, 0x31);
	end();
	check_revoke(AREA, 2 * MIB, "release", "later");
}

/*
 * A page of this process that nobody sees but itself, through a window that
 * lies in a granule of its own export.
 */
static void test_nested(void)
{
	char *seen_page = mmap((void *)(AREA + GIB), PAGE, RW,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			       -1, 0);
	char *near = mmap((void *)AREA, PAGE, RW,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			  -1, 0);
	struct xpmem_numa_export e;
	struct xpmem_numa_import i;
	int fd = dev_open();
	char *win;

	check_int(put("events/xpmem_numa/enable", "1"), ==, 0);
	check_int(dev_export(fd, NULL, 0, RW, &e), ==, 0);
	check_int(dev_import(fd, e.id, RW, 0, &i), ==, 0);
	win = dev_window(fd, i.handle, AREA, PAGE, PROT_READ);
	check_int(store(near, 1), ==, 0);
	check_int(load(win), ==, 1);
	munmap(win, PAGE);
	win = mmap(near + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE,
		   fd, (off_t)XPMEM_NUMA_OFFSET(i.handle, AREA + GIB));
	check(win == near + PAGE);
	check_int(store(seen_page, 2), ==, 0);
	check_int(load(win), ==, 2);
	check_int(madvise(seen_page, PAGE, MADV_DONTNEED), ==, 0);
	check_seen("revoke", " id=%016llx | start=0x%lx | event=clear "
		   "| what=zapped ", e.id, AREA + GIB);
	check_seen("revoke", " id=%016llx | start=0x%lx | what=nested ", e.id,
		   AREA + PAGE);
	munmap(near, 2 * PAGE);
	munmap(seen_page, PAGE);
	close(fd);
	check_int(put("events/xpmem_numa/enable", "0"), ==, 0);
}

static void test_poison(void)
{
	begin(POISON);
	check_int(on(on_unmap, AREA + PAGE, PAGE, 0), ==, 0);
	check_int(load(im.win + PAGE), ==, 0);
	check_seen("poison", " import=%lu | va=0x%lx | write=0 | sigbus=0 "
		   "| reason=hole ", ino, AREA + PAGE);
	check_fault(PAGE, 0, "poison");
	check_int(on(on_protect, AREA, PAGE, PROT_READ), ==, 0);
	check_int(store(im.win, 1), ==, 0);
	check_seen("poison", " import=%lu | va=0x%lx | write=1 | sigbus=0 "
		   "| reason=read_only ", ino, AREA);
	end();

	begin(0);
	check_int(on(on_deny, AREA, PAGE, 0), ==, 0);
	check_int(load(im.win), ==, -SIGBUS);
	check_seen("poison", " import=%lu | va=0x%lx | write=0 | sigbus=1 "
		   "| reason=denied ", ino, AREA);
	end();
}

static void test_off(void)
{
	begin(0);
	check_int(put("events/xpmem_numa/enable", "0"), ==, 0);
	check_int(put("trace", ""), ==, 0);
	check_int(load(im.win), ==, 0x31);
	check_int(on(on_unmap, AREA, PAGE, 0), ==, 0);
	check_str(seen("fault", ""), "");
	check_str(seen("insert", ""), "");
	check_str(seen("revoke", ""), "");
	end();
}

int main(void)
{
	guest_begin();
	if (access("/sys/kernel/tracing/events/xpmem_numa", X_OK))
		skip_all("this kernel has no tracepoints");
	if (mkdir(DIR, 0700) && errno != EEXIST)
		skip_all("no instance of tracing: %s", strerror(errno));
	TEST(test_life(), "export, import and their ends are traced");
	TEST(test_fault(), "a fault tells address, access and path");
	TEST(test_prefault(), "PREFAULT's faults say so");
	TEST(test_huge(), "a huge page is one insertion");
	TEST(test_revoke(), "a revocation tells range, event and effect");
	TEST(test_nested(), "... and that it came from our own zapping");
	TEST(test_poison(), "poison and SIGBUS tell the reason");
	TEST(test_off(), "what is off writes nothing");
	rmdir(DIR);
	return tap_done();
}
