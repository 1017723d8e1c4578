#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#include "mail/charset.h"
#include "mail/field.h"
#include "mail/word.h"

enum {
	FIELD_TEXT_MAX = 8 * 1024, /* bytes of one unstructured value that are read */
	CHARACTER_MOST = 8, /* bytes of UTF-8 that one byte of any charset comes to */
	PARAMETER_MAX = 4 * 1024, /* bytes of one decoded parameter */
	CHARSET_SIZE = 64,
	CONTINUATIONS_MAX = 32, /* pieces of one parameter (RFC 2231 section 3) */
};

static bool is_name_char(char c)
{
	return c > ' ' && c <= '~' && c != ':';
}

static bool cut_name(struct view line, struct view *name)
{
	size_t len = 0;
	while (len < line.len && is_name_char(line.data[len]))
		len++;
	*name = view_part(line, 0, len);
	while (len < line.len && (line.data[len] == ' ' || line.data[len] == '\t'))
		len++;
	return name->len > 0 && len < line.len && line.data[len] == ':';
}

/* The bytes of a field after its first line, as long as lines begin with white space. */
static void take_continuations(struct view *rest)
{
	struct view line;
	while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t'))
		view_next_line(rest, &line);
}

bool field_next(struct view *rest, struct view *name, struct view *value)
{
	struct view line;
	for (;;) {
		const char *start = rest->data;
		if (!view_next_line(rest, &line))
			return false;
		if (!cut_name(line, name))
			continue;
		take_continuations(rest);
		const char *colon = memchr(start, ':', line.len);
		*value = (struct view){colon + 1, (size_t)(rest->data - colon) - 1};
		*value = view_trim(*value);
		return true;
	}
}

bool field_find(struct view header, const char *name, struct view *value)
{
	struct view found;
	while (field_next(&header, &found, value))
		if (view_is_nocase(found, name))
			return true;
	*value = view_of("");
	return false;
}

size_t field_count(struct view header, const char *name)
{
	struct view found;
	struct view value;
	size_t count = 0;
	while (field_next(&header, &found, &value))
		count += view_is_nocase(found, name);
	return count;
}

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Position behind white space and comments (RFC 5322 section 3.2.2). */
static size_t skip_comments(struct view text, size_t at)
{
	size_t depth = 0;
	for (; at < text.len; at++) {
		const char c = text.data[at];
		if (c == '(')
			depth++;
		else if (depth > 0 && c == ')')
			depth--;
		else if (depth > 0 && c == '\\')
			at++;
		else if (depth == 0 && !is_white(c))
			break;
	}
	return at < text.len ? at : text.len;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$&-^_.+/", c) != NULL);
}

static size_t structure_word(struct view value, struct field_structured *out)
{
	size_t len = 0;
	size_t at = skip_comments(value, 0);
	while (at < value.len && value.data[at] != ';') {
		char c = value.data[at];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (is_word_char(c) && len + 1 < sizeof out->word)
			out->word[len++] = c;
		at = skip_comments(value, at + 1);
	}
	out->word[len] = '\0';
	return at;
}

/* The value of a parameter from `at` on; returns the position behind it. A value without quotes
 * reaches to the ";", because mailers forget the quotes around names with spaces. */
static size_t structure_value(struct view text, size_t at, struct field_parameter *out)
{
	at = skip_comments(text, at);
	out->quoted = at < text.len && text.data[at] == '"';
	const size_t from = out->quoted ? at + 1 : at;
	size_t end = from;
	if (out->quoted) {
		while (end < text.len && text.data[end] != '"')
			end += text.data[end] == '\\' ? 2 : 1;
		end = end < text.len ? end : text.len;
		out->value = view_part(text, from, end - from);
		return end + 1;
	}
	while (end < text.len && text.data[end] != ';' &&
	       !(text.data[end] == '(' && (end == from || is_white(text.data[end - 1]))))
		end++;
	out->value = view_trim(view_part(text, from, end - from));
	return end;
}

void field_structure(struct view value, struct field_structured *out)
{
	out->count = 0;
	size_t at = structure_word(value, out);
	while (at < value.len && out->count < FIELD_PARAMETERS_MAX) {
		if (value.data[at] != ';') { /* rubbish behind a value: to the next parameter */
			at++;
			continue;
		}
		at = skip_comments(value, at + 1);
		const size_t from = at;
		while (at < value.len && value.data[at] != '=' && value.data[at] != ';')
			at++;
		if (at >= value.len || value.data[at] == ';')
			continue;
		struct field_parameter *parameter = &out->parameters[out->count];
		parameter->name = view_trim(view_part(value, from, at - from));
		at = structure_value(value, at + 1, parameter);
		if (parameter->name.len > 0)
			out->count++;
	}
}

static void add_unquoted(struct buf *out, const struct field_parameter *parameter)
{
	for (size_t i = 0; i < parameter->value.len; i++) {
		char c = parameter->value.data[i];
		if (c == '\r' || c == '\n')
			continue;
		if (parameter->quoted && c == '\\' && i + 1 < parameter->value.len)
			c = parameter->value.data[++i];
		buf_add_char(out, c);
	}
}

