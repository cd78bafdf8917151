// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: keys that their owner takes back are of no use any more, also to
 * operations that are under way; other keys of the same memory stand
 *
 * Owner and user are two memory domains of one process, each with an interface.
 */
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <uct/api/uct.h>
#include <uct/api/v2/uct_v2.h>

#include <ucs/datastruct/string_buffer.h>
#include <ucs/vfs/base/vfs_obj.h>

#include "peer.h"
#include "tap.h"

#define LEN	8192UL

#ifdef HAVE_UCX_INVALIDATE_RMA
#define PACK_INVALIDATE	(UCT_MD_MKEY_PACK_FLAG_INVALIDATE_RMA |	\
			 UCT_MD_MKEY_PACK_FLAG_INVALIDATE_AMO)
#else
#define PACK_INVALIDATE	UCT_MD_MKEY_PACK_FLAG_INVALIDATE
#endif
#ifdef HAVE_UCX_PACK_ADDRESS
#define RANGE(address, len)	address, len,
#else
#define RANGE(address, len)
#endif

#ifdef HAVE_UCX_EP_INVALIDATE_PARAMS
static const uct_ep_invalidate_params_t no_params;
#define invalidate(ep)	uct_ep_invalidate(ep, &no_params)
#else
ucs_status_t uct_ep_invalidate(uct_ep_h ep, unsigned int flags);
#define invalidate(ep)	uct_ep_invalidate(ep, 0)
#endif

struct side {
	uct_component_h		component;
	uct_md_h		md;
	ucs_async_context_t	*async;
	uct_worker_h		worker;
	uct_iface_h		iface;
	uct_iface_attr_t	attr;
};

struct key {
	uct_mem_h		memh;
	uct_rkey_bundle_t	bundle;
};

static struct side owner, user;
static uct_ep_h ep;
static _Atomic int invalidated;
static int failures;			/* that an error handler was told of */

/* ---- two sides, and an endpoint from user to owner ---- */

static void component_find(struct side *side)
{
	uct_component_h *all;
	unsigned int n, i;

	must(uct_query_components(&all, &n) == UCS_OK);
	for (i = 0; i < n; i++) {
		uct_component_attr_t attr = {
			.field_mask = UCT_COMPONENT_ATTR_FIELD_NAME,
		};

		must(uct_component_query(all[i], &attr) == UCS_OK);
		if (!strcmp(attr.name, "xpmemnuma"))
			side->component = all[i];
	}
	uct_release_component_list(all);
	must(side->component);
}

static ucs_status_t told_failed(void *arg, uct_ep_h failed, ucs_status_t status)
{
	failures += failed == ep && UCS_STATUS_IS_ERR(status);
	return UCS_OK;
}

static void side_open(struct side *side)
{
	const uct_iface_params_t params = {
		.field_mask = UCT_IFACE_PARAM_FIELD_OPEN_MODE |
			      UCT_IFACE_PARAM_FIELD_DEVICE |
			      UCT_IFACE_PARAM_FIELD_ERR_HANDLER,
		.open_mode = UCT_IFACE_OPEN_MODE_DEVICE,
		.err_handler = told_failed,
		.mode.device = { .tl_name = "xpmemnuma", .dev_name = "memory" },
	};
	uct_iface_config_t *iface;
	uct_md_config_t *md;

	component_find(side);
	must(uct_md_config_read(side->component, NULL, NULL, &md) == UCS_OK);
	must(uct_md_open(side->component, "xpmemnuma", md, &side->md) == UCS_OK);
	must(ucs_async_context_create(UCS_ASYNC_MODE_THREAD_SPINLOCK,
				      &side->async) == UCS_OK);
	must(uct_worker_create(side->async, UCS_THREAD_MODE_SINGLE,
			       &side->worker) == UCS_OK);
	must(uct_md_iface_config_read(side->md, "xpmemnuma", NULL, NULL,
				      &iface) == UCS_OK);
	must(uct_iface_open(side->md, side->worker, &params, iface,
			    &side->iface) == UCS_OK);
	must(uct_iface_query(side->iface, &side->attr) == UCS_OK);
	uct_config_release(iface);
	uct_config_release(md);
}

static void connect_to_owner(void)
{
	alignas(8) char device[64], iface[64];
	const uct_ep_params_t params = {
		.field_mask = UCT_EP_PARAM_FIELD_IFACE |
			      UCT_EP_PARAM_FIELD_DEV_ADDR |
			      UCT_EP_PARAM_FIELD_IFACE_ADDR,
		.iface = user.iface,
		.dev_addr = (uct_device_addr_t *)device,
		.iface_addr = (uct_iface_addr_t *)iface,
	};

	must(owner.attr.device_addr_len <= sizeof(device));
	must(owner.attr.iface_addr_len <= sizeof(iface));
	must(uct_iface_get_device_address(owner.iface,
			(uct_device_addr_t *)device) == UCS_OK);
	must(uct_iface_get_address(owner.iface,
			(uct_iface_addr_t *)iface) == UCS_OK);
	must(uct_ep_create(&params, &ep) == UCS_OK);
}

