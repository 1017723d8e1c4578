/* The letters about keys, and the one mail that leaves in the clear. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gate/letters_key.h"
#include "mail/notice.h"

enum { DAY = 86400, EXPIRED = 1795629600 }; /* 2026-11-25T18:00:00Z */

static struct config configured(void)
{
	struct config config = {.file = ""};
	snprintf(config.gateway.name, sizeof config.gateway.name, "Example programme");
	snprintf(config.gateway.address, sizeof config.gateway.address, "gateway@gw.example");
	return config;
}

static bool holds(const struct buf *text, const char *what)
{
	return view_find(buf_view(text), view_of(what)) != SIZE_MAX;
}

static void notice_is_fixed_but_for_date_and_programme(void **state)
{
	static const char expected[] =
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
	    "Your OpenPGP key expired on Wed 25 Nov 2026 18:00 UTC.\r\n"
	    "Mails of\r\nExample programme\r\n"
	    "cannot reach you any more, because they are never sent unencrypted.\r\n\r\n"
	    "Renew it, and send a mail to this address, signed with your key, whose first\r\n"
	    "line is \"Key: update\", with the renewed public key attached.\r\n";
	const struct config config = configured();
	struct buf entity = BUF_EMPTY(BUF_SMALL);
	(void)state;
	notice_entity(&entity, &config, EXPIRED);
	assert_string_equal(buf_text(&entity), expected);
	buf_release(&entity);
}

static void compose(const char *to, struct buf *head, struct buf *body)
{
	const struct config config = configured();
	const struct notice notice = {
	    .expired = EXPIRED,
	    .to = to,
	    .message_id = "abc@gw.example",
	    .date = EXPIRED,
	    .signature =
		VIEW("-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n"),
	    .digest = "SHA256",
	};
	notice_mail(head, body, &config, &notice);
}

static void notice_is_one_signed_mail_with_the_entity_that_was_signed(void **state)
{
	const struct config config = configured();
	struct buf head = BUF_EMPTY(BUF_SMALL), body = BUF_EMPTY(BUF_SMALL);
	struct buf entity = BUF_EMPTY(BUF_SMALL);
	(void)state;
	compose("cert@us.example", &head, &body);
	notice_entity(&entity, &config, EXPIRED);
	assert_true(holds(&head, "To: <cert@us.example>\r\n"));
	assert_true(holds(&head, "Subject: Your OpenPGP key has expired\r\n"));
	assert_true(holds(&head, "Content-Type: multipart/signed; micalg=pgp-sha256;"));
	assert_true(holds(&body, buf_text(&entity)));
	assert_true(holds(&body, "-----BEGIN PGP SIGNATURE-----\r\n\r\nabcd\r\n"));
	buf_release(&head);
	buf_release(&body);
	buf_release(&entity);
}

/* The only text that a caller chooses is an address, and it is held against the grammar. */
static void notice_takes_no_text_through_its_recipient(void **state)
{
	static const char *const others[] = {"DEW-2026-0007 firmware takes anything",
	    "a@b.example\r\nSubject: TLP:RED", "\"title of an advisory\"@b.example", ""};
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		struct buf head = BUF_EMPTY(BUF_SMALL), body = BUF_EMPTY(BUF_SMALL);
		compose(others[i], &head, &body);
		assert_false(holds(&head, "To:"));
		assert_false(
		    holds(&head, "firmware") || holds(&head, "TLP") || holds(&head, "advisory"));
		buf_release(&head);
		buf_release(&body);
	}
}

static void warning_says_which_key_when_and_what_to_do(void **state)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	(void)state;
	const struct letter_key letter = {.programme = "Example programme",
	    .address = "a@us.example",
	    .fingerprint = "ABCDEF",
	    .expires = EXPIRED,
	    .now = EXPIRED - 30 * DAY};
	letter_key_warning(&text, &letter);
	assert_true(holds(&text, "of a@us.example,"));
	assert_true(holds(&text, "expires in 30 days, Wed 25 Nov 18:00 UTC."));
	assert_true(holds(&text, "In Thunderbird"));
	assert_true(holds(&text, "gpg --quick-set-expire ABCDEF 2y\n"));
	assert_true(holds(&text, "gpg --quick-set-expire ABCDEF 2y '*'\n"));
	assert_true(holds(&text, "gpg --armor --export ABCDEF > key.asc\n"));
	assert_true(holds(&text, "Key: update\n"));
	buf_release(&text);
}

static void alarm_names_the_owner_the_key_and_the_date(void **state)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	(void)state;
	letter_key_expired(&text, "a@us.example", "ABCDEF", EXPIRED, EXPIRED + DAY);
	assert_true(holds(&text, "of a@us.example,"));
	assert_true(holds(&text, "has expired: 24 hours ago, Wed 25 Nov 18:00 UTC."));
	assert_true(holds(&text, "Key: ABCDEF\n"));
	buf_release(&text);
}

static void answers_name_the_keys_and_the_line(void **state)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct refusal refusal = {.line = 2, .text = "what is wrong"};
	(void)state;
	letter_key_renewed(&text, "ABCDEF", EXPIRED, EXPIRED - 400 * DAY);
	letter_key_renewed(&text, "ABCDEF", 0, EXPIRED);
	letter_key_pending(&text, "FORMER", "NEWKEY");
	letter_key_refused(&text, &refusal, 17);
	assert_true(holds(&text, "expires in 400 days, Wed 25 Nov 2026 18:00 UTC."));
	assert_true(holds(&text, "no expiry"));
	assert_true(holds(&text, "New key:    NEWKEY\nFormer key: FORMER\n"));
	assert_true(holds(&text, "Line 2 of the signed text: what is wrong."));
	assert_true(holds(&text, "arrival 17"));
	buf_release(&text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(notice_is_fixed_but_for_date_and_programme),
	    cmocka_unit_test(notice_is_one_signed_mail_with_the_entity_that_was_signed),
	    cmocka_unit_test(notice_takes_no_text_through_its_recipient),
	    cmocka_unit_test(warning_says_which_key_when_and_what_to_do),
	    cmocka_unit_test(alarm_names_the_owner_the_key_and_the_date),
	    cmocka_unit_test(answers_name_the_keys_and_the_line),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("gate_keylife", tests, NULL, NULL);
}
