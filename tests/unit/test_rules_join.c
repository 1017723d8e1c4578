#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/join.h"

static void taken(const char *text, const char *organisation, const char *address, const char *name)
{
	struct join_request request = {.id = 0};
	struct refusal refusal = {0};
	if (!join_read(view_of(text), &request, &refusal))
		fail_msg("refused: %s", refusal.text);
	assert_string_equal(request.organisation, organisation);
	assert_string_equal(request.address, address);
	assert_string_equal(request.name, name);
}

static void refused(const char *text, int line, const char *part)
{
	struct join_request request = {.id = 0};
	struct refusal refusal = {0};
	if (join_read(view_of(text), &request, &refusal))
		fail_msg("taken: %s", text);
	assert_int_equal(refusal.line, line);
	if (strstr(refusal.text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", refusal.text, part);
}

static void organisation_address_and_name_are_read(void **state)
{
	(void)state;
	taken("Join: Ohio\nAddress: a@oh.example\nName: Erika\n\nHello: there\n", "Ohio",
	    "a@oh.example", "Erika");
	taken("join:  Ohio \naddress: a@oh.example\n", "Ohio", "a@oh.example", "");
}

static void missing_unknown_and_bad_fields_are_refused(void **state)
{
	char long_name[400] = "Join: ";
	(void)state;
	refused("Join: Ohio\n", 1, "Address is missing");
	refused("Join:\nAddress: a@oh.example\n", 1, "Join is missing");
	refused("Join: Ohio\nAddress: nobody\n", 2, "Address is no mail address");
	refused("Join: Ohio\nAddress: a@oh.example\nTLP: RED\n", 3, "no field");
	refused("Join: \xff\nAddress: a@oh.example\n", 1, "not UTF-8");
	memset(long_name + 6, 'x', 300);
	strcpy(long_name + 306, "\nAddress: a@oh.example\n");
	refused(long_name, 1, "too long");
}

static struct mail_content *content_of(const char *text)
{
	struct mail_content *content = calloc(1, sizeof *content);
	assert_non_null(content);
	content->text = view_of(text);
	return content;
}

static void certificate_is_found_among_attachments_before_the_text(void **state)
{
	static const char armored[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nx\n";
	struct mail_content *content = content_of(armored);
	(void)state;
	assert_true(view_is(join_certificate(content), armored));
	content->parts[0] = (struct mail_part){.type = "text/plain", .content = VIEW("no key")};
	content->parts[1] =
	    (struct mail_part){.type = "application/pgp-keys", .content = VIEW("binary")};
	content->part_count = 2;
	assert_true(view_is(join_certificate(content), "binary"));
	free(content);
}

static void mail_without_a_certificate_has_none(void **state)
{
	struct mail_content *content = content_of("Join: Ohio\n\nPGP PUBLIC KEY BLOCK\n");
	(void)state;
	assert_int_equal(join_certificate(content).len, 0);
	free(content);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(organisation_address_and_name_are_read),
	    cmocka_unit_test(missing_unknown_and_bad_fields_are_refused),
	    cmocka_unit_test(certificate_is_found_among_attachments_before_the_text),
	    cmocka_unit_test(mail_without_a_certificate_has_none),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_join", tests, NULL, NULL);
}
