#include "config.h"

#include <string.h>

#include "base/text.h"
#include "mail/compose.h"
#include "rules/quoting.h"
#include "store/advisories.h"

enum {
	TOKEN_LEN = ADVISORY_TOKEN_SIZE - 1,
	INTRODUCTION_LINES_MAX = 3,
	WRAP_LEAST = 60, /* characters: the shortest line length at which mail programs wrap */
	WRAP_MOST = 80, /* and the longest */
	MARK_MAX = 8,
	MARK_LINES_LEAST = 3, /* so many lines of a mail of ours at least */
	HEADER_LINES_MAX = 8, /* of an original, in which its Subject must come */
	HEADER_LINES_LEAST = 3,
	FIELD_NAME_MAX = 32, /* bytes */
	YEAR_DIGITS = 4,
	RULE_DASHES = 5
};

static const char token_field[] = "Token: ";

static bool is_token(struct view word)
{
	if (word.len != TOKEN_LEN)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		const char c = word.data[i];
		if (!(c >= 'A' && c <= 'Z') && !(c >= '2' && c <= '7'))
			return false;
	}
	return true;
}

/* The mark before "Token: ABCD...", when the line is such. A mark ends with a sign and not with a
 * letter, and is no dash or star, by which people make lists. */
static bool mark_of(struct view line, struct view *mark)
{
	static const char signs[] = ">|:}#%\xbb\xa6\xba"; /* the last bytes of », ¦ and › too */
	if (line.len < strlen(token_field) + TOKEN_LEN)
		return false;
	line = text_trim(line);
	const size_t at = view_find(line, view_of(token_field));
	if (at == SIZE_MAX || at == 0 ||
	    !is_token(text_trim(view_part(line, at + strlen(token_field), line.len))))
		return false;
	*mark = text_trim(view_part(line, 0, at));
	return mark->len > 0 && mark->len <= MARK_MAX && mark->data[0] != '>' &&
	       memchr(signs, mark->data[mark->len - 1], sizeof signs - 1) != NULL;
}

static bool has_mark(struct view line, struct view mark)
{
	line = text_trim(line);
	return line.len >= mark.len && view_equals(view_part(line, 0, mark.len), mark);
}

struct quoting quoting_find(struct view text)
{
	struct view rest = text;
	struct view line;
	struct view mark = {"", 0};
	size_t lines = 0;
	while (mark.len == 0 && view_next_line(&rest, &line))
		if (!mark_of(line, &mark))
			mark.len = 0;
	rest = text;
	while (mark.len > 0 && lines < MARK_LINES_LEAST && view_next_line(&rest, &line))
		lines += has_mark(line, mark);
	if (lines < MARK_LINES_LEAST)
		mark.len = 0;
	return (struct quoting){mark};
}

