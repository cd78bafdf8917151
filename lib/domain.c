/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "copy.h"
#include "place.h"
#include "port.h"
#include "share.h"

void domain_log(const struct xnuma_domain *dom, enum xnuma_log_level level,
		const char *fmt, ...)
{
	char text[300];
	va_list ap;

	if (!dom->config.log)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	dom->config.log(dom->config.log_arg, level, text);
}

static int domain_open_port(struct xnuma_domain *dom)
{
	int ret;

	if (dom->config.port != XNUMA_PORT_USER) {
		dom->ops = &port_kmod;
		ret = dom->ops->open(dom);
		if (!ret || dom->config.port == XNUMA_PORT_KMOD)
			return ret;
		snprintf(dom->fallback, sizeof(dom->fallback), "%s",
			 xnuma_error());
		domain_log(dom, XNUMA_LOG_INFO, "port user: %s", dom->fallback);
	}
	dom->ops = &port_user;
	return dom->ops->open(dom);
}

static int domain_open_queue(struct xnuma_domain *dom)
{
	const struct region_params params = {
		.queue_len = (queue_size(&dom->config) + PAGE - 1) & -PAGE,
		.shared = dom->ops->shared,
		.no_heap = dom->config.policy == XNUMA_EXPORT_NONE,
		.node = dom->node,
	};
	int ret = region_init(&dom->region, &params);

	if (ret)
		return ret;
	dom->region.header->facts.policy = dom->config.policy;
	dom->region.header->facts.name = dom->config.name;
	ret = queue_init(&dom->queue, dom->region.queue, &dom->config);
	if (ret) {
		region_fini(&dom->region);
		return error_code(ret, "the queue cannot be made");
	}
	return 0;
}

static void domain_address(struct xnuma_domain *dom)
{
	dom->blob.version = BLOB_VERSION;
	dom->blob.port = dom->ops->port;
	if (dom->config.flags & XNUMA_SLEEPS)
		dom->blob.flags |= BLOB_SLEEPS;
	if (dom->config.flags & XNUMA_SHARES)
		dom->blob.flags |= BLOB_SHARES;
	dom->blob.node = dom->node;
	dom->blob.pid = getpid();
	dom->blob.va = (uintptr_t)dom->region.header;
}

static int domain_settle(struct xnuma_domain *dom)
{
	int ret = config_settle(&dom->config);

	if (ret)
		return ret;
	if (sysconf(_SC_PAGESIZE) != PAGE)
		return error(-ENODEV, "pages of %ld bytes are not supported",
			     sysconf(_SC_PAGESIZE));
	dom->threads = !(dom->config.flags & XNUMA_SINGLE_THREAD);
	dom->node = dom->config.node < 0 ? place_node() : dom->config.node;
	if (dom->config.node >= 0 && !place_node_exists(dom->node))
		return error(-EINVAL, "there is no NUMA node %d", dom->node);
	window_pool_init(&dom->pool, dom->config.window_limit,
			 dom->config.window_size);
	return 0;
}

int xnuma_domain_open(const struct xnuma_config *config,
		      struct xnuma_domain **out)
{
	struct xnuma_domain *dom;
	int ret;

	if (!thread_self())
		return -ENOMEM;
	copy_choose();
	dom = aligned_alloc(CACHE_LINE, sizeof(*dom));
	if (!dom)
		return error(-ENOMEM, "out of memory");
	memset(dom, 0, sizeof(*dom));
	dom->config = *config;
	pthread_mutex_init(&dom->lock, NULL);
	if ((ret = domain_settle(dom)))
		goto free_dom;
	if ((ret = domain_open_port(dom)))
		goto free_dom;
	if ((ret = domain_open_queue(dom)))
		goto close_port;
	domain_address(dom);
	/* a part more is a system call more, or nothing */
	dom->share_min = dom->config.share_min << !!dom->ops->copy;
	if ((ret = fork_register(dom)))
		goto fini_queue;
	if ((ret = dom->ops->publish(dom)))
		goto unregister;
	*out = dom;
	return 0;

unregister:
	fork_unregister(dom);
fini_queue:
	dom->ops->close(dom);
	queue_fini(&dom->queue);
	region_fini(&dom->region);
	goto free_dom;
close_port:
	dom->ops->close(dom);
free_dom:
	pthread_mutex_destroy(&dom->lock);
	free(dom);
	return ret;
}

static void domain_free(struct xnuma_domain *dom)
{
	struct denial *denial;

	while ((denial = dom->denials)) {
		dom->denials = denial->next;
		free(denial);
	}
	queue_fini(&dom->queue);
	region_fini(&dom->region);
	free(dom);
}

/* Peers lose the domain before its memory goes away. */
void xnuma_domain_close(struct xnuma_domain *dom)
{
	if (!dom)
		return;
	fork_unregister(dom);
	share_fini(dom);
	if (domain_inert(dom)) {
		dom->ops->forget(dom);
	} else {
		dom->ops->close(dom);
		pthread_mutex_destroy(&dom->lock);
	}
	domain_free(dom);
}

void xnuma_domain_query(struct xnuma_domain *dom,
			struct xnuma_domain_attr *attr)
{
	attr->port = dom->ops->port;
	attr->port_name = dom->ops->name;
	attr->fallback = dom->fallback;
	attr->caps = dom->caps;
	attr->partition = dom->blob.partition;
	attr->node = dom->node;
	attr->send_max = queue_send_max(&dom->config);
	attr->window_limit = dom->config.window_limit;
	attr->window_size = dom->config.window_size;
}

void xnuma_domain_pack(struct xnuma_domain *dom, uint8_t blob[XNUMA_BLOB_LEN])
{
	blob_pack(&dom->blob, blob);
}
