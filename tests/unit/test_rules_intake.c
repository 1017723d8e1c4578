#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/intake.h"

#define ANY_SIGNED(inside_, nested_)                                                               \
	.opened = true, .signatures = 1, .inside = inside_, .nested = nested_

/* The shapes, each as the facts that make it, by name. */
static const struct {
	const char *shape;
	struct intake_facts facts;
} shapes[INTAKE_SHAPES] = {
    {"plain", {.mail = MAIL_PLAIN}},
    {"report", {.mail = MAIL_REPORT}},
    {"smime", {.mail = MAIL_SMIME}},
    {"tnef", {.mail = MAIL_TNEF}},
    {"malformed", {.mail = MAIL_REFUSED}},
    {"broken", {.mail = MAIL_BROKEN}},
    {"many-parts", {.mail = MAIL_MANY}},
    {"signature-lost", {.mail = MAIL_SIGNATURE_LOST}},
    {"unopened", {.mail = MAIL_ENCRYPTED}},
    {"unsigned", {.mail = MAIL_ENCRYPTED, .opened = true}},
    {"many-signatures", {.mail = MAIL_SIGNED, .opened = true, .signatures = 2}},
    {"nested", {.mail = MAIL_ENCRYPTED, ANY_SIGNED(false, true)}},
    {"encrypted", {.mail = MAIL_ENCRYPTED, ANY_SIGNED(false, false)}},
    {"signed-inside", {.mail = MAIL_ENCRYPTED, ANY_SIGNED(true, false)}},
    {"signed", {.mail = MAIL_SIGNED, ANY_SIGNED(false, false)}},
    {"inline-encrypted", {.mail = MAIL_INLINE_ENCRYPTED, ANY_SIGNED(false, false)}},
    {"inline-signed", {.mail = MAIL_INLINE_SIGNED, ANY_SIGNED(false, false)}},
    {"attached-encrypted", {.mail = MAIL_ATTACHED_ENCRYPTED, ANY_SIGNED(false, false)}},
    {"attached-signed", {.mail = MAIL_ATTACHED_SIGNED, ANY_SIGNED(false, false)}},
};

/* What becomes of each shape, from whom, whole and with text outside: "" is taken, and after "|"
 * stands the verdict with text outside where it is another. */
#define ALIKE(name, why)                                                                           \
	{                                                                                          \
		name,                                                                              \
		{                                                                                  \
			why, why, why, why, why, why, why                                          \
		}                                                                                  \
	}
#define SEALED(name)                                                                               \
	{                                                                                          \
		name,                                                                              \
		{                                                                                  \
			"not-signed", "stranger", "", "|text-outside", "", "", ""                  \
		}                                                                                  \
	}
#define IN_THE_OPEN(name)                                                                          \
	{                                                                                          \
		name,                                                                              \
		{                                                                                  \
			"not-signed", "stranger", "", "in-the-open", "", "in-the-open", ""         \
		}                                                                                  \
	}
static const struct {
	const char *shape;
	const char *verdicts[INTAKE_FROMS];
} rows[] = {
    ALIKE("plain", "not-signed"),
    ALIKE("report", "not-signed"),
    ALIKE("smime", "not-openpgp"),
    ALIKE("tnef", "not-openpgp"),
    ALIKE("malformed", "malformed"),
    ALIKE("broken", "broken"),
    ALIKE("many-parts", "many-parts"),
    ALIKE("signature-lost", "signature-lost"),
    ALIKE("unopened", "unopened"),
    ALIKE("unsigned", "not-signed"),
    ALIKE("many-signatures", "many-signatures"),
    ALIKE("nested", "nested"),
    SEALED("encrypted"),
    SEALED("signed-inside"),
    IN_THE_OPEN("signed"),
    SEALED("inline-encrypted"),
    IN_THE_OPEN("inline-signed"),
    SEALED("attached-encrypted"),
    IN_THE_OPEN("attached-signed"),
};

static void every_shape_has_its_facts_and_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < INTAKE_SHAPES; i++) {
		const enum intake_shape shape = intake_shape_of(&shapes[i].facts);
		assert_int_equal(shape, i);
		assert_string_equal(intake_shape_name(shape), shapes[i].shape);
	}
}

static void verdict_is(size_t row, size_t from, bool whole, const char *wanted)
{
	struct intake_facts facts = shapes[row].facts;
	facts.whole = whole;
	const enum intake_refusal refusal = intake_decide(&facts, (enum intake_from)from);
	if (strcmp(intake_refusal_name(refusal), wanted) != 0)
		fail_msg("%s from %zu, %s: \"%s\" and not \"%s\"", rows[row].shape, from,
		    whole ? "whole" : "with text outside", intake_refusal_name(refusal), wanted);
}

static void every_row_of_the_table_holds(void **state)
{
	(void)state;
	assert_int_equal(sizeof rows / sizeof rows[0], INTAKE_SHAPES);
	for (size_t row = 0; row < INTAKE_SHAPES; row++) {
		assert_string_equal(rows[row].shape, shapes[row].shape);
		for (size_t from = 0; from < INTAKE_FROMS; from++) {
			const char *verdict = rows[row].verdicts[from];
			const char *bar = strchr(verdict, '|');
			verdict_is(row, from, true, bar == NULL ? verdict : "");
			verdict_is(row, from, false, bar == NULL ? verdict : bar + 1);
		}
	}
}

/* I7. */
static void nothing_is_taken_without_exactly_one_signature(void **state)
{
	(void)state;
	for (int mail = MAIL_PLAIN; mail <= MAIL_REFUSED; mail++) {
		for (unsigned signatures = 0; signatures < 4; signatures++) {
			for (int from = 0; from < INTAKE_FROMS; from++) {
				const struct intake_facts facts = {.mail = (enum mail_shape)mail,
				    .whole = true,
				    .opened = true,
				    .signatures = signatures};
				if (intake_decide(&facts, (enum intake_from)from) == INTAKE_TAKEN)
					assert_int_equal(signatures, 1);
			}
		}
	}
}

static void every_refusal_has_a_name_and_a_clause_of_its_own(void **state)
{
	(void)state;
	assert_string_equal(intake_refusal_name(INTAKE_TAKEN), "");
	for (int i = INTAKE_TAKEN + 1; i < INTAKE_REFUSALS; i++) {
		assert_true(strlen(intake_refusal_text((enum intake_refusal)i)) > 8);
		for (int j = INTAKE_TAKEN; j < i; j++)
			assert_string_not_equal(intake_refusal_name((enum intake_refusal)i),
			    intake_refusal_name((enum intake_refusal)j));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_shape_has_its_facts_and_its_name),
	    cmocka_unit_test(every_row_of_the_table_holds),
	    cmocka_unit_test(nothing_is_taken_without_exactly_one_signature),
	    cmocka_unit_test(every_refusal_has_a_name_and_a_clause_of_its_own),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_intake", tests, NULL, NULL);
}
