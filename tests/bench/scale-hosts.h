/* SPDX-License-Identifier: BSD-3-Clause */
/* scale-hosts - the processes that play many peers */
#ifndef XNUMA_BENCH_SCALE_HOSTS_H
#define XNUMA_BENCH_SCALE_HOSTS_H

#include <sched.h>

#include "../views.h"

#define HOSTS		4
#define PEERS_MAX	4096

static struct other host[HOSTS];
static uint8_t (*blob)[XNUMA_BLOB_LEN];		/* shared with the hosts */

/* in a host */
static struct xnuma_domain *domain[PEERS_MAX];
static struct xnuma_peer *back[PEERS_MAX];

static void need(int ok, const char *what)
{
	other_need(ok, what);
}

static void count_message(void *arg, const struct xnuma_message *msg)
{
	++*(long *)arg;
}

/* ---- jobs of hosts: of every fourth domain, from their number on ---- */

static long mine(long from, long number)
{
	return from + (number + HOSTS - from % HOSTS) % HOSTS;
}

static long job_domains(long from, long to, long number)
{
	struct xnuma_config config;

	xnuma_config_init(&config);
	config.policy = XNUMA_EXPORT_NONE;
	config.ring_size = 4096;
	config.max_rings = 1;
	for (from = mine(from, number); from < to; from += HOSTS) {
		config.name = (uint64_t)getpid() << 32 | (from + 1);
		need(!xnuma_domain_open(&config, &domain[from]), "domain");
		xnuma_domain_pack(domain[from], blob[from]);
	}
	return 0;
}

static long job_open(long from, long to, long number)
{
	for (from = mine(from, number); from < to; from += HOSTS)
		need(!xnuma_peer_open(domain[from], blob[PEERS_MAX],
				      &back[from]), "peer");
	return 0;
}

static long job_send(long from, long to, long number)
{
	struct iovec iov = { &from, sizeof(from) };
	int i;

	for (from = mine(from, number); from < to; from += HOSTS)
		for (i = 0; i < 20; i++)
			while (xnuma_send(back[from], 1, &iov, 1))
				sched_yield();
	return 0;
}

static long job_poll(long a, long b, long c)
{
	xnuma_poll(own, count_message, &a, 100);
	return 0;
}

static long job_close(long from, long to, long number)
{
	for (from = mine(from, number); from < to; from += HOSTS) {
		xnuma_peer_close(back[from]);
		xnuma_domain_close(domain[from]);
	}
	return 0;
}

static void hosts_do(other_job job, long from, long to)
{
	int h;

	for (h = 0; h < HOSTS; h++)
		other_do(&host[h], job, from, to, h);
}

#endif
