/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report.h - a tree of names and values, printed as a table or as JSON
 *
 * Values are printed as they come. In a table a list has a line for each item.
 */
#ifndef XNUMA_REPORT_H
#define XNUMA_REPORT_H

#include <stdbool.h>
#include <stdint.h>

void report_begin(bool json);
void report_end(void);

/* @key is NULL for the items of a list and for values. */
void report_open(const char *key);
void report_close(void);
void report_open_list(const char *key);	/* of what report_open() begins */
void report_close_list(void);
void report_open_values(const char *key); /* of plain ones: on one line */
void report_close_values(void);

void report_text(const char *key, const char *text);
void report_hex(const char *key, uint64_t value);
void report_number(const char *key, uint64_t value);
void report_real(const char *key, double value);
void report_flag(const char *key, bool value);

/* A number and what it means; in JSON an object of "value" and @what. */
void report_meaning(const char *key, uint64_t value, const char *what,
		    const char *text);

#endif
