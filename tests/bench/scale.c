/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scale - what many peers, windows and threads cost
 *
 * Peers are domains of a few other processes, which do nothing unless told.
 * Times are of the processor, so that waiting for one does not count; where the
 * clock counts instructions (lab --icount) they are instructions.
 */
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "scale-hosts.h"

#define WINDOWS_MAX	4096
#define THREADS_MAX	8
#define POLLS		2000
#define SENDS		20
#define GETS		20000

static const char usage[] =
	"usage: scale [OPTION]...\n"
	"What many peers, windows and threads cost, here and now.\n\n"
	"  --peers N     as many peers as 2, 8, 64, ... up to N [512]\n"
	"  --windows N   as many windows as 64, 512, ... up to N [4096]\n"
	"  --threads N   threads 1, 2, 4, ... up to N [8]\n"
	"  --instructions  the clock counts them (lab --icount)\n"
	"  --help        this text\n\n"
	"Each peer of port user takes six descriptors and a thread of the process\n"
	"that plays it, of which there are 4: 4,096 need \"ulimit -n 8192\".\n";

static struct xnuma_peer *peer[PEERS_MAX];
static uint64_t heap[HOSTS];
static atomic_long munmaps;
static const char *unit = "ns";

/* The library calls this one. */
int munmap(void *addr, size_t len)
{
	atomic_fetch_add(&munmaps, 1);
	return syscall(SYS_munmap, addr, len);
}

static double cpu_now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* ---- peers ---- */

static double kib_of(const char *file, const char *name)
{
	FILE *f = fopen(file, "r");
	size_t len = strlen(name);
	char line[200];
	double n = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':')
			n = atof(line + len + 1);
	if (f)
		fclose(f);
	return n;
}

static double poll_cost(void)
{
	double begin = cpu_now(CLOCK_THREAD_CPUTIME_ID);
	long got = 0;
	int i;

	for (i = 0; i < POLLS; i++)
		xnuma_poll(own, count_message, &got, 16);
	return (cpu_now(CLOCK_THREAD_CPUTIME_ID) - begin) / POLLS;
}

static void *receive(void *arg)
{
	long *want = arg, got = 0;

	while (got < *want)
		xnuma_poll(own, count_message, &got, 64);
	return NULL;
}

/* Each new one talks until it has a ring of its own; then all are silent. */
static double talk(long from, long to)
{
	long want = 20 * (to - from), i;
	pthread_t thread;

	pthread_create(&thread, NULL, receive, &want);
	hosts_do(job_send, from, to);
	pthread_join(thread, NULL);
	for (i = 0; i < 6; i++)
		poll_cost();
	return poll_cost();
}

/* No more at a time than their rings take. */
static double send_cost(void)
{
	struct iovec iov = { &unit, 8 };
	double time = 0;
	int i, h;

	for (i = 0; i < SENDS; i++) {
		time -= cpu_now(CLOCK_THREAD_CPUTIME_ID);
		for (h = 0; h < 8 * HOSTS; h++)
			need(!xnuma_send(host[h % HOSTS].peer, 1, &iov, 1),
			     "send");
		time += cpu_now(CLOCK_THREAD_CPUTIME_ID);
		hosts_do(job_poll, 0, 0);
	}
	return time / (SENDS * 8 * HOSTS);
}

static double get_cost(void)
{
	double begin = cpu_now(CLOCK_THREAD_CPUTIME_ID);
	uint64_t word;
	int i;

	for (i = 0; i < GETS; i++)
		need(!xnuma_get(host[i % HOSTS].memory, &word,
				heap[i % HOSTS], sizeof(word), NULL), "get");
	return (cpu_now(CLOCK_THREAD_CPUTIME_ID) - begin) / GETS;
}

static void peers_row(long from, long to)
{
	double connect, tables, bytes, slab, silent, busy;
	double n = to - from;
	int fds;
	long i;

	hosts_do(job_domains, from, to);
	fds = entries("/proc/self/fd");
	slab = kib_of("/proc/meminfo", "Slab");
	tables = kib_of("/proc/self/status", "VmPTE");
	bytes = mallinfo2().uordblks;
	connect = cpu_now(CLOCK_THREAD_CPUTIME_ID);
	for (i = from; i < to; i++)
		need(!xnuma_peer_open(own, blob[i], &peer[i]), "peer");
	connect = (cpu_now(CLOCK_THREAD_CPUTIME_ID) - connect) / n;
	bytes = (mallinfo2().uordblks - bytes) / n;
	tables = (kib_of("/proc/self/status", "VmPTE") - tables) * 1024 / n;
	slab = (kib_of("/proc/meminfo", "Slab") - slab) * 1024 / n;
	fds = entries("/proc/self/fd") - fds;
	hosts_do(job_open, from, to);
	for (i = 0; i < 6; i++)
		poll_cost();
	silent = poll_cost();
	busy = talk(from, to);
	printf("%-8ld%10.0f%8.1f%8.0f%8.0f%8.0f%10.0f%10.0f%8.0f%8.0f\n", to,
	       connect, fds / n, bytes, tables, slab, silent, busy, send_cost(),
	       get_cost());
	fflush(stdout);
}

