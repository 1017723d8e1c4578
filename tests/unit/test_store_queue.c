/* Sealing groups, due times, session keys: from a queued delivery to one that is handed over. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/copies.h"
#include "store/sql.h"
#include "store_fixture.h"

enum { SEEN_MAX = 64 };

struct seen {
	size_t count;
	int64_t ids[SEEN_MAX];
	struct buf keys;
	int64_t skip_message, skip_shard;
};

static int note(void *context, const struct delivery *delivery, struct err *err)
{
	struct seen *seen = context;
	(void)err;
	assert_true(seen->count < SEEN_MAX);
	seen->ids[seen->count++] = delivery->id;
	return 0;
}

static int note_due(
    void *context, const struct delivery *delivery, struct view pkesk, struct err *err)
{
	struct seen *seen = context;
	buf_add_view(&seen->keys, pkesk);
	return note(seen, delivery, err);
}

static bool skip_one(void *context, int64_t message, int64_t shard)
{
	const struct seen *seen = context;
	return message == seen->skip_message && shard == seen->skip_shard;
}

static void seal_groups_share_a_message_and_a_shard(void **state)
{
	struct fixture *f = *state;
	const int64_t first = fixture_message(f, "1@x");
	const int64_t second = fixture_message(f, "2@x");
	struct seen seen = {.count = 0};
	struct seal_group group;
	int64_t ids[4];
	for (int n = 1; n <= 4; n++) { /* three fill a shard, the fourth has the next */
		const int64_t contact = fixture_contact(f, n);
		ids[n - 1] = fixture_delivery(f, first, contact, n);
		fixture_delivery(f, second, contact, n);
	}
	OK(f, store_seal_next(f->store, 100, skip_one, &group, note, &seen, &f->err));
	assert_int_equal(group.message, first);
	assert_int_equal(group.shard, 1);
	assert_true(group.generation > 0);
	assert_true(view_is(buf_view(&group.stash), "ciphertext"));
	assert_int_equal(seen.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(seen.ids[i], ids[i]);
	buf_release(&group.stash);

	seen = (struct seen){.skip_message = first, .skip_shard = 1};
	OK(f, store_seal_next(f->store, 100, skip_one, &group, note, &seen, &f->err));
	assert_int_equal(group.message, first);
	assert_int_equal(group.shard, 2);
	assert_true(group.generation > 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ids[0], ids[3]);
	buf_release(&group.stash);
}

static void seal_group_is_at_most_as_large_as_asked(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "1@x");
	struct seen seen = {.count = 0};
	struct seal_group group;
	for (int n = 1; n <= 3; n++)
		fixture_delivery(f, message, fixture_contact(f, n), n);
	OK(f, store_seal_next(f->store, 2, NULL, &group, note, &seen, &f->err));
	assert_int_equal(seen.count, 2);
	buf_release(&group.stash);
}

static bool skip_all(void *context, int64_t message, int64_t shard)
{
	(void)context;
	(void)message;
	(void)shard;
	return true;
}

static void nothing_to_seal_is_shard_minus_one(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {.count = 0};
	struct seal_group group;
	OK(f, store_seal_next(f->store, 10, NULL, &group, note, &seen, &f->err));
	assert_int_equal(group.shard, -1);
	fixture_sealed(f, fixture_message(f, "1@x"), fixture_contact(f, 1), 1);
	OK(f, store_seal_next(f->store, 10, NULL, &group, note, &seen, &f->err));
	assert_int_equal(group.shard, -1);
	fixture_delivery(f, fixture_message(f, "2@x"), fixture_contact(f, 2), 2);
	OK(f, store_seal_next(f->store, 10, skip_all, &group, note, &seen, &f->err));
	assert_int_equal(group.shard, -1);
	assert_int_equal(seen.count, 0);
}

