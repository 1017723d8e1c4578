#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

#include "mail/html.h"

enum { ENTITY_MAX = 10, BREAKS_MAX = 2, QUOTES_MAX = 8 };

struct html_writer {
	struct buf *out;
	size_t start; /* of what this call wrote */
	bool space; /* white space is due before the next character */
	unsigned breaks; /* line ends due before the next character */
	unsigned pre; /* depth of <pre> */
	unsigned quotes; /* depth of <blockquote>: marks before each line, as in plain mail */
};

/* At least `count` line ends before the next character, none in front of all. */
static void write_break(struct html_writer *writer, unsigned count)
{
	writer->space = false;
	if (writer->out->len > writer->start && writer->breaks < count)
		writer->breaks = count;
}

/* One line end more. */
static void write_line_end(struct html_writer *writer)
{
	write_break(writer, writer->breaks < BREAKS_MAX ? writer->breaks + 1 : BREAKS_MAX);
}

static void write_bytes(struct html_writer *writer, const char *data, size_t len)
{
	const bool begins = writer->breaks > 0 || writer->out->len == writer->start;
	if (writer->space && writer->breaks == 0 && writer->out->len > writer->start)
		buf_add_char(writer->out, ' ');
	for (; writer->breaks > 0; writer->breaks--)
		buf_add_char(writer->out, '\n');
	writer->space = false;
	for (unsigned i = 0; begins && i < writer->quotes; i++)
		buf_add_text(writer->out, "> ");
	buf_add(writer->out, data, len);
}

static void write_char(struct html_writer *writer, char c)
{
	if (writer->pre > 0 && c == '\n') {
		write_line_end(writer);
	} else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
		if (writer->pre > 0 && (c == ' ' || c == '\t'))
			write_bytes(writer, &c, 1);
		else
			writer->space = true;
	} else {
		write_bytes(writer, &c, 1);
	}
}

static size_t encode_code(int64_t code, char out[static 4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static bool hex_number(struct view digits, int64_t *code)
{
	*code = 0;
	for (size_t i = 0; i < digits.len; i++) {
		const char *at = strchr("0123456789abcdef", digits.data[i] | 0x20);
		if (at == NULL || digits.data[i] == '\0')
			return false;
		*code = *code * 16 + (at - "0123456789abcdef");
	}
	return digits.len > 0;
}

/* The character that `name`, what stands between "&" and ";", means. False when unknown. */
static bool entity_code(struct view name, int64_t *code)
{
	static const struct {
		const char *name;
		int64_t code;
	} known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''},
	    {"nbsp", 0xa0}, {"ensp", 0x2002}, {"emsp", 0x2003},
	    {"thinsp", 0x2009}, {"shy", 0xad}, {"zwnj", 0x200c}, {"zwj", 0x200d}, {"ndash", 0x2013}, {"mdash", 0x2014}, {"lsquo", 0x2018},
	    {"rsquo", 0x2019}, {"ldquo", 0x201c}, {"rdquo", 0x201d}, {"hellip", 0x2026},
	    {"bull", 0x2022}, {"euro", 0x20ac}, {"copy", 0xa9}, {"reg", 0xae}, {"auml", 0xe4},
	    {"ouml", 0xf6}, {"uuml", 0xfc}, {"Auml", 0xc4}, {"Ouml", 0xd6}, {"Uuml", 0xdc},
	    {"szlig", 0xdf}, {"eacute", 0xe9}, {"egrave", 0xe8}, {"agrave", 0xe0},
	    {"ccedil", 0xe7}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (view_is(name, known[i].name)) {
			*code = known[i].code;
			return true;
		}
	}
	if (view_starts_nocase(name, "#x"))
		return hex_number(view_part(name, 2, name.len), code);
	return view_starts_nocase(name, "#") &&
	       text_number(view_part(name, 1, name.len), 0, INT32_MAX, code);
}

static bool is_text_code(int64_t code)
{
	return (code >= ' ' || code == '\t' || code == '\n') && code != 0x7f &&
	       !(code >= 0x80 && code < 0xa0) && !(code >= 0xd800 && code <= 0xdfff) &&
	       code <= 0x10ffff;
}

