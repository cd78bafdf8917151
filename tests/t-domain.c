/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration, domains, addresses, messages, and a peer to oneself. */

#include "others.h"

static void test_defaults(void)
{
	struct xnuma_config config;

	check_int(xnuma_config_init(&config), ==, 0);
	check_int(config.policy, ==, XNUMA_EXPORT_ALL);
	check_int(config.mode, ==, 0600);
	check_int(config.node, ==, -1);
	check_uint(config.window_limit, ==, 0);
}

static void test_environment(void)
{
	struct xnuma_config config;

	setenv("XNUMA_WINDOW_LIMIT", "3G", 1);
	setenv("XNUMA_EXPORT", "buffers", 1);
	check_int(xnuma_config_init(&config), ==, 0);
	check_uint(config.window_limit, ==, 3UL << 30);
	check_int(config.policy, ==, XNUMA_EXPORT_BUFFERS);
	unsetenv("XNUMA_EXPORT");
	unsetenv("XNUMA_WINDOW_LIMIT");
}

static void test_environment_bad(const char *name, const char *value)
{
	struct xnuma_config config, defaults;

	xnuma_config_init(&defaults);
	setenv(name, value, 1);
	check_int(xnuma_config_init(&config), ==, -EINVAL);
	check(strstr(xnuma_error(), name));
	check_int(config.policy, ==, defaults.policy);
	check_uint(config.ring_size, ==, defaults.ring_size);
	unsetenv(name);
}

#define REFUSES(field, value) do {					\
	struct xnuma_config config_;					\
	struct xnuma_domain *dom_;					\
									\
	xnuma_config_init(&config_);					\
	config_.field = value;						\
	check_int(xnuma_domain_open(&config_, &dom_), ==, -EINVAL);	\
	check(xnuma_error()[0]);					\
} while (0)

static void test_refused(void)
{
	REFUSES(ring_size, 5000);
	REFUSES(ring_size, 2048);
	REFUSES(ring_size, 32UL << 20);
	REFUSES(max_rings, 0);
	REFUSES(max_rings, 65537);
	REFUSES(flags, 1U << 7);
	REFUSES(mode, 01600);
	REFUSES(window_size, 3UL << 30);
	REFUSES(window_limit, 4096);
	REFUSES(node, 1000);
	REFUSES(policy, 9);
}

static void test_query(void)
{
	struct xnuma_domain_attr attr;

	xnuma_domain_query(own, &attr);
	check(attr.send_max >= XNUMA_INLINE_MAX);
	check(attr.node >= 0);
	if (getenv("XNUMA_LAB"))
		check_str(attr.port_name, "kmod");
	if (attr.port == XNUMA_PORT_KMOD) {
		check_str(attr.fallback, "");
		check(attr.caps & XNUMA_CAP_MAP);
		check(attr.caps & XNUMA_CAP_POISON);
	} else {
		check_str(attr.port_name, "user");
		check(attr.fallback[0]);
		check(!(attr.caps & XNUMA_CAP_MAP));
	}
}

/* A domain without a user of its cores: nothing of its memory is touched. */
static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, pages = 0;

	if (f && fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages;
}

static void test_frugal(void)
{
	struct xnuma_config config;
	struct xnuma_domain *dom;
	long before;

	xnuma_config_init(&config);
	config.max_rings = 4096;
	config.ring_size = 1 << 20;
	before = resident();
	check_int(xnuma_domain_open(&config, &dom), ==, 0);
	check_int(resident() - before, <, 400);
	xnuma_domain_close(dom);
}

static void test_blob(struct other *o)
{
	uint8_t mine[XNUMA_BLOB_LEN], bent[XNUMA_BLOB_LEN];

	xnuma_domain_pack(own, mine);
	check(!memcmp(mine, o->blob, XNUMA_DEVICE_LEN));
	check(memcmp(mine, o->blob, XNUMA_BLOB_LEN));
	check_int(xnuma_peer_check(own, o->blob, XNUMA_BLOB_LEN), ==, 0);
	check_int(xnuma_peer_check(own, o->blob, XNUMA_DEVICE_LEN), ==, 0);
	check_int(xnuma_peer_check(own, o->blob, 30), ==, -EINVAL);

	memcpy(bent, mine, sizeof(bent));
	bent[3] ^= 1;
	check_int(xnuma_peer_check(own, bent, XNUMA_DEVICE_LEN), ==,
		  -EHOSTUNREACH);
	check(strstr(xnuma_error(), "fabric"));
	memcpy(bent, mine, sizeof(bent));
	bent[18] = 3 - bent[18];
	check_int(xnuma_peer_check(own, bent, XNUMA_DEVICE_LEN), ==,
		  -EHOSTUNREACH);
	check(strstr(xnuma_error(), "port"));
	memcpy(bent, mine, sizeof(bent));
	bent[16]++;
	check_int(xnuma_peer_check(own, bent, XNUMA_DEVICE_LEN), ==, -EPROTO);
}

