#include "config.h"

#include <stdio.h>
#include <string.h>

#include "rules/reply.h"

enum {
	TOKEN_LEN = ADVISORY_TOKEN_SIZE - 1,
	INTRODUCTION_LINES_MAX = 3,
	WRAP_LEAST = 60, /* characters: the shortest line length at which mail programs wrap */
	UTF8_TAIL_MAX = 3, /* bytes of a character behind its first */
};

static const char *const words[] = {"received", "affected", "not affected", "acting", "unreadable"};

static bool is_token_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
}

static bool is_word_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static void add_token(struct reply *out, struct view token)
{
	for (size_t i = 0; i < out->token_count; i++) {
		if (view_is(token, out->tokens[i]))
			return;
	}
	if (out->token_count < REPLY_TOKENS_MAX)
		view_copy(token, out->tokens[out->token_count++], ADVISORY_TOKEN_SIZE);
}

static void find_tokens(struct reply *out, struct view text)
{
	size_t from = 0;
	while (from < text.len) {
		size_t len = 0;
		bool pure = true;
		for (; from + len < text.len && is_word_char(text.data[from + len]); len++)
			pure = pure && is_token_char(text.data[from + len]);
		if (pure && len == TOKEN_LEN)
			add_token(out, view_part(text, from, len));
		from += len + 1;
	}
}

static bool is_quoted(struct view line)
{
	line = view_trim(line);
	return line.len > 0 && line.data[0] == '>';
}

static bool ends_with_colon(struct view line)
{
	static const struct view wide = {
	    "\xef\xbc\x9a", 3}; /* U+FF1A, which Chinese and Japanese use */
	return line.data[line.len - 1] == ':' ||
	       (line.len >= wide.len &&
		   view_equals(view_part(line, line.len - wide.len, wide.len), wide));
}

/* True when the next line is quoted, or the one behind one empty line. */
static bool quotation_follows(struct view rest)
{
	struct view line;
	if (!view_next_line(&rest, &line))
		return false;
	if (view_trim(line).len == 0 && !view_next_line(&rest, &line))
		return false;
	return is_quoted(line);
}

/* True when the line may have been wrapped: the first word of the next one did not fit on it. */
static bool is_wrapped(struct view line, struct view rest)
{
	struct view next;
	struct view word = {"", 0};
	if (!view_next_line(&rest, &next))
		return false;
	next = view_trim(next);
	view_next_field(&next, ' ', &word);
	return line.len + 1 + word.len > WRAP_LEAST;
}

/* A wrapped introduction gives a date or an address; words of the sender's own before it do not. */
static bool names_somebody(struct view line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == '@' || (line.data[i] >= '0' && line.data[i] <= '9'))
			return true;
	}
	return false;
}

/* "On Monday, somebody wrote:" and its like, before a quotation: one line that ends with a colon,
 * or up to three that were wrapped. Whatever the language, the colon is there. Returns how many
 * lines of `text`, from its first, are such; 0: none. A doubtful line is the sender's own: better a
 * quotation in a comment than a comment lost. */
static size_t introduction(struct view text)
{
	struct view line;
	bool named = false;
	for (size_t n = 1; n <= INTRODUCTION_LINES_MAX && view_next_line(&text, &line); n++) {
		line = view_trim(line);
		if (line.len == 0 || is_quoted(line))
			return 0;
		named = named || names_somebody(line);
		if (ends_with_colon(line))
			return (n == 1 || named) && quotation_follows(text) ? n : 0;
		if (!is_wrapped(line, text))
			return 0;
	}
	return 0;
}

/* Bytes of white space and one punctuation mark at the front; 0 when there is no mark. A hyphen
 * glued between two words is none. */
static size_t punctuation(struct view text)
{
	static const char *const marks[] = {
	    ".", ",", ";", ":", "!", "-", "\xe2\x80\x93", "\xe2\x80\x94"};
	size_t at = 0;
	while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t'))
		at++;
	const struct view mark = view_part(text, at, text.len);
	if (mark.len > 1 && mark.data[0] == '-' && is_word_char(mark.data[1]))
		return 0;
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		if (view_starts_nocase(mark, marks[i]))
			return at + strlen(marks[i]);
	}
	return 0;
}

/* True, and the status set, when the line is a status word alone or before punctuation; *rest is
 * what stands behind it. */
static bool take_status(struct reply *out, struct view line, struct view *rest)
{
	line = view_trim(line);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!view_starts_nocase(line, words[i]))
			continue;
		struct view tail = view_part(line, strlen(words[i]), line.len);
		size_t mark = punctuation(tail);
		if (tail.len > 0 && mark == 0)
			continue;
		for (; mark > 0; mark = punctuation(tail))
			tail = view_part(tail, mark, tail.len);
		snprintf(out->status, sizeof out->status, "%s", words[i]);
		*rest = view_trim(tail);
		return true;
	}
	return false;
}

/* Appends a line to the comment. False when it did not fit: what fits is taken, whole characters.
 */
static bool add_line(struct buf *comment, struct view line)
{
	size_t room = comment->max - comment->len;
	if (line.len < room) {
		buf_add_view(comment, line);
		buf_add_char(comment, '\n');
		return true;
	}
	if (line.len > room) {
		for (int i = 0; i < UTF8_TAIL_MAX && room > 0 &&
				((unsigned char)line.data[room] & 0xc0U) == 0x80U;
		     i++)
			room--;
	}
	buf_add_view(comment, view_part(line, 0, room));
	return false;
}

static void read_lines(struct reply *out, struct view text)
{
	bool first = true;
	bool signature = false; /* inside the sender's signature block, RFC 3676 section 4.3 */
	size_t skip = 0;
	struct view rest = text;
	struct view line;
	for (; view_next_line(&rest, &line); text = rest) {
		if (skip > 0) {
			skip--;
			continue;
		}
		if (is_quoted(line)) {
			signature = false; /* the sender goes on below the quotation */
			continue;
		}
		signature = signature || view_is(line, "-- ");
		if (signature || (first && view_trim(line).len == 0))
			continue;
		const bool status = first && take_status(out, line, &line);
		if (!status && (skip = introduction(text)) > 0) {
			skip--;
			continue;
		}
		first = false;
		if (status && line.len == 0)
			continue;
		if (!add_line(&out->comment, line))
			return;
	}
}

void reply_read(struct view text, struct view subject, struct reply *out)
{
	memset(out, 0, sizeof *out);
	out->comment = BUF_EMPTY(REPLY_COMMENT_MAX);
	snprintf(out->status, sizeof out->status, "%s", words[0]);
	find_tokens(out, subject);
	find_tokens(out, text);
	read_lines(out, text);
	struct buf comment = BUF_EMPTY(REPLY_COMMENT_MAX);
	buf_add_view(&comment, view_trim(buf_view(&out->comment)));
	buf_move(&out->comment, &comment);
}
