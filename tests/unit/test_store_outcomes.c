/* Whose last mail did not arrive, and the last word of the smarthost. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "store/bounces.h"
#include "store/outcomes.h"
#include "store_fixture.h"

enum { NOW = 1000000, QUIET = OUTCOME_QUIET_S };

struct seen {
	size_t count;
	struct outcome last;
};

static int note(void *context, const struct outcome *outcome, struct err *err)
{
	struct seen *seen = context;
	(void)err;
	seen->count++;
	seen->last = *outcome;
	return 0;
}

static struct seen unwell(struct fixture *f, int64_t now)
{
	struct seen seen = {.count = 0};
	OK(f, store_outcome_each_unwell(f->store, now, note, &seen, &f->err));
	return seen;
}

/* Another mail to contact 1; its delivery. */
static int64_t mail(struct fixture *f, int64_t contact)
{
	static int number;
	char id[32];
	snprintf(id, sizeof id, "%d@x", ++number);
	return fixture_sealed(f, fixture_message(f, id), contact, 1);
}

static void fails(struct fixture *f, int64_t delivery, int64_t now)
{
	fixture_move(f, delivery, "start", now);
	OK(f, store_delivery_move(f->store, delivery, "reject", "RCPT TO: 550 no such user", 0, now,
		  false, &f->err));
}

static void sent(struct fixture *f, int64_t delivery, int64_t now)
{
	fixture_move(f, delivery, "start", now);
	fixture_move(f, delivery, "accept", now);
}

static void comes_back(struct fixture *f, int64_t delivery, int64_t at)
{
	char raw[32];
	snprintf(raw, sizeof raw, "bounce of %d", (int)delivery);
	const struct bounce bounce = {.delivery = delivery,
	    .arrival = fixture_arrival(f, raw),
	    .received_at = at,
	    .verdict = "bounced"};
	OK(f, store_bounce_add(f->store, &bounce, &f->err));
	OK(f, store_delivery_move(
		  f->store, delivery, "bounce", "5.1.1 user unknown", 0, at, false, &f->err));
}

static void failed_mail_counts_until_a_later_one_is_taken(void **state)
{
	struct fixture *f = *state;
	const int64_t contact = fixture_contact(f, 1);
	const int64_t earlier = mail(f, contact);
	sent(f, earlier, NOW);
	assert_int_equal(unwell(f, NOW).count, 0);
	const int64_t failed = mail(f, contact);
	fails(f, failed, NOW);
	const struct seen seen = unwell(f, NOW);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.last.delivery.id, failed);
	assert_string_equal(seen.last.is, "contact");
	assert_string_equal(seen.last.delivery.reason, "RCPT TO: 550 no such user");
	fixture_move(f, earlier, "acknowledge", NOW + 1); /* proves nothing of a later one */
	assert_int_equal(unwell(f, NOW + 1).count, 1);
	const int64_t later = mail(f, contact);
	assert_int_equal(unwell(f, NOW + 1).count, 1); /* it waits */
	sent(f, later, NOW + 2);
	assert_int_equal(unwell(f, NOW + 2).count, 0);
}

/* The smarthost takes what will come back as well. */
static void bounced_mail_counts_until_a_later_one_stays_away(void **state)
{
	struct fixture *f = *state;
	const int64_t contact = fixture_contact(f, 1);
	const int64_t bounced = mail(f, contact);
	const int64_t beside = mail(f, contact);
	sent(f, bounced, NOW);
	sent(f, beside, NOW);
	comes_back(f, bounced, NOW + 60);
	assert_int_equal(unwell(f, NOW + 61).count, 1);
	assert_int_equal(unwell(f, NOW + 61).last.bounced_at, NOW + 60);
	assert_int_equal(unwell(f, NOW + 10 * QUIET).count, 1); /* `beside` was before that */
	const int64_t later = mail(f, contact);
	sent(f, later, NOW + 100);
	assert_int_equal(unwell(f, NOW + 101).count, 1);
	assert_int_equal(unwell(f, NOW + 100 + QUIET).count, 0);
	comes_back(f, later, NOW + 200);
	const struct seen seen = unwell(f, NOW + 100 + QUIET);
	assert_int_equal(seen.count, 1); /* once, by the newest */
	assert_int_equal(seen.last.delivery.id, later);
	const int64_t answered = mail(f, contact);
	sent(f, answered, NOW + 300);
	fixture_move(f, answered, "acknowledge", NOW + 301);
	assert_int_equal(unwell(f, NOW + 302).count, 0);
}

