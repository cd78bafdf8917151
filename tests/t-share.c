/* SPDX-License-Identifier: BSD-3-Clause */
/* Large copies that the peer takes part in. */

#include <pthread.h>

#include "sharing.h"

/* Takes the last units and says that it could not. */
static void fail(void *arg, const struct xnuma_message *msg)
{
	struct service *s = arg;
	struct share_call call;
	struct region_share *words;

	if (!is_call(s, msg))
		return;
	call = call_of(msg);
	words = words_of(&call);
	if (!take_back(&call, 3))
		return;
	atomic_store(&words->done, call.generation << 2 * SHARE_BITS |
				   SHARE_FAILED);
	s->bytes++;
}

static long job_fail(long a, long b, long c)
{
	return poll_bytes(fail);
}

static uint64_t copied(void)
{
	struct xnuma_stats stats;

	xnuma_domain_stats(own, &stats);
	return stats.window_get + stats.syscall_get;
}

/* Until the other has done something; it may come late on a busy machine. */
static void test_shared(void)
{
	static const size_t lens[] = { 65536, 65537, 100001, SMALL - 1, LEN };
	uint64_t before = copied(), sum = 0;
	double until = other_now() + 60;
	long round = 0, bytes;

	do {
		size_t len = lens[round % 5], skew = round / 5 % 2 * 13;

		begin(&o, job_serve, 0);
		check_int(get(skew, len), ==, 0);
		check_int(buffer[len], ==, 0x77);
		bytes = end(&o);
		check_int(bytes, >=, 0);
		check_int(differ(skew, len), ==, 0);
		memset(buffer, 0x77, len + 1);
		check_uint(copied() - before, ==, len - bytes);
		before = copied();
		sum += bytes;
		round++;
	} while ((round < 30 || !sum) && other_now() < until);
	tap_diag("%ld copies, %lu bytes by the peer", round, sum);
	check_uint(sum, >, 0);
}

/* Called, but it polls only when the memory is the getter's again. */
static void test_late(void)
{
	check_int(get(0, LEN), ==, 0);
	check_int(differ(0, LEN), ==, 0);
	memset(buffer, 0x55, LEN);
	begin(&o, job_serve, 1);
	check_int(end(&o), ==, 0);
	check_int(buffer[0], ==, 0x55);
	check(!memcmp(buffer, buffer + 1, LEN - 1));
}

static void test_hole(void)
{
	uint64_t hole = (at + LEN / 4 * 3) & -OTHER_PAGE;

	other_do(&o, other_unmap, hole, OTHER_PAGE, 0);
	begin(&o, job_serve, 0);
	check_int(get(0, LEN), ==, -EFAULT);
	check_int(end(&o), >=, 0);
	check_uint(other_do(&o, other_map, hole, OTHER_PAGE, 0), ==, hole);
	other_do(&o, other_fill, at, LEN + OTHER_PAGE, 3);
	begin(&o, job_serve, 0);
	check_int(get(0, LEN), ==, 0);
	check_int(end(&o), >=, 0);
	check_int(differ(0, LEN), ==, 0);
}

/* Numbers of copies have 40 bits, and begin again. */
static void test_numbers(uint64_t next)
{
	double until = other_now() + 60;
	long bytes = 0;

	while (!bytes && other_now() < until) {
		own->shares[0].generation = next - 2;
		begin(&o, job_serve, 0);
		check_int(get(0, LEN), ==, 0);
		bytes = end(&o);
		check_int(differ(0, LEN), ==, 0);
	}
	check_int(bytes, >, 0);
	check_uint(own->shares[0].generation, ==, next % (1UL << 40));
}

/* A part that the peer could not copy is the getter's after all. */
static void test_failed(void)
{
	double until = other_now() + 60;
	long parts = 0;

	while (!parts && other_now() < until) {
		begin(&o, job_fail, 0);
		check_int(get(0, LEN), ==, 0);
		parts = end(&o);
		check_int(differ(0, LEN), ==, 0);
	}
	check_int(parts, >, 0);
}

static void *run_gets(void *arg)
{
	unsigned char *to = malloc(SMALL);
	long i, wrong = 0;

	for (i = 0; i < 100; i++) {
		memset(to, 0, SMALL);
		wrong += xnuma_get(o.memory, to, at, SMALL, NULL) != 0;
		wrong += other_differ((long)to, SMALL, 3);
	}
	free(to);
	return (void *)wrong;
}

static void test_threads(void)
{
	pthread_t thread[REGION_SHARES + 1];
	void *wrong;
	int i;

	begin(&o, job_serve, 0);
	for (i = 0; i <= REGION_SHARES; i++)
		pthread_create(&thread[i], NULL, run_gets, NULL);
	for (i = 0; i <= REGION_SHARES; i++) {
		pthread_join(thread[i], &wrong);
		check_int((long)wrong, ==, 0);
	}
	check_int(end(&o), >=, 0);
}

int main(void)
{
	struct xnuma_config config;

	sharing_start(&config);
	TEST(test_shared(), "the peer copies a part, each byte is copied once");
	TEST(test_late(), "who comes late copies nothing");
	TEST(test_hole(), "a hole is an error, and a signal to neither");
	TEST(test_failed(), "what the peer could not copy is copied");
	TEST(test_numbers(1UL << 24), "the count has more than 24 bits of its own");
	TEST(test_numbers(1UL << 40), "... and 40 at most");
	TEST(test_threads(), "more threads get than can share");
	TEST(other_stop(&o), "the other process ends well");
	sharing_stop();
	return tap_done();
}
