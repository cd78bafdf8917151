/* SPDX-License-Identifier: BSD-3-Clause */
/* libxpmem: what is seen through attachments. */

#include <sys/mman.h>

#include "guest-xpmem.h"
#include "tap.h"

#define LEN	(16 * PAGE)

static struct peer p;

#define on(fn, a, b, c) peer_call(&p, fn, (long)(a), (long)(b), (long)(c))

/* Get and attach all of a new peer's AREA. */
static char *share(int flags, size_t len, long *apid)
{
	long segid = x_owner(&p, len, 0600);

	*apid = x_get(segid, flags);
	return (char *)x_attach(*apid, 0, len, NULL);
}

static void end(long apid)
{
	check_int(x_release(apid), ==, 0);
	peer_stop(&p);
}

static void test_both_ways(void)
{
	long apid;
	char *at = share(XPMEM_RDWR, LEN, &apid);

	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(load(at), ==, 0x31);
	check_int(load(at + LEN - 1), ==, 0x31);
	check_int(store(at + PAGE, 0x32), ==, 0);
	check_int(on(on_load, AREA + PAGE, 0, 0), ==, 0x32);
	end(apid);
}

static void test_offsets(void)
{
	long apid, n;
	char *at = share(XPMEM_RDWR, LEN, &apid);

	for (n = 0; n < 16; n++)
		check_int(on(on_store, AREA + n * PAGE + 5, 0x40 + n, 0), ==,
			  0);
	at = (char *)x_attach(apid, 3 * PAGE, 1, NULL);
	check_int((long)at % PAGE, ==, 0);
	check_int(load(at + 5), ==, 0x43);
	check_int(load(at + PAGE), ==, -SIGSEGV);
	at = (char *)x_attach(apid, 3 * PAGE + 5, PAGE, NULL);
	check_int((long)at % PAGE, ==, 5);
	check_int(load(at), ==, 0x43);
	check_int(load(at + PAGE), ==, 0x44);
	check_int(x_detach(at), ==, 0);
	end(apid);
}

static void test_place(void)
{
	long apid;
	char *at = share(XPMEM_RDWR, LEN, &apid), *mine;

	mine = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mine[0] = 1;
	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(x_attach(apid, 0, LEN, mine), ==, (long)mine);
	check_int(load(mine), ==, 0x31);
	check_int(store(mine, 0x32), ==, 0);
	check_int(load(at), ==, 0x32);
	check_int(x_detach(mine), ==, 0);
	check_int(load(mine), ==, -SIGSEGV);
	end(apid);
}

/* mmap() goes on where it would have gone without the attachment. */
static void test_arena(void)
{
	long apid;
	char *at, *before, *after;

	share(XPMEM_RDWR, LEN, &apid);
	before = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	at = (char *)x_import(on(on_x_make, 0, -1, 0600), XPMEM_RDWR, 0,
			      TIB);
	check_int((long)at, >, 0);
	after = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check_int(labs(after - before), <, GIB);
	check_int(labs(after - at), >, TIB);
	munmap(before, PAGE);
	munmap(after, PAGE);
	check_int(x_detach(at), ==, 0);
	end(apid);
}

static long on_stack(long a, long b, long c)
{
	static _Thread_local char deep[PAGE];

	deep[7] = 0x51;
	return (long)&deep[7];
}

static long on_heap(long a, long b, long c)
{
	char *ptr = malloc(100);

	*ptr = 0x52;
	return (long)ptr;
}

static long on_frame(long a, long b, long c)
{
	char **environment = environ;

	return (long)environment[0];
}

