#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#include "mail_reading.h"

#include "mail/compose.h"
#include "mail/field.h"

enum { LINE_MAX_MAIL = 76 };

static const struct compose_headers plain_headers = {.from_name = "Example early warning",
    .from = "gateway@example.org",
    .to = "officials@example.org",
    .subject = "[DEW-2026-0007 r1] Flaw in widgets",
    .outer = compose_hidden,
    .message_id = "ABCDEFGH@example.org",
    .date = 1795629600};

static void assert_seven_bit_lines(struct view mail)
{
	struct view line;
	for (size_t i = 0; i < mail.len; i++) {
		assert_true((unsigned char)mail.data[i] < 0x7f);
		if (mail.data[i] == '\n')
			assert_true(i > 0 && mail.data[i - 1] == '\r');
		else if (mail.data[i] != '\r' && mail.data[i] != '\t')
			assert_true(mail.data[i] >= ' ');
	}
	while (view_next_line(&mail, &line)) {
		if (line.len > LINE_MAX_MAIL)
			fail_msg("%.*s", (int)line.len, line.data);
	}
}

/* Composes, checks the form, reads again. */
static struct reading_content *round_trip(const struct compose_headers *headers, struct view text,
    const struct mail_part *parts, size_t count)
{
	struct buf inner = BUF_EMPTY(READING_STORE_MAX);
	compose_inner(&inner, headers, text, parts, count);
	assert_false(inner.overflow);
	assert_seven_bit_lines(buf_view(&inner));
	struct reading_content *content = reading_content_of(buf_view(&inner));
	assert_true(content->out.readable);
	buf_release(&inner);
	return content;
}

static void assert_text_survives(const char *text)
{
	struct reading_content *content = round_trip(&plain_headers, view_of(text), NULL, 0);
	assert_view_is(content->out.text, text);
	assert_int_equal(content->out.part_count, 0);
	reading_content_free(content);
}

static void text_survives(void **state)
{
	(void)state;
	assert_text_survives("Plain and short.\n");
	assert_text_survives("Umlauts: ä ö ü\n\nFrom the start\n.\n--x\n trailing \n=3D\ttab\t\n");
	assert_text_survives("Предупреждение об уязвимости, полностью на русском языке\n");
	assert_text_survives("no line end, but a line of much more than seventy-six characters, as "
			     "people write them nowadays in their mail programs, with = in it\n");
	assert_text_survives("\n\n\n");
	assert_text_survives(
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaä\n");
}

static void assert_subject_survives(const char *subject)
{
	struct compose_headers headers = plain_headers;
	headers.subject = subject;
	struct reading_content *content = round_trip(&headers, VIEW("x\n"), NULL, 0);
	assert_string_equal(content->out.subject, subject);
	reading_content_free(content);
}

static void subject_survives(void **state)
{
	(void)state;
	assert_subject_survives("[DEW-2026-0007 r1] Flaw in widgets");
	assert_subject_survives(
	    "[DEW-2026-0007 r1] Schwachstelle in Geräten für die Übertragung von "
	    "Meßwerten – 日本語の長い題名もここに入ります、折り返しても壊れません");
	assert_subject_survives(
	    "A long plain subject that has to be folded because it has many more "
	    "characters than would fit one line of seventy-six, even two of them");
	assert_subject_survives("two  spaces and =?utf-8?Q?something_encoded?= by itself");
	assert_subject_survives(
	    "wordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordword");
}

static void attachments_survive_byte_for_byte(void **state)
{
	(void)state;
	static char bytes[70000];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7 + i / 256);
	struct mail_part parts[4] = {
	    {"application/pdf", "advisory.pdf", true, {bytes, sizeof bytes}},
	    {"application/csaf+json",
		"größe 漢字 with a very long name that does not fit a line.json", true, {bytes, 1}},
	    {"text/plain", "a \"quoted\\\" name.txt", true, VIEW("ä\r\nb\n")},
	    {"application/octet-stream", "", true, {"", 0}},
	};
	memcpy(parts[2].name, "a \"quoted\" name.txt", sizeof "a \"quoted\" name.txt");
	struct reading_content *content = round_trip(&plain_headers, VIEW("text\n"), parts, 4);
	assert_int_equal(content->out.part_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(content->out.parts[i].type, parts[i].type);
		assert_string_equal(content->out.parts[i].name, parts[i].name);
		assert_true(content->out.parts[i].attachment);
		assert_true(view_equals(content->out.parts[i].content, parts[i].content));
	}
	reading_content_free(content);
}

