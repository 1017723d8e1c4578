#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "rules/block.h"
#include "rules/quoting.h"

enum {
	TAB_COLUMNS = 8,
	INDENT_LEAST = 2, /* columns: what stands so much further in is no beginning of a line */
	NAME_LEAST = 5, /* letters: a shorter name is too near to other words */
};

/* What restricts an advisory, whatever the block is: who writes it elsewhere wants to be obeyed. */
static const char *const restricting[] = {
    "TLP", "Audience", "Acknowledge", "Release", "Exercise", "Approval", "Trace", "Gateway", NULL};

/* A line as it was written. */
struct row {
	struct view name;
	struct view value;
};

struct reader {
	const char *const *names;
	struct block *out;
	struct refusal *refusal;
	struct view rest;
	struct view line;
	struct view last; /* the line before, empty ones not counted */
	int number;
	bool gap; /* there are empty lines between the two */
	size_t indent; /* columns before the field that was read last */
	size_t block_indent; /* before the first */
};

static bool holds_control_character(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (((unsigned char)text.data[i] < 0x20 && text.data[i] != '\t') ||
		    text.data[i] == 0x7f)
			return true;
	}
	return false;
}

/* Bold, slanted and underlined words, as mail programs write them in plain text. */
static bool is_emphasis(char c)
{
	return c == '*' || c == '/' || c == '_';
}

static size_t emphasis_before(struct view text)
{
	size_t len = 0;
	while (len < text.len && is_emphasis(text.data[len]))
		len++;
	return len;
}

static size_t emphasis_behind(struct view text)
{
	size_t len = 0;
	while (len < text.len && is_emphasis(text.data[text.len - 1 - len]))
		len++;
	return len;
}

/* "*TLP:* RED", "*TLP*: RED" and "*TLP: RED*": marks that are opened at a name's front go together
 * with those that close them. "* TLP: RED" is an item of a list, and stays so. */
static void take_marks_off(struct row *row)
{
	const size_t before = emphasis_before(row->name);
	const size_t of_name = emphasis_behind(row->name);
	const size_t of_value = emphasis_before(row->value);
	const size_t end = emphasis_behind(row->value);
	if (before == 0 || before + of_name >= row->name.len ||
	    text_blank(view_part(row->name, before, row->name.len)) > 0)
		return;
	if (of_name != before && of_value != before && end != before)
		return;
	row->name = view_part(row->name, before, row->name.len - before);
	if (of_name == before)
		row->name.len -= before;
	else if (of_value == before)
		row->value = view_part(row->value, before, row->value.len);
	else
		row->value.len -= before;
	row->name = text_trim(row->name);
	row->value = text_trim(row->value);
}

/* "TLP: *RED*", where nothing else is marked so. */
static struct view without_marks(struct view value)
{
	if (value.len < 3 || !is_emphasis(value.data[0]) ||
	    value.data[value.len - 1] != value.data[0])
		return value;
	const struct view inside = view_part(value, 1, value.len - 2);
	return memchr(inside.data, value.data[0], inside.len) == NULL ? text_trim(inside) : value;
}

/* False when there is no colon. U+FF1A is the one of Chinese and Japanese keyboards. */
static bool cut_row(struct view line, struct row *out)
{
	static const struct view wide = {"\xef\xbc\x9a", 3};
	const size_t narrow_at = view_find(line, VIEW(":"));
	const size_t wide_at = view_find(line, wide);
	const size_t at = narrow_at < wide_at ? narrow_at : wide_at;
	if (at == SIZE_MAX)
		return false;
	out->name = text_trim(view_part(line, 0, at));
	out->value = text_trim(view_part(line, at + (at == narrow_at ? 1 : wide.len), line.len));
	take_marks_off(out);
	out->value = without_marks(out->value);
	return true;
}

/* The name as we spell it, or NULL when it is none of them. */
static const char *known_name(struct view name, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (view_is_nocase(name, *names))
			return *names;
	}
	return NULL;
}

