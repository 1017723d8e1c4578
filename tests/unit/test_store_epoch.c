/* Epochs, the mark beside a store, and what is taken from the one in place: I15 and I18. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/audit.h"
#include "store/epoch.h"
#include "store/former.h"
#include "store/holds.h"
#include "store/lost.h"
#include "store/mark.h"
#include "store/reminders.h"
#include "store_fixture.h"

enum { FRESH = EPOCH_FRESH_S, LATER = 2000 + EPOCH_FRESH_S };

static struct epoch begin(struct fixture *f, int64_t now, const char *findings)
{
	struct epoch epoch;
	OK(f, store_epoch_read_end(f->store, &epoch, &f->err));
	OK(f, store_epoch_begin(
		  f->store, now, 0, 0, false, "admin", view_of(findings), &epoch, &f->err));
	return epoch;
}

static void next_number(struct fixture *f, char out[static STORE_NUMBER_SIZE])
{
	OK(f, store_advisory_next_number(f->store, "DEW", 2026, out, &f->err));
}

static void add_entry(struct fixture *f, int64_t at)
{
	OK(f, store_audit_add(f->store, at, "gate", "test", "", &f->err, "an entry"));
}

static void the_first_epoch_has_no_tag_and_later_ones_never_the_same(void **state)
{
	struct fixture *f = *state;
	struct epoch epoch;
	char number[STORE_NUMBER_SIZE];
	char expected[STORE_NUMBER_SIZE];
	OK(f, store_epoch_get(f->store, &epoch, &f->err));
	assert_int_equal(epoch.number, 1);
	assert_string_equal(epoch.tag, "");
	next_number(f, number);
	assert_string_equal(number, "DEW-2026-0001");
	add_entry(f, 900);
	const struct epoch second = begin(f, 2000, "");
	assert_int_equal(second.number, 2);
	assert_int_equal(second.tag[0], 'B');
	assert_int_equal(strlen(second.tag), 3);
	assert_int_equal(second.backup_at, 900);
	assert_int_equal(second.sequence, 1);
	next_number(f, number);
	snprintf(expected, sizeof expected, "DEW-2026-%s0002", second.tag);
	assert_string_equal(number, expected);
	OK(f, store_epoch_read_end(f->store, &epoch, &f->err));
	OK(f, store_epoch_begin(
		  f->store, 3000, 30, 0, false, "admin", VIEW(""), &epoch, &f->err));
	assert_int_equal(epoch.number, 30);
	assert_int_equal(strlen(epoch.tag), 4);
	assert_memory_equal(epoch.tag, "AD", 2);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM audit"
					   " WHERE event = 'store.restored'"),
	    2);
}

/* A restore retires keys before the epoch begins. */
static void end_of_the_backup_is_before_what_the_restore_writes(void **state)
{
	struct fixture *f = *state;
	struct epoch epoch;
	add_entry(f, 900);
	OK(f, store_epoch_read_end(f->store, &epoch, &f->err));
	add_entry(f, 2000);
	OK(f, store_epoch_begin(
		  f->store, 2000, 0, 0, false, "admin", VIEW(""), &epoch, &f->err));
	assert_int_equal(epoch.backup_at, 900);
	assert_int_equal(epoch.sequence, 1);
}

/* Of one backup put back twice no number is the same but by chance, one in 400. */
static void two_restores_of_one_backup_differ(void **state)
{
	struct fixture *f = *state;
	char first[EPOCH_TAG_SIZE] = "";
	bool differs = false;
	for (int i = 0; i < 8; i++) {
		struct epoch epoch = {.number = 0};
		OK(f, store_begin(f->store, &f->err));
		OK(f, store_epoch_begin(
			  f->store, 1, 0, 0, false, "admin", VIEW(""), &epoch, &f->err));
		store_rollback(f->store);
		differs = differs || (i > 0 && strcmp(first, epoch.tag) != 0);
		memcpy(first, epoch.tag, sizeof first);
	}
	assert_true(differs);
}

