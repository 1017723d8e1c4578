#include "config.h"

#include <string.h>

#include "mail/charset.h"
#include "mail/paragraph.h"

static size_t characters(struct view word)
{
	size_t count = 0;
	for (size_t i = 0; i < word.len; i++)
		count += ((unsigned char)word.data[i] & 0xc0U) != 0x80U;
	return count;
}

static void add_word(struct buf *out, struct view word)
{
	while (word.len > 0) {
		const size_t len = charset_character(word);
		if (len > 0 && !charset_is_deceiving(word.data, len))
			buf_add(out, word.data, len);
		word = view_part(word, len == 0 ? 1 : len, word.len);
	}
}

static bool next_word(struct view *line, struct view *word)
{
	while (line->len > 0 && (line->data[0] == ' ' || line->data[0] == '\t'))
		*line = view_part(*line, 1, line->len);
	size_t len = 0;
	while (len < line->len && line->data[len] != ' ' && line->data[len] != '\t')
		len++;
	*word = view_part(*line, 0, len);
	*line = view_part(*line, len, line->len);
	return len > 0;
}

static void add_spaces(struct buf *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_add_char(out, ' ');
}

void paragraph_add(struct buf *out, const char *lead, struct view text)
{
	const size_t indent = strlen(lead);
	bool first = true;
	struct view line;
	struct view word;
	text = view_trim(text);
	while (view_next_line(&text, &line)) {
		size_t column = 0;
		while (next_word(&line, &word)) {
			const size_t width = characters(word);
			if (column > 0 && column + 1 + width <= PARAGRAPH_WIDTH) {
				buf_add_char(out, ' ');
				column++;
			} else {
				if (column > 0)
					buf_add_char(out, '\n');
				if (first)
					buf_add_text(out, lead);
				else
					add_spaces(out, indent);
				first = false;
				column = indent;
			}
			add_word(out, word);
			column += width;
		}
		buf_add_char(out, '\n');
	}
}
