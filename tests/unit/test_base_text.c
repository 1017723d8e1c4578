#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* -- hexadecimal, base64, base32 -- */

static void hex_is_upper_case_and_comes_back(void **state)
{
	(void)state;
	char hex[9];
	unsigned char back[4];
	text_hex("\x00\x9f\xa0\xff", 4, hex);
	assert_string_equal(hex, "009FA0FF");
	assert_true(text_unhex(view_of(hex), back, sizeof back));
	assert_memory_equal(back, "\x00\x9f\xa0\xff", 4);
	assert_true(text_unhex(VIEW("009fA0fF"), back, sizeof back));
	assert_memory_equal(back, "\x00\x9f\xa0\xff", 4);
	text_hex("", 0, hex);
	assert_string_equal(hex, "");
}

static void bad_hex_is_refused(void **state)
{
	(void)state;
	unsigned char back[2];
	const char *bad[] = {"", "00", "000", "00000", "000g", "00 0", "0x00", "-1-1", "000:"};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(text_unhex(view_of(bad[i]), back, sizeof back));
}

/* RFC 4648 section 10. */
static const struct {
	const char *text;
	const char *base64;
	const char *base32;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg==", "MY"},
    {"fo", "Zm8=", "MZXQ"},
    {"foo", "Zm9v", "MZXW6"},
    {"foob", "Zm9vYg==", "MZXW6YQ"},
    {"fooba", "Zm9vYmE=", "MZXW6YTB"},
    {"foobar", "Zm9vYmFy", "MZXW6YTBOI"},
};

static void base64_and_base32_follow_the_vectors_of_rfc_4648(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct buf out = BUF_EMPTY(BUF_SMALL);
		char base32[16];
		text_base64(&out, view_of(vectors[i].text), 0);
		assert_string_equal(buf_text(&out), vectors[i].base64);
		buf_clear(&out);
		assert_true(text_unbase64(&out, view_of(vectors[i].base64)));
		assert_string_equal(buf_text(&out), vectors[i].text);
		text_base32(
		    (const unsigned char *)vectors[i].text, strlen(vectors[i].text), base32);
		assert_string_equal(base32, vectors[i].base32);
		buf_release(&out);
	}
}

/* draft-koch-openpgp-webkey-service, section 3.1: Joe.Doe@Example.ORG. */
static void zbase32_of_sha1_is_the_name_in_a_web_key_directory(void **state)
{
	(void)state;
	unsigned char digest[DIGEST_SHA1_SIZE];
	char name[8 * DIGEST_SHA1_SIZE / 5 + 1];
	digest_sha1(VIEW("joe.doe"), digest);
	text_zbase32(digest, sizeof digest, name);
	assert_string_equal(name, "iy9q119eutrkn8s1mk4r39qejnbu3n5q");
}

static void base64_in_lines_is_that_of_mail(void **state)
{
	(void)state;
	unsigned char data[58];
	struct buf out = BUF_EMPTY(BUF_SMALL);
	struct buf back = BUF_EMPTY(BUF_SMALL);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(255 - i * 5);
	text_base64(&out, (struct view){(const char *)data, 57}, TEXT_BASE64_LINE);
	assert_int_equal(out.len, 78); /* one full line, and nothing behind it */
	buf_clear(&out);
	text_base64(&out, (struct view){(const char *)data, 58}, TEXT_BASE64_LINE);
	assert_int_equal(out.len, 78 + 6);
	assert_memory_equal(out.data + 76, "\r\n", 2);
	assert_memory_equal(out.data + 82, "\r\n", 2);
	assert_true(text_unbase64(&back, buf_view(&out)));
	assert_int_equal(back.len, 58);
	assert_memory_equal(back.data, data, 58);
	buf_release(&out);
	buf_release(&back);
}

static void bad_base64_is_refused(void **state)
{
	(void)state;
	const char *bad[] = {"Z", "Zg=", "Zg===", "Zg==Zg==", "Z===", "====", "=", "Zm9v=", "Zm-_",
	    "Zm9*",
	    ("Zm\x80"
	     "9")};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct buf out = BUF_EMPTY(BUF_SMALL);
		if (text_unbase64(&out, view_of(bad[i])))
			fail_msg("taken: %s", bad[i]);
		buf_release(&out);
	}
	struct buf out = BUF_EMPTY(BUF_SMALL);
	assert_false(text_unbase64(&out, (struct view){"Zm9v\0", 5}));
	buf_release(&out);
	struct buf small = BUF_EMPTY(2);
	assert_false(text_unbase64(&small, VIEW("Zm9v")));
	buf_release(&small);
}

