// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: the BTL's one-sided verbs called as osc/rdma calls them, on the
 * process itself and on another: each atomic operation of 32 and of 64 bits,
 * those that are refused, get and put of all sizes, flush, fragments, dump
 */
#include "verbs.h"

#define LEN	(1 << 20)
#define WORDS	4
#define CROWD	5000	/* operations under way */

static endpoint_t *endpoint;
static uint8_t *remote;		/* in the peer, which may be ourselves */
static int peer;

static uint64_t words[WORDS];	/* the second is the target */
static uint8_t *memory;
static int context, data;

static void begin(void)
{
	memset(&done, 0, sizeof(done));
}

/* Return: @ret, or what the callback was told if that came, as it must, once */
static int end(int ret, void *local)
{
	while (!ret && !done.calls)
		opal_progress();
	if (ret < 0)
		need(!done.calls);
	if (!done.calls)
		return ret;
	opal_progress();
	need(done.calls == 1 && done.local == local);
	need(done.context == &context && done.data == &data);
	need(done.endpoint == endpoint);
	return done.status;
}

static void put(const void *from, uint64_t to, size_t len)
{
	begin();
	need(!end(btl->btl_put(btl, endpoint, (void *)from, to, NULL, NULL,
			       len, 0, MCA_BTL_NO_ORDER, on_done, &context,
			       &data), (void *)from));
}

static int try_get(void *to, uint64_t from, size_t len)
{
	begin();
	return end(btl->btl_get(btl, endpoint, to, from, NULL, NULL, len, 0,
				MCA_BTL_NO_ORDER, on_done, &context, &data),
		   to);
}

static void get(void *to, uint64_t from, size_t len)
{
	need(!try_get(to, from, len));
}

/* ---- atomic operations ---- */

static uint64_t target(void)
{
	return (uintptr_t)(remote + 8);
}

static const struct {
	const char		*name;
	mca_btl_base_atomic_op_t op;
	uint64_t		result;
} ops[] = {
#define OLD	0xfffffffff0f0f0f0
#define OPERAND	0x000000012345678f
	{ "ADD", MCA_BTL_ATOMIC_ADD, OLD + OPERAND },
	{ "AND", MCA_BTL_ATOMIC_AND, OLD & OPERAND },
	{ "OR", MCA_BTL_ATOMIC_OR, OLD | OPERAND },
	{ "XOR", MCA_BTL_ATOMIC_XOR, OLD ^ OPERAND },
	{ "SWAP", MCA_BTL_ATOMIC_SWAP, OPERAND },
};

/* Of 32 bits the lower are written, and nothing else ever. */
static void check_words(const char *name, uint64_t value, int is_32)
{
	uint64_t now[WORDS];

	if (is_32)
		value = (value & UINT32_MAX) | (OLD & ~(uint64_t)UINT32_MAX);
	get(now, (uintptr_t)remote, sizeof(now));
	if (now[1] != value)
		fail("%s of %d bits left %llx, not %llx", name, is_32 ? 32 : 64,
		     (long long)now[1], (long long)value);
	if (now[0] != words[0] || now[2] != words[2] || now[3] != words[3])
		fail("%s of %d bits wrote beside its target", name,
		     is_32 ? 32 : 64);
}

static void check_old(const char *name, const uint64_t *old, int is_32)
{
	uint64_t want = is_32 ? (OLD & UINT32_MAX) | ~(uint64_t)UINT32_MAX :
				OLD;

	if (*old != want)
		fail("%s of %d bits returned %llx, not %llx", name,
		     is_32 ? 32 : 64, (long long)*old, (long long)want);
}

static void reset(void)
{
	words[1] = OLD;
	put(words, (uintptr_t)remote, sizeof(words));
	begin();
}

static int try_op(mca_btl_base_atomic_op_t op, int flags)
{
	begin();
	return end(btl->btl_atomic_op(btl, endpoint, target(), NULL, op,
				      OPERAND, flags, MCA_BTL_NO_ORDER,
				      on_done, &context, &data), NULL);
}

