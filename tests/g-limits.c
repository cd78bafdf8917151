/* SPDX-License-Identifier: BSD-3-Clause */
/* What one user may have, and that another user has as much. */

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define ALICE	1001
#define BOB	1002
#define LIMIT	5
#define LEN	(16 * MIB)

static long on_become(long uid, long b, long c)
{
	if (setgroups(0, NULL) || setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid))
		return -errno;
	return 0;
}

static void user_start(struct peer *p, long uid)
{
	check_int(peer_start(p), ==, 0);
	check_int(peer_call(p, on_become, uid, 0, 0), ==, 0);
}

/* How many exports it gets, and what the first refusal says. */
static long on_exports(long max, long b, long c)
{
	struct xpmem_numa_export e;
	int i, ret = 0, fd = dev_open();

	for (i = 0; i < max && !ret; i++)
		ret = dev_export(fd, NULL, 0, RW, &e);
	if (ret != -EDQUOT)
		return ret ? ret : -ENOMSG;
	/* one back, one again, and no more */
	if (dev_handle(fd, XPMEM_NUMA_UNEXPORT, e.handle ? e.handle : 1))
		return -EXDEV;
	own_fd = fd;
	return i - 1;
}

static long on_export_again(long a, long b, long c)
{
	struct xpmem_numa_export e;

	if (own_fd < 0)
		own_fd = dev_open();
	return dev_export(own_fd, NULL, 0, RW, &e);
}

static void test_exports(void)
{
	long old = param_set("max_exports", LIMIT);
	struct peer a, b;

	user_start(&a, ALICE);
	user_start(&b, BOB);
	check_int(old, >, LIMIT);
	check_int(peer_call(&a, on_exports, 100, 0, 0), ==, LIMIT);
	check(stat_settles("exports", LIMIT - 1));
	check_int(peer_call(&b, on_exports, 100, 0, 0), ==, LIMIT);
	check_int(peer_call(&a, on_export_again, 0, 0, 0), ==, 0);
	check_int(peer_call(&a, on_export_again, 0, 0, 0), ==, -EDQUOT);
	peer_stop(&a);
	peer_stop(&b);
	check_int(param_set("max_exports", old), ==, LIMIT);
	check(stat_settles("exports", 0));
}

static long on_own(long len, long b, long c)
{
	long ret = on_map(AREA, len, 0);

	return ret ? ret : on_export_all(0, 0, 0);
}

static long on_imports(long id, long b, long c)
{
	struct xpmem_numa_import i;
	int n, ret = 0;

	own_fd = dev_open();
	for (n = 0; n < 100 && !ret; n++)
		ret = dev_import(own_fd, (__u64)id, RW, 0, &i);
	return ret == -EDQUOT ? n - 1 : ret;
}

static void test_imports(void)
{
	long old = param_set("max_imports", LIMIT), id;
	struct peer o, a;

	user_start(&o, ALICE);
	user_start(&a, ALICE);
	id = peer_call(&o, on_own, PAGE, 0, 0);
	check_int(peer_call(&a, on_imports, id, 0, 0), ==, LIMIT);
	check(stat_settles("imports", LIMIT));
	peer_stop(&a);
	check(stat_settles("imports", 0));
	user_start(&a, ALICE);
	check_int(peer_call(&a, on_imports, id, 0, 0), ==, LIMIT);
	peer_stop(&a);
	peer_stop(&o);
	check_int(param_set("max_imports", old), ==, LIMIT);
}

static long on_windows(long id, long b, long c)
{
	int n, ret = import_open(&mine, (__u64)id, 0, RW, 0);
	void *win = NULL;

	for (n = 0; n < 100 && !ret && win != MAP_FAILED; n++)
		win = dev_window(mine.fd, mine.handle, AREA, PAGE, PROT_READ);
	return ret ? ret : errno == EDQUOT ? n - 1 : -errno;
}

