#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/tlp.h"

/* A view as a constant, NULs included. */
#define VIEW_OF(literal)                                                                           \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

static void every_label_is_read_in_any_case_and_has_its_name(void **state)
{
	static const struct {
		const char *text;
		enum tlp tlp;
		const char *name;
	} rows[] = {
	    {"CLEAR", TLP_CLEAR, "CLEAR"},
	    {"GREEN", TLP_GREEN, "GREEN"},
	    {"AMBER", TLP_AMBER, "AMBER"},
	    {"AMBER+STRICT", TLP_AMBER_STRICT, "AMBER+STRICT"},
	    {"RED", TLP_RED, "RED"},
	    {"clear", TLP_CLEAR, "CLEAR"},
	    {"Green", TLP_GREEN, "GREEN"},
	    {"aMbEr", TLP_AMBER, "AMBER"},
	    {"amber+strict", TLP_AMBER_STRICT, "AMBER+STRICT"},
	    {"red", TLP_RED, "RED"},
	    {"TLP:RED", TLP_RED, "RED"},
	    {"tlp: amber+Strict", TLP_AMBER_STRICT, "AMBER+STRICT"},
	    {" \tRED\r", TLP_RED, "RED"},
	    {"TLP:\tGREEN ", TLP_GREEN, "GREEN"},
	    {"TLP:\xc2\xa0 RED\xe2\x80\x8b", TLP_RED, "RED"},
	    {"\xef\xbb\xbf"
	     "AMBER",
		TLP_AMBER, "AMBER"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum tlp tlp = (enum tlp)99;
		assert_true(tlp_from(view_of(rows[i].text), &tlp));
		assert_int_equal(tlp, rows[i].tlp);
		assert_string_equal(tlp_name(tlp), rows[i].name);
	}
}

static void white_of_the_first_version_is_clear(void **state)
{
	enum tlp tlp = TLP_RED;
	(void)state;
	assert_true(tlp_from(VIEW("WHITE"), &tlp));
	assert_int_equal(tlp, TLP_CLEAR);
	tlp = TLP_RED;
	assert_true(tlp_from(VIEW("tlp:white"), &tlp));
	assert_int_equal(tlp, TLP_CLEAR);
}

static void anything_else_is_no_label(void **state)
{
	static const struct view rows[] = {
	    VIEW_OF(""),
	    VIEW_OF("TLP:"),
	    VIEW_OF("TLP"),
	    VIEW_OF("TLP:TLP:RED"),
	    VIEW_OF("REDD"),
	    VIEW_OF("RE"),
	    VIEW_OF("RED."),
	    VIEW_OF("AMBER +STRICT"),
	    VIEW_OF("AMBER+"),
	    VIEW_OF("AMBER-STRICT"),
	    VIEW_OF("AMBER STRICT"),
	    VIEW_OF("RED AMBER"),
	    VIEW_OF("RED\0"),
	    VIEW_OF("RED\0X"),
	    VIEW_OF("\0RED"),
	    VIEW_OF("R\xc3\x89\x44"),
	    VIEW_OF("YELLOW"),
	    VIEW_OF("\"RED\""),
	    VIEW_OF("\xc2\xa1RED"),
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum tlp tlp;
		if (tlp_from(rows[i], &tlp))
			fail_msg("row %zu is taken for %s", i, tlp_name(tlp));
	}
	enum tlp tlp;
	assert_false(tlp_from((struct view){NULL, 0}, &tlp));
}

static void clearance_allows_its_own_label_and_lower_ones_only(void **state)
{
	static const bool allowed[5][5] = {
	    /* label: CLEAR, GREEN, AMBER, AMBER+STRICT, RED */
	    [TLP_CLEAR] = {true, false, false, false, false},
	    [TLP_GREEN] = {true, true, false, false, false},
	    [TLP_AMBER] = {true, true, true, false, false},
	    [TLP_AMBER_STRICT] = {true, true, true, true, false},
	    [TLP_RED] = {true, true, true, true, true},
	};
	(void)state;
	for (int clearance = TLP_CLEAR; clearance <= TLP_RED; clearance++) {
		for (int label = TLP_CLEAR; label <= TLP_RED; label++)
			assert_int_equal(tlp_allows((enum tlp)clearance, (enum tlp)label),
			    allowed[clearance][label]);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_label_is_read_in_any_case_and_has_its_name),
	    cmocka_unit_test(white_of_the_first_version_is_clear),
	    cmocka_unit_test(anything_else_is_no_label),
	    cmocka_unit_test(clearance_allows_its_own_label_and_lower_ones_only),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_tlp", tests, NULL, NULL);
}
