// SPDX-License-Identifier: BSD-3-Clause
/*
 * help.c - texts for the user, said once
 *
 * Open MPI's own way, opal_show_help(), hands a text to mpirun, which tells
 * repetitions by number. But the mpirun of 4.1.4 often cannot unpack it ("Data
 * unpack would read past end of buffer"): of 65 jobs refused that way, 17 ended
 * without a word. What must arrive is therefore written to standard error, by
 * one process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "component.h"
#include "opal/util/show_help.h"

#define TURN	3	/* seconds, for a busy mpirun to end the job */

void help_init(void)
{
	const char *dir = getenv("XNUMA_HELPDIR");

	if (dir)
		opal_show_help_add_dir(dir);
	opal_show_help_add_dir(BTL_HELPDIR);
}

static void say(const char *topic, const char *text)
{
	char *message = opal_show_help_string(HELP_FILE, topic, true,
					      opal_process_info.nodename,
					      text);

	if (message)
		fputs(message, stderr);
	free(message);
}

/* ompi_info has no rank, and is told as well. */
void help_other(const char *running)
{
	char *message;

	if (compat_in_job() && OPAL_PROC_MY_NAME.vpid != 0)
		return;
	message = opal_show_help_string(HELP_FILE, "other open mpi", true,
					SERIES_BUILT, running);
	if (message)
		fputs(message, stderr);
	free(message);
}

void help_warn(const char *topic, const char *text)
{
	if (OPAL_PROC_MY_NAME.vpid == 0)
		say(topic, text);
}

/*
 * What ails this process ails the others most likely: rank 0 speaks first, then
 * one process of each node, then all, and who speaks ends the job.
 */
void help_refuse(const char *topic, const char *text)
{
	int turn = OPAL_PROC_MY_NAME.vpid == 0 ? 0 :
		   opal_process_info.my_local_rank == 0 ? 1 : 2;

	if (!compat_in_job())
		return;
	sleep(turn * TURN);
	say(topic, text);
	compat_abort(1, "xpmem_numa cannot start");
	sleep(TURN);
	_exit(1);
}
