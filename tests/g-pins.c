/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * No page reference outlives a fault (I2): what an importer has mapped can
 * still be reclaimed, migrated, compacted and taken offline, and whoever
 * wants to borrow the pages from the importer gets none.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "guest.h"
#include "tap.h"

#define NPAGES	1024
#define LEN	(NPAGES * PAGE)

static struct owner o;
static struct import im;

#define on(fn, a, b, c) peer_call(&o.peer, fn, (long)(a), (long)(b), (long)(c))
#define page(n) (im.win + (n) * PAGE)

static int byte_of(size_t page)
{
	return 1 + (int)(page % 251);
}

static int pages_wrong(void)
{
	int wrong = 0;
	size_t i;

	for (i = 0; i < NPAGES; i++)
		wrong += load(page(i)) != byte_of(i);
	return wrong;
}

/* The owner touches everything, the importer writes everything. */
static void begin(void)
{
	int failed = 0;
	size_t i;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_fill, AREA, LEN, 0xee), ==, 0);
	for (i = 0; i < NPAGES; i++)
		failed += store(page(i), byte_of(i));
	check_int(failed, ==, 0);
}

static long kernel_count(const char *file, const char *name)
{
	char line[128], key[64];
	long value, found = -1;
	FILE *f = fopen(file, "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63[^: ]%*[: ]%ld", key, &value) == 2 &&
		    !strcmp(key, name))
			found = value;
	if (f)
		fclose(f);
	return found;
}

static void test_pageout(void)
{
	long before, cached, out = 0, round;

	begin();
	before = kernel_count("/proc/meminfo", "SwapCached");
	check_int(before, >=, 0);
	/* a page that is just on its way between lists is left out once */
	for (round = 0; round < 5 && out < NPAGES; round++) {
		check_int(page_out(o.peer.pid, AREA, LEN), ==, 0);
		out = pages_swapped(o.peer.pid, AREA, NPAGES);
	}
	check_int(out, ==, NPAGES);
	/* a reference would keep each of them in the swap cache */
	cached = kernel_count("/proc/meminfo", "SwapCached") - before;
	check_int(cached, <, NPAGES * 4 / 8);
	check_int(pages_wrong(), ==, 0);
	share_close(&o, &im);
}

/* Not one by one: each needs the slow path, which brings its neighbours. */
static void test_swap_in(void)
{
	long slow;

	begin();
	check_int(page_out(o.peer.pid, AREA, LEN), ==, 0);
	check_int(pages_swapped(o.peer.pid, AREA, NPAGES), >, NPAGES / 2);
	slow = stat_read("slow");
	check_int(pages_wrong(), ==, 0);
	check_int(stat_read("slow") - slow, <=, NPAGES / 8);
	share_close(&o, &im);
}

static void test_move(void)
{
	long failed = kernel_count("/proc/vmstat", "pgmigrate_fail"), i;
	int here, node;

	begin();
	here = (int)on(on_node, AREA, 0, 0);
	check_int(here, >=, 0);
	for (node = !here, i = 0; i < 4; i++, node = !node) {
		check_int(page_move(o.peer.pid, AREA, 512, node), ==, 512);
		check_int(on(on_node, AREA + 7 * PAGE, 0, 0), ==, node);
		check_int(pages_wrong(), ==, 0);
	}
	check_int(kernel_count("/proc/vmstat", "pgmigrate_fail"), ==, failed);
	check_int(on(on_store, AREA, 0x77, 0), ==, 0);
	check_int(load(page(0)), ==, 0x77);
	share_close(&o, &im);
}

static void test_compact(void)
{
	int fd;

	begin();
	fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);
	check_int(write(fd, "1", 1), ==, 1);
	check_int(close(fd), ==, 0);
	check_int(pages_wrong(), ==, 0);
	share_close(&o, &im);
}

/* The page's content moves to another frame, the frame is given up. */
static void test_offline(void)
{
	begin();
	check_int(on(on_advise, AREA, PAGE, MADV_SOFT_OFFLINE), ==, 0);
	check_int(pages_wrong(), ==, 0);
	check_int(store(page(0), 0x78), ==, 0);
	check_int(on(on_load, AREA, 0, 0), ==, 0x78);
	share_close(&o, &im);
}