static void revisions_of_older_advisories_number_on_from_the_next_hundred(void **state)
{
	struct fixture *f = *state;
	struct advisory advisory;
	struct revision revision;
	bool found;
	const int64_t old = fixture_advisory(f, "DEW-2026-0001");
	const int64_t held = fixture_advisory(f, "DEW-2026-0002");
	fixture_revision(f, old, "AAAAAAAAAAAAAAAA", &revision);
	assert_int_equal(revision.number, 1);
	begin(f, 2000, "");
	OK(f, store_advisory_by_id(f->store, old, &advisory, &found, &f->err));
	assert_int_equal(advisory.revisions, 1);
	assert_int_equal(advisory.next_revision, 101);
	fixture_revision(f, old, "BBBBBBBBBBBBBBBB", &revision);
	assert_int_equal(revision.number, 101);
	fixture_revision(f, old, "CCCCCCCCCCCCCCCC", &revision);
	assert_int_equal(revision.number, 102);
	fixture_revision(f, held, "DDDDDDDDDDDDDDDD", &revision);
	assert_int_equal(revision.number, 101);
	const int64_t fresh = fixture_advisory(f, "DEW-2026-BKT0003");
	fixture_revision(f, fresh, "EEEEEEEEEEEEEEEE", &revision);
	assert_int_equal(revision.number, 1);
	begin(f, 3000, "");
	fixture_revision(f, fresh, "FFFFFFFFFFFFFFFF", &revision);
	assert_int_equal(revision.number, 201);
	fixture_revision(f, old, "GGGGGGGGGGGGGGGG", &revision);
	assert_int_equal(revision.number, 201);
}

static void a_delivery_and_a_message_id_are_of_their_epoch(void **state)
{
	struct fixture *f = *state;
	char tag[EPOCH_TAG_SIZE];
	char batch_tag[STORE_ID_SIZE];
	int64_t batch;
	const int64_t contact = fixture_contact(f, 1);
	const int64_t message = fixture_message(f, "old@example.net");
	const int64_t old = fixture_delivery(f, message, contact, 1);
	OK(f, store_batch_add(f->store, message, VIEW("data"), 1, &batch, &f->err));
	const struct epoch epoch = begin(f, 2000, "");
	OK(f, store_batch_tag(f->store, batch, batch_tag, &f->err));
	assert_string_equal(batch_tag, "");
	OK(f, store_batch_add(f->store, message, VIEW("data"), 1, &batch, &f->err));
	OK(f, store_batch_tag(f->store, batch, batch_tag, &f->err));
	assert_string_equal(batch_tag, epoch.tag);
	const int64_t after = fixture_message(f, "new@example.net");
	const int64_t new = fixture_delivery(f, after, contact, 1);
	OK(f, store_batch_add(f->store, after, VIEW("data"), 1, &batch, &f->err));
	OK(f, store_batch_tag(f->store, batch, batch_tag, &f->err));
	assert_string_equal(batch_tag, "");
	OK(f, store_epoch_of_delivery(f->store, old, tag, &f->err));
	assert_string_equal(tag, "");
	OK(f, store_epoch_of_delivery(f->store, new, tag, &f->err));
	assert_string_equal(tag, epoch.tag);
}

static struct delivery delivery_of(struct fixture *f, int64_t id)
{
	struct delivery delivery;
	bool found;
	OK(f, store_delivery_get(f->store, id, &delivery, &found, &f->err));
	return delivery;
}

static int no_due(void *context, const struct delivery *delivery, struct view pkesk, struct err *err)
{
	int *count = context;
	(void)delivery;
	(void)pkesk;
	(void)err;
	++*count;
	return 0;
}

static int due_count(struct fixture *f, int64_t now, int64_t *next_at)
{
	int64_t batch;
	int count = 0;
	OK(f, store_due_next(f->store, now, 10, &batch, next_at, no_due, &count, &f->err));
	return count;
}

