// SPDX-License-Identifier: BSD-3-Clause
/* Message queue: sizes, content, room, reservations, sleeping. */
#include "queue-fixture.h"

#define RING	(64UL << 10)
#define SMALL	4096UL		/* 64 lines */

static struct fixture f;
static struct inbox in;
static char buf[1 << 20];

static size_t send_max_of(size_t ring_size)
{
	struct xnuma_config config = {
		.ring_size = ring_size, .max_rings = 1,
	};

	return queue_send_max(&config);
}

static void test_send_max(void)
{
	check_uint(send_max_of(4096), >=, 1024);
	check_uint(send_max_of(32 << 10), >=, 8192);
	check_uint(send_max_of(64 << 10), >=, 16384);
	check_uint(send_max_of(16 << 20), <, 1 << 20);
}

static int init_result(size_t ring_size, unsigned int max_rings, size_t off)
{
	struct xnuma_config config = {
		.ring_size = ring_size, .max_rings = max_rings,
	};
	struct queue q;
	int ret = queue_init(&q, f.mem + off, &config);

	if (ret == 0)
		queue_fini(&q);
	return ret;
}

static void test_init_refusals(void)
{
	fixture_open(&f, SMALL, 1, 0);
	check_int(init_result(SMALL, 1, 0), ==, 0);
	check_int(init_result(SMALL / 2, 1, 0), ==, -EINVAL);
	check_int(init_result(SMALL * 3, 1, 0), ==, -EINVAL);
	check_int(init_result(32 << 20, 1, 0), ==, -EINVAL);
	check_int(init_result(SMALL, 0, 0), ==, -EINVAL);
	check_int(init_result(SMALL, 65537, 0), ==, -EINVAL);
	check_int(init_result(SMALL, 1, 64), ==, -EINVAL);
	fixture_close(&f);
}

/* One field of an otherwise good header is wrong. */
static int sender_result(size_t off, uint64_t value, size_t width, size_t len)
{
	struct sender s;
	char keep[8];
	int ret;

	memcpy(keep, f.mem + off, width);
	memcpy(f.mem + off, &value, width);
	ret = sender_init(&s, f.mem, len, 1, false, false);
	memcpy(f.mem + off, keep, width);
	return ret;
}

#define WRONG(name, value) offsetof(struct queue_header, name), value, \
	sizeof(((struct queue_header *)0)->name)

static void test_sender_refusals(void)
{
	struct sender s;

	fixture_open(&f, SMALL, 2, 0);
	check_int(sender_init(&s, f.mem, f.len, 1, false, false), ==, 0);
	sender_fini(&s);
	check_int(sender_result(WRONG(magic, 0), f.len), ==, -EPROTO);
	check_int(sender_result(WRONG(version, 99), f.len), ==, -EPROTO);
	check_int(sender_result(WRONG(ring_size, 4095), f.len), ==, -EINVAL);
	check_int(sender_result(WRONG(ring_size, 8192), f.len), ==, -EINVAL);
	check_int(sender_result(WRONG(ring_size, 1ULL << 63), f.len), ==,
		  -EINVAL);
	check_int(sender_result(WRONG(max_rings, 0), f.len), ==, -EINVAL);
	check_int(sender_result(WRONG(max_rings, 3), f.len), ==, -EINVAL);
	check_int(sender_result(WRONG(max_rings, ~0U), f.len), ==, -EINVAL);
	check_int(sender_init(&s, f.mem, f.len - 1, 1, false, false), ==,
		  -EINVAL);
	check_int(sender_init(&s, f.mem, 100, 1, false, false), ==, -EINVAL);
	fixture_close(&f);
}

static size_t pages_in_use(void)
{
	static unsigned char vec[1 << 20];
	size_t n = (f.len + 4095) / 4096, i, used = 0;

	if (!check(n <= sizeof(vec)) ||
	    !check_int(mincore(f.mem, f.len, vec), ==, 0))
		return SIZE_MAX;
	for (i = 0; i < n; i++)
		used += vec[i] & 1;
	return used;
}

static void test_lazy(void)
{
	struct sender s;

	fixture_open(&f, RING, 1000, 0);
	check_uint(pages_in_use(), ==, 1);
	fixture_sender(&f, &s, 1);
	check_uint(pages_in_use(), ==, 1);
	sender_warm(&f, &s, &in);
	/* header, owners 2, credit, a page of each ring */
	check_uint(pages_in_use(), <=, 5);
	sender_fini(&s);
	fixture_close(&f);
}

/* ---- content ---- */