static void peers_table(long max)
{
	struct xnuma_domain_attr attr;
	long from = 0, to = 2, i;

	xnuma_domain_query(own, &attr);
	printf("# Peers, port %s. Each new one: %s to open it, descriptors, "
	       "bytes of heap,\n# page tables and kernel memory. %s of a poll "
	       "when the new ones never spoke, when all\n# have a ring and are "
	       "silent; of a message and of a get of 8 bytes.\n",
	       attr.port_name, unit, unit);
	printf("%-8s%10s%8s%8s%8s%8s%10s%10s%8s%8s\n", "# Peers", "open", "fds",
	       "heap", "tables", "slab", "poll new", "poll all", "send", "get");
	for (; to <= max; from = to, to = to < 8 ? 8 : 8 * to)
		peers_row(from, to);
	for (i = 0; i < from; i++)
		xnuma_peer_close(peer[i]);
	hosts_do(job_close, 0, from);
}

/* ---- windows ---- */

struct run {
	struct view *view;
	unsigned int seed;
	unsigned long windows;	/* anywhere among so many */
	unsigned long gets;
	double time;
};

static void *run_thread(void *arg)
{
	struct run *r = arg;
	unsigned long i;

	r->time = cpu_now(CLOCK_THREAD_CPUTIME_ID);
	for (i = 0; i < r->gets; i++)
		need(!view_get(r->view, rand_r(&r->seed) % r->windows), "get");
	r->time = cpu_now(CLOCK_THREAD_CPUTIME_ID) - r->time;
	return NULL;
}

/* Mean time of a get by @threads threads. */
static double run(struct view *v, int threads, unsigned long windows,
		  unsigned long gets)
{
	struct run r[THREADS_MAX];
	pthread_t thread[THREADS_MAX];
	double time = 0;
	int i;

	for (i = 0; i < threads; i++) {
		r[i] = (struct run) { v, i + 1, windows, gets / threads, 0 };
		pthread_create(&thread[i], NULL, run_thread, &r[i]);
	}
	for (i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		time += r[i].time;
	}
	return time / (gets / threads * threads);
}

static void windows_row(unsigned long room, int threads)
{
	struct xnuma_stats before, after;
	double hit, all, misses;
	unsigned long i;
	struct view v;
	long calls;

	view_open(&v, room);
	for (i = 0; i < room; i++)
		need(!view_get(&v, i), "get");
	hit = run(&v, threads, room, GETS);
	run(&v, threads, room + room / 4, 2 * room);
	xnuma_domain_stats(v.dom, &before);
	calls = atomic_load(&munmaps);
	all = run(&v, threads, room + room / 4, GETS);
	calls = atomic_load(&munmaps) - calls;
	xnuma_domain_stats(v.dom, &after);
	misses = after.windows_mapped - before.windows_mapped;
	printf("%-10lu%8d%10.0f%12.0f%11.1f%%%14.2f\n", room, threads, hit,
	       (all - hit) * GETS / misses, 100 - 100 * misses / GETS,
	       (double)(after.windows_evicted - before.windows_evicted) /
	       (calls ? calls : 1));
	fflush(stdout);
	view_close(&v);
}

static void windows_table(unsigned long max, int max_threads)
{
	unsigned long room;
	int threads;

	view_memory(max + max / 4);
	printf("\n# Windows. %s of a get of a byte from one that is mapped, "
	       "anywhere; then among a quarter\n# more than there is room for: "
	       "%s that a miss costs beyond that (one is mapped, one\n# "
	       "evicted, a page faulted in), hits, windows unmapped by one "
	       "call.\n", unit, unit);
	printf("%-10s%8s%10s%12s%12s%14s\n", "# Windows", "threads", "get",
	       "miss", "hits", "per munmap");
	for (room = 64; room <= max; room *= 8)
		for (threads = 1; threads <= max_threads; threads *= 2)
			windows_row(room, threads);
}

/* ---- options ---- */

static long number(const char *name, const char *arg, long min, long max)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (*arg && !*end && n >= min && n <= max)
		return n;
	fprintf(stderr, "scale: --%s takes a number from %ld to %ld, not "
		"\"%s\"\n", name, min, max, arg);
	exit(2);
}

static void hosts_start(const struct xnuma_config *config)
{
	int h;

	blob = mmap(NULL, (PEERS_MAX + 1) * sizeof(*blob),
		    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(blob != MAP_FAILED, "mmap");
	for (h = 0; h < HOSTS; h++) {
		other_start(&host[h], config);
		heap[h] = other_do(&host[h], other_alloc, OTHER_PAGE, 0, 0);
	}
	xnuma_domain_pack(own, blob[PEERS_MAX]);
	o = host[0];
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "peers", required_argument, NULL, 'p' },
		{ "windows", required_argument, NULL, 'w' },
		{ "threads", required_argument, NULL, 't' },
		{ "instructions", no_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	long peers = 512, windows = 4096, threads = THREADS_MAX;
	struct other_order end = { 0 };
	struct xnuma_config config;
	struct rlimit files;
	int opt, h;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'p')
			peers = number("peers", optarg, 2, PEERS_MAX);
		else if (opt == 'w')
			windows = number("windows", optarg, 64, WINDOWS_MAX);
		else if (opt == 't')
			threads = number("threads", optarg, 1, THREADS_MAX);
		else if (opt == 'i')
			unit = "instructions";
		else
			return fputs(usage, opt == 'h' ? stdout : stderr),
			       opt == 'h' ? 0 : 2;
	}
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	need(!xnuma_config_init(&config), "configuration");
	config.ring_size = 4096;
	config.max_rings = PEERS_MAX + HOSTS;
	hosts_start(&config);
	peers_table(peers);
	windows_table(windows, threads);
	for (h = 0; h < HOSTS; h++) {
		other_transfer(host[h].fd, &end, sizeof(end), 1);
		waitpid(host[h].pid, NULL, 0);
		other_forget(&host[h]);
	}
	xnuma_domain_close(own);
	return 0;
}