/* An id that nobody has is a peer that is gone. */
static void test_gone(struct other *o)
{
	struct xnuma_peer *peer;
	uint8_t bent[XNUMA_BLOB_LEN];

	memcpy(bent, o->blob, sizeof(bent));
	bent[43] ^= 0x55;
	check_int(xnuma_peer_open(own, bent, &peer), ==, -EPIPE);
}

static void test_peer_query(struct other *o)
{
	struct xnuma_peer_attr attr;

	xnuma_peer_query(o->peer, &attr);
	check_int(attr.pid, ==, o->pid);
	check(!attr.is_self);
	check(attr.distance >= 1.0);
	check(attr.latency > 0 && attr.latency < 1e-3);
	check(attr.bandwidth > 1e6);
}

/* ---- messages ---- */

static struct {
	int n;
	size_t len;
	uint64_t source;
	uint8_t tag;
	char data[64];
} seen;

static void see(void *arg, const struct xnuma_message *msg)
{
	seen.n++;
	seen.len = msg->len;
	seen.source = msg->source;
	seen.tag = msg->tag;
	memcpy(seen.data, msg->data,
	       msg->len < sizeof(seen.data) ? msg->len : sizeof(seen.data));
}

static int poll_one(void)
{
	double end = other_now() + 10;
	int n = 0;

	while (!n && other_now() < end)
		n = xnuma_poll(own, see, NULL, 1);
	return n;
}

static long job_send(long tag, long value, long c)
{
	struct iovec iov[2] = { { &tag, 1 }, { &value, sizeof(value) } };

	return xnuma_send(master, tag, iov, 2);
}

static void test_send(struct other *o)
{
	long value;

	check_int(other_do(o, job_send, 42, 0x1234567890abcdef, 0), ==, 0);
	check_int(poll_one(), ==, 1);
	check_uint(seen.len, ==, 9);
	check_uint(seen.tag, ==, 42);
	check_uint(seen.source, ==, o->pid);
	memcpy(&value, seen.data + 1, sizeof(value));
	check_int(value, ==, 0x1234567890abcdef);
	check_int(xnuma_poll(own, see, NULL, 1), ==, 0);
}

static void test_send_limits(struct other *o)
{
	struct xnuma_domain_attr attr;
	struct iovec iov;
	char *big;

	xnuma_domain_query(own, &attr);
	big = calloc(1, attr.send_max + 1);
	iov = (struct iovec){ big, attr.send_max + 1 };
	check_int(xnuma_send(o->peer, 0, &iov, 1), ==, -EMSGSIZE);
	iov.iov_len = attr.send_max;
	check_int(xnuma_send(o->peer, 0, &iov, 1), ==, 0);
	free(big);
}

/* Nobody polls there: it must fill up, not wait. */
static void test_send_full(struct other *o)
{
	int ret, n = 0;

	do {
		ret = xnuma_send(o->peer, 0, NULL, 0);
	} while (!ret && n++ < 10000000);
	check_int(ret, ==, -EAGAIN);
}

static void test_reserve(void)
{
	uint8_t mine[XNUMA_BLOB_LEN];
	struct xnuma_peer *self;
	void *buf;

	xnuma_domain_pack(own, mine);
	check_int(xnuma_peer_open(own, mine, &self), ==, 0);
	check_int(xnuma_send_reserve(self, 20, &buf), ==, 0);
	xnuma_send_cancel(self);
	check_int(xnuma_poll(own, see, NULL, 1), ==, 0);
	check_int(xnuma_send_reserve(self, 20, &buf), ==, 0);
	check_uint((uintptr_t)buf % 8, ==, 0);
	memcpy(buf, "to oneself", 11);
	xnuma_send_commit(self, 7, 11);
	check_int(poll_one(), ==, 1);
	check_str(seen.data, "to oneself");
	check_uint(seen.source, ==, getpid());
	xnuma_peer_close(self);
}

