/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the kernel's that an unprivileged user takes is charged to him: in
 * a control group with little memory he is refused or killed before he has
 * more, and the rest of the machine does not notice. Likewise other limits that
 * he may have.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "guest.h"
#include "tap.h"

#define GROUP	"/sys/fs/cgroup/g-memcg"
#define MAX	(4 * MIB)
#define ALICE	1001
#define LIMIT	60000		/* ms */

static struct owner o;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static int group_make(void)
{
	char text[32];

	file_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		return -errno;
	file_write(GROUP "/memory.swap.max", "0");
	snprintf(text, sizeof(text), "%lu", MAX);
	return file_write(GROUP "/memory.max", text);
}

static long on_join(long uid, long b, long c)
{
	int ret = file_write(GROUP "/cgroup.procs", "0");

	return ret ? ret : on_drop(uid, uid, 0);
}

static long mem_available(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[100];
	long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib << 10;
}

/* Each until it is refused; how many it got is in shared memory. */
static volatile long *got;

static long on_imports(long id, long flags, long c)
{
	struct xpmem_numa_import i;
	int ret = 0;

	own_fd = dev_open();
	for (*got = 0; !ret && *got < 30000; ++*got)
		ret = dev_import(own_fd, (__u64)id, RW, (__u32)flags, &i);
	return ret;
}

static long on_exports(long a, long b, long c)
{
	struct xpmem_numa_export e;
	int ret = 0;

	own_fd = dev_open();
	for (*got = 0; !ret && *got < 30000; ++*got)
		ret = dev_export(own_fd, NULL, 0, RW, &e);
	return ret;
}

static long on_files(long a, long b, long c)
{
	struct rlimit lim = { 60000, 60000 };
	int fd = 0;

	if (setrlimit(RLIMIT_NOFILE, &lim))
		return -errno;
	for (*got = 0; fd >= 0 && *got < 59000; ++*got)
		fd = dev_open();
	return fd < 0 ? fd : 0;
}

/*
 * The owner is somebody outside of the group. The windows go at once, and with
 * them the page tables; the granules stay.
 */
static long on_granules(long id, long b, long c)
{
	const size_t step = 256 * 2 * MIB;
	long va = AREA, done = (long)step;
	void *win;

	if (import_open(&mine, (__u64)id, 0, RW, 0))
		return -EIO;
	for (*got = 0; done == (long)step && *got < 1000000; *got += 256) {
		win = dev_window(mine.fd, mine.handle, va, step, PROT_READ);
		if (win == MAP_FAILED)
			return -errno;
		done = dev_prefault(mine.fd, mine.handle, va, step, RO, 0);
		munmap(win, step);
		va += (long)step;
	}
	return done == (long)step ? 0 : done < 0 ? done : -ENOMEM;
}

static long on_reserve(long len, long b, long c)
{
	void *p = mmap((void *)AREA, (size_t)len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			       MAP_FIXED_NOREPLACE, -1, 0);

	return p == MAP_FAILED ? -errno : on_export_all(RW, 0, 0);
}

/* @fn stops by itself or is killed, and had no more than @most. */
static void test_charge(peer_fn fn, long flags, long least, long most)
{
	long before, ret;
	struct peer p;

	check_int(peer_start(&o.peer), ==, 0);
	check_int(on(on_drop, ALICE, ALICE, 0), ==, 0);
	o.id = (__u64)on(on_reserve, 4 * TIB, 0, 0);
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_join, ALICE, 0, 0), ==, 0);
	before = mem_available();
	check_int(peer_begin(&p, fn, (long)o.id, flags, 0), ==, 0);
	check(peer_answers(&p, LIMIT));
	ret = peer_end(&p);
	tap_diag("got %ld, then %ld", *got, ret);
	check(ret == -ENOMEM || ret == -EPIPE);
	check_int(*got, >=, least);
	check_int(*got, <=, most);
	check_int(mem_available(), >, before - (long)(MAX + 64 * MIB));
	peer_kill(&p, SIGKILL);
	/* others go on */
	check_int(on(on_store, AREA, 1, 0), ==, 0);
	owner_stop(&o);
	check(stat_settles("imports", 0));
	check(stat_settles("exports", 0));
	check(stat_settles("granules", 0));
	check(stat_settles("metadata", 0));
}

