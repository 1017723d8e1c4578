/* A CSAF document: JSON that a publisher's tool wrote, or somebody else's. */
#include "config.h"

#include <jansson.h>

#include "mail/charset.h"
#include "mail/csaf.h"
#include "mail/paragraph.h"
#include "rules/tlp.h"

#include "fuzz.h"

/* Rendered text is cut at 64 kB, and then goes on with names only. */
enum { TEXT_MOST = 1024 * 1024 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	json_object_seed(1);
	return 0;
}

static size_t characters(struct view line)
{
	size_t count = 0;
	for (size_t i = 0; i < line.len; i++)
		count += ((unsigned char)line.data[i] & 0xc0U) != 0x80U;
	return count;
}

/* Wrapped at 76 characters; only a single word may be longer. */
static bool is_wrapped(struct view text)
{
	struct view line;
	while (view_next_line(&text, &line))
		if (characters(line) > PARAGRAPH_WIDTH &&
		    characters(view_trim(line)) + PARAGRAPH_WIDTH / 2 < characters(line))
			return false;
	return true;
}

static bool holds_nothing_deceiving(struct view text)
{
	while (text.len > 0) {
		const size_t len = charset_character(text);
		if (len == 0 || (text.data[0] != '\n' && charset_is_deceiving(text.data, len)))
			return false;
		text = view_part(text, len, text.len);
	}
	return true;
}

static void check_good(const struct csaf_facts *facts, struct view text)
{
	enum tlp tlp;
	FUZZ_CHECK(facts->id[0] != '\0' && fuzz_is_line(facts->id));
	FUZZ_CHECK(facts->version[0] != '\0' && fuzz_is_line(facts->version));
	FUZZ_CHECK(facts->title[0] != '\0' && fuzz_is_line(facts->title));
	FUZZ_CHECK(fuzz_is_line(facts->severity));
	FUZZ_CHECK(facts->tlp[0] == '\0' || tlp_from(view_of(facts->tlp), &tlp));
	FUZZ_CHECK(fuzz_is_text(text, "\n") && text.len > 0 && text.len < TEXT_MOST);
	FUZZ_CHECK(holds_nothing_deceiving(text));
	FUZZ_CHECK(is_wrapped(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mail_part part = {.type = "application/csaf+json", .attachment = true};
	struct csaf_facts facts = {.present = false};
	struct buf text = BUF_EMPTY(2 * TEXT_MOST);
	char reason[MAIL_REASON_SIZE] = "";
	part.content = fuzz_view(data, size);
	const enum csaf_verdict verdict = csaf_read(&part, &facts, &text, reason);
	FUZZ_CHECK(verdict == CSAF_GOOD || verdict == CSAF_BAD);
	FUZZ_CHECK(!text.overflow);
	if (verdict == CSAF_GOOD) {
		check_good(&facts, buf_view(&text));
	} else {
		FUZZ_CHECK(reason[0] != '\0' && fuzz_is_shown(reason));
		FUZZ_CHECK(text.len == 0);
	}
	buf_release(&text);
	return 0;
}
