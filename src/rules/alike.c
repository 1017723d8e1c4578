#include "config.h"

#include <string.h>
#include <strings.h>

#include "rules/alike.h"

enum { CODES = 2 }; /* "550 5.1.1" */

static struct view domain_of(struct view address)
{
	struct view local;
	struct view rest = address;
	view_next_field(&rest, '@', &local);
	return rest;
}

static bool is_code(struct view word)
{
	for (size_t i = 0; i < word.len; i++) {
		if ((word.data[i] < '0' || word.data[i] > '9') && word.data[i] != '.')
			return false;
	}
	return word.len > 0;
}

static bool has_digit(struct view word)
{
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] >= '0' && word.data[i] <= '9')
			return true;
	}
	return false;
}

static bool is_punctuation(char c)
{
	return c != '\0' && strchr("<>()[]{}:;,.\"'`", c) != NULL;
}

static bool is_about(struct view word, struct view name)
{
	while (word.len > 0 && is_punctuation(word.data[0]))
		word = view_part(word, 1, word.len);
	while (word.len > 0 && is_punctuation(word.data[word.len - 1]))
		word.len--;
	return word.len == name.len && strncasecmp(word.data, name.data, name.len) == 0;
}

static bool holds(struct view word, struct view part)
{
	for (; part.len > 0 && word.len >= part.len; word = view_part(word, 1, word.len)) {
		if (strncasecmp(word.data, part.data, part.len) == 0)
			return true;
	}
	return false;
}

/* The next word that is the same for everybody; empty behind the last. *codes counts those that
 * were met. */
static struct view next_word(struct view *rest, struct view address, unsigned *codes)
{
	struct view word;
	struct view local;
	struct view domain = address;
	view_next_field(&domain, '@', &local);
	while (view_next_field(rest, ' ', &word)) {
		const bool code = is_code(word) && *codes < CODES;
		*codes += code;
		if (word.len > 0 && (code || !has_digit(word)) && !holds(word, VIEW("@")) &&
		    !is_about(word, local) && !holds(word, domain))
			return word;
	}
	return (struct view){"", 0};
}

static bool says_the_same(const struct refused_one *a, const struct refused_one *b)
{
	struct view left = a->said;
	struct view right = b->said;
	unsigned left_codes = 0;
	unsigned right_codes = 0;
	struct view word;
	do {
		word = next_word(&left, a->address, &left_codes);
		if (!view_equals(word, next_word(&right, b->address, &right_codes)))
			return false;
	} while (word.len > 0);
	return true;
}

bool alike_refused(const struct refused_one *a, const struct refused_one *b)
{
	const struct view a_domain = domain_of(a->address);
	const struct view b_domain = domain_of(b->address);
	const bool one_domain = a_domain.len == b_domain.len &&
				strncasecmp(a_domain.data, b_domain.data, a_domain.len) == 0;
	return !one_domain && says_the_same(a, b);
}
