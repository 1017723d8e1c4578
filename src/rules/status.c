#include "config.h"

#include <string.h>

#include "base/text.h"
#include "rules/status.h"

enum { GREETING_MAX = 72, CLAUSE_WORDS_MAX = 64 };

const char status_unless_said[] = "received";

static const char wide_colon[] = "\xef\xbc\x9a"; /* U+FF1A */

static const char *const words[] = {
    status_unless_said, "affected", "not affected", "acting", "unreadable", NULL};

static const char *const marks[] = {".", ",", ";", ":", "!", "-", "\xe2\x80\x93", "\xe2\x80\x94",
    "\xe3\x80\x82", "\xef\xbc\x8c", "\xef\xbc\x81", "\xef\xbc\x9a", NULL};

/* What mail programs put around bold, slanted and underlined words, and quotes of all kinds. */
static const char *const dressings[] = {"*", "_", "/", "\"", "'", "`", "\xe2\x80\x98",
    "\xe2\x80\x99", "\xe2\x80\x9a", "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e", "\xc2\xab",
    "\xc2\xbb", "\xe2\x80\xb9", "\xe2\x80\xba", "\xe3\x80\x8c", "\xe3\x80\x8d", "\xef\xbc\x82",
    NULL};

/* Words that turn an answer round, in the languages of those who answer. */
static const char *const denials[] = {"no", "not", "none", "never", "nobody", "nothing", "neither",
    "nor", "nil", "false", "wrong", "n/a", "na", "without", "unaffected", "isn't", "aren't",
    "don't", "wasn't", "weren't", "cannot", "can't", "nein", "nicht", "kein", "keine", "keiner",
    "keines", "non", "pas", "aucun", "aucune", "nao", "n\xc3\xa3o", "nem", "ninguno", "ninguna",
    "nunca", "niet", "geen", "nej", "inte", "ikke", "ei", "nie", "hardly",
    "\xd0\xbd\xd0\xb5\xd1\x82", "\xd0\xbd\xd0\xb5", "\xe5\x90\xa6", "\xe4\xb8\x8d", NULL};

/* Words that do so where they come first; elsewhere they are part of an address, or of a list. */
static const char *const first_denials[] = {"0", "zero", "n", "nope", "nah", "negative", NULL};

/* Words that leave an answer open. */
static const char *const openings[] = {"unknown", "unclear", "unsure", "maybe", "perhaps",
    "possibly", "probably", "potentially", "presumably", "unlikely", "whether", "if", "unless",
    "tbd", "tbc", "tba", "pending", "checking", "investigating", "investigation", "undetermined",
    "undecided", "unconfirmed", NULL};

static const char *const greetings[] = {"hello", "hi", "hey", "dear", "good morning",
    "good afternoon", "good evening", "good day", "greetings", "to whom it may concern", "hallo",
    "guten tag", "guten morgen", "guten abend", "sehr geehrte", "sehr geehrter", "liebe", "lieber",
    "moin", "servus", "gr\xc3\xbc\xc3\x9f gott", "bonjour", "bonsoir", "cher", "ch\xc3\xa8re",
    "madame", "monsieur", "mesdames",
    "buenos d\xc3\xad"
    "as",
    "buenas tardes", "buenas noches", "hola", "estimado", "estimada", "estimados", "ol\xc3\xa1",
    "bom dia", "boa tarde", "boa noite", "prezado", "prezada", "prezados", "caro", "cara", "ciao",
    "buongiorno", "buonasera", "gentile", "salut", "goedemorgen", "goedemiddag", "beste", "geachte",
    "hej", "god dag", "hei", "tere", "dzie\xc5\x84 dobry", "\xe6\x82\xa8\xe5\xa5\xbd",
    "\xe4\xbd\xa0\xe5\xa5\xbd", NULL};

/* Bytes of one of these at the front; 0 when there is none. */
static size_t one_of(struct view text, const char *const *which)
{
	for (; *which != NULL; which++)
		if (view_starts_nocase(text, *which))
			return strlen(*which);
	return 0;
}

