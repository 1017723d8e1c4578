/* Mail as it came in, and replays of what was signed. */
#include "config.h"

#include <string.h>

#include "store/state.h"
#include "store_fixture.h"

/* I2. */
static void the_same_bytes_are_one_arrival(void **state)
{
	struct fixture *f = *state;
	struct arrival arrival;
	struct buf raw = BUF_EMPTY(BUF_SMALL);
	int64_t first;
	int64_t again;
	int64_t other;
	bool fresh;
	OK(f, store_arrival_receive(f->store, VIEW("a\0b"), 5, &first, &fresh, &f->err));
	assert_true(fresh);
	OK(f, store_arrival_receive(f->store, VIEW("a\0b"), 6, &again, &fresh, &f->err));
	assert_false(fresh);
	assert_int_equal(again, first);
	OK(f, store_arrival_receive(f->store, VIEW("a\0c"), 7, &other, &fresh, &f->err));
	assert_true(fresh);
	assert_int_not_equal(other, first);
	OK(f, store_arrival_get(f->store, first, &arrival, &fresh, &f->err));
	assert_true(fresh);
	assert_int_equal(arrival.received_at, 5);
	assert_int_equal(arrival.size, 3);
	assert_string_equal(arrival.state, "received");
	OK(f, store_arrival_raw(f->store, first, &raw, &f->err));
	assert_int_equal(raw.len, 3);
	assert_memory_equal(raw.data, "a\0b", 3);
	buf_release(&raw);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM arrival_raw"), 2);
}

static void an_empty_arrival_is_kept(void **state)
{
	struct fixture *f = *state;
	struct buf raw = BUF_EMPTY(BUF_SMALL);
	OK(f, store_arrival_raw(f->store, fixture_arrival(f, ""), &raw, &f->err));
	assert_int_equal(raw.len, 0);
	REFUSED(store_arrival_raw(f->store, 99, &raw, &f->err));
	buf_release(&raw);
}

static void a_move_records_what_was_found_and_leaves_the_rest(void **state)
{
	struct fixture *f = *state;
	const int64_t id = fixture_arrival(f, "mail");
	struct arrival arrival;
	bool found;
	OK(f, store_arrival_move(f->store, id, "judge", "advisory", NULL, "ABCD", &f->err));
	OK(f, store_arrival_move(f->store, id, "refuse", NULL, "line 2: no", NULL, &f->err));
	OK(f, store_arrival_get(f->store, id, &arrival, &found, &f->err));
	assert_string_equal(arrival.state, "refused");
	assert_string_equal(arrival.meaning, "advisory");
	assert_string_equal(arrival.reason, "line 2: no");
	assert_string_equal(arrival.signer, "ABCD");
	REFUSED(store_arrival_move(f->store, 99, "judge", NULL, NULL, NULL, &f->err));
}

static int count_one(void *context, const struct arrival *arrival, struct err *err)
{
	(void)err;
	int64_t *sum = context;
	*sum = *sum * 10 + arrival->id;
	return 0;
}

/* I12. */
static void a_final_arrival_is_never_judged_again(void **state)
{
	struct fixture *f = *state;
	static const char *const ends[] = {"finish", "refuse", "give-up"};
	static const char *const events[] = {"judge", "finish", "refuse", "give-up"};
	static const char *const mails[] = {"1", "2", "3"};
	int64_t open = 0;
	for (size_t i = 0; i < 3; i++) {
		const int64_t id = fixture_arrival(f, mails[i]);
		OK(f, store_arrival_move(f->store, id, "judge", NULL, NULL, NULL, &f->err));
		OK(f, store_arrival_move(f->store, id, ends[i], NULL, NULL, NULL, &f->err));
		for (size_t e = 0; e < 4; e++)
			REFUSED(store_arrival_move(
			    f->store, id, events[e], "other", NULL, NULL, &f->err));
		assert_int_equal(fixture_arrival(f, mails[i]), id);
	}
	OK(f, store_arrival_each_open(f->store, count_one, &open, &f->err));
	assert_int_equal(open, 0);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM arrival WHERE meaning <> ''"), 0);
}

