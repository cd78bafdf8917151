/* SPDX-License-Identifier: BSD-3-Clause */
/* Domains and peers that come and go leave nothing in a process or outside. */

#include <malloc.h>

#include "others.h"

#define WARMUP	20
#define ROUNDS	60
#define LEN	(32 << 10)

static struct xnuma_config config;
static char buffer[LEN];

/* ---- what a process has ---- */

static int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int c, n = 0;

	while ((c = getc(maps)) != EOF)
		n += c == '\n';
	fclose(maps);
	return n;
}

/* Of the module; 0 without it. */
static int objects(void)
{
	static const char *const gauges[] = {
		"exports", "imports", "windows", "granules"
	};
	char path[100];
	int sum = 0, n;
	size_t i;
	FILE *f;

	for (i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++) {
		snprintf(path, sizeof(path),
			 "/sys/class/misc/xpmem_numa/stats/%s", gauges[i]);
		f = fopen(path, "r");
		if (!f)
			continue;
		sum += fscanf(f, "%d", &n) == 1 ? n : 0;
		fclose(f);
	}
	return sum;
}

/* On the host others make names, too. */
struct estate {
	int files, mappings, threads, names, objects;
	size_t heap;
};

static struct estate estate(void)
{
	return (struct estate) {
		.files = entries("/proc/self/fd"),
		.mappings = mappings(),
		.threads = entries("/proc/self/task"),
		.names = getenv("XNUMA_LAB") ?
			 entries("/dev/shm") + entries("/tmp") : 0,
		.objects = objects(),
		.heap = mallinfo2().uordblks,
	};
}

/* The module frees what is gone soon, and a thread ends after its join. */
static void check_estate(const struct estate *before)
{
	double end = other_now() + 10;
	struct estate now;

	do {
		now = estate();
	} while ((now.objects != before->objects ||
		  now.threads != before->threads) && other_now() < end);
	check_int(now.files, ==, before->files);
	check_int(now.mappings, ==, before->mappings);
	check_int(now.threads, ==, before->threads);
	check_int(now.names, ==, before->names);
	check_int(now.objects, ==, before->objects);
	/* a leak is 32 bytes at least, but malloc() keeps some for itself */
	check_uint(now.heap, <, before->heap + 28 * ROUNDS);
}

static void over_and_over(void (*once)(void))
{
	struct estate before;
	int i;

	for (i = 0; i < WARMUP; i++)
		once();
	before = estate();
	for (i = 0; i < ROUNDS; i++)
		once();
	check_estate(&before);
}

/* ---- what comes and goes ---- */

static void count_message(void *arg, const struct xnuma_message *msg)
{
	++*(int *)arg;
}

static long job_use(long at, long len, long c)
{
	int n = 0;

	while (!n)
		xnuma_poll(own, count_message, &n, 1);
	return xnuma_send(master, 1, NULL, 0);
}

static void use_memory(const struct other *o, uint64_t at)
{
	struct xnuma_window *win;
	struct xnuma_export *exp;
	void *ptr;

	check_int(xnuma_get(o->memory, buffer, at, LEN, NULL), ==, 0);
	check_int(xnuma_put(o->memory, at, buffer, 100, NULL), ==, 0);
	check_int(xnuma_window_hold(o->memory, at, 100, &ptr, &win), ==, 0);
	xnuma_window_release(win);
	check_int(xnuma_alloc(own, LEN, -1, &ptr), ==, 0);
	check_int(xnuma_export(own, ptr, LEN, XNUMA_READ, &exp), ==, 0);
	xnuma_unexport(exp);
	xnuma_free(own, ptr);
}

static void use(struct other *o)
{
	double end = other_now() + 30;
	uint64_t at;
	int n = 0;

	check_int(xnuma_send(o->peer, 1, NULL, 0), ==, 0);
	check_int(other_do(o, job_use, 0, 0, 0), ==, 0);
	check(xnuma_domain_fd(own) >= 0);
	xnuma_domain_arm(own);
	while (!n && other_now() < end)
		xnuma_poll(own, count_message, &n, 1);
	check_int(n, ==, 1);
	at = other_do(o, other_alloc, LEN, 0, 0);
	use_memory(o, at);
	other_do(o, other_free, at, 0, 0);
}

static void close_own(void)
{
	xnuma_domain_close(own);
	own = NULL;
}

static void domain_once(void)
{
	struct other o;

	other_start(&o, &config);
	use(&o);
	other_stop(&o);
	close_own();
}

static void killed_once(void)
{
	struct other o;

	other_start(&o, &config);
	use(&o);
	other_kill(&o);
	while (!xnuma_peer_alive(o.peer))
		;
	other_forget(&o);
	close_own();
}

static struct other lasting;

static void peer_once(void)
{
	xnuma_peer_close(lasting.peer);
	check_int(xnuma_peer_open(own, lasting.blob, &lasting.peer), ==, 0);
	lasting.memory = xnuma_peer_memory(lasting.peer);
	use(&lasting);
}

static void refused_once(void)
{
	struct xnuma_config bad = config;
	uint8_t blob[XNUMA_BLOB_LEN];
	struct xnuma_domain *dom;
	struct xnuma_peer *peer;

	bad.ring_size = 5000;
	check_int(xnuma_domain_open(&bad, &dom), ==, -EINVAL);
	memcpy(blob, lasting.blob, sizeof(blob));
	blob[43] ^= 0x55;
	check_int(xnuma_peer_open(own, blob, &peer), ==, -EPIPE);
}

int main(void)
{
	other_need(!xnuma_config_init(&config), "config");
	config.flags |= XNUMA_SLEEPS;
	TEST(over_and_over(domain_once),
	     "a domain, opened, used and closed, leaves nothing");
	TEST(over_and_over(killed_once), "also when its peer is killed");
	other_start(&lasting, &config);
	TEST(over_and_over(peer_once), "nor does a peer");
	TEST(over_and_over(refused_once), "nor what cannot be opened");
	TEST(other_stop(&lasting), "the other process ends well");
	close_own();
	return tap_done();
}
