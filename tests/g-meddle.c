/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything else that a system call can do to a mapping, done to a window: it
 * works or is refused, the window shows the owner's memory as before, the
 * owner's pages are where they were, and nothing stays behind (I7).
 */

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	16
#define LEN	(NPAGES * PAGE)
#define MAGIC	"xpmem_numa-core-test"

static struct owner o;
static struct import im;
static unsigned long frame;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)

static void begin(void)
{
	int i;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	for (i = 0; i < NPAGES; i++)
		check_int(load(page(i)), ==, 0x31);
	frame = page_frame(o.peer.pid, AREA);
}

/* As if nothing had been tried. */
static void check_same(void)
{
	check_int(load(page(0)), ==, 0x31);
	check_int(store(page(1), 0x32), ==, 0);
	check_int(on(on_load, AREA + PAGE, 0, 0), ==, 0x32);
	check_int(on(on_load, AREA, 0, 0), ==, 0x31);
	check_uint(page_frame(o.peer.pid, AREA), ==, frame);
}

static void end(void)
{
	check_same();
	share_close(&o, &im);
	check(stat_settles("windows", 0));
	check(stat_settles("imports", 0));
}

/* All advice there is; some of it would free, poison or move the pages. */
static void test_advice(void)
{
	int advice, done = 0, whole = 0;

	begin();
	for (advice = 0; advice < 128; advice++) {
		done += !madvise(page(0), PAGE, advice);
		check_int(load(page(0)), ==, 0x31);
		whole += !madvise(im.win, LEN, advice);
		check_int(load(page(2)), ==, 0x31);
	}
	check_int(done, >, 0);
	check_int(madvise(im.win, LEN, MADV_DONTNEED), ==, -1);
	check_int(madvise(im.win, LEN, MADV_REMOVE), ==, -1);
	check_int(madvise(im.win, LEN, MADV_HWPOISON), ==, -1);
	check_int(madvise(im.win, LEN, MADV_SOFT_OFFLINE), ==, -1);
	check_int(madvise(im.win, LEN, MADV_COLLAPSE), ==, -1);
	end();
}

static void test_lock(void)
{
	begin();
	check_int(mlock(im.win, LEN), ==, 0);
	check_int(on(on_advise, AREA + 4 * PAGE, PAGE, MADV_DONTNEED), ==, 0);
	check_int(load(page(4)), ==, 0);
	check_int(munlock(im.win, LEN), ==, 0);
	check_int(mlockall(MCL_CURRENT), ==, 0);
	check_int(munlockall(), ==, 0);
	check_int(mlock((void *)im.st, 2 * PAGE), ==, 0);
	check_int(munlock((void *)im.st, 2 * PAGE), ==, 0);
	check_int(on(on_fill, AREA + 4 * PAGE, PAGE, 0x31), ==, 0);
	end();
}

/* The pages are the owner's to place. */
static void test_place(void)
{
	int before;

	begin();
	before = (int)on(on_node, AREA, 0, 0);
	node_bind(im.win, LEN, !before);
	node_bind(page(3), PAGE, !before);
	check_int(node_of(im.win), <, 0);
	check_int(page_move(0, (long)im.win, NPAGES, !before), <=, 0);
	check_int((int)on(on_node, AREA, 0, 0), ==, before);
	end();
}

static void test_other_offset(void)
{
	struct import ro;

	begin();
	check_int(import_open(&ro, o.id, LEN, RO, 0), ==, 0);
	check_int(load(ro.win), ==, 0x31);
	/* another offset of the window's file, past what mmap() would check */
	check_int((int)syscall(SYS_remap_file_pages, im.win, PAGE, 0,
			       XPMEM_NUMA_OFFSET(im.handle, AREA) / PAGE, 0),
		  ==, -1);
	check_int((int)syscall(SYS_remap_file_pages, ro.win, PAGE, 0, 0, 0), ==,
		  -1);
	check_int(load(ro.win), ==, 0x31);
	check_int(import_close(&ro), ==, 0);
	end();
}

static void test_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (__u64)(uintptr_t)im.win, .len = LEN } };
	int fd, mode;

	begin();
	fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	check_int(fd, >=, 0);
	check_int(ioctl(fd, UFFDIO_API, &api), ==, 0);
	for (mode = 1; mode < 8; mode++) {
		reg.range.start = (__u64)(uintptr_t)im.win;
		reg.mode = (__u64)mode;
		check_int(ioctl(fd, UFFDIO_REGISTER, &reg), ==, -1);
	}
	close(fd);
	end();
}

