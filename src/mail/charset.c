#include "config.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#include "mail/charset.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

enum { ICONV_ROOM = 4096, UTF8_LONGEST = 4 };

static const char *const kept_charsets[] = {"ISO-8859-2", "ISO-8859-3", "ISO-8859-4", "ISO-8859-5",
    "ISO-8859-6", "ISO-8859-7", "ISO-8859-8", "ISO-8859-9", "ISO-8859-10", "ISO-8859-13",
    "ISO-8859-14", "ISO-8859-15", "ISO-8859-16", "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252",
    "WINDOWS-1253", "WINDOWS-1254", "WINDOWS-1255", "WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258",
    "ISO-8859-1", "KOI8-R", "KOI8-U", "IBM850", "MACINTOSH", "TIS-620", "UTF-7", "UTF-16",
    "UTF-16LE", "UTF-16BE", "UTF-32", "ISO-2022-JP", "ISO-2022-JP-2", "SHIFT_JIS", "CP932",
    "EUC-JP", "EUC-KR", "UHC", "ISO-2022-KR", "GB2312", "GBK", "GB18030", "BIG5", "BIG5-HKSCS",
    "US-ASCII"};
enum { KEPT = sizeof kept_charsets / sizeof kept_charsets[0] };

struct charset_keep {
	iconv_t open[KEPT];
};

struct charset_keep *charset_keep(void)
{
	struct charset_keep *keep = calloc(1, sizeof *keep);
	if (keep == NULL)
		abort();
	for (size_t i = 0; i < KEPT; i++)
		keep->open[i] = iconv_open("UTF-8", kept_charsets[i]);
	return keep;
}

void charset_release(struct charset_keep *keep)
{
	if (keep == NULL)
		return;
	for (size_t i = 0; i < KEPT; i++)
		if (keep->open[i] != (iconv_t)-1)
			iconv_close(keep->open[i]);
	free(keep);
}

/* Length of the character that this lead byte announces, and the bounds of its second byte, which
 * rule out overlong forms, surrogates and what lies beyond U+10FFFF (RFC 3629 section 4). */
static size_t lead_length(unsigned char lead, unsigned char *least, unsigned char *most)
{
	*least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? UTF8_LONGEST : 0;
}

size_t charset_character(struct view text)
{
	const unsigned char *at = (const unsigned char *)text.data;
	unsigned char least;
	unsigned char most;
	const size_t len = lead_length(at[0], &least, &most);
	if (len == 0 || len > text.len || (len > 1 && (at[1] < least || at[1] > most)))
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((at[i] & 0xc0U) != 0x80U)
			return 0;
	return len;
}

bool charset_is_deceiving(const char *at, size_t len)
{
	const unsigned char *c = (const unsigned char *)at;
	if (len == 1)
		return c[0] < ' ' || c[0] == 0x7f;
	if (len == 2) /* C1; U+061C */
		return (c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xd8 && c[1] == 0x9c);
	if (len != 3)
		return false;
	if (c[0] == 0xef) /* U+FEFF */
		return c[1] == 0xbb && c[2] == 0xbf;
	if (c[0] != 0xe2)
		return false;
	if (c[1] == 0x80) /* U+200E, U+200F; U+2028 to U+202E */
		return c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae);
	return c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9; /* U+2066 to U+2069 */
}

static void add_repaired(struct buf *out, struct view text)
{
	while (text.len > 0) {
		const size_t len = charset_character(text);
		if (len == 0 || text.data[0] == '\0')
			buf_add_text(out, REPLACEMENT);
		else
			buf_add(out, text.data, len);
		text = view_part(text, len == 0 ? 1 : len, text.len);
	}
}

static void add_code(struct buf *out, unsigned code)
{
	if (code == 0 || code >= 0x10000) {
		buf_add_text(out, REPLACEMENT);
	} else if (code < 0x80) {
		buf_add_char(out, (char)code);
	} else if (code < 0x800) {
		buf_add_char(out, (char)(0xc0U | code >> 6));
		buf_add_char(out, (char)(0x80U | (code & 0x3fU)));
	} else {
		buf_add_char(out, (char)(0xe0U | code >> 12));
		buf_add_char(out, (char)(0x80U | (code >> 6 & 0x3fU)));
		buf_add_char(out, (char)(0x80U | (code & 0x3fU)));
	}
}