bool quoting_is(const struct quoting *quoting, struct view line)
{
	if (line.len == 0)
		return false;
	line = text_trim(line);
	return line.len > 0 &&
	       (line.data[0] == '>' || (quoting->mark.len > 0 && has_mark(line, quoting->mark)));
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
static bool quotation_follows(const struct quoting *quoting, struct view rest)
{
	struct view line;
	if (!view_next_line(&rest, &line))
		return false;
	if (text_trim(line).len == 0 && !view_next_line(&rest, &line))
		return false;
	return quoting_is(quoting, line);
}

static size_t columns(struct view line)
{
	size_t count = 0;
	for (size_t i = 0; i < line.len; i++)
		count += ((unsigned char)line.data[i] & 0xc0U) != 0x80U;
	return count;
}

bool quoting_is_wrapped(struct view line, struct view next)
{
	struct view word = {"", 0};
	line = text_trim(line);
	next = text_trim(next);
	view_next_field(&next, ' ', &word);
	return columns(line) <= WRAP_MOST && line.len + 1 + word.len > WRAP_LEAST;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool has_address(struct view line)
{
	return line.len > 0 && memchr(line.data, '@', line.len) != NULL;
}

/* Four digits by themselves. */
static bool has_year(struct view line)
{
	size_t run = 0;
	for (size_t i = 0; i <= line.len; i++) {
		if (i < line.len && is_digit(line.data[i]))
			run++;
		else if (run == YEAR_DIGITS)
			return true;
		else
			run = 0;
	}
	return false;
}

/* "23:09". */
static bool has_time(struct view line)
{
	for (size_t i = 1; i + 2 < line.len; i++)
		if (line.data[i] == ':' && is_digit(line.data[i - 1]) &&
		    is_digit(line.data[i + 1]) && is_digit(line.data[i + 2]))
			return true;
	return false;
}

/* The words with which mail programs begin an introduction in the languages that we know. */
static const char *const beginnings[] = {"on ", "am ", "le ", "el ", "en ", "em ", "il ", "op ",
    "den ", "d. ", "p\xc3\xa5 ", "w dniu ", "dnia ", "dne ",
    "d\xc5\x88"
    "a ",
    "v\xc3\xa0o ", "pada ", "\xd0\xb2 ", "\xd0\x92 ", "\xcf\x83\xcf\x84\xce\xb9\xcf\x82 ",
    "\xce\xa3\xcf\x84\xce\xb9\xcf\x82 ", "\xe5\x9c\xa8", "\xe4\xba\x8e", NULL};

/* The words with which they end it. */
static const char *const writings[] = {"wrote", "writes", "schrieb", "crit", "escribi", "escreveu",
    "scritto", "scrive", "schreef", "skrev", "kirjoitti", "napisa", "napsal", "\xc3\xadrta",
    "yazd\xc4\xb1", "scris", "\xd0\xbf\xd0\xb8\xd1\x81\xd0\xb0\xd0\xbb",
    "\xd0\xbf\xd0\xb8\xd1\x88\xd0\xb5\xd1\x82", "\xce\xad\xce\xb3\xcf\x81\xce\xb1\xcf\x88\xce\xb5",
    "\xe5\x86\x99\xe9\x81\x93", "\xe6\x9b\xb8", NULL};

/* "On Sun, 29 Nov 2026 23:09:21", or such a date by itself: nobody's own words begin so. */
static bool begins_introduction(struct view line)
{
	bool begins = line.len > 0 && is_digit(line.data[0]) && has_year(line);
	for (const char *const *word = beginnings; !begins && *word != NULL; word++)
		begins = view_starts_nocase(line, *word) &&
			 (has_year(line) || has_time(line) || has_address(line));
	return begins;
}

static bool says_who_wrote(struct view line)
{
	for (const char *const *word = writings; *word != NULL; word++)
		if (view_find(line, view_of(*word)) != SIZE_MAX)
			return true;
	return has_address(line);
}

/* The first of two short lines, as Claws Mail and Sylpheed write them: the date alone. */
static bool is_date_line(struct view line)
{
	return begins_introduction(line) && has_year(line) && has_time(line) &&
	       columns(line) <= WRAP_MOST && strchr(".!?", line.data[line.len - 1]) == NULL;
}

/* Whether lines from `first` to `last`, wrapped or of Claws Mail's form, are an introduction, and
 * the first of them is not the sender's own. */
static bool is_introduction(struct view first, struct view last, bool wrapped)
{
	if (begins_introduction(last))
		return false;
	if (begins_introduction(first))
		return wrapped || says_who_wrote(last);
	/* "Somebody <a@b> schrieb am 29. November 2026 um 10:00:" begins with anything. Whose name
	 * stands in the last line was introduced there, but for an address that belongs to a name
	 * before it. */
	return wrapped && (has_address(first) || has_year(first)) &&
	       (!has_address(last) || last.data[0] == '<');
}

size_t quoting_introduction(const struct quoting *quoting, struct view text)
{
	struct view line;
	struct view next;
	struct view first = {"", 0};
	bool wrapped = true;
	for (size_t n = 1; n <= INTRODUCTION_LINES_MAX && view_next_line(&text, &line); n++) {
		line = text_trim(line);
		if (line.len == 0 || quoting_is(quoting, line))
			return 0;
		if (n == 1)
			first = line;
		if (ends_with_colon(line))
			return (n == 1 || is_introduction(first, line, wrapped)) &&
				       quotation_follows(quoting, text)
				   ? n
				   : 0;
		struct view rest = text;
		view_next_line(&rest, &next);
		if (n > 1 && begins_introduction(line))
			return 0;
		if (quoting_is_wrapped(line, next))
			continue;
		if (n > 1 || !is_date_line(line))
			return 0;
		wrapped = false;
	}
	return 0;
}

/* "From: somebody", also "*From:* somebody": a name of one word or two, and a colon. */
static bool is_field(struct view line)
{
	size_t at = 0;
	unsigned blanks = 0;
	line = text_trim(line);
	while (at < line.len && at < FIELD_NAME_MAX && line.data[at] != ':' &&
	       !view_starts_nocase(view_part(line, at, line.len), "\xef\xbc\x9a"))
		blanks += line.data[at++] == ' ';
	return at > 0 && at < line.len && at < FIELD_NAME_MAX && blanks <= 2;
}

/* A field whose whole value this is, perhaps behind "Re:", perhaps in bold. */
static bool has_value(struct view line, const char *value)
{
	const size_t len = strlen(value);
	if (line.len <= len || !view_is(view_part(line, line.len - len, len), value))
		return false;
	line = text_trim(view_part(line, 0, line.len - len));
	if (line.len > 0 && line.data[line.len - 1] == '*')
		line.len--;
	return line.len > 0 && ends_with_colon(line);
}

/* A Subject of the gateway's: one that it shows outside, or with a token in brackets at its end. */
static bool is_subject(struct view line)
{
	line = text_trim(line);
	const size_t end = TOKEN_LEN + 2;
	const size_t hidden = strlen(compose_hidden);
	if (line.len > hidden &&
	    view_is(view_part(line, line.len - hidden, line.len), compose_hidden))
		return true;
	if (has_value(line, compose_reminder))
		return true;
	return line.len > end && line.data[line.len - end] == '[' &&
	       line.data[line.len - 1] == ']' &&
	       is_token(view_part(line, line.len - end + 1, TOKEN_LEN));
}

static bool is_original_header(struct view text)
{
	struct view line;
	bool subject = false;
	size_t lines = 0;
	while (lines < HEADER_LINES_MAX && view_next_line(&text, &line)) {
		/* A long Subject was wrapped: its rest is no field. */
		if (!is_field(line) && !(lines > 0 && is_subject(line)))
			break;
		subject = subject || is_subject(line);
		lines++;
	}
	return subject && lines >= HEADER_LINES_LEAST;
}

/* "-----Original Message-----" in any language: dashes on both sides of words. */
static bool is_rule_with_words(struct view line)
{
	size_t before = 0;
	size_t behind = 0;
	line = text_trim(line);
	while (before < line.len && line.data[before] == '-')
		before++;
	while (behind < line.len - before && line.data[line.len - 1 - behind] == '-')
		behind++;
	return before >= RULE_DASHES && behind >= RULE_DASHES && before + behind < line.len;
}

bool quoting_is_original(struct view text)
{
	struct view rest = text;
	struct view line;
	if (text.len == 0 || text.data[0] == '\n' || !view_next_line(&rest, &line))
		return false;
	if (!is_rule_with_words(line))
		return is_original_header(text);
	while (view_next_line(&rest, &line))
		if (text_trim(line).len > 0)
			return is_field(line);
	return false;
}
