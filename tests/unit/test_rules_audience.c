#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "rules/audience.h"

static const struct member MEMBERS[] = {
    {.id = "fr", .state = "active"},
    {.id = "us", .state = "active"},
    {.id = "us-de", .state = "suspended", .parent = "us"},
    {.id = "gone", .state = "left"},
    {.id = "new", .state = "invited", .parent = "us-de"},
    {.id = "empty", .state = "active"},
};

enum { ANA, BEN, CEM, DAN, EVE, FAY, GUS, CONTACTS };

static const struct contact PERSONS[CONTACTS] = {
    [ANA] = {.member = "fr", .address = "ana@example.fr"},
    [BEN] = {.member = "fr", .address = "Ben@example.fr"},
    [CEM] = {.member = "us", .address = "cem@example.us"},
    [DAN] = {.member = "us-de", .address = "dan@example.us"},
    [EVE] = {.member = "gone", .address = "eve@example.com"},
    [FAY] = {.member = "new", .address = "fay@example.com"},
    [GUS] = {.member = "us", .address = "gus@example.us", .removed = true},
};

static const struct group_entry ENTRIES[] = {
    {.group = "g7", .entry = "fr", .is_contact = false},
    {.group = "g7", .entry = "us", .is_contact = false},
    {.group = "energy", .entry = "BEN@example.fr", .is_contact = true},
    {.group = "energy", .entry = "dan@example.us", .is_contact = true},
    {.group = "leavers", .entry = "gone", .is_contact = false},
    {.group = "odd", .entry = "fr", .is_contact = true}, /* no contact has the address "fr" */
    {.group = "us", .entry = "ana@example.fr", .is_contact = true}, /* a member is called so too */
};

static const struct people PEOPLE = {
    .members = MEMBERS,
    .member_count = sizeof MEMBERS / sizeof MEMBERS[0],
    .contacts = PERSONS,
    .contact_count = CONTACTS,
    .entries = ENTRIES,
    .entry_count = sizeof ENTRIES / sizeof ENTRIES[0],
};

static void means(const char *audience, const char *letters)
{
	bool chosen[CONTACTS];
	char got[CONTACTS + 1] = "";
	struct refusal refusal = {0};
	size_t len = 0;
	memset(chosen, 0xff, sizeof chosen); /* whatever stood there is overwritten */
	if (!audience_choose(&PEOPLE, view_of(audience), 3, chosen, &refusal))
		fail_msg("\"%s\" is refused: %s", audience, refusal.text);
	for (size_t i = 0; i < CONTACTS; i++) {
		if (chosen[i])
			got[len++] = (char)('A' + i);
	}
	got[len] = '\0';
	if (strcmp(got, letters) != 0)
		fail_msg("\"%s\" means %s and not %s", audience, got, letters);
}

static void refused_for(struct view audience, const char *part)
{
	bool chosen[CONTACTS];
	struct refusal refusal = {0};
	if (audience_choose(&PEOPLE, audience, 3, chosen, &refusal))
		fail_msg("\"%.*s\" is taken", (int)audience.len, audience.data);
	assert_int_equal(refusal.line, 3);
	if (strstr(refusal.text, part) == NULL)
		fail_msg("\"%s\" has no \"%s\"", refusal.text, part);
}

static void refused(const char *audience, const char *part)
{
	refused_for(view_of(audience), part);
}

static void all_means_every_contact_of_members_that_have_not_left(void **state)
{
	(void)state;
	means("all", "ABCDF");
	means("ALL", "ABCDF");
	means(" All ", "ABCDF");
}

static void member_means_its_contacts(void **state)
{
	(void)state;
	means("fr", "AB");
	means("us-de", "D");
}

static void contact_is_named_by_address_in_any_case(void **state)
{
	(void)state;
	means("ana@example.fr", "A");
	means("BEN@EXAMPLE.FR", "B");
}

static void group_means_members_and_single_contacts(void **state)
{
	(void)state;
	means("g7", "ABC");
	means("energy", "BD");
}

static void name_of_both_group_and_member_means_both(void **state)
{
	(void)state;
	means("us", "AC");
}

