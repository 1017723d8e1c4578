#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/moment.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

static const int64_t sunday = 1795993740; /* Sun 29 Nov 2026 23:09 UTC */

static void assert_span(int64_t seconds, const char *expected)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	moment_add_span(&text, seconds);
	assert_string_equal(buf_text(&text), expected);
	buf_release(&text);
}

static void assert_from(int64_t when, int64_t now, const char *expected)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	moment_add_from(&text, when, now);
	assert_string_equal(buf_text(&text), expected);
	buf_release(&text);
}

static void spans_are_counted_in_what_people_count_in(void **state)
{
	(void)state;
	static const struct {
		int64_t seconds;
		const char *expected;
	} spans[] = {
	    {0, "less than a minute"},
	    {29, "less than a minute"},
	    {30, "1 minute"},
	    {MINUTE, "1 minute"},
	    {45 * MINUTE, "45 minutes"},
	    {HOUR - 1, "1 hour"},
	    {HOUR, "1 hour"},
	    {HOUR + MINUTE, "1 hour 1 minute"},
	    {90 * MINUTE, "1 hour 30 minutes"},
	    {4 * HOUR - 1, "4 hours"},
	    {4 * HOUR, "4 hours"},
	    {DAY, "24 hours"},
	    {2 * DAY - MINUTE, "47 hours 59 minutes"},
	    {2 * DAY, "2 days"},
	    {2 * DAY + HOUR, "2 days 1 hour"},
	    {2 * DAY + 6 * HOUR, "2 days 6 hours"},
	    {3 * DAY - MINUTE, "3 days"},
	    {14 * DAY, "14 days"},
	    {30 * DAY + 11 * HOUR, "30 days"},
	    {-4 * HOUR, "4 hours"},
	};
	for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
		assert_span(spans[i].seconds, spans[i].expected);
}

static void moment_says_how_far_off_and_when(void **state)
{
	(void)state;
	assert_from(sunday + 4 * HOUR, sunday, "in 4 hours, Mon 30 Nov 03:09 UTC");
	assert_from(sunday - 4 * HOUR, sunday, "4 hours ago, Sun 29 Nov 19:09 UTC");
	assert_from(sunday + MINUTE, sunday, "in 1 minute, Sun 29 Nov 23:10 UTC");
	assert_from(sunday - MINUTE, sunday, "1 minute ago, Sun 29 Nov 23:08 UTC");
	assert_from(sunday, sunday, "in less than a minute, Sun 29 Nov 23:09 UTC");
	assert_from(sunday - 20, sunday, "less than a minute ago, Sun 29 Nov 23:08 UTC");
	assert_from(sunday + 2 * DAY, sunday, "in 2 days, Tue 1 Dec 23:09 UTC");
	assert_from(0, sunday, "");
}

static void year_is_named_when_it_is_another(void **state)
{
	(void)state;
	const int64_t eve = 1798761540; /* Thu 31 Dec 2026 23:59 UTC */
	assert_from(eve + 2 * MINUTE, eve, "in 2 minutes, Fri 1 Jan 2027 00:01 UTC");
	assert_from(eve, eve + 2 * MINUTE, "2 minutes ago, Thu 31 Dec 2026 23:59 UTC");
	assert_from(1830297600, 1830297600, "in less than a minute, Sat 1 Jan 00:00 UTC");
	assert_from(1835395200, 1835308800, "in 24 hours, Tue 29 Feb 00:00 UTC");
	struct buf text = BUF_EMPTY(BUF_SMALL);
	moment_add(&text, sunday, 0);
	assert_string_equal(buf_text(&text), "Sun 29 Nov 2026 23:09 UTC");
	buf_release(&text);
}

static void zone_of_the_machine_does_not_matter(void **state)
{
	(void)state;
	setenv("TZ", "IST-5:30", 1);
	tzset();
	assert_from(sunday + HOUR, sunday, "in 1 hour, Mon 30 Nov 00:09 UTC");
	unsetenv("TZ");
	tzset();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spans_are_counted_in_what_people_count_in),
	    cmocka_unit_test(moment_says_how_far_off_and_when),
	    cmocka_unit_test(year_is_named_when_it_is_another),
	    cmocka_unit_test(zone_of_the_machine_does_not_matter),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("base_moment", tests, NULL, NULL);
}
