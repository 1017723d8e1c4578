#include "config.h"

#include <string.h>

#include "store/approvals.h"
#include "store/keylife.h"
#include "store_fixture.h"

enum { NOW = 1000, END = 5000, UNTOLD = 1000 };

struct seen {
	int count;
	struct key_owner last;
};

static int see(void *context, const struct key_owner *owner, struct err *err)
{
	struct seen *seen = context;
	(void)err;
	seen->count++;
	seen->last = *owner;
	return 0;
}

static struct seen expiring(struct fixture *f, int64_t until)
{
	struct seen seen = {.count = 0};
	OK(f, store_key_each_expiring(f->store, until, UNTOLD, see, &seen, &f->err));
	return seen;
}

/* A contact whose confirmed certificate ends at END. */
static struct key_owner ending_contact(struct fixture *f)
{
	const int64_t id = fixture_contact(f, 1);
	bool moved;
	struct key_owner owner = {.contact = id, .expires = END, .told = UNTOLD};
	struct certificate_facts facts;
	fixture_facts(1, &facts);
	memcpy(owner.fingerprint, facts.fingerprint, sizeof owner.fingerprint);
	strcpy(owner.address, "c1@example.org");
	OK(f, store_certificate_move(f->store, facts.fingerprint, "confirm", &moved, &f->err));
	fixture_raw(f, "UPDATE certificate SET expires = 9000, encryption_expires = 5000");
	return owner;
}

static void earlier_of_the_two_expiries_counts(void **state)
{
	struct fixture *f = *state;
	ending_contact(f);
	assert_int_equal(expiring(f, END - 1).count, 0);
	assert_int_equal(expiring(f, END).last.expires, END);
	fixture_raw(f, "UPDATE certificate SET expires = 4000");
	assert_int_equal(expiring(f, END).last.expires, 4000);
	fixture_raw(f, "UPDATE certificate SET expires = 4000, encryption_expires = 0");
	assert_int_equal(expiring(f, END).last.expires, 4000);
	fixture_raw(f, "UPDATE certificate SET expires = 0, encryption_expires = 3000");
	assert_int_equal(expiring(f, END).last.expires, 3000);
	fixture_raw(f, "UPDATE certificate SET expires = 0, encryption_expires = 0");
	assert_int_equal(expiring(f, END).count, 0);
}

static void removed_person_or_unconfirmed_certificate_is_not_told(void **state)
{
	struct fixture *f = *state;
	ending_contact(f);
	assert_int_equal(expiring(f, END).count, 1);
	fixture_raw(f, "UPDATE certificate SET state = 'retired'");
	assert_int_equal(expiring(f, END).count, 0);
	fixture_raw(
	    f, "UPDATE certificate SET state = 'confirmed'; UPDATE contact SET removed = 1");
	assert_int_equal(expiring(f, END).count, 0);
	fixture_raw(f, "UPDATE contact SET removed = 0; UPDATE member SET state = 'left'");
	assert_int_equal(expiring(f, END).count, 0);
}

static void stage_is_recorded_once_for_each_expiry(void **state)
{
	struct fixture *f = *state;
	const struct key_owner owner = ending_contact(f);
	bool fresh;
	assert_int_equal(expiring(f, END).last.told, UNTOLD);
	OK(f, store_key_told(f->store, owner.fingerprint, END, 30, NOW, &fresh, &f->err));
	assert_true(fresh);
	OK(f, store_key_told(f->store, owner.fingerprint, END, 30, NOW, &fresh, &f->err));
	assert_false(fresh);
	OK(f, store_key_told(f->store, owner.fingerprint, END, 7, NOW, &fresh, &f->err));
	assert_int_equal(expiring(f, END).last.told, 7);
	OK(f, store_key_told(f->store, owner.fingerprint, END, 0, NOW, &fresh, &f->err));
	assert_int_equal(expiring(f, END).count, 0);
	fixture_raw(f, "UPDATE certificate SET encryption_expires = 6000"); /* renewed */
	assert_int_equal(expiring(f, 6000).last.told, UNTOLD);
}

struct due {
	int count;
	size_t pkesk;
	struct delivery delivery;
};

static int take_due(
    void *context, const struct delivery *delivery, struct view pkesk, struct err *err)
{
	struct due *due = context;
	(void)err;
	due->count++;
	due->pkesk = pkesk.len;
	due->delivery = *delivery;
	return 0;
}

static void notice_is_due_at_once_and_says_that_it_is_clear(void **state)
{
	struct fixture *f = *state;
	const struct key_owner owner = ending_contact(f);
	const struct key_notice notice = {&owner, "n@gw", NOW, VIEW("head"), VIEW("body")};
	struct due due = {.count = 0};
	struct buf head = BUF_EMPTY(BUF_SMALL), data = BUF_EMPTY(BUF_SMALL),
		   tail = BUF_EMPTY(BUF_SMALL);
	int64_t message, batch, next_at;
	bool clear = false;
	int64_t sealed_at = 0;
	OK(f, store_key_notice_add(f->store, &notice, &message, &f->err));
	OK(f, store_due_next(f->store, NOW, 9, &batch, &next_at, take_due, &due, &f->err));
	assert_int_equal(due.count, 1);
	assert_int_equal(due.pkesk, 0);
	assert_string_equal(due.delivery.address, owner.address);
	OK(f, store_batch_read(f->store, batch, &clear, &sealed_at, &head, &data, &tail, &f->err));
	assert_true(clear);
	assert_string_equal(buf_text(&data), "body");
	buf_release(&head);
	buf_release(&data);
	buf_release(&tail);
}

