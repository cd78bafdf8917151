/* SPDX-License-Identifier: BSD-3-Clause */
/* Many threads on one domain and one peer. */

#include <pthread.h>

#include "access.h"
#include "others.h"

#define THREADS	24	/* more than have counters of their own */
#define SENDERS	4
#define MESSAGES 5000
#define LEN	(64UL << 10)

static struct other o;
static uint64_t good, bad;	/* memory of the other; bad has a hole */

#define COPIES	20000

static pthread_barrier_t together;

static void *run_count(void *arg)
{
	char buf[64];
	int i;

	pthread_barrier_wait(&together);
	for (i = 0; i < COPIES; i++)
		xnuma_get(o.memory, buf, good, sizeof(buf), NULL);
	return NULL;
}

/* Twice, so that the second round's threads take over the first one's. */
static void test_counters(void)
{
	pthread_t thread[THREADS];
	struct xnuma_stats before, after;
	int i, round;

	pthread_barrier_init(&together, NULL, THREADS);
	xnuma_domain_stats(own, &before);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < THREADS; i++)
			pthread_create(&thread[i], NULL, run_count, NULL);
		for (i = 0; i < THREADS; i++)
			pthread_join(thread[i], NULL);
	}
	xnuma_domain_stats(own, &after);
	check_uint(after.window_get - before.window_get, ==,
		   2L * THREADS * COPIES * 64);
}

/* Threads beyond those that have a shard of their own, as inside the library */
static struct shard shards[NSHARDS];

static void *run_shared(void *arg)
{
	struct thread self = { .number = NSHARDS + 4 };
	long i;

	for (i = 0; i < 2000000; i++)
		stat_add(shards, &self, STAT_atomics, 1);
	return NULL;
}

static void test_shared_counter(void)
{
	pthread_t thread[SENDERS];
	int i;

	for (i = 0; i < SENDERS; i++)
		pthread_create(&thread[i], NULL, run_shared, NULL);
	for (i = 0; i < SENDERS; i++)
		pthread_join(thread[i], NULL);
	check_uint(stat_sum(shards, STAT_atomics), ==, SENDERS * 2000000);
}

/* ---- messages ---- */

struct letter {
	uint32_t thread;
	uint32_t number;
};

static struct {
	uint32_t next[SENDERS];
	long received;
	long wrong;
} inbox;

static void receive(void *arg, const struct xnuma_message *msg)
{
	struct letter letter;

	memcpy(&letter, msg->data, sizeof(letter));
	inbox.wrong += msg->len != sizeof(letter) || letter.thread >= SENDERS ||
		       letter.number != inbox.next[letter.thread]++;
	inbox.received++;
}

static long job_receive(long count, long b, long c)
{
	double end = other_now() + 60;

	while (inbox.received < count && other_now() < end)
		xnuma_poll(own, receive, NULL, 100);
	return inbox.received == count ? inbox.wrong : -1;
}

static void *run_sender(void *arg)
{
	struct letter letter = { .thread = (long)arg };
	struct iovec iov = { &letter, sizeof(letter) };
	double end = other_now() + 60;
	void *buf;
	int ret;

	while (letter.number < MESSAGES && other_now() < end) {
		if (letter.number % 3) {
			ret = xnuma_send(o.peer, 1, &iov, 1);
		} else {
			ret = xnuma_send_reserve(o.peer, sizeof(letter), &buf);
			if (!ret) {
				memcpy(buf, &letter, sizeof(letter));
				xnuma_send_commit(o.peer, 1, sizeof(letter));
			}
		}
		if (!ret)
			letter.number++;
		else if (ret != -EAGAIN)
			break;
		else
			sched_yield();
	}
	return (void *)(long)letter.number;
}

static void test_senders(void)
{
	struct other_order order = { job_receive, { SENDERS * MESSAGES } };
	pthread_t thread[SENDERS];
	void *sent;
	long ret, i;

	other_transfer(o.fd, &order, sizeof(order), 1);
	for (i = 0; i < SENDERS; i++)
		pthread_create(&thread[i], NULL, run_sender, (void *)i);
	for (i = 0; i < SENDERS; i++) {
		pthread_join(thread[i], &sent);
		check_int((long)sent, ==, MESSAGES);
	}
	check(other_transfer(o.fd, &ret, sizeof(ret), 0));
	check_int(ret, ==, 0);
}

/* ---- poison: one thread's hole is not another one's zeros ---- */

static _Atomic int stop;

static void *run_holes(void *arg)
{
	long *wrong = arg;
	char buf[64];

	while (!stop)
		*wrong += xnuma_get(o.memory, buf, bad, 64, NULL) != -EFAULT;
	return NULL;
}