static void send_and_check(struct sender *s, size_t len, uint64_t seed)
{
	uint64_t lure = content_lure(s);

	content_fill(buf, len, seed, lure);
	if (!check_int(send_bytes(s, seed, buf, len), ==, 0))
		return;
	if (!check_int(inbox_poll(&f, &in, 10), ==, 1))
		return;
	if (in.len != len || in.tag != (uint8_t)seed || in.source != s->name)
		check(!"length, tag and source arrive");
	check(content_ok(in.data, len, seed, lure));
}

/* With @taken somebody else has the only ring: @s stays in the shared one. */
static void every_size(size_t ring_size, bool taken)
{
	struct sender s, other;
	size_t len;

	fixture_open(&f, ring_size, 1, 0);
	fixture_sender(&f, &other, 7);
	if (taken)
		sender_warm(&f, &other, &in);
	fixture_sender(&f, &s, 1ULL << 63 | 5);
	sender_warm(&f, &s, &in);
	check_int(s.ring != NULL, ==, !taken);
	for (len = 0; len <= 200; len++)
		send_and_check(&s, len, len);
	for (; len <= s.shape.send_max; len += ring_size == SMALL ? 1 : 13)
		send_and_check(&s, len, len);
	send_and_check(&s, s.shape.send_max, 1);
	check_int(send_bytes(&s, 0, buf, s.shape.send_max + 1), ==, -EMSGSIZE);
	check_uint(s.again, ==, 0);
	sender_fini(&s);
	sender_fini(&other);
	fixture_close(&f);
}

static void test_sizes(void)
{
	every_size(SMALL, false);
	every_size(RING, false);
	every_size(SMALL, true);
	every_size(RING, true);
}

static void gather_pieces(struct sender *s, int iovcnt, size_t piece)
{
	struct iovec iov[8];
	size_t len = 0;
	int i;

	content_fill(buf, sizeof(iov) / sizeof(iov[0]) * piece, iovcnt, 0);
	for (i = 0; i < iovcnt; i++) {
		iov[i].iov_base = buf + len;
		iov[i].iov_len = i == 1 ? piece / 2 : piece;
		len += iov[i].iov_len;
	}
	check_int(sender_send(s, 3, iov, iovcnt), ==, 0);
	check_int(inbox_poll(&f, &in, 1), ==, 1);
	check_uint(in.len, ==, len);
	check(!memcmp(in.data, buf, len));
}

static void test_gather(void)
{
	struct sender s;
	int iovcnt, round;
	size_t piece;

	fixture_open(&f, RING, 1, 0);
	fixture_sender(&f, &s, 1);
	for (round = 0; round < 2; round++) {
		for (iovcnt = 0; iovcnt <= 8; iovcnt++)
			for (piece = 0; piece < 70; piece++)
				gather_pieces(&s, iovcnt, piece);
	}
	check(s.ring != NULL);
	sender_fini(&s);
	fixture_close(&f);
}

/* Any number in flight, any size, any position, luring payload. */
static void mixed(size_t ring_size, bool taken, unsigned int count)
{
	struct { size_t len; uint64_t lure; } sent[1024];
	unsigned int head = 0, tail = 0, bad = 0;
	struct sender s, other;
	uint64_t state = 1;

	fixture_open(&f, ring_size, 1, 0);
	fixture_sender(&f, &other, 7);
	if (taken)
		sender_warm(&f, &other, &in);
	fixture_sender(&f, &s, 1);
	while (head < count) {
		uint32_t r = random_next(&state);
		size_t len = r % 3 ? r % 100 : r % (s.shape.send_max + 1);

		if (tail < count && tail - head < 1024 && r >> 16 & 3) {
			sent[tail % 1024].len = len;
			sent[tail % 1024].lure = content_lure(&s);
			content_fill(buf, len, tail, sent[tail % 1024].lure);
			if (send_bytes(&s, tail, buf, len) == 0)
				tail++;
			else if (head == tail)
				bad++;	/* empty, all credit back: must go */
		} else if (inbox_poll(&f, &in, 1)) {
			bad += in.len != sent[head % 1024].len ||
			       in.tag != (uint8_t)head ||
			       !content_ok(in.data, in.len, head,
					   sent[head % 1024].lure);
			head++;
		} else if (head != tail) {
			bad++;
		}
		if (bad)
			break;
	}
	check_uint(bad, ==, 0);
	check_uint(head, ==, count);
	check_int(s.again > 0, ==, 1);
	check_int(inbox_drain(&f, &in), ==, 0);
	sender_fini(&s);
	sender_fini(&other);
	fixture_close(&f);
}

static void test_mixed(void)
{
	mixed(SMALL, false, 500000);
	mixed(SMALL, true, 500000);
	mixed(8192, false, 100000);
	mixed(RING, false, 100000);
}

/* ---- room ---- */

static unsigned int fill_up(struct sender *s, size_t len)
{
	unsigned int n = 0;

	while (send_bytes(s, n, buf, len) == 0 && n < 100000)
		n++;
	return n;
}