/* A third process, told what the second may see, asks the second's memory. */
static void test_copy(void)
{
	char buf[8] = "XXXXXXX", path[40];
	struct iovec mine_iov = { buf, 8 }, his = { im.win, 8 };
	pid_t pid;
	int fd;

	begin();
	his.iov_base = im.win;
	pid = getpid();
	check_int(process_vm_readv(pid, &mine_iov, 1, &his, 1, 0), ==, -1);
	check_int(process_vm_writev(pid, &mine_iov, 1, &his, 1, 0), ==, -1);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	check_int(fd, >=, 0);
	check_int(pread(fd, buf, 8, (off_t)(uintptr_t)im.win), ==, -1);
	check_int(pwrite(fd, buf, 8, (off_t)(uintptr_t)im.win), ==, -1);
	close(fd);
	end();
}

static void test_debugger(void)
{
	int status;
	struct peer p;
	long win;

	begin();
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_import, (long)o.id, LEN, RW), ==, 0);
	check_int(peer_call(&p, on_win_load, 0, 0, 0), ==, 0x31);
	win = peer_call(&p, on_mine, 0, 0, 0);
	check_int(ptrace(PTRACE_ATTACH, p.pid, 0, 0), ==, 0);
	check_int(waitpid(p.pid, &status, 0), ==, p.pid);
	errno = 0;
	check_int(ptrace(PTRACE_PEEKDATA, p.pid, win, 0), ==, -1);
	check_int(errno, !=, 0);
	check_int(ptrace(PTRACE_POKEDATA, p.pid, win, 0x5858585858585858), ==,
		  -1);
	check_int(ptrace(PTRACE_POKETEXT, p.pid, win, 0x5858585858585858), ==,
		  -1);
	/* the owner does not wait for a stopped importer */
	check_int(on(on_advise, AREA + 4 * PAGE, PAGE, MADV_DONTNEED), ==, 0);
	check_int(on(on_fill, AREA + 4 * PAGE, PAGE, 0x31), ==, 0);
	check_int(ptrace(PTRACE_DETACH, p.pid, 0, 0), ==, 0);
	check_int(peer_call(&p, on_win_load, 4 * PAGE, 0, 0), ==, 0x31);
	peer_stop(&p);
	end();
}

/* ---- core dump ---- */

static bool file_has(const char *path, const char *text, size_t len)
{
	size_t size, n = 0;
	FILE *f = fopen(path, "r");
	bool found = false;
	char *all;

	if (!f)
		return false;
	all = malloc(64 * MIB);
	size = fread(all, 1, 64 * MIB, f);
	fclose(f);
	for (; n + len <= size && !found; n++)
		found = !memcmp(all + n, text, len);
	free(all);
	return found;
}

static long on_write_text(long at, long b, long c)
{
	strcpy((char *)at, MAGIC);
	/* only the owner's memory has it in full */
	((char *)at)[0] = 'X';
	return 0;
}

static volatile char core_in_heap[] = "heap-of-the-dumped-process";

static void dump_main(void)
{
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };
	struct import i;

	setrlimit(RLIMIT_CORE, &lim);
	if (chdir("/tmp") || import_open(&i, o.id, LEN, RW, 0) ||
	    load(i.win) != 'X')
		_exit(1);
	core_in_heap[0] = 'H';
	if (dev_window(i.fd, i.handle, AREA, 64 * GIB, PROT_READ) == MAP_FAILED)
		_exit(2);
	abort();
}

static void test_core(void)
{
	static const char want[] = "Xpmem_numa-core-test";
	char *path = "/tmp/core";
	struct stat st = { 0 };
	int status;
	pid_t pid;

	begin();
	check_int(on(on_write_text, AREA, 0, 0), ==, 0);
	unlink(path);
	pid = fork();
	if (!pid)
		dump_main();
	check_int(waitpid(pid, &status, 0), ==, pid);
	check(WIFSIGNALED(status));
	check_int(WTERMSIG(status), ==, SIGABRT);
	check(WCOREDUMP(status));
	check_int(stat(path, &st), ==, 0);
	check_int(st.st_size, >, 4096);
	check_int(st.st_size, <, 64L << 20);
	check(file_has(path, "Heap-of-the-dumped-process", 20));
	check(!file_has(path, want, sizeof(want) - 1));
	unlink(path);
	check_int(on(on_store, AREA, 0x31, 0), ==, 0);
	end();
}

int main(void)
{
	guest_begin();
	TEST(test_advice(), "I7: no advice to madvise harms owner or window");
	TEST(test_lock(), "I7: a locked window is revoked like any other");
	TEST(test_place(), "I7: an importer does not move the owner's pages");
	TEST(test_other_offset(), "I7: remap_file_pages shows nothing else");
	TEST(test_userfaultfd(), "I7: a window takes no userfaultfd");
	TEST(test_copy(), "I7: /proc/PID/mem and process_vm_* end at a window");
	TEST(test_debugger(), "I7: so do debuggers, and nobody waits for them");
	TEST(test_core(), "I7: a core dump has no window in it");
	return tap_done();
}