/* Columns before the first character that can be seen; a tab is as wide as it is mostly shown. */
static size_t indent_of(struct view line)
{
	size_t columns = 0;
	for (size_t len; line.len > 0; line = view_part(line, len, line.len)) {
		len = text_blank(line);
		columns += line.data[0] == '\t' ? TAB_COLUMNS : len > 0;
		if (len == 0)
			len = text_invisible(line);
		if (len == 0)
			break;
	}
	return columns;
}

/* Adds to a refusal what to do with a line that was meant as text. Returns false. */
static bool refuse_more(struct refusal *refusal)
{
	const size_t len = strlen(refusal->text);
	snprintf(refusal->text + len, sizeof refusal->text - len,
	    "; if it is text, put other words before it");
	return false;
}

bool block_refused(const struct block_field *field, struct refusal *refusal)
{
	return field->apart && refuse_more(refusal);
}

static bool refuse_name(struct reader *reader, struct view name)
{
	const char *const *names = reader->names;
	struct buf list = BUF_EMPTY(BUF_SMALL);
	for (size_t i = 0; names[i] != NULL; i++)
		buf_printf(&list, "%s%s",
		    i == 0		   ? ""
		    : names[i + 1] == NULL ? " and "
					   : ", ",
		    names[i]);
	refuse(reader->refusal, reader->number, "there is no field \"%.*s\"; the %s %s",
	    refusal_shown(name), name.data, names[1] == NULL ? "only one is" : "fields are",
	    buf_text(&list));
	buf_release(&list);
	return false;
}

/* A joiner inside a word belongs to its spelling in some scripts. */
static bool is_joiner(struct view text)
{
	return view_starts_nocase(text, "\xe2\x80\x8c") || view_starts_nocase(text, "\xe2\x80\x8d");
}

/* To the value of the last field. */
static bool add_value(struct reader *reader, struct view text)
{
	struct block *out = reader->out;
	struct block_field *field = &out->fields[out->count - 1];
	text = text_trim(text);
	while (text.len > 0) {
		const size_t blank = text_blank(text);
		size_t len = blank > 0 ? blank : text_invisible(text);
		const bool shown = len == 0 || is_joiner(text);
		if (len == 0)
			len = 1;
		if (out->used + len > sizeof out->values)
			return refuse(reader->refusal, reader->number,
			    "the values of the control block are longer than %zu characters",
			    sizeof out->values);
		if (blank > 0)
			out->values[out->used++] = ' ';
		else if (shown)
			memcpy(out->values + out->used, text.data, len);
		out->used += blank == 0 && shown ? len : 0;
		text = view_part(text, len, text.len);
	}
	field->value.len = (size_t)(out->values + out->used - field->value.data);
	return true;
}

static bool add_field(struct reader *reader, const char *name, struct view value)
{
	struct block *out = reader->out;
	if (block_find(out, name) != NULL)
		return refuse(
		    reader->refusal, reader->number, "%s stands there twice: leave one out", name);
	if (out->count == BLOCK_FIELDS_MAX)
		return refuse(
		    reader->refusal, reader->number, "the control block has too many lines");
	out->fields[out->count++] = (struct block_field){.name = name,
	    .value = {out->values + out->used, 0},
	    .line = reader->number,
	    .apart = reader->gap};
	reader->indent = indent_of(reader->line);
	if (out->count == 1)
		reader->block_indent = reader->indent;
	return add_value(reader, value);
}

/* "all, -us-de": one word between any two commas. */
static bool is_list(struct view line)
{
	struct view word;
	while (view_next_field(&line, ',', &word)) {
		word = text_trim(word);
		if (word.len > 0 && word.data[0] == '-')
			word = text_trim(view_part(word, 1, word.len));
		for (size_t i = 0; i < word.len; i++)
			if (text_blank(view_part(word, i, word.len)) > 0)
				return false;
	}
	return true;
}

/* The line is what a mail program put behind the last value's line end, at which it wraps lines; or
 * a list that goes on. A list that ends with a comma does so over empty lines too. */
