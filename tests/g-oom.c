/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An owner that runs out of memory. When the killed task cannot exit by itself
 * the kernel's reaper comes, which may not block: what is mapped elsewhere it
 * must be refused, and the pages stay until the task is gone (I1).
 */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "guest.h"
#include "tap.h"

#define MNT	"/tmp/g-oom"
#define GROUP	"/sys/fs/cgroup/g-oom"
#define SHARED	(4 * MIB)
#define IDLE	(AREA + (long)GIB)	/* was imported, is not mapped by anybody */
#define LEN	(128 * MIB)
#define LIMIT	20000

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))

static int group_make(void)
{
	file_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		return -errno;
	file_write(GROUP "/memory.swap.max", "0");
	return file_write(GROUP "/memory.max", "33554432");
}

static long on_join(long a, long b, long c)
{
	return file_write(GROUP "/cgroup.procs", "0");
}

static void begin(void)
{
	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_int(on(on_join, 0, 0, 0), ==, 0);
	check_int(on(on_fill, AREA, SHARED, 0x31), ==, 0);
	check_int(import_open(&im, o.id, SHARED, RW, 0), ==, 0);
	check_int(load(im.win), ==, 0x31);
	check_int(load(im.win + 2 * MIB), ==, 0x31);
}

static void end(void)
{
	check_int(load(im.win), ==, -SIGBUS);
	check_int(load(im.win + 2 * MIB), ==, -SIGBUS);
	check_uint(im.st->state, ==, XPMEM_NUMA_OWNER_GONE);
	check_int(import_close(&im), ==, 0);
	check(stat_settles("exports", 0));
	check(stat_settles("granules", 0));
}

static void test_kill(void)
{
	int status;

	begin();
	check_int(on(on_fill, AREA, LEN, 0x32), ==, -EPIPE);
	status = peer_stop(&o.peer);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	end();
}

/* A thread of the owner that cannot die before the file system thaws. */
static _Atomic pid_t stuck_tid;

static void *stuck(void *file)
{
	stuck_tid = gettid();
	*(volatile char *)file = 1;
	return NULL;
}

static char state_of(pid_t tid)
{
	char path[48], text[256] = "", *end;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	end = read(fd, text, sizeof(text) - 1) > 0 ? strrchr(text, ')') : NULL;
	close(fd);
	return end ? end[2] : '?';
}

/* Its number, when the thread sleeps where no signal wakes it. */
static long on_stick(long file, long b, long c)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, stuck, (void *)file);

	while (!ret && (!stuck_tid || state_of(stuck_tid) != 'D'))
		usleep(1000);
	return ret ? -ret : stuck_tid;
}

static long on_map_file(long a, long b, long c)
{
	int fd = open(MNT "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	char *p;

	if (ftruncate(fd, PAGE))
		return -errno;
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? -errno : (long)p;
}

static bool answers(struct peer *p, int ms)
{
	struct pollfd ready = { .fd = p->sock, .events = POLLIN };

	return poll(&ready, 1, ms) == 1;
}

/* The reaper has tried: it was refused, and what nobody maps it has taken. */
static bool reaped(long refused, pid_t thread)
{
	int i;

	for (i = 0; i < 30000; i++) {
		if (stat_read("refused") > refused &&
		    !pages_present(thread, IDLE, 512))
			return true;
		usleep(1000);
	}
	return false;
}

/* A granule with a notifier, and memory, that no importer has mapped now. */
static char *idle_make(void)
{
	char *win = dev_window(im.fd, im.handle, IDLE, 2 * MIB,
			       PROT_READ | PROT_WRITE);

	check(win != MAP_FAILED);
	check_int(on(on_map, IDLE, 2 * MIB, 0), ==, 0);
	check_int(on(on_fill, IDLE, 2 * MIB, 0x31), ==, 0);
	check_int(load(win), ==, 0x31);
	check_int(on(on_advise, IDLE, 2 * MIB, MADV_DONTNEED), ==, 0);
	check_int(on(on_fill, IDLE, 2 * MIB, 0x31), ==, 0);
	check_int(pages_present(o.peer.pid, IDLE, 512), ==, 512);
	return win;
}

static void test_reaper(void)
{
	long refused = stat_read("refused"), file, thread;
	char *idle;
	int byte;

	begin();
	idle = idle_make();
	file = on(on_map_file, 0, 0, 0);
	check_int(file, >, 0);
	check_int(fs_freeze(), ==, 0);
	thread = on(on_stick, file, 0, 0);
	check_int(thread, >, 0);
	check_int(peer_begin(&o.peer, on_fill, AREA, LEN, 0x32), ==, 0);
	check(reaped(refused, (pid_t)thread));
	/* the page is still the owner's, and is seen as such, or is gone */
	byte = load(im.win + 2 * MIB);
	check(byte == 0x31 || byte == 0x32 || byte == -SIGBUS);
	/* what was reaped is lost: it must not come back as zeros */
	check_int(load(idle), ==, -SIGBUS);
	check_int(store(idle + PAGE, 1), ==, -SIGBUS);
	check_int(fs_thaw(), ==, 0);
	check(answers(&o.peer, LIMIT));
	peer_stop(&o.peer);
	check_int(load(idle), ==, -SIGBUS);
	check_int(munmap(idle, 2 * MIB), ==, 0);
	end();
}

int main(void)
{
	guest_begin();
	if (group_make())
		skip_all("no memory control group");
	if (fs_mount("/dev/ram2", MNT))
		skip_all("no ext4 on a RAM disk");
	TEST(test_kill(), "I1: an owner killed for memory is gone");
	TEST(test_reaper(), "I1: the reaper is refused what is imported");
	fs_umount(MNT);
	rmdir(GROUP);
	return tap_done();
}
