/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz.h - every ioctl with its fields, and the errors that xpmem_numa(4) knows
 * of; for tests that give fields values they should not have
 */
#ifndef XNUMA_TESTS_FUZZ_H
#define XNUMA_TESTS_FUZZ_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "xpmem_numa.h"

struct fuzz_field {
	size_t at, size;
};

struct fuzz_call {
	const char *name;
	unsigned long cmd;
	int errors[8];		/* beside those that each call may have */
	struct fuzz_field field[13];
};

#define FIELD(type, f) { offsetof(struct xpmem_numa_##type, f), \
			 sizeof(((struct xpmem_numa_##type *)0)->f) }
#define CALL(name) #name, XPMEM_NUMA_##name

#define FUZZ_HANDLE	{ FIELD(handle, handle), FIELD(handle, flags) }
#define FUZZ_RANGE	{ FIELD(range, handle), FIELD(range, flags), \
			  FIELD(range, va), FIELD(range, len) }

static const struct fuzz_call fuzz_calls[] = {
	{ CALL(QUERY), { 0 },
	  { FIELD(query, flags), FIELD(query, abi), FIELD(query, features),
	    FIELD(query, fabric), FIELD(query, partition), FIELD(query, pad),
	    FIELD(query, incarnation), FIELD(query, max_exports),
	    FIELD(query, max_imports), FIELD(query, max_windows),
	    FIELD(query, max_granules), FIELD(query, reserved) } },
	{ CALL(EXPORT), { EDQUOT, EMFILE, ENOMEM },
	  { FIELD(export, addr), FIELD(export, len), FIELD(export, rights),
	    FIELD(export, mode), FIELD(export, gid), FIELD(export, flags),
	    FIELD(export, key), FIELD(export, id), FIELD(export, handle),
	    FIELD(export, pad) } },
	{ CALL(UNEXPORT), { ENOENT }, FUZZ_HANDLE },
	{ CALL(IMPORT),
	  { EACCES, EDQUOT, EHOSTUNREACH, EMFILE, ENOENT, ENOMEM, ENOSPC },
	  { FIELD(import, id), FIELD(import, partition), FIELD(import, rights),
	    FIELD(import, flags), FIELD(import, handle), FIELD(import, key),
	    FIELD(import, addr), FIELD(import, len), FIELD(import, pad) } },
	{ CALL(UNIMPORT), { ENOENT }, FUZZ_HANDLE },
	{ CALL(DENY), { EDQUOT, ENOENT, ENOMEM }, FUZZ_RANGE },
	{ CALL(ALLOW), { EDQUOT, ENOENT, ENOMEM }, FUZZ_RANGE },
	{ CALL(WAKE), { ENOENT, EPIPE }, FUZZ_HANDLE },
	{ CALL(PREFAULT), { EACCES, ENOENT, ENOMEM, EPIPE },
	  { FIELD(prefault, handle), FIELD(prefault, flags),
	    FIELD(prefault, va), FIELD(prefault, len), FIELD(prefault, rights),
	    FIELD(prefault, pad), FIELD(prefault, done) } },
	{ CALL(RESET), { ENOENT }, FUZZ_RANGE },
	{ CALL(STATS_READ), { ENOENT },
	  { FIELD(stats, handle), FIELD(stats, flags), FIELD(stats, exports),
	    FIELD(stats, metadata) } },
};

#define FUZZ_CALLS (sizeof(fuzz_calls) / sizeof(*fuzz_calls))

static inline size_t fuzz_fields(const struct fuzz_call *c)
{
	size_t n = 0;

	while (n < sizeof(c->field) / sizeof(*c->field) && c->field[n].size)
		n++;
	return n;
}

/* What each call may say of its structure, or of whose file it is. */
static inline bool fuzz_documented(const struct fuzz_call *c, int error)
{
	size_t i;

	if (!error || error == EINVAL || error == EFAULT || error == ESTALE)
		return true;
	for (i = 0; i < sizeof(c->errors) / sizeof(*c->errors); i++)
		if (c->errors[i] == error)
			return true;
	return false;
}

/* What mmap() of the device may say. */
static inline bool fuzz_documented_mmap(int error)
{
	static const int errors[] = { 0, EACCES, EDQUOT, EINVAL, ENOENT, ENOMEM,
				      EPERM, ESTALE,
				      /* of mmap(2) itself */
				      EEXIST, EOVERFLOW, EAGAIN };
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i] == error)
			return true;
	return false;
}

/* Of a number that a test has put together; NULL if there is none. */
static inline const struct fuzz_call *fuzz_find(unsigned long cmd)
{
	size_t i;

	for (i = 0; i < FUZZ_CALLS; i++)
		if (fuzz_calls[i].cmd == (unsigned int)cmd)
			return &fuzz_calls[i];
	return NULL;
}

static inline void fuzz_set(void *arg, const struct fuzz_field *f, __u64 value)
{
	memcpy((char *)arg + f->at, &value,
	       f->size < sizeof(value) ? f->size : sizeof(value));
}

#endif