static bool goes_on(const struct reader *reader)
{
	const struct view value = reader->out->fields[reader->out->count - 1].value;
	const struct view line = text_trim(reader->line);
	const bool comma = value.len > 0 && value.data[value.len - 1] == ',';
	const bool minus = value.len > 1 && value.data[value.len - 1] == '-' &&
			   (value.data[value.len - 2] == ' ' || value.data[value.len - 2] == ',');
	if (reader->gap)
		return comma && is_list(line);
	return comma || minus || value.len == 0 || line.data[0] == ',' ||
	       indent_of(reader->line) > reader->indent || quoting_is_wrapped(reader->last, line);
}

static bool add_line(struct reader *reader)
{
	struct block *out = reader->out;
	struct block_field *field = &out->fields[out->count - 1];
	if (field->value.len > 0) {
		if (out->used == sizeof out->values)
			return add_value(reader, VIEW("x")); /* which says that it is too long */
		out->values[out->used++] = ' ';
	}
	return add_value(reader, reader->line);
}

/* It says once more what the block says, which loses nothing. */
static bool is_said(const struct block *block, const struct row *row)
{
	for (size_t i = 0; i < block->count; i++) {
		const struct block_field *field = &block->fields[i];
		if (view_is_nocase(row->name, field->name))
			return row->value.len == field->value.len && row->value.len > 0 &&
			       strncasecmp(row->value.data, field->value.data, row->value.len) == 0;
	}
	return false;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Letters that the two have in common at their front, and at their end behind that. */
static bool is_near(struct view word, const char *name)
{
	const size_t len = strlen(name);
	size_t front = 0;
	size_t end = 0;
	while (front < word.len && front < len && lower(word.data[front]) == lower(name[front]))
		front++;
	while (end + front < word.len && end + front < len &&
	       lower(word.data[word.len - 1 - end]) == lower(name[len - 1 - end]))
		end++;
	const size_t more = word.len - front - end;
	const size_t less = len - front - end;
	if (more == 2 && less == 2)
		return lower(word.data[front]) == lower(name[front + 1]) &&
		       lower(word.data[front + 1]) == lower(name[front]);
	return more + less == 0 || (len >= NAME_LEAST && more <= 1 && less <= 1);
}

static const char *near_name(struct view word, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (is_near(word, *names))
			return *names;
	}
	return NULL;
}

/* The line without what makes it an item of a list: a dash, a star, a bullet, a number. */
static struct view without_item_mark(struct view line)
{
	static const char *const marks[] = {
	    "-", "*", "+", "\xe2\x80\xa2", "\xc2\xb7", "\xe2\x80\x93", "\xe2\x80\x94", NULL};
	size_t len = 0;
	line = text_trim(line);
	for (size_t i = 0; len == 0 && marks[i] != NULL; i++)
		len = view_starts_nocase(line, marks[i]) ? strlen(marks[i]) : 0;
	while (len < line.len && line.data[len] >= '0' && line.data[len] <= '9')
		len++;
	if (len < line.len && (line.data[len] == '.' || line.data[len] == ')'))
		len++;
	return text_trim(view_part(line, len, line.len));
}

/* A field in a list, which is none: false with a refusal when the block has none of that name. */
static bool is_no_listed_field(struct reader *reader)
{
	struct row row;
	const char *known = cut_row(without_item_mark(reader->line), &row)
				? known_name(row.name, reader->names)
				: NULL;
	if (known == NULL || block_find(reader->out, known) != NULL)
		return true;
	refuse(reader->refusal, reader->number,
	    "\"%.*s\" is an item of a list, and no field: write it without the mark",
	    refusal_shown(text_trim(reader->line)), text_trim(reader->line).data);
	return refuse_more(reader->refusal);
}

/* A line that is no field: false with a refusal when its writer must have meant one. */
static bool is_no_field(struct reader *reader, const struct row *row)
{
	const char *near = near_name(row->name, reader->names);
	if (near == NULL)
		near = near_name(row->name, restricting);
	if (near == NULL)
		return is_no_listed_field(reader);
	if (view_is_nocase(row->name, near)) {
		refuse_name(reader, row->name);
	} else {
		refuse(reader->refusal, reader->number,
		    "\"%.*s\" is no field, but nearly %s, and would be passed over",
		    refusal_shown(row->name), row->name.data, near);
	}
	return refuse_more(reader->refusal);
}

