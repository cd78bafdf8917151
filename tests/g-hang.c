/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the owner that does not come: a frozen file system, a page fault
 * handler in user space. Who waits for it can be killed, and who does not, is
 * not kept waiting (I4).
 */

#include <fcntl.h>
#include <grp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "guest.h"
#include "tap.h"

#define MNT	"/tmp/g-hang"
#define NPAGES	32
#define LEN	(NPAGES * PAGE)
#define LIMIT	10000		/* ms until a killed task must be gone */
#define ALICE	1001

static struct owner o;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static long on_run(long cpu, long b, long c)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static long on_map_file(long a, long b, long c)
{
	int fd = open(MNT "/file", O_RDWR | O_CLOEXEC);
	void *p = mmap((void *)AREA, LEN, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, fd, 0);

	close(fd);
	return p == MAP_FAILED ? -errno : 0;
}

static void begin(void)
{
	int fd = open(MNT "/file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	check_int(ftruncate(fd, LEN), ==, 0);
	close(fd);
	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(on(on_run, 0, 0, 0), ==, 0);
	check_int(on(on_map_file, 0, 0, 0), ==, 0);
	check_int(fs_freeze(), ==, 0);
}

static bool answers(struct peer *p, int ms)
{
	struct pollfd ready = { .fd = p->sock, .events = POLLIN };

	return poll(&ready, 1, ms) == 1;
}

static void importer_start(struct peer *p, long cpu, long rights)
{
	check_int(peer_start(p), ==, 0);
	check_int(peer_call(p, on_run, cpu, 0, 0), ==, 0);
	check_int(peer_call(p, on_import, (long)o.id, LEN, rights), ==, 0);
}

/* A store to the frozen file, from the owner's processor or another. */
static void test_kill(long cpu)
{
	long slow = stat_read("slow");
	struct peer p;

	begin();
	importer_start(&p, cpu, RW);
	check_int(peer_begin(&p, on_win_store, 8, 1, 0), ==, 0);
	while (stat_read("slow") == slow)
		sched_yield();
	check(!answers(&p, 200));
	kill(p.pid, SIGKILL);
	check(answers(&p, LIMIT));
	check_int(fs_thaw(), ==, 0);
	peer_stop(&p);
	check_int(on(on_store, AREA + 9, 7, 0), ==, 0);
	owner_stop(&o);
	check(stat_settles("imports", 0));
}

/* Who is not killed gets what it waited for. */
static void test_thaw(long cpu)
{
	struct peer p;

	begin();
	importer_start(&p, cpu, RW);
	check_int(peer_begin(&p, on_win_store, 8, 5, 0), ==, 0);
	check(!answers(&p, 200));
	check_int(fs_thaw(), ==, 0);
	check_int(peer_end(&p), ==, 0);
	check_int(on(on_load, AREA + 8, 0, 0), ==, 5);
	peer_stop(&p);
	owner_stop(&o);
}

static long on_become(long uid, long b, long c)
{
	return setgroups(0, NULL) ||
			       setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) ?
		       -errno :
		       0;
}

static long on_own(long len, long b, long c)
{
	long ret = on_map(AREA, len, 0);

	return ret ? ret : on_export_all(0, 0, 0);
}

/* 40 stuck importers of root's do not keep ALICE's waiting. */
static void test_other_user(void)
{
	enum { N = 40 };
	struct peer stuck[N], owner, visitor;
	long id;
	int i;

	begin();
	for (i = 0; i < N; i++) {
		importer_start(&stuck[i], 1, RW);
		check_int(peer_begin(&stuck[i], on_win_store, i % NPAGES * PAGE,
				     1, 0), ==, 0);
	}
	check_int(peer_start(&owner), ==, 0);
	check_int(peer_call(&owner, on_become, ALICE, 0, 0), ==, 0);
	check_int(peer_call(&owner, on_run, 0, 0, 0), ==, 0);
	id = peer_call(&owner, on_own, LEN, 0, 0);
	check_int(peer_start(&visitor), ==, 0);
	check_int(peer_call(&visitor, on_become, ALICE, 0, 0), ==, 0);
	check_int(peer_call(&visitor, on_run, 1, 0, 0), ==, 0);
	check_int(peer_call(&visitor, on_import, id, LEN, RW), ==, 0);
	check_int(peer_begin(&visitor, on_win_store, 8, 3, 0), ==, 0);
	if (check(answers(&visitor, LIMIT)))
		check_int(peer_end(&visitor), ==, 0);
	check_int(fs_thaw(), ==, 0);
	for (i = 0; i < N; i++) {
		check_int(peer_end(&stuck[i]), ==, 0);
		peer_stop(&stuck[i]);
	}
	peer_stop(&visitor);
	peer_stop(&owner);
	owner_stop(&o);
}

/* The owner itself waits; the importer has all it needs mapped already. */
static void test_present(void)
{
	struct peer p;

	begin();
	check_int(on(on_map, AREA + GIB, PAGE, 0), ==, 0);
	check_int(on(on_store, AREA + GIB, 4, 0), ==, 0);
	importer_start(&p, 0, RW);
	check_int(peer_call(&p, on_win_load, 0, 0, 0), ==, 0);
	check_int(peer_begin(&o.peer, on_store, AREA, 1, 0), ==, 0);
	check_int(peer_begin(&p, on_win_load, 8, 0, 0), ==, 0);
	check(answers(&p, LIMIT));
	check_int(fs_thaw(), ==, 0);
	check_int(peer_end(&p), ==, 0);
	check_int(peer_end(&o.peer), ==, 0);
	peer_stop(&p);
	owner_stop(&o);
}

/* Memory that a handler in the owner would have to deliver. */
static long on_userfault(long a, long b, long c)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = AREA, .len = LEN },
		.mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

static void test_userfault(__u32 flags)
{
	struct import im;

	check_int(share_open(&o, &im, LEN, RW, RW, flags), ==, 0);
	check_int(on(on_store, AREA, 0x31, 0), ==, 0);
	check_int(on(on_userfault, 0, 0, 0), ==, 0);
	check_int(load(im.win), ==, 0x31);
	check_int(load(im.win + PAGE), ==, flags ? 0 : -SIGBUS);
	check_int(store(im.win + 2 * PAGE, 1), ==, flags ? 0 : -SIGBUS);
	if (flags)
		check_uint(im.st->reason, ==, XPMEM_NUMA_REASON_FAULT);
	share_close(&o, &im);
}

int main(void)
{
	guest_begin();
	if (fs_mount("/dev/ram1", MNT))
		skip_all("no ext4 on a RAM disk");
	TEST(test_kill(1), "a store to a frozen file can be killed");
	TEST(test_kill(0), "... also on the owner's node");
	TEST(test_thaw(1), "a store to a frozen file is done when it thaws");
	TEST(test_thaw(0), "... also on the owner's node");
	TEST(test_other_user(), "stuck importers do not stop another user's");
	TEST(test_present(), "present memory is there while the owner is stuck");
	TEST(test_userfault(0), "missing userfaultfd memory is SIGBUS at once");
	TEST(test_userfault(POISON), "I11: missing userfaultfd memory is poison");
	fs_umount(MNT);
	return tap_done();
}
