/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may import: mode, group and key against the caller's credentials at
 * IMPORT, and CAP_SYS_PTRACE in the export's user namespace above the mode.
 */

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "guest.h"
#include "tap.h"

#define LEN	(4 * PAGE)
#define ALICE	1001
#define BOB	1002
#define STAFF	2001
#define GUESTS	2002
#define NONE	((__u32)-1)

static struct owner o;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

/* Real, effective and saved, for good: without any capability. */
static long on_become(long uid, long gid, long other_group)
{
	gid_t groups[1] = { (gid_t)other_group };

	if (setgroups(other_group ? 1 : 0, groups) ||
	    setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid))
		return -errno;
	return prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

/* A new export of all; its id. */
static long on_offer(long mode, long gid, long key)
{
	struct xpmem_numa_export e = { .rights = RW, .mode = (__u32)mode,
				       .gid = (__u32)gid };
	int ret;

	memset(e.key, (int)key, sizeof(e.key));
	if (own_fd < 0)
		own_fd = dev_open();
	ret = dev_call(own_fd, XPMEM_NUMA_EXPORT, &e);
	return ret ? ret : (long)e.id;
}

static long on_try(long id, long rights, long key)
{
	struct xpmem_numa_query q = { 0 };
	struct xpmem_numa_import i = { .id = (__u64)id,
				       .rights = (__u32)rights };
	int ret;

	if (own_fd < 0)
		own_fd = dev_open();
	ret = dev_call(own_fd, XPMEM_NUMA_QUERY, &q);
	i.partition = q.partition;
	memset(i.key, (int)key, sizeof(i.key));
	if (!ret)
		ret = dev_call(own_fd, XPMEM_NUMA_IMPORT, &i);
	if (!ret)
		ret = dev_handle(own_fd, XPMEM_NUMA_UNIMPORT, i.handle);
	return ret;
}

/* IMPORT by a fresh process that is uid, gid (and in another group). */
static long try_as(long uid, long gid, long other, long id, long rights,
		   long key)
{
	struct peer p;
	long ret;

	ret = peer_start(&p);
	if (!ret && uid)
		ret = peer_call(&p, on_become, uid, gid, other);
	if (!ret)
		ret = peer_call(&p, on_try, id, rights, key);
	peer_stop(&p);
	return ret;
}

static void begin(void)
{
	check_int(peer_start(&o.peer), ==, 0);
	check_int(on(on_become, ALICE, STAFF, 0), ==, 0);
}

static void end(void)
{
	peer_stop(&o.peer);
}

static void test_mode(long mode)
{
	long id, refused = stat_read("eacces");

	begin();
	id = on(on_offer, mode, NONE, 0);
	check_int(try_as(ALICE, STAFF, 0, id, RW, 0), ==, 0);
	check_int(try_as(ALICE, GUESTS, 0, id, RO, 0), ==, 0);
	check_int(try_as(BOB, STAFF, 0, id, RO, 0), ==, -EACCES);
	check_int(try_as(BOB, GUESTS, 0, id, RO, 0), ==, -EACCES);
	check_int(stat_read("eacces") - refused, ==, 2);
	end();
}

static void test_group(void)
{
	long id;

	begin();
	id = on(on_offer, 0660, NONE, 0);
	check_int(try_as(BOB, STAFF, 0, id, RW, 0), ==, 0);
	check_int(try_as(BOB, GUESTS, STAFF, id, RW, 0), ==, 0);
	check_int(try_as(BOB, GUESTS, 0, id, RO, 0), ==, -EACCES);
	id = on(on_offer, 0640, GUESTS, 0);
	check_int(try_as(BOB, GUESTS, 0, id, RO, 0), ==, 0);
	check_int(try_as(BOB, GUESTS, 0, id, RW, 0), ==, -EACCES);
	check_int(try_as(BOB, STAFF, 0, id, RO, 0), ==, -EACCES);
	check_int(try_as(ALICE, GUESTS, 0, id, RW, 0), ==, 0);
	end();
}

/* As for files: the first class that fits decides, even against the caller. */
static void test_classes(void)
{
	long id;

	begin();
	id = on(on_offer, 0606, STAFF, 0);
	check_int(try_as(BOB, GUESTS, 0, id, RW, 0), ==, 0);
	check_int(try_as(BOB, STAFF, 0, id, RO, 0), ==, -EACCES);
	id = on(on_offer, 0066, STAFF, 0);
	check_int(try_as(ALICE, STAFF, 0, id, RO, 0), ==, -EACCES);
	check_int(try_as(BOB, GUESTS, 0, id, RW, 0), ==, 0);
	id = on(on_offer, 0666, NONE, 0);
	check_int(try_as(BOB, GUESTS, 0, id, RW, 0), ==, 0);
	id = on(on_offer, 0444, NONE, 0);
	check_int(try_as(BOB, GUESTS, 0, id, RO, 0), ==, 0);
	check_int(try_as(BOB, GUESTS, 0, id, RW, 0), ==, -EACCES);
	check_int(try_as(ALICE, STAFF, 0, id, RW, 0), ==, -EACCES);
	end();
}

static void test_key(void)
{
	long id;

	begin();
	id = on(on_offer, 0600, NONE, 0x5a);
	check_int(try_as(ALICE, STAFF, 0, id, RW, 0x5a), ==, 0);
	check_int(try_as(ALICE, STAFF, 0, id, RW, 0), ==, -EACCES);
	check_int(try_as(ALICE, STAFF, 0, id, RW, 0x5b), ==, -EACCES);
	check_int(try_as(BOB, STAFF, 0, id, RW, 0x5a), ==, -EACCES);
	id = on(on_offer, 0600, NONE, 0);
	check_int(try_as(ALICE, STAFF, 0, id, RW, 0x5a), ==, -EACCES);
	end();
}