/* An entity at the front of html; returns the bytes it took. */
static size_t take_entity(struct html_writer *writer, struct view html)
{
	const struct view window = view_part(html, 1, ENTITY_MAX);
	const size_t end = view_find(window, VIEW(";"));
	int64_t code;
	char utf8[4];
	if (end == SIZE_MAX || !entity_code(view_part(window, 0, end), &code) ||
	    !is_text_code(code)) {
		write_char(writer, '&');
		return 1;
	}
	if (code == 0xa0)
		write_bytes(writer, " ", 1); /* a line of its own even where it stands alone */
	else if (code < 0x80)
		write_char(writer, (char)code);
	else
		write_bytes(writer, utf8, encode_code(code, utf8));
	return end + 2;
}

static bool is_name(struct view name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (view_is_nocase(name, *names))
			return true;
	return false;
}

/* Behind the end tag of an element whose content is no text. */
static size_t skip_element(struct view html, struct view name)
{
	for (size_t at = 0; at < html.len; at++) {
		const char *mark = memchr(html.data + at, '<', html.len - at);
		if (mark == NULL)
			break;
		at = (size_t)(mark - html.data);
		if (at + 1 < html.len && html.data[at + 1] == '/' &&
		    html.len - at - 2 >= name.len &&
		    view_part(html, at + 2, name.len).len == name.len &&
		    strncasecmp(html.data + at + 2, name.data, name.len) == 0)
			return at;
	}
	return html.len;
}

/* Behind the ">" of the tag at the front; quoted attribute values may hold one. */
static size_t tag_length(struct view html)
{
	char quote = '\0';
	for (size_t i = 1; i < html.len; i++) {
		const char c = html.data[i];
		if (quote != '\0')
			quote = c == quote ? '\0' : quote;
		else if ((c == '"' || c == '\'') && html.data[i - 1] == '=')
			quote = c;
		else if (c == '>')
			return i + 1;
	}
	return html.len;
}

static void break_for(struct html_writer *writer, struct view name, bool closing)
{
	static const char *const paragraphs[] = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul",
	    "ol", "table", "blockquote", "pre", NULL};
	static const char *const lines[] = {"div", "tr", "li", "dt", "dd", "section", "article",
	    "header", "footer", "center", "hr", "address", NULL};
	static const char *const cells[] = {"td", "th", NULL};
	if (view_is_nocase(name, "br") && !closing)
		write_line_end(writer);
	else if (is_name(name, paragraphs))
		write_break(writer, BREAKS_MAX);
	else if (is_name(name, lines))
		write_break(writer, 1);
	else if (is_name(name, cells))
		writer->space = true;
	if (view_is_nocase(name, "li") && !closing)
		write_bytes(writer, "* ", 2);
	if (view_is_nocase(name, "blockquote")) {
		if (closing)
			writer->quotes -= writer->quotes > 0;
		else
			writer->quotes += writer->quotes < QUOTES_MAX;
	}
	if (view_is_nocase(name, "pre"))
		writer->pre = closing ? 0 : 1;
}

/* A tag, comment or lone "<" at the front of html; returns the bytes it took. */
static size_t take_tag(struct html_writer *writer, struct view html)
{
	static const char *const silent[] = {"script", "style", "title", "template", NULL};
	if (view_starts_nocase(html, "<!--")) {
		const size_t end = view_find(html, VIEW("-->"));
		return end == SIZE_MAX ? html.len : end + strlen("-->");
	}
	const bool closing = html.len > 1 && html.data[1] == '/';
	const size_t from = closing ? 2 : 1;
	size_t len = 0;
	while (from + len < html.len &&
	       ((html.data[from + len] | 0x20) >= 'a' && (html.data[from + len] | 0x20) <= 'z'
		       ? true
		       : len > 0 && html.data[from + len] >= '0' && html.data[from + len] <= '9'))
		len++;
	if (len == 0 && html.len > 1 && html.data[1] != '!' && html.data[1] != '?') {
		write_char(writer, '<');
		return 1;
	}
	const struct view name = view_part(html, from, len);
	const size_t tag = tag_length(html);
	break_for(writer, name, closing);
	if (!closing && is_name(name, silent))
		return tag + skip_element(view_part(html, tag, html.len), name);
	return tag;
}

void html_to_text(struct view html, struct buf *out)
{
	struct html_writer writer = {.out = out, .start = out->len};
	while (html.len > 0 && !out->overflow) {
		size_t took = 1;
		if (html.data[0] == '<')
			took = take_tag(&writer, html);
		else if (html.data[0] == '&')
			took = take_entity(&writer, html);
		else
			write_char(&writer, html.data[0]);
		html = view_part(html, took, html.len);
	}
	if (out->len > writer.start)
		buf_add_char(out, '\n');
}
