#include "config.h"

#include <string.h>

#include "base/text.h"

#include "mail/charset.h"
#include "mail/encode.h"

/* "=?utf-8?B?" and "?=" */
enum { WORD_OVERHEAD = 12, WORD_BYTES_LEAST = 6, PARAMETER_PIECE = 48 };

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~';
}

static bool all_plain(struct view text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_plain(text.data[i]))
			return false;
	return true;
}

/* Well-formed UTF-8 in one line: controls of both sets as spaces. */
static void clean_text(struct buf *out, struct view text)
{
	struct buf utf8 = BUF_EMPTY(text.len * 3 + 1);
	charset_to_utf8("utf-8", text, &utf8);
	const struct view clean = buf_view(&utf8);
	for (size_t i = 0; i < clean.len; i++) {
		const unsigned char c = (unsigned char)clean.data[i];
		const unsigned char next = i + 1 < clean.len ? (unsigned char)clean.data[i + 1] : 0;
		if (c == 0xc2 && next < 0xa0) {
			buf_add_char(out, ' ');
			i++;
		} else {
			buf_add_char(out, c < ' ' || c == 0x7f ? ' ' : (char)c);
		}
	}
	buf_release(&utf8);
}

/* True when text may stand in a field as it is and fold at its spaces. */
static bool folds_as_it_is(struct view text, size_t column)
{
	size_t word = column;
	if (!all_plain(text) || view_find(text, VIEW("=?")) != SIZE_MAX ||
	    view_find(text, VIEW("  ")) != SIZE_MAX || view_trim(text).len != text.len)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		word = text.data[i] == ' ' ? 1 : word + 1;
		if (word > ENCODE_LINE)
			return false;
	}
	return true;
}

static void fold_plain(struct buf *out, size_t column, struct view text)
{
	struct view word;
	bool first = true;
	while (view_next_field(&text, ' ', &word)) {
		if (!first && column + 1 + word.len > ENCODE_LINE) {
			buf_add_text(out, "\r\n");
			column = 0;
		}
		if (!first) {
			buf_add_char(out, ' ');
			column++;
		}
		buf_add_view(out, word);
		column += word.len;
		first = false;
	}
}

/* Bytes of whole characters that fit `most`. */
static size_t whole_characters(struct view text, size_t most)
{
	size_t len = 0;
	while (len < text.len) {
		size_t next = charset_character(view_part(text, len, text.len));
		next = next == 0 ? 1 : next;
		if (len + next > most)
			break;
		len += next;
	}
	return len;
}

/* Encoded words in base64, each of whole characters (RFC 2047 section 5). Returns the column. */
static size_t fold_encoded(struct buf *out, size_t column, struct view text)
{
	bool first = true;
	while (text.len > 0) {
		size_t room = ENCODE_LINE > column + 1 + WORD_OVERHEAD
				  ? (ENCODE_LINE - column - 1 - WORD_OVERHEAD) / 4 * 3
				  : 0;
		if (!first || room < WORD_BYTES_LEAST) {
			buf_add_text(out, "\r\n ");
			column = 1;
			room = (ENCODE_LINE - 1 - WORD_OVERHEAD) / 4 * 3;
		}
		const size_t len = whole_characters(text, room);
		const size_t from = out->len;
		buf_add_text(out, "=?utf-8?B?");
		text_base64(out, view_part(text, 0, len), 0);
		buf_add_text(out, "?=");
		column += out->len - from;
		text = view_part(text, len, text.len);
		first = false;
	}
	return column;
}

void encode_text_field(struct buf *out, const char *prefix, struct view text)
{
	struct buf clean = BUF_EMPTY(text.len * 3 + 1);
	clean_text(&clean, text);
	buf_add_text(out, prefix);
	if (folds_as_it_is(buf_view(&clean), strlen(prefix)))
		fold_plain(out, strlen(prefix), buf_view(&clean));
	else
		fold_encoded(out, strlen(prefix), buf_view(&clean));
	buf_add_text(out, "\r\n");
	buf_release(&clean);
}

