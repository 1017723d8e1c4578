/* A report: what a command found, described once and printed as text for people or as JSON.
 *
 * A table is columns and rows; a record is columns with exactly one row and, behind it, named
 * tables. The same description gives both forms, so that what people see and what programs read
 * cannot drift apart:
 *
 *     table    aligned columns under a line of headings     an array of objects
 *     record   "Heading: value" lines, then its tables      an object; its tables are arrays in it
 *
 * Text never carries a control character, whatever is in the values (text_add_shown). JSON is ASCII
 * with \u escapes, so that a terminal is as safe with it; ill-formed UTF-8 becomes U+FFFD in both.
 */
#ifndef DEWLINE_REPORT_TABLE_H
#define DEWLINE_REPORT_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

enum report_type {
	REPORT_TEXT, /* a string */
	REPORT_PROSE, /* a string of several lines; as text its white space becomes single blanks */
	REPORT_NUMBER, /* an integer, aligned right */
	REPORT_TIME, /* seconds since 1970, shown as RFC 3339 in UTC; 0 is absent: "" and null */
	REPORT_FLAG, /* "yes" or "no"; true or false */
};

struct report_column {
	const char *name; /* in JSON; stable, lower case with underscores */
	const char *heading; /* as text; NULL: the column stands in JSON only */
	enum report_type type;
};

struct report;

/* The columns must outlive the report. `empty` is what people read in place of a table without rows
 * ("no members yet"). */
struct report *report_table(const struct report_column *columns, size_t count, const char *empty);
struct report *report_record(const struct report_column *columns, size_t count);
/* Takes NULL. */
void report_free(struct report *report);

/* Begins the next row; a record's only row is begun already. Cells then follow in the order of the
 * columns. A cell of the wrong type, or one too many, aborts: that is our bug. */
void report_row(struct report *report);
void report_add_text(struct report *report, const char *text);
void report_add_view(struct report *report, struct view text);
void report_add_number(struct report *report, int64_t number);
void report_add_time(struct report *report, int64_t seconds);
void report_add_flag(struct report *report, bool flag);
/* No value, in a column of any type. */
void report_add_none(struct report *report);

/* How many rows there are. */
size_t report_rows(const struct report *report);

/* Puts a table into a record, which then owns it: under `heading` as text, as the array `name` in
 * JSON. */
void report_attach(
    struct report *record, const char *name, const char *heading, struct report *table);

/* An error when the stream takes no more. */
int report_print(const struct report *report, bool json, FILE *out, struct err *err);

#endif
