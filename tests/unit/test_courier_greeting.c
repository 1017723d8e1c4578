/* The time in what a smarthost greets with. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "courier/greeting.h"

enum { THEN = 1796069287 }; /* 2026-11-30T20:08:07Z */

static void date_of_a_greeting_is_read(void **state)
{
	static const char *const greetings[] = {
	    "mx.example ESMTP Exim 4.96 Mon, 30 Nov 2026 20:08:07 +0000\n",
	    "mx.example ESMTP Exim 4.96 Mon, 30 Nov 2026 21:08:07 +0100\n",
	    "mx.example ESMTP Exim 4.96 Mon, 30 Nov 2026 14:38:07 -0530\n",
	    "x.example Microsoft ESMTP MAIL Service ready at Mon, 30 Nov 2026 20:08:07 +0000",
	    "x.example ESMTP Sendmail 8.15.2/8.15.2; Mon, 30 Nov 2026 20:08:07 GMT\n",
	    "first line\nx.example ESMTP 30 Nov 2026 20:08:07 UTC ready\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
		int64_t when = 0;
		assert_true(greeting_time(view_of(greetings[i]), &when));
		assert_int_equal(when, THEN);
	}
}

static void greeting_without_a_date_has_none(void **state)
{
	static const char *const greetings[] = {"", "\n", "mx.example ESMTP Postfix (Debian/GNU)\n",
	    "mx.example ESMTP 30 Nov 2026\n", "30 Nov 2026 20:08:07\n", "99 Nov 2026 20:08:07 +0000",
	    "30 Nov 2026 20:08:07 +", "130 Nov 2026 20:08:07 +0000", "30"};
	(void)state;
	for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
		int64_t when = 0;
		assert_false(greeting_time(view_of(greetings[i]), &when));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(date_of_a_greeting_is_read),
	    cmocka_unit_test(greeting_without_a_date_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
