// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: who has read a rank's address but has not the job's key is not
 * let in; who has both is
 */
#include <errno.h>
#include <inttypes.h>

#include "../../ompi-btl/compat.h"
#include "verbs.h"
#include "xnuma.h"

/* The address is what a peer's published data begins with. */
static void address_of(int peer, uint8_t blob[XNUMA_BLOB_LEN])
{
	mca_btl_base_selected_module_t *item;
	opal_process_name_t name = OPAL_PROC_MY_NAME;
	void *bytes = NULL;
	size_t len = 0;
	int ret = -1;

	name.vpid = peer;
	OPAL_LIST_FOREACH(item, &mca_btl_base_modules_initialized,
			  mca_btl_base_selected_module_t) {
		if (item->btl_module != btl)
			continue;
		OPAL_MODEX_RECV(ret, &item->btl_component->btl_version, &name,
				&bytes, &len);
	}
	need(!ret && len >= XNUMA_BLOB_LEN);
	memcpy(blob, bytes, XNUMA_BLOB_LEN);
	free(bytes);
}

static int try_open(const uint8_t *blob, const uint8_t *key)
{
	struct xnuma_config config;
	struct xnuma_domain *domain;
	struct xnuma_peer *peer;
	int ret;

	need(!xnuma_config_init(&config));
	config.name = UINT64_MAX - rank;
	memcpy(config.key, key, sizeof(config.key));
	need(!xnuma_domain_open(&config, &domain));
	ret = xnuma_peer_open(domain, blob, &peer);
	if (!ret)
		xnuma_peer_close(peer);
	xnuma_domain_close(domain);
	return ret;
}

int main(int argc, char **argv)
{
	const char *text = getenv("OMPI_MCA_orte_precondition_transports");
	uint8_t blob[XNUMA_BLOB_LEN], none[XNUMA_KEY_LEN] = { 0 };
	uint64_t half[2];

	start(&argc, &argv);
	need(nranks == 2);
	need(text && sscanf(text, "%" SCNx64 "-%" SCNx64, &half[0],
			    &half[1]) == 2);
	find_module();
	address_of(1 - rank, blob);
	need(try_open(blob, none) == -EACCES);
	need(!try_open(blob, (uint8_t *)half));
	half[1] ^= 1;
	need(try_open(blob, (uint8_t *)half) == -EACCES);
	return finish("stranger");
}
