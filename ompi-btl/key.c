// SPDX-License-Identifier: BSD-3-Clause
/*
 * key.c - the secret that the processes of a job share
 *
 * mpirun draws 128 random bits for those it starts, and jobs that these spawn
 * have the same. Only who has them too gets at our memory. Their mark tells
 * others in time that they do not.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "component.h"

#define KEY_VARIABLE	"OMPI_MCA_orte_precondition_transports"

/* All zero, which is none, where mpirun gave nothing. */
void key_of_job(uint8_t key[XNUMA_KEY_LEN])
{
	const char *text = getenv(KEY_VARIABLE);
	uint64_t half[2];

	if (!text || sscanf(text, "%" SCNx64 "-%" SCNx64, &half[0], &half[1])
	    != 2)
		return;
	memcpy(key, half, sizeof(half));
}

/* Far too short to tell the key: FNV-1a. */
uint32_t key_mark(const uint8_t key[XNUMA_KEY_LEN])
{
	uint32_t mark = 2166136261u;
	int i;

	for (i = 0; i < XNUMA_KEY_LEN; i++)
		mark = (mark ^ key[i]) * 16777619u;
	return mark;
}