void encode_word(struct buf *out, const char *word)
{
	for (; *word != '\0'; word++)
		if (*word > ' ' && *word <= '~' && *word != '<' && *word != '>')
			buf_add_char(out, *word);
}

/* Characters between the quotes, where two of them get a backslash in front. */
static size_t quoted_width(struct view text)
{
	size_t width = text.len;
	for (size_t i = 0; i < text.len; i++)
		width += text.data[i] == '"' || text.data[i] == '\\';
	return width;
}

static void add_quoted(struct buf *out, struct view text)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, text.data[i]);
	}
	buf_add_char(out, '"');
}

void encode_address_field(
    struct buf *out, const char *prefix, const char *name, const char *address)
{
	struct buf clean = BUF_EMPTY(BUF_SMALL);
	clean_text(&clean, view_of(name));
	const struct view text = view_trim(buf_view(&clean));
	const size_t from = out->len;
	size_t column = strlen(prefix);
	buf_add_text(out, prefix);
	if (text.len > 0 && all_plain(text) && view_find(text, VIEW("=?")) == SIZE_MAX &&
	    column + 2 * text.len + 2 <= ENCODE_LINE) {
		add_quoted(out, text);
		column += out->len - from - strlen(prefix);
	} else if (text.len > 0) {
		column = fold_encoded(out, column, text);
	}
	if (text.len > 0 && column + strlen(address) + 3 > ENCODE_LINE)
		buf_add_text(out, "\r\n");
	if (text.len > 0)
		buf_add_char(out, ' ');
	buf_add_char(out, '<');
	encode_word(out, address);
	buf_add_text(out, ">\r\n");
	buf_release(&clean);
}

static bool is_attribute_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-_.+!#$&^`{}|~", c) != NULL);
}

static void add_percent(struct buf *out, struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		char hex[3];
		text_hex(text.data + i, 1, hex);
		if (is_attribute_char(text.data[i]))
			buf_add_char(out, text.data[i]);
		else
			buf_printf(out, "%%%s", hex);
	}
}

/* Bytes of whole characters whose percent form fits one line. */
static size_t percent_piece(struct view text)
{
	size_t len = 0;
	size_t width = 0;
	while (len < text.len) {
		size_t next = charset_character(view_part(text, len, text.len));
		next = next == 0 ? 1 : next;
		width += next == 1 && is_attribute_char(text.data[len]) ? 1 : 3 * next;
		if (width > PARAMETER_PIECE)
			break;
		len += next;
	}
	return len;
}

void encode_parameter(struct buf *out, const char *name, struct view value)
{
	struct buf clean = BUF_EMPTY(BUF_SMALL);
	clean_text(&clean, value);
	struct view text = buf_view(&clean);
	if (all_plain(text) && quoted_width(text) <= PARAMETER_PIECE &&
	    view_find(text, VIEW("=?")) == SIZE_MAX) {
		buf_printf(out, ";\r\n %s=", name);
		add_quoted(out, text);
		text.len = 0;
	}
	const bool single = percent_piece(text) == text.len;
	for (unsigned i = 0; text.len > 0; i++) {
		const size_t len = percent_piece(text);
		if (single)
			buf_printf(out, ";\r\n %s*=", name);
		else
			buf_printf(out, ";\r\n %s*%u*=", name, i);
		if (i == 0)
			buf_add_text(out, "utf-8''");
		add_percent(out, view_part(text, 0, len));
		text = view_part(text, len, text.len);
	}
	buf_release(&clean);
}

static bool is_seven_bit(struct view text)
{
	struct view line;
	while (view_next_line(&text, &line)) {
		if (line.len > ENCODE_LINE || view_starts_nocase(line, "From ") ||
		    (line.len > 0 && line.data[line.len - 1] == ' '))
			return false;
		for (size_t i = 0; i < line.len; i++)
			if (!is_plain(line.data[i]))
				return false;
	}
	return true;
}

