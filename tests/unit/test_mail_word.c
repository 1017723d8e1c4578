#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "mail/field.h"
#include "mail/word.h"

static void decodes_to(const char *text, const char *expected)
{
	struct buf out = BUF_EMPTY(BUF_SMALL);
	word_decode(view_of(text), &out);
	assert_string_equal(buf_text(&out), expected);
	buf_release(&out);
}

static void words_in_both_encodings_are_decoded(void **state)
{
	(void)state;
	decodes_to("=?utf-8?Q?k=C3=B6nnte_sein?=", "k\xc3\xb6nnte sein");
	decodes_to("=?UTF-8?b?w6TDtsO8?=", "\xc3\xa4\xc3\xb6\xc3\xbc");
	decodes_to("=?iso-8859-1*de?q?=F6?= und =?koi8-r?B?8NLJ?=",
	    "\xc3\xb6 und \xd0\x9f\xd1\x80\xd0\xb8");
	decodes_to("Re: =?utf-8?Q?a?=", "Re: a");
	decodes_to("=?utf-8?Q?"
		   "?=x",
	    "x");
}

static void white_space_between_words_goes_and_other_stays(void **state)
{
	(void)state;
	decodes_to("=?utf-8?Q?a?=  \t=?utf-8?Q?b?=", "ab");
	decodes_to("=?utf-8?Q?a?= =?iso-8859-1?Q?=E4?=", "a\xc3\xa4");
	decodes_to("  x  =?utf-8?Q?a?=  y  ", "  x  a  y  ");
	decodes_to("=?utf-8?Q?a?= =?broken", "a =?broken");
}

static void character_split_between_words_is_joined(void **state)
{
	(void)state;
	decodes_to("=?utf-8?B?w6Q=?= =?utf-8?B?w7Y=?=", "\xc3\xa4\xc3\xb6");
	decodes_to("=?utf-8?Q?=C3?= =?UTF-8?Q?=A4?=", "\xc3\xa4");
	decodes_to("=?utf-8?Q?=C3?= x", "\xef\xbf\xbd x");
}

static void malformed_words_stay_as_they_are(void **state)
{
	(void)state;
	static const char *const same[] = {"=?", "=?=", "=?(?Q?a?=", "=?utf-8?X?a?=", "=?utf-8?Q?a",
	    "=?utf-8?Q?a?", "=?utf-8?Qa?=", "a=?b", "=?ut f-8?Q?a?=", "=?utf-8?"};
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		decodes_to(same[i], same[i]);
	decodes_to("=?utf-8?Q?a =?utf-8?Q?b?=", "=?utf-8?Q?a b");
	decodes_to("=?utf-8?Q?=zz=4?=", "=zz=4");
	decodes_to("=?utf-8?Q?why?_so?=", "why? so");
}

static void bytes_beside_a_word_are_read_by_themselves(void **state)
{
	(void)state;
	decodes_to("\xf6 =?utf-8?Q?=C3=B6?= \xc3\xb6", "\xc3\xb6 \xc3\xb6 \xc3\xb6");
}

static void read_field(const char *unit, const char *end)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	struct buf out = BUF_EMPTY(BUF_SMALL);
	while (value.len < 8000)
		buf_add_text(&value, unit);
	buf_add_text(&value, end);
	field_text(buf_view(&value), &out);
	assert_true(out.len > 0);
	buf_release(&value);
	buf_release(&out);
}

/* Each of these once took a second or more. */
static void long_values_take_no_time(void **state)
{
	(void)state;
	static const char *const units[] = {" a", "abcdefgh ", "=?", "=?u?q?", "=?u?q?a",
	    "?=", "=?utf-8?Q?a?= ", "=?iso-2022-jp?B?GyRC?= x"};
	const clock_t start = clock();
	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
			read_field(units[i], "=?u?=");
	assert_true(clock() - start < 4 * CLOCKS_PER_SEC);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_in_both_encodings_are_decoded),
	    cmocka_unit_test(white_space_between_words_goes_and_other_stays),
	    cmocka_unit_test(character_split_between_words_is_joined),
	    cmocka_unit_test(malformed_words_stay_as_they_are),
	    cmocka_unit_test(bytes_beside_a_word_are_read_by_themselves),
	    cmocka_unit_test(long_values_take_no_time),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_word", tests, NULL, NULL);
}