/* I8. */
static void no_other_message_can_be_clear(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "a@gw");
	struct message notice = {.kind = "key-notice", .message_id = "b@gw", .stash = VIEW("s")};
	(void)message;
	fixture_refused(f, "UPDATE message SET clear = 1");
	fixture_refused(f, "UPDATE message SET clear = 1, kind = 'key-notice'");
	fixture_refused(f, "INSERT INTO message (kind, message_id, created_at, clear, head, tail,"
			   " stash) VALUES ('advisory', 'c@gw', 1, 1, x'', x'', x'')");
	fixture_refused(f, "INSERT INTO message (kind, message_id, created_at, clear, head, tail,"
			   " stash) VALUES ('key-notice', 'c@gw', 1, 1, x'', x'', x'00')");
	REFUSED(store_message_add(f->store, &notice, &f->err));
}

static void rekey_takes_what_waits_along(void **state)
{
	struct fixture *f = *state;
	const struct key_owner owner = ending_contact(f);
	struct certificate_facts facts;
	struct delivery delivery;
	struct contact contact;
	bool found;
	const int64_t message = fixture_message(f, "a@gw");
	const int64_t id = fixture_delivery(f, message, owner.contact, 1);
	fixture_certificate(f, 2);
	fixture_facts(2, &facts);
	OK(f, store_contact_rekey(f->store, owner.contact, facts.fingerprint, &f->err));
	OK(f, store_contact_get(f->store, owner.contact, &contact, &found, &f->err));
	assert_string_equal(contact.fingerprint, facts.fingerprint);
	OK(f, store_delivery_get(f->store, id, &delivery, &found, &f->err));
	assert_string_equal(delivery.fingerprint, facts.fingerprint);
	assert_string_equal(delivery.key_id, facts.encryption_key_id);
}

static int count_successor(void *context, const struct key_successor *successor, struct err *err)
{
	(void)successor;
	(void)err;
	++*(int *)context;
	return 0;
}

static void new_key_waits_once_for_each_person_until_it_is_taken(void **state)
{
	struct fixture *f = *state;
	const struct key_owner owner = ending_contact(f);
	struct certificate_facts facts;
	struct key_successor successor = {.contact = owner.contact, .asked_at = NOW};
	int count = 0;
	bool added;
	successor.arrival = fixture_arrival(f, "raw");
	memcpy(successor.former, owner.fingerprint, sizeof successor.former);
	for (int n = 2; n <= 3; n++) {
		fixture_certificate(f, n);
		fixture_facts(n, &facts);
		memcpy(successor.fingerprint, facts.fingerprint, sizeof facts.fingerprint);
		OK(f, store_key_successor_put(f->store, &successor, &added, &f->err));
		assert_true(added);
	}
	OK(f, store_key_successor_each(f->store, count_successor, &count, &f->err));
	assert_int_equal(count, 1);
	OK(f, store_contact_rekey(f->store, owner.contact, facts.fingerprint, &f->err));
	count = 0;
	OK(f, store_key_successor_each(f->store, count_successor, &count, &f->err));
	assert_int_equal(count, 0);
}

static void key_that_is_closed_counts_as_expired(void **state)
{
	struct fixture *f = *state;
	const struct key_owner owner = ending_contact(f);
	OK(f, store_key_close(f->store, owner.fingerprint, 2000, NULL, &f->err));
	assert_int_equal(expiring(f, END).last.expires, 2000);
	OK(f, store_key_close(f->store, owner.fingerprint, 3000, NULL, &f->err));
	assert_int_equal(expiring(f, END).last.expires, 2000);
}

static void one_user_cannot_ask_and_approve(void **state)
{
	struct fixture *f = *state;
	struct approval approval = {.kind = "key.confirm",
	    .fingerprint = "AB",
	    .asked_by = "admin a",
	    .asked_uid = 7,
	    .asked_at = NOW};
	struct approval again = approval;
	bool flag;
	OK(f, store_approval_add(f->store, &approval, &flag, &f->err));
	assert_true(flag);
	OK(f, store_approval_add(f->store, &again, &flag, &f->err));
	assert_false(flag);
	assert_int_equal(again.id, approval.id);
	REFUSED(
	    store_approval_close(f->store, approval.id, "done", "admin a", 7, NOW, &flag, &f->err));
	OK(f,
	    store_approval_close(f->store, approval.id, "done", "admin b", 8, NOW, &flag, &f->err));
	assert_true(flag);
	OK(f,
	    store_approval_close(f->store, approval.id, "done", "admin b", 8, NOW, &flag, &f->err));
	assert_false(flag);
	OK(f, store_approval_get(f->store, approval.id, &again, &flag, &f->err));
	assert_string_equal(again.state, "done");
	assert_string_equal(again.decided_by, "admin b");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(earlier_of_the_two_expiries_counts),
	    TEST(removed_person_or_unconfirmed_certificate_is_not_told),
	    TEST(stage_is_recorded_once_for_each_expiry),
	    TEST(notice_is_due_at_once_and_says_that_it_is_clear),
	    TEST(no_other_message_can_be_clear),
	    TEST(rekey_takes_what_waits_along),
	    TEST(new_key_waits_once_for_each_person_until_it_is_taken),
	    TEST(key_that_is_closed_counts_as_expired),
	    TEST(one_user_cannot_ask_and_approve),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_keylife", tests, NULL, NULL);
}