/* Root has the capability above everybody; without it, it is a user. */
static long on_drop_ptrace(long a, long b, long c)
{
	struct { __u32 version; int pid; } head = { 0x20080522, 0 };
	struct { __u32 effective, permitted, inheritable; } data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].effective &= ~(1U << 19 /* CAP_SYS_PTRACE */);
	data[0].permitted &= ~(1U << 19);
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

static void test_root(void)
{
	struct peer p;
	long id;

	begin();
	id = on(on_offer, 0600, NONE, 0);
	check_int(try_as(0, 0, 0, id, RW, 0), ==, 0);
	check_int(try_as(0, 0, 0, id, RW, 0x11), ==, -EACCES);
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_drop_ptrace, 0, 0, 0), ==, 0);
	check_int(peer_call(&p, on_try, id, RO, 0), ==, -EACCES);
	peer_stop(&p);
	end();
}

/* Rights of the export itself bind everybody, root too. */
static void test_rights(void)
{
	struct owner ro;

	check_int(owner_start(&ro, LEN, RO), ==, 0);
	check_int(try_as(0, 0, 0, (long)ro.id, RO, 0), ==, 0);
	check_int(try_as(0, 0, 0, (long)ro.id, RW, 0), ==, -EACCES);
	check_int(owner_stop(&ro), ==, 0);
}

/* The child maps itself to root of a namespace of its own. */
static long on_unshare(long a, long b, long c)
{
	char map[32];
	uid_t uid = getuid();
	int fd;

	if (unshare(CLONE_NEWUSER))
		return -errno;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (write(fd, map, strlen(map)) < 0)
		return -errno;
	close(fd);
	return (long)geteuid();
}

static void test_namespace(void)
{
	struct peer p;
	long id;

	begin();
	id = on(on_offer, 0600, NONE, 0);
	/* root of BOB's namespace, with all capabilities there */
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_become, BOB, STAFF, 0), ==, 0);
	check_int(peer_call(&p, on_unshare, 0, 0, 0), ==, 0);
	check_int(peer_call(&p, on_try, id, RO, 0), ==, -EACCES);
	peer_stop(&p);
	/* ALICE in a namespace is still ALICE to the kernel */
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_become, ALICE, STAFF, 0), ==, 0);
	check_int(peer_call(&p, on_unshare, 0, 0, 0), ==, 0);
	check_int(peer_call(&p, on_try, id, RW, 0), ==, 0);
	peer_stop(&p);
	end();
}

/* Opened as root, used as BOB: only what BOB is counts. */
static void test_credentials(void)
{
	struct peer p;
	long id;

	begin();
	id = on(on_offer, 0600, NONE, 0);
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_try, id, RW, 0), ==, 0);
	check_int(peer_call(&p, on_become, BOB, STAFF, 0), ==, 0);
	check_int(peer_call(&p, on_try, id, RO, 0), ==, -EACCES);
	peer_stop(&p);
	/* and the other way round, which is as good */
	id = on(on_offer, 0600, NONE, 0);
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_try, 0, RO, 0), ==, -ENOENT);
	check_int(peer_call(&p, on_become, ALICE, STAFF, 0), ==, 0);
	check_int(peer_call(&p, on_try, id, RW, 0), ==, 0);
	peer_stop(&p);
	end();
}

static void test_ids(void)
{
	enum { N = 64 };
	long id[N];
	int i, j, same = 0, ones = 0;

	begin();
	for (i = 0; i < N; i++) {
		id[i] = on(on_offer, 0600, NONE, 0);
		same += !id[i];
		ones += __builtin_popcountl((unsigned long)id[i]);
		for (j = 0; j < i; j++)
			same += id[i] == id[j] || id[i] == id[j] + 1;
	}
	check_int(same, ==, 0);
	/* 4096 random bits: 2048 on average, 32 is the deviation */
	check_int(ones, >, 2048 - 8 * 32);
	check_int(ones, <, 2048 + 8 * 32);
	check_int(try_as(ALICE, STAFF, 0, id[0] + 1, RO, 0), ==, -ENOENT);
	end();
}

/* A handle is a number in one file: in another it names nothing. */
static void test_handles(void)
{
	struct import im;
	void *win;
	int fd;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(load(im.win), ==, 0);
	fd = dev_open();
	check_int(dev_handle(fd, XPMEM_NUMA_UNIMPORT, im.handle), ==, -ENOENT);
	win = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd,
		   (off_t)XPMEM_NUMA_OFFSET(im.handle, AREA));
	check(win == MAP_FAILED && errno == ENOENT);
	close(fd);
	share_close(&o, &im);
}

int main(void)
{
	guest_begin();
	TEST(test_mode(0), "mode 0 is 0600: the same user, nobody else");
	TEST(test_mode(0600), "mode 0600: the same user, nobody else");
	TEST(test_group(), "mode 0660 and gid: the group, by any membership");
	TEST(test_classes(), "owner, group and others as for files");
	TEST(test_key(), "a key that differs is refused, to the user too");
	TEST(test_root(), "CAP_SYS_PTRACE is above the mode, not the key");
	TEST(test_rights(), "nobody gets more than was exported");
	TEST(test_namespace(), "root of another user namespace is no root");
	TEST(test_credentials(), "credentials count at IMPORT, not at open");
	TEST(test_ids(), "ids are random, unknown ones are ENOENT");
	TEST(test_handles(), "a handle of one file means nothing in another");
	return tap_done();
}