static void test_everything(void)
{
	long segid, apid, va;
	char *at;

	check_int(peer_start(&p), ==, 0);
	segid = on(on_x_make, 0, -1, 0600);
	apid = x_get(segid, XPMEM_RDWR);
	va = on(on_heap, 0, 0, 0);
	at = (char *)x_attach(apid, va, 1, NULL);
	check_int(load(at), ==, 0x52);
	va = on(on_stack, 0, 0, 0);
	at = (char *)x_attach(apid, va, 1, NULL);
	check_int(load(at), ==, 0x51);
	va = on(on_frame, 0, 0, 0);
	at = (char *)x_attach(apid, va & -(8L << 20), 8 << 20, NULL);
	check_int(load(at + va % (8L << 20)), ==, environ[0][0]);
	check_int(x_attach(apid, 0, 1UL << 40, NULL), >, 0);
	end(apid);
}

static void test_read_only(void)
{
	long segid = x_owner(&p, LEN, 0400), apid;
	char *at;

	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	apid = x_get(segid, XPMEM_RDONLY);
	at = (char *)x_attach(apid, 0, LEN, NULL);
	check_int(load(at), ==, 0x31);
	check_int(store(at, 0x32), ==, -SIGSEGV);
	check_int(mprotect(at, LEN, PROT_READ | PROT_WRITE), ==, -1);
	check_int(on(on_count, AREA, LEN, 0x31), ==, 0);
	end(apid);
}

static void test_remapped(void)
{
	long apid;
	char *at = share(XPMEM_RDWR, LEN, &apid);

	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(load(at), ==, 0x31);
	check_int(on(on_unmap, AREA, LEN, 0), ==, 0);
	check_int(load(at), ==, -SIGBUS);
	check_int(on(on_map, AREA, LEN, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0x32), ==, 0);
	check_int(load(at), ==, 0x32);
	check_int(on(on_advise, AREA, LEN, MADV_DONTNEED), ==, 0);
	check_int(load(at), ==, 0);
	end(apid);
}

static void test_owner_forks(void)
{
	long apid, child;
	char *at = share(XPMEM_RDWR, LEN, &apid);

	check_int(on(on_fill, AREA, LEN, 0x31), ==, 0);
	check_int(store(at, 0x32), ==, 0);
	child = on(on_fork, 0, 0, 0);
	check_int(on(on_fill, AREA, LEN, 0x33), ==, 0);
	check_int(load(at), ==, 0x33);
	check_int(store(at, 0x34), ==, 0);
	check_int(on(on_load, AREA, 0, 0), ==, 0x34);
	check_int(on(on_kill, child, 0, 0), ==, 0);
	end(apid);
}

static void test_holes(void)
{
	long apid;
	char *at = share(XPMEM_RDWR, LEN, &apid);

	check_int(on(on_unmap, AREA + 2 * PAGE, PAGE, 0), ==, 0);
	check_int(on(on_protect, AREA + 3 * PAGE, PAGE, PROT_NONE), ==, 0);
	check_int(on(on_protect, AREA + 4 * PAGE, PAGE, PROT_READ), ==, 0);
	check_int(store(at + PAGE, 1), ==, 0);
	check_int(load(at + 2 * PAGE), ==, -SIGBUS);
	check_int(load(at + 3 * PAGE), ==, -SIGBUS);
	check_int(load(at + 4 * PAGE), ==, 0);
	check_int(store(at + 4 * PAGE, 1), ==, -SIGBUS);
	check_int(store(at + 5 * PAGE, 1), ==, 0);
	end(apid);
}

static void test_end(int how)
{
	long segid = x_owner(&p, LEN, 0600), apid = x_get(segid, XPMEM_RDWR);
	char *at = (char *)x_attach(apid, 0, LEN, NULL);

	check_int(store(at, 1), ==, 0);
	if (how < 0)
		check_int(on(on_x_remove, segid, 0, 0), ==, 0);
	else if (!how)
		check_int(peer_stop(&p), ==, 0);
	else
		check_int(peer_kill(&p, how), ==, how);
	check_int(load(at), ==, -SIGBUS);
	check_int(store(at + PAGE, 1), ==, -SIGBUS);
	check_int(x_detach(at), ==, 0);
	end(apid);
}

#define MANY	2000