static void types_that_base64_must_not_carry_become_bytes(void **state)
{
	(void)state;
	struct mail_part parts[3] = {{"message/rfc822", "m.eml", true, VIEW("Subject: x\n\ny\n")},
	    {"multipart/mixed", "", true, VIEW("x")}, {"a/b\r\nX-Evil: 1", "", true, VIEW("x")}};
	struct reading_content *content = round_trip(&plain_headers, VIEW("text\n"), parts, 3);
	assert_int_equal(content->out.part_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(content->out.parts[i].type, "application/octet-stream");
	assert_view_is(content->out.parts[0].content, "Subject: x\n\ny\n");
	reading_content_free(content);
}

static struct view header_of(struct view mail)
{
	const size_t end = view_find(mail, VIEW("\r\n\r\n"));
	return view_part(mail, 0, end == SIZE_MAX ? mail.len : end + 2);
}

static void assert_field(struct view header, const char *name, const char *value)
{
	struct view found;
	struct buf text = BUF_EMPTY(BUF_SMALL);
	assert_int_equal(field_count(header, name), 1);
	assert_true(field_find(header, name, &found));
	field_text(found, &text);
	assert_string_equal(buf_text(&text), value);
	buf_release(&text);
}

static void inner_header_is_protected_as_rfc_9788_says(void **state)
{
	(void)state;
	struct buf inner = BUF_EMPTY(BUF_SMALL);
	compose_inner(&inner, &plain_headers, VIEW("x\n"), NULL, 0);
	const struct view header = header_of(buf_view(&inner));
	assert_field(header, "From", "\"Example early warning\" <gateway@example.org>");
	assert_field(header, "To", "<officials@example.org>");
	assert_field(header, "Subject", plain_headers.subject);
	assert_field(header, "Date", "Wed, 25 Nov 2026 18:00:00 +0000");
	assert_field(header, "Message-ID", "<ABCDEFGH@example.org>");
	static const char *const outer[] = {"HP-Outer: Subject: [...]\r\n",
	    "HP-Outer: From: \"Example early warning\" <gateway@example.org>\r\n",
	    "HP-Outer: To: <officials@example.org>\r\n",
	    "HP-Outer: Date: Wed, 25 Nov 2026 18:00:00 +0000\r\n",
	    "HP-Outer: Message-ID: <ABCDEFGH@example.org>\r\n"};
	for (size_t i = 0; i < sizeof outer / sizeof outer[0]; i++)
		assert_true(view_find(header, view_of(outer[i])) != SIZE_MAX);
	struct view value;
	struct field_structured type;
	assert_true(field_find(header, "Content-Type", &value));
	field_structure(value, &type);
	assert_string_equal(type.word, "multipart/mixed");
	assert_true(field_parameter_is(&type, "hp", "cipher"));
	assert_true(field_parameter_is(&type, "protected-headers", "v1"));
	buf_release(&inner);
}

static void outer_tells_nothing_and_carries_armor(void **state)
{
	(void)state;
	static char certificate[500];
	memset(certificate, 0xa5, sizeof certificate);
	struct buf head = BUF_EMPTY(BUF_SMALL);
	struct buf tail = BUF_EMPTY(BUF_SMALL);
	struct buf mail = BUF_EMPTY(BUF_SMALL);
	compose_outer(&head, &tail, &plain_headers, (struct view){certificate, sizeof certificate});
	buf_add_view(&mail, buf_view(&head));
	assert_true(mail.len > 4 && memcmp(mail.data + mail.len - 4, "\r\n\r\n", 4) == 0);
	buf_add_text(
	    &mail, "-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\n");
	buf_add_view(&mail, buf_view(&tail));
	assert_seven_bit_lines(buf_view(&mail));
	const struct view header = header_of(buf_view(&mail));
	assert_field(header, "Subject", "[...]");
	assert_field(header, "Auto-Submitted", "auto-generated");
	assert_field(header, "MIME-Version", "1.0");
	assert_true(view_find(buf_view(&mail), VIEW("DEW-2026")) == SIZE_MAX);
	struct reading_outline *outline = reading_outline_of(buf_view(&mail));
	assert_int_equal(outline->out.shape, MAIL_ENCRYPTED);
	assert_true(outline->out.whole);
	assert_true(outline->out.automatic);
	assert_view_is(outline->out.message,
	    "-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\n");
	reading_outline_free(outline);
	struct view value;
	struct field_structured autocrypt;
	assert_true(field_find(header, "Autocrypt", &value));
	field_structure(value, &autocrypt);
	assert_true(view_find(value, VIEW("addr=gateway@example.org;")) == 0);
	const size_t at = view_find(value, VIEW("keydata="));
	struct buf key = BUF_EMPTY(BUF_SMALL);
	assert_true(text_unbase64(&key, view_part(value, at + strlen("keydata="), value.len)));
	assert_int_equal(key.len, sizeof certificate);
	assert_memory_equal(key.data, certificate, sizeof certificate);
	buf_release(&key);
	buf_release(&head);
	buf_release(&tail);
	buf_release(&mail);
}

/* How mail programs know a signature: "-- " (RFC 3676 section 4.3), some without the blank or with
 * another, quoted or not. Below such a line they show grey and quote nothing. */
static void no_line_of_a_text_begins_a_signature(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *written;
	} lines[] = {
	    {"-- ", "- -"},
	    {"--", "- -"},
	    {"--  ", "- -"},
	    {"--\t", "- -"},
	    {"-- \r", "- -"},
	    {"--\xc2\xa0", "- -"},
	    {"--\xe2\x80\x82 ", "- -"},
	    {"--\xe3\x80\x80", "- -"},
	    {"-- \xe2\x80\x8b", "- -"},
	    {" -- ", " - -"},
	    {"\xc2\xa0-- ", "\xc2\xa0- -"},
	    {"> -- ", "> - -"},
	    {">>-- ", ">>- -"},
	    {"> > --", "> > - -"},
	    {"| -- ", "| - -"},
	    {"-- Eve", "-- Eve"},
	    {"a -- ", "a -- "},
	    {"---", "---"},
	    {"-- -", "-- -"},
	    {"- -", "- -"},
	    {"--force", "--force"},
	    {"-", "-"},
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct buf text = BUF_EMPTY(BUF_SMALL);
		struct buf expected = BUF_EMPTY(BUF_SMALL);
		struct buf inner = BUF_EMPTY(BUF_SMALL);
		buf_printf(&text, "above\n%s\nEve, CERT\n", lines[i].text);
		buf_printf(&expected, "above\n%s\nEve, CERT\n", lines[i].written);
		compose_inner(&inner, &plain_headers, buf_view(&text), NULL, 0);
		struct reading_content *content = reading_content_of(buf_view(&inner));
		assert_view_is(content->out.text, buf_text(&expected));
		reading_content_free(content);
		buf_release(&text);
		buf_release(&expected);
		buf_release(&inner);
	}
}