static void a_renewed_subkey_reaches_what_waits_to_be_sealed(void **state)
{
	struct fixture *f = *state;
	const int64_t contact = fixture_contact(f, 1);
	const int64_t sealed = fixture_sealed(f, fixture_message(f, "1@x"), contact, 1);
	const int64_t waiting = fixture_delivery(f, fixture_message(f, "2@x"), contact, 1);
	struct certificate_facts facts;
	struct delivery delivery;
	char clash[FINGERPRINT_SIZE];
	bool flag;
	fixture_facts(1, &facts);
	strcpy(facts.encryption_key_id, "EEEEEEEEEEEEEEEE");
	OK(f, store_certificate_put(f->store, &facts, VIEW("new"), 3, &flag, clash, &f->err));
	OK(f, store_delivery_get(f->store, waiting, &delivery, &flag, &f->err));
	assert_string_equal(delivery.key_id, "EEEEEEEEEEEEEEEE");
	OK(f, store_delivery_get(f->store, sealed, &delivery, &flag, &f->err));
	assert_string_equal(delivery.key_id, "E000000000000001");
}

static void bind_refuses_a_batch_of_another_message(void **state)
{
	struct fixture *f = *state;
	const int64_t one = fixture_message(f, "1@x");
	const int64_t other = fixture_message(f, "2@x");
	const int64_t delivery = fixture_delivery(f, one, fixture_contact(f, 1), 1);
	int64_t batch;
	OK(f, store_batch_add(f->store, other, VIEW("data"), 0, &batch, &f->err));
	REFUSED(store_delivery_bind(f->store, delivery, batch, VIEW("k"), &f->err));
	OK(f, store_batch_add(f->store, one, VIEW("data"), 0, &batch, &f->err));
	REFUSED(store_delivery_bind(f->store, delivery, batch, VIEW(""), &f->err));
	OK(f, store_delivery_bind(f->store, delivery, batch, VIEW("k"), &f->err));
	REFUSED(store_delivery_bind(f->store, delivery, batch, VIEW("k"), &f->err)); /* once */
}

static void due_ones_come_oldest_first_with_their_session_keys(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "1@x");
	static const int64_t due[] = {300, 100, 200, 900};
	struct seen seen = {.keys = BUF_EMPTY(BUF_SMALL)};
	int64_t ids[4];
	int64_t batch;
	int64_t found;
	int64_t next_at;
	OK(f, store_batch_add(f->store, message, VIEW("data"), 0, &batch, &f->err));
	for (int n = 0; n < 4; n++) {
		char key[16];
		snprintf(key, sizeof key, "k%d", n);
		ids[n] = fixture_delivery(f, message, fixture_contact(f, n + 1), n + 1);
		OK(f, store_delivery_bind(f->store, ids[n], batch, view_of(key), &f->err));
		OK(f, store_delivery_move(
			  f->store, ids[n], "retry", NULL, due[n], 1, false, &f->err));
	}
	OK(f, store_due_next(f->store, 500, 10, &found, &next_at, note_due, &seen, &f->err));
	assert_int_equal(found, batch);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.ids[0], ids[1]);
	assert_int_equal(seen.ids[1], ids[2]);
	assert_int_equal(seen.ids[2], ids[0]);
	assert_string_equal(buf_text(&seen.keys), "k1k2k0");

	seen.count = 0;
	OK(f, store_due_next(f->store, 500, 2, &found, &next_at, note_due, &seen, &f->err));
	assert_int_equal(seen.count, 2);
	buf_release(&seen.keys);
}

static void postpone(struct fixture *f, int64_t delivery, int64_t next_at)
{
	fixture_move(f, delivery, "start", 10);
	OK(f, store_delivery_move(
		  f->store, delivery, "postpone", "451 busy", next_at, 11, false, &f->err));
}

