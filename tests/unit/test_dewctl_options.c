#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dewctl/dewctl.h"

static int run_nothing(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	(void)ctl, (void)call, (void)err;
	return 0;
}

static const struct ctl_option add_options[] = {
    {"name", "N", "a name", NULL, true},
    {"most", "N", "a count", ctl_check_count, false},
    {"all", NULL, "a flag", NULL, false},
    {0},
};
static const struct ctl_verb thing_verbs[] = {
    {"add", "ID [MORE]", 1, 2, false, add_options, "Adds", NULL, run_nothing},
    {"list", "", 0, 0, true, NULL, "Lists", NULL, run_nothing},
    {"join", "NAME ID...", 2, CTL_ANY_NUMBER, false, NULL, "Joins", NULL, run_nothing},
    {0},
};
static const struct ctl_verb alone_verbs[] = {
    {"", "", 0, 0, true, NULL, "Stands alone", NULL, run_nothing},
    {0},
};
static const struct ctl_noun nouns[] = {
    {"thing", "Things", thing_verbs},
    {"alone", "One that stands alone", alone_verbs},
    {0},
};

/* A line of words with blanks between them, read; the words live as long as the test. */
struct line {
	char text[256];
	const char *words[32];
	struct ctl_call call;
	struct err err;
};

static enum ctl_wish read_line(struct line *line, const char *text)
{
	int count = 0;
	char *rest = NULL;
	snprintf(line->text, sizeof line->text, "dewctl %s", text);
	for (char *word = strtok_r(line->text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		line->words[count++] = word;
	return ctl_read(nouns, count, line->words, &line->call, &line->err);
}

static void assert_refused(const char *text, const char *says)
{
	struct line line = {0};
	assert_int_equal(read_line(&line, text), CTL_USAGE);
	if (strstr(line.err.text, says) == NULL)
		fail_msg("\"%s\" says: %s", text, line.err.text);
	ctl_call_release(&line.call);
}

static void assert_helps(const char *text, const struct ctl_noun *noun, const struct ctl_verb *verb)
{
	struct line line = {0};
	assert_int_equal(read_line(&line, text), CTL_HELP);
	assert_ptr_equal(line.call.noun, noun);
	assert_ptr_equal(line.call.verb, verb);
	ctl_call_release(&line.call);
}

static void arguments_and_options_may_be_mixed(void **state)
{
	struct line line = {0};
	(void)state;
	assert_int_equal(
	    read_line(&line, "-c /x.cfg thing add one --name=Two --most 3 four --all"), CTL_RUN);
	assert_string_equal(line.call.config, "/x.cfg");
	assert_ptr_equal(line.call.verb, &thing_verbs[0]);
	assert_int_equal(line.call.count, 2);
	assert_string_equal(line.call.arguments[0], "one");
	assert_string_equal(line.call.arguments[1], "four");
	assert_null(line.call.arguments[2]);
	assert_string_equal(ctl_value(&line.call, "name"), "Two");
	assert_int_equal(ctl_number(&line.call, "most", 20), 3);
	assert_non_null(ctl_value(&line.call, "all"));
	ctl_call_release(&line.call);
}

static void option_not_given_is_null_and_takes_its_default(void **state)
{
	struct line line = {0};
	(void)state;
	assert_int_equal(read_line(&line, "thing add one --name N"), CTL_RUN);
	assert_null(line.call.config);
	assert_null(ctl_value(&line.call, "all"));
	assert_int_equal(ctl_number(&line.call, "most", 20), 20);
	ctl_call_release(&line.call);
}

static void words_behind_two_hyphens_are_arguments(void **state)
{
	struct line line = {0};
	(void)state;
	assert_int_equal(read_line(&line, "thing add --name N -- --all -x"), CTL_RUN);
	assert_int_equal(line.call.count, 2);
	assert_string_equal(line.call.arguments[0], "--all");
	assert_string_equal(line.call.arguments[1], "-x");
	ctl_call_release(&line.call);
}

static void single_hyphen_is_an_argument(void **state)
{
	struct line line = {0};
	(void)state;
	assert_int_equal(read_line(&line, "thing add - --name N"), CTL_RUN);
	assert_string_equal(line.call.arguments[0], "-");
	ctl_call_release(&line.call);
}

static void any_number_of_arguments_is_taken_where_the_table_says_so(void **state)
{
	struct line line = {0};
	(void)state;
	assert_int_equal(read_line(&line, "thing join a b c d e f g"), CTL_RUN);
	assert_int_equal(line.call.count, 7);
	ctl_call_release(&line.call);
}

static void noun_that_stands_alone_takes_no_verb(void **state)
{
	struct line line = {0};
	(void)state;
	assert_int_equal(read_line(&line, "alone --json"), CTL_RUN);
	assert_ptr_equal(line.call.verb, &alone_verbs[0]);
	assert_true(line.call.json);
	ctl_call_release(&line.call);
	assert_refused("alone list", "one argument too many: list");
}

static void help_is_found_at_every_level(void **state)
{
	(void)state;
	assert_helps("--help", NULL, NULL);
	assert_helps("help", NULL, NULL);
	assert_helps("-c /x.cfg -h", NULL, NULL);
	assert_helps("thing --help", &nouns[0], NULL);
	assert_helps("thing add --help", &nouns[0], &thing_verbs[0]);
	assert_helps("thing add one -h", &nouns[0], &thing_verbs[0]);
	assert_helps("alone --help", &nouns[1], &alone_verbs[0]);
}

static void version_is_asked_for_in_front(void **state)
{
	struct line line = {0};
	(void)state;
	assert_int_equal(read_line(&line, "--version"), CTL_VERSION);
	ctl_call_release(&line.call);
}

static void wrong_usage_says_what_is_wrong(void **state)
{
	(void)state;
	assert_refused("", "say what to do");
	assert_refused("nothing", "there is no such command nothing");
	assert_refused("thing", "say what to do with a thing");
	assert_refused("thing burn", "burn");
	assert_refused("-c", "missing behind -c");
	assert_refused("--json thing list", "--json");
	assert_refused("thing add --name N", "too few arguments: ID [MORE]");
	assert_refused("thing add a b c --name N", "one argument too many: c");
	assert_refused("thing add one", "missing: --name N");
	assert_refused("thing add one --name", "missing behind --name");
	assert_refused("thing add one --name N --name M", "twice");
	assert_refused("thing add one --nome N", "there is no option --nome");
	assert_refused("thing add one -n N", "there is no option -n");
	assert_refused("thing add one -c F", "-c stands before the noun: dewctl -c FILE thing add");
	assert_refused("thing add one --config F", "--config stands before the noun: dewctl");
	assert_refused("thing add one --config=F", "stands before the noun");
	assert_refused("thing add one --name N --all=1", "no value");
	assert_refused("thing add one --name N --json", "--json");
	assert_refused("thing list --json=1", "--json=1");
}

static void values_are_judged_by_the_options_own_check(void **state)
{
	(void)state;
	assert_refused("thing add one --name N --most 0", "a number from 1 on, not \"0\"");
	assert_refused("thing add one --name N --most=x", "a number from 1 on, not \"x\"");
}

static void control_characters_of_the_command_line_are_not_repeated(void **state)
{
	(void)state;
	assert_refused("thing \x1b[2J", "\\x1b[2J");
	assert_refused("thing add one --name N --most \x1b[2J", "\\x1b[2J");
}

/* -- the real tables -- */

static void every_verb_has_help_and_a_function(void **state)
{
	(void)state;
	for (const struct ctl_noun *noun = ctl_nouns; noun->name != NULL; noun++) {
		assert_non_null(noun->help);
		for (const struct ctl_verb *verb = noun->verbs; verb->name != NULL; verb++) {
			assert_non_null(verb->help);
			assert_non_null(verb->arguments);
			assert_non_null(verb->run);
			assert_true(verb->most == CTL_ANY_NUMBER || verb->most >= verb->least);
			size_t options = 0;
			for (const struct ctl_option *option = verb->options;
			     option != NULL && option->name != NULL; option++, options++) {
				assert_non_null(option->help);
				assert_true(option->argument != NULL || !option->required);
			}
			assert_true(options <= CTL_OPTIONS_MAX);
		}
	}
}

static void every_list_and_show_speaks_json(void **state)
{
	(void)state;
	for (const struct ctl_noun *noun = ctl_nouns; noun->name != NULL; noun++)
		for (const struct ctl_verb *verb = noun->verbs; verb->name != NULL; verb++)
			if (strcmp(verb->name, "list") == 0 || strcmp(verb->name, "show") == 0)
				assert_true(verb->json);
}

static void help_names_every_verb_and_option(void **state)
{
	char *printed = NULL;
	size_t len = 0;
	(void)state;
	FILE *out = open_memstream(&printed, &len);
	assert_non_null(out);
	ctl_print_help(nouns, NULL, NULL, out);
	ctl_print_help(nouns, &nouns[0], NULL, out);
	ctl_print_help(nouns, &nouns[0], &thing_verbs[0], out);
	fclose(out);
	assert_non_null(strstr(printed, "thing join NAME ID..."));
	assert_non_null(
	    strstr(printed, "usage: dewctl thing add ID [MORE] --name N [--most N] [--all]\n"));
	assert_non_null(strstr(printed, "usage: dewctl thing add|list|join ..."));
	assert_non_null(strstr(printed, "a flag"));
	free(printed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arguments_and_options_may_be_mixed),
	    cmocka_unit_test(option_not_given_is_null_and_takes_its_default),
	    cmocka_unit_test(words_behind_two_hyphens_are_arguments),
	    cmocka_unit_test(single_hyphen_is_an_argument),
	    cmocka_unit_test(any_number_of_arguments_is_taken_where_the_table_says_so),
	    cmocka_unit_test(noun_that_stands_alone_takes_no_verb),
	    cmocka_unit_test(help_is_found_at_every_level),
	    cmocka_unit_test(version_is_asked_for_in_front),
	    cmocka_unit_test(wrong_usage_says_what_is_wrong),
	    cmocka_unit_test(values_are_judged_by_the_options_own_check),
	    cmocka_unit_test(control_characters_of_the_command_line_are_not_repeated),
	    cmocka_unit_test(every_verb_has_help_and_a_function),
	    cmocka_unit_test(every_list_and_show_speaks_json),
	    cmocka_unit_test(help_names_every_verb_and_option),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("dewctl_options", tests, NULL, NULL);
}