/* A lone CR ends a line for some programs. */
static void signature_behind_a_lone_cr_or_at_the_end_is_none(void **state)
{
	(void)state;
	struct buf inner = BUF_EMPTY(BUF_SMALL);
	compose_inner(&inner, &plain_headers, VIEW("-- \rEve\r-- "), NULL, 0);
	struct reading_content *content = reading_content_of(buf_view(&inner));
	assert_view_is(content->out.text, "- -\nEve\n- -\n");
	reading_content_free(content);
	buf_release(&inner);
}

static void signature_in_an_attachment_stays(void **state)
{
	(void)state;
	struct mail_part part = {"text/plain", "a.txt", true, VIEW("x\r\n-- \r\nEve")};
	struct buf inner = BUF_EMPTY(BUF_SMALL);
	compose_inner(&inner, &plain_headers, VIEW("text\n"), &part, 1);
	struct reading_content *content = reading_content_of(buf_view(&inner));
	assert_int_equal(content->out.part_count, 1);
	assert_view_is(content->out.parts[0].content, "x\r\n-- \r\nEve");
	reading_content_free(content);
	buf_release(&inner);
}

/* RFC 9788 section 2.2: the protected copy says what stands outside. */
static void outer_subject_is_the_same_inside(void **state)
{
	(void)state;
	struct compose_headers headers = plain_headers;
	struct buf head = BUF_EMPTY(BUF_SMALL);
	struct buf tail = BUF_EMPTY(BUF_SMALL);
	struct buf inner = BUF_EMPTY(BUF_SMALL);
	headers.outer = compose_reminder;
	compose_outer(&head, &tail, &headers, VIEW("certificate"));
	compose_inner(&inner, &headers, VIEW("x\n"), NULL, 0);
	assert_field(header_of(buf_view(&head)), "Subject", "Reminder");
	assert_field(header_of(buf_view(&inner)), "Subject", headers.subject);
	assert_true(view_find(header_of(buf_view(&inner)),
			VIEW("HP-Outer: Subject: Reminder\r\n")) != SIZE_MAX);
	buf_release(&head);
	buf_release(&tail);
	buf_release(&inner);
}

