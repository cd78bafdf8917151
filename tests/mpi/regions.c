// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: messages from and to every kind of memory a process can have,
 * also kinds that no peer can reach: these come another way, but they come
 *
 * regions [NAME...]	prints a line per kind, "skipped" with the reason
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

#define LEN		(512 * 1024)
#define THP		(2 * 1024 * 1024)
#define GUARD		64

static const size_t lens[] = { 100, 3000, 20000, 300000 };
static const char *why;		/* a region could not be had */

static uint8_t in_data[LEN] = { 1 };
static uint8_t in_bss[LEN];
static uint8_t *on_stack;

static void *had(void *p, const char *what)
{
	static char text[128];

	if (p && p != MAP_FAILED)
		return p;
	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	why = text;
	return NULL;
}

static void *make_stack(void)
{
	return on_stack;
}

static void *make_data(void)
{
	return in_data;
}

static void *make_bss(void)
{
	return in_bss;
}

static void *make_brk(void)
{
	void *p = sbrk(LEN);

	return had(p == (void *)-1 ? NULL : p, "sbrk");
}

static void *make_heap(void)
{
	return had(malloc(LEN), "malloc");
}

static void *map(size_t len, int flags, int fd)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);
}

static void *make_mmap(void)
{
	return had(map(LEN, MAP_PRIVATE | MAP_ANONYMOUS, -1), "mmap");
}

static void *make_shared(void)
{
	return had(map(LEN, MAP_SHARED | MAP_ANONYMOUS, -1), "mmap");
}

static void *make_thp(void)
{
	uint8_t *p = map(2 * THP, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (!had(p, "mmap"))
		return NULL;
	p = (uint8_t *)(((uintptr_t)p + THP - 1) & ~(uintptr_t)(THP - 1));
	return madvise(p, THP, MADV_HUGEPAGE) ? had(NULL, "madvise") : p;
}

static void *make_hugetlb(void)
{
	return had(map(THP, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1),
		   "mmap MAP_HUGETLB");
}

static void *map_file(int flags)
{
	char name[] = "/tmp/xnuma-regions.XXXXXX";
	int fd = mkstemp(name);
	void *p;

	if (fd < 0)
		return had(NULL, "mkstemp");
	unlink(name);
	if (ftruncate(fd, LEN)) {
		close(fd);
		return had(NULL, "ftruncate");
	}
	p = map(LEN, flags, fd);
	close(fd);
	return had(p, "mmap");
}

static void *make_file_shared(void)
{
	return map_file(MAP_SHARED);
}

static void *make_file_private(void)
{
	return map_file(MAP_PRIVATE);
}

static void *map_fd(int fd, const char *what)
{
	void *p;

	if (fd < 0)
		return had(NULL, what);
	if (ftruncate(fd, LEN)) {
		close(fd);
		return had(NULL, "ftruncate");
	}
	p = map(LEN, MAP_SHARED, fd);
	close(fd);
	return had(p, what);
}

static void *make_memfd(void)
{
	return map_fd(memfd_create("regions", 0), "memfd_create");
}

static void *make_sysv(void)
{
	int id = shmget(IPC_PRIVATE, LEN, 0600);
	void *p;

	if (id < 0)
		return had(NULL, "shmget");
	p = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	return had(p == (void *)-1 ? NULL : p, "shmat");
}

static void *make_secret(void)
{
	return map_fd(syscall(447, 0), "memfd_secret");
}

/* The rings of io_uring are mapped as a device's memory is (VM_PFNMAP). */
static void *make_device(void)
{
	char params[120] = { 0 };
	int fd = syscall(425, LEN / 64, params);
	void *p;

	if (fd < 0)
		return had(NULL, "io_uring_setup");
	p = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		 fd, 0x10000000);
	close(fd);
	return had(p, "mmap of io_uring");
}

