/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "xpmem_objects.h"

static int fd = -1;
static uint32_t partition;

static int ask(unsigned long command, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, command, arg);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

int device_open(void)
{
	struct xpmem_numa_query query = { 0 };
	int ret;

	if (fd >= 0)
		return 0;
	fd = open(XPMEM_NUMA_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = ask(XPMEM_NUMA_QUERY, &query);
	if (ret == -ENOTTY || (!ret && query.abi != XPMEM_NUMA_ABI))
		ret = -EPROTO;
	if (ret)
		device_close();
	partition = query.partition;
	return ret;
}

void device_close(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
}

int device_fd(void)
{
	return fd;
}

uint32_t device_partition(void)
{
	return partition;
}

int device_call(unsigned long command, void *arg)
{
	int ret = device_open();

	return ret ? ret : ask(command, arg);
}

int device_handle(unsigned long command, uint32_t handle)
{
	struct xpmem_numa_handle arg = { .handle = handle };

	return device_call(command, &arg);
}
