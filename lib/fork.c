/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fork.c - a child keeps nothing of its parent's domains
 *
 * Its copies of descriptors would keep the parent's end alive after the parent
 * has died, so they are closed at once, in the child, before fork() returns
 * there. Threads and mutexes of the parent do not exist in the child in any
 * useful state: nothing is waited for.
 */
#include <errno.h>
#include <stdbool.h>

#include "domain.h"
#include "port.h"

static pthread_mutex_t domains_lock = PTHREAD_MUTEX_INITIALIZER;
static struct xnuma_domain *domains;
static bool registered;

static void fork_prepare(void)
{
	pthread_mutex_lock(&domains_lock);
	epoch_fork_prepare();
}

static void fork_parent(void)
{
	epoch_fork_parent();
	pthread_mutex_unlock(&domains_lock);
}

static void fork_child(void)
{
	struct xnuma_domain *dom;

	epoch_fork_child();
	for (dom = domains; dom; dom = dom->next) {
		atomic_store(&dom->inert, true);
		dom->ops->fork(dom);
		region_fork(&dom->region);
	}
	domains = NULL;
	pthread_mutex_unlock(&domains_lock);
}

int fork_register(struct xnuma_domain *dom)
{
	int ret = 0;

	pthread_mutex_lock(&domains_lock);
	if (!registered)
		ret = -pthread_atfork(fork_prepare, fork_parent, fork_child);
	if (!ret) {
		registered = true;
		dom->next = domains;
		domains = dom;
	}
	pthread_mutex_unlock(&domains_lock);
	return ret ? error_code(ret, "fork() cannot be watched") : 0;
}

void fork_unregister(struct xnuma_domain *dom)
{
	struct xnuma_domain **link;

	pthread_mutex_lock(&domains_lock);
	for (link = &domains; *link; link = &(*link)->next) {
		if (*link == dom) {
			*link = dom->next;
			break;
		}
	}
	pthread_mutex_unlock(&domains_lock);
}
