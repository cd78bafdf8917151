/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random calls by threads of processes that export to and import from each
 * other. They end, each with success or a documented error, and nothing of them
 * stays. XNUMA_SEED=N repeats a run, as far as the scheduler does.
 */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "fuzz.h"
#include "fuzz-values.h"
#include "guest.h"
#include "tap.h"

#define PROCS	4
#define THREADS	2		/* of each process; they share all it has */
#define NPAGES	FUZZ_PAGES
#define LEN	(NPAGES * PAGE)
#define IDS	16
#define FILES	3
#define WINDOWS	32

static volatile __u64 *ids;	/* shared by all: ids that were alive once */
static unsigned int first_seed;
static long calls = 12500;	/* of each thread */

/* Threads race for the entries, and may end a window twice. */
static struct {
	volatile int fd[FILES];
	struct {
		char *volatile at;
		volatile size_t len;
	} win[WINDOWS];
} my;

static int undocumented;	/* answers */

static int judge(bool documented, const char *what, int ret)
{
	if (ret < 0 && !documented && errno != EBADF)
		if (__atomic_fetch_add(&undocumented, 1, __ATOMIC_RELAXED) < 5)
			fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return ret;
}

/* A file that another thread has just closed is EBADF. */
static int call(int fd, unsigned long cmd, void *arg)
{
	const struct fuzz_call *c = fuzz_find(cmd);
	int ret = ioctl(fd, cmd, arg);

	return judge(c ? fuzz_documented(c, errno) : errno == ENOTTY,
		     c ? c->name : "a call that is none", ret);
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
		mutate(XPMEM_NUMA_IMPORT, &i);
		return call(fd, XPMEM_NUMA_IMPORT, &i);
	}
	if (pick(2)) {
		e.addr = any_va();
		e.len = any_len();
	}
	mutate(XPMEM_NUMA_EXPORT, &e);
	ret = call(fd, XPMEM_NUMA_EXPORT, &e);
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

	struct xpmem_numa_query q = { 0 };
	unsigned long cmd;
	void *arg;

	switch (pick(9)) {
	case 0:
	case 1:
		cmd = simple[pick(3)];
		arg = &h;
		break;
	case 2:
	case 3:
		if (!pick(4))
			r.va = r.len = 0;
		cmd = range[pick(3)];
		arg = &r;
		break;
	case 4:
	case 5:
	case 6:
		cmd = XPMEM_NUMA_PREFAULT;
		arg = &p;
		break;
	case 7:
		cmd = XPMEM_NUMA_QUERY;
		arg = &q;
		break;
	default:
		cmd = XPMEM_NUMA_STATS_READ;
		arg = &s;
	}
	mutate(cmd, arg);
	return call(fd, cmd, arg);
}

/* Any command at all, with an argument of noise. */
static int call_noise(int fd)
{
	__u64 arg[64];
	unsigned int i;

	for (i = 0; i < 64; i++)
		arg[i] = pick(3) ? 0 : any_bits();
	switch (pick(4)) {
	case 0:
		return call(fd, fuzz_calls[pick(FUZZ_CALLS)].cmd, arg);
	case 1:
		/* bit 31 decides nothing: there is no argument to be read */
		return call(fd, fuzz_calls[pick(FUZZ_CALLS)].cmd,
			    (void *)(any_bits() | 1ULL << 63));
	default:
		return call(fd, _IOC(pick(4), XPMEM_NUMA_IOCTL, pick(16),
				     pick(300)), arg);
	}
}

/* Far from all else, since a window may end while it is used, or twice. */
static void *window_hint(void)
{
	return (void *)(0x200000000000 + pick(4096) * GIB);
}

static int call_window(int fd)
{
	unsigned int n = pick(WINDOWS);
	int prot = pick(10) ? PROT_READ | (pick(2) ? PROT_WRITE : 0) :
			      (int)pick(8);
	int flags = pick(10) ? MAP_SHARED : MAP_PRIVATE;
	size_t len = pick(8) ? (1 + pick(NPAGES)) * PAGE : any_len();
	void *at;

	at = __atomic_exchange_n(&my.win[n].at, NULL, __ATOMIC_RELAXED);
	if (at)
		munmap(at, my.win[n].len);
	at = mmap(window_hint(), len, prot, flags | MAP_FIXED_NOREPLACE, fd,
		  (off_t)XPMEM_NUMA_OFFSET(any_handle() & 0xffff, any_va()));
	if (at == MAP_FAILED)
		return judge(fuzz_documented_mmap(errno), "mmap", -1);
	my.win[n].len = len;
	my.win[n].at = at;
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

/* No thread closes what is another's by now. */
static void file_put(unsigned int n, int fd)
{
	int old = __atomic_exchange_n(&my.fd[n], fd, __ATOMIC_RELAXED);

	if (old >= 0)
		close(old);
}

static int call_file(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned int n = pick(FILES);
	char buf[16];

	switch (pick(30)) {
	case 0:
		file_put(n, -1);
		file_put(n, open(XPMEM_NUMA_DEVICE,
				 O_RDWR | O_CLOEXEC | O_NONBLOCK));
		return 0;
	case 1:
	case 2:
		return poll(&p, 1, 0);
	default:
		return (int)read(fd, buf, pick(16));
	}
}

static void *fuzz_thread(void *own_seed)
{
	static int (*const what[])(int) = {
		call_make,  call_make,	 call_on_handle, call_on_handle,
		call_noise, call_window, call_window,	 call_touch,
		call_touch, call_touch,	 call_touch,	 call_memory,
		call_file };
	long n, good = 0;

	seed = (unsigned int)(uintptr_t)own_seed;
	for (n = 0; n < calls; n++)
		good += what[pick(sizeof(what) / sizeof(*what))](
				my.fd[pick(FILES)]) >= 0;
	return (void *)good;
}

/* How many calls succeeded; -EPROTO if one had an answer of its own. */
static long on_fuzz(long own_seed, long b, long c)
{
	pthread_t thread[THREADS];
	void *good;
	long sum = 0;
	int i;

	for (i = 0; i < FILES; i++)
		my.fd[i] = open(XPMEM_NUMA_DEVICE,
				O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (on_map(AREA, LEN, 0))
		return -errno;
	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, fuzz_thread,
			       (void *)(own_seed + i));
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &good);
		sum += (long)good;
	}
	return undocumented ? -EPROTO : sum;
}

static void test_fuzz(void)
{
	struct peer p[PROCS];
	long good;
	int i;

	for (i = 0; i < PROCS; i++)
		check_int(peer_start(&p[i]), ==, 0);
	for (i = 0; i < PROCS; i++)
		check_int(peer_begin(&p[i], on_fuzz,
				     (long)first_seed + i * THREADS, 0, 0), ==,
			  0);
	for (i = 0; i < PROCS; i++) {
		good = peer_end(&p[i]);
		tap_diag("process %d: %ld of %ld calls succeeded", i, good,
			 calls * THREADS);
		check_int(good, >, calls * THREADS / 10);
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
	if (getenv("XNUMA_LONG")) {
		printf("# limit: 1800\n");
		alarm(1790);
		calls *= 10;
	}
	first_seed = text ? (unsigned int)strtoul(text, NULL, 0) :
			    (unsigned int)time(NULL);
	tap_diag("XNUMA_SEED=%u", first_seed);
	ids = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST(test_fuzz(), "100,000 random calls, each answered as documented");
	return tap_done();
}
