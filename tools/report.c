/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

#define DEPTH 8

static struct {
	bool json;
	int depth;
	bool list[DEPTH];	/* this level is a list, or an item of one */
	int n[DEPTH];		/* values printed on this level */
} report;

static void json_string(const char *text)
{
	const unsigned char *p;

	putchar('"');
	for (p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < ' ' || *p == 0x7f)
			printf("\\u%04x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}

static void indent(void)
{
	int i;

	for (i = 0; i < report.depth; i++)
		printf("  ");
}

/* Everything up to the value itself. */
static void begin_value(const char *key)
{
	int n = report.n[report.depth]++;

	if (report.json) {
		printf(n ? ",\n" : "\n");
		indent();
		printf(" ");
		if (key) {
			json_string(key);
			printf(": ");
		}
	} else if (report.list[report.depth]) {
		printf(n ? "  " : "");
		if (key)
			printf("%s ", key);
	} else {
		printf("%*s%-16s ", 2 * report.depth, "", key);
	}
}

static void end_value(void)
{
	if (!report.json && !report.list[report.depth])
		printf("\n");
}

static void push(bool list)
{
	report.depth++;
	report.list[report.depth] = list;
	report.n[report.depth] = 0;
}

void report_begin(bool json)
{
	memset(&report, 0, sizeof(report));
	report.json = json;
	if (json)
		printf("{");
}

void report_end(void)
{
	if (report.json)
		printf("\n}\n");
}

static void heading(const char *key)
{
	printf("%s%*s%s\n", report.n[report.depth]++ && !report.depth ? "\n" :
								       "",
	       2 * report.depth, "", key);
}

/* In a table a heading; within a list all of it is on one line. */
void report_open(const char *key)
{
	bool item = report.list[report.depth];

	if (report.json) {
		begin_value(key);
		printf("{");
	} else if (!item) {
		heading(key);
	} else {
		report.n[report.depth]++;
		printf("%*s%s ", key ? 2 : 2 * report.depth, "", key ? key : "-");
	}
	push(item);
}

void report_close(void)
{
	bool item;

	report.depth--;
	item = report.list[report.depth];
	if (report.json) {
		if (report.n[report.depth + 1]) {
			printf("\n");
			indent();
			printf(" ");
		}
		printf("}");
	} else if (item && !report.list[report.depth - 1]) {
		printf("\n");
	}
}

void report_open_list(const char *key)
{
	if (report.json) {
		begin_value(key);
		printf("[");
	} else {
		heading(key);
	}
	push(true);
}

void report_close_list(void)
{
	report.depth--;
	if (report.json)
		printf("]");
}

void report_open_values(const char *key)
{
	begin_value(key);
	if (report.json)
		printf("[");
	push(true);
}

void report_close_values(void)
{
	report_close_list();
	end_value();
}

void report_text(const char *key, const char *text)
{
	begin_value(key);
	if (report.json)
		json_string(text);
	else
		printf("%s", text);
	end_value();
}

void report_hex(const char *key, uint64_t value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	report_text(key, text);
}

void report_number(const char *key, uint64_t value)
{
	begin_value(key);
	printf("%" PRIu64, value);
	end_value();
}

void report_real(const char *key, double value)
{
	begin_value(key);
	printf("%.3g", value);
	end_value();
}

void report_flag(const char *key, bool value)
{
	begin_value(key);
	printf("%s", report.json ? value ? "true" : "false" :
				   value ? "yes" : "no");
	end_value();
}

void report_meaning(const char *key, uint64_t value, const char *what,
		    const char *text)
{
	begin_value(key);
	if (report.json) {
		printf("{\"value\": %" PRIu64 ", \"%s\": ", value, what);
		json_string(text);
		printf("}");
	} else {
		printf("%-20" PRIu64 " %s", value, text);
	}
	end_value();
}
