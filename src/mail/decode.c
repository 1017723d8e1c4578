#include "config.h"

#include <string.h>

#include "base/text.h"

#include "mail/decode.h"

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

void decode_base64(struct view text, struct buf *out)
{
	char *room = buf_reserve(out, text.len / 4 * 3 + 3);
	if (room == NULL)
		return;
	unsigned bits = 0;
	unsigned have = 0;
	size_t len = 0;
	for (size_t i = 0; i < text.len && text.data[i] != '='; i++) {
		const int value = base64_value(text.data[i]);
		if (value < 0)
			continue;
		bits = (bits << 6 | (unsigned)value) & 0xffffffU;
		have += 6;
		if (have >= 8) {
			have -= 8;
			room[len++] = (char)(bits >> have & 0xffU);
		}
	}
	buf_grown(out, len);
}

/* One line without its end. True when it ends in a soft break. White space at a line's end was
 * added on the way (RFC 2045 section 6.7 rule 3). */
static bool decode_quoted_line(struct view line, struct buf *out)
{
	while (line.len > 0 && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
		line.len--;
	for (;;) {
		const char *mark = line.len == 0 ? NULL : memchr(line.data, '=', line.len);
		if (mark == NULL) {
			buf_add_view(out, line);
			return false;
		}
		const size_t before = (size_t)(mark - line.data);
		buf_add(out, line.data, before);
		line = view_part(line, before, line.len);
		if (line.len == 1)
			return true;
		unsigned char byte;
		const bool coded = text_unhex(view_part(line, 1, 2), &byte, 1);
		buf_add_char(out, coded ? (char)byte : '=');
		line = view_part(line, coded ? 3 : 1, line.len);
	}
}

void decode_quoted_printable(struct view text, struct buf *out)
{
	struct view line;
	while (text.len > 0) {
		const char *from = text.data;
		view_next_line(&text, &line);
		if (decode_quoted_line(line, out))
			continue;
		buf_add(out, line.data + line.len, (size_t)(text.data - from) - line.len);
	}
}
