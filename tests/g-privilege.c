/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ways to more rights than one has: namespaces of one's own, programs that run
 * as their owner, files of the device that change hands, guessed names. What
 * attacks is an unprivileged user; only who prints is root.
 */

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "guest.h"
#include "tap.h"

#define LEN	(4 * PAGE)
#define ALICE	1001
#define BOB	65534
#define STAFF	2001
#define SUID	"/tmp/g-privilege.suid"

static struct owner o;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static void owner_as(long uid)
{
	check_int(peer_start(&o.peer), ==, 0);
	check_int(on(on_drop, uid, STAFF, 0), ==, 0);
	check_int(on(on_map, AREA, LEN, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	o.id = (__u64)on(on_export_all, RW, 0, 0);
}

static void user_as(struct peer *p, long uid)
{
	check_int(peer_start(p), ==, 0);
	check_int(peer_call(p, on_drop, uid, STAFF, 0), ==, 0);
}

static bool put(const char *path, const char *format, unsigned int id)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), n;

	n = dprintf(fd, format, id);
	close(fd);
	return n > 0;
}

/* Root, with every capability, of namespaces of one's own. */
static long on_unshare(long flags, long b, long c)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare((int)flags | CLONE_NEWUSER))
		return -errno;
	if (!put("/proc/self/setgroups", "deny", 0) ||
	    !put("/proc/self/uid_map", "0 %u 1", uid) ||
	    !put("/proc/self/gid_map", "0 %u 1", gid))
		return -EXDEV;
	return setresuid(0, 0, 0) ? -errno : (long)geteuid();
}

static long on_try(long id, long rights, long c)
{
	struct xpmem_numa_import i;
	int fd = dev_open(), ret = dev_import(fd, (__u64)id, (__u32)rights, 0,
					      &i);

	close(fd);
	return ret;
}

static void test_namespaces(long victim)
{
	static const long flags[] = {
		0, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNS, CLONE_NEWNET,
		CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET |
			CLONE_NEWUTS | CLONE_NEWCGROUP };
	struct peer p;
	size_t i;

	owner_as(victim);
	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		user_as(&p, BOB);
		check_int(peer_call(&p, on_unshare, flags[i], 0, 0), ==, 0);
		check_int(peer_call(&p, on_try, (long)o.id, RO, 0), ==,
			  -EACCES);
		/* and one deeper; a process has one pid namespace to give */
		check_int(peer_call(&p, on_unshare, flags[i] & ~CLONE_NEWPID, 0,
				    0), ==, 0);
		check_int(peer_call(&p, on_try, (long)o.id, RO, 0), ==,
			  -EACCES);
		peer_stop(&p);
	}
	owner_stop(&o);
}

/* Owner and importer in one namespace are what they are outside of it. */
static void test_victim_inside(void)
{
	struct peer p;

	check_int(peer_start(&o.peer), ==, 0);
	check_int(on(on_drop, ALICE, STAFF, 0), ==, 0);
	check_int(on(on_unshare, CLONE_NEWIPC, 0, 0), ==, 0);
	o.id = (__u64)on(on_export_all, RW, 0, 0);
	user_as(&p, BOB);
	check_int(peer_call(&p, on_try, (long)o.id, RO, 0), ==, -EACCES);
	check_int(peer_call(&p, on_unshare, CLONE_NEWIPC, 0, 0), ==, 0);
	check_int(peer_call(&p, on_try, (long)o.id, RO, 0), ==, -EACCES);
	peer_stop(&p);
	owner_stop(&o);
}

/* ---- a program that runs as ALICE, whoever starts it ---- */

/* Its exit status: 0x80 | -ret of an IMPORT by the file it inherits. */
static int suid_main(char **argv)
{
	struct xpmem_numa_import i;
	int ret = dev_import(atoi(argv[1]), strtoull(argv[2], NULL, 0), RO, 0,
			     &i);
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[256];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "xpmem_numa:["))
			return 1;
	if (geteuid() != ALICE)
		return 2;
	if (atoi(argv[3]))	/* stays, with the file */
		pause();
	return 0x80 | -ret;
}

static int suid_make(void)
{
	char cmd[200];

	snprintf(cmd, sizeof(cmd),
		 "cp /proc/%d/exe %s && chown %d %s && chmod 04755 %s",
		 getpid(), SUID, ALICE, SUID, SUID);
	return system(cmd);
}