static void add_percent_decoded(struct buf *out, struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte;
		if (text.data[i] == '%' && text_unhex(view_part(text, i + 1, 2), &byte, 1)) {
			buf_add_char(out, (char)byte);
			i += 2;
		} else if (text.data[i] != '\r' && text.data[i] != '\n') {
			buf_add_char(out, text.data[i]);
		}
	}
}

static const struct field_parameter *find_parameter(
    const struct field_structured *field, const char *name)
{
	for (size_t i = 0; i < field->count; i++)
		if (view_is_nocase(field->parameters[i].name, name))
			return &field->parameters[i];
	return NULL;
}

/* Splits charset'language'text; the charset is "" when there is none. */
static struct view cut_charset(struct view value, char charset[static CHARSET_SIZE])
{
	struct view rest = value;
	struct view name;
	struct view language;
	charset[0] = '\0';
	if (!view_next_field(&rest, '\'', &name) || !view_next_field(&rest, '\'', &language) ||
	    view_find(value, VIEW("'")) == SIZE_MAX)
		return value;
	view_copy(name, charset, CHARSET_SIZE);
	return rest;
}

/* `name*=` or the pieces `name*0=`, `name*1*=` (RFC 2231). False when there is neither. */
static bool extended_parameter(
    const struct field_structured *field, const char *name, struct buf *out)
{
	char charset[CHARSET_SIZE] = "";
	struct buf raw = BUF_EMPTY(PARAMETER_MAX);
	struct buf key = BUF_EMPTY(BUF_SMALL);
	size_t pieces = 0;
	buf_printf(&key, "%s*", name);
	const struct field_parameter *found = find_parameter(field, buf_text(&key));
	if (found != NULL) {
		add_percent_decoded(&raw, cut_charset(found->value, charset));
		pieces = 1;
	}
	for (unsigned i = 0; found == NULL && i < CONTINUATIONS_MAX; i++) {
		buf_clear(&key);
		buf_printf(&key, "%s*%u*", name, i);
		const struct field_parameter *piece = find_parameter(field, buf_text(&key));
		if (piece != NULL) {
			add_percent_decoded(
			    &raw, i == 0 ? cut_charset(piece->value, charset) : piece->value);
		} else {
			key.data[--key.len] = '\0';
			piece = find_parameter(field, buf_text(&key));
			if (piece == NULL)
				break;
			add_unquoted(&raw, piece);
		}
		pieces++;
	}
	charset_to_utf8(charset, buf_view(&raw), out);
	buf_release(&raw);
	buf_release(&key);
	return pieces > 0;
}

bool field_parameter(const struct field_structured *field, const char *name, struct buf *out)
{
	if (extended_parameter(field, name, out))
		return true;
	const struct field_parameter *found = find_parameter(field, name);
	if (found == NULL)
		return false;
	struct buf raw = BUF_EMPTY(PARAMETER_MAX);
	add_unquoted(&raw, found);
	field_text(buf_view(&raw), out);
	buf_release(&raw);
	return true;
}

bool field_parameter_is(const struct field_structured *field, const char *name, const char *value)
{
	struct buf found = BUF_EMPTY(PARAMETER_MAX);
	const bool same =
	    field_parameter(field, name, &found) && view_is_nocase(buf_view(&found), value);
	buf_release(&found);
	return same;
}

static void add_one_line(struct buf *out, struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.data[i];
		buf_add_char(out, c < ' ' || c == 0x7f ? ' ' : (char)c);
	}
}

/* Line breaks of the folding go, the white space behind them stays (RFC 5322 section 2.2.3). */
static void add_unfolded(struct buf *out, struct view value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] != '\r' && value.data[i] != '\n')
			buf_add_char(out, value.data[i]);
}

void field_text(struct view value, struct buf *out)
{
	struct buf line = BUF_EMPTY(value.len + 1);
	struct buf decoded = BUF_EMPTY(FIELD_TEXT_MAX * CHARACTER_MOST);
	add_unfolded(&line, view_part(view_trim(value), 0, FIELD_TEXT_MAX));
	word_decode(buf_view(&line), &decoded);
	add_one_line(out, buf_view(&decoded));
	buf_release(&line);
	buf_release(&decoded);
}

static bool is_automatic(struct view name, struct view value)
{
	if (view_is_nocase(name, "Auto-Submitted")) {
		struct field_structured field;
		field_structure(value, &field);
		return strcmp(field.word, "no") != 0;
	}
	if (view_is_nocase(name, "Precedence"))
		return view_is_nocase(value, "auto_reply") || view_is_nocase(value, "junk") ||
		       view_is_nocase(value, "bulk");
	return view_is_nocase(name, "X-Autoreply") || view_is_nocase(name, "X-Autorespond") ||
	       view_is_nocase(name, "X-Auto-Response-Suppress");
}

bool field_automatic(struct view header)
{
	struct view name;
	struct view value;
	while (field_next(&header, &name, &value))
		if (is_automatic(name, value))
			return true;
	return false;
}