/* -- UTF-8 and what is shown -- */

static void well_formed_utf8_is_taken(void **state)
{
	(void)state;
	const char *good[] = {"", "plain\r\n\t", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
	    "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(text_is_utf8(view_of(good[i])));
}

static void ill_formed_utf8_is_refused(void **state)
{
	(void)state;
	const char *bad[] = {
	    "\x80", "\xbf", /* continuation alone */
	    "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", /* longer than needed */
	    "\xed\xa0\x80", "\xed\xbf\xbf", /* surrogates */
	    "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", /* beyond U+10FFFF */
	    "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xe2\x28\xa1", "a\xc3", /* cut short */
	};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(text_is_utf8(view_of(bad[i])));
	assert_false(text_is_utf8((struct view){"a\0b", 3}));
}

static void shown_text_can_do_nothing_to_a_terminal(void **state)
{
	(void)state;
	const struct {
		const char *text;
		const char *shown;
	} cases[] = {
	    {"plain \xc3\xa4 \xe2\x82\xac", "plain \xc3\xa4 \xe2\x82\xac"},
	    {"a\r\nb\tc", "a\\x0d\\x0ab\\x09c"},
	    {"\x1b[2J\x1b]0;x\x07", "\\x1b[2J\\x1b]0;x\\x07"},
	    {"\x7f", "\\x7f"},
	    {"\xc2\x9b"
	     "31m",
		"\\x9b31m"}, /* C1: CSI in one character */
	    {"\x9b", "\xef\xbf\xbd"}, /* the same as a bare byte */
	    {"a\xe2\x80\xae-", "a\\u202e-"}, /* right-to-left override */
	    {"\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069"}, /* isolates */
	    {"\xe2\x80\x8f\xd8\x9c", "\\u200f\\u061c"}, /* right-to-left marks */
	    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"}, /* line separators */
	    {"\xef\xbb\xbf", "\\ufeff"},
	    {"\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf out = BUF_EMPTY(BUF_SMALL);
		text_add_shown(&out, view_of(cases[i].text));
		assert_string_equal(buf_text(&out), cases[i].shown);
		buf_release(&out);
	}
	struct buf out = BUF_EMPTY(BUF_SMALL);
	text_add_shown(&out, (struct view){"a\0b", 3});
	assert_string_equal(buf_text(&out), "a\\x00b");
	buf_release(&out);
}

/* -- numbers, durations, times -- */

/* -- what is blank to the eye -- */

static void blanks_of_every_kind_and_what_cannot_be_seen_are_trimmed(void **state)
{
	static const char *const unseen[] = {" ", "\t", "\r", "\n", "\v", "\f", "\xc2\x85",
	    "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x83", "\xe2\x80\x87",
	    "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
	    "\xc2\xad", "\xe2\x80\x8b", "\xe2\x80\x8d", "\xe2\x80\x8e", "\xe2\x81\xa0",
	    "\xef\xbb\xbf"};
	(void)state;
	for (size_t i = 0; i < COUNT(unseen); i++) {
		struct buf text = BUF_EMPTY(64);
		buf_printf(&text, "%s a%sb%s%s", unseen[i], unseen[i], unseen[i], unseen[i]);
		const struct view trimmed = text_trim(buf_view(&text));
		assert_int_equal(trimmed.len, 2 + strlen(unseen[i]));
		assert_true(trimmed.data[0] == 'a' && trimmed.data[trimmed.len - 1] == 'b');
		assert_int_equal(text_trim(view_of(unseen[i])).len, 0);
		assert_int_equal(
		    text_blank(view_of(unseen[i])) + text_invisible(view_of(unseen[i])),
		    strlen(unseen[i]));
		buf_release(&text);
	}
}

static void what_can_be_seen_or_is_no_utf8_is_not_trimmed(void **state)
{
	static const char *const seen[] = {"a", "\xc3\xa9", "\xe2\x80\x93", "\xe3\x80\x81",
	    "\xef\xbc\x9a", "\xf0\x9f\x94\x91", "\xa0", "\xc2", "\xe2\x80", "\xef\xbb", "\x80\x80",
	    "\x01", "\x7f"};
	(void)state;
	for (size_t i = 0; i < COUNT(seen); i++)
		assert_int_equal(text_trim(view_of(seen[i])).len, strlen(seen[i]));
	assert_int_equal(text_trim(VIEW("\0")).len, 1);
	assert_int_equal(text_trim((struct view) { NULL, 0 }).len, 0);
}

static void numbers_are_whole_decimal_and_within_bounds(void **state)
{
	(void)state;
	int64_t value = 0;
	assert_true(text_number(VIEW("42"), 0, 100, &value));
	assert_int_equal(value, 42);
	assert_true(text_number(VIEW("-7"), -7, 0, &value));
	assert_int_equal(value, -7);
	assert_true(text_number(VIEW("007"), 0, 7, &value));
	assert_true(text_number(VIEW("999999999999999999"), 0, INT64_MAX, &value));
	const char *bad[] = {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "--1", "-8", "101",
	    "9223372036854775808", "99999999999999999999999999", "\xd9\xa1"};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(text_number(view_of(bad[i]), -7, 100, &value));
}

static void durations_have_one_unit_or_none(void **state)
{
	(void)state;
	const struct {
		const char *text;
		int64_t seconds;
	} good[] = {{"90s", 90}, {"15m", 900}, {"4h", 14400}, {"2d", 172800}, {"1w", 604800},
	    {"90", 90}, {"0", 0}, {"3660d", 316224000}};
	for (size_t i = 0; i < COUNT(good); i++) {
		int64_t seconds = -1;
		assert_true(text_duration(view_of(good[i].text), &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	const char *bad[] = {"", "h", "-1h", "1.5h", "4H", "4 h", "1h30m", "3661d", "316224001",
	    "999999999999999999w", "4hh"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		int64_t seconds;
		assert_false(text_duration(view_of(bad[i]), &seconds));
	}
}

static void times_are_those_of_rfc_3339(void **state)
{
	(void)state;
	const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
	    {"1970-01-01T00:00:00Z", 0}, {"2026-11-25T18:00:00Z", 1795629600},
	    {"2026-11-25t18:00:00z", 1795629600}, {"2026-11-25 18:00:00Z", 1795629600},
	    {"2026-11-25T19:30:00+01:30", 1795629600}, {"2026-11-25T10:00:00-08:00", 1795629600},
	    {"2026-11-25T18:00:00.999Z", 1795629600}, {"2026-11-25T18:00:00.1-00:00", 1795629600},
	    {"2024-02-29T12:00:00Z", 1709208000}, {"2000-02-29T12:00:00Z", 951825600},
	    {"2016-12-31T23:59:60Z", 1483228799}, /* a leap second */
	};
	for (size_t i = 0; i < COUNT(good); i++) {
		int64_t seconds = -1;
		if (!text_time(view_of(good[i].text), &seconds))
			fail_msg("refused: %s", good[i].text);
		assert_int_equal(seconds, good[i].seconds);
	}
}

static void times_that_do_not_exist_are_refused(void **state)
{
	(void)state;
	const char *bad[] = {"", "2026-11-25", "2026-11-25T18:00:00", "2026-02-30T00:00:00Z",
	    "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
	    "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
	    "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
	    "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01",
	    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00ZZ", "2026-1-01T00:00:00Z0",
	    "1969-12-31T23:59:59Z", "2026-01-01T-0:00:00Z", "2026-01-01T00:-0:00Z",
	    "2026-01-01T00:00:00+-0:00", "2026-01-01X00:00:00Z", " 2026-01-01T00:00:00Z"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		int64_t seconds;
		if (text_time(view_of(bad[i]), &seconds))
			fail_msg("taken: %s", bad[i]);
	}
	int64_t seconds;
	assert_false(text_time((struct view){"2026-01-01\0"
					     "00:00:00Z",
				   20},
	    &seconds));
}

static void times_are_written_as_they_are_read(void **state)
{
	(void)state;
	char text[TEXT_TIME_SIZE];
	struct buf out = BUF_EMPTY(BUF_SMALL);
	text_format_time(1795629600, text);
	assert_string_equal(text, "2026-11-25T18:00:00Z");
	text_format_time(0, text);
	assert_string_equal(text, "");
	text_add_time(&out, 1709208000);
	assert_string_equal(buf_text(&out), "2024-02-29T12:00:00Z");
	text_format_mail_date(1795629600, text);
	assert_string_equal(text, "Wed, 25 Nov 2026 18:00:00 +0000");
	text_format_mail_date(1704067199, text);
	assert_string_equal(text, "Sun, 31 Dec 2023 23:59:59 +0000");
	buf_release(&out);
}

/* -- addresses -- */

static void ordinary_addresses_are_taken(void **state)
{
	(void)state;
	const char *good[] = {"a@b.org", "first.last+tag@mail.example.org", "o'hara@example.org",
	    "x@localhost", "A_B-c=d@EXAMPLE.org", "#!$%&*/?^`{|}~@example.org",
	    "1234567890123456789012345678901234567890123456789012345678901234@example.org"};
	for (size_t i = 0; i < COUNT(good); i++) {
		const char *why = "";
		if (!text_is_address(view_of(good[i]), &why))
			fail_msg("refused: %s: %s", good[i], why);
	}
}

static void addresses_that_would_inject_or_mislead_are_refused(void **state)
{
	(void)state;
	const char *bad[] = {"", "@", "a", "a@", "@b.org", "a@@b.org", "a@b@c.org",
	    "a@b.org\r\nRCPT TO:<x@y.org>", "a@b.org\n", "a@b.org>", "<a@b.org>", "a b@c.org",
	    "a@b .org", "a@b.org ", "\ta@b.org", ".a@b.org", "a.@b.org", "a..b@c.org", "a@.b.org",
	    "a@b..org", "a@b.org.", "a@-b.org", "a@b.org-", "a@b_c.org", "\"a b\"@c.org",
	    "a(comment)@b.org", "a@[127.0.0.1]", "a,b@c.org", "a;b@c.org", "a:b@c.org", "a\\@b.org",
	    "\xc3\xa4@b.org", "a@\xc3\xa4.org", "a\x7f@b.org",
	    "12345678901234567890123456789012345678901234567890123456789012345@example.org"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *why = "";
		if (text_is_address(view_of(bad[i]), &why))
			fail_msg("taken: %s", bad[i]);
		assert_true(strlen(why) > 0);
	}
	const char *why;
	assert_false(text_is_address((struct view){"a\0b@c.org", 9}, &why));
	assert_false(text_is_address((struct view){"a@c.org\0", 8}, &why));
}

static void address_may_have_254_characters_and_no_more(void **state)
{
	(void)state;
	char text[256];
	const char *why;
	memset(text, 'a', sizeof text);
	text[1] = '@';
	for (size_t i = 20; i < sizeof text; i += 20)
		text[i] = '.';
	assert_true(text_is_address((struct view){text, 254}, &why));
	assert_false(text_is_address((struct view){text, 255}, &why));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hex_is_upper_case_and_comes_back),
	    cmocka_unit_test(bad_hex_is_refused),
	    cmocka_unit_test(base64_and_base32_follow_the_vectors_of_rfc_4648),
	    cmocka_unit_test(zbase32_of_sha1_is_the_name_in_a_web_key_directory),
	    cmocka_unit_test(base64_in_lines_is_that_of_mail),
	    cmocka_unit_test(bad_base64_is_refused),
	    cmocka_unit_test(well_formed_utf8_is_taken),
	    cmocka_unit_test(ill_formed_utf8_is_refused),
	    cmocka_unit_test(shown_text_can_do_nothing_to_a_terminal),
	    cmocka_unit_test(blanks_of_every_kind_and_what_cannot_be_seen_are_trimmed),
	    cmocka_unit_test(what_can_be_seen_or_is_no_utf8_is_not_trimmed),
	    cmocka_unit_test(numbers_are_whole_decimal_and_within_bounds),
	    cmocka_unit_test(durations_have_one_unit_or_none),
	    cmocka_unit_test(times_are_those_of_rfc_3339),
	    cmocka_unit_test(times_that_do_not_exist_are_refused),
	    cmocka_unit_test(times_are_written_as_they_are_read),
	    cmocka_unit_test(ordinary_addresses_are_taken),
	    cmocka_unit_test(addresses_that_would_inject_or_mislead_are_refused),
	    cmocka_unit_test(address_may_have_254_characters_and_no_more),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("base_text", tests, NULL, NULL);
}