static void open_ones_come_oldest_first_and_all_newest_first(void **state)
{
	struct fixture *f = *state;
	int64_t seen = 0;
	const int64_t one = fixture_arrival(f, "1");
	const int64_t two = fixture_arrival(f, "2");
	fixture_arrival(f, "3");
	OK(f, store_arrival_move(f->store, one, "judge", NULL, NULL, NULL, &f->err));
	OK(f, store_arrival_move(f->store, two, "give-up", NULL, "no mail", NULL, &f->err));
	OK(f, store_arrival_each_open(f->store, count_one, &seen, &f->err));
	assert_int_equal(seen, 13);
	seen = 0;
	OK(f, store_arrival_each(f->store, 2, count_one, &seen, &f->err));
	assert_int_equal(seen, 32);
}

/* I2. */
static void signed_content_in_other_wrapping_is_a_replay(void **state)
{
	struct fixture *f = *state;
	const int64_t one = fixture_arrival(f, "1");
	const int64_t two = fixture_arrival(f, "2");
	bool fresh;
	OK(f, store_signed_seen(f->store, "DIGEST", one, &fresh, &f->err));
	assert_true(fresh);
	OK(f, store_signed_seen(f->store, "DIGEST", two, &fresh, &f->err));
	assert_false(fresh);
	OK(f, store_signed_seen(f->store, "OTHER", two, &fresh, &f->err));
	assert_true(fresh);
	REFUSED(store_signed_seen(f->store, "THIRD", 99, &fresh, &f->err));
}

static void what_was_rolled_back_was_not_seen(void **state)
{
	struct fixture *f = *state;
	const int64_t one = fixture_arrival(f, "1");
	bool fresh;
	OK(f, store_begin(f->store, &f->err));
	OK(f, store_signed_seen(f->store, "DIGEST", one, &fresh, &f->err));
	store_rollback(f->store);
	OK(f, store_signed_seen(f->store, "DIGEST", one, &fresh, &f->err));
	assert_true(fresh);
}

/* A mail of a hundred bytes received at `at`, judged. */
static int64_t judged(
    struct fixture *f, int64_t at, char fill, const char *meaning, const char *signer)
{
	char raw[101];
	int64_t id;
	bool fresh;
	memset(raw, fill, sizeof raw - 1);
	raw[sizeof raw - 1] = '\0';
	OK(f, store_arrival_receive(f->store, view_of(raw), at, &id, &fresh, &f->err));
	assert_true(fresh);
	OK(f, store_arrival_move(f->store, id, "judge", meaning, "why", signer, &f->err));
	OK(f, store_arrival_move(f->store, id, "finish", NULL, NULL, NULL, &f->err));
	return id;
}

static bool is_kept(struct fixture *f, int64_t id)
{
	struct arrival arrival;
	struct buf raw = BUF_EMPTY(BUF_SMALL);
	struct err err;
	bool found;
	OK(f, store_arrival_get(f->store, id, &arrival, &found, &f->err));
	const bool there = store_arrival_raw(f->store, id, &raw, &err) == 0;
	assert_true(found);
	assert_int_equal(there, arrival.kept);
	assert_int_equal(there ? 100 : 0, raw.len);
	buf_release(&raw);
	return there;
}

static void old_mail_of_strangers_goes_and_what_was_found_of_it_stays(void **state)
{
	struct fixture *f = *state;
	struct strangers gone;
	struct arrival arrival;
	bool found;
	const int64_t old = judged(f, 10, 'a', "unknown", NULL);
	const int64_t late = judged(f, 20, 'b', "unknown", NULL);
	OK(f, store_strangers_remove(f->store, 20, 1000, 50, &gone, &f->err));
	assert_int_equal(gone.count, 1);
	assert_int_equal(gone.bytes, 100);
	assert_int_equal(gone.first, old);
	assert_int_equal(gone.last, old);
	assert_false(is_kept(f, old));
	assert_true(is_kept(f, late));
	OK(f, store_arrival_get(f->store, old, &arrival, &found, &f->err));
	assert_string_equal(arrival.meaning, "unknown");
	assert_string_equal(arrival.reason, "why");
	OK(f, store_strangers_remove(f->store, 20, 1000, 50, &gone, &f->err));
	assert_int_equal(gone.count, 0);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM arrival_raw"), 1);
}