static void what_waited_long_is_held_back_until_an_admin_says_so(void **state)
{
	struct fixture *f = *state;
	int64_t next_at;
	int64_t count;
	int64_t holds;
	const int64_t message = fixture_message(f, "old@example.net");
	const int64_t queued = fixture_sealed(f, message, fixture_contact(f, 1), 1);
	const int64_t sending = fixture_sealed(f, message, fixture_contact(f, 2), 2);
	fixture_move(f, sending, "start", 1000);
	begin(f, LATER, "");
	assert_int_equal(due_count(f, LATER, &next_at), 0);
	assert_int_equal(next_at, 0); /* or the gate would think that the clock was ahead */
	fixture_expect_state(f, sending, "queued");
	/* Either may have gone out since, and an answer to it counts. */
	for (const int64_t *id = (const int64_t[]){queued, sending, 0}; *id != 0; id++) {
		assert_int_equal(delivery_of(f, *id).ambiguous, 1);
		assert_int_equal(delivery_of(f, *id).attempts, 1);
	}
	OK(f, store_delivery_retry_now(f->store, LATER, &count, &f->err));
	assert_int_equal(count, 0);
	assert_int_equal(due_count(f, LATER, &next_at), 0);
	OK(f, store_epoch_held_back(f->store, &count, &holds, &f->err));
	assert_int_equal(count, 2);
	OK(f, store_epoch_send_held(f->store, LATER, &f->err));
	assert_int_equal(due_count(f, LATER, &next_at) > 0, 1);
	OK(f, store_epoch_held_back(f->store, &count, &holds, &f->err));
	assert_int_equal(count, 0);
}

static void what_an_admin_cancels_fails_by_name(void **state)
{
	struct fixture *f = *state;
	const int64_t message = fixture_message(f, "old@example.net");
	const int64_t first = fixture_sealed(f, message, fixture_contact(f, 1), 1);
	const int64_t second = fixture_delivery(f, message, fixture_contact(f, 2), 2);
	begin(f, LATER, "");
	OK(f, store_epoch_cancel_held(f->store, LATER, "by an admin's word", &f->err));
	fixture_expect_state(f, first, "failed");
	fixture_expect_state(f, second, "failed");
	assert_string_equal(delivery_of(f, second).reason, "by an admin's word");
}

static void what_is_new_goes_on_and_counts_as_perhaps_sent(void **state)
{
	struct fixture *f = *state;
	int64_t next_at;
	const int64_t message = fixture_message(f, "new@example.net");
	const int64_t id = fixture_sealed(f, message, fixture_contact(f, 1), 1);
	begin(f, 1000 + FRESH, "");
	assert_int_equal(due_count(f, 1000 + FRESH, &next_at), 1);
	assert_int_equal(delivery_of(f, id).ambiguous, 1);
}

static int count_revision(void *context, const struct revision *revision, struct err *err)
{
	int *count = context;
	(void)revision;
	(void)err;
	++*count;
	return 0;
}

static int open_deadlines(struct fixture *f, int64_t now)
{
	int count = 0;
	OK(f, store_reminder_each_open(f->store, now, count_revision, &count, &f->err));
	return count;
}

static void nobody_is_reminded_of_what_was_due_before(void **state)
{
	struct fixture *f = *state;
	struct revision revision;
	fixture_revision(f, fixture_advisory(f, "DEW-2026-0001"), "AAAAAAAAAAAAAAAA", &revision);
	assert_int_equal(open_deadlines(f, 4000), 1);
	begin(f, 4000, ""); /* it is due at 5000 */
	assert_int_equal(open_deadlines(f, 4000), 1);
	begin(f, 6000, "");
	assert_int_equal(open_deadlines(f, 6000), 0);
}

static int64_t add_hold(struct fixture *f, const char *number, int64_t release_at)
{
	struct hold hold = {.state = "held",
	    .advisory = fixture_advisory(f, number),
	    .arrival = fixture_arrival(f, number),
	    .publisher = fixture_publisher(f),
	    .fingerprint = "F00D",
	    .created_at = 1000,
	    .release_at = release_at,
	    .title = VIEW("title")};
	OK(f, store_hold_add(f->store, &hold, &f->err));
	return hold.id;
}

