/* The chain of the log: whatever is done to it behind the store's back shows. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "store/audit.h"
#include "store_fixture.h"

/* Whoever can write the file can drop the barrier first. */
#define NO_BARRIER                                                                                 \
	"DROP TRIGGER audit_is_not_edited; DROP TRIGGER audit_is_not_cut;"                         \
	"DROP TRIGGER audit_only_grows;"

enum { ENTRIES = 6 };

static int with_entries(void **state)
{
	if (fixture_setup(state) != 0)
		return -1;
	struct fixture *f = *state;
	for (int i = 1; i <= ENTRIES; i++)
		OK(f, store_audit_add(f->store, 1000 + i, "gate", "delivery.sent", "DEW-2026-0001",
			  &f->err, "attempt %d", i));
	return 0;
}

#define CHAIN(name) cmocka_unit_test_setup_teardown(name, with_entries, fixture_teardown)

/* Checks the chain; returns the first wrong entry. */
static int64_t first_bad(struct fixture *f, int64_t checkpoint, const char *hash)
{
	char what[STORE_REASON_SIZE];
	int64_t count;
	int64_t bad;
	OK(f, store_audit_verify(f->store, checkpoint, hash, &count, &bad, what, &f->err));
	assert_int_equal(bad == 0, what[0] == '\0');
	return bad;
}

static void a_log_that_nobody_touched_is_sound(void **state)
{
	struct fixture *f = *state;
	char what[STORE_REASON_SIZE];
	char hash[DIGEST_HEX_SIZE];
	int64_t count;
	int64_t bad;
	int64_t last;
	OK(f, store_audit_last(f->store, &last, hash, &f->err));
	assert_int_equal(last, ENTRIES);
	OK(f, store_audit_verify(f->store, last, hash, &count, &bad, what, &f->err));
	assert_int_equal(count, ENTRIES);
	assert_int_equal(bad, 0);
	assert_string_equal(what, "");
}

static void an_empty_log_is_sound_and_ends_at_zero(void **state)
{
	struct fixture *f = *state;
	char hash[DIGEST_HEX_SIZE];
	int64_t last;
	OK(f, store_audit_last(f->store, &last, hash, &f->err));
	assert_int_equal(last, 0);
	assert_int_equal(strspn(hash, "0"), DIGEST_HEX_SIZE - 1);
	assert_int_equal(first_bad(f, 0, NULL), 0);
}

/* I14. */
static void an_edit_of_any_field_shows(void **state)
{
	static const char *const edits[] = {"at = at + 1", "actor = 'admin eve'",
	    "event = 'delivery.failed'", "subject = 'DEW-2026-0002'", "detail = 'attempt 9'",
	    "detail = detail || ' '",
	    /* Bytes moved from one field to the next. */
	    "event = event || char(10) || subject, subject = 'attempt 3', detail = ''",
	    "event = 'delivery.sen', subject = 't' || subject",
	    "hash = replace(hash, substr(hash, 1, 1), 'x')"};
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		char sql[512];
		with_entries(state);
		struct fixture *f = *state;
		snprintf(
		    sql, sizeof sql, NO_BARRIER "UPDATE audit SET %s WHERE sequence = 3", edits[i]);
		fixture_raw(f, sql);
		if (first_bad(f, 0, NULL) != 3)
			fail_msg("not seen: %s", edits[i]);
		fixture_teardown(state);
	}
}

/* The same bytes in the same order, with the borders between the fields elsewhere. */
static void fields_whose_borders_moved_show(void **state)
{
	struct fixture *f = *state;
	OK(f, store_audit_add(f->store, 1, "gate", "one", "two", &f->err, "three\n%s", "four"));
	fixture_raw(f, NO_BARRIER "UPDATE audit SET event = 'one' || char(10) || 'two',"
				  " subject = 'three', detail = 'four' WHERE sequence = 7");
	assert_int_equal(first_bad(f, 0, NULL), 7);
}

static void text_put_behind_what_is_shown_is_seen(void **state)
{
	struct fixture *f = *state;
	fixture_raw(f, NO_BARRIER "UPDATE audit SET detail = detail || char(0) || 'more'"
				  " WHERE sequence = 2");
	assert_int_equal(first_bad(f, 0, NULL), 2);
}