static void mail_of_anybody_known_is_never_removed(void **state)
{
	struct fixture *f = *state;
	struct strangers gone;
	const int64_t open = fixture_arrival(f, "open");
	const int64_t known[] = {
	    judged(f, 1, 'a', "advisory", "ABCD"),
	    judged(f, 1, 'b', "acknowledgment", "ABCD"),
	    judged(f, 1, 'c', "unknown", "ABCD"), /* signed by a contact who was removed */
	    judged(f, 1, 'd', "bounce", NULL),
	    judged(f, 1, 'e', "join", "ABCD"),
	    judged(f, 1, 'f', "report", "ABCD"),
	    judged(f, 1, 'g', "advisory", NULL),
	};
	judged(f, 1, 'h', "report", NULL);
	judged(f, 1, 'i', "fatal", NULL);
	judged(f, 1, 'j', "join", NULL);
	OK(f, store_strangers_remove(f->store, INT64_MAX, 0, 50, &gone, &f->err));
	assert_int_equal(gone.count, 3);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		assert_true(is_kept(f, known[i]));
	assert_int_equal(open, 1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM arrival_raw"), 8);
}

static void too_much_of_strangers_goes_oldest_first_a_little_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct strangers gone;
	int64_t ids[10];
	for (int i = 0; i < 10; i++)
		ids[i] = judged(f, 100 + i, (char)('a' + i), "unknown", NULL);
	OK(f, store_strangers_remove(f->store, 0, 1000, 50, &gone, &f->err));
	assert_int_equal(gone.count, 0);
	OK(f, store_strangers_remove(f->store, 0, 350, 3, &gone, &f->err));
	assert_int_equal(gone.count, 3);
	assert_int_equal(gone.first, ids[0]);
	OK(f, store_strangers_remove(f->store, 0, 350, 50, &gone, &f->err));
	assert_int_equal(gone.count, 4);
	assert_int_equal(gone.last, ids[6]);
	assert_true(is_kept(f, ids[7]));
	OK(f, store_strangers_kept(f->store, &gone, &f->err));
	assert_int_equal(gone.count, 3);
	assert_int_equal(gone.bytes, 300);
}

/* A mail that has ended so many workers; until 0: it is given up. */
static int64_t failed(struct fixture *f, char letter, int64_t tries, bool claimed, int64_t until)
{
	const char raw[] = {letter, '\0'};
	struct arrival row = {.id = fixture_arrival(f, raw),
	    .tries = tries,
	    .claimed = claimed,
	    .wait_until = until,
	    .reason = "opening it failed"};
	OK(f, store_arrival_failed(f->store, &row, &f->err));
	if (until == 0)
		OK(f, store_arrival_move(
			  f->store, row.id, "give-up", "fatal", row.reason, "", &f->err));
	return row.id;
}

static struct arrival row_of(struct fixture *f, int64_t id)
{
	struct arrival arrival;
	bool found;
	OK(f, store_arrival_get(f->store, id, &arrival, &found, &f->err));
	assert_true(found);
	return arrival;
}

static int64_t untold(struct fixture *f)
{
	int64_t seen = 0;
	OK(f, store_arrival_each_untold(f->store, count_one, &seen, &f->err));
	return seen;
}

static void admins_are_told_that_a_mail_waits_and_that_it_was_given_up(void **state)
{
	struct fixture *f = *state;
	const int64_t first = failed(f, 'a', 2, true, 60);
	const int64_t second = failed(f, 'b', 3, false, 0);
	assert_int_equal(untold(f), 12);
	OK(f, store_arrival_set_told(f->store, first, true, &f->err));
	OK(f, store_arrival_set_told(f->store, second, false, &f->err));
	assert_int_equal(untold(f), 0);
	OK(f, store_arrival_move(f->store, first, "give-up", "fatal", "again", "", &f->err));
	assert_int_equal(untold(f), 1);
	OK(f, store_arrival_set_told(f->store, first, false, &f->err));
	assert_int_equal(untold(f), 0);
}

static int64_t due(struct fixture *f, int64_t now)
{
	int64_t seen = 0;
	OK(f, store_arrival_each_due(f->store, now, count_one, &seen, &f->err));
	return seen;
}

