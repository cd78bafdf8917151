/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "error.h"
#include "xnuma.h"

#define STATS "/sys/class/misc/xpmem_numa/stats/"

int device_open(void)
{
	int fd = open(XPMEM_NUMA_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		return fd;
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return error(-ENODEV, "the module xpmem_numa is not loaded");
	case EACCES:
	case EPERM:
		return error(-EACCES, "no permission to open %s",
			     XPMEM_NUMA_DEVICE);
	default:
		return error_code(-errno, "%s", XPMEM_NUMA_DEVICE);
	}
}

int device_query(int fd, struct xpmem_numa_query *query)
{
	int ret;

	memset(query, 0, sizeof(*query));
	do {
		ret = ioctl(fd, XPMEM_NUMA_QUERY, query) ? -errno : 0;
	} while (ret == -EINTR);
	if (ret == -ENOTTY)
		return error(-EPROTO, "the module speaks another ABI version "
			     "than %d, this library's", XPMEM_NUMA_ABI);
	if (ret)
		return error_code(ret, "QUERY");
	if (query->abi != XPMEM_NUMA_ABI)
		return error(-EPROTO, "the module speaks ABI version %u, this "
			     "library %d", query->abi, XPMEM_NUMA_ABI);
	return 0;
}

int xnuma_module_query(struct xnuma_module *module)
{
	struct xpmem_numa_query query;
	int ret, fd;

	memset(module, 0, sizeof(*module));
	module->library_abi = XPMEM_NUMA_ABI;
	fd = device_open();
	if (fd < 0)
		return fd;
	ret = device_query(fd, &query);
	close(fd);
	if (ret)
		return ret;
	module->abi = query.abi;
	module->features = query.features;
	memcpy(module->fabric, query.fabric, sizeof(module->fabric));
	module->partition = query.partition;
	module->incarnation = query.incarnation;
	return 0;
}

static int counter_read(const char *name, uint64_t *value)
{
	char path[128];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), STATS "%s", name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fscanf(f, "%" SCNu64, value);
	fclose(f);
	return n == 1;
}

int xnuma_module_stats(xnuma_counter counter, void *arg)
{
	static const struct {
		const char *name, *text;
	} counters[] = {
#define COUNTER(name, text) { #name, text },
		XPMEM_NUMA_STATS(COUNTER)
#undef COUNTER
	};
	uint64_t value;
	size_t i;
	int n = 0;

	for (i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		if (!counter_read(counters[i].name, &value))
			continue;
		counter(arg, counters[i].name, counters[i].text, value);
		n++;
	}
	return n;
}
