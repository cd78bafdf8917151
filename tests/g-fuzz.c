/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random calls by processes that export to and import from each other. They
 * end, and nothing of them stays. XNUMA_SEED=N repeats a run, as far as the
 * scheduler does.
 */

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "guest.h"
#include "tap.h"

#define PROCS	4
#define CALLS	25000		/* of each process */
#define NPAGES	256
#define LEN	(NPAGES * PAGE)
#define IDS	16
#define FILES	3
#define WINDOWS	32

static volatile __u64 *ids;	/* shared by all: ids that were alive once */
static unsigned int seed;

static struct {
	int fd[FILES];
	struct {
		char *at;
		size_t len;
	} win[WINDOWS];
} my;

static unsigned int pick(unsigned int n)
{
	return (unsigned int)rand_r(&seed) % n;
}

/* Mostly sensible, sometimes odd, sometimes anything. */
static __u64 any_bits(void)
{
	return (__u64)rand_r(&seed) << 40 ^ (__u64)rand_r(&seed) << 20 ^
	       (__u64)rand_r(&seed);
}

static __u64 any_len(void)
{
	static const __u64 odd[] = { 0, 1, PAGE - 1, 1ULL << 47, -PAGE, ~0ULL };

	return pick(10) ? (1 + pick(NPAGES)) * PAGE :
			  odd[pick(sizeof(odd) / sizeof(*odd))];
}

static __u64 any_va(void)
{
	switch (pick(12)) {
	case 0:
		return any_bits();
	case 1:
		return 0;
	case 2:
		return (1ULL << 47) - pick(3) * PAGE;
	default:
		return (__u64)AREA + pick(NPAGES) * PAGE;
	}
}

static __u32 any_handle(void)
{
	return pick(10) ? 1 + pick(12) : (__u32)any_bits();
}

static __u32 any_flags(void)
{
	return pick(8) ? 0 : 1U << pick(32);
}

static __u32 any_rights(void)
{
	return pick(10) ? 1 + 2 * pick(2) : pick(9);
}

static int call_make(int fd)
{
	struct xpmem_numa_export e = { .rights = any_rights(),
				       .flags = any_flags(),
				       .mode = pick(4) ? 0 : pick(01000) };
	struct xpmem_numa_import i = { .id = ids[pick(IDS)],
				       .rights = any_rights(),
				       .flags = pick(2) | (pick(9) ? 0 :
							   any_flags()) };
	int ret;

	if (pick(3)) {
		i.partition = pick(20) ? 0 : (__u32)any_bits();
		return ioctl(fd, XPMEM_NUMA_IMPORT, &i);
	}
	if (pick(2)) {
		e.addr = any_va();
		e.len = any_len();
	}
	ret = ioctl(fd, XPMEM_NUMA_EXPORT, &e);
	if (!ret)
		ids[pick(IDS)] = e.id;
	return ret;
}

static int call_on_handle(int fd)
{
	static const unsigned long simple[] = { XPMEM_NUMA_UNEXPORT,
						XPMEM_NUMA_UNIMPORT,
						XPMEM_NUMA_WAKE };
	static const unsigned long range[] = { XPMEM_NUMA_DENY,
					       XPMEM_NUMA_ALLOW,
					       XPMEM_NUMA_RESET };
	struct xpmem_numa_handle h = { any_handle(), any_flags() };
	struct xpmem_numa_range r = { .handle = any_handle(),
				      .flags = any_flags(), .va = any_va(),
				      .len = any_len() };
	struct xpmem_numa_prefault p = { .handle = any_handle(),
					 .flags = pick(2) | any_flags(),
					 .va = any_va(), .len = any_len(),
					 .rights = any_rights() };
	struct xpmem_numa_stats s = { .handle = any_handle() };

	switch (pick(8)) {
	case 0:
	case 1:
		return ioctl(fd, simple[pick(3)], &h);
	case 2:
	case 3:
		if (!pick(4))
			r.va = r.len = 0;
		return ioctl(fd, range[pick(3)], &r);
	case 4:
	case 5:
	case 6:
		return ioctl(fd, XPMEM_NUMA_PREFAULT, &p);
	default:
		return ioctl(fd, XPMEM_NUMA_STATS_READ, &s);
	}
}

/* Any command at all, with an argument of noise. */
static int call_noise(int fd)
{
	__u64 arg[64];
	unsigned int i;

	for (i = 0; i < 64; i++)
		arg[i] = pick(3) ? 0 : any_bits();
	return ioctl(fd, pick(2) ? any_bits() :
				   _IOC(pick(4), XPMEM_NUMA_IOCTL, pick(16),
					pick(300)),
		     pick(20) ? arg : (void *)any_bits());
}

