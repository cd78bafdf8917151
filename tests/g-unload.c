/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The module cannot go while anything of it is in use, and goes when nothing
 * is, whoever opens the device meanwhile.
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "guest.h"
#include "tap.h"

#define LEN	(16 * PAGE)
#define JOB	"/run/lab/job/config"
#define ROUNDS	20

static char path[4096], params[1024];

/* NAME=VALUE or NAME='VALUE' of the lab's. */
static void setting(const char *name, char *value, size_t len)
{
	FILE *f = fopen(JOB, "r");
	char line[4096], *p;
	size_t n = strlen(name);

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, n) || line[n] != '=')
			continue;
		p = line + n + 1;
		p += *p == '\'' || *p == '"';
		p[strcspn(p, "'\"\n")] = '\0';
		snprintf(value, len, "%s", p);
	}
	if (f)
		fclose(f);
}

static int module_load(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	ret = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return ret;
}

static int module_unload(void)
{
	return syscall(SYS_delete_module, "xpmem_numa", O_NONBLOCK) ? -errno : 0;
}

/* What was closed may be let go by a worker, a moment later. */
static int module_unload_soon(void)
{
	int i, ret = -EAGAIN;

	for (i = 0; i < 5000 && ret; i++) {
		ret = module_unload();
		if (ret)
			usleep(2000);
	}
	return ret;
}

static void check_busy(void)
{
	check_int(module_unload(), ==, -EAGAIN);
}

/* It goes, and comes back as new. */
static void check_idle(void)
{
	check_int(module_unload_soon(), ==, 0);
	check_int(dev_open(), <, 0);
	check_int(module_load(), ==, 0);
	check_int(stat_read("faults"), ==, 0);
}

static void test_file(void)
{
	int fd = dev_open();

	check_int(fd, >=, 0);
	check_busy();
	check_int(close(fd), ==, 0);
	check_idle();
}

/* By its file alone, and when the file's process is dead and its copy is not. */
static void test_export(void)
{
	struct owner o;

	check_int(owner_start(&o, LEN, RW), ==, 0);
	check_busy();
	owner_stop(&o);
	check_idle();
}

/* Each of what an import has, when all else is gone. */
static void test_import(bool window)
{
	struct owner o;
	struct import im;

	check_int(share_open(&o, &im, LEN, RW, RW, POISON), ==, 0);
	check_int(load(im.win), ==, 0);
	owner_stop(&o);
	check_busy();
	check_int(close(im.fd), ==, 0);
	im.fd = -1;
	check_busy();
	if (window) {
		check_int(munmap((void *)im.st, 2 * PAGE), ==, 0);
		im.st = NULL;
	} else {
		check_int(munmap(im.win, LEN), ==, 0);
		im.win = NULL;
	}
	check_busy();
	if (window)
		check_int(load(im.win + PAGE), ==, 0);
	else
		check_uint(im.st->state, !=, XPMEM_NUMA_ACTIVE);
	check_int(import_close(&im), ==, 0);
	check_idle();
}

/* In a child that has no window but the file, and in a socket nobody reads. */
static void test_elsewhere(void)
{
	struct xpmem_numa_export e;
	int fd = dev_open(), p[2];
	pid_t pid;

	check_int(dev_export(fd, NULL, 0, RW, &e), ==, 0);
	check_int(pipe(p), ==, 0);
	pid = fork();
	if (!pid) {
		close(p[1]);
		read(p[0], &e, 1);
		_exit(0);
	}
	close(p[0]);
	check_int(close(fd), ==, 0);
	check_busy();
	close(p[1]);
	check_child(pid);
	check_idle();
}

/*
 * Exports to itself, looks at it, and ends in any order, again and again; with
 * pauses, or there would never be a moment without.
 */
static void user_main(unsigned int seed)
{
	struct xpmem_numa_export e;
	struct import im;
	int fd;

	alarm(200);
	on_map(AREA, (long)LEN, 0);
	for (;;) {
		usleep((useconds_t)rand_r(&seed) % 20000);
		fd = dev_open();
		if (fd < 0 || dev_export(fd, NULL, 0, RW, &e)) {
			close(fd);
			continue;
		}
		if (!import_open(&im, e.id, LEN, RW, POISON)) {
			load(im.win);
			store(im.win + PAGE, 1);
			if (rand_r(&seed) % 2)
				close(fd);
			load(im.win + 2 * PAGE);
			import_close(&im);
		}
		close(fd);
	}
}

static void test_loop(void)
{
	enum { USERS = 3 };
	pid_t user[USERS];
	int round, i, refused = 0, ret;

	for (i = 0; i < USERS; i++) {
		user[i] = fork();
		if (!user[i])
			user_main((unsigned int)i);
	}
	for (round = 0; round < ROUNDS; round++) {
		while ((ret = module_unload()) == -EAGAIN) {
			refused++;
			usleep(500);
		}
		if (!check_int(ret, ==, 0) || !check_int(module_load(), ==, 0))
			break;
	}
	tap_diag("unloaded %d times, refused %d times", round, refused);
	check_int(refused, >, 0);
	for (i = 0; i < USERS; i++) {
		kill(user[i], SIGKILL);
		check_int(waitpid(user[i], NULL, 0), ==, user[i]);
	}
	check(stat_settles("exports", 0));
	check(stat_settles("imports", 0));
	check(stat_settles("metadata", 0));
	check_idle();
}

/* It is the module that the next test finds. */
static void test_after(void)
{
	struct owner o;
	struct import im;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(store(im.win, 0x31), ==, 0);
	check_int(peer_call(&o.peer, on_load, AREA, 0, 0), ==, 0x31);
	share_close(&o, &im);
}

int main(void)
{
	guest_begin();
	setting("LAB_KMOD", path, sizeof(path));
	setting("LAB_KMOD_PARAMS", params, sizeof(params));
	if (access(path, R_OK))
		skip_all("where is the module? not in " JOB);
	TEST(test_file(), "an open file keeps the module");
	TEST(test_export(), "an export keeps it, in another process");
	TEST(test_import(true), "a window keeps it, without file and owner");
	TEST(test_import(false), "status pages keep it, without file and owner");
	TEST(test_elsewhere(), "a file that only a child has keeps it");
	TEST(test_loop(), "unloaded 20 times under processes that use it");
	TEST(test_after(), "what was loaded last works");
	return tap_done();
}
