/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * More memory that an importer must not write, or not have (I5): pages that
 * every process shares, protection that the owner set up by userfaultfd or by
 * a seal, what is next to memory he may have, and each door to the page that
 * is not a plain store: PREFAULT, mprotect, an entry that was there for reading.
 */

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	16
#define LEN	(NPAGES * PAGE)
#define FILE_AT	(AREA + (long)LEN)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)

static void begin(size_t len)
{
	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(import_open(&im, o.id, len, RW, 0), ==, 0);
}

static void end(void)
{
	share_close(&o, &im);
}

/* ---- what all processes share ---- */

/* Where a part of the peer is, by its name in /proc/PID/maps. */
static long on_find(long name, long end, long c)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from = 0, to = 0;
	char line[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, (const char *)name) &&
			sscanf(line, "%lx-%lx", &from, &to) == 2;
	if (f)
		fclose(f);
	return found ? (long)(end ? to : from) : -ENOENT;
}

/* The kernel's code in every process; the owner's may become his own copy. */
static void test_vdso(void)
{
	const unsigned char *ours = (void *)getauxval(AT_SYSINFO_EHDR);
	char *win;
	long va, len;

	begin(0);
	va = on(on_find, "[vdso]", false, 0);
	len = on(on_find, "[vdso]", true, 0) - va;
	win = dev_window(im.fd, im.handle, va, PAGE, PROT_READ | PROT_WRITE);
	check(win != MAP_FAILED);
	check_int(load(win), ==, ours[0]);
	check_int(store(win, 'X'), ==, -SIGBUS);
	check_int(dev_prefault(im.fd, im.handle, va, PAGE, RW, 0), <=, 0);
	check_int(store(win, 'X'), ==, -SIGBUS);
	check_int(ours[0], ==, 0x7f);
	check_int(on(on_protect, va, len, PROT_READ | PROT_WRITE), ==, 0);
	check_int(load(win), ==, 0x7f);
	check_int(store(win, 'X'), ==, 0);
	check_int(on(on_load, va, 0, 0), ==, 'X');
	check_int(ours[0], ==, 0x7f);
	check_int(munmap(win, PAGE), ==, 0);
	end();
}

/* ---- PREFAULT for writing ---- */

static char path[] = "/tmp/g-forbidden.file";

static long on_map_file(long open_flags, long prot, long flags)
{
	int fd = open(path, (int)open_flags | O_CREAT | O_CLOEXEC, 0644);
	void *p;

	if (ftruncate(fd, PAGE) && open_flags == O_RDWR)
		return -errno;
	p = mmap((void *)FILE_AT, PAGE, (int)prot,
		 (int)flags | MAP_FIXED_NOREPLACE, fd, 0);
	close(fd);
	return p == MAP_FAILED ? -errno : 0;
}

static int file_byte(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 'Z';
	ssize_t n = read(fd, &c, 1);

	close(fd);
	return n == 1 ? c : -1;
}

static void file_make(void)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	check_int(pwrite(fd, "r", 1, 0), ==, 1);
	check_int(ftruncate(fd, PAGE), ==, 0);
	close(fd);
}

static void test_prefault(__u32 flags, int file_flags)
{
	file_make();
	begin(LEN + PAGE);
	check_int(on(on_map_file, O_RDONLY, PROT_READ, file_flags), ==, 0);
	check_int(on(on_protect, AREA, LEN, PROT_READ), ==, 0);
	check_int(dev_prefault(im.fd, im.handle, AREA, LEN, RW, flags), <=, 0);
	check_int(dev_prefault(im.fd, im.handle, FILE_AT, PAGE, RW, flags), <=,
		  0);
	check_int(store(page(0), 'X'), ==, -SIGBUS);
	check_int(store(page(NPAGES), 'X'), ==, -SIGBUS);
	check_int(on(on_count, AREA, LEN, 0x31), ==, 0);
	check_int(file_byte(), ==, 'r');
	/* what PREFAULT may have left is no better than a read's */
	check_int(dev_prefault(im.fd, im.handle, AREA, LEN + PAGE, RO, flags),
		  >, 0);
	check_int(load(page(0)), ==, 0x31);
	check_int(store(page(1), 'X'), ==, -SIGBUS);
	check_int(store(page(NPAGES), 'X'), ==, -SIGBUS);
	check_int(file_byte(), ==, 'r');
	end();
}

/* ---- an entry that is there for reading becomes writable ---- */

