/* Deliveries: every change of state, what each keeps in the books, and the invariants I4 and I12. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "store/state.h"
#include "store_fixture.h"

static int64_t one_sealed(struct fixture *f)
{
	return fixture_sealed(f, fixture_message(f, "1@x"), fixture_contact(f, 1), 1);
}

static void moves_keep_the_books(void **state)
{
	struct fixture *f = *state;
	const int64_t id = one_sealed(f);
	struct delivery d;
	bool found;
	fixture_move(f, id, "start", 100);
	OK(f, store_delivery_move(f->store, id, "postpone", "451 later", 160, 101, true, &f->err));
	fixture_move(f, id, "start", 160);
	OK(f, store_delivery_get(f->store, id, &d, &found, &f->err));
	assert_int_equal(d.attempts, 2);
	assert_int_equal(d.first_at, 100);
	assert_int_equal(d.ambiguous, 1);
	assert_int_equal(d.sent_at, 0);
	assert_string_equal(d.reason, "451 later");
	assert_int_equal(d.next_at, 160);
	OK(f, store_delivery_move(f->store, id, "accept", "250 taken", 0, 161, true, &f->err));
	OK(f, store_delivery_get(f->store, id, &d, &found, &f->err));
	assert_string_equal(d.state, "sent");
	assert_int_equal(d.attempts, 2);
	assert_int_equal(d.first_at, 100);
	assert_int_equal(d.sent_at, 161);
	assert_int_equal(d.ambiguous, 1);
	assert_string_equal(d.reason, "250 taken");
	fixture_move(f, id, "acknowledge", 500);
	OK(f, store_delivery_get(f->store, id, &d, &found, &f->err));
	assert_int_equal(d.sent_at, 161);
}

static void a_long_reason_is_cut_between_characters(void **state)
{
	struct fixture *f = *state;
	const int64_t id = one_sealed(f);
	char reason[STORE_REASON_SIZE + 50];
	struct delivery d;
	bool found;
	for (size_t i = 0; i + 2 < sizeof reason; i += 2)
		memcpy(reason + i, "\xc3\xa9", 2);
	reason[sizeof reason - 2] = '\0';
	OK(f, store_delivery_move(f->store, id, "exclude", reason, 0, 1, false, &f->err));
	OK(f, store_delivery_get(f->store, id, &d, &found, &f->err));
	assert_int_equal(strlen(d.reason), STORE_REASON_SIZE - 2);
	assert_memory_equal(d.reason, reason, STORE_REASON_SIZE - 2);
}

static void an_acknowledgment_before_the_word_of_the_smarthost_stays(void **state)
{
	struct fixture *f = *state;
	const int64_t id = one_sealed(f);
	struct delivery d;
	bool found;
	fixture_move(f, id, "start", 100);
	fixture_move(f, id, "acknowledge", 101);
	fixture_move(f, id, "accept", 102);
	OK(f, store_delivery_get(f->store, id, &d, &found, &f->err));
	assert_string_equal(d.state, "acknowledged");
	assert_int_equal(d.sent_at, 102);
}

/* I4. */
static void sending_found_at_start_is_queued_again_and_counted(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "1@x");
	const int64_t sending = fixture_sealed(f, message, fixture_contact(f, 1), 1);
	const int64_t sent = fixture_sealed(f, message, fixture_contact(f, 2), 2);
	struct delivery d;
	int64_t count;
	bool found;
	fixture_move(f, sending, "start", 100);
	fixture_move(f, sent, "start", 100);
	fixture_move(f, sent, "accept", 101);
	OK(f, store_delivery_recover(f->store, 200, &count, &f->err));
	assert_int_equal(count, 1);
	OK(f, store_delivery_get(f->store, sending, &d, &found, &f->err));
	assert_string_equal(d.state, "queued");
	assert_int_equal(d.ambiguous, 1);
	assert_int_equal(d.attempts, 1);
	assert_int_equal(d.next_at, 200);
	assert_true(d.batch != 0); /* the same bytes go out again */
	fixture_expect_state(f, sent, "sent");
	OK(f, store_delivery_recover(f->store, 300, &count, &f->err));
	assert_int_equal(count, 0);
}

static int never_due(
    void *context, const struct delivery *delivery, struct view pkesk, struct err *err)
{
	(void)context;
	(void)pkesk;
	(void)err;
	fail_msg("delivery %lld is due", (long long)delivery->id);
	return -1;
}

/* I12. */
static void final_deliveries_never_become_due(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "1@x");
	const int64_t failed = fixture_sealed(f, message, fixture_contact(f, 1), 1);
	const int64_t acked = fixture_sealed(f, message, fixture_contact(f, 2), 2);
	int64_t batch;
	int64_t next_at;
	int64_t count;
	fixture_move(f, failed, "start", 1);
	OK(f, store_delivery_move(f->store, failed, "reject", "550 no", 9, 1, false, &f->err));
	OK(f, store_delivery_move(f->store, acked, "acknowledge", NULL, 9, 1, false, &f->err));
	OK(f, store_delivery_recover(f->store, 2, &count, &f->err));
	assert_int_equal(count, 0);
	OK(f, store_delivery_retry_now(f->store, 2, &count, &f->err));
	assert_int_equal(count, 0);
	OK(f, store_due_next(f->store, 99, 9, &batch, &next_at, never_due, NULL, &f->err));
	assert_int_equal(batch, 0);
	assert_int_equal(next_at, 0);
}

