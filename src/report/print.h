/* What a report is made of, for the two ways to print it. Private to this room. */
#ifndef DEWLINE_REPORT_PRINT_H
#define DEWLINE_REPORT_PRINT_H

#include "report/table.h"

struct report_cell {
	bool present;
	int64_t number; /* REPORT_NUMBER, REPORT_TIME, REPORT_FLAG */
	struct buf text; /* REPORT_TEXT, REPORT_PROSE: as it was given */
};

struct report_attached {
	const char *name;
	const char *heading;
	struct report *table; /* owned */
};

struct report {
	const struct report_column *columns;
	size_t column_count;
	bool is_record;
	const char *empty;
	struct report_cell *cells; /* row by row */
	size_t cell_count;
	size_t cell_room;
	size_t row_count;
	struct report_attached *attached;
	size_t attached_count;
};

void report_print_text(const struct report *report, FILE *out);
void report_print_json(const struct report *report, FILE *out);

#endif
