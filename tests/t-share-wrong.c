/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers that share a copy wrongly, or not at all. */

#include <pthread.h>

#include "sharing.h"

#define ALL_TAKEN	((1ULL << 2 * SHARE_BITS) - 1)	/* more than there are */

static void spoil(void *arg, const struct xnuma_message *msg)
{
	struct service *s = arg;
	struct share_call call;

	if (!is_call(s, msg))
		return;
	call = call_of(msg);
	atomic_store(&words_of(&call)->claim,
		     call.generation << 2 * SHARE_BITS | ALL_TAKEN);
	s->bytes++;
}

static long job_spoil(long a, long b, long c)
{
	return poll_bytes(spoil);
}

/* Says that the getter has copied it all. */
static void cheat(void *arg, const struct xnuma_message *msg)
{
	struct service *s = arg;
	struct share_call call;
	struct share_cut cut;

	if (!is_call(s, msg))
		return;
	call = call_of(msg);
	cut = share_cut(call.len, call.generation);
	atomic_store(&words_of(&call)->claim, share_word(&cut) | cut.units);
	s->bytes++;
}

static long job_cheat(long a, long b, long c)
{
	return poll_bytes(cheat);
}

/* Dies with a part in its hands. */
static void die(void *arg, const struct xnuma_message *msg)
{
	struct share_call call;

	if (!is_call(arg, msg))
		return;
	call = call_of(msg);
	if (take_back(&call, 1))
		kill(getpid(), SIGKILL);
}

static long job_die(long a, long b, long c)
{
	return poll_bytes(die);
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
		.domain = own->blob.id, .generation = 9,
	};
	const uint64_t claim = 9ULL << 2 * SHARE_BITS;
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
	check_int(forged(WRONG(call.domain++), sizeof(good), claim), ==,
		  -EPROTO);
	check_int(forged(WRONG(call.zero = 1), sizeof(good), claim), ==,
		  -EPROTO);
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
	check_int(forged(good, sizeof(good), claim | ALL_TAKEN), ==, 0);
	check_int(forged(good, sizeof(good), claim | SMALL / OTHER_PAGE), ==,
		  0);
}

static void test_spoiled(other_job job)
{
	double until = other_now() + 60;
	long ret = 0;

	own->shares[0].used = false;
	while (ret != -EPROTO && other_now() < until) {
		begin(&o, job, 0);
		ret = get(0, LEN);
		check_int(end(&o), >=, 0);
	}
	check_int(ret, ==, -EPROTO);
	check(strstr(xnuma_error(), "spoils"));
	check_int(get(0, LEN), ==, 0);
	check_int(differ(0, LEN), ==, 0);
}

static _Atomic bool stop, started;

static void *reset(void *arg)
{
	for (; !stop; started = true)
		own->region.header->share[0].claim = 9ULL << 2 * SHARE_BITS;
	return NULL;
}

static void test_endless(void)
{
	const struct share_call call = {
		.src = at, .dst = (uintptr_t)buffer, .len = LEN,
		.domain = own->blob.id, .generation = 9,
	};
	const struct iovec iov = { (void *)&call, sizeof(call) };
	pthread_t thread;
	long bytes;

	pthread_create(&thread, NULL, reset, NULL);
	while (!started)
		sched_yield();
	begin(&o, job_serve, 0);
	check_int(send_until(o.peer, XNUMA_TAG_SHARE, &iov, 1), ==, 0);
	bytes = end(&o);
	stop = true;
	pthread_join(thread, NULL);
	check_int(bytes, >, 0);
	check_int(bytes, <=, LEN);
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
	for (i = 0; i < REGION_SHARES; i++)
		own->shares[i].used = false;
	own->config.flags &= ~XNUMA_SHARES;
	check_int(get(0, LEN), ==, 0);
	own->config.flags |= XNUMA_SHARES;
	check_uint(sent(), ==, before);
	check_int(get(0, own->share_min), ==, 0);
	check_uint(sent(), ==, before + 1);
	other_stop(&other);
}

/* No room for a call, and none for the next. */
static void test_full(void)
{
	int i, filled = 0;

	while (!xnuma_send(o.peer, ENOUGH + 1, &nothing, 0))
		filled++;
	check_int(filled, >, 0);
	for (i = 0; i <= REGION_SHARES; i++) {
		check_int(get(0, LEN), ==, 0);
		check_int(differ(0, LEN), ==, 0);
		check_uint(o.peer->missed, ==, 1);
	}
	begin(&o, job_serve, 0);
	check_int(end(&o), ==, 0);
}

/* Nobody polls: called four times, then for copies 4, 8, 16 and 32. */
static void test_absent(void)
{
	uint64_t before = sent();
	int i;

	check_int(get(0, LEN), ==, 0);
	for (i = 1; i < 33; i++)
		check_int(xnuma_get(o.memory, buffer, at, SMALL, NULL), ==, 0);
	check_uint(sent() - before, ==, 4 + 4);
	begin(&o, job_serve, 0);
	check_int(end(&o), ==, 0);
}

static void test_self(void)
{
	const size_t skew = 65573, len = 1UL << 20;
	uint8_t blob[XNUMA_BLOB_LEN];
	struct xnuma_peer *self;
	uint64_t before = sent();
	long i, wrong = 0;

	xnuma_domain_pack(own, blob);
	check_int(xnuma_peer_open(own, blob, &self), ==, 0);
	other_fill((long)buffer, len, 3);
	check_int(xnuma_get(xnuma_peer_memory(self), buffer + skew,
			    (uintptr_t)buffer, len, NULL), ==, 0);
	for (i = 0; i < (long)len; i++)
		wrong += buffer[skew + i] != other_byte(i, 3);
	check_int(wrong, ==, 0);
	check_uint(sent(), ==, before);
	xnuma_peer_close(self);
}

static void test_fork(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		check_int(xnuma_get(o.memory, buffer, at, LEN, NULL), ==,
			  -ECHILD);
		child_done();
	}
	check_child(pid);
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
	TEST(test_endless(), "a call is answered once, whatever the count does");
	TEST(test_spoiled(job_spoil), "a peer that spoils the count is an error");
	TEST(test_spoiled(job_cheat), "... or takes what is the getter's");
	TEST(test_self(), "own memory is copied as by memmove()");
	TEST(test_fork(), "the child of a fork gets an error");
	TEST(test_uncalled(&config), "who does not share is not called");
	TEST(test_full(), "who cannot be called does not come");
	TEST(test_absent(), "who does not come is seldom called");
	TEST(test_death(&config), "a peer that dies with a part is gone");
	TEST(other_stop(&o), "the other process ends well");
	sharing_stop();
	return tap_done();
}
