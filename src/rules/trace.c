#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "rules/trace.h"

enum kind { KIND_WORD, KIND_APOSTROPHE, KIND_RULE, KINDS };
enum {
	WORD_SYMBOLS = 4,
	APOSTROPHE_SYMBOLS = 2,
	RULE_SYMBOLS = 16,
	RULE_LEAST = 44, /* hyphens of the shortest rule of a copy; one of our frame has 60 */
	RULE_FRAME = 60,
	RULE_FORMER = 2 * RULE_SYMBOLS, /* once a copy's had 60 to 75, 16 more: they are read too */
	INDENT_LEAST = 4, /* blanks from which on a line is no prose */
	HASH_BYTES = 8,
	AGREE_LEAST_PERCENT = 70, /* half of one copy and half of another come to 63 */
};

/* Evidence of a place that agrees or not, in thousandths of a bit: log2 of 0.9 and 0.1 against the
 * chances of a guess. One place in ten may have been changed on the way. */
static const struct {
	unsigned symbols;
	int agrees;
	int differs;
} kinds[KINDS] = {
    [KIND_WORD] = {WORD_SYMBOLS, 1848, -2907},
    [KIND_APOSTROPHE] = {APOSTROPHE_SYMBOLS, 848, -2322},
    [KIND_RULE] = {RULE_SYMBOLS, 3848, -3229},
};

/* U+200B, U+200C, U+200D, U+2060. */
static const char *const invisible[WORD_SYMBOLS] = {
    "\xE2\x80\x8B", "\xE2\x80\x8C", "\xE2\x80\x8D", "\xE2\x81\xA0"};
static const char curly[] = "\xE2\x80\x99";
static const char *const apostrophes[APOSTROPHE_SYMBOLS] = {"'", curly};

struct token {
	size_t from;
	size_t len;
	uint64_t hash; /* of its letters and digits */
	size_t hyphens; /* it is a rule of so many */
	unsigned invisibles; /* how many, and the last of them */
	unsigned symbol;
	bool opens; /* the first of its paragraph */
	bool prose; /* letters, perhaps one stop behind them, in a line that is not indented */
};

struct tokens {
	struct token *list;
	size_t count;
	size_t room;
};

static bool starts(struct view text, size_t at, const char *what)
{
	const size_t len = strlen(what);
	return at + len <= text.len && memcmp(text.data + at, what, len) == 0;
}

/* Length of the white space at `at`, 0: none. Unicode's blanks count, as a paste may turn one into
 * the other. */
static size_t blank_at(struct view text, size_t at)
{
	static const char *const blanks[] = {" ", "\t", "\r", "\n", "\xC2\xA0", "\xE2\x80\xAF",
	    "\xE3\x80\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
	    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88",
	    "\xE2\x80\x89", "\xE2\x80\x8A"};
	for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
		if (starts(text, at, blanks[i]))
			return strlen(blanks[i]);
	}
	return 0;
}

static size_t symbol_at(
    struct view text, size_t at, const char *const *symbols, size_t count, unsigned *symbol)
{
	for (unsigned i = 0; i < count; i++) {
		if (starts(text, at, symbols[i])) {
			*symbol = i;
			return strlen(symbols[i]);
		}
	}
	return 0;
}

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The first byte of a letter of two bytes: Latin, Greek, Cyrillic and their neighbours. */
static bool leads_letter(unsigned char c)
{
	return c >= 0xC3 && c <= 0xDF;
}

