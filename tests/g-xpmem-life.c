/* SPDX-License-Identifier: BSD-3-Clause */
/* libxpmem: forks, ends, threads, and what other parts of a process do. */

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "guest-xpmem.h"
#include "tap.h"

#define LEN	(16 * PAGE)

static struct peer p;
static long segid, apid;	/* of the peer's AREA */
static char *at;

#define on(fn, a, b, c) peer_call(&p, fn, (long)(a), (long)(b), (long)(c))

static void begin(void)
{
	segid = x_owner(&p, LEN, 0600);
	apid = x_get(segid, XPMEM_RDWR);
	at = (char *)x_attach(apid, 0, LEN, NULL);
	check_int(store(at, 0x31), ==, 0);
}

static void end(void)
{
	check_int(x_release(apid), ==, 0);
	peer_stop(&p);
}

/* Has the process a file of the device? */
static bool has_device(pid_t pid)
{
	char path[300], target[100];
	struct dirent *entry;
	bool found = false;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid,
			 entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		found |= !strcmp(target, XPMEM_NUMA_DEVICE);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* ---- forks ---- */

/* A segment of the parent, made before the fork, and its memory. */
static long made;
static char *mem;

static char *map_at(char *place)
{
	return mmap(place, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void child_works(void)
{
	long own;
	char *ptr;

	check_int(load(at), ==, -SIGSEGV);
	check_int(x_remove(made), ==, -EACCES);
	/* what is there now is the child's */
	ptr = map_at(at);
	check_int(x_detach(ptr), ==, -EINVAL);
	check_int(munmap(ptr, PAGE), ==, 0);
	check_int(x_detach(at), ==, 0);
	/* the permit is inherited */
	ptr = (char *)x_attach(apid, 0, LEN, NULL);
	check_int(store(ptr + PAGE, 0x32), ==, 0);
	/* the parent's memory, not the copy */
	own = x_get(made, XPMEM_RDWR);
	ptr = (char *)x_attach(own, 0, PAGE, NULL);
	mem[0] = 1;
	check_int(load(ptr), ==, 0x41);
	check_int(store(ptr, 0x42), ==, 0);
	check_int(x_release(own), ==, 0);
	check_int(x_release(apid), ==, 0);
	check_int(x_attach(apid, 0, LEN, NULL), ==, -ENOENT);
	/* a segment of its own */
	own = x_make(mem, PAGE, 0600);
	ptr = (char *)x_import(own, XPMEM_RDWR, 0, PAGE);
	check_int(load(ptr), ==, 1);
	check_int(x_remove(own), ==, 0);
}

/* Not by fork(): nothing of the C library learns of it. */
static pid_t raw_fork(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void test_child(pid_t (*make_child)(void))
{
	pid_t pid;

	begin();
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	made = x_make(mem, PAGE, 0600);
	mem[0] = 0x41;
	fflush(stdout);
	pid = make_child();
	if (!pid) {
		child_works();
		child_done();
	}
	check_child(pid);
	check_int(mem[0], ==, 0x42);
	check_int(load(at), ==, 0x31);
	check_int(load(at + PAGE), ==, 0x32);
	check_int(on(on_load, AREA + PAGE, 0, 0), ==, 0x32);
	check_int(x_attach(apid, 0, LEN, NULL), >, 0);
	check_int(x_remove(made), ==, 0);
	munmap(mem, PAGE);
	end();
}

/* A child that has got past fork(); it ends with the caller. */
static long on_child(long a, long b, long c)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(3);	/* or the parent's end would not be seen */
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	if (read(ready[0], &byte, 1) != 1)
		pid = -1;
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* The owner has a child when it dies: that must not keep the segment. */
static void test_orphan(void)
{
	long child;

	begin();
	child = on(on_child, 0, 0, 0);
	check(has_device(p.pid));
	check(!has_device((pid_t)child));
	check_int(peer_kill(&p, SIGKILL), ==, SIGKILL);
	check_int(load(at), ==, -SIGBUS);
	check_int(x_get(segid, XPMEM_RDWR), ==, -ENOENT);
	end();
}

/* ---- other ends ---- */

static long on_exec(long a, long b, long c)
{
	execl("/bin/sh", "sh", "-c", "kill -STOP $$", NULL);
	return -errno;
}

static void test_exec(void)
{
	int status;

	begin();
	check_int(peer_begin(&p, on_exec, 0, 0, 0), ==, 0);
	check_int(waitpid(p.pid, &status, WUNTRACED), ==, p.pid);
	check(WIFSTOPPED(status));
	check(!has_device(p.pid));
	check_int(load(at), ==, -SIGBUS);
	check_int(x_get(segid, XPMEM_RDWR), ==, -ENOENT);
	peer_kill(&p, SIGKILL);
	check_int(x_release(apid), ==, 0);
}

/* Who else opens and closes the device takes nothing away. */
static void test_others(void)
{
	int fd, copy;

	begin();
	fd = dev_open();
	check_int(fd, >=, 0);
	copy = dup(fd);
	check_int(close(fd), ==, 0);
	check_int(close(copy), ==, 0);
	check_int(load(at), ==, 0x31);
	check_int(load(at + PAGE), ==, 0);
	check_int(x_attach(apid, 0, LEN, NULL), >, 0);
	end();
}

static void test_unmapped(void)
{
	char *hole = mmap(NULL, LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	begin();
	check_int(munmap(at + PAGE, PAGE), ==, 0);
	check_int(load(at), ==, 0x31);
	check_int(load(at + PAGE), ==, -SIGSEGV);
	check_int(munmap(at, LEN), ==, 0);
	check_int(x_detach(at), ==, 0);

	/* the same place twice, unmapped between, and then not ours */
	check_int(x_attach(apid, 0, LEN, hole), ==, (long)hole);
	check_int(munmap(hole, LEN), ==, 0);
	check_int(x_attach(apid, 0, LEN, hole), ==, (long)hole);
	check_int(load(hole), ==, 0x31);
	check_int(x_attach(apid, 0, LEN, hole), ==, -EINVAL);
	check_int(x_detach(hole), ==, 0);
	check_int(stat_read("windows"), ==, 0);
	map_at(hole);
	check_int(store(hole, 1), ==, 0);
	check_int(x_detach(hole), ==, -EINVAL);
	end();
	check_int(load(hole), ==, 1);
	munmap(hole, PAGE);
}

/* ---- without the device ---- */

static long on_hide(long type, long b, long c)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/dev", "tmpfs", 0, NULL))
		return -errno;
	if (type == 1 && mknod(XPMEM_NUMA_DEVICE, S_IFCHR | 0666, 0x103))
		return -errno;
	if (type == 2 && mknod(XPMEM_NUMA_DEVICE, S_IFCHR | 0, 0x103))
		return -errno;
	return type == 2 ? on_x_become(1001, 1001, 0) : 0;
}

static void test_hidden(int type, int err)
{
	check_int(peer_start(&p), ==, 0);
	check_int(on(on_hide, type, 0, 0), ==, 0);
	check_int(on(on_x_version, 0, 0, 0), ==, err);
	check_int(on(on_x_make, AREA, LEN, 0600), ==, err);
	check_int(on(on_x_get, 1, XPMEM_RDWR, 0), ==, err);
	check_int(on(on_x_remove, 1, 0, 0), ==, err);
	check_int(on(on_x_release, 1, 0, 0), ==, -ENOENT);
	check_int(on(on_x_attach, 1, 0, LEN), ==, -ENOENT);
	check_int(on(on_x_detach, AREA, 0, 0), ==, 0);
	peer_stop(&p);
}

/* ---- threads ---- */

#define THREADS	4
#define ROUNDS	150

static _Atomic bool over;

/* Each has bytes of its own in each page. */
static void *work(void *arg)
{
	long me = (long)arg, permit, own, n, off, bad = 0;
	char *ptr;

	for (n = 0; n < ROUNDS; n++) {
		off = n * 7 % 16 * (long)PAGE;
		permit = x_get(segid, XPMEM_RDWR);
		ptr = (char *)x_attach(permit, off, PAGE, NULL);
		bad += store(ptr + me, (int)n & 0x7f) != 0;
		bad += load(at + off + me) != (n & 0x7f);
		if (n % 2)
			bad += x_detach(ptr) != 0;
		bad += x_release(permit) != 0;
		own = x_make((void *)AREA, PAGE, 0600);
		bad += x_remove(own) != 0;
		ptr = (char *)x_attach(apid, off, PAGE, NULL);
		bad += load(ptr + me) != (n & 0x7f);
		bad += x_detach(ptr) != 0;
	}
	return (void *)bad;
}

/* Children of a process whose other threads hold whatever lock. */
static void *forks(void *arg)
{
	long n = 0, bad = 0;
	pid_t pid;
	int status;

	for (; !atomic_load(&over) || n < 3; n++) {
		pid = fork();
		if (!pid) {
			alarm(60);
			_exit(x_import(segid, XPMEM_RDWR, 0, PAGE) < 0);
		}
		bad += waitpid(pid, &status, 0) != pid || status;
	}
	return (void *)bad;
}

static void test_threads(void)
{
	pthread_t threads[THREADS], forker;
	void *bad;
	long i;

	begin();
	atomic_store(&over, false);
	pthread_create(&forker, NULL, forks, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)(8 + i));
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &bad);
		check_int((long)bad, ==, 0);
	}
	atomic_store(&over, true);
	pthread_join(forker, &bad);
	check_int((long)bad, ==, 0);
	end();
	check(stat_settles("windows", 0));
	check(stat_settles("imports", 0));
}

int main(void)
{
	guest_begin();
	TEST(test_child(fork), "a forked child starts anew, with its parent's permits");
	TEST(test_child(raw_fork), "... even if the C library did not see the fork");
	TEST(test_orphan(), "a segment ends with its owner, not with its children");
	TEST(test_exec(), "... and by exec");
	TEST(test_others(), "other files of the device may be closed");
	TEST(test_unmapped(), "munmap() of attachments does no harm");
	TEST(test_hidden(0, -ENOENT), "without the device: ENOENT");
	TEST(test_hidden(1, -EPROTO), "another device: EPROTO");
	TEST(test_hidden(2, -EACCES), "no right to open it: EACCES");
	TEST(test_threads(), "threads make all calls at once, and fork");
	return tap_done();
}