/* One byte in quoted-printable; `last` when it ends its line. */
static size_t quoted_form(char c, bool first, bool last, char form[static 4])
{
	const bool space = c == ' ' || c == '\t';
	const bool plain =
	    is_plain(c) && c != '=' && !(first && (c == '.' || c == 'F' || c == '-'));
	if ((plain && !space) || (space && !last)) {
		form[0] = c;
		return 1;
	}
	form[0] = '=';
	text_hex(&c, 1, form + 1);
	return 3;
}

static void add_quoted_line(struct buf *out, struct view line)
{
	size_t column = 0;
	for (size_t i = 0; i < line.len; i++) {
		char form[4];
		const bool last = i + 1 == line.len;
		size_t len = quoted_form(line.data[i], column == 0, last, form);
		if (column + len > ENCODE_LINE - (last ? 0 : 1)) {
			buf_add_text(out, "=\r\n");
			column = 0;
			len = quoted_form(line.data[i], true, last, form);
		}
		buf_add(out, form, len);
		column += len;
	}
	buf_add_text(out, "\r\n");
}

static void add_text_crlf(struct buf *out, struct view text)
{
	struct view line;
	while (view_next_line(&text, &line)) {
		buf_add_view(out, line);
		buf_add_text(out, "\r\n");
	}
}

static void add_quoted_text(struct buf *out, struct view text)
{
	struct view line;
	while (view_next_line(&text, &line))
		add_quoted_line(out, line);
}

static size_t count_foreign(struct view text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += !is_plain(text.data[i]) && text.data[i] != '\n';
	return count;
}

/* Where in the line a signature delimiter stands, RFC 3676 section 4.3, for any program that knows
 * one: "-- ", without its blank or with others, quoted or indented. SIZE_MAX: there is none. */
static size_t find_delimiter(struct view line)
{
	size_t at = 0;
	size_t len = 1;
	while (len > 0) {
		const struct view rest = view_part(line, at, line.len);
		len = text_blank(rest) + text_invisible(rest);
		if (rest.len > 0 && (rest.data[0] == '>' || rest.data[0] == '|'))
			len = 1;
		at += len;
	}
	return view_is(text_trim(view_part(line, at, line.len)), "--") ? at : SIZE_MAX;
}

/* Appends text without a line that begins a signature: what it quotes of others may hold such, and
 * mail programs neither show in full nor quote what stands below. */
static void add_without_delimiters(struct buf *out, struct view text)
{
	struct view line;
	while (view_next_line(&text, &line)) {
		const size_t at = find_delimiter(line);
		buf_add_view(out, view_part(line, 0, at));
		buf_add_text(out, at == SIZE_MAX ? "\n" : "- -\n");
	}
}

void encode_text_part(struct buf *out, struct view text)
{
	struct buf clean = BUF_EMPTY(out->max);
	struct buf whole = BUF_EMPTY(out->max);
	struct buf lines = BUF_EMPTY(out->max);
	charset_to_utf8("utf-8", text, &clean);
	charset_add_lines(&whole, buf_view(&clean));
	buf_clear(&clean);
	add_without_delimiters(&clean, buf_view(&whole));
	const struct view utf8 = buf_view(&clean);
	buf_add_text(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ");
	if (is_seven_bit(utf8)) {
		buf_add_text(out, "7bit\r\n\r\n");
		add_text_crlf(out, utf8);
	} else if (count_foreign(utf8) > utf8.len / 6) {
		buf_add_text(out, "base64\r\n\r\n");
		add_text_crlf(&lines, utf8);
		text_base64(out, buf_view(&lines), TEXT_BASE64_LINE);
	} else {
		buf_add_text(out, "quoted-printable\r\n\r\n");
		add_quoted_text(out, utf8);
	}
	out->overflow = out->overflow || clean.overflow || whole.overflow || lines.overflow;
	buf_release(&clean);
	buf_release(&whole);
	buf_release(&lines);
}