static void due_ones_are_of_one_batch_and_next_at_tells_when(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "1@x");
	const int64_t one = fixture_sealed(f, message, fixture_contact(f, 1), 1);
	const int64_t two = fixture_sealed(f, message, fixture_contact(f, 2), 2);
	struct seen seen = {.keys = BUF_EMPTY(BUF_SMALL)};
	int64_t batch;
	int64_t next_at;
	fixture_delivery(f, message, fixture_contact(f, 3), 3); /* not sealed: not due */
	OK(f, store_due_next(f->store, 10, 10, &batch, &next_at, note_due, &seen, &f->err));
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ids[0], one);
	postpone(f, one, 70);
	postpone(f, two, 90);
	seen.count = 0;
	OK(f, store_due_next(f->store, 69, 10, &batch, &next_at, note_due, &seen, &f->err));
	assert_int_equal(batch, 0);
	assert_int_equal(next_at, 70);
	OK(f, store_due_next(f->store, 80, 10, &batch, &next_at, note_due, &seen, &f->err));
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ids[0], one);
	fixture_move(f, one, "start", 80);
	fixture_move(f, two, "exclude", 81);
	OK(f, store_due_next(f->store, 500, 10, &batch, &next_at, note_due, &seen, &f->err));
	assert_int_equal(batch, 0);
	assert_int_equal(next_at, 0);
	buf_release(&seen.keys);
}

/* One that claims what it is given while it is given it. */
struct claim {
	struct fixture *f;
	size_t count;
};

static int start_it(
    void *context, const struct delivery *delivery, struct view pkesk, struct err *err)
{
	struct claim *claim = context;
	assert_true(view_is(pkesk, "key"));
	claim->count++;
	return store_delivery_move(claim->f->store, delivery->id, "start", NULL, 0, 50, false, err);
}

static void a_callback_may_move_what_it_is_given(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "1@x");
	struct claim claim = {.f = f};
	int64_t batch;
	int64_t next_at;
	OK(f, store_batch_add(f->store, message, VIEW("data"), 0, &batch, &f->err));
	for (int n = 1; n <= 20; n++) {
		const int64_t id = fixture_delivery(f, message, fixture_contact(f, n), n);
		OK(f, store_delivery_bind(f->store, id, batch, VIEW("key"), &f->err));
	}
	OK(f, store_begin(f->store, &f->err));
	OK(f, store_due_next(f->store, 50, 15, &batch, &next_at, start_it, &claim, &f->err));
	OK(f, store_commit(f->store, &f->err));
	assert_int_equal(claim.count, 15);
	OK(f, store_due_next(f->store, 50, 15, &batch, &next_at, start_it, &claim, &f->err));
	assert_int_equal(claim.count, 20);
}

static void the_queue_is_what_is_neither_final_nor_sent(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "1@x");
	const int64_t later = fixture_sealed(f, message, fixture_contact(f, 1), 1);
	const int64_t sending = fixture_sealed(f, message, fixture_contact(f, 2), 2);
	const int64_t sent = fixture_sealed(f, message, fixture_contact(f, 3), 3);
	const int64_t unsealed = fixture_delivery(f, message, fixture_contact(f, 4), 4);
	struct seen seen = {.count = 0};
	postpone(f, later, 70);
	fixture_move(f, sending, "start", 10);
	fixture_move(f, sent, "start", 10);
	fixture_move(f, sent, "accept", 10);
	OK(f, store_delivery_each_queued(f->store, note, &seen, &f->err));
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.ids[0], sending);
	assert_int_equal(seen.ids[1], unsealed);
	assert_int_equal(seen.ids[2], later);
}

static void retry_now_makes_waiting_ones_due(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "1@x");
	const int64_t deferred = fixture_sealed(f, message, fixture_contact(f, 1), 1);
	const int64_t sending = fixture_sealed(f, message, fixture_contact(f, 2), 2);
	struct delivery d;
	int64_t count;
	bool found;
	postpone(f, deferred, 900);
	OK(f, store_delivery_move(f->store, sending, "start", NULL, 800, 1, false, &f->err));
	OK(f, store_delivery_retry_now(f->store, 10, &count, &f->err));
	assert_int_equal(count, 1);
	OK(f, store_delivery_get(f->store, deferred, &d, &found, &f->err));
	assert_string_equal(d.state, "queued");
	assert_int_equal(d.next_at, 10);
	assert_string_equal(d.reason, "451 busy");
	fixture_expect_state(f, sending, "sending");
}