static void a_draft_whose_hour_has_come_waits_and_others_keep_theirs(void **state)
{
	struct fixture *f = *state;
	struct hold hold;
	bool found;
	int64_t at;
	add_hold(f, "DEW-2026-0001", 1500);
	const int64_t later = add_hold(f, "DEW-2026-0002", 5000);
	begin(f, 2000, "");
	OK(f, store_hold_due(f->store, 2000, 0, &hold, &found, &f->err));
	assert_false(found);
	OK(f, store_hold_next_time(f->store, 2000, &at, &f->err));
	assert_int_equal(at, 5000);
	OK(f, store_hold_due(f->store, 5000, 0, &hold, &found, &f->err));
	assert_true(found);
	assert_int_equal(hold.id, later);
	struct buf findings = BUF_EMPTY(BUF_SMALL);
	OK(f, store_epoch_findings(f->store, &findings, &f->err));
	assert_string_equal(buf_text(&findings),
	    "the draft of DEW-2026-0001, whose hour has come: held back\n");
	buf_release(&findings);
	OK(f, store_epoch_send_held(f->store, 2500, &f->err));
	OK(f, store_hold_due(f->store, 2500, 0, &hold, &found, &f->err));
	assert_true(found);
}

/* -- the mark -- */

static void a_mark_shows_a_store_that_is_behind_or_another(void **state)
{
	struct fixture *f = *state;
	char path[FIXTURE_PATH_SIZE + 8];
	struct mark mark;
	struct mark read;
	bool found;
	bool holds;
	snprintf(path, sizeof path, "%s/mark", f->dir);
	const int fd = mark_open(path, &f->err);
	assert_true(fd >= 0);
	OK(f, mark_read(fd, &read, &found, &f->err));
	assert_false(found);
	add_entry(f, 900);
	OK(f, store_mark(f->store, &mark, &f->err));
	OK(f, mark_write(fd, &mark, &f->err));
	add_entry(f, 901); /* the store may be ahead of it */
	OK(f, mark_read(fd, &read, &found, &f->err));
	assert_true(found);
	assert_int_equal(read.epoch, 1);
	assert_int_equal(read.sequence, 1);
	OK(f, store_holds_mark(f->store, &read, &holds, &f->err));
	assert_true(holds);
	read.sequence = 3; /* as if the log had gone on */
	OK(f, store_holds_mark(f->store, &read, &holds, &f->err));
	assert_false(holds);
	read = mark;
	read.hash[0] = read.hash[0] == 'a' ? 'b' : 'a';
	OK(f, store_holds_mark(f->store, &read, &holds, &f->err));
	assert_false(holds);
	for (off_t size = 0; size < 100; size += 9) { /* torn */
		OK(f, mark_write(fd, &mark, &f->err));
		assert_int_equal(ftruncate(fd, size), 0);
		OK(f, mark_read(fd, &read, &found, &f->err));
		assert_false(found && strcmp(read.hash, mark.hash) != 0);
	}
	close(fd);
}

/* -- the former store -- */

static void take(struct fixture *f, const char *former, struct buf *findings)
{
	OK(f, former_attach(f->store, former, &f->err));
	OK(f, store_begin(f->store, &f->err));
	OK(f, former_take(f->store, 2000, "admin", findings, &f->err));
	OK(f, store_commit(f->store, &f->err));
	former_detach(f->store);
}

static bool says(const struct buf *text, const char *what)
{
	return view_find(buf_view(text), view_of(what)) != SIZE_MAX;
}

/* The fixture's store becomes the former one; a copy from before is what is put back. */
static void back_up(struct fixture *f, char path[static FIXTURE_PATH_SIZE + 8])
{
	snprintf(path, FIXTURE_PATH_SIZE + 8, "%s/backup", f->dir);
	OK(f, store_backup(f->store, path, &f->err));
}