struct run {
	long copies;
	long refused;
	long wrong;
};

static void *run_good(void *arg)
{
	static __thread unsigned char buf[LEN];
	struct run *run = arg;

	while (!stop) {
		memset(buf, 0, LEN);
		if (xnuma_get(o.memory, buf, good, LEN, NULL))
			run->refused++;
		else
			run->wrong += other_differ((long)buf, LEN, 5) != 0;
		run->copies++;
	}
	return NULL;
}

static long job_nothing(long addr, long len, long c)
{
	void *p = mmap((void *)addr, len, PROT_NONE, MAP_PRIVATE |
		       MAP_ANONYMOUS | (addr ? MAP_FIXED : 0), -1, 0);

	return p == MAP_FAILED ? -errno : (long)p;
}

/*
 * The other one maps and unmaps; what is read there is its content or an
 * error, never the zeros of a scratch page.
 */
static long job_blink(long addr, long seconds, long c)
{
	double end = other_now() + seconds;
	long rounds = 0;
	char *p;

	/* never there with anything but its content: moved in when filled */
	while (other_now() < end) {
		p = mmap((void *)(addr + OTHER_PAGE), OTHER_PAGE,
			 PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		memset(p, 0x31, OTHER_PAGE);
		if (mremap(p, OTHER_PAGE, OTHER_PAGE,
			   MREMAP_MAYMOVE | MREMAP_FIXED, addr) == MAP_FAILED)
			return -errno;
		sched_yield();
		job_nothing(addr, OTHER_PAGE, 0);
		rounds++;
	}
	return rounds;
}

static void *run_blink(void *arg)
{
	unsigned char buf[256];
	struct run *run = arg;
	int i;

	while (!stop) {
		run->copies++;
		if (xnuma_get(o.memory, buf, bad, sizeof(buf), NULL)) {
			run->refused++;
			continue;
		}
		for (i = 0; i < (int)sizeof(buf); i++)
			run->wrong += buf[i] != 0x31;
	}
	return NULL;
}

/*
 * This thread has read zeros through poison; before it looks, another one's
 * RESET makes the two numbers equal.
 */
static void test_protocol(void)
{
	struct status status = { .poisoned = 3, .cleared = 3 };
	struct xnuma_import imp = { .status = &status };
	uint64_t begin = access_begin(&imp);

	check(access_good(&imp, begin));
	status.poisoned = 4;
	check(!access_good(&imp, begin));
	status.cleared = 4;
	check(!access_good(&imp, begin));
	begin = access_begin(&imp);
	check(access_good(&imp, begin));
}

static void test_holes(void)
{
	struct run run[2] = { { 0 } };
	long wrong[2] = { 0 };
	pthread_t thread[4];
	int i;

	stop = 0;
	for (i = 0; i < 2; i++) {
		pthread_create(&thread[i], NULL, run_good, &run[i]);
		pthread_create(&thread[2 + i], NULL, run_holes, &wrong[i]);
	}
	sleep(2);
	stop = 1;
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < 2; i++) {
		tap_diag("%ld copies, %ld refused", run[i].copies,
			 run[i].refused);
		check_int(run[i].wrong, ==, 0);
		check_int(run[i].copies, >, run[i].refused);
		check_int(wrong[i], ==, 0);
	}
}

static void test_blink(void)
{
	struct other_order order = { job_blink, { bad, 3 } };
	struct run run[4] = { { 0 } };
	pthread_t thread[4];
	long ret, i;

	stop = 0;
	other_transfer(o.fd, &order, sizeof(order), 1);
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, run_blink, &run[i]);
	check(other_transfer(o.fd, &ret, sizeof(ret), 0));
	stop = 1;
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		check_int(run[i].wrong, ==, 0);
		tap_diag("%ld copies, %ld refused, %ld rounds", run[i].copies,
			 run[i].refused, ret);
	}
	check_int(ret, >, 0);
}

int main(void)
{
	struct xnuma_config config;

	xnuma_config_init(&config);
	other_start(&o, &config);
	good = other_do(&o, other_alloc, LEN, 0, 0);
	bad = other_do(&o, job_nothing, 0, 2 * OTHER_PAGE, 0);
	other_do(&o, other_fill, good, LEN, 5);

	TEST(test_counters(), "counters of many threads are exact");
	TEST(test_shared_counter(), "also of those that share a counter");
	TEST(test_senders(), "messages of each thread keep their order");
	TEST(test_protocol(), "a RESET by another thread deceives nobody");
	TEST(test_holes(), "one thread's hole spoils no other one's copy");
	TEST(test_blink(), "memory that comes and goes is real or an error");
	TEST(other_stop(&o), "the other process ends well");
	xnuma_domain_close(own);
	return tap_done();
}