static void names_add_up_and_duplicates_change_nothing(void **state)
{
	(void)state;
	means("fr, us-de", "ABD");
	means("fr,fr,all,fr", "ABCDF");
	means("all, -us-de, -us-de", "ABCF");
}

static void name_with_asterisk_means_the_member_and_all_below(void **state)
{
	(void)state;
	means("us/*", "CDF");
	means("us-de/*", "DF");
	means("fr/*", "AB");
	means("all, -us/*", "AB");
	means("us/*, -us-de", "CF");
	refused("atlantis/*", "names \"atlantis/*\"");
	refused("g7/*", "names \"g7/*\"");
	refused("all/*", "names \"all/*\"");
	refused("/*", "names \"/*\"");
	refused("us/**", "names \"us/**\"");
	refused("gone/*", "Audience means nobody");
}

static void member_that_is_its_own_parent_hangs_nothing(void **state)
{
	const struct member ring[] = {{.id = "a", .state = "active", .parent = "b"},
	    {.id = "b", .state = "active", .parent = "a"}};
	const struct contact person = {.member = "a", .address = "a@example.org"};
	const struct people people = {
	    .members = ring, .member_count = 2, .contacts = &person, .contact_count = 1};
	struct refusal refusal;
	bool chosen = false;
	(void)state;
	assert_true(audience_choose(&people, VIEW("b/*"), 1, &chosen, &refusal));
	assert_true(chosen);
}

static void minus_takes_away_wherever_it_stands(void **state)
{
	(void)state;
	means("all, -us-de", "ABCF");
	means("-us-de, all", "ABCF");
	means("-fr, all, fr", "CDF");
	means("all, - ana@example.fr", "BCDF");
	means("all,-energy", "ACF");
	means("g7,-Ben@Example.fr,-us-de", "AC");
}

static void minus_of_somebody_who_is_not_in_it_changes_nothing(void **state)
{
	(void)state;
	means("fr, -us-de", "AB");
	means("fr, -gone", "AB");
}

static void nobody_left_is_refused(void **state)
{
	static const char *const rows[] = {"-us-de", "-all", "all, -all", "fr, -fr", "gone",
	    "empty", "leavers", "odd", "gus@example.us", "eve@example.com", ""};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		refused(rows[i], "Audience means nobody");
}

static void unknown_name_refuses_the_whole_audience(void **state)
{
	(void)state;
	refused(
	    "all, atlantis", "Audience names \"atlantis\", which is no group, member or contact");
	refused("all, -atlantis", "names \"atlantis\"");
	refused("atlantis, all", "names \"atlantis\"");
	refused("FR", "names \"FR\"");
	refused("G7", "names \"G7\"");
	refused("all us", "names \"all us\"");
	refused("all;us", "names \"all;us\"");
	refused("--fr", "names \"-fr\"");
	refused("nobody@example.fr", "names \"nobody@example.fr\"");
	refused("\xe2\x88\x92us", "names \"\xe2\x88\x92us\""); /* a minus sign that is no hyphen */
}

static void empty_name_is_refused(void **state)
{
	(void)state;
	refused("all,,fr", "names \"\"");
	refused(",", "names \"\"");
	refused("-", "names \"\"");
	refused("all, - ", "names \"\"");
	refused("all, ", "names \"\"");
	means("all,", "ABCDF");
}

static void control_characters_never_reach_the_refusal(void **state)
{
	(void)state;
	refused("all, a\x1b[0m\r\nb", "names \"a\\x1b[0m\\x0d\\x0ab\"");
	refused_for(VIEW("fr\0"), "names \"fr\"");
	refused_for(VIEW("all\0, fr"), "names \"all\"");
}

static void very_long_name_is_quoted_in_short(void **state)
{
	char name[1000];
	struct refusal refusal;
	bool chosen[CONTACTS];
	(void)state;
	memset(name, 'x', sizeof name);
	assert_false(
	    audience_choose(&PEOPLE, (struct view){name, sizeof name}, 3, chosen, &refusal));
	assert_true(strlen(refusal.text) < 150);
}

static void contact_of_an_unknown_member_is_in_no_audience(void **state)
{
	static const struct contact stray = {.member = "nowhere", .address = "x@example.org"};
	const struct people people = {.contacts = &stray, .contact_count = 1};
	bool chosen[1];
	struct refusal refusal;
	(void)state;
	assert_false(audience_choose(&people, VIEW("all"), 1, chosen, &refusal));
}