/* Alike in both ranks: the longest executable mapping of the same file. */
static void *make_text(void)
{
	unsigned long from, to, best = 0;
	static uint8_t *text;
	char line[512];
	FILE *maps;

	maps = fopen("/proc/self/maps", "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx r-xp", &from, &to) != 2 ||
		    !strstr(line, " r-xp ") || !strstr(line, "/libc"))
			continue;
		if (to - from > best) {
			best = to - from;
			text = (uint8_t *)from;
		}
	}
	if (maps)
		fclose(maps);
	if (best < LEN)
		why = "libc has too little text";
	return best < LEN ? NULL : text;
}

struct region {
	const char *name;
	void *(*make)(void);
	int read_only;
} regions[] = {
	{ "stack", make_stack, 0 },
	{ "data", make_data, 0 },
	{ "bss", make_bss, 0 },
	{ "brk", make_brk, 0 },
	{ "heap", make_heap, 0 },
	{ "mmap", make_mmap, 0 },
	{ "shared", make_shared, 0 },
	{ "thp", make_thp, 0 },
	{ "hugetlb", make_hugetlb, 0 },
	{ "file-shared", make_file_shared, 0 },
	{ "file-private", make_file_private, 0 },
	{ "memfd", make_memfd, 0 },
	{ "sysv", make_sysv, 0 },
	{ "text", make_text, 1 },
	{ "secret", make_secret, 0 },
	{ "device", make_device, 0 },
};

static uint8_t *plain;

/* From rank 0's region to rank 1's plain memory. */
static void send_from(struct region *region, uint8_t *mem, size_t len)
{
	uint8_t *p = mem + 123;

	if (!rank) {
		if (!region->read_only)
			pattern_fill(p, len, len);
		MPI_Send(p, len, MPI_BYTE, 1, 1, MPI_COMM_WORLD);
		return;
	}
	memset(plain, 0xcc, len + GUARD);
	MPI_Recv(plain, len, MPI_BYTE, 0, 1, MPI_COMM_WORLD,
		 MPI_STATUS_IGNORE);
	if (!region->read_only)
		pattern_check(region->name, plain, len, len);
	else if (memcmp(plain, p, len))
		fail("%s: %zu bytes differ", region->name, len);
	constant_check(region->name, plain + len, GUARD, 0xcc);
}

/* From rank 0's plain memory to rank 1's region. */
static void send_to(struct region *region, uint8_t *mem, size_t len)
{
	uint8_t *p = mem + 321;

	if (!rank) {
		pattern_fill(plain, len, len + 1);
		MPI_Send(plain, len, MPI_BYTE, 1, 2, MPI_COMM_WORLD);
		return;
	}
	memset(p, 0xdd, len + GUARD);
	MPI_Recv(p, len, MPI_BYTE, 0, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	pattern_check(region->name, p, len, len + 1);
	constant_check(region->name, p + len, GUARD, 0xdd);
}

static void try(struct region *region)
{
	uint8_t *mem = region->make();
	int mine = mem != NULL, both;
	size_t i;

	MPI_Allreduce(&mine, &both, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
	if (!both) {
		if (!rank)
			printf("region %s: skipped: %s\n", region->name,
			       why ? why : "the other rank has none");
		return;
	}
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		send_from(region, mem, lens[i]);
		if (!region->read_only)
			send_to(region, mem, lens[i]);
	}
	MPI_Barrier(MPI_COMM_WORLD);
	if (!rank)
		printf("region %s: all right\n", region->name);
	fflush(stdout);
}

static int is_asked(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], name))
			return 1;
	}
	return argc < 2;
}

int main(int argc, char **argv)
{
	uint8_t stack[LEN];
	size_t i;

	start(&argc, &argv);
	need(nranks == 2);
	on_stack = stack;
	plain = malloc(LEN);
	need(plain);
	for (i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		if (is_asked(regions[i].name, argc, argv))
			try(&regions[i]);
	}
	return finish("regions");
}
