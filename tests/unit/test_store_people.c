/* Members, contacts, publishers, groups. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "store_fixture.h"

static bool add_member(struct fixture *f, const char *id, const char *parent)
{
	struct member member = {.name = "Some state", .kind = "local", .added_at = 7};
	bool added;
	snprintf(member.id, sizeof member.id, "%s", id);
	snprintf(member.parent, sizeof member.parent, "%s", parent);
	OK(f, store_member_add(f->store, &member, &added, &f->err));
	return added;
}

static void a_member_is_active_and_its_id_taken_once(void **state)
{
	struct fixture *f = *state;
	struct member member;
	bool found;
	assert_true(add_member(f, "us", ""));
	assert_true(add_member(f, "us-de", "us"));
	assert_false(add_member(f, "us-de", ""));
	OK(f, store_member_get(f->store, "us-de", &member, &found, &f->err));
	assert_true(found);
	assert_string_equal(member.name, "Some state");
	assert_string_equal(member.kind, "local");
	assert_string_equal(member.parent, "us");
	assert_string_equal(member.state, "active");
	assert_int_equal(member.added_at, 7);
	OK(f, store_member_get(f->store, "fr", &member, &found, &f->err));
	assert_false(found);
}

static void a_member_of_unknown_kind_parent_or_form_is_refused(void **state)
{
	struct fixture *f = *state;
	static const struct member wrong[] = {
	    {.id = "a", .name = "n", .kind = "galactic"},
	    {.id = "a", .name = "n", .kind = "local", .parent = "nobody"},
	    {.id = "A", .name = "n", .kind = "local"},
	    {.id = "a@b", .name = "n", .kind = "local"},
	    {.id = "", .name = "n", .kind = "local"},
	};
	bool added;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		REFUSED(store_member_add(f->store, &wrong[i], &added, &f->err));
		assert_false(added);
		assert_int_equal(f->err.whom, ERR_MESSAGE);
	}
}

static void a_member_moves_by_its_table(void **state)
{
	struct fixture *f = *state;
	struct member member;
	bool moved;
	add_member(f, "us", "");
	OK(f, store_member_move(f->store, "us", "suspend", &moved, &f->err));
	assert_true(moved);
	OK(f, store_member_move(f->store, "us", "suspend", &moved, &f->err));
	assert_false(moved);
	OK(f, store_member_get(f->store, "us", &member, &moved, &f->err));
	assert_string_equal(member.state, "suspended");
	OK(f, store_member_move(f->store, "us", "resume", &moved, &f->err));
	assert_true(moved);
	OK(f, store_member_move(f->store, "nobody", "leave", &moved, &f->err));
	assert_false(moved);
}

static bool add_contact(struct fixture *f, const char *member, const char *address,
    const char *fingerprint, int64_t rank, int64_t *id)
{
	struct contact contact = {.name = "Somebody", .clearance = "AMBER", .rank = rank};
	bool added;
	snprintf(contact.member, sizeof contact.member, "%s", member);
	snprintf(contact.address, sizeof contact.address, "%s", address);
	snprintf(contact.fingerprint, sizeof contact.fingerprint, "%s", fingerprint);
	OK(f, store_contact_add(f->store, &contact, &added, &f->err));
	*id = contact.id;
	return added;
}

static void an_address_or_certificate_is_one_contacts_until_that_is_removed(void **state)
{
	struct fixture *f = *state;
	struct contact contact;
	int64_t first;
	int64_t other;
	bool found;
	add_member(f, "us", "");
	assert_true(add_contact(f, "us", "a@example.org", "F1", 1, &first));
	assert_false(add_contact(f, "us", "A@Example.ORG", "F2", 1, &other));
	assert_false(add_contact(f, "us", "b@example.org", "F1", 1, &other));
	OK(f, store_contact_by_address(f->store, "A@example.org", &contact, &found, &f->err));
	assert_true(found);
	assert_int_equal(contact.id, first);
	assert_string_equal(contact.address, "a@example.org");
	assert_string_equal(contact.clearance, "AMBER");

	OK(f, store_contact_remove(f->store, first, &f->err));
	OK(f, store_contact_by_address(f->store, "a@example.org", &contact, &found, &f->err));
	assert_false(found);
	OK(f, store_contact_by_fingerprint(f->store, "F1", &contact, &found, &f->err));
	assert_false(found);
	OK(f, store_contact_get(f->store, first, &contact, &found, &f->err));
	assert_true(found); /* for the record */
	assert_true(contact.removed);

	assert_true(add_contact(f, "us", "a@example.org", "F1", 1, &other));
	assert_int_not_equal(other, first);
	OK(f, store_contact_by_fingerprint(f->store, "F1", &contact, &found, &f->err));
	assert_int_equal(contact.id, other);
}