static void inputs_cannot_add_header_fields(void **state)
{
	(void)state;
	const struct compose_headers evil = {.from_name = "a\"\r\nX-Evil: 1\r\n\r\nb",
	    .from = "a@example.org>\r\nX-Evil: 1",
	    .to = "b@example.org\nX-Evil: 1",
	    .subject = "s\r\nX-Evil: 1\r\n\r\nbody",
	    .outer = compose_hidden,
	    .message_id = "id@example.org>\r\nX-Evil: 1"};
	struct mail_part part = {"text/plain", "n\"\r\nX-Evil: 1", true, VIEW("x")};
	struct buf head = BUF_EMPTY(BUF_SMALL);
	struct buf tail = BUF_EMPTY(BUF_SMALL);
	struct buf inner = BUF_EMPTY(BUF_SMALL);
	compose_outer(&head, &tail, &evil, VIEW("certificate"));
	compose_inner(&inner, &evil, VIEW("text\n"), &part, 1);
	assert_int_equal(field_count(header_of(buf_view(&head)), "X-Evil"), 0);
	assert_int_equal(field_count(header_of(buf_view(&inner)), "X-Evil"), 0);
	assert_true(view_find(buf_view(&inner), VIEW("\nX-Evil")) == SIZE_MAX);
	assert_true(view_find(buf_view(&head), VIEW("\nX-Evil")) == SIZE_MAX);
	struct reading_content *content = reading_content_of(buf_view(&inner));
	assert_view_is(content->out.text, "text\n");
	assert_int_equal(content->out.part_count, 1);
	reading_content_free(content);
	buf_release(&head);
	buf_release(&tail);
	buf_release(&inner);
}

static void names_in_any_script_stand_in_from(void **state)
{
	(void)state;
	static const char *const names[] = {"Frühwarnung", "警報プログラム", "A \"quoted\" \\ name",
	    "A name so long that it does not fit the line with its address"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct compose_headers headers = plain_headers;
		struct buf inner = BUF_EMPTY(BUF_SMALL);
		struct buf from = BUF_EMPTY(BUF_SMALL);
		struct view value;
		headers.from_name = names[i];
		compose_inner(&inner, &headers, VIEW("x\n"), NULL, 0);
		assert_seven_bit_lines(buf_view(&inner));
		assert_true(field_find(header_of(buf_view(&inner)), "From", &value));
		field_text(value, &from);
		const size_t address = view_find(buf_view(&from), VIEW(" <gateway@example.org>"));
		assert_true(address != SIZE_MAX);
		if (i != 2)
			assert_true(view_find(buf_view(&from), view_of(names[i])) != SIZE_MAX);
		else
			assert_int_equal(
			    view_find(buf_view(&from), VIEW("\"A \\\"quoted\\\" \\\\ name\" <")),
			    0);
		buf_release(&inner);
		buf_release(&from);
	}
}

/* Each of these characters takes two between quotes. */
static void file_name_of_quotes_keeps_to_the_line_length(void **state)
{
	(void)state;
	struct mail_part part = {"text/plain", "", true, VIEW("x")};
	struct buf inner = BUF_EMPTY(BUF_SMALL);
	memset(part.name, '"', 40);
	compose_inner(&inner, &plain_headers, VIEW("text\n"), &part, 1);
	assert_seven_bit_lines(buf_view(&inner));
	struct reading_content *content = reading_content_of(buf_view(&inner));
	assert_int_equal(content->out.part_count, 1);
	assert_string_equal(content->out.parts[0].name, part.name);
	reading_content_free(content);
	buf_release(&inner);
}

static void message_ids_and_boundaries_are_never_the_same(void **state)
{
	(void)state;
	char one[COMPOSE_ID_SIZE];
	char two[COMPOSE_ID_SIZE];
	compose_message_id("gateway@example.org", one);
	compose_message_id("gateway@example.org", two);
	assert_string_not_equal(one, two);
	assert_non_null(strstr(one, "@example.org"));
	struct buf a = BUF_EMPTY(BUF_SMALL);
	struct buf b = BUF_EMPTY(BUF_SMALL);
	compose_inner(&a, &plain_headers, VIEW("x\n"), NULL, 0);
	compose_inner(&b, &plain_headers, VIEW("x\n"), NULL, 0);
	assert_string_not_equal(buf_text(&a), buf_text(&b));
	buf_release(&a);
	buf_release(&b);
}

