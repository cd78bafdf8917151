/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crowd.h - many domains in another process
 *
 *	crowd_open();			before the other process
 *	other_do(&o, crowd_job_domains, n, 0, 0);
 *	xnuma_peer_open(own, crowd->blob[i], &peer);
 *
 * crowd_job_open has each open a peer here, crowd_job_send has each send.
 */
#ifndef XNUMA_TESTS_CROWD_H
#define XNUMA_TESTS_CROWD_H

#include "others.h"

#define CROWD_MAX	4096

static struct crowd {
	uint8_t master[XNUMA_BLOB_LEN];
	uint8_t blob[CROWD_MAX][XNUMA_BLOB_LEN];
} *crowd;

/* in the other process */
static TAP_UNUSED struct xnuma_domain *crowd_domain[CROWD_MAX];
static TAP_UNUSED struct xnuma_peer *crowd_peer[CROWD_MAX];
static TAP_UNUSED long crowd_size;

static TAP_UNUSED void crowd_open(void)
{
	crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	other_need(crowd != MAP_FAILED, "mmap");
}

static TAP_UNUSED long crowd_job_domains(long n, long from, long c)
{
	struct xnuma_config config;
	long i;

	xnuma_config_init(&config);
	config.policy = XNUMA_EXPORT_NONE;
	config.ring_size = 4096;
	config.max_rings = 1;
	for (i = from; i < from + n; i++) {
		config.name = (uint64_t)getpid() << 32 | (i + 1);
		if (xnuma_domain_open(&config, &crowd_domain[i]))
			return -1;
		xnuma_domain_pack(crowd_domain[i], crowd->blob[i]);
		crowd_size++;
	}
	return 0;
}

static TAP_UNUSED long crowd_job_open(long n, long from, long c)
{
	long i;

	for (i = from; i < from + n; i++)
		if (xnuma_peer_open(crowd_domain[i], crowd->master,
				    &crowd_peer[i]))
			return -1;
	return 0;
}

static TAP_UNUSED long crowd_job_send(long n, long times, long c)
{
	struct iovec iov = { &n, sizeof(n) };
	long i;

	for (; times; times--)
		for (i = 0; i < n; i++)
			if (xnuma_send(crowd_peer[i], 1, &iov, 1))
				return -1;
	return 0;
}

static TAP_UNUSED long crowd_job_close(long a, long b, long c)
{
	for (; crowd_size; crowd_size--) {
		if (crowd_peer[crowd_size - 1])
			xnuma_peer_close(crowd_peer[crowd_size - 1]);
		crowd_peer[crowd_size - 1] = NULL;
		xnuma_domain_close(crowd_domain[crowd_size - 1]);
	}
	return 0;
}

#endif