static void a_contact_of_nobody_or_without_clearance_is_refused(void **state)
{
	struct fixture *f = *state;
	struct contact contact = {
	    .member = "none", .address = "a@b.c", .clearance = "RED", .rank = 1};
	bool added;
	REFUSED(store_contact_add(f->store, &contact, &added, &f->err));
	add_member(f, "us", "");
	strcpy(contact.member, "us");
	strcpy(contact.clearance, "PURPLE");
	REFUSED(store_contact_add(f->store, &contact, &added, &f->err));
	assert_false(added);
}

struct list {
	struct buf text;
};

static int list_contact(void *context, const struct contact *contact, struct err *err)
{
	struct list *list = context;
	(void)err;
	buf_printf(&list->text, "%s ", contact->address);
	return 0;
}

static void contacts_come_by_member_and_rank(void **state)
{
	struct fixture *f = *state;
	struct list list = {BUF_EMPTY(BUF_SMALL)};
	int64_t id;
	int64_t gone;
	add_member(f, "us", "");
	add_member(f, "de", "");
	add_contact(f, "us", "u2@x.org", "F1", 2, &id);
	add_contact(f, "us", "u1@x.org", "F2", 1, &id);
	add_contact(f, "de", "d1@x.org", "F3", 1, &id);
	add_contact(f, "de", "gone@x.org", "F4", 1, &gone);
	OK(f, store_contact_remove(f->store, gone, &f->err));
	OK(f, store_contact_each(f->store, NULL, list_contact, &list, &f->err));
	assert_string_equal(buf_text(&list.text), "d1@x.org u1@x.org u2@x.org ");
	buf_clear(&list.text);
	OK(f, store_contact_each(f->store, "us", list_contact, &list, &f->err));
	assert_string_equal(buf_text(&list.text), "u1@x.org u2@x.org ");
	buf_release(&list.text);
}

/* A callback that asks the same question again, which must not disturb the first asking. */
static int nested(void *context, const struct contact *contact, struct err *err)
{
	struct fixture *f = context;
	struct list list = {BUF_EMPTY(BUF_SMALL)};
	(void)contact;
	const int result = store_contact_each(f->store, NULL, list_contact, &list, err);
	assert_string_equal(buf_text(&list.text), "a@x.org b@x.org ");
	buf_release(&list.text);
	f->err.text[0]++;
	return result;
}

static void a_listing_may_list_again(void **state)
{
	struct fixture *f = *state;
	int64_t id;
	add_member(f, "us", "");
	add_contact(f, "us", "a@x.org", "F1", 1, &id);
	add_contact(f, "us", "b@x.org", "F2", 1, &id);
	f->err.text[0] = 0;
	OK(f, store_contact_each(f->store, NULL, nested, f, &f->err));
	assert_int_equal(f->err.text[0], 2);
}

static int stop(void *context, const struct contact *contact, struct err *err)
{
	(void)context;
	return err_set(err, ERR_MESSAGE, ERR_NEVER, "stopped at %s", contact->address);
}

static void a_callbacks_error_ends_the_listing(void **state)
{
	struct fixture *f = *state;
	int64_t id;
	add_member(f, "us", "");
	add_contact(f, "us", "a@x.org", "F1", 1, &id);
	REFUSED(store_contact_each(f->store, NULL, stop, NULL, &f->err));
	assert_string_equal(f->err.text, "stopped at a@x.org");
	OK(f, store_begin(f->store, &f->err)); /* nothing is left open */
	OK(f, store_commit(f->store, &f->err));
}

