// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: a child receives messages by reading them from its parent's
 * memory, under error handling; or finds that the parent has taken them back
 *
 *	rndv many|closed|vanished
 */
#include <fcntl.h>

#include "peer.h"

#define MANY	20

static void fill(unsigned char *buffer, unsigned char with)
{
	memset(buffer, with, BUFFER_LEN);
}

/* ---- the child, who receives ---- */

static ucs_status_t receive(struct end *end, void *buffer)
{
	static const ucp_request_param_t param = { 0 };

	return end_wait(end, ucp_tag_recv_nbx(end->worker, buffer, BUFFER_LEN,
					      1, 1, &param));
}

static int receive_many(struct end *end, unsigned char *buffer, int out)
{
	char byte = 0;
	int i, bad = 0;

	for (i = 0; i < MANY; i++) {
		fill(buffer, 0);
		bad += receive(end, buffer) != UCS_OK || buffer[0] != i + 1 ||
		       memcmp(buffer, buffer + 1, BUFFER_LEN - 1);
	}
	printf("%d messages, %d of them bad\n", i, bad);
	must(write(out, &byte, 1) == 1);
	return bad;
}

/* The message has come, but what it tells of is not there any more. */
static int receive_late(struct end *end, unsigned char *buffer, int out, int in)
{
	ucp_tag_recv_info_t info;
	ucs_status_t status;
	double limit;
	char byte = 0;

	while (!ucp_tag_probe_nb(end->worker, 1, 1, 0, &info))
		ucp_worker_progress(end->worker);
	must(write(out, &byte, 1) == 1);
	must(read(in, &byte, 1) == 1);
	fill(buffer, 1);
	status = receive(end, buffer);
	printf("received: %s, first byte %d\n", ucs_status_string(status),
	       buffer[0]);
	/* what came after it was taken back must not be here */
	must(!memchr(buffer, 3, BUFFER_LEN));
	/* the other end may still want something */
	for (limit = now() + 0.1; now() < limit;)
		ucp_worker_progress(end->worker);
	return status == UCS_OK || status == UCS_INPROGRESS;
}

static void child(const char *what, int out, int in)
{
	unsigned char *buffer = malloc(BUFFER_LEN);
	struct offer offer = { 0 };
	struct end end = { 0 };
	int ret;

	must(buffer);
	end_open(&end);
	offer_fill(&end, &offer, buffer);
	must(write(out, &offer, sizeof(offer)) == sizeof(offer));
	if (!strcmp(what, "many"))
		ret = receive_many(&end, buffer, out);
	else
		ret = receive_late(&end, buffer, out, in);
	ucp_worker_destroy(end.worker);
	fflush(stdout);
	_exit(ret != 0);
}

/* ---- the parent, who sends ---- */

static ucs_status_ptr_t start(struct end *end, void *buffer)
{
	static const ucp_request_param_t param = { 0 };

	return ucp_tag_send_nbx(end->ep, buffer, BUFFER_LEN, 1, &param);
}

static void progress_until_byte(struct end *end, int in)
{
	char byte;

	fcntl(in, F_SETFL, O_NONBLOCK);
	while (read(in, &byte, 1) != 1)
		ucp_worker_progress(end->worker);
}

static int send_many(struct end *end, unsigned char *buffer, int in)
{
	int i;

	for (i = 0; i < MANY; i++) {
		fill(buffer, i + 1);
		must(end_wait(end, start(end, buffer)) == UCS_OK);
	}
	progress_until_byte(end, in);
	return 0;
}

static void close_by_force(struct end *end)
{
	const ucp_request_param_t param = {
		.op_attr_mask = UCP_OP_ATTR_FIELD_FLAGS,
		.flags = UCP_EP_CLOSE_FLAG_FORCE,
	};

	end_wait(end, ucp_ep_close_nbx(end->ep, &param));
}

/* What is told to be sent no more is the caller's again. */
static int send_closed(struct end *end, unsigned char *buffer, int in, int out)
{
	ucs_status_ptr_t request;
	ucs_status_t status;
	char byte = 0;

	fill(buffer, 2);
	request = start(end, buffer);
	progress_until_byte(end, in);
	close_by_force(end);
	status = end_wait(end, request);
	fill(buffer, 3);
	printf("sent: %s\n", ucs_status_string(status));
	must(write(out, &byte, 1) == 1);
	return status != UCS_ERR_CANCELED;
}

static int send_vanished(struct end *end, void *buffer, int in, int out)
{
	char byte = 0;

	start(end, buffer);
	progress_until_byte(end, in);
	must(!munmap(buffer, BUFFER_LEN));
	must(write(out, &byte, 1) == 1);
	return 0;
}

static int parent(const char *what, struct end *end, int in, int out)
{
	void *buffer = mmap(NULL, BUFFER_LEN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ret, status;

	must(buffer != MAP_FAILED);
	if (!strcmp(what, "many"))
		ret = send_many(end, buffer, in);
	else if (!strcmp(what, "closed"))
		ret = send_closed(end, buffer, in, out);
	else
		ret = send_vanished(end, buffer, in, out);
	while (!waitpid(end->child, &status, WNOHANG))
		ucp_worker_progress(end->worker);
	return ret || status;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "many";
	struct end end = { 0 };
	int in, out;

	if (end_fork(&end, &in, &out))
		child(what, out, in);
	end_connect(&end, in, !strcmp(what, "vanished") ?
		    UCP_ERR_HANDLING_MODE_NONE : UCP_ERR_HANDLING_MODE_PEER);
	return parent(what, &end, in, out);
}