/* Sent in vain, and refused for good by the smarthost. */
static int64_t refused(struct fixture *f, int64_t message, int64_t contact, int n)
{
	const int64_t id = fixture_sealed(f, message, contact, n);
	fixture_move(f, id, "start", 10);
	OK(f, store_delivery_move(f->store, id, "reject", "550 no", 0, 10, false, &f->err));
	OK(f, store_delivery_set_about(f->store, id, DELIVERY_ABOUT_RECIPIENT, &f->err));
	OK(f, store_delivery_set_told(f->store, id, DELIVERY_TOLD_FAILED, &f->err));
	return id;
}

static size_t count_refused(struct fixture *f)
{
	struct seen seen = {.count = 0};
	OK(f, store_delivery_each_refused(f->store, note, &seen, &f->err));
	return seen.count;
}

static int64_t retry_failed(struct fixture *f, int64_t advisory, int64_t delivery)
{
	int64_t count;
	OK(f, store_delivery_retry_failed(f->store, advisory, delivery, 99, &count, &f->err));
	return count;
}

static void what_failed_begins_anew_when_it_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct revision revision;
	struct delivery d;
	bool found;
	const int64_t advisory = fixture_advisory(f, "A");
	fixture_revision(f, advisory, "T", &revision);
	const int64_t contact = fixture_contact(f, 1);
	const int64_t one = refused(f, revision.message, contact, 1);
	const int64_t two = refused(f, revision.message, fixture_contact(f, 2), 2);
	const int64_t notice = refused(f, fixture_message(f, "1@x"), contact, 1);
	OK(f, store_revision_set_reported(f->store, revision.id, 2, &f->err));
	assert_int_equal(count_refused(f), 3);
	assert_int_equal(retry_failed(f, 0, two), 1);
	fixture_expect_state(f, one, "failed");
	assert_int_equal(retry_failed(f, advisory, 0), 1);
	fixture_expect_state(f, notice, "failed");
	assert_int_equal(retry_failed(f, 0, 0), 1);
	fixture_expect_state(f, notice, "queued");
	assert_int_equal(count_refused(f), 0);
	OK(f, store_delivery_get(f->store, one, &d, &found, &f->err));
	assert_string_equal(d.state, "queued");
	assert_true(d.attempts == 0 && d.first_at == 0 && d.next_at == 99);
	assert_true(d.about == DELIVERY_ABOUT_NOTHING && d.told == DELIVERY_UNTOLD);
	assert_int_equal(fixture_number(f, "SELECT reported FROM revision"), 1);
}

static void what_failed_and_does_not_matter_any_more_stays(void **state)
{
	struct fixture *f = *state;
	struct revision old;
	struct revision new;
	const int64_t advisory = fixture_advisory(f, "A");
	fixture_revision(f, advisory, "T1", &old);
	const int64_t superseded = refused(f, old.message, fixture_contact(f, 1), 1);
	fixture_revision(f, advisory, "T2", &new);
	refused(f, new.message, fixture_contact(f, 2), 2);
	refused(f, new.message, fixture_contact(f, 3), 3);
	fixture_delivery(f, new.message, fixture_contact(f, 4), 4);
	fixture_raw(f, "UPDATE contact SET removed = 1 WHERE address = 'c2@example.org';"
		       "UPDATE contact SET address = 'new@example.org'"
		       " WHERE address = 'c3@example.org';"
		       "UPDATE delivery SET state = 'failed', reason = 'no key'"
		       " WHERE address = 'c4@example.org'");
	assert_int_equal(count_refused(f), 0);
	assert_int_equal(retry_failed(f, 0, 0), 0);
	assert_int_equal(retry_failed(f, advisory, 0), 0);
	assert_int_equal(retry_failed(f, 0, superseded), 1); /* asked for by itself */
}

