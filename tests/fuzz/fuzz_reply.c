/* The text of a signed reply: tokens, status word, comment, the words that answer an agreement. The
 * input's first line is the subject. */
#include "config.h"

#include "rules/agreement.h"
#include "rules/reply.h"

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void check_tokens(const struct reply *reply)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	FUZZ_CHECK(reply->tokens.count <= TOKENS_MAX);
	for (size_t i = 0; i < reply->tokens.count; i++) {
		FUZZ_CHECK(strlen(reply->tokens.tokens[i]) == ADVISORY_TOKEN_SIZE - 1);
		FUZZ_CHECK(strspn(reply->tokens.tokens[i], digits) == ADVISORY_TOKEN_SIZE - 1);
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(strcmp(reply->tokens.tokens[i], reply->tokens.tokens[k]) != 0);
	}
}

/* A mark with nothing but blanks in front of it. */
static bool begins_as_quotation(struct view line)
{
	size_t len = 0;
	while (len < line.len && (line.data[len] == ' ' || line.data[len] == '\t'))
		len++;
	return len < line.len && line.data[len] == '>';
}

/* Every line of it is one of the sender's own, none that begins as a quotation does. */
static void check_comment(const struct reply *reply, struct view text)
{
	struct view rest = buf_view(&reply->comment);
	struct view line;
	bool first = true;
	FUZZ_CHECK(rest.len <= REPLY_COMMENT_MAX && rest.len <= text.len);
	FUZZ_CHECK(text_is_utf8(rest) || !text_is_utf8(text));
	while (view_next_line(&rest, &line)) {
		FUZZ_CHECK(view_find(text, line) != SIZE_MAX);
		/* Behind a status word on its line a mark may stand for itself. */
		FUZZ_CHECK(first || !begins_as_quotation(line));
		first = false;
	}
}

static void check(
    void (*read)(struct view, struct view, struct reply *), struct view text, struct view subject)
{
	static const char *const words[] = {
	    "received", "affected", "not affected", "acting", "unreadable", NULL};
	struct reply reply;
	read(text, subject, &reply);
	check_tokens(&reply);
	FUZZ_CHECK(fuzz_is_one_of(reply.status, words));
	check_comment(&reply, text);
	FUZZ_CHECK(agreement_read(&reply) <= AGREEMENT_LEAVE);
	buf_release(&reply.comment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = fuzz_view(data, size);
	struct view subject = {"", 0};
	view_next_line(&text, &subject);
	check(reply_read, text, subject);
	check(reply_read_cleartext, text, subject);
	return 0;
}