/* ---- other limits ---- */

/* Imports take no descriptors, so that a low limit does not stop them. */
static long on_few_files(long id, long b, long c)
{
	struct xpmem_numa_import i;
	struct rlimit lim = { 8, 8 };
	int n, ret = 0, fd = dev_open();

	if (setrlimit(RLIMIT_NOFILE, &lim))
		return -errno;
	for (n = 0; n < 100 && !ret; n++)
		ret = dev_import(fd, (__u64)id, RW, 0, &i);
	if (ret)
		return ret;
	while (fd >= 0)
		fd = dev_open();
	return fd;
}

static void test_files(void)
{
	struct peer p;

	check_int(owner_start(&o, PAGE, RW), ==, 0);
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_few_files, (long)o.id, 0, 0), ==, -EMFILE);
	peer_stop(&p);
	owner_stop(&o);
}

/* mlockall() of the future counts address space; windows hold no page. */
static long on_locked(long id, long b, long c)
{
	struct rlimit lim = { 8 * MIB, 8 * MIB };
	void *win;

	if (import_open(&mine, (__u64)id, 0, RW, 0) ||
	    setrlimit(RLIMIT_MEMLOCK, &lim) || on_drop(ALICE, ALICE, 0) ||
	    mlockall(MCL_FUTURE))
		return -errno;
	win = dev_window(mine.fd, mine.handle, AREA, GIB, PROT_READ);
	if (win != MAP_FAILED || errno != EAGAIN)
		return -EXDEV;
	win = dev_window(mine.fd, mine.handle, AREA, PAGE, PROT_READ);
	return win == MAP_FAILED ? -errno : load(win);
}

static void test_locked(void)
{
	struct peer p;

	check_int(owner_start(&o, PAGE, RW), ==, 0);
	check_int(on(on_fill, AREA, PAGE, 0x31), ==, 0);
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_locked, (long)o.id, 0, 0), ==, 0x31);
	peer_stop(&p);
	owner_stop(&o);
}

/* The pages that an importer is first to touch are the owner's to pay for. */
static void test_owner_pays(void)
{
	struct import im;
	size_t off;
	int ret = 0;

	check_int(peer_start(&o.peer), ==, 0);
	check_int(on(on_join, ALICE, 0, 0), ==, 0);
	check_int(on(on_map, AREA, 64 * MIB, 0), ==, 0);
	o.id = (__u64)on(on_export_all, RW, 0, 0);
	check_int(import_open(&im, o.id, 64 * MIB, RW, 0), ==, 0);
	for (off = 0; off < 64 * MIB && !ret; off += PAGE)
		ret = store(im.win + off, 1);
	tap_diag("%zu MiB, then %d", off / MIB, ret);
	check_int(ret, ==, -SIGBUS);
	check_uint(off, >=, MIB);
	check_uint(off, <=, MAX);
	import_close(&im);
	peer_kill(&o.peer, SIGKILL);
	check(stat_settles("exports", 0));
}

int main(void)
{
	guest_begin();
	if (group_make())
		skip_all("no memory control group");
	got = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST(test_charge(on_imports, 0, 100, MAX / PAGE),
	     "imports are charged to who makes them");
	TEST(test_charge(on_imports, POISON, 100, MAX / PAGE / 2),
	     "... with their scratch pages");
	TEST(test_charge(on_exports, 0, 100, MAX / PAGE),
	     "exports are charged to who makes them");
	TEST(test_charge(on_files, 0, 1000, 59000 - 1),
	     "open files are charged to who opens them");
	TEST(test_charge(on_granules, 0, 1000, MAX / 136),
	     "granules are charged to who needs them");
	TEST(test_files(), "imports need no descriptors, opens do");
	TEST(test_locked(), "RLIMIT_MEMLOCK stops a large window, no page");
	TEST(test_owner_pays(), "I9: pages first touched are charged to the owner");
	rmdir(GROUP);
	return tap_done();
}
