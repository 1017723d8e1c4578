#include "config.h"

#include <string.h>

#include "base/text.h"
#include "courier/imap_response.h"

/* Where a response is being read. Once it is bad, every further take gives nothing. */
struct cursor {
	struct view text;
	struct view literals;
	bool bad;
};

static char ahead(const struct cursor *cursor)
{
	return cursor->text.len == 0 ? '\0' : cursor->text.data[0];
}

static void skip(struct cursor *cursor, size_t len)
{
	cursor->text = view_part(cursor->text, len, cursor->text.len);
}

static bool take_char(struct cursor *cursor, char c)
{
	if (cursor->text.len == 0 || ahead(cursor) != c)
		return false;
	skip(cursor, 1);
	return true;
}

static void expect(struct cursor *cursor, char c)
{
	if (!take_char(cursor, c))
		cursor->bad = true;
}

static struct view take_part(struct cursor *cursor, size_t len)
{
	const struct view part = view_part(cursor->text, 0, len);
	skip(cursor, len);
	return part;
}

/* Up to one of the characters, or to the end. */
static struct view take_until(struct cursor *cursor, const char *ends)
{
	size_t len = 0;
	while (len < cursor->text.len && strchr(ends, cursor->text.data[len]) == NULL)
		len++;
	return take_part(cursor, len);
}

static struct view take_word(struct cursor *cursor)
{
	const struct view word = take_until(cursor, " ");
	take_char(cursor, ' ');
	return word;
}

/* Behind the opening quote. Escaped characters stay escaped. */
static struct view take_quoted(struct cursor *cursor)
{
	size_t len = 0;
	while (len < cursor->text.len && cursor->text.data[len] != '"')
		len += cursor->text.data[len] == '\\' ? 2 : 1;
	if (len >= cursor->text.len) {
		cursor->bad = true;
		return VIEW("");
	}
	const struct view quoted = take_part(cursor, len);
	skip(cursor, 1);
	return quoted;
}

/* Behind the opening brace. */
static struct view take_literal(struct cursor *cursor)
{
	int64_t len = 0;
	const struct view digits = take_until(cursor, "}");
	expect(cursor, '}');
	if (!text_number(digits, 0, INT64_MAX, &len) ||
	    (uint64_t)len > (uint64_t)cursor->literals.len) {
		cursor->bad = true;
		return VIEW("");
	}
	const struct view literal = view_part(cursor->literals, 0, (size_t)len);
	cursor->literals = view_part(cursor->literals, (size_t)len, cursor->literals.len);
	return literal;
}

/* Passes over a value of any shape; lists count their depth, and nothing calls itself. */
static void skip_value(struct cursor *cursor)
{
	size_t depth = 0;
	do {
		if (take_char(cursor, '(')) {
			depth++;
		} else if (take_char(cursor, ')')) {
			if (depth == 0)
				cursor->bad = true;
			else
				depth--;
		} else if (take_char(cursor, '"')) {
			take_quoted(cursor);
		} else if (take_char(cursor, '{')) {
			take_literal(cursor);
		} else if (depth > 0 && take_char(cursor, ' ')) {
			continue;
		} else if (take_until(cursor, " ()\"{").len == 0) {
			cursor->bad = true;
		}
	} while (depth > 0 && !cursor->bad);
}

static uint64_t take_number(struct cursor *cursor, int64_t least, int64_t most)
{
	int64_t number = 0;
	if (!text_number(take_until(cursor, " )"), least, most, &number))
		cursor->bad = true;
	return (uint64_t)number;
}

static void take_body(struct cursor *cursor, struct imap_fetch *fetch)
{
	if (take_char(cursor, '{')) {
		fetch->body = take_literal(cursor);
		fetch->has_body = true;
	} else if (take_char(cursor, '"')) {
		fetch->body = take_quoted(cursor);
		fetch->has_body = true;
		/* One line with an escaped quote is no message that anybody sends. */
		if (memchr(fetch->body.data, '\\', fetch->body.len) != NULL)
			cursor->bad = true;
	} else if (!view_is_nocase(take_until(cursor, " )"), "NIL")) {
		cursor->bad = true;
	}
}

static void take_attribute(struct cursor *cursor, struct imap_fetch *fetch)
{
	const struct view name = take_word(cursor);
	if (view_is_nocase(name, "UID")) {
		fetch->uid = (uint32_t)take_number(cursor, 1, UINT32_MAX);
	} else if (view_is_nocase(name, "RFC822.SIZE")) {
		fetch->size = take_number(cursor, 0, INT64_MAX);
		fetch->has_size = true;
	} else if (view_is_nocase(name, "BODY[]")) {
		take_body(cursor, fetch);
	} else {
		skip_value(cursor);
	}
}