/* ---- keys ---- */

static struct key key_make(void *buffer, size_t len)
{
	const uct_md_mkey_pack_params_t params = {
		.field_mask = UCT_MD_MKEY_PACK_FIELD_FLAGS,
		.flags = PACK_INVALIDATE,
	};
	struct key key;
	char packed[64];

	must(uct_md_mem_reg(owner.md, buffer, len, UCT_MD_MEM_ACCESS_ALL,
			    &key.memh) == UCS_OK);
	must(uct_md_mkey_pack_v2(owner.md, key.memh, RANGE(buffer, len)
				 &params, packed) == UCS_OK);
	must(uct_rkey_unpack(user.component, packed, &key.bundle) == UCS_OK);
	return key;
}

static void told_invalid(uct_completion_t *comp)
{
	atomic_fetch_add(&invalidated, 1);
}

static int key_take_back(struct key *key)
{
	uct_completion_t comp = {
		.func = told_invalid, .count = 1, .status = UCS_OK,
	};
	const uct_md_mem_dereg_params_t params = {
		.field_mask = UCT_MD_MEM_DEREG_FIELD_MEMH |
			      UCT_MD_MEM_DEREG_FIELD_FLAGS |
			      UCT_MD_MEM_DEREG_FIELD_COMPLETION,
		.memh = key->memh,
		.flags = UCT_MD_MEM_DEREG_FLAG_INVALIDATE,
		.comp = &comp,
	};
	int before = invalidated;

	must(uct_md_mem_dereg_v2(owner.md, &params) == UCS_OK);
	return invalidated - before;
}

static void key_end(struct key *key, bool taken_back)
{
	must(uct_rkey_release(user.component, &key->bundle) == UCS_OK);
	if (!taken_back)
		must(uct_md_mem_dereg(owner.md, key->memh) == UCS_OK);
}

static ucs_status_t put(void *from, size_t len, void *to, uct_rkey_t rkey)
{
	return uct_ep_put_short(ep, from, len, (uintptr_t)to, rkey);
}

static ucs_status_t get(void *to, size_t len, void *from, uct_rkey_t rkey)
{
	return uct_ep_get_short(ep, to, len, (uintptr_t)from, rkey);
}

static ucs_status_t add(uint64_t *to, uct_rkey_t rkey)
{
	return uct_ep_atomic64_post(ep, UCT_ATOMIC_OP_ADD, 1, (uintptr_t)to,
				    rkey);
}

static void test_refused(void)
{
	uint64_t word = 5, seen = 0, new = 6;
	struct key key = key_make(&word, 8), other = key_make(&word, 8);
	uct_rkey_t rkey = key.bundle.rkey;

	check_int(get(&seen, 8, &word, rkey), ==, UCS_OK);
	check_int(put(&new, 8, &word, rkey), ==, UCS_OK);
	check_int(add(&word, rkey), ==, UCS_OK);
	check_uint(seen, ==, 5);
	check_uint(word, ==, 7);
	check_int(key_take_back(&key), ==, 1);
	seen = 0;
	check_int(get(&seen, 8, &word, rkey), ==, UCS_ERR_REJECTED);
	check_int(put(&new, 8, &word, rkey), ==, UCS_ERR_REJECTED);
	check_int(add(&word, rkey), ==, UCS_ERR_REJECTED);
	check_uint(word, ==, 7);
	check_int(get(&seen, 8, &word, other.bundle.rkey), ==, UCS_OK);
	check_int(put(&new, 8, &word, other.bundle.rkey), ==, UCS_OK);
	check_int(add(&word, other.bundle.rkey), ==, UCS_OK);
	check_uint(seen, ==, 7);
	check_uint(word, ==, 7);
	key_end(&key, true);
	key_end(&other, false);
}

/* ---- under way ---- */

/*
 * The user's second page cannot be touched at first, so the operation stops in
 * the midst of its copy until the owner has taken the key back.
 */
static struct race {
	char		*local, *buffer;	/* the user's, the owner's */
	uct_rkey_t	rkey;
	bool		write;
	_Atomic bool	inside, taken_back;
	ucs_status_t	status;
} race;

static void stop(int sig, siginfo_t *info, void *context)
{
	race.inside = true;
	while (!race.taken_back)
		;
	must(!mprotect(race.local, LEN, PROT_READ | PROT_WRITE));
}

static void *operation(void *arg)
{
	if (race.write)
		race.status = put(race.local, LEN, race.buffer, race.rkey);
	else
		race.status = get(race.local, LEN, race.buffer, race.rkey);
	return NULL;
}