static void a_delivery_forgets_a_refusal_when_it_is_sent(void **state)
{
	struct fixture *f = *state;
	struct delivery d;
	int64_t count;
	bool found;
	const int64_t message = fixture_message(f, "1@x");
	const int64_t id = fixture_sealed(f, message, fixture_contact(f, 1), 1);
	const int64_t busy = fixture_sealed(f, message, fixture_contact(f, 2), 2);
	postpone(f, id, 900);
	postpone(f, busy, 900);
	OK(f, store_delivery_set_about(f->store, id, DELIVERY_ABOUT_GATEWAY, &f->err));
	OK(f, store_delivery_set_about(f->store, busy, DELIVERY_ABOUT_RECIPIENT, &f->err));
	OK(f, store_delivery_retry_ours(f->store, 10, &count, &f->err));
	assert_int_equal(count, 1);
	fixture_move(f, id, "start", 10);
	OK(f, store_delivery_get(f->store, id, &d, &found, &f->err));
	assert_int_equal(d.about, DELIVERY_ABOUT_GATEWAY);
	fixture_move(f, id, "accept", 10);
	OK(f, store_delivery_get(f->store, id, &d, &found, &f->err));
	assert_int_equal(d.about, DELIVERY_ABOUT_NOTHING);
}

static void a_batch_is_read_as_it_was_kept(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "1@x");
	const size_t size = (size_t)10 * 1024 * 1024;
	char *data = malloc(size);
	struct buf head = BUF_EMPTY(BUF_SMALL);
	struct buf body = BUF_EMPTY(size);
	struct buf tail = BUF_EMPTY(BUF_SMALL);
	int64_t batch;
	bool clear = true;
	int64_t sealed_at = 0;
	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)((i * 2654435761U >> 24) & 0x7f);
	const struct view all = {data, size};
	OK(f, store_batch_add(f->store, message, all, 77, &batch, &f->err));
	OK(f, store_batch_read(f->store, batch, &clear, &sealed_at, &head, &body, &tail, &f->err));
	assert_string_equal(buf_text(&head), "Subject: [...]\r\n\r\n");
	assert_string_equal(buf_text(&tail), "\r\n--x--\r\n");
	assert_true(view_equals(buf_view(&body), all));
	assert_false(clear);
	assert_int_equal(sealed_at, 77);
	buf_release(&body);
	body.max = size - 1;
	REFUSED(store_batch_read(f->store, batch, &clear, &sealed_at, &head, &body, &tail, &f->err));
	REFUSED(store_batch_read(f->store, 99, &clear, &sealed_at, &head, &body, &tail, &f->err));
	buf_release(&head);
	buf_release(&body);
	buf_release(&tail);
	free(data);
}

static void traced_copies_are_sealed_one_by_one_each_with_its_own_text(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {"first", "second"};
	const int64_t message = fixture_message(f, "traced@example.org");
	int64_t count;
	for (int n = 1; n <= 2; n++) {
		struct traced_copy copy = {
		    .delivery = fixture_delivery(f, message, fixture_contact(f, n), n),
		    .message = message,
		    .number = n,
		    .stash = view_of(texts[n - 1]),
		};
		OK(f, store_copy_add(f->store, &copy, &f->err));
		copy.delivery = 0;
		REFUSED(store_copy_add(f->store, &copy, &f->err));
	}
	OK(f, store_copy_count(f->store, message, &count, &f->err));
	assert_int_equal(count, 2);
	for (int n = 0; n < 2; n++) {
		struct seal_group group;
		struct seen seen = {.keys = BUF_EMPTY(BUF_SMALL)};
		int64_t batch;
		OK(f, store_seal_next(f->store, 9, NULL, &group, note, &seen, &f->err));
		assert_int_equal(seen.count, 1);
		assert_true(view_is(buf_view(&group.stash), texts[n]));
		OK(f, store_batch_add(f->store, message, VIEW("D"), 0, &batch, &f->err));
		OK(f, store_delivery_bind(f->store, seen.ids[0], batch, VIEW("K"), &f->err));
		buf_release(&group.stash);
	}
}