/* msg-att of RFC 3501 section 9. */
static bool take_fetch(struct cursor *cursor, struct imap_fetch *fetch)
{
	expect(cursor, '(');
	while (!cursor->bad && !take_char(cursor, ')')) {
		take_attribute(cursor, fetch);
		if (ahead(cursor) != ')')
			expect(cursor, ' ');
	}
	return !cursor->bad && cursor->text.len == 0;
}

static const struct {
	const char *name;
	enum imap_kind kind;
	bool tagged; /* may be */
} statuses[] = {
    {"OK", IMAP_OK, true},
    {"NO", IMAP_NO, true},
    {"BAD", IMAP_BAD, true},
    {"BYE", IMAP_BYE, false},
    {"PREAUTH", IMAP_PREAUTH, false},
};

static bool find_status(struct view word, bool tagged, enum imap_kind *kind)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		if (view_is_nocase(word, statuses[i].name) && (statuses[i].tagged || !tagged)) {
			*kind = statuses[i].kind;
			return true;
		}
	}
	return false;
}

/* resp-text of RFC 3501 section 9: some servers leave the text out, or the "]". */
static void take_status(struct cursor *cursor, struct imap_response *out)
{
	if (take_char(cursor, '[')) {
		out->code = take_until(cursor, "]");
		take_char(cursor, ']');
		take_char(cursor, ' ');
	}
	out->text = cursor->text;
}

static bool take_numbered(struct cursor *cursor, uint32_t number, struct imap_response *out)
{
	const struct view word = take_word(cursor);
	out->number = number;
	if (view_is_nocase(word, "EXISTS"))
		out->kind = IMAP_EXISTS;
	else if (view_is_nocase(word, "EXPUNGE"))
		out->kind = IMAP_EXPUNGE;
	else if (view_is_nocase(word, "FETCH"))
		out->kind = IMAP_FETCH;
	if (out->kind != IMAP_EXISTS && out->kind != IMAP_OTHER && number == 0)
		return false;
	return out->kind != IMAP_FETCH || take_fetch(cursor, &out->fetch);
}

static bool take_untagged(struct cursor *cursor, struct imap_response *out)
{
	const struct view word = take_word(cursor);
	int64_t number;
	if (text_number(word, 0, UINT32_MAX, &number))
		return take_numbered(cursor, (uint32_t)number, out);
	if (find_status(word, false, &out->kind)) {
		take_status(cursor, out);
	} else if (view_is_nocase(word, "CAPABILITY")) {
		out->kind = IMAP_CAPABILITY;
		out->text = cursor->text;
	}
	return word.len > 0;
}

bool imap_take_response(struct view text, struct view literals, struct imap_response *out)
{
	struct cursor cursor = {.text = text, .literals = literals};
	*out = (struct imap_response){.kind = IMAP_OTHER};
	if (take_char(&cursor, '+')) {
		out->kind = IMAP_CONTINUE;
		return true;
	}
	if (take_char(&cursor, '*'))
		return take_char(&cursor, ' ') && take_untagged(&cursor, out);
	out->tag = take_word(&cursor);
	if (out->tag.len == 0 || !find_status(take_word(&cursor), true, &out->kind))
		return false;
	take_status(&cursor, out);
	return true;
}

bool imap_literal_follows(struct view line, uint64_t *len)
{
	struct cursor cursor = {.text = line};
	enum imap_kind kind;
	int64_t number = 0;
	const struct view first = take_word(&cursor);
	if (!view_is(first, "*") || find_status(take_word(&cursor), false, &kind))
		return false;
	if (line.len == 0 || line.data[line.len - 1] != '}')
		return false;
	size_t open = line.len - 1;
	while (open > 0 && line.data[open - 1] != '{')
		open--;
	if (open == 0 ||
	    !text_number(view_part(line, open, line.len - 1 - open), 0, INT64_MAX, &number))
		return false;
	*len = (uint64_t)number;
	return true;
}

bool imap_code_number(struct view code, const char *name, uint32_t *number)
{
	struct cursor cursor = {.text = code};
	int64_t value;
	if (!view_is_nocase(take_word(&cursor), name) ||
	    !text_number(view_trim(cursor.text), 1, UINT32_MAX, &value))
		return false;
	*number = (uint32_t)value;
	return true;
}

bool imap_has_word(struct view words, const char *name)
{
	struct view word;
	while (view_next_field(&words, ' ', &word)) {
		if (view_is_nocase(word, name))
			return true;
	}
	return false;
}