/* The owner's bytes are 2, but those that the user may still have from before. */
static void race_run(bool write)
{
	const struct sigaction action = {
		.sa_sigaction = stop, .sa_flags = SA_SIGINFO,
	};
	struct sigaction old;
	struct key key;
	pthread_t thread;

	race.local = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	race.buffer = aligned_alloc(LEN, LEN);
	must(race.local != MAP_FAILED && race.buffer);
	memset(race.local, 1, LEN);
	memset(race.buffer, 1, LEN);
	key = key_make(race.buffer, LEN);
	race.rkey = key.bundle.rkey;
	race.write = write;
	race.inside = race.taken_back = false;
	must(!mprotect(race.local + LEN / 2, LEN / 2, PROT_NONE));
	must(!sigaction(SIGSEGV, &action, &old));
	must(!pthread_create(&thread, NULL, operation, NULL));
	while (!race.inside)
		;
	key_take_back(&key);
	memset(race.buffer, 2, LEN);
	race.taken_back = true;
	pthread_join(thread, NULL);
	must(!sigaction(SIGSEGV, &old, NULL));
	key_end(&key, true);
}

static void test_late(bool write)
{
	race_run(write);
	check_int(race.status, ==, UCS_ERR_REJECTED);
	check(!memchr(race.buffer, 1, LEN));
	munmap(race.local, LEN);
	free(race.buffer);
}

static void test_plain_key(void)
{
	uint64_t word = 5, seen = 0;
	uct_rkey_bundle_t bundle;
	char packed[64];
	uct_mem_h memh;

	must(uct_md_mem_reg(owner.md, &word, 8, UCT_MD_MEM_ACCESS_ALL,
			    &memh) == UCS_OK);
	must(uct_md_mkey_pack(owner.md, memh, packed) == UCS_OK);
	must(uct_rkey_unpack(user.component, packed, &bundle) == UCS_OK);
	check_uint(bundle.rkey, ==, 0);
	check_int(get(&seen, 8, &word, bundle.rkey), ==, UCS_OK);
	check_uint(seen, ==, 5);
	must(uct_rkey_release(user.component, &bundle) == UCS_OK);
	must(uct_md_mem_dereg(owner.md, memh) == UCS_OK);
}

static void test_invalidated(void)
{
	uint64_t word = 5, seen = 0;

	check_int(invalidate(ep), ==, UCS_OK);
	check_int(failures, ==, 0);
	uct_worker_progress(user.worker);
	check_int(failures, ==, 1);
	check_int(uct_ep_am_short(ep, 1, 0, NULL, 0), <, 0);
	check_int(get(&seen, 8, &word, 0), <, 0);
	check_int(put(&seen, 8, &word, 0), <, 0);
	check_int(add(&word, 0), <, 0);
	check_uint(word, ==, 5);
	uct_worker_progress(user.worker);
	check_int(failures, ==, 1);
}

static void ignore(const char *name, void *arg)
{
	++*(int *)arg;
}

static void test_seen(void)
{
	const char *port = getenv("UCX_XPMEM_NUMA_PORT");
	ucs_string_buffer_t text;
	char path[200];
	int names = 0;

	snprintf(path, sizeof(path), "/uct/worker/%p/iface/%p", user.worker,
		 user.iface);
	check_int(ucs_vfs_path_list_dir(path, ignore, &names), ==, UCS_OK);
	strcat(path, "/xpmem_numa");
	names = 0;
	check_int(ucs_vfs_path_list_dir(path, ignore, &names), ==, UCS_OK);
	check_int(names, ==, 18);
	strcat(path, "/port");
	ucs_string_buffer_init(&text);
	check_int(ucs_vfs_path_read_file(path, &text), ==, UCS_OK);
	if (port)
		check(!strncmp(ucs_string_buffer_cstr(&text), port, 4));
	ucs_string_buffer_cleanup(&text);
}

/* Without the module nobody ends a write that is under way. */
static bool test_offered(void)
{
	const char *port = getenv("UCX_XPMEM_NUMA_PORT");
	uct_md_attr_t attr;
	bool is;

	must(uct_md_query(owner.md, &attr) == UCS_OK);
	is = attr.cap.flags & UCT_MD_FLAG_INVALIDATE;
	check_int(is, ==, port && !strcmp(port, "kmod"));
	return is;
}

int main(void)
{
	bool offered = false;

	side_open(&owner);
	side_open(&user);
	connect_to_owner();
	TEST(test_plain_key(), "a key that cannot be taken back says nothing");
	TEST(offered = test_offered(), "with the module keys can be taken back");
	if (offered) {
		TEST(test_refused(), "a key that was taken back is refused");
		TEST(test_late(false), "what is read meanwhile is no data");
		TEST(test_late(true), "nothing is written afterwards");
	}
	TEST(test_seen(), "what goes on is seen in UCX's virtual files");
	TEST(test_invalidated(), "an endpoint that is invalidated fails");
	uct_ep_destroy(ep);
	uct_iface_close(user.iface);
	uct_iface_close(owner.iface);
	return tap_done();
}
