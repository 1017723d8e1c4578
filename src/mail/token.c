#include "config.h"

#include <string.h>

#include "mail/token.h"

enum { TOKEN_LEN = TOKEN_SIZE - 1, LINES_MAX = 3 };

static bool is_token_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
}

static bool is_word_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool token_is_in(const struct token_list *list, const char *token)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (strcmp(list->tokens[i], token) == 0)
			return true;
	}
	return false;
}

static void add(struct token_list *list, const char *token)
{
	if (list->count < TOKENS_MAX && !token_is_in(list, token))
		memcpy(list->tokens[list->count++], token, TOKEN_SIZE);
}

void token_find(struct view text, struct token_list *list)
{
	char token[TOKEN_SIZE];
	size_t from = 0;
	while (from < text.len) {
		size_t len = 0;
		bool pure = true;
		for (; from + len < text.len && is_word_char(text.data[from + len]); len++)
			pure = pure && is_token_char(text.data[from + len]);
		if (pure && len == TOKEN_LEN && view_copy(view_part(text, from, len), token, sizeof token))
			add(list, token);
		from += len + 1;
	}
}

/* Bytes at the front that show nothing: U+00AD, U+200B to U+200D, U+2060, U+FEFF. */
static size_t unseen(struct view text)
{
	static const char *const all[] = {
	    "\xc2\xad", "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x81\xa0", "\xef\xbb\xbf"};
	if (text.len == 0 || ((unsigned char)text.data[0] & 0x80U) == 0)
		return 0;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (view_starts_nocase(text, all[i]))
			return strlen(all[i]);
	}
	return 0;
}

/* A word, or the pieces of one that are put together. */
struct run {
	char text[TOKEN_SIZE]; /* what of it fits */
	size_t len; /* of all of it */
	bool token; /* nothing but what a token may have, in capitals or not */
	bool capitals;
};

/* Adds the word at `from` to the run; returns where it ends. */
static size_t take_word(struct view text, size_t from, struct run *run)
{
	while (from < text.len) {
		const size_t skip = unseen(view_part(text, from, text.len));
		const char c = text.data[from];
		if (skip > 0) {
			from += skip;
			continue;
		}
		if (!is_word_char(c))
			break;
		const bool small = c >= 'a' && c <= 'z';
		const char capital = small ? (char)(c - 'a' + 'A') : c;
		run->token = run->token && is_token_char(capital);
		run->capitals = run->capitals && !small;
		if (run->len < TOKEN_LEN)
			run->text[run->len] = capital;
		run->len++;
		from++;
	}
	return from;
}

/* Where the text of the next line begins, behind the marks of a quotation; 0 when more than a mark
 * of a break stands in this one. */
static size_t next_line(struct view text, size_t from)
{
	while (from < text.len && strchr(" \t\r=-", text.data[from]) != NULL &&
	       text.data[from] != '\0')
		from++;
	if (from == text.len || text.data[from] != '\n')
		return 0;
	from++;
	while (from < text.len && strchr(" \t>|", text.data[from]) != NULL &&
	       text.data[from] != '\0')
		from++;
	return from;
}

/* A run that ends at `end`, and goes on in the lines below. */
static void take_broken(
    struct view text, size_t end, const struct run *first, struct token_list *list)
{
	struct run run = *first;
	for (int lines = 1; lines < LINES_MAX && run.token && run.capitals && run.len < TOKEN_LEN;
	     lines++) {
		const size_t before = run.len;
		const size_t from = next_line(text, end);
		if (from == 0)
			return;
		end = take_word(text, from, &run);
		if (run.len == before)
			return;
	}
	if (run.token && run.capitals && run.len == TOKEN_LEN)
		add(list, run.text);
}

void token_find_changed(struct view text, struct token_list *list)
{
	for (size_t from = 0; from < text.len;) {
		struct run run = {.token = true, .capitals = true};
		const size_t end = take_word(text, from, &run);
		if (run.len == 0) {
			from = end + 1;
			continue;
		}
		if (run.token && run.len == TOKEN_LEN)
			add(list, run.text);
		else if (run.token && run.capitals && run.len < TOKEN_LEN)
			take_broken(text, end, &run, list);
		from = end;
	}
}
