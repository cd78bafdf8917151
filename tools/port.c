/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "info.h"
#include "report.h"
#include "xnuma.h"

static const char *const policies[] = { "all", "buffers", "none" };

static void report_domain(struct xnuma_domain *dom,
			  const struct xnuma_config *config)
{
	struct xnuma_domain_attr attr;

	xnuma_domain_query(dom, &attr);
	report_text("name", attr.port_name);
	if (*attr.fallback)
		report_text("reason", attr.fallback);
	report_text("export", policies[config->policy]);
	report_number("window_limit", attr.window_limit);
	report_number("window_size", attr.window_size);
}

/* Opening a domain is the only true answer; nothing is offered to anybody. */
static bool kmod_opens(const struct xnuma_config *config)
{
	struct xnuma_config kmod = *config;
	struct xnuma_domain *dom;

	kmod.port = XNUMA_PORT_KMOD;
	kmod.policy = XNUMA_EXPORT_NONE;
	if (xnuma_domain_open(&kmod, &dom))
		return false;
	xnuma_domain_close(dom);
	return true;
}

bool info_port(void)
{
	struct xnuma_config config, quiet;
	struct xnuma_domain *dom;
	bool usable;

	report_open("port");
	if (xnuma_config_init(&config))
		report_text("environment", xnuma_error());
	usable = kmod_opens(&config);
	report_flag("usable", usable);
	if (!usable)
		report_text("error", xnuma_error());
	quiet = config;
	quiet.policy = XNUMA_EXPORT_NONE;
	if (xnuma_domain_open(&quiet, &dom)) {
		report_text("name", "");
		report_text("reason", xnuma_error());
	} else {
		report_domain(dom, &config);
		xnuma_domain_close(dom);
	}
	report_close();
	return usable;
}