static struct view skip(struct view text, size_t len)
{
	return view_part(text, len, text.len);
}

static size_t space(struct view text)
{
	const size_t blank = text_blank(text);
	return blank > 0 ? blank : text_invisible(text);
}

static struct view skip_space(struct view text)
{
	for (size_t len; (len = space(text)) > 0;)
		text = skip(text, len);
	return text;
}

/* "*", and the quotes that have a blank inside: French ones. A mark before a blank begins a list.
 */
static struct view undress_front(struct view text)
{
	struct view bare = text;
	size_t last = 0;
	for (size_t len; (len = one_of(bare, dressings)) > 0; last = len)
		bare = skip(bare, len);
	return last == 1 && text_blank(bare) > 0 ? text : skip_space(bare);
}

/* Those that close, right behind a word. */
static struct view undress_behind(struct view text)
{
	const struct view next = skip_space(text);
	if (view_starts_nocase(next, "\xc2\xbb") || view_starts_nocase(next, "\xe2\x80\xba"))
		text = next;
	for (size_t len; (len = one_of(text, dressings)) > 0;)
		text = skip(text, len);
	return text;
}

static bool is_word_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

/* Bytes of the phrase at the front, whatever blanks stand between its words and whatever cannot be
 * seen within them; 0 when the line begins otherwise. */
static size_t phrase(struct view line, const char *wanted)
{
	struct view rest = line;
	for (; *wanted != '\0'; wanted++) {
		for (size_t len; (len = text_invisible(rest)) > 0;)
			rest = skip(rest, len);
		const char letter[] = {*wanted, '\0'};
		if (*wanted == ' ') {
			rest = undress_behind(rest);
			const struct view behind = skip_space(rest);
			if (behind.len == rest.len)
				return 0;
			rest = undress_front(behind);
		} else if (view_starts_nocase(rest, letter)) {
			rest = skip(rest, 1);
		} else {
			return 0;
		}
	}
	return line.len - rest.len;
}

/* Bytes of white space and one punctuation mark at the front, and which mark; 0 when there is none.
 * A hyphen glued between two words is none. */
static size_t punctuation(struct view text, char *mark)
{
	const struct view at = skip_space(text);
	const size_t len = one_of(at, marks);
	if (len == 0 || (at.data[0] == '-' && at.len > 1 && is_word_char(at.data[1])))
		return 0;
	*mark = (unsigned char)at.data[0] >= 0x80 ? '-' : at.data[0];
	return text.len - at.len + len;
}

/* Cuts the next word off, with the marks before and behind it dropped. */
static bool next_word(struct view *rest, struct view *word)
{
	size_t from = 0;
	while (from < rest->len && !is_word_char(rest->data[from]) && rest->data[from] != '?')
		from++;
	size_t to = from;
	while (
	    to < rest->len && (is_word_char(rest->data[to]) || rest->data[to] == '\'' ||
				  rest->data[to] == '/' || (to == from && rest->data[to] == '?')))
		to++;
	*word = view_part(*rest, from, to - from);
	*rest = skip(*rest, to);
	while (word->len > 1 && strchr("'/", word->data[word->len - 1]) != NULL)
		word->len--;
	return word->len > 0;
}

static bool is_one_of(struct view word, const char *const *which)
{
	for (; *which != NULL; which++)
		if (view_is_nocase(word, *which))
			return true;
	return false;
}

static bool is_denial(struct view word, bool first)
{
	return is_one_of(word, denials) || (first && is_one_of(word, first_denials)) ||
	       (word.len > 3 && view_is_nocase(skip(word, word.len - 2), "'t"));
}

/* A word behind "not affected", which says no more often than not: "no such product here". It turns
 * the answer round where nothing follows that it could belong to. */
static bool takes_back_a_denial(struct view word, struct view behind, bool first)
{
	char mark;
	return view_is_nocase(word, "affected") ||
	       (first && is_denial(word, first) &&
		   (text_trim(behind).len == 0 || punctuation(behind, &mark) > 0));
}