/* Counts in all of the entity. */
static size_t count_of(const struct buf *entity, const char *words)
{
	size_t count = 0;
	for (const char *at = buf_text(entity); (at = strstr(at, words)) != NULL; at++)
		count++;
	return count;
}

static void another_date_takes_the_place_of_each_and_of_nothing_else(void **state)
{
	static const char text[] = "Date: Wed, 25 Nov 2026 18:00:00 +0000\n";
	static const char old[] = "Date: Wed, 25 Nov 2026 18:00:00 +0000\r\n";
	static const char new[] = "Date: Thu, 26 Nov 2026 18:00:01 +0000\r\n";
	struct buf inner = BUF_EMPTY(READING_STORE_MAX);
	struct buf head = BUF_EMPTY(BUF_SMALL);
	struct buf tail = BUF_EMPTY(BUF_SMALL);
	(void)state;
	compose_inner(&inner, &plain_headers, view_of(text), NULL, 0);
	compose_outer(&head, &tail, &plain_headers, VIEW(""));
	const size_t inner_len = inner.len;
	const size_t head_len = head.len;
	assert_int_equal(count_of(&inner, old), 3); /* its own, HP-Outer, and in the text */
	compose_set_date(&inner, plain_headers.date + 86401);
	compose_set_date(&head, plain_headers.date + 86401);
	assert_true(inner.len == inner_len && head.len == head_len);
	assert_int_equal(count_of(&inner, new), 2);
	assert_int_equal(count_of(&inner, old), 1);
	assert_int_equal(count_of(&head, new), 1);
	assert_int_equal(count_of(&head, old), 0);
	buf_release(&inner);
	buf_release(&head);
	buf_release(&tail);
}

static void tag_takes_the_place_of_the_end_of_each_message_id_and_of_nothing_else(void **state)
{
	struct buf inner = BUF_EMPTY(READING_STORE_MAX);
	struct buf head = BUF_EMPTY(BUF_SMALL);
	struct buf tail = BUF_EMPTY(BUF_SMALL);
	char old[COMPOSE_ID_SIZE + 16];
	char new[COMPOSE_ID_SIZE + 16];
	struct compose_headers headers = plain_headers;
	char id[COMPOSE_ID_SIZE];
	(void)state;
	compose_message_id("gateway@example.org", id);
	headers.message_id = id;
	snprintf(old, sizeof old, "Message-ID: <%s>", id);
	compose_inner(&inner, &headers, view_of(old), NULL, 0);
	compose_outer(&head, &tail, &headers, VIEW(""));
	const size_t inner_len = inner.len;
	assert_int_equal(count_of(&inner, old), 3); /* its own, HP-Outer, and in the text */
	compose_set_tag(&inner, "");
	assert_int_equal(count_of(&inner, old), 3);
	compose_set_tag(&inner, "BKT");
	compose_set_tag(&head, "BKT");
	memcpy(strchr(id, '@') - 3, "BKT", 3);
	snprintf(new, sizeof new, "Message-ID: <%s>", id);
	assert_true(inner.len == inner_len);
	assert_int_equal(count_of(&inner, new), 2);
	assert_int_equal(count_of(&inner, old), 1);
	assert_int_equal(count_of(&head, new), 1);
	assert_int_equal(count_of(&head, old), 0);
	buf_release(&inner);
	buf_release(&head);
	buf_release(&tail);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_survives),
	    cmocka_unit_test(subject_survives),
	    cmocka_unit_test(attachments_survive_byte_for_byte),
	    cmocka_unit_test(types_that_base64_must_not_carry_become_bytes),
	    cmocka_unit_test(inner_header_is_protected_as_rfc_9788_says),
	    cmocka_unit_test(outer_tells_nothing_and_carries_armor),
	    cmocka_unit_test(no_line_of_a_text_begins_a_signature),
	    cmocka_unit_test(signature_behind_a_lone_cr_or_at_the_end_is_none),
	    cmocka_unit_test(signature_in_an_attachment_stays),
	    cmocka_unit_test(outer_subject_is_the_same_inside),
	    cmocka_unit_test(inputs_cannot_add_header_fields),
	    cmocka_unit_test(names_in_any_script_stand_in_from),
	    cmocka_unit_test(file_name_of_quotes_keeps_to_the_line_length),
	    cmocka_unit_test(another_date_takes_the_place_of_each_and_of_nothing_else),
	    cmocka_unit_test(tag_takes_the_place_of_the_end_of_each_message_id_and_of_nothing_else),
	    cmocka_unit_test(message_ids_and_boundaries_are_never_the_same),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_compose", tests, NULL, NULL);
}
