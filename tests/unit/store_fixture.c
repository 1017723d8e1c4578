#include "config.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store_fixture.h"

int fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	assert_non_null(fixture);
	strcpy(fixture->dir, "/tmp/dl.XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	snprintf(fixture->path, sizeof fixture->path, "%.100s/store", fixture->dir);
	OK(fixture, store_create(fixture->path, &fixture->err));
	OK(fixture, store_open(fixture->path, &fixture->store, &fixture->err));
	*state = fixture;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;
	store_close(fixture->store);
	OK(fixture, file_remove_tree(fixture->dir, &fixture->err));
	free(fixture);
	return 0;
}

static sqlite3 *open_raw(const struct fixture *fixture)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	return db;
}

void fixture_raw(const struct fixture *fixture, const char *sql)
{
	sqlite3 *db = open_raw(fixture);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

void fixture_refused(const struct fixture *fixture, const char *sql)
{
	sqlite3 *db = open_raw(fixture);
	assert_int_equal(sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		fail_msg("not refused: %s", sql);
	sqlite3_close(db);
}

int64_t fixture_number(const struct fixture *fixture, const char *sql)
{
	sqlite3 *db = open_raw(fixture);
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	const int64_t number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return number;
}

void fixture_facts(int n, struct certificate_facts *facts)
{
	*facts = (struct certificate_facts){.created = 1000, .key_count = 2};
	snprintf(facts->fingerprint, sizeof facts->fingerprint, "%040X", (unsigned)n);
	snprintf(facts->user_id, sizeof facts->user_id, "Contact %d <c%d@example.org>", n, n);
	strcpy(facts->algorithm, "rsa4096, encrypts with rsa4096");
	snprintf(facts->encryption_key_id, KEY_ID_SIZE, "E%015X", (unsigned)n);
	snprintf(facts->encryption_fingerprint, FINGERPRINT_SIZE, "E%039X", (unsigned)n);
	snprintf(facts->key_ids[0], KEY_ID_SIZE, "A%015X", (unsigned)n);
	snprintf(facts->key_ids[1], KEY_ID_SIZE, "B%015X", (unsigned)n);
}

void fixture_certificate(struct fixture *fixture, int n)
{
	struct certificate_facts facts;
	char clash[FINGERPRINT_SIZE];
	bool is_new;
	fixture_facts(n, &facts);
	OK(fixture, store_certificate_put(fixture->store, &facts, view_of(facts.user_id),
			FIXTURE_SHARD_SIZE, &is_new, clash, &fixture->err));
	assert_string_equal(clash, "");
}

int64_t fixture_contact(struct fixture *fixture, int n)
{
	const struct member member = {.id = "m", .name = "A member", .kind = "national"};
	struct contact contact = {.member = "m", .name = "Contact", .clearance = "RED", .rank = 1};
	bool added;
	OK(fixture, store_member_add(fixture->store, &member, &added, &fixture->err));
	fixture_certificate(fixture, n);
	snprintf(contact.address, sizeof contact.address, "c%d@example.org", n);
	snprintf(contact.fingerprint, sizeof contact.fingerprint, "%040X", (unsigned)n);
	OK(fixture, store_contact_add(fixture->store, &contact, &added, &fixture->err));
	assert_true(added);
	return contact.id;
}

int64_t fixture_publisher(struct fixture *fixture)
{
	struct publisher publisher = {
	    .address = "cert@example.net", .name = "A CERT", .fingerprint = "F00D"};
	bool added;
	OK(fixture, store_publisher_add(fixture->store, &publisher, &added, &fixture->err));
	if (!added)
		OK(fixture, store_publisher_by_address(fixture->store, publisher.address,
				&publisher, &added, &fixture->err));
	return publisher.id;
}

int64_t fixture_message(struct fixture *fixture, const char *message_id)
{
	struct message message = {
	    .kind = "advisory",
	    .created_at = 1000,
	    .head = VIEW("Subject: [...]\r\n\r\n"),
	    .tail = VIEW("\r\n--x--\r\n"),
	    .stash = VIEW("ciphertext"),
	};
	snprintf(message.message_id, sizeof message.message_id, "%s", message_id);
	OK(fixture, store_message_add(fixture->store, &message, &fixture->err));
	return message.id;
}

int64_t fixture_delivery(struct fixture *fixture, int64_t message, int64_t contact, int n)
{
	struct delivery delivery = {.message = message, .contact = contact, .state = "queued"};
	snprintf(delivery.address, sizeof delivery.address, "c%d@example.org", n);
	snprintf(delivery.fingerprint, sizeof delivery.fingerprint, "%040X", (unsigned)n);
	snprintf(delivery.key_id, sizeof delivery.key_id, "E%015X", (unsigned)n);
	OK(fixture, store_delivery_add(fixture->store, &delivery, &fixture->err));
	return delivery.id;
}

int64_t fixture_sealed(struct fixture *fixture, int64_t message, int64_t contact, int n)
{
	const int64_t id = fixture_delivery(fixture, message, contact, n);
	int64_t batch;
	OK(fixture, store_batch_add(fixture->store, message, VIEW("data"), 0, &batch, &fixture->err));
	OK(fixture, store_delivery_bind(fixture->store, id, batch, VIEW("key"), &fixture->err));
	return id;
}

int64_t fixture_arrival(struct fixture *fixture, const char *raw)
{
	int64_t id;
	bool fresh;
	OK(fixture,
	    store_arrival_receive(fixture->store, view_of(raw), 1000, &id, &fresh, &fixture->err));
	return id;
}

int64_t fixture_advisory(struct fixture *fixture, const char *number)
{
	struct advisory advisory = {.tlp = "AMBER", .severity = "high", .created_at = 1000};
	advisory.publisher = fixture_publisher(fixture);
	snprintf(advisory.number, sizeof advisory.number, "%s", number);
	OK(fixture, store_advisory_add(fixture->store, &advisory, &fixture->err));
	return advisory.id;
}

void fixture_revision(
    struct fixture *fixture, int64_t advisory, const char *token, struct revision *revision)
{
	char message_id[STORE_NAME_SIZE];
	*revision = (struct revision){
	    .advisory = advisory,
	    .kind = "new",
	    .tlp = "AMBER",
	    .audience = "all",
	    .acknowledge_by = 5000,
	    .released_at = 1000,
	    .publisher = fixture_publisher(fixture),
	    .title = VIEW("sealed title"),
	};
	snprintf(message_id, sizeof message_id, "%s@example.net", token);
	snprintf(revision->token, sizeof revision->token, "%s", token);
	revision->arrival = fixture_arrival(fixture, token);
	revision->message = fixture_message(fixture, message_id);
	OK(fixture, store_revision_add(fixture->store, revision, &fixture->err));
}

void fixture_move(struct fixture *fixture, int64_t delivery, const char *event, int64_t now)
{
	OK(fixture, store_delivery_move(
			fixture->store, delivery, event, NULL, 0, now, false, &fixture->err));
}

void fixture_expect_state(struct fixture *fixture, int64_t delivery, const char *state)
{
	struct delivery found;
	bool there;
	OK(fixture, store_delivery_get(fixture->store, delivery, &found, &there, &fixture->err));
	assert_true(there);
	assert_string_equal(found.state, state);
}