static void test_many(void)
{
	static char *at[MANY];
	char *first;
	long apid, i;

	check(stat_settles("windows", 0));
	first = share(XPMEM_RDWR, LEN, &apid);
	for (i = 0; i < MANY; i++) {
		at[i] = (char *)x_attach(apid, i % 16 * PAGE, PAGE, NULL);
		check_int((long)at[i], >, 0);
		check_int(store(at[i] + i / 16, (int)i & 0xff), ==, 0);
	}
	check_int(stat_read("windows"), ==, MANY + 1);
	for (i = 0; i < MANY; i++)
		if (load(first + i % 16 * PAGE + i / 16) != (i & 0xff))
			break;
	check_int(i, ==, MANY);
	/* three of four, from the middle outwards and back */
	for (i = 0; i < MANY; i++)
		if (i % 4)
			check_int(x_detach(at[i * 777 % MANY]), ==, 0);
	for (i = 0; i < MANY; i++)
		check_int(load(at[i * 777 % MANY]) >= 0, ==, i % 4 == 0);
	end(apid);
	check(stat_settles("windows", 0));
}

static void test_self(void)
{
	char *mine = mmap((void *)AREA, LEN, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long segid = x_make(mine, LEN, 0600), apid = x_get(segid, XPMEM_RDWR);
	char *at = (char *)x_attach(apid, 0, LEN, NULL);

	check_int((long)at, >, 0);
	check(at != mine);
	memset(mine, 0x31, PAGE);
	check_int(load(at), ==, 0x31);
	check_int(store(at + PAGE, 0x32), ==, 0);
	check_int(mine[PAGE], ==, 0x32);
	check_int(x_attach(apid, 0, LEN, mine), ==, -EINVAL);
	check_int(x_attach(apid, PAGE, 2 * PAGE, mine + 2 * PAGE), ==, -EINVAL);
	check_int(munmap(mine, LEN), ==, 0);
	check_int(load(at), ==, -SIGBUS);
	check_int(x_detach(at), ==, 0);
	check_int(x_release(apid), ==, 0);
	check_int(x_remove(segid), ==, 0);
}

static void test_two_directions(void)
{
	long apid, segid, there;
	char *at = share(XPMEM_RDWR, LEN, &apid), *mine;

	mine = mmap((void *)AREA, LEN, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	segid = x_make(mine, LEN, 0600);
	there = on(on_x_import, segid, 0, LEN);
	check_int(there, >, 0);
	check_int(on(on_store, there, 0x61, 0), ==, 0);
	check_int(mine[0], ==, 0x61);
	check_int(store(at, 0x62), ==, 0);
	check_int(on(on_load, AREA, 0, 0), ==, 0x62);
	munmap(mine, LEN);
	check_int(on(on_load, there, 0, 0), ==, -SIGBUS);
	check_int(x_remove(segid), ==, 0);
	end(apid);
}

int main(void)
{
	guest_begin();
	TEST(test_both_ways(), "stores are seen on the other side");
	TEST(test_offsets(), "an offset is where it was in its page");
	TEST(test_place(), "an attachment goes where it is wanted");
	TEST(test_arena(), "... else where mmap() does not go");
	TEST(test_everything(), "heap and stack of a whole address space");
	TEST(test_read_only(), "read-only permits attach, and stay read-only");
	TEST(test_remapped(), "the owner's new memory is seen, not its old");
	TEST(test_owner_forks(), "... also after copy on write");
	TEST(test_holes(), "what the owner cannot reach is SIGBUS");
	TEST(test_end(-1), "SIGBUS after xpmem_remove()");
	TEST(test_end(0), "SIGBUS after the owner's exit");
	TEST(test_end(SIGKILL), "SIGBUS after the owner was killed");
	TEST(test_many(), "2,000 attachments of one permit");
	TEST(test_self(), "a process attaches its own segment");
	TEST(test_two_directions(), "two processes attach each other");
	return tap_done();
}
