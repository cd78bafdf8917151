// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: a peer is killed in the midst of an operation, or takes memory
 * away: UCP's error handler, or a status, tells of it
 *
 *	death tag|rndv|put|get|idle|unmap
 */
#include "peer.h"

static char local[BUFFER_LEN];

static ucs_status_ptr_t start(struct end *end, const char *what)
{
	static const ucp_request_param_t param = { 0 };

	if (!strcmp(what, "tag"))
		return ucp_tag_send_nbx(end->ep, local, 64, 1, &param);
	if (!strcmp(what, "rndv"))
		return ucp_tag_send_nbx(end->ep, local, BUFFER_LEN, 1, &param);
	if (!strcmp(what, "put"))
		return ucp_put_nbx(end->ep, local, BUFFER_LEN, end->buffer,
				   end->rkey, &param);
	if (!strcmp(what, "get") || !strcmp(what, "unmap"))
		return ucp_get_nbx(end->ep, local, BUFFER_LEN, end->buffer,
				   end->rkey, &param);
	return NULL;
}

static void forget(ucs_status_ptr_t request)
{
	if (UCS_PTR_IS_PTR(request))
		ucp_request_free(request);
}

/* A few go well, so that all that is made at first use is there. */
static void warm_up(struct end *end, const char *what)
{
	double limit = now() + 0.05;
	int i;

	if (!strcmp(what, "idle"))
		forget(start(end, "tag"));
	else if (strcmp(what, "rndv"))
		for (i = 0; i < 10; i++)
			must(end_wait(end, start(end, what)) == UCS_OK);
	while (now() < limit)
		ucp_worker_progress(end->worker);
	must(!end->told);
}

/* Nobody receives a rendezvous, so one is enough; the rest goes on and on. */
static int killed(struct end *end, const char *what)
{
	bool once = !strcmp(what, "rndv");
	double killed_at;

	warm_up(end, what);
	if (once)
		forget(start(end, what));
	must(!kill(end->child, SIGKILL));
	must(waitpid(end->child, NULL, 0) == end->child);
	killed_at = now();
	while (!end->told && now() < killed_at + 60) {
		ucp_worker_progress(end->worker);
		if (!once)
			forget(start(end, what));
	}
	printf("%s: told %d times, %.1f ms after, of: %s\n", what, end->told,
	       (now() - killed_at) * 1e3, ucs_status_string(end->error));
	return end->told != 1;
}

static int unmapped(struct end *end, int in, int out)
{
	ucs_status_t status;
	char byte = 0;

	warm_up(end, "unmap");
	must(write(out, &byte, 1) == 1);
	must(read(in, &byte, 1) == 1);
	status = end_wait(end, start(end, "unmap"));
	printf("unmap: %s\n", ucs_status_string(status));
	kill(end->child, SIGKILL);
	return status != UCS_ERR_INVALID_ADDR;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "idle";
	bool unmap = !strcmp(what, "unmap");
	struct end end = { 0 };
	int in, out;

	if (end_fork(&end, &in, &out))
		child_main(out, in, unmap);
	end_connect(&end, in, unmap ? UCP_ERR_HANDLING_MODE_NONE :
				      UCP_ERR_HANDLING_MODE_PEER);
	return unmap ? unmapped(&end, in, out) : killed(&end, what);
}