/* A line up to the first empty one. */
static bool read_row(struct reader *reader, bool is_row, const struct row *row)
{
	struct block *out = reader->out;
	const char *known = is_row ? known_name(row->name, reader->names) : NULL;
	if (holds_control_character(reader->line))
		return refuse(
		    reader->refusal, reader->number, "there is a control character in this line");
	if (known != NULL)
		return add_field(reader, known, row->value);
	if (out->count > 0 && goes_on(reader))
		return (!is_row || is_no_field(reader, row)) && add_line(reader);
	if (is_row)
		return refuse_name(reader, row->name);
	return refuse(reader->refusal, reader->number,
	    "\"%.*s\" is not \"Name: value\"; end the control block with an empty line",
	    refusal_shown(reader->line), reader->line.data);
}

/* A line behind an empty one: *end is true when the text begins with it. */
static bool read_apart(struct reader *reader, bool is_row, const struct row *row, bool *end)
{
	const bool known = is_row && known_name(row->name, reader->names) != NULL;
	*end = false;
	if ((known && !is_said(reader->out, row)) || (!known && goes_on(reader)))
		return read_row(reader, is_row, row);
	*end = true;
	return !is_row || known || is_no_field(reader, row);
}

/* What looks like a field in the text's first lines was meant as one, or may have been. */
static bool look_at_text(struct reader *reader)
{
	struct row row;
	int left = BLOCK_TEXT_LINES;
	while (left > 0 && !quoting_is_original(reader->rest) &&
	       view_next_line(&reader->rest, &reader->line)) {
		reader->number++;
		if (text_trim(reader->line).len == 0)
			continue;
		left--;
		if (indent_of(reader->line) >= reader->block_indent + INDENT_LEAST ||
		    !cut_row(reader->line, &row) || known_name(row.name, reader->names) == NULL ||
		    is_said(reader->out, &row))
			continue;
		refuse(reader->refusal, reader->number,
		    "\"%.*s\" stands in the text, where no field is obeyed: put it above the text",
		    refusal_shown(reader->line), reader->line.data);
		return refuse_more(reader->refusal);
	}
	return true;
}

/* The fields; what is left in `rest` is the text. */
static bool read_fields(struct reader *reader)
{
	struct view before = reader->rest;
	struct row row;
	bool end = false;
	for (; view_next_line(&reader->rest, &reader->line); before = reader->rest) {
		reader->number++;
		if (text_trim(reader->line).len == 0) {
			reader->gap = reader->out->count > 0;
			continue;
		}
		const bool is_row = cut_row(reader->line, &row);
		if (!(reader->gap ? read_apart(reader, is_row, &row, &end)
				  : read_row(reader, is_row, &row)))
			return false;
		if (end) {
			reader->number--;
			reader->rest = before;
			return true;
		}
		reader->last = reader->line;
		reader->gap = false;
	}
	return true;
}

bool block_read(
    struct view text, const char *const *names, struct block *out, struct refusal *refusal)
{
	struct reader reader = {.names = names, .out = out, .refusal = refusal, .rest = text};
	out->count = 0;
	out->used = 0;
	out->text = VIEW("");
	if (!read_fields(&reader))
		return false;
	out->text = text_trim(reader.rest);
	return look_at_text(&reader);
}

const struct block_field *block_find(const struct block *block, const char *name)
{
	for (size_t i = 0; i < block->count; i++) {
		if (strcasecmp(block->fields[i].name, name) == 0)
			return &block->fields[i];
	}
	return NULL;
}

struct view block_first_name(struct view text)
{
	struct view line;
	struct row row;
	while (view_next_line(&text, &line)) {
		if (text_trim(line).len > 0)
			return cut_row(line, &row) ? row.name : VIEW("");
	}
	return VIEW("");
}