static void test_windows(void)
{
	long old = param_set("max_windows", LIMIT), id;
	struct peer o, a;

	user_start(&o, ALICE);
	user_start(&a, ALICE);
	id = peer_call(&o, on_own, PAGE, 0, 0);
	check_int(peer_call(&a, on_windows, id, 0, 0), ==, LIMIT);
	check(stat_settles("windows", LIMIT));
	peer_stop(&a);
	check(stat_settles("windows", 0));
	peer_stop(&o);
	check_int(param_set("max_windows", old), ==, LIMIT);
}

/* Granules count for the user whose memory it is. */
static long on_touch(long id, long flags, long stride)
{
	int n;

	if (import_open(&mine, (__u64)id, LEN, RW, (__u32)flags))
		return -EIO;
	for (n = 0; n * stride < (long)LEN; n++)
		if (store(mine.win + n * stride, 1) || !import_valid(&mine))
			break;
	if (flags && mine.st->reason != XPMEM_NUMA_REASON_NOMEM)
		return -ENOMSG;
	return n;
}

static void test_granules(__u32 flags)
{
	long old = param_set("max_granules", LIMIT), id;
	struct peer o, a;

	user_start(&o, ALICE);
	user_start(&a, ALICE);
	id = peer_call(&o, on_own, LEN, 0, 0);
	check_int(peer_call(&a, on_touch, id, flags, 2 * MIB), ==, LIMIT);
	check_int(stat_read("granules"), ==, LIMIT);
	/* what there is goes on working */
	check_int(peer_call(&a, on_win_load, 2 * MIB + 5 * PAGE, 0, 0), ==, 0);
	check_int(peer_call(&a, on_win_load, 2 * MIB, 0, 0), ==, 1);
	peer_stop(&a);
	peer_stop(&o);
	check_int(param_set("max_granules", old), ==, LIMIT);
	check(stat_settles("granules", 0));
}

/* Every second page: ranges that touch are one. */
static long on_denials(long len, long b, long c)
{
	long n, ret = 0;

	on_own(len, 0, 0);
	for (n = 0; !ret && n < len / (2 * (long)PAGE); n++)
		ret = on_deny(AREA + n * 2 * (long)PAGE, PAGE, 0);
	return ret == -EDQUOT ? n - 1 : ret ? ret : -ENOMSG;
}

static void test_denials(void)
{
	const long page = PAGE;
	long old = param_set("max_denials", LIMIT);
	struct peer a;

	user_start(&a, ALICE);
	check_int(peer_call(&a, on_denials, LEN, 0, 0), ==, LIMIT);
	/* what is between two of them makes them one, and leaves room */
	check_int(peer_call(&a, on_allow, AREA, page, 0), ==, 0);
	check_int(peer_call(&a, on_deny, AREA + 3 * page, page, 0), ==, 0);
	check_int(peer_call(&a, on_deny, AREA, page, 0), ==, 0);
	check_int(peer_call(&a, on_deny, AREA + GIB, page, 0), ==, 0);
	check_int(peer_call(&a, on_deny, AREA + 2 * GIB, page, 0), ==, -EDQUOT);
	/* one that would become two; all of it, which needs nothing */
	check_int(peer_call(&a, on_allow, AREA + 3 * page, page, 0), ==,
		  -EDQUOT);
	check_int(peer_call(&a, on_allow, AREA, LEN, 0), ==, 0);
	check_int(peer_call(&a, on_deny, AREA + 2 * GIB, page, 0), ==, 0);
	peer_stop(&a);
	check(stat_settles("metadata", 0));
	check_int(param_set("max_denials", old), ==, LIMIT);
}

static int param_write(const char *name, const char *text)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/module/xpmem_numa/parameters/%s",
		 name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static void test_parameters(void)
{
	static const char *const names[] = {
		"max_exports", "max_imports", "max_windows", "max_granules",
		"max_denials",
	};
	struct xpmem_numa_query q = { 0 };
	int fd = dev_open();
	size_t i;
	long old;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		check_int(param_write(names[i], "-1"), ==, -EINVAL);
		check_int(param_write(names[i], "many"), ==, -EINVAL);
		check_int(param_write(names[i], "2147483648"), ==, -EINVAL);
		old = param_set(names[i], 2147483647);
		check_int(param_set(names[i], old), ==, 2147483647);
	}
	old = param_set("max_denials", 77);
	check_int(dev_call(fd, XPMEM_NUMA_QUERY, &q), ==, 0);
	check_uint(q.max_denials, ==, 77);
	param_set("max_denials", old);
	close(fd);
}