static void gateway_without_people_refuses_every_audience(void **state)
{
	const struct people nobody = {0};
	bool chosen[1];
	struct refusal refusal;
	(void)state;
	assert_false(audience_choose(&nobody, VIEW("all"), 1, chosen, &refusal));
	assert_non_null(strstr(refusal.text, "Audience means nobody"));
}

static void member_is_found_by_its_whole_id(void **state)
{
	(void)state;
	assert_ptr_equal(people_member(&PEOPLE, "us-de"), &MEMBERS[2]);
	assert_ptr_equal(people_member(&PEOPLE, "us"), &MEMBERS[1]);
	assert_null(people_member(&PEOPLE, "u"));
	assert_null(people_member(&PEOPLE, "US"));
	assert_null(people_member(&PEOPLE, ""));
}

/* Ten thousand members with a contact each, all in one group. */
static void ten_thousand_contacts_are_chosen_at_once(void **state)
{
	enum { MANY = 10000, MOST_MS = 1000 };
	struct member *members = calloc(MANY, sizeof *members);
	struct contact *contacts = calloc(MANY, sizeof *contacts);
	struct group_entry *entries = calloc(MANY, sizeof *entries);
	bool *chosen = calloc(MANY, sizeof *chosen);
	struct refusal refusal;
	(void)state;
	assert_true(members != NULL && contacts != NULL && entries != NULL && chosen != NULL);
	for (int i = 0; i < MANY; i++) {
		snprintf(members[i].id, sizeof members[i].id, "member-%05d", i);
		snprintf(members[i].state, sizeof members[i].state, "active");
		snprintf(contacts[i].member, sizeof contacts[i].member, "member-%05d", i);
		snprintf(contacts[i].address, sizeof contacts[i].address, "c%05d@example.org", i);
		snprintf(entries[i].group, sizeof entries[i].group, "group-%d", i % 2);
		entries[i].is_contact = i % 4 < 2;
		snprintf(entries[i].entry, sizeof entries[i].entry, "%s",
		    entries[i].is_contact ? contacts[i].address : contacts[i].member);
	}
	const struct people people = {members, MANY, contacts, MANY, entries, MANY};
	const int64_t begin = clock_monotonic_ms();
	assert_true(audience_choose(
	    &people, VIEW("all, -group-1, group-0, -c00002@example.org"), 1, chosen, &refusal));
	const int64_t took = clock_monotonic_ms() - begin;
	for (int i = 0; i < MANY; i++)
		assert_int_equal(chosen[i], i % 2 == 0 && i != 2);
	assert_true(took < MOST_MS);
	free(members);
	free(contacts);
	free(entries);
	free(chosen);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_means_every_contact_of_members_that_have_not_left),
	    cmocka_unit_test(member_means_its_contacts),
	    cmocka_unit_test(contact_is_named_by_address_in_any_case),
	    cmocka_unit_test(group_means_members_and_single_contacts),
	    cmocka_unit_test(name_of_both_group_and_member_means_both),
	    cmocka_unit_test(names_add_up_and_duplicates_change_nothing),
	    cmocka_unit_test(name_with_asterisk_means_the_member_and_all_below),
	    cmocka_unit_test(member_that_is_its_own_parent_hangs_nothing),
	    cmocka_unit_test(minus_takes_away_wherever_it_stands),
	    cmocka_unit_test(minus_of_somebody_who_is_not_in_it_changes_nothing),
	    cmocka_unit_test(nobody_left_is_refused),
	    cmocka_unit_test(unknown_name_refuses_the_whole_audience),
	    cmocka_unit_test(empty_name_is_refused),
	    cmocka_unit_test(control_characters_never_reach_the_refusal),
	    cmocka_unit_test(very_long_name_is_quoted_in_short),
	    cmocka_unit_test(contact_of_an_unknown_member_is_in_no_audience),
	    cmocka_unit_test(gateway_without_people_refuses_every_audience),
	    cmocka_unit_test(member_is_found_by_its_whole_id),
	    cmocka_unit_test(ten_thousand_contacts_are_chosen_at_once),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_audience", tests, NULL, NULL);
}
