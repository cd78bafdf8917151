/* SPDX-License-Identifier: BSD-3-Clause */
/* Sub-ranges, denials, and what the policy and the mode allow. */

#include "others.h"

#define LEN	(16 * OTHER_PAGE)

static char buffer[LEN];

/* ---- in the other process ---- */

static struct xnuma_export *exported;
static uint8_t *rkey_shared;	/* inherited, shared */

static long job_export(long addr, long len, long rights)
{
	int ret = xnuma_export(own, (void *)addr, len, rights, &exported);

	if (!ret)
		xnuma_export_pack(exported, rkey_shared);
	return ret;
}

static long job_unexport(long a, long b, long c)
{
	xnuma_unexport(exported);
	return 0;
}

static long job_deny(long addr, long len, long deny)
{
	return deny ? xnuma_deny(own, (void *)addr, len) :
		      xnuma_allow(own, (void *)addr, len);
}

/* ---- here ---- */

static void test_export(struct other *o, uint64_t at)
{
	const unsigned int rw = XNUMA_READ | XNUMA_WRITE;
	struct xnuma_import *imp;

	other_do(o, other_fill, at, LEN, 1);
	check_int(other_do(o, job_export, at + 4096, 8192, rw), ==, 0);
	check_int(xnuma_import(o->peer, rkey_shared, rw, &imp), ==, 0);
	check_int(xnuma_get(imp, buffer, at + 4096, 8192, NULL), ==, 0);
	check_int(buffer[0], ==, (char)other_byte(4096, 1));
	check_int(xnuma_put(imp, at + 4100, "x", 1, NULL), ==, 0);
	check_int(xnuma_get(imp, buffer, at, 1, NULL), ==, -EACCES);
	check_int(xnuma_get(imp, buffer, at + 4095, 2, NULL), ==, -EACCES);
	check_int(xnuma_get(imp, buffer, at + 8192, 4097, NULL), ==, -EACCES);

	other_do(o, job_unexport, 0, 0, 0);
	check_int(xnuma_get(imp, buffer, at + 4096, 1, NULL), ==, -EACCES);
	check(strstr(xnuma_error(), "back"));
	check_int(xnuma_put(imp, at + 4096, buffer, 1, NULL), ==, -EACCES);
	xnuma_unimport(imp);
	check_int(xnuma_import(o->peer, rkey_shared, rw, &imp), ==, -ENOENT);
	check_int(xnuma_peer_alive(o->peer), ==, 0);
	check_int(xnuma_get(o->memory, buffer, at + 4096, 1, NULL), ==, 0);
}

static void test_rights(struct other *o, uint64_t at)
{
	const unsigned int rw = XNUMA_READ | XNUMA_WRITE;
	struct xnuma_import *imp;
	uint8_t bent[XNUMA_RKEY_LEN];

	check_int(other_do(o, job_export, at, LEN, XNUMA_READ), ==, 0);
	check_int(xnuma_import(o->peer, rkey_shared, rw, &imp), ==, -EACCES);
	check_int(xnuma_import(o->peer, rkey_shared, XNUMA_WRITE, &imp), ==,
		  -EINVAL);
	check_int(xnuma_import(o->peer, rkey_shared, XNUMA_READ, &imp), ==, 0);
	check_int(xnuma_get(imp, buffer, at, LEN, NULL), ==, 0);
	check_int(xnuma_put(imp, at, buffer, 1, NULL), ==, -EACCES);
	check_int(xnuma_atomic(imp, XNUMA_ADD, at, 8, 0, 0, NULL), ==, -EACCES);
	xnuma_unimport(imp);
	memcpy(bent, rkey_shared, sizeof(bent));
	bent[24] ^= 1;
	check_int(xnuma_import(o->peer, bent, XNUMA_READ, &imp), ==, -EINVAL);
	memcpy(bent, rkey_shared, sizeof(bent));
	bent[2] ^= 1;
	check_int(xnuma_import(o->peer, bent, XNUMA_READ, &imp), ==, -ENOENT);
	memset(bent, 0, sizeof(bent));
	check_int(xnuma_import(o->peer, bent, XNUMA_READ, &imp), ==, -EINVAL);
	other_do(o, job_unexport, 0, 0, 0);
}

static void test_export_refused(struct other *o, uint64_t any)
{
	const unsigned int rw = XNUMA_READ | XNUMA_WRITE;

	check_int(other_do(o, job_export, any, 0, rw), ==, -EINVAL);
	check_int(other_do(o, job_export, any, -1, rw), ==, -EINVAL);
	check_int(other_do(o, job_export, any, LEN, XNUMA_WRITE), ==, -EINVAL);
	check_int(other_do(o, job_export, any, LEN, 8 | rw), ==, -EINVAL);
	check_int(other_do(o, job_export, 1L << 47, LEN, rw), ==, -EINVAL);
	if (other_is_kmod()) {
		check_int(other_do(o, job_export, any, LEN, rw), ==, 0);
		other_do(o, job_unexport, 0, 0, 0);
	} else {
		check_int(other_do(o, job_export, any, LEN, rw), ==, -ENOTSUP);
	}
}