/* Everything is read first, so that only the upgrade is left to ask. */
static void test_upgrade(bool by_mprotect)
{
	int i;

	begin(LEN);
	check_int(on(on_protect, AREA, LEN, PROT_READ), ==, 0);
	if (by_mprotect)
		check_int(mprotect(im.win, LEN, PROT_READ), ==, 0);
	for (i = 0; i < NPAGES; i++)
		check_int(load(page(i)), ==, 0x31);
	if (by_mprotect)
		check_int(mprotect(im.win, LEN, PROT_READ | PROT_WRITE), ==, 0);
	for (i = 0; i < NPAGES; i++)
		check_int(store(page(i), 'X'), ==, -SIGBUS);
	check_int(on(on_count, AREA, LEN, 0x31), ==, 0);
	/* the owner changes his mind, twice */
	check_int(on(on_protect, AREA, LEN, PROT_READ | PROT_WRITE), ==, 0);
	check_int(store(page(0), 0x32), ==, 0);
	check_int(on(on_protect, AREA, LEN, PROT_READ), ==, 0);
	check_int(store(page(0), 'X'), ==, -SIGBUS);
	check_int(on(on_load, AREA, 0, 0), ==, 0x32);
	end();
}

/* ---- other protections of the owner's ---- */

static int owner_uffd = -1;