/* A colon or a dash announces an answer, "affected: no", and any word of doubt behind it counts; a
 * comma goes on, and only the first word can turn it; after a full stop comes another sentence. */
static bool is_doubtful(bool denies, char mark, struct view tail, struct view next)
{
	struct view word;
	struct view former = {"", 0};
	const bool announced = mark == ':' || mark == '-';
	tail = text_trim(tail);
	if (tail.len > 0 && tail.data[0] == '?')
		return true;
	if (mark == '.' || mark == '!' || mark == '\0')
		return false;
	if (tail.len == 0 && announced)
		tail = next;
	for (int i = 0; i < CLAUSE_WORDS_MAX && next_word(&tail, &word); i++) {
		if (view_is(word, "?") || is_one_of(word, openings) ||
		    (view_is_nocase(former, "to") && view_is_nocase(word, "be")) ||
		    (denies ? takes_back_a_denial(word, tail, i == 0) : is_denial(word, i == 0)))
			return true;
		if (!announced && !denies)
			return false;
		former = word;
	}
	return false;
}

/* "Status: acting" says "acting". */
static struct view without_name(struct view line)
{
	line = undress_front(text_trim(line));
	const size_t len = phrase(line, "status");
	const struct view behind = skip_space(undress_behind(skip(line, len)));
	if (len == 0 ||
	    (!view_starts_nocase(behind, ":") && !view_starts_nocase(behind, wide_colon)))
		return line;
	return undress_front(skip_space(
	    undress_behind(skip(behind, behind.data[0] == ':' ? 1 : strlen(wide_colon)))));
}

enum status_found status_take(
    struct view line, struct view next, const char **word, struct view *rest)
{
	line = without_name(line);
	for (size_t i = 0; words[i] != NULL; i++) {
		const size_t len = phrase(line, words[i]);
		if (len == 0)
			continue;
		struct view tail = undress_behind(skip(line, len));
		char mark = '\0';
		char last = '\0';
		size_t took = punctuation(tail, &mark);
		if (skip_space(tail).len > 0 && took == 0)
			continue;
		for (; took > 0; took = punctuation(tail, &last)) {
			tail = undress_behind(skip(tail, took));
			if (last == ':')
				mark = ':';
			else if (last == '.' && mark == '.') /* the sentence goes on */
				mark = '-';
		}
		/* "received" says the same whatever follows. */
		if (words[i] != status_unless_said &&
		    is_doubtful(strcmp(words[i], "not affected") == 0, mark, tail, next))
			return STATUS_DOUBTFUL;
		*word = words[i];
		*rest = text_trim(tail);
		return STATUS_TAKEN;
	}
	return STATUS_NONE;
}

static size_t ends_with(struct view text, const char *const *which)
{
	for (; *which != NULL; which++) {
		const size_t len = strlen(*which);
		if (len <= text.len && view_is(skip(text, text.len - len), *which))
			return len;
	}
	return 0;
}

struct view status_bare(struct view line)
{
	static const char *const ends[] = {".", "!", NULL};
	size_t len;
	line = undress_front(text_trim(line));
	while ((len = ends_with(line, dressings)) > 0 || (len = ends_with(line, ends)) > 0)
		line = text_trim(view_part(line, 0, line.len - len));
	return line;
}

bool status_is_greeting(struct view line)
{
	line = text_trim(line);
	if (line.len == 0 || line.len > GREETING_MAX)
		return false;
	for (const char *const *greeting = greetings; *greeting != NULL; greeting++) {
		if (!view_starts_nocase(line, *greeting))
			continue;
		const struct view behind = skip(line, strlen(*greeting));
		if (behind.len > 0 && is_word_char(behind.data[0]) && space(behind) == 0)
			continue;
		/* One that goes on to say something is no mere greeting. */
		const char last = line.data[line.len - 1];
		return last == ',' || last == '!' || behind.len == 0 ||
		       (view_find(behind, VIEW(".")) == SIZE_MAX &&
			   view_find(behind, VIEW(",")) == SIZE_MAX &&
			   view_find(behind, VIEW("affected")) == SIZE_MAX);
	}
	return false;
}
