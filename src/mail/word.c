#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

#include "mail/charset.h"
#include "mail/decode.h"
#include "mail/word.h"

enum { CHARSET_SIZE = 64 };

/* =?charset?encoding?text?= */
struct word {
	size_t len; /* of all that */
	char charset[CHARSET_SIZE];
	bool base64;
	struct view text;
};

/* Bytes of one charset that are not converted yet. */
struct run {
	char charset[CHARSET_SIZE];
	struct buf bytes;
};

/* Up to the "?" in front of a "=". Other question marks may not stand there and do; but "=?" begins
 * another word, so that no byte is looked at for two words. SIZE_MAX when it does not end. */
static size_t text_length(struct view text)
{
	for (size_t at = 0; at + 1 < text.len; at++) {
		if (text.data[at] != '?')
			continue;
		if (text.data[at + 1] == '=')
			return at;
		if (at > 0 && text.data[at - 1] == '=')
			break;
	}
	return SIZE_MAX;
}

static bool is_charset_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-_.:+*", c) != NULL);
}

/* The word at the front of text, which begins with "=?". */
static bool cut_word(struct view text, struct word *out)
{
	const struct view charset = view_part(text, 2, CHARSET_SIZE);
	size_t len = 0;
	size_t shown;
	while (len < charset.len && is_charset_char(charset.data[len]))
		len++;
	const struct view rest = view_part(text, 2 + len, text.len);
	if (len == 0 || rest.len < 3 || rest.data[0] != '?' || rest.data[2] != '?' ||
	    strchr("QqBb", rest.data[1]) == NULL)
		return false;
	const struct view behind = view_part(rest, 3, rest.len);
	const size_t text_len = text_length(behind);
	/* A language may stand behind a "*" (RFC 2231 section 5). */
	for (shown = 0; shown < len && charset.data[shown] != '*';)
		shown++;
	if (text_len == SIZE_MAX ||
	    !view_copy(view_part(charset, 0, shown), out->charset, sizeof out->charset))
		return false;
	out->base64 = rest.data[1] == 'B' || rest.data[1] == 'b';
	out->text = view_part(behind, 0, text_len);
	out->len = 2 + len + 3 + text_len + 2;
	return true;
}

/* The "Q" encoding of RFC 2047 section 4.2. */
static void add_q(struct view text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte;
		if (text.data[i] == '=' && text_unhex(view_part(text, i + 1, 2), &byte, 1)) {
			buf_add_char(out, (char)byte);
			i += 2;
		} else {
			buf_add_char(out, text.data[i] == '_' ? ' ' : text.data[i]);
		}
	}
}

static void end_run(struct run *run, struct buf *out)
{
	charset_to_utf8(run->charset, buf_view(&run->bytes), out);
	buf_clear(&run->bytes);
}

static void add_word(struct run *run, const struct word *word, struct buf *out)
{
	if (strcasecmp(run->charset, word->charset) != 0)
		end_run(run, out);
	memcpy(run->charset, word->charset, sizeof run->charset);
	if (word->base64)
		decode_base64(word->text, &run->bytes);
	else
		add_q(word->text, &run->bytes);
}

static bool begins_word(struct view text)
{
	return text.len > 1 && text.data[0] == '=' && text.data[1] == '?';
}

static size_t white_space(struct view text)
{
	size_t len = 0;
	while (len < text.len && (text.data[len] == ' ' || text.data[len] == '\t'))
		len++;
	return len;
}

/* Encoded words from the front on, and the white space between them. Returns their length, without
 * white space behind the last; 0 when there is none. */
static size_t add_words(struct view text, struct buf *out)
{
	struct run run = {.charset = "", .bytes = BUF_EMPTY(text.len + 3)};
	struct word word;
	size_t len = 0;
	size_t at = 0;
	while (begins_word(view_part(text, at, text.len)) &&
	       cut_word(view_part(text, at, text.len), &word)) {
		add_word(&run, &word, out);
		len = at + word.len;
		at = len + white_space(view_part(text, len, text.len));
	}
	end_run(&run, out);
	buf_release(&run.bytes);
	return len;
}

void word_decode(struct view text, struct buf *out)
{
	while (text.len > 0) {
		const size_t words = add_words(text, out);
		size_t len = words > 0 ? 0 : 1;
		text = view_part(text, words, text.len);
		while (len < text.len && !begins_word(view_part(text, len, text.len)))
			len++;
		charset_to_utf8("", view_part(text, 0, len), out);
		text = view_part(text, len, text.len);
	}
}