static long on_unshare(long a, long b, long c)
{
	return unshare(CLONE_NEWUSER) ? -errno : getpid();
}

static long on_second_user(long a, long b, long c)
{
	return setresuid(0, 0, 0) ? -errno : 0;
}

static int map_ids(pid_t pid, const char *which, const char *map)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, which);
	fd = open(path, O_WRONLY);
	ret = write(fd, map, strlen(map)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* Who makes a user namespace has no more for having many users in it. */
static void test_namespace(void)
{
	long old = param_set("max_exports", LIMIT);
	struct peer a, b;

	user_start(&a, ALICE);
	user_start(&b, ALICE);
	check_int(peer_call(&b, on_unshare, 0, 0, 0), ==, b.pid);
	check_int(map_ids(b.pid, "uid_map", "0 100000 1"), ==, 0);
	check_int(map_ids(b.pid, "gid_map", "0 100000 1"), ==, 0);
	check_int(peer_call(&b, on_second_user, 0, 0, 0), ==, 0);
	check_int(peer_call(&a, on_exports, 100, 0, 0), ==, LIMIT);
	check_int(peer_call(&b, on_export_again, 0, 0, 0), ==, 0);
	check_int(peer_call(&b, on_export_again, 0, 0, 0), ==, -EDQUOT);
	peer_stop(&a);
	peer_stop(&b);
	check_int(param_set("max_exports", old), ==, LIMIT);
}

/* Lines "import:" of this process's @fd that tell this owner. */
static int fdinfo_lines(int fd, pid_t owner)
{
	char path[64], line[1024], want[32];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	snprintf(want, sizeof(want), " owner %d", owner);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		n += !strncmp(line, "import: ", 8) && strstr(line, want);
	if (f)
		fclose(f);
	return n;
}

/* 32767 handles are all that a file has. */
static void test_handles(void)
{
	struct xpmem_numa_export e;
	struct xpmem_numa_import i;
	struct owner o;
	int fd, n, ret = 0;

	check_int(owner_start(&o, PAGE, RW), ==, 0);
	fd = dev_open();
	for (n = 0; n <= 32767 && !ret; n++)
		ret = dev_import(fd, o.id, RO, 0, &i);
	check_int(ret, ==, -EMFILE);
	check_int(n - 1, ==, 32767);
	check_int(fdinfo_lines(fd, o.peer.pid), ==, 32767);
	check_int(dev_export(fd, NULL, 0, RW, &e), ==, -EMFILE);
	check(stat_settles("exports", 1));
	check_int(dev_handle(fd, XPMEM_NUMA_UNIMPORT, 7), ==, 0);
	check_int(dev_import(fd, o.id, RO, 0, &i), ==, 0);
	check_uint(i.handle, ==, 7);
	check_int(close(fd), ==, 0);
	check(stat_settles("imports", 0));
	owner_stop(&o);
}

int main(void)
{
	guest_begin();
	TEST(test_exports(), "max_exports bounds each user");
	TEST(test_imports(), "max_imports bounds each user");
	TEST(test_windows(), "max_windows bounds each user");
	TEST(test_granules(0), "max_granules bounds each owner: SIGBUS");
	TEST(test_granules(POISON), "max_granules bounds each owner: poison");
	TEST(test_denials(), "max_denials bounds each owner");
	TEST(test_parameters(), "limits change at run time, to what is possible");
	TEST(test_namespace(), "a user namespace counts as its maker");
	TEST(test_handles(), "a file has 32767 handles, and fdinfo tells all");
	return tap_done();
}
