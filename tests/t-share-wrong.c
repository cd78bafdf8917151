/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers that share a copy wrongly, or not at all. */

#include "sharing.h"

static void spoil(void *arg, const struct xnuma_message *msg)
{
	struct service *s = arg;
	struct share_call call;

	if (msg->tag == ENOUGH)
		s->enough = true;
	if (msg->tag != XNUMA_TAG_SHARE)
		return;
	memcpy(&call, msg->data, sizeof(call));
	atomic_store(&words_of(&call)->claim,
		     ((uint64_t)call.generation << 40) | 0xffffffffff);
	s->bytes++;
}

static long job_spoil(long a, long b, long c)
{
	struct service s = { 0 };

	return poll_with(spoil, &s) ? s.bytes : -ETIME;
}

/* Dies with a part in its hands. */
static void die(void *arg, const struct xnuma_message *msg)
{
	struct share_call call;

	if (msg->tag != XNUMA_TAG_SHARE)
		return;
	memcpy(&call, msg->data, sizeof(call));
	atomic_fetch_add(&words_of(&call)->claim, 1UL << 20);
	kill(getpid(), SIGKILL);
}

static long job_die(long a, long b, long c)
{
	struct service s = { 0 };

	return poll_with(die, &s);
}

/* A call of whatever numbers; what the other's library says to it. */
static long forged(struct share_call call, size_t len, uint64_t claim)
{
	const struct iovec iov = { &call, len };

	if (call.slot < REGION_SHARES)
		own->region.header->share[call.slot].claim = claim;
	begin(&o, job_serve, 1);
	check_int(send_until(o.peer, XNUMA_TAG_SHARE, &iov, 1), ==, 0);
	return end(&o);
}

static void test_forged(void)
{
	const struct share_call good = {
		.src = at, .dst = (uintptr_t)buffer, .len = SMALL,
		.generation = 9,
	};
	const uint64_t claim = 9ULL << 40;
	_Atomic uint64_t *done = &own->region.header->share[0].done;
	struct share_call call;

	memset(buffer, 0, SMALL);
	check_int(forged(good, sizeof(good), claim), ==, SMALL);
	check_int(differ(0, SMALL), ==, 0);
	check_int(forged(good, sizeof(good), claim), ==, SMALL);
#define WRONG(...) (call = good, __VA_ARGS__, call)
	check_int(forged(good, sizeof(good) - 1, claim), ==, -EPROTO);
	check_int(forged(WRONG(call.slot = REGION_SHARES), sizeof(good), 0),
		  ==, -EPROTO);
	check_int(forged(WRONG(call.len = 0), sizeof(good), claim), ==,
		  -EPROTO);
	check_int(forged(WRONG(call.len = -1UL), sizeof(good), claim), ==,
		  -EPROTO);
	check_int(forged(WRONG(call.dst = -OTHER_PAGE), sizeof(good), claim),
		  ==, -EFAULT);
	check_int(forged(WRONG(call.src = 1), sizeof(good), claim), ==,
		  -EFAULT);
	check(*done & SHARE_FAILED);
	check_int(forged(WRONG(call.dst = 1), sizeof(good), claim), ==,
		  -EFAULT);
	check_int(forged(WRONG(call.generation = 8), sizeof(good), claim), ==,
		  0);
	check_int(forged(good, sizeof(good), claim | 0xffffffffff), ==, 0);
	check_int(forged(good, sizeof(good), claim | SMALL / OTHER_PAGE), ==,
		  0);
}

static void test_spoiled(void)
{
	double until = other_now() + 60;
	long ret = 0;

	while (ret != -EPROTO && other_now() < until) {
		begin(&o, job_spoil, 0);
		ret = get(0, LEN);
		check_int(end(&o), >=, 0);
	}
	check_int(ret, ==, -EPROTO);
	check(strstr(xnuma_error(), "spoils"));
	check_int(get(0, LEN), ==, 0);
	check_int(differ(0, LEN), ==, 0);
}

static uint64_t sent(void)
{
	struct xnuma_stats stats;

	xnuma_domain_stats(own, &stats);
	return stats.messages_sent;
}

static void test_uncalled(const struct xnuma_config *config)
{
	struct xnuma_config silent = *config;
	struct other other;
	uint64_t before, its;
	int i;

	silent.flags &= ~XNUMA_SHARES;
	other_start(&other, &silent);
	its = other_do(&other, other_map, 0, LEN, 0);
	before = sent();
	check_int(xnuma_get(other.memory, buffer, its, LEN, NULL), ==, 0);
	check_int(get(0, own->share_min - 1), ==, 0);
	for (i = 0; i < REGION_SHARES; i++)
		own->shares[i].used = true;
	check_int(get(0, LEN), ==, 0);
	check_int(differ(0, LEN), ==, 0);
	check_uint(sent(), ==, before);
	for (i = 0; i < REGION_SHARES; i++)
		own->shares[i].used = false;
	check_int(get(0, own->share_min), ==, 0);
	check_uint(sent(), ==, before + 1);
	other_stop(&other);
}

/* Nobody polls: called four times, then for one copy in sixteen. */
static void test_absent(void)
{
	uint64_t before = sent();
	int i;

	check_int(get(0, LEN), ==, 0);
	for (i = 1; i < 33; i++)
		check_int(xnuma_get(o.memory, buffer, at, SMALL, NULL), ==, 0);
	check_uint(sent() - before, ==, 4 + 2);
	begin(&o, job_serve, 0);
	check_int(end(&o), ==, 0);
}

static void test_death(const struct xnuma_config *config)
{
	double until = other_now() + 60;
	struct other other;
	uint64_t its;
	long ret = 0;

	other_start(&other, config);
	its = other_do(&other, other_map, 0, LEN, 0);
	begin(&other, job_die, 0);
	while (!ret && other_now() < until)
		ret = xnuma_get(other.memory, buffer, its, LEN, NULL);
	check_int(ret, ==, -EPIPE);
	waitpid(other.pid, NULL, 0);
	other_forget(&other);
}

int main(void)
{
	struct xnuma_config config;

	sharing_start(&config);
	TEST(test_forged(), "calls of any numbers do no harm");
	TEST(test_spoiled(), "a peer that spoils the count is an error");
	TEST(test_uncalled(&config), "who does not share is not called");
	TEST(test_absent(), "who does not come is seldom called");
	TEST(test_death(&config), "a peer that dies with a part is gone");
	TEST(other_stop(&o), "the other process ends well");
	sharing_stop();
	return tap_done();
}