/* ISO-8859-1 is read as its superset windows-1252, as mailers mean it (WHATWG Encoding standard).
 */
static void add_windows_1252(struct buf *out, struct view bytes)
{
	static const uint16_t upper[32] = {0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020,
	    0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019,
	    0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d,
	    0x17e, 0x178};
	for (size_t i = 0; i < bytes.len; i++) {
		const unsigned char c = (unsigned char)bytes.data[i];
		add_code(out, c >= 0x80 && c < 0xa0 ? upper[c - 0x80] : c);
	}
}

static bool is_one_of(const char *charset, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcasecmp(charset, *names) == 0)
			return true;
	return false;
}

/* False when iconv does not know the charset. */
static bool add_through_iconv(struct buf *out, const char *charset, struct view bytes)
{
	iconv_t converter = iconv_open("UTF-8", charset);
	if (converter == (iconv_t)-1)
		return false;
	char *in = (char *)(uintptr_t)bytes.data; /* iconv takes char ** but does not write there */
	size_t left = bytes.len;
	while (left > 0 && !out->overflow) {
		char room[ICONV_ROOM];
		char *to = room;
		size_t space = sizeof room;
		const size_t converted = iconv(converter, &in, &left, &to, &space);
		const int why = errno;
		add_repaired(out, (struct view){room, (size_t)(to - room)});
		if (converted != (size_t)-1 || why == E2BIG)
			continue;
		buf_add_text(out, REPLACEMENT);
		if (why == EINVAL) /* the text ends within a character */
			break;
		in++;
		left--;
	}
	iconv_close(converter);
	return true;
}

void charset_to_utf8(const char *charset, struct view bytes, struct buf *out)
{
	static const char *const utf8[] = {"utf-8", "utf8", NULL};
	static const char *const latin[] = {
	    "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "windows-1252", "cp1252", NULL};
	static const char *const unsaid[] = {"", "us-ascii", "ascii", "unknown-8bit", NULL};
	if (is_one_of(charset, utf8)) {
		add_repaired(out, bytes);
	} else if (is_one_of(charset, latin)) {
		add_windows_1252(out, bytes);
	} else if (is_one_of(charset, unsaid) || !add_through_iconv(out, charset, bytes)) {
		if (text_is_utf8(bytes))
			buf_add_view(out, bytes);
		else
			add_windows_1252(out, bytes);
	}
}

void charset_add_lines(struct buf *out, struct view text)
{
	while (text.len > 0) {
		const char *end = memchr(text.data, '\r', text.len);
		if (end == NULL) {
			buf_add_view(out, text);
			return;
		}
		const size_t len = (size_t)(end - text.data);
		buf_add(out, text.data, len);
		buf_add_char(out, '\n');
		const bool pair = len + 1 < text.len && text.data[len + 1] == '\n';
		text = view_part(text, len + (pair ? 2 : 1), text.len);
	}
}

static size_t cut_quotes(struct view *line)
{
	size_t depth = 0;
	while (depth < line->len && line->data[depth] == '>')
		depth++;
	*line = view_part(*line, depth, line->len);
	if (line->len > 0 && line->data[0] == ' ') /* space-stuffing */
		*line = view_part(*line, 1, line->len);
	return depth;
}

void charset_add_unflowed(struct buf *out, struct view text, bool delete_space)
{
	struct view line;
	bool flowing = false;
	size_t last_depth = 0;
	while (view_next_line(&text, &line)) {
		const size_t depth = cut_quotes(&line);
		const bool signature = view_is(line, "-- ");
		if (flowing && (depth != last_depth || signature)) {
			buf_add_char(out, '\n');
			flowing = false;
		}
		for (size_t i = 0; !flowing && i < depth; i++)
			buf_add_char(out, '>');
		if (!flowing && depth > 0)
			buf_add_char(out, ' ');
		flowing = !signature && line.len > 0 && line.data[line.len - 1] == ' ';
		last_depth = depth;
		if (flowing && delete_space)
			line.len--;
		buf_add_view(out, line);
		if (!flowing)
			buf_add_char(out, '\n');
	}
	if (flowing)
		buf_add_char(out, '\n');
}