/* I3. */
static void whoever_fails_stands_with_a_reason(void **state)
{
	struct fixture *f = *state;
	const int64_t id = one_sealed(f);
	struct delivery d;
	bool found;
	OK(f, store_delivery_move(f->store, id, "exclude", "", 0, 1, false, &f->err));
	OK(f, store_delivery_get(f->store, id, &d, &found, &f->err));
	assert_string_equal(d.state, "failed");
	assert_string_not_equal(d.reason, "");
}

/* I8. */
static void what_is_not_sealed_cannot_be_sent(void **state)
{
	struct fixture *f = *state;
	const int64_t id = fixture_delivery(f, fixture_message(f, "1@x"), fixture_contact(f, 1), 1);
	REFUSED(store_delivery_move(f->store, id, "start", NULL, 0, 1, false, &f->err));
	fixture_expect_state(f, id, "queued");
}

static void a_delivery_without_certificate_cannot_be_queued(void **state)
{
	struct fixture *f = *state;
	struct delivery delivery = {.message = fixture_message(f, "1@x"),
	    .contact = fixture_contact(f, 1),
	    .address = "c1@example.org",
	    .fingerprint = "NONE",
	    .key_id = "E",
	    .state = "queued"};
	REFUSED(store_delivery_add(f->store, &delivery, &f->err));
	strcpy(delivery.state, "failed");
	REFUSED(store_delivery_add(f->store, &delivery, &f->err)); /* no reason */
	strcpy(delivery.reason, "no certificate");
	OK(f, store_delivery_add(f->store, &delivery, &f->err));
	assert_true(delivery.id > 0);
	strcpy(delivery.state, "sent");
	REFUSED(store_delivery_add(f->store, &delivery, &f->err));
}

/* I15. */
static void a_contact_has_one_delivery_of_a_message(void **state)
{
	struct fixture *f = *state;
	struct delivery delivery = {.message = fixture_message(f, "1@x"),
	    .contact = fixture_contact(f, 1),
	    .address = "c1@example.org",
	    .state = "failed",
	    .reason = "no certificate"};
	struct delivery found;
	bool there;
	OK(f, store_delivery_add(f->store, &delivery, &f->err));
	REFUSED(store_delivery_add(f->store, &delivery, &f->err));
	assert_int_equal(f->err.whom, ERR_MESSAGE);
	OK(f, store_delivery_of_contact(
		  f->store, delivery.message, delivery.contact, &found, &there, &f->err));
	assert_true(there);
	assert_int_equal(found.id, delivery.id);
	OK(f, store_delivery_of_contact(f->store, delivery.message, 99, &found, &there, &f->err));
	assert_false(there);
}

/* I3. */
static void counts_add_up(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "1@x");
	struct delivery failed = {.message = message,
	    .contact = fixture_contact(f, 9),
	    .address = "c9@example.org",
	    .state = "failed",
	    .reason = "no certificate"};
	struct delivery_counts counts;
	fixture_delivery(f, message, fixture_contact(f, 1), 1);
	fixture_sealed(f, message, fixture_contact(f, 2), 2);
	const int64_t sent = fixture_sealed(f, message, fixture_contact(f, 3), 3);
	fixture_move(f, sent, "start", 1);
	fixture_move(f, sent, "accept", 1);
	OK(f, store_delivery_add(f->store, &failed, &f->err));
	OK(f, store_delivery_count(f->store, message, &counts, &f->err));
	assert_int_equal(counts.total, 4);
	assert_int_equal(counts.queued, 2);
	assert_int_equal(counts.unsealed, 1);
	assert_int_equal(counts.sent, 1);
	assert_int_equal(counts.failed, 1);
	assert_int_equal(
	    counts.sending + counts.deferred + counts.acknowledged + counts.bounced, 0);
	OK(f, store_delivery_count(f->store, 99, &counts, &f->err));
	assert_int_equal(counts.total, 0);
}

/* I12, in the store itself: each event on each state does what the table says, or nothing. */
static void the_table_decides_every_move(void **state)
{
	struct fixture *f = *state;
	static const char *const states[] = {
	    "queued", "sending", "sent", "deferred", "acknowledged", "failed", "bounced"};
	static const char *const events[] = {"start", "interrupted", "accept", "postpone", "reject",
	    "acknowledge", "bounce", "exclude", "retry", "invented"};
	const int64_t id = one_sealed(f);
	for (size_t s = 0; s < sizeof states / sizeof states[0]; s++) {
		for (size_t e = 0; e < sizeof events / sizeof events[0]; e++) {
			char sql[128];
			snprintf(sql, sizeof sql,
			    "UPDATE delivery SET state = '%s', reason = 'some'", states[s]);
			fixture_raw(f, sql);
			const char *to = state_after(STATE_DELIVERY, states[s], events[e]);
			const int result = store_delivery_move(
			    f->store, id, events[e], NULL, 0, 1, false, &f->err);
			assert_int_equal(result, to == NULL ? -1 : 0);
			fixture_expect_state(f, id, to == NULL ? states[s] : to);
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(moves_keep_the_books),
	    TEST(a_long_reason_is_cut_between_characters),
	    TEST(an_acknowledgment_before_the_word_of_the_smarthost_stays),
	    TEST(sending_found_at_start_is_queued_again_and_counted),
	    TEST(final_deliveries_never_become_due),
	    TEST(whoever_fails_stands_with_a_reason),
	    TEST(what_is_not_sealed_cannot_be_sent),
	    TEST(a_delivery_without_certificate_cannot_be_queued),
	    TEST(a_contact_has_one_delivery_of_a_message),
	    TEST(counts_add_up),
	    TEST(the_table_decides_every_move),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_deliveries", tests, NULL, NULL);
}
