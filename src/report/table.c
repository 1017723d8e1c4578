#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/print.h"

enum { CELL_TEXT_MAX = 16 * 1024 * 1024 };

/* Rows and tables are of our own making, never sized by a peer alone: running out aborts. */
static void *grow(void *old, size_t count, size_t size)
{
	void *grown = reallocarray(old, count, size);
	if (grown == NULL)
		abort();
	return grown;
}

static struct report *report_new(const struct report_column *columns, size_t count, bool is_record)
{
	struct report *report = grow(NULL, 1, sizeof *report);
	*report =
	    (struct report){.columns = columns, .column_count = count, .is_record = is_record};
	return report;
}

struct report *report_table(const struct report_column *columns, size_t count, const char *empty)
{
	struct report *table = report_new(columns, count, false);
	table->empty = empty;
	return table;
}

struct report *report_record(const struct report_column *columns, size_t count)
{
	struct report *record = report_new(columns, count, true);
	report_row(record);
	return record;
}

void report_free(struct report *report)
{
	if (report == NULL)
		return;
	for (size_t i = 0; i < report->cell_count; i++)
		buf_release(&report->cells[i].text);
	free(report->cells);
	for (size_t i = 0; i < report->attached_count; i++)
		report_free(report->attached[i].table);
	free(report->attached);
	free(report);
}

size_t report_rows(const struct report *report)
{
	return report->row_count;
}

void report_row(struct report *report)
{
	/* The row before must be whole, and a record has one row only. */
	if (report->cell_count != report->row_count * report->column_count ||
	    (report->is_record && report->row_count > 0))
		abort();
	report->row_count++;
}

static struct report_cell *next_cell(struct report *report)
{
	const size_t end = report->row_count * report->column_count;
	if (report->cell_count >= end)
		abort();
	if (report->cell_count == report->cell_room) {
		report->cell_room = 2 * report->cell_room + report->column_count;
		report->cells = grow(report->cells, report->cell_room, sizeof *report->cells);
	}
	struct report_cell *cell = &report->cells[report->cell_count++];
	*cell = (struct report_cell){.text = BUF_EMPTY(CELL_TEXT_MAX)};
	return cell;
}

static enum report_type next_type(const struct report *report)
{
	return report->columns[report->cell_count % report->column_count].type;
}

void report_add_view(struct report *report, struct view text)
{
	const enum report_type type = next_type(report);
	if (type != REPORT_TEXT && type != REPORT_PROSE)
		abort();
	struct report_cell *cell = next_cell(report);
	cell->present = true;
	buf_add_view(&cell->text, text);
}

void report_add_text(struct report *report, const char *text)
{
	report_add_view(report, view_of(text));
}

static void add_integer(struct report *report, enum report_type type, bool present, int64_t number)
{
	if (next_type(report) != type)
		abort();
	struct report_cell *cell = next_cell(report);
	cell->present = present;
	cell->number = number;
}

void report_add_number(struct report *report, int64_t number)
{
	add_integer(report, REPORT_NUMBER, true, number);
}

void report_add_time(struct report *report, int64_t seconds)
{
	add_integer(report, REPORT_TIME, seconds != 0, seconds);
}

void report_add_flag(struct report *report, bool flag)
{
	add_integer(report, REPORT_FLAG, true, flag);
}

void report_add_none(struct report *report)
{
	next_cell(report);
}

void report_attach(
    struct report *record, const char *name, const char *heading, struct report *table)
{
	if (!record->is_record || table->is_record)
		abort();
	record->attached =
	    grow(record->attached, record->attached_count + 1, sizeof *record->attached);
	record->attached[record->attached_count++] =
	    (struct report_attached){.name = name, .heading = heading, .table = table};
}

int report_print(const struct report *report, bool json, FILE *out, struct err *err)
{
	if (report->cell_count != report->row_count * report->column_count)
		abort();
	if (json)
		report_print_json(report, out);
	else
		report_print_text(report, out);
	if (fflush(out) != 0 || ferror(out))
		return err_system(err, "cannot write the output");
	return 0;
}