static void test_borrow(void)
{
	struct iovec from = { NULL, PAGE }, to = { NULL, PAGE };
	char buf[PAGE];
	int pipes[2];

	begin();
	check_int(pipe(pipes), ==, 0);
	from.iov_base = page(1);
	to.iov_base = buf;
	check_int(vmsplice(pipes[1], &from, 1, SPLICE_F_NONBLOCK), ==, -1);
	check_int(errno, ==, EFAULT);
	check_int(process_vm_readv(getpid(), &to, 1, &from, 1, 0), ==, -1);
	check_int(errno, ==, EFAULT);
	/* a copy is no loan */
	check_int(write(pipes[1], page(1), 16), ==, 16);
	check_int(read(pipes[0], buf, 16), ==, 16);
	check_int(buf[0], ==, byte_of(1));
	close(pipes[0]);
	close(pipes[1]);
	share_close(&o, &im);
}

static void ksm(const char *file, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/mm/ksm/%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	check_int(write(fd, text, strlen(text)), >, 0);
	close(fd);
}

/* Equal pages become one behind the importer, and come apart by its store. */
static void test_merge(void)
{
	unsigned long frame;
	int i;

	check_int(share_open(&o, &im, LEN, RW, RW, 0), ==, 0);
	check_int(on(on_fill, AREA, 16 * PAGE, 0x3c), ==, 0);
	for (i = 0; i < 16; i++)
		check_int(store(page(i), 0x3c), ==, 0);
	check_int(on(on_advise, AREA, 16 * PAGE, MADV_MERGEABLE), ==, 0);
	ksm("sleep_millisecs", "1");
	ksm("run", "1");
	for (i = 0; i < 10000; i++) {
		frame = page_frame(o.peer.pid, AREA);
		if (frame && frame == page_frame(o.peer.pid, AREA + PAGE))
			break;
		usleep(1000);
	}
	check_uint(frame, ==, page_frame(o.peer.pid, AREA + PAGE));
	for (i = 0; i < 16; i++)
		check_int(load(page(i)), ==, 0x3c);
	check_int(store(page(0), 0x3d), ==, 0);
	check_int(on(on_load, AREA, 0, 0), ==, 0x3d);
	check_int(on(on_load, AREA + PAGE, 0, 0), ==, 0x3c);
	check_int(load(page(1)), ==, 0x3c);
	ksm("run", "2");
	share_close(&o, &im);
}

/* munmap gives the memory back at once although the importer stays. */
static void test_free(void)
{
	struct import other;
	long used;

	begin();
	check_int(import_open(&other, o.id, LEN, RO, 0), ==, 0);
	check_int(load(other.win), ==, byte_of(0));
	used = kernel_count("/proc/meminfo", "AnonPages");
	check_int(on(on_advise, AREA, LEN, MADV_DONTNEED), ==, 0);
	used -= kernel_count("/proc/meminfo", "AnonPages");
	check_int(used, >=, NPAGES * 4 - 512);
	check_int(load(page(3)), ==, 0);
	check_int(load(other.win), ==, 0);
	check_int(import_close(&other), ==, 0);
	share_close(&o, &im);
}

int main(void)
{
	guest_begin();
	TEST(test_pageout(), "I2: reclaim frees every page that is imported");
	TEST(test_swap_in(), "swapped pages come back several at a time");
	TEST(test_move(), "I2: move_pages moves every page, 4 times, none fails");
	TEST(test_compact(), "I2: compaction moves imported pages unnoticed");
	TEST(test_offline(), "I2: a page is taken offline under its importer");
	TEST(test_borrow(), "I2: vmsplice and process_vm_readv get no page");
	TEST(test_merge(), "I2: KSM merges imported pages, a store parts them");
	TEST(test_free(), "I2: what the owner drops is free memory at once");
	return tap_done();
}
