/* A delivery status notification, as any mail system writes one. The input's first byte says how
 * it lies in the mail; what follows is its fields. */
#include "config.h"

#include "mail/dsn.h"

#include "fuzz.h"

enum { FORM_STATUS, FORM_BASE64, FORM_GLOBAL, FORM_TEXT, FORM_HEADER, FORMS };

static const struct mail_limits limits = {.header = 65536,
    .headers = 500,
    .header_line = 32768,
    .comments = 64,
    .parts = 200,
    .nesting = 10};

static const char *const heads[FORMS] = {
    [FORM_STATUS] = "Content-Type: message/delivery-status\r\n\r\n",
    [FORM_BASE64] = "Content-Type: message/delivery-status\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n",
    [FORM_GLOBAL] = "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nfailed\r\n"
		    "--b\r\nContent-Type: message/global-delivery-status\r\n\r\n",
    [FORM_TEXT] = "Content-Type: text/plain; charset=utf-8\r\n\r\n",
    [FORM_HEADER] = "",
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void check(const struct mail_bounce *bounce)
{
	static const char *const actions[] = {
	    "", "failed", "delayed", "relayed", "expanded", "delivered", NULL};
	FUZZ_CHECK(fuzz_is_one_of(bounce->action, actions));
	FUZZ_CHECK(bounce->action[0] != '\0' || bounce->status[0] == '\0');
	FUZZ_CHECK(bounce->status[0] == '\0' || strchr("245", bounce->status[0]) != NULL);
	FUZZ_CHECK(strspn(bounce->status, "0123456789.") == strlen(bounce->status));
	FUZZ_CHECK(fuzz_is_shown(bounce->recipient));
	FUZZ_CHECK(fuzz_is_shown(bounce->diagnostic));
	FUZZ_CHECK(bounce->line_count <= MAIL_LINES_MAX);
	for (uint32_t i = 0; i < bounce->line_count; i++)
		FUZZ_CHECK(bounce->lines[i][0] != '\0' && fuzz_is_shown(bounce->lines[i]));
}

static void check_addresses(struct view header)
{
	static struct mail_outline outline;
	const char *why;
	outline.address_count = 0;
	dsn_read_addresses(header, &outline);
	FUZZ_CHECK(outline.address_count <= MAIL_ADDRESSES_MAX);
	for (uint32_t i = 0; i < outline.address_count; i++)
		FUZZ_CHECK(text_is_address(view_of(outline.addresses[i]), &why));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = fuzz_view(data, size);
	const unsigned form = fuzz_byte(&rest) % FORMS;
	struct buf mail = BUF_EMPTY(16 * 1024 * 1024);
	struct tree tree;
	char reason[MAIL_REASON_SIZE];
	buf_add_text(&mail, heads[form]);
	if (form == FORM_BASE64)
		text_base64(&mail, rest, TEXT_BASE64_LINE);
	else
		buf_add_view(&mail, rest);
	if (tree_read(buf_view(&mail), &limits, &tree, reason)) {
		struct mail_bounce bounce;
		dsn_read(&tree, &limits, &bounce);
		check(&bounce);
		check_addresses(tree.entities[0].header);
		tree_free(&tree);
	} else {
		static struct mail_outline outline;
		outline.address_count = 0;
		dsn_read_unsound(buf_view(&mail), &limits, &outline);
		check(&outline.bounce);
		FUZZ_CHECK(fuzz_is_line(reason) && reason[0] != '\0');
	}
	buf_release(&mail);
	return 0;
}