static int call_window(int fd)
{
	unsigned int n = pick(WINDOWS);
	int prot = pick(10) ? PROT_READ | (pick(2) ? PROT_WRITE : 0) :
			      (int)pick(8);
	int flags = pick(10) ? MAP_SHARED : MAP_PRIVATE;
	size_t len = pick(8) ? (1 + pick(NPAGES)) * PAGE : any_len();
	void *at;

	if (my.win[n].at) {
		munmap(my.win[n].at, my.win[n].len);
		my.win[n].at = NULL;
	}
	at = mmap(arena_hint(GIB), len, prot, flags, fd,
		  (off_t)XPMEM_NUMA_OFFSET(any_handle() & 0xffff, any_va()));
	if (at == MAP_FAILED)
		return -1;
	my.win[n].at = at;
	my.win[n].len = len;
	return 0;
}

/* Loads, stores, and what can be done to a mapping. */
static int call_touch(int fd)
{
	unsigned int n = pick(WINDOWS);
	char *at = my.win[n].at;
	size_t pages = my.win[n].len / PAGE;

	if (!at || !pages)
		return -1;
	at += pick((unsigned int)pages) * PAGE;
	switch (pick(12)) {
	case 0:
		return mprotect(at, PAGE, PROT_READ | (pick(2) ? PROT_WRITE : 0));
	case 1:
		return madvise(at, PAGE, (int)pick(26));
	case 2:
		return mremap(at, PAGE, pick(3) * PAGE, (int)pick(2)) ==
				       MAP_FAILED ? -1 : 0;
	case 3:
		return munmap(at, PAGE);
	case 4:
	case 5:
	case 6:
		return store(at + 8, 1);
	default:
		return load(at);
	}
}

/* What others have mapped of this process. */
static int call_memory(int fd)
{
	char *at = (char *)AREA + pick(NPAGES) * PAGE;
	size_t len = (1 + pick(16)) * PAGE;

	switch (pick(8)) {
	case 0:
		return munmap(at, len);
	case 1:
	case 2:
		return mmap(at, len, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			    MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at ? 0 : -1;
	case 3:
		return mprotect(at, len, pick(2) ? PROT_READ : PROT_NONE);
	case 4:
		return mprotect(at, len, PROT_READ | PROT_WRITE);
	case 5:
		return madvise(at, len, pick(2) ? MADV_PAGEOUT : MADV_DONTNEED);
	default:
		return store(at, 1);
	}
}

static int call_file(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned int n = pick(FILES);
	char buf[16];

	switch (pick(30)) {
	case 0:
		close(my.fd[n]);
		my.fd[n] = open(XPMEM_NUMA_DEVICE,
				O_RDWR | O_CLOEXEC | O_NONBLOCK);
		return 0;
	case 1:
	case 2:
		return poll(&p, 1, 0);
	default:
		return (int)read(fd, buf, pick(16));
	}
}

/* How many calls succeeded. */
static long on_fuzz(long own_seed, long b, long c)
{
	static int (*const calls[])(int) = {
		call_make,  call_make,	 call_on_handle, call_on_handle,
		call_noise, call_window, call_window,	 call_touch,
		call_touch, call_touch,	 call_touch,	 call_memory,
		call_file };
	long n, good = 0;
	int i;

	seed = (unsigned int)own_seed;
	/* a store that strays would be no kernel's fault */
	for (i = 0; i < FILES; i++)
		my.fd[i] = open(XPMEM_NUMA_DEVICE,
				O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (on_map(AREA, LEN, 0))
		return -errno;
	for (n = 0; n < CALLS; n++)
		good += calls[pick(sizeof(calls) / sizeof(*calls))](
				my.fd[pick(FILES)]) >= 0;
	return good;
}

static void test_fuzz(void)
{
	struct peer p[PROCS];
	long good;
	int i;

	for (i = 0; i < PROCS; i++)
		check_int(peer_start(&p[i]), ==, 0);
	for (i = 0; i < PROCS; i++)
		check_int(peer_begin(&p[i], on_fuzz, seed + (unsigned)i, 0, 0),
			  ==, 0);
	for (i = 0; i < PROCS; i++) {
		good = peer_end(&p[i]);
		tap_diag("process %d: %ld of %d calls succeeded", i, good,
			 CALLS);
		check_int(good, >, CALLS / 10);
		check_int(peer_stop(&p[i]), ==, 0);
	}
	check(stat_settles("exports", 0));
	check(stat_settles("imports", 0));
	check(stat_settles("windows", 0));
	check(stat_settles("granules", 0));
	check(stat_settles("metadata", 0));
}

int main(void)
{
	const char *text = getenv("XNUMA_SEED");

	guest_begin();
	seed = text ? (unsigned int)strtoul(text, NULL, 0) :
		      (unsigned int)time(NULL);
	tap_diag("XNUMA_SEED=%u", seed);
	ids = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST(test_fuzz(), "100000 random calls leave nothing behind");
	return tap_done();
}