static void what_was_taken_back_since_does_not_come_back(void **state)
{
	struct fixture *f = *state;
	char path[FIXTURE_PATH_SIZE + 8];
	struct former former;
	struct buf findings = BUF_EMPTY(EPOCH_FINDINGS_MAX);
	char number[STORE_NUMBER_SIZE];
	struct certificate certificate;
	bool found;
	fixture_contact(f, 1);
	fixture_contact(f, 2);
	fixture_contact(f, 3);
	add_entry(f, 900);
	back_up(f, path);
	fixture_raw(f, "UPDATE contact SET removed = 1 WHERE id = 1;"
		       "UPDATE certificate SET state = 'retired' WHERE fingerprint LIKE '%02';"
		       "UPDATE member SET state = 'suspended';"
		       "UPDATE certificate_bytes SET minimal = CAST('revoked' AS BLOB)"
		       " WHERE fingerprint LIKE '%03';");
	next_number(f, number);
	next_number(f, number);
	fixture_advisory(f, "DEW-2026-0002");
	add_entry(f, 950);
	store_close(f->store);
	former_look(f->path, &former);
	assert_true(former.readable);
	assert_int_equal(former.epoch, 1);
	assert_int_equal(former.sequence, 2);
	OK(f, store_open(path, &f->store, &f->err));
	take(f, f->path, &findings);
	assert_true(says(&findings, "DEW-2026-0002: lost\n"));
	assert_true(says(&findings, "contact c1@example.org: removed since"));
	assert_true(says(&findings, "member m: suspended since"));
	assert_true(says(&findings, "02: retired since"));
	assert_true(says(&findings, "03: changed by its owner since the backup, and so here"));
	next_number(f, number);
	assert_string_equal(number, "DEW-2026-0003");
	OK(f, store_certificate_get(f->store, "0000000000000000000000000000000000000002",
		  &certificate, &found, &f->err));
	assert_string_equal(certificate.state, "retired");
	struct buf bytes = BUF_EMPTY(BUF_SMALL);
	OK(f, store_certificate_bytes(f->store, "0000000000000000000000000000000000000003",
		  &bytes, &found, &f->err));
	assert_string_equal(buf_text(&bytes), "revoked");
	buf_release(&bytes);
	buf_release(&findings);
}

/* Otherwise a revocation that the backup has would be undone by bytes from before it. */
static void an_older_store_in_place_gives_no_certificate(void **state)
{
	struct fixture *f = *state;
	char path[FIXTURE_PATH_SIZE + 8];
	struct buf findings = BUF_EMPTY(EPOCH_FINDINGS_MAX);
	struct buf bytes = BUF_EMPTY(BUF_SMALL);
	bool found;
	fixture_contact(f, 1);
	add_entry(f, 900);
	back_up(f, path);
	store_close(f->store);
	OK(f, store_open(path, &f->store, &f->err));
	add_entry(f, 950);
	OK(f, store_begin(f->store, &f->err));
	struct certificate_facts facts;
	char clash[FINGERPRINT_SIZE];
	bool is_new;
	fixture_facts(1, &facts);
	OK(f, store_certificate_put(
		  f->store, &facts, VIEW("revoked"), 3, &is_new, clash, &f->err));
	OK(f, store_commit(f->store, &f->err));
	take(f, f->path, &findings);
	OK(f, store_certificate_bytes(f->store, "0000000000000000000000000000000000000001",
		  &bytes, &found, &f->err));
	assert_string_equal(buf_text(&bytes), "revoked");
	buf_release(&bytes);
	buf_release(&findings);
}

static void whoever_has_another_key_since_is_not_sealed_for_by_the_old_one(void **state)
{
	struct fixture *f = *state;
	char path[FIXTURE_PATH_SIZE + 8];
	struct buf findings = BUF_EMPTY(EPOCH_FINDINGS_MAX);
	struct certificate certificate;
	bool found;
	fixture_contact(f, 1);
	add_entry(f, 900);
	back_up(f, path);
	fixture_raw(f, "UPDATE contact SET fingerprint = 'F00D' WHERE id = 1");
	store_close(f->store);
	OK(f, store_open(path, &f->store, &f->err));
	take(f, f->path, &findings);
	assert_true(says(&findings, "has the key F00D since the backup, lost"));
	OK(f, store_certificate_get(f->store, "0000000000000000000000000000000000000001",
		  &certificate, &found, &f->err));
	assert_string_equal(certificate.state, "retired");
	buf_release(&findings);
}

