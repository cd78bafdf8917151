/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the owner does to its address space is true for the importer when the
 * owner's system call returns (I1): new data or SIGBUS, never the old page.
 */

#include <fcntl.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	64
#define LEN	(NPAGES * PAGE)
#define AWAY	(AREA + (long)GIB)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)

/* Everything is mapped in the importer before the event. */
static void begin(int byte)
{
	size_t i;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, byte), ==, 0);
	for (i = 0; i < NPAGES; i++)
		check_int(store(page(i), byte), ==, 0);
}

static void end(void)
{
	share_close(&o, &im);
}

static void test_stores(void)
{
	begin(0x31);
	check_int(on(on_store, AREA + 5, 0x41, 0), ==, 0);
	check_int(load(im.win + 5), ==, 0x41);
	check_int(store(im.win + 6, 0x42), ==, 0);
	check_int(on(on_load, AREA + 6, 0, 0), ==, 0x42);
	end();
}

static void test_unmap(void)
{
	begin(0x31);
	check_int(on(on_unmap, AREA + 3 * PAGE, 2 * PAGE, 0), ==, 0);
	check_int(load(page(2)), ==, 0x31);
	check_int(load(page(3)), ==, -SIGBUS);
	check_int(store(page(4), 1), ==, -SIGBUS);
	check_int(load(page(5)), ==, 0x31);
	end();
}

static void test_map_again(void)
{
	begin(0x31);
	check_int(on(on_unmap, AREA, LEN, 0), ==, 0);
	check_int(on(on_map, AREA, LEN, 0), ==, 0);
	check_int(on(on_store, AREA, 0x32, 0), ==, 0);
	check_int(load(page(0)), ==, 0x32);
	check_int(load(page(1)), ==, 0);
	end();
}

static void test_map_over(void)
{
	begin(0x31);
	check_int(on(on_map, AREA, LEN, MAP_FIXED), ==, 0);
	check_int(load(page(0)), ==, 0);
	check_int(store(page(1), 0x33), ==, 0);
	check_int(on(on_load, AREA + PAGE, 0, 0), ==, 0x33);
	end();
}

static long on_remap(long from, long to, long len)
{
	return mremap((void *)from, (size_t)len, (size_t)len,
		      MREMAP_MAYMOVE | MREMAP_FIXED, (void *)to) == MAP_FAILED ?
		       -errno :
		       0;
}

static void test_remap(void)
{
	begin(0x31);
	check_int(on(on_remap, AREA, AWAY, LEN), ==, 0);
	check_int(load(page(0)), ==, -SIGBUS);
	check_int(on(on_store, AWAY, 0x32, 0), ==, 0);
	check_int(on(on_remap, AWAY, AREA, LEN), ==, 0);
	check_int(load(page(0)), ==, 0x32);
	check_int(load(page(NPAGES - 1)), ==, 0x31);
	end();
}

static void test_protect_none(void)
{
	begin(0x31);
	check_int(on(on_protect, AREA, PAGE, PROT_NONE), ==, 0);
	check_int(load(page(0)), ==, -SIGBUS);
	check_int(load(page(1)), ==, 0x31);
	check_int(on(on_protect, AREA, PAGE, PROT_READ | PROT_WRITE), ==, 0);
	check_int(load(page(0)), ==, 0x31);
	end();
}

static void test_protect_read(void)
{
	begin(0x31);
	check_int(on(on_protect, AREA, PAGE, PROT_READ), ==, 0);
	check_int(store(page(0), 0x66), ==, -SIGBUS);
	check_int(load(page(0)), ==, 0x31);
	check_int(on(on_load, AREA, 0, 0), ==, 0x31);
	check_int(on(on_protect, AREA, PAGE, PROT_READ | PROT_WRITE), ==, 0);
	check_int(store(page(0), 0x67), ==, 0);
	check_int(on(on_load, AREA, 0, 0), ==, 0x67);
	end();
}

static void test_dontneed(void)
{
	begin(0x31);
	check_int(on(on_advise, AREA, PAGE, MADV_DONTNEED), ==, 0);
	check_int(load(page(0)), ==, 0);
	check_int(load(page(1)), ==, 0x31);
	check_int(on(on_store, AREA, 0x32, 0), ==, 0);
	check_int(load(page(0)), ==, 0x32);
	end();
}

/* Another process's view of memory, or its hand in it: a debugger's. */
static int mem_access(long pid, long addr, int byte)
{
	unsigned char c = (unsigned char)byte;
	ssize_t n;
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	n = byte < 0 ? pread(fd, &c, 1, addr) : pwrite(fd, &c, 1, addr);
	close(fd);
	return n == 1 ? c : -1;
}