/* The forger hashes the changed entry rightly, as a store that had it so from the start would. */
static void an_edit_with_its_hash_made_right_shows_at_the_next(void **state)
{
	struct fixture *f = *state;
	char sql[2 * FIXTURE_PATH_SIZE + 256];
	void *other_state;
	assert_int_equal(fixture_setup(&other_state), 0);
	struct fixture *other = other_state;
	for (int i = 1; i <= 3; i++)
		OK(other, store_audit_add(other->store, 1000 + i, "gate", "delivery.sent",
			      "DEW-2026-0001", &other->err, "attempt %d", i == 3 ? 7 : i));
	snprintf(sql, sizeof sql,
	    NO_BARRIER "ATTACH '%s' AS other; DELETE FROM audit WHERE sequence = 3;"
		       "INSERT INTO audit SELECT * FROM other.audit WHERE sequence = 3",
	    other->path);
	fixture_raw(f, sql);
	fixture_teardown(&other_state);
	assert_int_equal(first_bad(f, 0, NULL), 4);
}

static void a_removed_entry_shows_as_missing(void **state)
{
	struct fixture *f = *state;
	char what[STORE_REASON_SIZE];
	int64_t count;
	int64_t bad;
	fixture_raw(f, NO_BARRIER "DELETE FROM audit WHERE sequence = 4");
	OK(f, store_audit_verify(f->store, 0, NULL, &count, &bad, what, &f->err));
	assert_int_equal(bad, 4);
	assert_int_equal(count, 3);
	assert_string_equal(what, "entry 4 is missing");
}

static void a_removed_entry_shows_when_the_rest_moves_up(void **state)
{
	struct fixture *f = *state;
	fixture_raw(f, NO_BARRIER "DELETE FROM audit WHERE sequence = 4;"
				  "UPDATE audit SET sequence = 4 WHERE sequence = 5;"
				  "UPDATE audit SET sequence = 5 WHERE sequence = 6");
	assert_int_equal(first_bad(f, 0, NULL), 4);
}

static void a_removed_beginning_shows(void **state)
{
	struct fixture *f = *state;
	fixture_raw(f, NO_BARRIER "DELETE FROM audit WHERE sequence <= 2");
	assert_int_equal(first_bad(f, 0, NULL), 1);
}

static void an_inserted_entry_shows(void **state)
{
	struct fixture *f = *state;
	fixture_raw(f, NO_BARRIER
	    "UPDATE audit SET sequence = sequence + 100 WHERE sequence > 3;"
	    "INSERT INTO audit SELECT 4, at, actor, event, subject, detail, hash FROM audit"
	    " WHERE sequence = 3;"
	    "UPDATE audit SET sequence = sequence - 99 WHERE sequence > 100");
	assert_int_equal(first_bad(f, 0, NULL), 4);
}

static void an_entry_put_in_front_shows(void **state)
{
	struct fixture *f = *state;
	fixture_raw(f, NO_BARRIER "INSERT INTO audit SELECT 0, at, actor, event, subject, detail,"
				  " hash FROM audit WHERE sequence = 1");
	assert_int_equal(first_bad(f, 0, NULL), 1);
}

static void reordered_entries_show(void **state)
{
	struct fixture *f = *state;
	fixture_raw(f, NO_BARRIER "UPDATE audit SET sequence = 99 WHERE sequence = 2;"
				  "UPDATE audit SET sequence = 2 WHERE sequence = 3;"
				  "UPDATE audit SET sequence = 3 WHERE sequence = 99");
	assert_int_equal(first_bad(f, 0, NULL), 2);
}

static void a_cut_tail_shows_against_a_checkpoint(void **state)
{
	struct fixture *f = *state;
	char hash[DIGEST_HEX_SIZE];
	int64_t last;
	OK(f, store_audit_last(f->store, &last, hash, &f->err));
	fixture_raw(f, NO_BARRIER "DELETE FROM audit WHERE sequence > 4");
	assert_int_equal(first_bad(f, 0, NULL), 0); /* a chain cannot know its own end */
	assert_int_equal(first_bad(f, last, hash), 5);
}

static void a_log_written_anew_shows_against_a_checkpoint(void **state)
{
	struct fixture *f = *state;
	char hash[DIGEST_HEX_SIZE];
	int64_t last;
	OK(f, store_audit_last(f->store, &last, hash, &f->err));
	fixture_raw(f, NO_BARRIER "DELETE FROM audit");
	for (int i = 1; i <= ENTRIES + 2; i++)
		OK(f, store_audit_add(f->store, 1000 + i, "gate", "delivery.sent", "DEW-2026-0001",
			  &f->err, "attempt %d", i == 2 ? 99 : i));
	assert_int_equal(first_bad(f, 0, NULL), 0);
	assert_int_equal(first_bad(f, last, hash), ENTRIES);
}

