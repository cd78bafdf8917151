/* SPDX-License-Identifier: BSD-3-Clause */
/* deny.c - ranges taken back from all peers, in every export */

#include <errno.h>
#include <stdlib.h>

#include "peer.h"
#include "port.h"

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The part of [@va, @end) that an export covers. */
static int deny_one(struct xnuma_domain *dom, const struct xnuma_export *exp,
		    uint64_t va, uint64_t end, bool deny)
{
	va = max(va, exp->va);
	end = min(end, exp->va + exp->len);
	if (va >= end)
		return 0;
	return dom->ops->deny(dom, exp->handle, va, end - va, deny);
}

static int deny_all(struct xnuma_domain *dom, uint64_t va, uint64_t end,
		    bool deny)
{
	const struct xnuma_export *exp;
	int ret = deny_one(dom, &dom->own, va, end, deny);

	for (exp = dom->exports; exp && !ret; exp = exp->next)
		ret = deny_one(dom, exp, va, end, deny);
	return ret;
}

/* An export made while ranges are denied. */
int deny_export(struct xnuma_domain *dom, const struct xnuma_export *exp)
{
	const struct denial *denial;
	int ret = 0;

	for (denial = dom->denials; denial && !ret; denial = denial->next)
		ret = deny_one(dom, exp, denial->va, denial->va + denial->len,
			       true);
	return ret;
}

/* Denials may overlap: what another one covers stays denied. */
static int allow_rest(struct xnuma_domain *dom, uint64_t va, uint64_t end)
{
	const struct denial *denial;
	uint64_t stop;
	int ret = 0;

	while (va < end && !ret) {
		stop = end;
		for (denial = dom->denials; denial; denial = denial->next) {
			if (va - denial->va < denial->len)
				break;
			if (denial->va > va)
				stop = min(stop, denial->va);
		}
		if (denial) {
			va = denial->va + denial->len;
			continue;
		}
		ret = deny_all(dom, va, stop, false);
		va = stop;
	}
	return ret;
}

static int deny_check(struct xnuma_domain *dom, const void *addr, size_t len,
		      uint64_t *va, uint64_t *pages)
{
	uint64_t end = (uintptr_t)addr + len;

	if (domain_inert(dom))
		return error_child();
	if (!dom->ops->deny)
		return error(-ENOTSUP, "port %s cannot deny", dom->ops->name);
	if (!len || end < len || end > XPMEM_NUMA_VA_LIMIT)
		return error(-EINVAL, "no range to deny or allow");
	*va = (uintptr_t)addr & -PAGE;
	*pages = ((end + PAGE - 1) & -PAGE) - *va;
	return 0;
}

int xnuma_deny(struct xnuma_domain *dom, void *addr, size_t len)
{
	struct denial *denial;
	uint64_t va, pages;
	int ret = deny_check(dom, addr, len, &va, &pages);

	if (ret)
		return ret;
	denial = malloc(sizeof(*denial));
	if (!denial)
		return error(-ENOMEM, "out of memory");
	pthread_mutex_lock(&dom->lock);
	denial->va = va;
	denial->len = pages;
	ret = deny_all(dom, va, va + pages, true);
	if (ret) {
		allow_rest(dom, va, va + pages);
		free(denial);
	} else {
		denial->next = dom->denials;
		dom->denials = denial;
	}
	pthread_mutex_unlock(&dom->lock);
	return ret;
}

int xnuma_allow(struct xnuma_domain *dom, void *addr, size_t len)
{
	struct denial **link, *denial;
	uint64_t va, pages;
	int ret = deny_check(dom, addr, len, &va, &pages);

	if (ret)
		return ret;
	pthread_mutex_lock(&dom->lock);
	for (link = &dom->denials; (denial = *link); link = &denial->next)
		if (denial->va == va && denial->len == pages)
			break;
	if (denial) {
		*link = denial->next;
		free(denial);
		ret = allow_rest(dom, va, va + pages);
	} else {
		ret = error(-EINVAL, "this range is not denied");
	}
	pthread_mutex_unlock(&dom->lock);
	return ret;
}