static void test_self_memory(void)
{
	uint8_t mine[XNUMA_BLOB_LEN];
	struct xnuma_peer_attr attr;
	struct xnuma_peer *self;
	struct xnuma_window *win;
	char from[100] = "mine", to[100] = "";
	uint64_t word = 5, old;
	void *ptr;

	xnuma_domain_pack(own, mine);
	check_int(xnuma_peer_open(own, mine, &self), ==, 0);
	xnuma_peer_query(self, &attr);
	check(attr.is_self);
	check_int(xnuma_peer_alive(self), ==, 0);
	check_int(xnuma_get(xnuma_peer_memory(self), to, (uintptr_t)from, 100,
			    NULL), ==, 0);
	check_str(to, "mine");
	check_int(xnuma_put(xnuma_peer_memory(self), (uintptr_t)from, "you", 4,
			    NULL), ==, 0);
	check_str(from, "you");
	check_int(xnuma_atomic(xnuma_peer_memory(self), XNUMA_ADD,
			       (uintptr_t)&word, 8, 3, 0, &old), ==, 0);
	check_uint(word, ==, 8);
	check_uint(old, ==, 5);
	check_int(xnuma_window_hold(xnuma_peer_memory(self), (uintptr_t)from,
				    10, &ptr, &win), ==, 0);
	check(ptr == from);
	xnuma_window_release(win);
	check_int(xnuma_flush(self, NULL), ==, 0);
	xnuma_peer_close(self);
}

/* Two domains of one process are peers like any others. */
static void test_two(const struct xnuma_config *config)
{
	struct xnuma_config its = *config;
	uint8_t mine[XNUMA_BLOB_LEN];
	struct xnuma_domain *dom;
	struct xnuma_peer *peer;
	char *from, to[100] = "";
	void *p;

	its.name = 77;
	check_int(xnuma_domain_open(&its, &dom), ==, 0);
	xnuma_domain_pack(own, mine);
	check_int(xnuma_peer_open(dom, mine, &peer), ==, 0);
	check_int(xnuma_send(peer, 5, NULL, 0), ==, 0);
	check_int(poll_one(), ==, 1);
	check_uint(seen.source, ==, 77);
	check_int(xnuma_alloc(own, 100, -1, &p), ==, 0);
	strcpy(p, "same process");
	from = strdup("heap");
	check_int(xnuma_get(xnuma_peer_memory(peer), to, (uintptr_t)p, 20,
			    NULL), ==, 0);
	check_str(to, "same process");
	check_int(xnuma_get(xnuma_peer_memory(peer), to, (uintptr_t)from, 5,
			    NULL), ==, 0);
	check_str(to, "heap");
	free(from);
	xnuma_free(own, p);
	xnuma_peer_close(peer);
	xnuma_domain_close(dom);
}

static void test_stats(void)
{
	struct xnuma_stats stats;

	xnuma_domain_stats(own, &stats);
	check_uint(stats.messages_received, ==, 3);
	check(stats.messages_sent >= 2 && stats.again >= 1);
	check_uint(stats.local_bytes, ==, 104);
	check_uint(stats.atomics, ==, 1);
}

int main(void)
{
	struct xnuma_config config;
	struct other o;

	TEST(test_defaults(), "a configuration begins with the defaults");
	TEST(test_environment(), "the environment overrides them");
	TEST(test_environment_bad("XNUMA_PORT", "wireless"),
	     "a port that does not exist is refused by name");
	TEST(test_environment_bad("XNUMA_RING_SIZE", "12X"),
	     "a size with an unknown unit is refused");
	TEST(test_environment_bad("XNUMA_RING_SIZE", "99999999999T"),
	     "a size that overflows is refused");
	TEST(test_refused(), "fields out of range are refused");

	other_open_own(&config);
	TEST(test_query(), "a domain says what it can do, and why not more");
	TEST(test_frugal(), "4 GiB of rings cost nothing before they are used");
	other_start(&o, &config);
	TEST(test_blob(&o), "addresses tell who can reach whom");
	TEST(test_gone(&o), "an address of nobody is a peer that is gone");
	TEST(test_peer_query(&o), "a peer has a pid and a distance");
	TEST(test_send(&o), "a message arrives once with tag and source");
	TEST(test_send_limits(&o), "send_max is the longest message");
	TEST(test_reserve(), "room is reserved, cancelled, committed");
	TEST(test_send_full(&o), "a full queue refuses and does not wait");
	TEST(test_self_memory(), "a process is its own peer");
	TEST(test_two(&config), "two domains of one process are peers");
	TEST(test_stats(), "the counters are exact");
	TEST(other_stop(&o), "the other process ends well");
	xnuma_domain_close(own);
	return tap_done();
}