/* Messages of @len that fit, from first principles. */
static unsigned int fitting(const struct sender *s, size_t len)
{
	unsigned int nlines = s->shape.nlines, at = s->tail % nlines;
	unsigned int lines = queue_own_lines(len), used = 0, n;

	if (!s->ring)
		return nlines / queue_shared_lines(len);
	for (n = 0; ; n++) {
		unsigned int gap = at + lines > nlines ? nlines - at : 0;

		used += gap + lines;
		if (used + 1 > nlines)
			return n;
		at = (at + gap + lines) % nlines;
	}
}

/* Whatever the size, an emptied ring has all its room again. */
static void credit_returns(bool taken)
{
	struct sender s, other;
	unsigned int n, round;
	size_t len;

	fixture_open(&f, SMALL, 1, 0);
	fixture_sender(&f, &other, 7);
	if (taken)
		sender_warm(&f, &other, &in);
	fixture_sender(&f, &s, 1);
	sender_warm(&f, &s, &in);
	for (len = 0; len <= s.shape.send_max; len += 31) {
		for (round = 0; round < 5; round++) {
			unsigned int fit = fitting(&s, len);

			n = fill_up(&s, len);
			check_uint(n, ==, fit);
			check_uint(fit, >, 0);
			while (n && check_int(inbox_poll(&f, &in, 1), ==, 1))
				n--;
			check(!queue_pending(&f.queue));
		}
	}
	sender_fini(&s);
	sender_fini(&other);
	fixture_close(&f);
}

static void test_credit(void)
{
	credit_returns(false);
	credit_returns(true);
}

/*
 * 64 lines: three messages of 17 leave out the same 13 in each lap. A message
 * of one line was there once; when its lap number comes around it must be
 * noticed that the line is no header of the lap before. Laps are skipped by
 * hand, as if as many messages had gone.
 */
static void test_lap_wrap(void)
{
	uint64_t laps = 1ULL << (64 - QUEUE_LAP_SHIFT), skip, i;
	struct sender s;
	struct queue_slot *slot;

	fixture_open(&f, SMALL, 1, 0);
	fixture_sender(&f, &s, 1);
	sender_warm(&f, &s, &in);
	while (s.tail % 64 != 56)	/* a header in line 55 */
		send_and_check(&s, 8, 0);
	while (s.tail % 64)
		send_and_check(&s, 8, 0);
	for (i = 0; i < 7; i++)
		send_and_check(&s, 1024, i);	/* two laps over 0, 17, 34 */
	skip = (laps - 3) * 64;
	s.tail += skip;
	s.limit += skip;
	slot = &f.queue.slots[1];
	f.queue.own[0].head += skip;
	f.queue.own[0].published += skip;
	atomic_fetch_add(s.consumed, skip);
	queue_slot_set(slot, s.ring, &s.shape, f.queue.own[0].head);
	while (s.tail % 64 != 51)
		send_and_check(&s, 1024, 1);
	while (s.tail % 64) {
		send_and_check(&s, 8, 2);
		check(!queue_pending(&f.queue));
	}
	sender_fini(&s);
	fixture_close(&f);
}

/* All of a ring but the line that END may need. */
static void test_capacity(void)
{
	struct sender s;

	fixture_open(&f, SMALL, 1, 0);
	fixture_sender(&f, &s, 1);
	sender_warm(&f, &s, &in);
	check_uint(fill_up(&s, 8), ==, SMALL / 64 - 1);
	check_int(inbox_drain(&f, &in), ==, SMALL / 64 - 1);
	fill_up(&s, 8);
	sender_fini(&s);
	check_int(inbox_drain(&f, &in), ==, SMALL / 64 - 1);
	fixture_sender(&f, &s, 2);
	sender_warm(&f, &s, &in);
	check(s.ring != NULL);
	sender_fini(&s);
	fixture_close(&f);
}

int main(void)
{
	TEST_BOTH(test_send_max(), "the largest payload is a quarter of the ring");
	TEST_BOTH(test_init_refusals(), "sizes out of range make no queue");
	TEST_BOTH(test_sender_refusals(), "a header with one wrong field is refused");
	TEST_BOTH(test_lazy(), "only memory in use is touched");
	TEST_BOTH(test_sizes(), "messages of every size arrive whole in both rings");
	TEST_BOTH(test_gather(), "up to eight pieces are gathered");
	TEST_BOTH(test_mixed(), "no payload is ever taken for a header");
	TEST_BOTH(test_credit(), "an emptied ring takes messages of every size again");
	TEST_BOTH(test_lap_wrap(), "a lap number that comes around misleads nobody");
	TEST_BOTH(test_capacity(), "a full ring is full, and its sender can leave");
	return tap_done();
}