static long on_uffd_protect(long addr, long len, long c)
{
	struct uffdio_api api = { .api = UFFD_API,
				  .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = {
		.range = { .start = (__u64)addr, .len = (__u64)len },
		.mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect wp = {
		.range = { .start = (__u64)addr, .len = (__u64)len },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP };

	owner_uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (owner_uffd < 0 || ioctl(owner_uffd, UFFDIO_API, &api) ||
	    ioctl(owner_uffd, UFFDIO_REGISTER, &reg) ||
	    ioctl(owner_uffd, UFFDIO_WRITEPROTECT, &wp))
		return -errno;
	return 0;
}

/* A snapshot by write protection, as of a checkpoint: no store goes past it. */
static void test_userfault(void)
{
	begin(LEN);
	check_int(store(page(0), 0x32), ==, 0);
	check_int(on(on_uffd_protect, AREA, LEN, 0), ==, 0);
	check_int(store(page(0), 'X'), ==, -SIGBUS);
	check_int(load(page(0)), ==, 0x32);
	check_int(load(page(1)), ==, 0x31);
	check_int(store(page(1), 'X'), ==, -SIGBUS);
	dev_prefault(im.fd, im.handle, AREA, LEN, RW, 0);
	check_int(store(page(2), 'X'), ==, -SIGBUS);
	check_int(on(on_count, AREA + PAGE, LEN - PAGE, 0x31), ==, 0);
	end();
}

static long on_memfd(long a, long b, long c)
{
	static int fd = -1;
	void *p;

	if (fd < 0)
		fd = memfd_create("g-forbidden", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	else if (munmap((void *)FILE_AT, PAGE) ||
		 fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK))
		return -errno;
	if (a && ftruncate(fd, PAGE))
		return -errno;
	p = mmap((void *)FILE_AT, PAGE, PROT_READ | (a ? PROT_WRITE : 0),
		 MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	return p == MAP_FAILED ? -errno : 0;
}

/* Sealed while a window on it is open, which the seal does not know of. */
static void test_seal(void)
{
	begin(LEN + PAGE);
	check_int(on(on_memfd, 1, 0, 0), ==, 0);
	check_int(store(page(NPAGES), 0x33), ==, 0);
	check_int(on(on_memfd, 0, 0, 0), ==, 0);
	check_int(store(page(NPAGES), 'X'), ==, -SIGBUS);
	check_int(load(page(NPAGES)), ==, 0x33);
	check_int(store(page(NPAGES), 'X'), ==, -SIGBUS);
	check_int(on(on_load, FILE_AT, 0, 0), ==, 0x33);
	end();
}

/* A debugger that tracks stores sees an importer's, too (bit 55 of pagemap). */
static bool soft_dirty(long addr)
{
	unsigned long entry = 0;
	char name[40];
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/pagemap", o.peer.pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (pread(fd, &entry, 8, addr / (long)PAGE * 8) != 8)
		entry = 0;
	close(fd);
	return entry >> 55 & 1;
}

static bool soft_dirty_clear(void)
{
	char name[40];
	bool ok;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/clear_refs", o.peer.pid);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	ok = write(fd, "4", 1) == 1;
	close(fd);
	return ok;
}

static void test_soft_dirty(void)
{
	begin(LEN);
	check_int(store(page(0), 0x32), ==, 0);
	check_int(store(page(1), 0x32), ==, 0);
	check(soft_dirty_clear());
	check_int(on(on_store, AREA + 2 * (long)PAGE, 0x32, 0), ==, 0);
	if (soft_dirty(AREA) || !soft_dirty(AREA + 2 * (long)PAGE)) {
		skip_test("the kernel does not track stores");
		end();
		return;
	}
	check_int(store(page(0), 0x33), ==, 0);
	check(soft_dirty(AREA));
	check(!soft_dirty(AREA + PAGE));
	check_int(load(page(1)), ==, 0x32);
	check(!soft_dirty(AREA + PAGE));
	end();
}

/* ---- next to memory that he may have ---- */

static long on_secret(long at, long b, long c)
{
	int fd = (int)syscall(447 /* memfd_secret */, 0);
	char *p;

	if (fd < 0 || ftruncate(fd, PAGE))
		return -errno;
	p = mmap((void *)at, PAGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -errno;
	*p = 's';
	return 0;
}

/* The neighbours come by one fault; the page in the middle must not. */
static void test_neighbour(void)
{
	long ret;

	begin(LEN);
	ret = on(on_secret, AREA + 3 * PAGE, 0, 0);
	if (ret) {
		check_int(ret, ==, -ENOSYS);
		skip_test("boot with secretmem.enable=1");
		end();
		return;
	}
	check_int(load(page(2)), ==, 0x31);
	check_int(load(page(4)), ==, 0x31);
	check_int(load(page(3)), ==, -SIGBUS);
	check_int(store(page(3), 'X'), ==, -SIGBUS);
	check_int(dev_prefault(im.fd, im.handle, AREA, LEN, RO, 0), <=,
		  3 * (long)PAGE);
	check_int(load(page(3)), ==, -SIGBUS);
	check_int(on(on_load, AREA + 3 * PAGE, 0, 0), ==, 's');
	end();
}

/* A stack grows by touches of its own process only. */
static void test_stack(void)
{
	char *win;
	long va;

	begin(0);
	va = on(on_find, "[stack]", false, 0);
	check_int(va, >, 0);
	win = dev_window(im.fd, im.handle, va - (long)PAGE, 2 * PAGE,
			 PROT_READ | PROT_WRITE);
	check(win != MAP_FAILED);
	check_int(load(win + PAGE), >=, 0);
	check_int(load(win), ==, -SIGBUS);
	check_int(store(win, 1), ==, -SIGBUS);
	check_int(on(on_find, "[stack]", false, 0), ==, va);
	check_int(munmap(win, 2 * PAGE), ==, 0);
	end();
}

static long on_mine_status(long a, long b, long c)
{
	return (long)mine.st;
}

/* The status pages that the module shows the owner of an import. */
static void test_status(void)
{
	struct import his;
	struct peer p;
	char *win;
	long va;

	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_import, (long)o.id, LEN, RW), ==, 0);
	va = peer_call(&p, on_mine_status, 0, 0, 0);
	check_int(import_open(&his, (__u64)peer_call(&p, on_export_all, 0, 0, 0),
			      0, RW, 0), ==, 0);
	win = dev_window(his.fd, his.handle, va, 2 * PAGE,
			 PROT_READ | PROT_WRITE);
	check(win != MAP_FAILED);
	check_int(load(win), ==, -SIGBUS);
	check_int(store(win, 1), ==, -SIGBUS);
	check_int(store(win + PAGE, 1), ==, -SIGBUS);
	check_int(peer_call(&p, on_valid, 0, 0, 0), ==, 1);
	check_int(munmap(win, 2 * PAGE), ==, 0);
	check_int(import_close(&his), ==, 0);
	peer_stop(&p);
	owner_stop(&o);
}

int main(void)
{
	guest_begin();
	TEST(test_vdso(), "I5: code that all processes share is not written");
	TEST(test_prefault(0, MAP_SHARED), "I5: PREFAULT writes no read-only page");
	TEST(test_prefault(XPMEM_NUMA_PREFAULT_ALLOC, MAP_PRIVATE),
	     "I5: ... nor with ALLOC, nor a private mapping");
	TEST(test_upgrade(false), "I5: what was read does not become writable");
	TEST(test_upgrade(true), "I5: ... nor by mprotect of the window");
	TEST(test_userfault(), "I5: userfaultfd's write protection holds");
	TEST(test_seal(), "I5: a sealed memfd is not written");
	TEST(test_soft_dirty(), "I6: soft-dirty tracking sees the stores");
	TEST(test_neighbour(), "I5: secret memory does not come with its neighbours");
	TEST(test_stack(), "an importer does not grow the owner's stack");
	TEST(test_status(), "I5: another process's status pages are out of reach");
	unlink(path);
	return tap_done();
}
