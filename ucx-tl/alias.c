// SPDX-License-Identifier: BSD-3-Clause
/*
 * alias.c - the token xpmem_numa in UCX_TLS
 *
 * A transport's name has at most 9 characters, and tokens are compared as they
 * are. So the token is replaced by the name before UCX reads the variable; it
 * may have a mark before it (^ on the whole list, \ on one) and a suffix (:aux).
 */
#include <stdlib.h>
#include <string.h>

#include "loader.h"

#define ALIAS		"xpmem_numa"
#define NAME		"xpmemnuma"
#define SEPARATORS	"^\\,"

static size_t word_length(const char *word)
{
	return strcspn(word, SEPARATORS ":");
}

static bool is_alias(const char *word, size_t len)
{
	return len == strlen(ALIAS) && !memcmp(word, ALIAS, len);
}

/* @to has room for as many bytes: the name is shorter than the alias. */
static bool replace(char *to, const char *from)
{
	bool found = false, first = true;
	size_t len;

	while (*from) {
		len = word_length(from);
		if (first && is_alias(from, len)) {
			to = stpcpy(to, NAME);
			found = true;
		} else {
			to = mempcpy(to, from, len);
		}
		from += len;
		if (!*from)
			break;
		first = *from != ':';
		*to++ = *from++;
	}
	*to = '\0';
	return found;
}

void alias_rewrite(void)
{
	const char *list = getenv("UCX_TLS");
	char *copy;

	_Static_assert(sizeof(NAME) <= sizeof(ALIAS), "room in the copy");
	if (!list)
		return;
	copy = malloc(strlen(list) + 1);
	if (copy && replace(copy, list))
		setenv("UCX_TLS", copy, 1);
	free(copy);
}
