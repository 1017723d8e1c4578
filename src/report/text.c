/* Reports for people: aligned columns, one line a row, nothing that a terminal would obey. */
#include "config.h"

#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/text.h"
#include "report/print.h"

enum {
	COLUMN_GAP = 2,
};

/* Columns that a terminal takes for the text, which is well-formed UTF-8. Needs a UTF-8 locale. */
static size_t shown_width(struct view text)
{
	size_t width = 0;
	mbstate_t state = {0};
	while (text.len > 0) {
		wchar_t wide;
		const size_t len = mbrtowc(&wide, text.data, text.len, &state);
		if (len == 0 || len > text.len) { /* no such locale: bytes are the best guess */
			return width + text.len;
		}
		const int columns = wcwidth(wide);
		width += columns < 0 ? 1 : (size_t)columns;
		text = view_part(text, len, text.len);
	}
	return width;
}

/* Lines and runs of blanks become one blank, so that a comment stays on its row. */
static void add_folded(struct buf *out, struct view text)
{
	bool blank = false;
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			blank = out->len > 0;
			continue;
		}
		if (blank)
			buf_add_char(out, ' ');
		blank = false;
		buf_add_char(out, c);
	}
}

static void cell_show(const struct report_cell *cell, enum report_type type, struct buf *out)
{
	if (!cell->present)
		return;
	if (type == REPORT_NUMBER) {
		buf_printf(out, "%" PRId64, cell->number);
	} else if (type == REPORT_TIME) {
		text_add_time(out, cell->number);
	} else if (type == REPORT_FLAG) {
		buf_add_text(out, cell->number != 0 ? "yes" : "no");
	} else if (type == REPORT_PROSE) {
		struct buf folded = BUF_EMPTY(cell->text.max);
		add_folded(&folded, buf_view(&cell->text));
		text_add_shown(out, buf_view(&folded));
		buf_release(&folded);
	} else {
		text_add_shown(out, buf_view(&cell->text));
	}
}

static void print_padding(size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++)
		fputc(' ', out);
}

/* One row's or the headings' texts, shown; NULL where the column is for JSON only. */
struct line {
	struct buf *cells;
	size_t *widths;
};

static void print_line(
    const struct report *report, const struct line *line, const size_t *widths, FILE *out)
{
	size_t owed =
	    0; /* blanks that are due before the next text, so that no line ends in them */
	for (size_t i = 0; i < report->column_count; i++) {
		const struct report_column *column = &report->columns[i];
		if (column->heading == NULL)
			continue;
		const size_t slack = widths[i] - line->widths[i];
		const bool right = column->type == REPORT_NUMBER;
		if (line->widths[i] > 0) {
			print_padding(owed + (right ? slack : 0), out);
			fwrite(line->cells[i].data, 1, line->cells[i].len, out);
			owed = 0;
		} else {
			owed += right ? slack : 0;
		}
		owed += (right ? 0 : slack) + COLUMN_GAP;
	}
	fputc('\n', out);
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count == 0 ? 1 : count, size);
	if (memory == NULL)
		abort();
	return memory;
}

/* Line 0 is the headings, line n row n - 1. */
static void line_fill(const struct report *report, size_t number, struct line *line)
{
	for (size_t i = 0; i < report->column_count; i++) {
		const struct report_column *column = &report->columns[i];
		if (column->heading == NULL)
			continue;
		if (number == 0)
			buf_add_text(&line->cells[i], column->heading);
		else
			cell_show(&report->cells[(number - 1) * report->column_count + i],
			    column->type, &line->cells[i]);
		line->widths[i] = shown_width(buf_view(&line->cells[i]));
	}
}

static void print_table(const struct report *report, FILE *out)
{
	if (report->row_count == 0) {
		fprintf(out, "%s\n", report->empty);
		return;
	}
	const size_t columns = report->column_count;
	const size_t lines = report->row_count + 1;
	struct buf *cells = allocate(lines * columns, sizeof *cells);
	size_t *cell_widths = allocate(lines * columns, sizeof *cell_widths);
	size_t *widths = allocate(columns, sizeof *widths);
	for (size_t i = 0; i < lines * columns; i++)
		cells[i].max = SIZE_MAX / 2;
	for (size_t i = 0; i < lines; i++) {
		struct line line = {&cells[i * columns], &cell_widths[i * columns]};
		line_fill(report, i, &line);
		for (size_t j = 0; j < columns; j++)
			if (line.widths[j] > widths[j])
				widths[j] = line.widths[j];
	}
	for (size_t i = 0; i < lines; i++)
		print_line(report, &(struct line){&cells[i * columns], &cell_widths[i * columns]},
		    widths, out);
	for (size_t i = 0; i < lines * columns; i++)
		buf_release(&cells[i]);
	free(cells);
	free(cell_widths);
	free(widths);
}

static void print_record(const struct report *report, FILE *out)
{
	size_t widest = 0;
	for (size_t i = 0; i < report->column_count; i++) {
		const size_t width = shown_width(view_of(report->columns[i].heading));
		if (width > widest)
			widest = width;
	}
	for (size_t i = 0; i < report->column_count; i++) {
		const struct report_column *column = &report->columns[i];
		if (column->heading == NULL)
			continue;
		struct buf shown = BUF_EMPTY(SIZE_MAX / 2);
		cell_show(&report->cells[i], column->type, &shown);
		fprintf(out, "%s:", column->heading);
		if (shown.len > 0) {
			print_padding(widest - shown_width(view_of(column->heading)) + 1, out);
			fwrite(shown.data, 1, shown.len, out);
		}
		fputc('\n', out);
		buf_release(&shown);
	}
	for (size_t i = 0; i < report->attached_count; i++) {
		fprintf(out, "\n%s\n", report->attached[i].heading);
		print_table(report->attached[i].table, out);
	}
}

void report_print_text(const struct report *report, FILE *out)
{
	/* Our output is UTF-8 whatever the environment says, and so are the widths. */
	const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	const locale_t former = utf8 == (locale_t)0 ? (locale_t)0 : uselocale(utf8);
	if (report->is_record)
		print_record(report, out);
	else
		print_table(report, out);
	if (utf8 != (locale_t)0) {
		uselocale(former);
		freelocale(utf8);
	}
}