static void growth_behind_a_checkpoint_is_sound(void **state)
{
	struct fixture *f = *state;
	char hash[DIGEST_HEX_SIZE];
	int64_t last;
	OK(f, store_audit_last(f->store, &last, hash, &f->err));
	OK(f, store_audit_add(f->store, 1, "admin a", "x", "y", &f->err, "%s", ""));
	assert_int_equal(first_bad(f, last, hash), 0);
	hash[5] = hash[5] == '0' ? '1' : '0';
	assert_int_equal(first_bad(f, last, hash), last);
}

/* Without a transaction of its own: an entry lives and dies with what it tells. */
static void an_entry_belongs_to_the_callers_transaction(void **state)
{
	struct fixture *f = *state;
	char hash[DIGEST_HEX_SIZE];
	int64_t last;
	OK(f, store_begin(f->store, &f->err));
	OK(f, store_audit_add(f->store, 1, "gate", "x", "y", &f->err, "%s", "gone"));
	store_rollback(f->store);
	OK(f, store_audit_last(f->store, &last, hash, &f->err));
	assert_int_equal(last, ENTRIES);
	assert_int_equal(first_bad(f, 0, NULL), 0);
}

static int expect_cut(void *context, const struct audit_entry *entry, struct err *err)
{
	(void)context;
	(void)err;
	assert_int_equal(strlen(entry->subject), sizeof entry->subject - 1);
	assert_int_equal(strlen(entry->detail), sizeof entry->detail - 1);
	assert_int_equal(entry->sequence, ENTRIES + 1);
	return 0;
}

static void long_text_is_cut_and_the_chain_stays_sound(void **state)
{
	struct fixture *f = *state;
	char text[4000];
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	OK(f, store_audit_add(f->store, 1, text, text, text, &f->err, "%s", text));
	assert_int_equal(first_bad(f, 0, NULL), 0);
	OK(f, store_audit_each(f->store, ENTRIES + 1, 10, expect_cut, NULL, &f->err));
}

static int collect(void *context, const struct audit_entry *entry, struct err *err)
{
	int64_t *sum = context;
	(void)err;
	*sum = *sum * 10 + entry->sequence;
	assert_string_equal(entry->actor, "gate");
	assert_int_equal(entry->at, 1000 + entry->sequence);
	return 0;
}

static void entries_are_listed_from_a_number_on(void **state)
{
	struct fixture *f = *state;
	int64_t seen = 0;
	OK(f, store_audit_each(f->store, 3, 2, collect, &seen, &f->err));
	assert_int_equal(seen, 34);
}

/* I14. */
static void the_barrier_stops_plain_mistakes(void **state)
{
	struct fixture *f = *state;
	fixture_refused(f, "UPDATE audit SET detail = '' WHERE sequence = 1");
	fixture_refused(f, "DELETE FROM audit WHERE sequence = 6");
	fixture_refused(f, "INSERT INTO audit VALUES (9, 1, 'a', 'b', 'c', 'd', 'e')");
	assert_int_equal(first_bad(f, 0, NULL), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    CHAIN(a_log_that_nobody_touched_is_sound),
	    TEST(an_empty_log_is_sound_and_ends_at_zero),
	    cmocka_unit_test(an_edit_of_any_field_shows),
	    CHAIN(fields_whose_borders_moved_show),
	    CHAIN(text_put_behind_what_is_shown_is_seen),
	    CHAIN(an_edit_with_its_hash_made_right_shows_at_the_next),
	    CHAIN(a_removed_entry_shows_as_missing),
	    CHAIN(a_removed_entry_shows_when_the_rest_moves_up),
	    CHAIN(a_removed_beginning_shows),
	    CHAIN(an_inserted_entry_shows),
	    CHAIN(an_entry_put_in_front_shows),
	    CHAIN(reordered_entries_show),
	    CHAIN(a_cut_tail_shows_against_a_checkpoint),
	    CHAIN(a_log_written_anew_shows_against_a_checkpoint),
	    CHAIN(growth_behind_a_checkpoint_is_sound),
	    CHAIN(an_entry_belongs_to_the_callers_transaction),
	    CHAIN(long_text_is_cut_and_the_chain_stays_sound),
	    CHAIN(entries_are_listed_from_a_number_on),
	    CHAIN(the_barrier_stops_plain_mistakes),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_audit", tests, NULL, NULL);
}