static long suid_exec(int fd, __u64 id, const char *stay)
{
	char text[16], name[32];

	snprintf(text, sizeof(text), "%d", fd);
	snprintf(name, sizeof(name), "0x%llx", (unsigned long long)id);
	fcntl(fd, F_SETFD, 0);
	execl(SUID, SUID, text, name, stay, NULL);
	return -errno;
}

static long suid_run(int fd, __u64 id)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit((int)suid_exec(fd, id, "0"));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* BOB lets it import for him: the file is the program's from then on. */
static long on_lend(long id, long b, long c)
{
	struct xpmem_numa_query q = { 0 };
	int fd = dev_open();
	long ret = suid_run(fd, (__u64)id);

	if (ret != 0x80)
		return ret;
	ret = dev_call(fd, XPMEM_NUMA_QUERY, &q);
	if (ret == -ESTALE && mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd,
				   (off_t)XPMEM_NUMA_OFFSET(1, AREA)) ==
				      MAP_FAILED)
		ret = -errno;
	close(fd);
	return ret;
}

static void test_lend(void)
{
	struct peer p;

	owner_as(ALICE);
	user_as(&p, BOB);
	check_int(peer_call(&p, on_try, (long)o.id, RO, 0), ==, -EACCES);
	check_int(peer_call(&p, on_lend, (long)o.id, 0, 0), ==, -ESTALE);
	peer_stop(&p);
	owner_stop(&o);
}

/* A file that BOB has used already is no use to the program. */
static long on_lend_used(long id, long b, long c)
{
	long ret = on_export_all(RW, 0, 0);

	ret = ret < 0 && ret > -200 ? ret : on_import(ret, 0, RW);
	return ret ? ret : suid_run(mine.fd, (__u64)id);
}

static void test_lend_used(void)
{
	struct peer p;

	owner_as(ALICE);
	user_as(&p, BOB);
	check_int(peer_call(&p, on_lend_used, (long)o.id, 0, 0), ==,
		  0x80 | ESTALE);
	peer_stop(&p);
	owner_stop(&o);
}

static long on_suid(long a, long b, long c)
{
	return suid_exec(own_fd, 0, "1");
}

/*
 * BOB exports himself and becomes a program that runs as ALICE. The file stays
 * open, so that nothing but the end of his memory ends the export.
 */
static void test_owner_exec(void)
{
	struct import im;
	struct peer p;

	owner_as(BOB);
	check_int(import_open(&im, o.id, LEN, RW, 0), ==, 0);
	check_int(load(im.win), ==, 0x31);
	check_int(on(on_suid, 0, 0, 0), ==, -EPIPE);
	check_int(kill(o.peer.pid, 0), ==, 0);
	check_int(load(im.win), ==, -SIGBUS);
	check_int(load(im.win + PAGE), ==, -SIGBUS);
	check_int(store(im.win, 1), ==, -SIGBUS);
	check_uint(im.st->state, ==, XPMEM_NUMA_OWNER_GONE);
	user_as(&p, BOB);
	check_int(peer_call(&p, on_try, (long)o.id, RO, 0), ==, -ENOENT);
	peer_stop(&p);
	check_int(import_close(&im), ==, 0);
	peer_kill(&o.peer, SIGKILL);
}

/* An importer that becomes such a program has neither windows nor handles. */
static void test_importer_exec(void)
{
	int status = -1;
	struct owner a;
	pid_t pid;

	check_int(owner_start(&a, LEN, RW), ==, 0);
	pid = fork();
	if (!pid) {
		struct import im;

		check_int(import_open(&im, a.id, LEN, RW, 0), ==, 0);
		check_int(load(im.win), ==, 0);
		check_int(on_drop(BOB, STAFF, 0), ==, 0);
		if (!tap.child_bad)
			suid_exec(im.fd, a.id, "0");
		_exit(3);
	}
	check_int(waitpid(pid, &status, 0), ==, pid);
	check(WIFEXITED(status));
	check_int(WEXITSTATUS(status), ==, 0x80 | ESTALE);
	check(stat_settles("imports", 0));
	check(stat_settles("windows", 0));
	check_int(owner_stop(&a), ==, 0);
}

/* ---- files and names ---- */