static int count_publisher(void *context, const struct publisher *publisher, struct err *err)
{
	(void)publisher;
	(void)err;
	++*(int *)context;
	return 0;
}

static void publishers_are_unique_until_removed(void **state)
{
	struct fixture *f = *state;
	struct publisher publisher = {
	    .address = "p@example.org", .name = "P", .fingerprint = "F1", .added_at = 3};
	struct publisher found;
	int count = 0;
	bool flag;
	OK(f, store_publisher_add(f->store, &publisher, &flag, &f->err));
	assert_true(flag);
	const int64_t first = publisher.id;
	OK(f, store_publisher_add(f->store, &publisher, &flag, &f->err));
	assert_false(flag);
	OK(f, store_publisher_by_address(f->store, "P@example.org", &found, &flag, &f->err));
	assert_true(flag);
	assert_int_equal(found.added_at, 3);
	OK(f, store_publisher_by_fingerprint(f->store, "F1", &found, &flag, &f->err));
	assert_true(flag);
	OK(f, store_publisher_each(f->store, count_publisher, &count, &f->err));
	assert_int_equal(count, 1);
	OK(f, store_publisher_remove(f->store, first, &f->err));
	OK(f, store_publisher_by_fingerprint(f->store, "F1", &found, &flag, &f->err));
	assert_false(flag);
	OK(f, store_publisher_get(f->store, first, &found, &flag, &f->err));
	assert_true(flag);
	assert_true(found.removed);
	OK(f, store_publisher_add(f->store, &publisher, &flag, &f->err));
	assert_true(flag);
}

static int list_entry(
    void *context, const char *group, const char *entry, bool is_contact, struct err *err)
{
	struct list *list = context;
	(void)err;
	buf_printf(&list->text, "%s:%s%s ", group, is_contact ? "@" : "", entry);
	return 0;
}

static bool add_entry(struct fixture *f, const char *group, const char *entry)
{
	bool known;
	bool added;
	OK(f, store_group_add(f->store, group, entry, &known, &added, &f->err));
	return known;
}

static void groups_hold_members_and_contacts_that_exist(void **state)
{
	struct fixture *f = *state;
	struct list list = {BUF_EMPTY(BUF_SMALL)};
	int64_t contact;
	bool found;
	add_member(f, "us", "");
	add_contact(f, "us", "a@x.org", "F1", 1, &contact);
	assert_true(add_entry(f, "energy", "us"));
	assert_true(add_entry(f, "energy", "A@x.org"));
	assert_true(add_entry(f, "energy", "us")); /* once more changes nothing */
	assert_true(add_entry(f, "g7", "us"));
	assert_false(add_entry(f, "g7", "fr"));
	assert_false(add_entry(f, "g7", "nobody@x.org"));
	OK(f, store_group_each(f->store, NULL, list_entry, &list, &f->err));
	assert_string_equal(buf_text(&list.text), "energy:@a@x.org energy:us g7:us ");
	buf_clear(&list.text);
	OK(f, store_contact_remove(f->store, contact, &f->err));
	OK(f, store_group_each(f->store, "energy", list_entry, &list, &f->err));
	assert_string_equal(buf_text(&list.text), "energy:us ");
	buf_clear(&list.text);
	OK(f, store_group_remove(f->store, "energy", &found, &f->err));
	assert_true(found);
	OK(f, store_group_remove(f->store, "energy", &found, &f->err));
	assert_false(found);
	OK(f, store_group_each(f->store, NULL, list_entry, &list, &f->err));
	assert_string_equal(buf_text(&list.text), "g7:us ");
	buf_release(&list.text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_member_is_active_and_its_id_taken_once),
	    TEST(a_member_of_unknown_kind_parent_or_form_is_refused),
	    TEST(a_member_moves_by_its_table),
	    TEST(an_address_or_certificate_is_one_contacts_until_that_is_removed),
	    TEST(a_contact_of_nobody_or_without_clearance_is_refused),
	    TEST(contacts_come_by_member_and_rank),
	    TEST(a_listing_may_list_again),
	    TEST(a_callbacks_error_ends_the_listing),
	    TEST(publishers_are_unique_until_removed),
	    TEST(groups_hold_members_and_contacts_that_exist),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_people", tests, NULL, NULL);
}
