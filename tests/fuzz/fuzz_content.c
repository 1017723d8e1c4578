/* The second reading: plaintext that a signature covers, on to the gate, and there through the
 * rules that an advisory and a reply are judged by. */
#include "config.h"

#include <jansson.h>

#include "mail/charset.h"
#include "mail/reader.h"
#include "rules/advisory.h"
#include "rules/reply.h"

#include "fuzz.h"

#define STORE_MAX ((size_t)64 * 1024 * 1024)

enum { GROWTH_MOST = 64, GROWTH_FREE = 512 * 1024, NOW = 1800000000 };

static const struct mail_limits limits = {.header = 65536,
    .headers = 500,
    .header_line = 32768,
    .comments = 64,
    .parts = 200,
    .nesting = 10};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct charset_keep *keep; /* known to the leak check */
	json_object_seed(1);
	keep = charset_keep();
	FUZZ_CHECK(keep != NULL && argc != NULL && argv != NULL);
	return 0;
}

static void check_parts(const struct mail_content *content, struct view store)
{
	FUZZ_CHECK(content->part_count <= MAIL_PARTS_MAX);
	for (uint32_t i = 0; i < content->part_count; i++) {
		const struct mail_part *part = &content->parts[i];
		FUZZ_CHECK(fuzz_is_line(part->type) && part->type[0] != '\0');
		FUZZ_CHECK(fuzz_is_shown(part->name));
		FUZZ_CHECK(strpbrk(part->name, "/\\") == NULL);
		FUZZ_CHECK(strcmp(part->name, "..") != 0 && strcmp(part->name, ".") != 0);
		FUZZ_CHECK(fuzz_lies_in(part->content, store));
		FUZZ_CHECK(part->attachment || strcmp(part->type, "text/plain") != 0 ||
			   text_is_utf8(part->content));
	}
}

static void check_csaf(const struct mail_content *content, struct view store)
{
	const struct csaf_facts *facts = &content->csaf;
	FUZZ_CHECK(!content->csaf_bad || content->reason[0] != '\0');
	FUZZ_CHECK(fuzz_is_line(facts->id) && fuzz_is_line(facts->version));
	FUZZ_CHECK(fuzz_is_line(facts->title) && fuzz_is_line(facts->severity));
	FUZZ_CHECK(fuzz_lies_in(facts->text, store) && fuzz_is_text(facts->text, "\n"));
	FUZZ_CHECK(facts->present || facts->text.len == 0);
}

static void check(const struct mail_content *content, struct view raw, struct view store)
{
	FUZZ_CHECK(fuzz_is_line(content->reason));
	FUZZ_CHECK(content->readable || content->reason[0] != '\0');
	FUZZ_CHECK(content->readable || (!content->has_text && !content->wrapped));
	FUZZ_CHECK(content->readable || (content->part_count == 0 && !content->csaf.present));
	FUZZ_CHECK(content->wrapped || (content->message.len == 0 && content->signature.len == 0));
	FUZZ_CHECK(!content->wrapped || (!content->has_text && content->part_count == 0));
	FUZZ_CHECK(content->wrapped || !content->beside);
	FUZZ_CHECK(content->has_text || content->text.len == 0);
	FUZZ_CHECK(fuzz_lies_in(content->message, store));
	FUZZ_CHECK(fuzz_lies_in(content->signature, store));
	FUZZ_CHECK(fuzz_lies_in(content->text, store));
	FUZZ_CHECK(text_is_utf8(content->text));
	FUZZ_CHECK(
	    content->text.len == 0 || memchr(content->text.data, '\r', content->text.len) == NULL);
	FUZZ_CHECK(fuzz_is_line(content->subject));
	FUZZ_CHECK(store.len <= GROWTH_MOST * raw.len + GROWTH_FREE);
	check_parts(content, store);
	check_csaf(content, store);
}

static void check_way(const struct mail_content *content)
{
	static struct mail_content taken;
	struct buf body = BUF_EMPTY(STORE_MAX);
	struct buf again = BUF_EMPTY(STORE_MAX);
	reader_put_content(&body, content);
	FUZZ_CHECK(reader_take_content(buf_view(&body), &taken));
	reader_put_content(&again, &taken);
	FUZZ_CHECK(view_equals(buf_view(&body), buf_view(&again)));
	buf_release(&body);
	buf_release(&again);
}

static void check_rules(const struct mail_content *content)
{
	static struct draft draft;
	struct refusal refusal = {.line = 0};
	struct reply reply;
	if (!content->readable || content->wrapped)
		return;
	if (advisory_draft(content, NOW, NULL, &draft, &refusal)) {
		FUZZ_CHECK(draft.title[0] != '\0' && fuzz_is_line(draft.title));
		FUZZ_CHECK(draft.tlp <= TLP_RED && draft.text.len > 0);
		FUZZ_CHECK(fuzz_lies_in(draft.text, content->text) ||
			   fuzz_lies_in(draft.text, content->csaf.text));
	} else {
		FUZZ_CHECK(refusal.text[0] != '\0' && fuzz_is_shown(refusal.text));
	}
	reply_read(content->text, view_of(content->subject), &reply);
	FUZZ_CHECK(text_is_utf8(buf_view(&reply.comment)));
	buf_release(&reply.comment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mail_content content;
	struct buf store = BUF_EMPTY(STORE_MAX);
	const struct view raw = fuzz_view(data, size);
	mail_read_content(raw, &limits, &store, &content);
	check(&content, raw, buf_view(&store));
	check_way(&content);
	check_rules(&content);
	buf_release(&store);
	return 0;
}