static void whoever_is_gone_or_has_another_address_does_not_count(void **state)
{
	struct fixture *f = *state;
	const int64_t contact = fixture_contact(f, 1);
	fails(f, mail(f, contact), NOW);
	assert_int_equal(unwell(f, NOW).count, 1);
	fixture_raw(f, "UPDATE contact SET address = 'new@example.org'");
	assert_int_equal(unwell(f, NOW).count, 0);
	fixture_raw(f, "UPDATE contact SET address = 'C1@example.org'");
	assert_int_equal(unwell(f, NOW).count, 1);
	fixture_raw(f, "UPDATE contact SET removed = 1");
	assert_int_equal(unwell(f, NOW).count, 0);
}

/* What could not be sealed for somebody is said of their certificate. */
static void whoever_was_left_out_before_sending_does_not_count(void **state)
{
	struct fixture *f = *state;
	const int64_t contact = fixture_contact(f, 1);
	const int64_t left_out =
	    fixture_delivery(f, fixture_message(f, "left@x"), contact, 1);
	OK(f, store_delivery_move(
		  f->store, left_out, "exclude", "not cleared", 0, NOW, false, &f->err));
	assert_int_equal(unwell(f, NOW).count, 0);
}

static void publishers_and_admins_count_too(void **state)
{
	struct fixture *f = *state;
	const int64_t publisher = fixture_publisher(f);
	fixture_certificate(f, 1);
	struct delivery delivery = {.message = fixture_message(f, "receipt@x"),
	    .publisher = publisher,
	    .address = "cert@example.net",
	    .key_id = "E",
	    .state = "queued"};
	snprintf(delivery.fingerprint, sizeof delivery.fingerprint, "%040X", 1U);
	OK(f, store_delivery_add(f->store, &delivery, &f->err));
	int64_t batch;
	OK(f, store_batch_add(f->store, delivery.message, VIEW("data"), 0, &batch, &f->err));
	OK(f, store_delivery_bind(f->store, delivery.id, batch, VIEW("key"), &f->err));
	fails(f, delivery.id, NOW);
	assert_int_equal(unwell(f, NOW).count, 1);
	assert_string_equal(unwell(f, NOW).last.is, "publisher");
	fixture_raw(f, "UPDATE publisher SET admin = 1");
	assert_string_equal(unwell(f, NOW).last.is, "admin");
}

static void last_word_of_the_smarthost_is_kept(void **state)
{
	struct fixture *f = *state;
	struct smarthost_word word;
	OK(f, store_smarthost_word_get(f->store, &word, &f->err));
	assert_int_equal(word.at, 0);
	const struct smarthost_word refusal = {
	    .at = NOW, .code = 550, .text = "RCPT TO: 550 no\nrelay"};
	OK(f, store_smarthost_word_set(f->store, &refusal, &f->err));
	OK(f, store_smarthost_word_get(f->store, &word, &f->err));
	assert_int_equal(word.at, NOW);
	assert_int_equal(word.code, 550);
	assert_false(word.taken);
	assert_null(strchr(word.text, '\n'));
	assert_non_null(strstr(word.text, "RCPT TO: 550 no"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(failed_mail_counts_until_a_later_one_is_taken),
	    TEST(bounced_mail_counts_until_a_later_one_stays_away),
	    TEST(whoever_is_gone_or_has_another_address_does_not_count),
	    TEST(whoever_was_left_out_before_sending_does_not_count),
	    TEST(publishers_and_admins_count_too),
	    TEST(last_word_of_the_smarthost_is_kept),
	};
	return cmocka_run_group_tests_name("store_outcomes", tests, NULL, NULL);
}