/* Root exports, then is BOB: the export is root's, the next one is his. */
static void test_owner_drops(void)
{
	struct peer p;
	long id;

	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(on(on_drop, BOB, STAFF, 0), ==, 0);
	id = on(on_export_all, RW, 0, 0);
	user_as(&p, BOB);
	check_int(peer_call(&p, on_try, (long)o.id, RO, 0), ==, -EACCES);
	check_int(peer_call(&p, on_try, id, RW, 0), ==, 0);
	peer_stop(&p);
	owner_stop(&o);
}

/* A file opened for reading only shows no window that could be written. */
static void test_open_modes(void)
{
	static const int modes[] = { O_RDONLY, O_WRONLY };
	struct xpmem_numa_import i;
	size_t n;
	int fd;

	check_int(owner_start(&o, LEN, RW), ==, 0);
	for (n = 0; n < 2; n++) {
		fd = open(XPMEM_NUMA_DEVICE, modes[n] | O_CLOEXEC);
		check_int(dev_import(fd, o.id, RW, 0, &i), ==, 0);
		check(dev_window(fd, i.handle, AREA, LEN,
				 PROT_READ | PROT_WRITE) == MAP_FAILED);
		check_int(errno, ==, EACCES);
		close(fd);
	}
	fd = open(XPMEM_NUMA_DEVICE, O_PATH | O_CLOEXEC);
	check_int(dev_import(fd, o.id, RW, 0, &i), ==, -EBADF);
	close(fd);
	owner_stop(&o);
}

/* The same file by another name is another file: it has no handles. */
static void test_reopen(void)
{
	struct import im;
	char path[40];
	int fd;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(load(im.win), ==, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", im.fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	check_int(fd, >=, 0);
	check_int(dev_handle(fd, XPMEM_NUMA_WAKE, im.handle), ==, -ENOENT);
	check(dev_window(fd, im.handle, AREA, PAGE, PROT_READ) == MAP_FAILED);
	check_int(close(fd), ==, 0);
	check_int(dev_handle(im.fd, XPMEM_NUMA_WAKE, im.handle), ==, 0);
	/* and a window's own file is no file to be opened */
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
		 (unsigned long)im.win, (unsigned long)im.win + LEN);
	check_int(open(path, O_RDWR | O_CLOEXEC), ==, -1);
	check_int(open(path, O_RDONLY | O_CLOEXEC), ==, -1);
	share_close(&o, &im);
}

/* Neighbours of one's own id, small numbers, and many at random. */
static long on_guess(long id, long tries, long seed)
{
	struct xpmem_numa_import i;
	long n, found = 0, guess;
	int fd = dev_open();

	srandom((unsigned int)seed);
	for (n = 0; n < tries; n++) {
		guess = n % 3 == 0 ? id + n / 3 - 5 : n % 3 == 1 ? n / 3 :
			(random() << 40) ^ (random() << 20) ^ random();
		if (guess != id)
			found += dev_import(fd, (__u64)guess, RO, 0, &i) !=
				 -ENOENT;
	}
	close(fd);
	return found;
}

static void test_guess(void)
{
	struct peer p;
	long id;

	user_as(&p, BOB);
	id = peer_call(&p, on_export_all, RO, 0, 0);
	owner_as(ALICE);
	check_int(peer_call(&p, on_guess, id, 30000, 1), ==, 0);
	peer_stop(&p);
	owner_stop(&o);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return suid_main(argv);
	guest_begin();
	if (suid_make())
		skip_all("no program that runs as its owner");
	TEST(test_namespaces(0), "root of his own namespaces is not above root");
	TEST(test_namespaces(ALICE), "... nor above another user");
	TEST(test_victim_inside(), "... also where that one is root of his own");
	TEST(test_lend(), "what a setuid program imports is not its caller's");
	TEST(test_lend_used(), "a setuid program cannot use its caller's file");
	TEST(test_owner_exec(), "I1: an owner that execs setuid is out of reach");
	TEST(test_importer_exec(), "an importer that execs setuid has nothing");
	TEST(test_owner_drops(), "an export is whose it was when it was made");
	TEST(test_open_modes(), "I5: a file open for reading writes nothing");
	TEST(test_reopen(), "a file opened again by /proc has no handles");
	TEST(test_guess(), "30,000 guesses find no export");
	unlink(SUID);
	return tap_done();
}