static void delivery_without_its_copy_is_never_sealed_with_anothers(void **state)
{
	struct fixture *f = *state;
	struct seal_group group;
	struct seen seen = {0};
	const int64_t message = fixture_message(f, "traced@example.org");
	fixture_delivery(f, message, fixture_contact(f, 1), 1);
	const struct traced_copy copy = {
	    .delivery = fixture_delivery(f, message, fixture_contact(f, 2), 2),
	    .message = message,
	    .number = 1,
	    .stash = VIEW("of the second"),
	};
	OK(f, store_copy_add(f->store, &copy, &f->err));
	REFUSED(store_seal_next(f->store, 9, NULL, &group, note, &seen, &f->err));
}

static int take_message(
    void *context, const struct delivery *delivery, struct view pkesk, struct err *err)
{
	(void)pkesk;
	(void)err;
	*(int64_t *)context = delivery->message;
	return 0;
}

static int take_nothing(void *context, const struct delivery *delivery, struct err *err)
{
	(void)context;
	(void)delivery;
	(void)err;
	return 0;
}

static void low_priority_waits_for_all_others_that_are_due(void **state)
{
	struct fixture *f = *state;
	const int64_t bulletin = fixture_message(f, "bulletin@example.org");
	struct seal_group group;
	int64_t batch;
	int64_t next_at;
	int64_t message = 0;
	OK(f, sql_run(f->store, "UPDATE message SET priority = 1", SQL_NOTHING, NULL, &f->err));
	fixture_delivery(f, bulletin, fixture_contact(f, 1), 1);
	fixture_sealed(f, bulletin, fixture_contact(f, 2), 2);
	OK(f, store_due_next(f->store, 9, 9, &batch, &next_at, take_message, &message, &f->err));
	assert_int_equal(message, bulletin);
	const int64_t advisory = fixture_message(f, "advisory@example.org");
	fixture_delivery(f, advisory, fixture_contact(f, 3), 3);
	fixture_sealed(f, advisory, fixture_contact(f, 4), 4);
	OK(f, store_due_next(f->store, 9, 9, &batch, &next_at, take_message, &message, &f->err));
	assert_int_equal(message, advisory);
	OK(f, store_seal_next(f->store, 9, NULL, &group, take_nothing, NULL, &f->err));
	assert_int_equal(group.message, advisory);
	buf_release(&group.stash);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(low_priority_waits_for_all_others_that_are_due),
	    TEST(seal_groups_share_a_message_and_a_shard),
	    TEST(seal_group_is_at_most_as_large_as_asked),
	    TEST(nothing_to_seal_is_shard_minus_one),
	    TEST(a_renewed_subkey_reaches_what_waits_to_be_sealed),
	    TEST(bind_refuses_a_batch_of_another_message),
	    TEST(due_ones_come_oldest_first_with_their_session_keys),
	    TEST(due_ones_are_of_one_batch_and_next_at_tells_when),
	    TEST(a_callback_may_move_what_it_is_given),
	    TEST(the_queue_is_what_is_neither_final_nor_sent),
	    TEST(retry_now_makes_waiting_ones_due),
	    TEST(what_failed_begins_anew_when_it_is_asked_for),
	    TEST(what_failed_and_does_not_matter_any_more_stays),
	    TEST(a_delivery_forgets_a_refusal_when_it_is_sent),
	    TEST(a_batch_is_read_as_it_was_kept),
	    TEST(traced_copies_are_sealed_one_by_one_each_with_its_own_text),
	    TEST(delivery_without_its_copy_is_never_sealed_with_anothers),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_queue", tests, NULL, NULL);
}
