/* Reports for programs: the same cells as JSON. */
#include "config.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/text.h"
#include "report/print.h"

enum { JSON_INDENT_COLUMNS = 2 };

static json_t *owned(json_t *value)
{
	if (value == NULL)
		abort(); /* out of memory: text is made valid before */
	return value;
}

static json_t *json_text(struct view text)
{
	if (text.len == 0)
		return owned(json_string(""));
	if (text_is_utf8(text))
		return owned(json_stringn(text.data, text.len));
	struct buf shown = BUF_EMPTY(SIZE_MAX / 2);
	text_add_shown(&shown, text);
	json_t *value = owned(json_stringn(shown.data, shown.len));
	buf_release(&shown);
	return value;
}

static json_t *json_cell(const struct report_cell *cell, enum report_type type)
{
	char when[TEXT_TIME_SIZE];
	if (!cell->present)
		return json_null();
	switch (type) {
	case REPORT_NUMBER:
		return owned(json_integer((json_int_t)cell->number));
	case REPORT_FLAG:
		return json_boolean(cell->number != 0);
	case REPORT_TIME:
		text_format_time(cell->number, when);
		return owned(json_string(when));
	case REPORT_TEXT:
	case REPORT_PROSE:
		break;
	}
	return json_text(buf_view(&cell->text));
}

static void set_new(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) != 0)
		abort();
}

static json_t *json_row(const struct report *report, size_t row)
{
	json_t *object = owned(json_object());
	for (size_t i = 0; i < report->column_count; i++) {
		if (report->columns[i].name == NULL)
			continue;
		set_new(object, report->columns[i].name,
		    json_cell(
			&report->cells[row * report->column_count + i], report->columns[i].type));
	}
	return object;
}

static json_t *json_table(const struct report *report)
{
	json_t *array = owned(json_array());
	for (size_t i = 0; i < report->row_count; i++)
		if (json_array_append_new(array, json_row(report, i)) != 0)
			abort();
	return array;
}

/* DEL is the one control character that Jansson leaves as it is. */
static int put_json(const char *bytes, size_t len, void *context)
{
	FILE *out = context;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\x7f' ? fputs("\\u007f", out) == EOF : fputc(bytes[i], out) == EOF)
			return -1;
	}
	return 0;
}

void report_print_json(const struct report *report, FILE *out)
{
	json_t *root = report->is_record ? json_row(report, 0) : json_table(report);
	for (size_t i = 0; i < report->attached_count; i++)
		set_new(root, report->attached[i].name, json_table(report->attached[i].table));
	if (json_dump_callback(
		root, put_json, out, JSON_INDENT(JSON_INDENT_COLUMNS) | JSON_ENSURE_ASCII) == 0)
		fputc('\n', out);
	json_decref(root);
}