static int try_fop(uint64_t *old, mca_btl_base_atomic_op_t op, int flags)
{
	*old = UINT64_MAX;
	begin();
	return end(btl->btl_atomic_fop(btl, endpoint, old, target(), NULL,
				       NULL, op, OPERAND, flags,
				       MCA_BTL_NO_ORDER, on_done, &context,
				       &data), old);
}

static int try_cswap(uint64_t *old, uint64_t compare, int flags)
{
	*old = UINT64_MAX;
	begin();
	return end(btl->btl_atomic_cswap(btl, endpoint, old, target(), NULL,
					 NULL, compare, OPERAND, flags,
					 MCA_BTL_NO_ORDER, on_done, &context,
					 &data), old);
}

static void atomics(int is_32)
{
	int flags = is_32 ? MCA_BTL_ATOMIC_FLAG_32BIT : 0;
	uint64_t old, compare = is_32 ? OLD & UINT32_MAX : OLD;
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		reset();
		need(!try_op(ops[i].op, flags));
		check_words(ops[i].name, ops[i].result, is_32);
		reset();
		need(!try_fop(&old, ops[i].op, flags));
		check_old(ops[i].name, &old, is_32);
		check_words(ops[i].name, ops[i].result, is_32);
	}
	reset();
	need(!try_cswap(&old, compare, flags));
	check_old("CSWAP", &old, is_32);
	check_words("CSWAP", OPERAND, is_32);
	reset();
	need(!try_cswap(&old, compare ^ 1, flags));
	check_old("CSWAP of another value", &old, is_32);
	check_words("CSWAP of another value", OLD, is_32);
}

/* MAX and MIN know no sign; osc/rdma locks for what is refused by this code. */
static void refused(void)
{
	static const mca_btl_base_atomic_op_t none[] = {
		MCA_BTL_ATOMIC_LAND, MCA_BTL_ATOMIC_LOR, MCA_BTL_ATOMIC_LXOR,
		MCA_BTL_ATOMIC_MIN, MCA_BTL_ATOMIC_MAX,
	};
	uint64_t old;
	size_t i;

	reset();
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		need(try_op(none[i], 0) == OPAL_ERR_NOT_SUPPORTED);
		need(try_fop(&old, none[i], MCA_BTL_ATOMIC_FLAG_32BIT) ==
		     OPAL_ERR_NOT_SUPPORTED);
	}
	need(try_op(MCA_BTL_ATOMIC_ADD, MCA_BTL_ATOMIC_FLAG_FLOAT) ==
	     OPAL_ERR_NOT_SUPPORTED);
	need(try_fop(&old, MCA_BTL_ATOMIC_ADD, MCA_BTL_ATOMIC_FLAG_FLOAT) ==
	     OPAL_ERR_NOT_SUPPORTED);
	need(old == UINT64_MAX);
	remote++;
	need(try_op(MCA_BTL_ATOMIC_ADD, 0) == OPAL_ERR_NOT_SUPPORTED);
	need(try_fop(&old, MCA_BTL_ATOMIC_ADD, 0) == OPAL_ERR_NOT_SUPPORTED);
	need(try_cswap(&old, OLD, 0) == OPAL_ERR_NOT_SUPPORTED);
	remote--;
	check_words("what is refused", OLD, 0);
}

/* Callers that flush or do not care give no callback. */
static void no_callback(void)
{
	uint64_t now;

	reset();
	need(btl->btl_atomic_op(btl, endpoint, target(), NULL,
				MCA_BTL_ATOMIC_ADD, 1, 0, MCA_BTL_NO_ORDER,
				NULL, NULL, NULL) >= 0);
	do {
		get(&now, target(), 8);
		opal_progress();
	} while (now != OLD + 1);
	if (btl->btl_flush) {
		need(!btl->btl_flush(btl, endpoint));
		need(!btl->btl_flush(btl, NULL));
	}
	need(!!btl->btl_flush == !!(btl->btl_flags & MCA_BTL_FLAGS_RDMA_FLUSH));
}

static int crowd_calls;

static void on_crowd(mca_btl_base_module_t *module, endpoint_t *from,
		     void *local, mca_btl_base_registration_handle_t *handle,
		     void *seen, void *data_, int status)
{
	need(!status && !*(char *)seen);
	*(char *)seen = 1;
	crowd_calls++;
}

