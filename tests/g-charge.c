/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a user makes the module allocate is charged to his memory cgroup: a
 * small one stops him long before the limits of the module do, and is given
 * back what he leaves.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define CGROUPS	"/sys/fs/cgroup"
#define DIR	CGROUPS "/g-charge"
#define ALICE	1001
#define LIMIT	(6 * (long)MIB)

static long *made;	/* how many objects the peer got */

static long charged(void)
{
	long bytes = -1;
	FILE *f = fopen(DIR "/memory.current", "r");

	if (f) {
		if (fscanf(f, "%ld", &bytes) != 1)
			bytes = -1;
		fclose(f);
	}
	return bytes;
}

/*
 * In the cgroup, as a user without privileges, and left alone by its OOM
 * killer, so that the refusal is seen.
 */
static long on_confine(long uid, long b, long c)
{
	char pid[16];
	int ret;

	snprintf(pid, sizeof(pid), "%d", getpid());
	ret = file_write("/proc/self/oom_score_adj", "-1000");
	if (!ret)
		ret = file_write(DIR "/cgroup.procs", pid);
	if (!ret && setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid))
		ret = -errno;
	return ret;
}

static long on_become(long uid, long b, long c)
{
	return setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) ? -errno : 0;
}

/* The answer needs memory as well: all is given back before it. */
static long done(int fd, int ret)
{
	close(fd);
	return ret;
}

static long on_exports(long a, long b, long c)
{
	struct xpmem_numa_export e;
	int ret = 0, fd = dev_open();

	while (!ret) {
		ret = dev_export(fd, NULL, 0, RW, &e);
		*made += !ret;
	}
	return done(fd, ret);
}

static long on_imports(long id, long b, long c)
{
	struct xpmem_numa_import i;
	int ret = 0, fd = dev_open();

	while (!ret) {
		ret = dev_import(fd, (__u64)id, RO, POISON, &i);
		*made += !ret;
	}
	return done(fd, ret);
}

/* Every second page: ranges that touch are one. */
static long on_denials(long a, long b, long c)
{
	struct xpmem_numa_export e;
	int fd = dev_open(), ret = dev_export(fd, NULL, 0, RW, &e);

	while (!ret) {
		ret = dev_range(fd, XPMEM_NUMA_DENY, e.handle,
				AREA + *made * 2 * (long)PAGE, PAGE);
		*made += !ret;
	}
	return done(fd, ret);
}

static bool charges_return(void)
{
	int i;

	/* what a processor keeps for the next charge is a few pages */
	for (i = 0; i < 1000 && charged() > LIMIT / 8; i++)
		usleep(10000);
	if (i == 1000)
		tap_diag("%ld bytes are still charged", charged());
	return i < 1000;
}

/* Each object takes at least @least bytes. */
static void check_stopped(peer_fn fn, long id, long least)
{
	struct peer p;

	*made = 0;
	check_int(peer_start(&p), ==, 0);
	check_int(peer_call(&p, on_confine, ALICE, 0, 0), ==, 0);
	check_int(peer_call(&p, fn, id, 0, 0), ==, -ENOMEM);
	tap_diag("%ld made, %ld bytes for each", *made, LIMIT / (*made + 1));
	check_int(*made, >, 100);
	check_int(*made, <, LIMIT / least);
	peer_stop(&p);
	check(stat_settles("exports", id ? 1 : 0));
	check(stat_settles("imports", 0));
	check(charges_return());
}

static void test_imports(void)
{
	struct peer o;
	long id;

	check_int(peer_start(&o), ==, 0);
	check_int(peer_call(&o, on_become, ALICE, 0, 0), ==, 0);
	id = peer_call(&o, on_export_all, 0, 0, 0);
	/* the page of status and that for poisoned writes */
	check_stopped(on_imports, id, 2 * PAGE);
	peer_stop(&o);
}

int main(void)
{
	guest_begin();
	printf("# no-faults: limits of what makes no fault\n");
	made = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	file_write(CGROUPS "/cgroup.subtree_control", "+memory");
	if (mkdir(DIR, 0755) || access(DIR "/memory.max", W_OK))
		skip_all("no memory cgroup");
	if (file_write(DIR "/memory.max", "6M") || file_write(DIR "/memory.swap.max", "0"))
		skip_all("no limit on the memory cgroup");
	TEST(check_stopped(on_exports, 0, PAGE), "exports are charged");
	TEST(test_imports(), "imports are charged");
	TEST(check_stopped(on_denials, 0, 48), "denied ranges are charged");
	rmdir(DIR);
	return tap_done();
}