static void test_fork_owner_writes(void)
{
	long child;

	begin(0x31);
	child = on(on_fork, 0, 0, 0);
	check_int(child, >, 0);
	check_int(on(on_fill, AREA, LEN, 0x32), ==, 0);
	check_int(load(page(0)), ==, 0x32);
	check_int(load(page(NPAGES - 1)), ==, 0x32);
	check_int(mem_access(child, AREA, -1), ==, 0x31);
	check_int(on(on_kill, child, 0, 0), ==, 0);
	end();
}

static void test_fork_importer_writes(void)
{
	long child;

	begin(0x31);
	child = on(on_fork, 0, 0, 0);
	check_int(child, >, 0);
	check_int(store(page(0), 0x33), ==, 0);
	check_int(on(on_load, AREA, 0, 0), ==, 0x33);
	check_int(mem_access(child, AREA, -1), ==, 0x31);
	/* and the pages that nobody wrote stay shared by all three */
	check_int(load(page(1)), ==, 0x31);
	check_int(on(on_kill, child, 0, 0), ==, 0);
	end();
}

/* The forked child makes the debugger's write replace the page. */
static void test_debugger(void)
{
	long child;

	begin(0x31);
	child = on(on_fork, 0, 0, 0);
	check_int(child, >, 0);
	check_int(mem_access(o.peer.pid, AREA, 0x34), ==, 0x34);
	check_int(load(page(0)), ==, 0x34);
	check_int(mem_access(child, AREA, -1), ==, 0x31);
	check_int(on(on_kill, child, 0, 0), ==, 0);
	end();
}

/* What the importer must see in each page; HOLE is SIGBUS. */
#define HOLE (-SIGBUS)

static int event_random(int *want, unsigned int *seed, int round)
{
	size_t first = (size_t)rand_r(seed) % NPAGES, i;
	size_t n = 1 + (size_t)rand_r(seed) % (NPAGES - first);
	long va = AREA + (long)(first * PAGE), len = (long)(n * PAGE), ret = 0;
	int byte = 1 + round % 250, value = byte, child;

	switch (rand_r(seed) % 6) {
	case 0:
		ret = on(on_unmap, va, len, 0);
		value = HOLE;
		break;
	case 1:
		ret = on(on_map, va, len, MAP_FIXED);
		value = 0;
		break;
	case 2:
		ret = on(on_map, va, len, MAP_FIXED) ||
		      on(on_advise, va, len, MADV_DONTNEED);
		value = 0;
		break;
	case 3:
		child = (int)on(on_fork, 0, 0, 0);
		ret = on(on_map, va, len, MAP_FIXED) ||
		      on(on_fill, va, len, byte) || on(on_kill, child, 0, 0);
		break;
	case 4:
		ret = on(on_map, va, len, MAP_FIXED) ||
		      on(on_fill, va, len, byte) ||
		      on(on_advise, va, len, MADV_PAGEOUT);
		break;
	default:
		ret = on(on_map, va, len, MAP_FIXED) ||
		      on(on_fill, va, len, byte);
	}
	for (i = first; i < first + n; i++)
		want[i] = value;
	return (int)ret;
}

static void test_random(void)
{
	int want[NPAGES], wrong = 0, round;
	unsigned int seed = 1;
	size_t i;

	begin(0x31);
	for (i = 0; i < NPAGES; i++)
		want[i] = 0x31;
	for (round = 0; round < 100; round++) {
		check_int(event_random(want, &seed, round), ==, 0);
		for (i = 0; i < NPAGES; i++) {
			/* an importer's own mark must come and go as well */
			if (want[i] > 0 && !((round + (int)i) % 7))
				want[i] ^= store(page(i), want[i] ^ 0x80) ? 0 :
									0x80;
			wrong += load(page(i)) != want[i];
		}
	}
	check_int(wrong, ==, 0);
	end();
}

int main(void)
{
	guest_begin();
	TEST(test_stores(), "owner and importer see each other's stores");
	TEST(test_unmap(), "I1: what the owner unmaps is SIGBUS, the rest stays");
	TEST(test_map_again(), "I1: memory mapped again is new, not stale");
	TEST(test_map_over(), "I1: MAP_FIXED over exported memory replaces it");
	TEST(test_remap(), "I1: mremap away is SIGBUS, and back the same data");
	TEST(test_protect_none(), "I1: PROT_NONE is SIGBUS until it is undone");
	TEST(test_protect_read(), "I1: mprotect to read-only stops stores only");
	TEST(test_dontneed(), "I1: MADV_DONTNEED leaves zeros, then new stores");
	TEST(test_fork_owner_writes(),
	     "I1: after a fork the importer follows what the owner writes");
	TEST(test_fork_importer_writes(),
	     "I5: an importer's store breaks the owner's COW, not the child's");
	TEST(test_debugger(), "I1: a debugger's write reaches the importer");
	TEST(test_random(), "I1: 100 random events, no stale byte in 64 pages");
	return tap_done();
}