static void a_former_store_that_cannot_be_read_is_said_to_be_so(void **state)
{
	struct fixture *f = *state;
	struct former former;
	char path[FIXTURE_PATH_SIZE + 8];
	snprintf(path, sizeof path, "%s/other", f->dir);
	former_look(path, &former);
	assert_false(former.readable);
	assert_true(former.why[0] != '\0');
	const int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "no store at all, and no database", 32), 32);
	close(fd);
	former_look(path, &former);
	assert_false(former.readable);
	assert_true(former.why[0] != '\0');
}

/* -- what shows that something was lost -- */

static void checkpoint_of_the_lost_log_names_what_is_lost(void **state)
{
	struct fixture *f = *state;
	int64_t epoch;
	int64_t first;
	add_entry(f, 900);
	add_entry(f, 901);
	OK(f, store_audit_lost(f->store, 9, &epoch, &first, &f->err));
	assert_int_equal(first, 0);
	begin(f, 2000, "");
	OK(f, store_audit_lost(f->store, 9, &epoch, &first, &f->err));
	assert_int_equal(epoch, 1);
	assert_int_equal(first, 3);
	OK(f, store_audit_lost(f->store, 2, &epoch, &first, &f->err));
	assert_int_equal(first, 0);
}

static int count_trace(void *context, const struct lost_trace *trace, struct err *err)
{
	int *count = context;
	(void)trace;
	(void)err;
	++*count;
	return 0;
}

static int untold(struct fixture *f, enum lost_told told)
{
	int count = 0;
	OK(f, store_lost_each(f->store, told, count_trace, &count, &f->err));
	return count;
}

static void a_trace_is_told_to_its_writer_and_then_to_admins_once(void **state)
{
	struct fixture *f = *state;
	struct lost_trace trace = {.kind = LOST_ANSWER, .subject = "DEW-2026-0002 r1"};
	trace.contact = fixture_contact(f, 1);
	trace.arrival = fixture_arrival(f, "answer");
	OK(f, store_lost_add(f->store, &trace, &f->err));
	OK(f, store_lost_add(f->store, &trace, &f->err));
	assert_int_equal(untold(f, LOST_WRITER_UNTOLD), 1);
	OK(f, store_lost_set_told(f->store, 1, LOST_ADMINS_UNTOLD, &f->err));
	assert_int_equal(untold(f, LOST_WRITER_UNTOLD), 0);
	assert_int_equal(untold(f, LOST_ADMINS_UNTOLD), 1);
	OK(f, store_lost_set_admins_told(f->store, 1, &f->err));
	assert_int_equal(untold(f, LOST_ADMINS_UNTOLD), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_first_epoch_has_no_tag_and_later_ones_never_the_same),
	    TEST(end_of_the_backup_is_before_what_the_restore_writes),
	    TEST(two_restores_of_one_backup_differ),
	    TEST(revisions_of_older_advisories_number_on_from_the_next_hundred),
	    TEST(a_delivery_and_a_message_id_are_of_their_epoch),
	    TEST(what_waited_long_is_held_back_until_an_admin_says_so),
	    TEST(what_an_admin_cancels_fails_by_name),
	    TEST(what_is_new_goes_on_and_counts_as_perhaps_sent),
	    TEST(nobody_is_reminded_of_what_was_due_before),
	    TEST(a_draft_whose_hour_has_come_waits_and_others_keep_theirs),
	    TEST(a_mark_shows_a_store_that_is_behind_or_another),
	    TEST(what_was_taken_back_since_does_not_come_back),
	    TEST(an_older_store_in_place_gives_no_certificate),
	    TEST(whoever_has_another_key_since_is_not_sealed_for_by_the_old_one),
	    TEST(a_former_store_that_cannot_be_read_is_said_to_be_so),
	    TEST(checkpoint_of_the_lost_log_names_what_is_lost),
	    TEST(a_trace_is_told_to_its_writer_and_then_to_admins_once),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_epoch", tests, NULL, NULL);
}
