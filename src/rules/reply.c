#include "config.h"

#include <stdio.h>
#include <string.h>

#include "rules/reply.h"

enum { TOKEN_LEN = ADVISORY_TOKEN_SIZE - 1, INTRODUCTION_LINES_MAX = 3 };

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

/* "On Monday, somebody wrote:" and its like, before a quotation: at most three lines that end with
 * a colon. Whatever the language, the colon is there. */
static size_t introduction(const struct view *lines, size_t count, size_t at)
{
	for (size_t n = 0; n < INTRODUCTION_LINES_MAX && at + n < count; n++) {
		const struct view line = view_trim(lines[at + n]);
		if (line.len == 0 || is_quoted(line))
			return 0;
		if (line.data[line.len - 1] != ':')
			continue;
		size_t next = at + n + 1;
		if (next < count && view_trim(lines[next]).len == 0)
			next++;
		return next < count && is_quoted(lines[next]) ? n + 1 : 0;
	}
	return 0;
}

/* True, and the status set, when the line is a status word alone or before punctuation; *rest is
 * what stands behind it. */
static bool take_status(struct reply *out, struct view line, struct view *rest)
{
	line = view_trim(line);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const size_t len = strlen(words[i]);
		if (!view_starts_nocase(line, words[i]))
			continue;
		if (line.len > len && strchr(".,;:!-", line.data[len]) == NULL)
			continue;
		snprintf(out->status, sizeof out->status, "%s", words[i]);
		*rest = line.len > len ? view_trim(view_part(line, len + 1, line.len)) : VIEW("");
		return true;
	}
	return false;
}

static void read_lines(struct reply *out, const struct view *lines, size_t count)
{
	bool first = true;
	for (size_t i = 0; i < count && !out->comment.overflow; i++) {
		struct view line = lines[i];
		if (view_is(line, "-- "))
			return; /* the sender's signature block (RFC 3676 section 4.3) */
		const size_t skip = introduction(lines, count, i);
		if (skip > 0) {
			i += skip - 1;
			continue;
		}
		if (is_quoted(line) || (first && view_trim(line).len == 0))
			continue;
		const bool status = first && take_status(out, line, &line);
		first = false;
		if (status && line.len == 0)
			continue;
		if (out->comment.len + line.len + 1 <= out->comment.max) {
			buf_add_view(&out->comment, line);
			buf_add_char(&out->comment, '\n');
		}
	}
}

void reply_read(struct view text, struct view subject, struct reply *out)
{
	enum { LINES_MAX = 2000 };
	static const struct view none = {"", 0};
	struct view lines[LINES_MAX];
	size_t count = 0;
	memset(out, 0, sizeof *out);
	out->comment = BUF_EMPTY(REPLY_COMMENT_MAX);
	snprintf(out->status, sizeof out->status, "%s", words[0]);
	find_tokens(out, text);
	find_tokens(out, subject);
	struct view rest = text;
	while (count < LINES_MAX && view_next_line(&rest, &lines[count]))
		count++;
	read_lines(out, lines, count);
	const struct view trimmed = view_trim(buf_view(&out->comment));
	struct buf comment = BUF_EMPTY(REPLY_COMMENT_MAX);
	buf_add_view(&comment, trimmed.len == 0 ? none : trimmed);
	buf_move(&out->comment, &comment);
}