static bool continues(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* General punctuation (U+2000 to U+206F), which people and programs exchange freely. */
static bool is_punctuation(struct view text, size_t at)
{
	return at + 2 < text.len && (unsigned char)text.data[at] == 0xE2 &&
	       ((unsigned char)text.data[at + 1] == 0x80 ||
		   (unsigned char)text.data[at + 1] == 0x81);
}

static uint64_t mix(uint64_t hash, unsigned char byte)
{
	return (hash ^ byte) * UINT64_C(0x100000001B3); /* FNV-1a */
}

static const uint64_t hash_start = UINT64_C(0xCBF29CE484222325);

/* Its letters and digits without regard to case and punctuation. */
static void look_at_bytes(struct view text, struct token *token)
{
	const struct view whole = view_part(text, token->from, token->len);
	size_t len;
	token->hash = hash_start;
	for (size_t at = 0; at < whole.len; at += len) {
		const unsigned char c = (unsigned char)whole.data[at];
		len = symbol_at(whole, at, invisible, WORD_SYMBOLS, &token->symbol);
		if (len > 0) {
			token->invisibles++;
			continue;
		}
		len = is_punctuation(whole, at) ? 3 : 1;
		if (len == 3 || (c < 0x80 && !is_letter(c) && !(c >= '0' && c <= '9')))
			continue;
		token->hash = mix(token->hash, c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c);
	}
}

static bool is_prose(struct view word)
{
	size_t at = 0;
	while (at < word.len) {
		const unsigned char c = (unsigned char)word.data[at];
		size_t len = is_letter(c) || (c == '\'' && at > 0) ? 1 : 0;
		if (leads_letter(c) && at + 1 < word.len &&
		    continues((unsigned char)word.data[at + 1]))
			len = 2;
		if (starts(word, at, curly) && at > 0)
			len = strlen(curly);
		if (len == 0)
			break;
		at += len;
	}
	return at > 0 &&
	       (at == word.len || (at + 1 == word.len && strchr(",.;:!?)", word.data[at]) != NULL));
}

static bool is_word(const struct token *token)
{
	return token->hash != hash_start;
}

static void add_token(struct tokens *tokens, struct view text, struct token token, bool indented)
{
	const struct view word = view_part(text, token.from, token.len);
	look_at_bytes(text, &token);
	while (token.hyphens < word.len && word.data[token.hyphens] == '-')
		token.hyphens++;
	if (token.hyphens < word.len || token.hyphens < RULE_LEAST)
		token.hyphens = 0;
	token.prose = !indented && token.invisibles == 0 && is_prose(word);
	if (!is_word(&token) && token.hyphens == 0)
		return; /* a quotation's ">", a bullet */
	if (tokens->count == tokens->room) {
		tokens->room = tokens->room * 2 + 256;
		tokens->list = reallocarray(tokens->list, tokens->room, sizeof *tokens->list);
		if (tokens->list == NULL)
			abort();
	}
	tokens->list[tokens->count++] = token;
}

static void split(struct view text, struct tokens *out)
{
	size_t at = 0;
	size_t lines = 2; /* line ends since the last token */
	size_t indent = 0;
	bool indented = false;
	*out = (struct tokens){0};
	while (at < text.len) {
		const size_t blank = blank_at(text, at);
		if (blank > 0) {
			const char c = text.data[at];
			lines += c == '\n';
			indent = c == '\n' ? 0 : c == '\t' ? INDENT_LEAST : indent + 1;
			at += blank;
			continue;
		}
		struct token token = {.from = at, .opens = lines > 1};
		while (at < text.len && blank_at(text, at) == 0)
			at++;
		token.len = at - token.from;
		if (lines > 0) /* the first of its line */
			indented = indent >= INDENT_LEAST;
		add_token(out, text, token, indented);
		lines = 0;
	}
}

static uint64_t anchor_of(uint64_t first, uint64_t second)
{
	uint64_t anchor = first;
	for (unsigned i = 0; i < HASH_BYTES; i++)
		anchor = mix(anchor, (unsigned char)(second >> (8 * i)));
	return anchor;
}

static unsigned symbol_of(
    const unsigned char mark[static TRACE_MARK_SIZE], enum kind kind, uint64_t anchor)
{
	const struct view key = {(const char *)mark, TRACE_MARK_SIZE};
	unsigned char mac[DIGEST_SIZE];
	char place[HASH_BYTES + 1];
	place[HASH_BYTES] = (char)kind;
	for (unsigned i = 0; i < HASH_BYTES; i++)
		place[i] = (char)(anchor >> (8 * i));
	digest_hmac(key, (struct view){place, sizeof place}, mac);
	return mac[0] % kinds[kind].symbols;
}

/* The place behind a word: before another, in the same paragraph. */
static bool word_place(const struct tokens *tokens, size_t i, uint64_t *anchor)
{
	if (i + 1 >= tokens->count || tokens->list[i].hyphens > 0 ||
	    tokens->list[i + 1].hyphens > 0)
		return false;
	*anchor = anchor_of(tokens->list[i].hash, tokens->list[i + 1].hash);
	return true;
}

static bool may_be_marked(const struct tokens *tokens, size_t i)
{
	return tokens->list[i].prose && i + 1 < tokens->count && tokens->list[i + 1].prose &&
	       !tokens->list[i + 1].opens;
}

static uint64_t rule_anchor(const struct tokens *tokens, size_t i)
{
	return anchor_of(i == 0 ? 0 : tokens->list[i - 1].hash,
	    i + 1 == tokens->count ? 0 : tokens->list[i + 1].hash);
}

/* The only apostrophe within a word, SIZE_MAX: none. */
static size_t apostrophe_in(struct view word, unsigned *symbol, size_t *len)
{
	for (size_t at = 1; at + 1 < word.len; at++) {
		*len = symbol_at(word, at, apostrophes, APOSTROPHE_SYMBOLS, symbol);
		if (*len > 0) {
			const size_t next = at + *len;
			const unsigned char c =
			    next < word.len ? (unsigned char)word.data[next] : 0;
			return is_letter(c) || leads_letter(c) ? at : SIZE_MAX;
		}
	}
	return SIZE_MAX;
}

static size_t add_marked(struct buf *out, struct view text, const struct token *token,
    const unsigned char mark[static TRACE_MARK_SIZE])
{
	const struct view word = view_part(text, token->from, token->len);
	unsigned symbol;
	size_t len;
	const size_t at = token->prose ? apostrophe_in(word, &symbol, &len) : SIZE_MAX;
	if (at == SIZE_MAX) {
		buf_add_view(out, word);
		return 0;
	}
	buf_add_view(out, view_part(word, 0, at));
	buf_add_text(out, apostrophes[symbol_of(mark, KIND_APOSTROPHE, token->hash)]);
	buf_add_view(out, view_part(word, at + len, word.len));
	return 1;
}

size_t trace_mark_text(
    struct buf *out, struct view text, const unsigned char mark[static TRACE_MARK_SIZE])
{
	struct tokens tokens;
	uint64_t anchor;
	size_t marks = 0;
	size_t done = 0;
	split(text, &tokens);
	for (size_t i = 0; i < tokens.count; i++) {
		const struct token *token = &tokens.list[i];
		buf_add_view(out, view_part(text, done, token->from - done));
		marks += add_marked(out, text, token, mark);
		done = token->from + token->len;
		if (may_be_marked(&tokens, i) && word_place(&tokens, i, &anchor)) {
			buf_add_text(out, invisible[symbol_of(mark, KIND_WORD, anchor)]);
			marks++;
		}
	}
	buf_add_view(out, view_part(text, done, text.len));
	free(tokens.list);
	return marks;
}

void trace_mark_rules(
    struct buf *out, struct view letter, const unsigned char mark[static TRACE_MARK_SIZE])
{
	struct tokens tokens;
	size_t done = 0;
	split(letter, &tokens);
	for (size_t i = 0; i < tokens.count; i++) {
		const struct token *token = &tokens.list[i];
		if (token->hyphens != RULE_FRAME)
			continue;
		buf_add_view(out, view_part(letter, done, token->from - done));
		const unsigned symbol = symbol_of(mark, KIND_RULE, rule_anchor(&tokens, i));
		for (unsigned k = 0; k < RULE_LEAST + symbol; k++)
			buf_add_char(out, '-');
		done = token->from + token->len;
	}
	buf_add_view(out, view_part(letter, done, letter.len));
	free(tokens.list);
}

static int compare_sites(const void *a, const void *b)
{
	const struct trace_site *x = a;
	const struct trace_site *y = b;
	if (x->anchor != y->anchor)
		return x->anchor < y->anchor ? -1 : 1;
	return x->kind < y->kind ? -1 : x->kind > y->kind;
}

static void add_site(struct trace_sites *out, uint64_t anchor, enum kind kind, unsigned symbol)
{
	out->sites[out->count++] =
	    (struct trace_site){.anchor = anchor, .kind = kind, .symbol = symbol};
}

/* A pair of words that comes again says nothing new. */
static void drop_repeated(struct trace_sites *sites)
{
	size_t kept = 0;
	if (sites->count > 0)
		qsort(sites->sites, sites->count, sizeof *sites->sites, compare_sites);
	for (size_t i = 0; i < sites->count; i++) {
		if (kept == 0 || compare_sites(&sites->sites[kept - 1], &sites->sites[i]) != 0)
			sites->sites[kept++] = sites->sites[i];
	}
	sites->count = kept;
}

void trace_read(struct view text, struct trace_sites *out)
{
	struct tokens tokens;
	uint64_t anchor;
	unsigned symbol;
	size_t len;
	split(text, &tokens);
	*out = (struct trace_sites){calloc(tokens.count * 2 + 1, sizeof *out->sites), 0};
	if (out->sites == NULL)
		abort();
	for (size_t i = 0; i < tokens.count; i++) {
		const struct token *token = &tokens.list[i];
		const struct view word = view_part(text, token->from, token->len);
		if (token->hyphens > 0 && token->hyphens < RULE_LEAST + RULE_FORMER)
			add_site(out, rule_anchor(&tokens, i), KIND_RULE,
			    (unsigned)(token->hyphens - RULE_LEAST) % RULE_SYMBOLS);
		if (token->invisibles == 1 && word_place(&tokens, i, &anchor))
			add_site(out, anchor, KIND_WORD, token->symbol);
		if (apostrophe_in(word, &symbol, &len) != SIZE_MAX)
			add_site(out, token->hash, KIND_APOSTROPHE, symbol);
	}
	free(tokens.list);
	drop_repeated(out);
}

void trace_release(struct trace_sites *sites)
{
	free(sites->sites);
	*sites = (struct trace_sites){0};
}

struct trace_score trace_score(
    const struct trace_sites *sites, const unsigned char mark[static TRACE_MARK_SIZE])
{
	struct trace_score score = {.sites = sites->count};
	for (size_t i = 0; i < sites->count; i++) {
		const struct trace_site *site = &sites->sites[i];
		const bool agrees =
		    symbol_of(mark, (enum kind)site->kind, site->anchor) == site->symbol;
		score.matches += agrees;
		score.evidence += agrees ? kinds[site->kind].agrees : kinds[site->kind].differs;
	}
	return score;
}

/* 2 to the minus `millibits`, rounded up. */
static double weight(int64_t millibits)
{
	enum { NONE_LEFT = 64 };
	double result = 1.0;
	if (millibits >= NONE_LEFT * 1000)
		return 0.0;
	for (int64_t i = millibits / 1000; i > 0; i--)
		result /= 2;
	return result;
}

void trace_decide(const struct trace_score *scores, size_t count, size_t *best, unsigned *permille)
{
	*best = 0;
	*permille = 0;
	for (size_t i = 1; i < count; i++) {
		if (scores[i].evidence > scores[*best].evidence)
			*best = i;
	}
	if (count == 0 || scores[*best].evidence <= 0 ||
	    scores[*best].matches * 100 < scores[*best].sites * AGREE_LEAST_PERCENT)
		return;
	/* It is as likely beforehand that it is none of them as that it is one. */
	double all = 1.0 + (double)count * weight(scores[*best].evidence);
	for (size_t i = 0; i < count; i++) {
		if (i != *best)
			all += weight(scores[*best].evidence - scores[i].evidence);
	}
	*permille = (unsigned)(1000.0 / all);
	/* Nobody is ever quite sure. */
	if (*permille > 999)
		*permille = 999;
}
