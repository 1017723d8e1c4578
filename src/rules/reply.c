#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/quoting.h"
#include "rules/reply.h"
#include "rules/status.h"

enum { UTF8_TAIL_MAX = 3 /* bytes of a character behind its first */ };

_Static_assert((int)TOKEN_SIZE == (int)ADVISORY_TOKEN_SIZE, "a token is a token");

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

/* The next line of the sender's own; empty when there is none. */
static struct view next_own(const struct quoting *quoting, struct view rest)
{
	struct view line;
	while (view_next_line(&rest, &line))
		if (text_trim(line).len > 0 && !quoting_is(quoting, line))
			return line;
	return VIEW("");
}

struct reading {
	struct quoting quoting;
	bool first; /* nothing of the sender's own was there yet */
	bool signature; /* inside the sender's signature block, RFC 3676 section 4.3 */
	bool unmarked; /* it begins with the original, so no line tells where that ends */
	size_t skip; /* lines of an introduction */
};

/* The first line of the sender's own. False when it says nothing of the status; else *line is what
 * of it is for the comment. A greeting is passed over when the status comes behind it. */
static bool take_first(
    struct reply *out, struct reading *reading, struct view rest, struct view *line)
{
	const char *word;
	struct view tail;
	const struct view next = next_own(&reading->quoting, rest);
	switch (status_take(*line, next, &word, &tail)) {
	case STATUS_TAKEN:
		snprintf(out->status, sizeof out->status, "%s", word);
		*line = tail;
		reading->first = false;
		return true;
	case STATUS_DOUBTFUL:
		reading->first = false;
		return true;
	case STATUS_NONE:
		break;
	}
	if (!status_is_greeting(*line) || status_take(next, VIEW(""), &word, &tail) != STATUS_TAKEN)
		return false;
	*line = VIEW("");
	return true;
}

/* True when the line is for the comment, as *line is then. `text` begins with it. */
static bool is_comment(struct reply *out, struct reading *reading, struct view text,
    struct view rest, struct view *line)
{
	if (reading->skip > 0) {
		reading->skip--;
		return false;
	}
	if (quoting_is(&reading->quoting, *line)) {
		reading->signature = false; /* the sender goes on below the quotation */
		return false;
	}
	reading->signature = reading->signature || (line->len == 3 && view_is(*line, "-- "));
	if (reading->signature || (reading->first && text_trim(*line).len == 0))
		return false;
	if (reading->first && take_first(out, reading, rest, line))
		return line->len > 0;
	reading->skip = quoting_introduction(&reading->quoting, text);
	if (reading->skip > 0) {
		reading->skip--;
		return false;
	}
	reading->first = false;
	return true;
}

static void read_lines(struct reply *out, struct view text)
{
	struct reading reading = {.quoting = quoting_find(text), .first = true};
	struct view rest = text;
	struct view line;
	for (; view_next_line(&rest, &line); text = rest) {
		if (reading.skip == 0 && quoting_is_original(text)) {
			reading.unmarked = reading.unmarked || reading.first;
			if (!reading.unmarked)
				return;
		}
		if (is_comment(out, &reading, text, rest, &line) && !add_line(&out->comment, line))
			return;
	}
}

void reply_read(struct view text, struct view subject, struct reply *out)
{
	memset(out, 0, sizeof *out);
	out->comment = BUF_EMPTY(REPLY_COMMENT_MAX);
	snprintf(out->status, sizeof out->status, "%s", status_unless_said);
	token_find(subject, &out->tokens);
	token_find(text, &out->tokens);
	token_find_changed(subject, &out->tokens);
	token_find_changed(text, &out->tokens);
	read_lines(out, text);
	struct buf comment = BUF_EMPTY(REPLY_COMMENT_MAX);
	buf_add_view(&comment, view_trim(buf_view(&out->comment)));
	buf_move(&out->comment, &comment);
}

void reply_read_cleartext(struct view text, struct view subject, struct reply *out)
{
	struct buf whole = BUF_EMPTY(2 * text.len + 1);
	struct view line;
	while (view_next_line(&text, &line)) {
		buf_add_view(&whole, line);
		buf_add_text(&whole, view_is(line, "--") ? " \n" : "\n");
	}
	reply_read(buf_view(&whole), subject, out);
	buf_release(&whole);
}
