/* SPDX-License-Identifier: BSD-3-Clause */
/* count-port.c - the modules whose cost is counted: ours, and XPMEM's. */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "count.h"

/* ---- xpmem_numa, by its calls ---- */

static int fd = -1;
static unsigned int exported;	/* the owner's handle */

static void kmod_setup(const char *arg)
{
	(void)arg;
}

/* Opened by whoever first needs it, after the owners were forked. */
static int device(void)
{
	if (fd < 0)
		fd = dev_open();
	if (fd < 0)
		die(XPMEM_NUMA_DEVICE);
	return fd;
}

static long kmod_offer(void *addr, size_t len)
{
	struct xpmem_numa_export ex;

	if (dev_export(device(), addr, len, RW, &ex))
		die("EXPORT");
	exported = ex.handle;
	return (long)ex.id;
}

static void kmod_withdraw(long id)
{
	(void)id;
	if (dev_handle(device(), XPMEM_NUMA_UNEXPORT, exported))
		die("UNEXPORT");
}

static long kmod_take(long id)
{
	struct xpmem_numa_import im;

	if (dev_import(device(), (__u64)id, RW, 0, &im))
		die("IMPORT");
	return im.handle;
}

static void kmod_drop(long handle)
{
	if (dev_handle(device(), XPMEM_NUMA_UNIMPORT, (unsigned int)handle))
		die("UNIMPORT");
}

static char *kmod_map(long handle, char *addr, char *first, size_t len)
{
	void *win = mmap(addr, len, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, device(),
			 (off_t)XPMEM_NUMA_OFFSET(handle, (uintptr_t)first));

	if (win == MAP_FAILED)
		die("mmap of a window");
	return win;
}

static void kmod_unmap(char *win, size_t len)
{
	if (munmap(win, len))
		die("munmap of a window");
}

static bool kmod_prefault(long handle, char *addr, size_t len)
{
	long done = dev_prefault(device(), (unsigned int)handle,
				 (long)(uintptr_t)addr, len, RO, 0);

	if (done != (long)len)
		die("PREFAULT");
	return true;
}

static long kmod_metadata(void)
{
	return stat_read("metadata");
}

const struct port port_kmod = {
	.name = "xpmem_numa",
	.setup = kmod_setup,
	.offer = kmod_offer,
	.withdraw = kmod_withdraw,
	.take = kmod_take,
	.drop = kmod_drop,
	.map = kmod_map,
	.unmap = kmod_unmap,
	.prefault = kmod_prefault,
	.metadata = kmod_metadata,
};

/* ---- XPMEM, by a library with its interface ---- */

struct xpmem_place {
	int64_t apid;
	off_t offset;
};

static struct {
	int64_t (*make)(void *addr, size_t len, int type, void *permit);
	int (*remove)(int64_t segid);
	int64_t (*get)(int64_t segid, int flags, int type, void *permit);
	int (*release)(int64_t apid);
	void *(*attach)(struct xpmem_place at, size_t len, void *addr);
	int (*detach)(void *addr);
} xpmem;

#define XPMEM_RDWR		2
#define XPMEM_PERMIT_MODE	1

static void *symbol(void *lib, const char *name)
{
	void *fn = dlsym(lib, name);

	if (!fn)
		die(dlerror());
	return fn;
}

/* The attachment begins at the segment's own first byte. */
static char *segment;

static void xpmem_setup(const char *arg)
{
	void *lib = dlopen(arg, RTLD_NOW);

	if (!lib)
		die(dlerror());
	*(void **)&xpmem.make = symbol(lib, "xpmem_make");
	*(void **)&xpmem.remove = symbol(lib, "xpmem_remove");
	*(void **)&xpmem.get = symbol(lib, "xpmem_get");
	*(void **)&xpmem.release = symbol(lib, "xpmem_release");
	*(void **)&xpmem.attach = symbol(lib, "xpmem_attach");
	*(void **)&xpmem.detach = symbol(lib, "xpmem_detach");
	segment = (char *)AREA;
}

static long xpmem_offer(void *addr, size_t len)
{
	int64_t id = xpmem.make(addr, len, XPMEM_PERMIT_MODE, (void *)0600);

	if (id < 0)
		die("xpmem_make");
	return id;
}

static void xpmem_withdraw(long id)
{
	if (xpmem.remove(id))
		die("xpmem_remove");
}

static long xpmem_take(long id)
{
	int64_t apid = xpmem.get(id, XPMEM_RDWR, XPMEM_PERMIT_MODE,
				 (void *)0600);

	if (apid < 0)
		die("xpmem_get");
	return apid;
}

static void xpmem_drop(long handle)
{
	if (xpmem.release(handle))
		die("xpmem_release");
}

static char *xpmem_map(long handle, char *addr, char *first, size_t len)
{
	struct xpmem_place at = { handle, first - segment };
	void *win = xpmem.attach(at, len, addr);

	if (win == (void *)-1)
		die("xpmem_attach");
	return win;
}

static void xpmem_unmap(char *win, size_t len)
{
	(void)len;
	if (xpmem.detach(win))
		die("xpmem_detach");
}

static bool xpmem_prefault(long handle, char *addr, size_t len)
{
	(void)handle;
	(void)addr;
	(void)len;
	return false;
}

static long xpmem_metadata(void)
{
	return -1;
}

const struct port port_xpmem = {
	.name = "xpmem",
	.setup = xpmem_setup,
	.offer = xpmem_offer,
	.withdraw = xpmem_withdraw,
	.take = xpmem_take,
	.drop = xpmem_drop,
	.map = xpmem_map,
	.unmap = xpmem_unmap,
	.prefault = xpmem_prefault,
	.metadata = xpmem_metadata,
};