static void test_deny(struct other *o, uint64_t at)
{
	const unsigned int rw = XNUMA_READ | XNUMA_WRITE;
	struct xnuma_import *imp;

	if (!other_is_kmod()) {
		check_int(other_do(o, job_deny, at, LEN, 1), ==, -ENOTSUP);
		return;
	}
	other_do(o, other_fill, at, LEN, 1);
	check_int(xnuma_get(o->memory, buffer, at, LEN, NULL), ==, 0);
	check_int(other_do(o, job_deny, at + 4096, 4096, 1), ==, 0);
	check_int(xnuma_get(o->memory, buffer, at, LEN, NULL), ==, -EACCES);
	check(strstr(xnuma_error(), "denied"));
	check_int(xnuma_get(o->memory, buffer, at, 4096, NULL), ==, 0);

	/* also for what is exported after it */
	check_int(other_do(o, job_export, at, LEN, rw), ==, 0);
	check_int(xnuma_import(o->peer, rkey_shared, rw, &imp), ==, 0);
	check_int(xnuma_put(imp, at + 4096, "x", 1, NULL), ==, -EACCES);
	check_int(xnuma_put(imp, at, buffer, 1, NULL), ==, 0);

	/* an overlapping one keeps its part when the first one goes */
	check_int(other_do(o, job_deny, at, 3 * 4096, 1), ==, 0);
	check_int(other_do(o, job_deny, at + 4096, 4096, 0), ==, 0);
	check_int(xnuma_get(imp, buffer, at + 4096, 1, NULL), ==, -EACCES);
	check_int(other_do(o, job_deny, at + 4096, 4096, 0), ==, -EINVAL);
	check_int(other_do(o, job_deny, at, 3 * 4096, 0), ==, 0);
	check_int(xnuma_get(imp, buffer, at, LEN, NULL), ==, 0);
	check_int(xnuma_get(o->memory, buffer, at, LEN, NULL), ==, 0);
	xnuma_unimport(imp);
	other_do(o, job_unexport, 0, 0, 0);
}

static void test_policy_buffers(struct xnuma_config config)
{
	struct other o;
	uint64_t any, mine;

	config.policy = XNUMA_EXPORT_BUFFERS;
	other_start(&o, &config);
	any = other_do(&o, other_map, 0, LEN, 0);
	mine = other_do(&o, other_alloc, LEN, 0, 0);
	check_int(xnuma_get(o.memory, buffer, mine, LEN, NULL), ==, 0);
	check_int(xnuma_put(o.memory, mine, buffer, LEN, NULL), ==, 0);
	check_int(xnuma_get(o.memory, buffer, any, LEN, NULL), ==, -EACCES);
	check_int(xnuma_put(o.memory, any, buffer, 1, NULL), ==, -EACCES);
	check_int(xnuma_send(o.peer, 0, NULL, 0), ==, 0);
	other_stop(&o);
}

static void test_policy_none(struct xnuma_config config)
{
	struct other o;
	uint64_t any;

	config.policy = XNUMA_EXPORT_NONE;
	other_start(&o, &config);
	any = other_do(&o, other_map, 0, LEN, 0);
	check_int(xnuma_get(o.memory, buffer, any, LEN, NULL), ==, -EACCES);
	check_int(other_do(&o, job_export, any, LEN, XNUMA_READ), ==, -ENOTSUP);
	check_int(other_do(&o, other_alloc, LEN, 0, 0), ==, -ENOMEM);
	check_int(xnuma_send(o.peer, 0, NULL, 0), ==, 0);
	other_stop(&o);
}

/* Neither one of another job nor another user gets in. */
static void test_stranger(struct xnuma_config config, uid_t uid)
{
	uint8_t mine[XNUMA_BLOB_LEN];
	struct xnuma_domain *dom;
	struct xnuma_peer *peer;
	pid_t pid;

	if (uid && geteuid()) {
		skip_test("only root becomes another user");
		return;
	}
	xnuma_domain_pack(own, mine);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		xnuma_domain_close(own);
		if (uid)
			check(!setgid(uid) && !setuid(uid));
		else
			config.key[3] = 1;
		check_int(xnuma_domain_open(&config, &dom), ==, 0);
		check_int(xnuma_peer_open(dom, mine, &peer), ==, -EACCES);
		check(xnuma_error()[0]);
		xnuma_domain_close(dom);
		child_done();
	}
	check_child(pid);
}

static void test_mode(struct xnuma_config config)
{
	uint8_t mine[XNUMA_BLOB_LEN];
	struct xnuma_domain *dom, *open;
	struct xnuma_peer *peer;
	pid_t pid;

	if (geteuid()) {
		skip_test("only root becomes another user");
		return;
	}
	config.mode = 0666;
	check_int(xnuma_domain_open(&config, &open), ==, 0);
	xnuma_domain_pack(open, mine);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		check(!setgid(65534) && !setuid(65534));
		check_int(xnuma_domain_open(&config, &dom), ==, 0);
		check_int(xnuma_peer_open(dom, mine, &peer), ==, 0);
		check_int(xnuma_send(peer, 0, NULL, 0), ==, 0);
		xnuma_peer_close(peer);
		xnuma_domain_close(dom);
		child_done();
	}
	check_child(pid);
	xnuma_domain_close(open);
}

int main(void)
{
	struct xnuma_config config;
	struct other o;
	uint64_t mine, any;

	rkey_shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	xnuma_config_init(&config);
	other_start(&o, &config);
	mine = other_do(&o, other_alloc, LEN, 0, 0);
	any = other_do(&o, other_map, 0, LEN, 0);

	TEST(test_export(&o, mine), "a range is exported and taken back");
	TEST(test_rights(&o, mine), "rights and keys are looked at");
	TEST(test_export_refused(&o, any), "the impossible is refused");
	TEST(test_deny(&o, any), "a range is denied until it is allowed");
	TEST(other_stop(&o), "the other process ends well");
	TEST(test_policy_buffers(config), "policy buffers: what is offered");
	TEST(test_policy_none(config), "policy none: only messages");
	TEST(test_stranger(config, 0), "a key of another job opens nothing");
	TEST(test_stranger(config, 65534), "another user gets nothing");
	TEST(test_mode(config), "unless the mode lets him");
	xnuma_domain_close(own);
	return tap_done();
}