/* Many at a time: none is lost, however few fragments there are. */
static void crowd(void)
{
	static uint64_t old[CROWD];
	static char seen[CROWD];
	uint64_t sum = 0;
	int i, ret;

	reset();
	memset(seen, 0, sizeof(seen));
	crowd_calls = 0;
	for (i = 0; i < CROWD; i++) {
		do {
			ret = btl->btl_atomic_fop(btl, endpoint, &old[i],
				target(), NULL, NULL, MCA_BTL_ATOMIC_ADD, 1, 0,
				MCA_BTL_NO_ORDER, on_crowd, &seen[i], NULL);
			if (ret == OPAL_ERR_OUT_OF_RESOURCE)
				opal_progress();
		} while (ret == OPAL_ERR_OUT_OF_RESOURCE);
		need(ret >= 0);
		crowd_calls += ret;	/* done at once, not told of */
	}
	while (crowd_calls < CROWD)
		opal_progress();
	for (i = 0; i < CROWD; i++)
		sum += old[i] - OLD;
	need(sum == (uint64_t)CROWD * (CROWD - 1) / 2);
	check_words("many additions", OLD + CROWD, 0);
}

/* ---- get, put ---- */

static void copies(void)
{
	static const size_t lens[] = { 0, 1, 7, 8, 63, 64, 65, 4095, 4096,
		5000, 65536, 300001, LEN - 16 };
	uint8_t *from = malloc(LEN), *to = malloc(LEN);
	size_t i, at;

	need(from && to);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		at = i % 8;
		pattern_fill(from, LEN, i + 10 * peer);
		memset(to, 0x11, LEN);
		put(to, (uintptr_t)remote, LEN);
		put(from, (uintptr_t)remote + at, lens[i]);
		get(to, (uintptr_t)remote, LEN);
		constant_check("before a put", to, at, 0x11);
		pattern_check("put", to + at, lens[i], i + 10 * peer);
		constant_check("behind a put", to + at + lens[i],
			       LEN - at - lens[i], 0x11);
		memset(to, 0x22, LEN);
		get(to + 1, (uintptr_t)remote + at, lens[i]);
		constant_check("before a get", to, 1, 0x22);
		pattern_check("get", to + 1, lens[i], i + 10 * peer);
		constant_check("behind a get", to + 1 + lens[i],
			       LEN - 1 - lens[i], 0x22);
	}
	free(from);
	free(to);
}

/* ob1 then has it sent instead. */
static void not_there(void)
{
	uint8_t to[64];

	need(try_get(to, 4096, sizeof(to)) < 0);
	get(to, (uintptr_t)remote, sizeof(to));
}

/* ---- fragments ---- */

static void fragments(void)
{
	mca_btl_base_descriptor_t *des;
	size_t size;

	for (size = 0; size <= btl->btl_max_send_size; size = size * 2 + 1) {
		des = btl->btl_alloc(btl, endpoint, MCA_BTL_NO_ORDER, size, 0);
		need(des && des->des_segment_count == 1 &&
		     des->des_segments->seg_len == size);
		memset(des->des_segments->seg_addr.pval, 0x33, size);
		need(!btl->btl_free(btl, des));
	}
	need(!btl->btl_alloc(btl, endpoint, MCA_BTL_NO_ORDER,
			     btl->btl_max_send_size + 1, 0));
}

/* The other only waits, and so serves what its processor is asked to do. */
static void all(int with)
{
	uintptr_t addresses[2];

	words[0] = words[2] = words[3] = 0x5555555555555555;
	MPI_Allgather(&memory, sizeof(memory), MPI_BYTE, addresses,
		      sizeof(memory), MPI_BYTE, MPI_COMM_WORLD);
	if (!rank) {
		peer = with;
		endpoint = endpoint_of(peer);
		remote = (uint8_t *)addresses[peer];
		atomics(0);
		atomics(1);
		refused();
		no_callback();
		crowd();
		copies();
		fragments();
		if (peer != rank)
			not_there();
		btl->btl_dump(btl, endpoint, 1);
	}
	MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
	start(&argc, &argv);
	need(nranks == 2);
	find_module();
	memory = aligned_alloc(4096, LEN);
	need(memory);
	all(1);
	all(0);
	free(memory);
	return finish("verbs");
}