static void one_that_waits_is_due_at_its_time_and_when_the_clock_was_ahead(void **state)
{
	struct fixture *f = *state;
	failed(f, 'a', 2, true, 1000 * 86400);
	assert_int_equal(due(f, 1000 * 86400 - 1), 0);
	assert_int_equal(due(f, 1000 * 86400), 1);
	assert_int_equal(due(f, 999 * 86400), 0); /* it may have to wait for a day */
	assert_int_equal(due(f, 998 * 86400), 1);
}

static void an_admin_has_one_judged_anew_with_all_its_tries(void **state)
{
	struct fixture *f = *state;
	bool taken;
	const int64_t gone = failed(f, 'a', 3, false, 0);
	const int64_t waits = failed(f, 'b', 4, true, 5000);
	OK(f, store_arrival_set_told(f->store, gone, false, &f->err));
	OK(f, store_arrival_retry(f->store, gone, 100, &taken, &f->err));
	assert_true(taken);
	OK(f, store_arrival_retry(f->store, waits, 100, &taken, &f->err));
	assert_true(taken);
	assert_string_equal(row_of(f, gone).state, "received");
	assert_int_equal(row_of(f, gone).tries, 0);
	assert_int_equal(row_of(f, waits).tries, 0);
	assert_int_equal(due(f, 100), 12);
	assert_int_equal(untold(f), 0); /* until it has failed anew */
	OK(f, store_arrival_end_wait(f->store, 100, &f->err));
	const struct arrival anew = {.id = gone, .tries = 2, .wait_until = 160, .reason = "anew"};
	OK(f, store_arrival_failed(f->store, &anew, &f->err));
	assert_int_equal(untold(f), 1);
}

static void what_was_read_or_is_gone_is_not_judged_anew(void **state)
{
	struct fixture *f = *state;
	bool taken;
	const int64_t done = judged(f, 1, 'a', "unknown", NULL);
	const int64_t open = fixture_arrival(f, "b");
	const int64_t gone = failed(f, 'c', 3, false, 0);
	fixture_raw(f, "UPDATE arrival SET kept = 0 WHERE tries > 0");
	const int64_t ids[] = {done, open, gone, 99};
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		OK(f, store_arrival_retry(f->store, ids[i], 100, &taken, &f->err));
		assert_false(taken);
	}
	assert_string_equal(row_of(f, done).state, "done");
}

static void head_is_as_much_as_was_asked_for(void **state)
{
	struct fixture *f = *state;
	struct buf head = BUF_EMPTY(BUF_SMALL);
	const int64_t id = fixture_arrival(f, "From: a@b.example");
	OK(f, store_arrival_head(f->store, id, 4, &head, &f->err));
	assert_true(view_is(buf_view(&head), "From"));
	buf_clear(&head);
	OK(f, store_arrival_head(f->store, id, 400, &head, &f->err));
	assert_true(view_is(buf_view(&head), "From: a@b.example"));
	buf_clear(&head);
	OK(f, store_arrival_head(f->store, fixture_arrival(f, ""), 4, &head, &f->err));
	assert_int_equal(head.len, 0);
	buf_release(&head);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_same_bytes_are_one_arrival),
	    TEST(an_empty_arrival_is_kept),
	    TEST(a_move_records_what_was_found_and_leaves_the_rest),
	    TEST(a_final_arrival_is_never_judged_again),
	    TEST(open_ones_come_oldest_first_and_all_newest_first),
	    TEST(signed_content_in_other_wrapping_is_a_replay),
	    TEST(what_was_rolled_back_was_not_seen),
	    TEST(old_mail_of_strangers_goes_and_what_was_found_of_it_stays),
	    TEST(mail_of_anybody_known_is_never_removed),
	    TEST(too_much_of_strangers_goes_oldest_first_a_little_at_a_time),
	    TEST(admins_are_told_that_a_mail_waits_and_that_it_was_given_up),
	    TEST(one_that_waits_is_due_at_its_time_and_when_the_clock_was_ahead),
	    TEST(an_admin_has_one_judged_anew_with_all_its_tries),
	    TEST(what_was_read_or_is_gone_is_not_judged_anew),
	    TEST(head_is_as_much_as_was_asked_for),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_arrivals", tests, NULL, NULL);
}
