/* What has the form of a token of ours: 16 characters of base32 (RFC 4648), which only the gateway
 * gives out. The form proves nothing: whose it is, the store knows. */
#ifndef DEWLINE_MAIL_TOKEN_H
#define DEWLINE_MAIL_TOKEN_H

#include <stdint.h>

#include "base/buf.h"

enum { TOKEN_SIZE = 17, TOKENS_MAX = 32 };

/* Each once, in the order in which they were found; those that do not fit are passed over. */
struct token_list {
	uint32_t count;
	char tokens[TOKENS_MAX][TOKEN_SIZE];
};

/* Adds the words that are tokens as the gateway writes them: capitals and digits, nothing in
 * between. */
void token_find(struct view text, struct token_list *list);

/* Adds what mail programs and people make of one: small letters, characters that are not shown (a
 * soft hyphen, a space of no width), and broken over up to three lines, quoted or not, which must
 * be in capitals then. Takes time in proportion to the text's length. */
void token_find_changed(struct view text, struct token_list *list);

bool token_is_in(const struct token_list *list, const char *token);

#endif
