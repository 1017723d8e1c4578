/* Certificates, whose keys they are, and the keyring shards they fill. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "store_fixture.h"

#include "base/clock.h"

static struct certificate get(struct fixture *f, int n)
{
	struct certificate certificate;
	char fingerprint[FINGERPRINT_SIZE];
	bool found;
	snprintf(fingerprint, sizeof fingerprint, "%040X", (unsigned)n);
	OK(f, store_certificate_get(f->store, fingerprint, &certificate, &found, &f->err));
	assert_true(found);
	return certificate;
}

/* Puts certificate n with these bytes; true when it is new. */
static bool put(struct fixture *f, const struct certificate_facts *facts, const char *bytes,
    char clash[static FINGERPRINT_SIZE])
{
	bool is_new;
	OK(f, store_certificate_put(
		  f->store, facts, view_of(bytes), FIXTURE_SHARD_SIZE, &is_new, clash, &f->err));
	return is_new;
}

static void what_was_put_is_there(void **state)
{
	struct fixture *f = *state;
	struct certificate_facts facts;
	struct buf bytes = BUF_EMPTY(BUF_SMALL);
	char clash[FINGERPRINT_SIZE];
	bool found;
	fixture_facts(5, &facts);
	facts.expires = 77;
	facts.encryption_expires = 66;
	assert_true(put(f, &facts, "minimal", clash));
	const struct certificate c = get(f, 5);
	assert_string_equal(c.state, "pending");
	assert_string_equal(c.facts.user_id, facts.user_id);
	assert_string_equal(c.facts.algorithm, facts.algorithm);
	assert_int_equal(c.facts.created, 1000);
	assert_int_equal(c.facts.expires, 77);
	assert_string_equal(c.facts.encryption_key_id, facts.encryption_key_id);
	assert_string_equal(c.facts.encryption_fingerprint, facts.encryption_fingerprint);
	assert_int_equal(c.facts.encryption_expires, 66);
	assert_int_equal(c.facts.key_count, 2);
	assert_string_equal(c.facts.key_ids[0], facts.key_ids[0]);
	assert_string_equal(c.facts.key_ids[1], facts.key_ids[1]);
	assert_true(c.added_at > 0);
	OK(f, store_certificate_bytes(f->store, facts.fingerprint, &bytes, &found, &f->err));
	assert_true(found);
	assert_string_equal(buf_text(&bytes), "minimal");
	OK(f, store_certificate_bytes(f->store, "NONE", &bytes, &found, &f->err));
	assert_false(found);
	buf_release(&bytes);
}

static void shards_fill_up_and_generations_rise(void **state)
{
	struct fixture *f = *state;
	static const int64_t shards[] = {1, 1, 1, 2, 2, 2, 3};
	const int64_t begun = clock_now();
	int64_t before = 0;
	for (int n = 1; n <= 7; n++) {
		fixture_certificate(f, n);
		const struct certificate c = get(f, n);
		assert_int_equal(c.shard, shards[n - 1]);
		assert_true(n == 4 || n == 7 || c.generation > before);
		before = c.generation;
	}
	/* No number comes a second time, also when the store is an older one. */
	assert_true(get(f, 7).generation >= begun);
	fixture_raw(f, "UPDATE shard SET generation = 1 WHERE id = 3");
	fixture_certificate(f, 8);
	assert_true(get(f, 8).generation >= before);
}

static void the_fullest_shard_with_room_is_taken(void **state)
{
	struct fixture *f = *state;
	struct certificate_facts facts;
	char clash[FINGERPRINT_SIZE];
	bool is_new;
	for (int n = 1; n <= 4; n++) /* shard 1 full at 3, shard 2 has 1 */
		fixture_certificate(f, n);
	fixture_facts(5, &facts);
	OK(f, store_certificate_put(f->store, &facts, VIEW("x"), 4, &is_new, clash, &f->err));
	assert_int_equal(get(f, 5).shard, 1);
}

static void an_update_keeps_state_and_shard_and_raises_the_generation(void **state)
{
	struct fixture *f = *state;
	struct certificate_facts facts;
	struct certificate c;
	char clash[FINGERPRINT_SIZE];
	bool moved;
	for (int n = 1; n <= 4; n++)
		fixture_certificate(f, n);
	const int64_t before = get(f, 2).generation, other = get(f, 4).generation;
	fixture_facts(2, &facts);
	OK(f, store_certificate_move(f->store, facts.fingerprint, "confirm", &moved, &f->err));
	facts.expires = 99999;
	facts.key_count = 1;
	strcpy(facts.encryption_key_id, "EEEE");
	assert_false(put(f, &facts, "renewed", clash));
	c = get(f, 2);
	assert_string_equal(c.state, "confirmed");
	assert_int_equal(c.shard, 1);
	assert_true(c.generation > before);
	assert_int_equal(c.facts.expires, 99999);
	assert_int_equal(c.facts.key_count, 1);
	assert_string_equal(c.facts.encryption_key_id, "EEEE");
	assert_int_equal(get(f, 4).generation, other); /* the other keyring stays good */
	assert_false(put(f, &facts, "renewed", clash));
	assert_int_equal(get(f, 2).generation, c.generation); /* nothing new in the keyring */
}

static void a_key_of_another_certificate_is_a_clash_and_adds_nothing(void **state)
{
	struct fixture *f = *state;
	struct certificate_facts first;
	struct certificate_facts facts;
	struct certificate c;
	char clash[FINGERPRINT_SIZE];
	bool found;
	fixture_certificate(f, 1);
	const int64_t before = get(f, 1).generation;
	fixture_facts(1, &first);
	for (int which = 0; which < 3; which++) {
		fixture_facts(2, &facts);
		if (which == 0)
			strcpy(facts.key_ids[1], first.key_ids[0]);
		else if (which == 1)
			strcpy(facts.encryption_key_id, first.encryption_key_id);
		else
			strcpy(facts.key_ids[0], first.encryption_key_id);
		assert_false(put(f, &facts, "x", clash));
		assert_string_equal(clash, first.fingerprint);
		OK(f, store_certificate_get(f->store, facts.fingerprint, &c, &found, &f->err));
		assert_false(found);
	}
	assert_int_equal(get(f, 1).generation, before);
}

static void a_certificate_is_found_by_the_keys_that_sign(void **state)
{
	struct fixture *f = *state;
	struct certificate_facts facts;
	struct certificate c;
	bool found;
	fixture_certificate(f, 1);
	fixture_certificate(f, 2);
	fixture_facts(2, &facts);
	for (int i = 0; i < 2; i++) {
		OK(f, store_certificate_by_key_id(f->store, facts.key_ids[i], &c, &found, &f->err));
		assert_true(found);
		assert_string_equal(c.facts.fingerprint, facts.fingerprint);
	}
	OK(f, store_certificate_by_key_id(f->store, facts.encryption_key_id, &c, &found, &f->err));
	assert_false(found);
}

static void an_encryption_key_that_signs_too_is_found(void **state)
{
	struct fixture *f = *state;
	struct certificate_facts facts;
	struct certificate c;
	char clash[FINGERPRINT_SIZE];
	bool found;
	fixture_facts(1, &facts);
	strcpy(facts.encryption_key_id, facts.key_ids[1]);
	assert_true(put(f, &facts, "x", clash));
	OK(f, store_certificate_by_key_id(f->store, facts.key_ids[1], &c, &found, &f->err));
	assert_true(found);
	assert_int_equal(c.facts.key_count, 2);
}

static void a_certificate_moves_by_its_table(void **state)
{
	struct fixture *f = *state;
	struct certificate_facts facts;
	bool moved;
	fixture_certificate(f, 1);
	fixture_facts(1, &facts);
	OK(f, store_certificate_move(f->store, facts.fingerprint, "confirm", &moved, &f->err));
	assert_true(moved);
	OK(f, store_certificate_move(f->store, facts.fingerprint, "confirm", &moved, &f->err));
	assert_false(moved);
	OK(f, store_certificate_move(f->store, facts.fingerprint, "retire", &moved, &f->err));
	assert_true(moved);
	assert_string_equal(get(f, 1).state, "retired");
	OK(f, store_certificate_move(f->store, facts.fingerprint, "confirm", &moved, &f->err));
	assert_false(moved);
	OK(f, store_certificate_move(f->store, "NONE", "confirm", &moved, &f->err));
	assert_false(moved);
}

static int add_bytes(void *context, struct view minimal, struct err *err)
{
	(void)err;
	buf_add_view(context, minimal);
	return 0;
}

static void a_shard_gives_all_its_certificates(void **state)
{
	struct fixture *f = *state;
	struct buf all = BUF_EMPTY(BUF_SMALL);
	struct certificate_facts facts;
	char clash[FINGERPRINT_SIZE];
	int64_t generation;
	bool moved;
	for (int n = 1; n <= 4; n++) {
		char bytes[16];
		snprintf(bytes, sizeof bytes, "<%d>", n);
		fixture_facts(n, &facts);
		put(f, &facts, bytes, clash);
	}
	fixture_facts(1, &facts);
	OK(f, store_certificate_move(f->store, facts.fingerprint, "retire", &moved, &f->err));
	OK(f, store_shard_each(f->store, 1, &generation, add_bytes, &all, &f->err));
	assert_true(generation > 0);
	assert_int_equal(all.len, 9);
	for (int n = 1; n <= 3; n++) {
		char bytes[16];
		snprintf(bytes, sizeof bytes, "<%d>", n);
		assert_true(view_find(buf_view(&all), view_of(bytes)) != SIZE_MAX);
	}
	buf_clear(&all);
	OK(f, store_shard_each(f->store, 9, &generation, add_bytes, &all, &f->err));
	assert_int_equal(generation, 0);
	assert_int_equal(all.len, 0);
	buf_release(&all);
}

static int count_one(void *context, const struct certificate *certificate, struct err *err)
{
	(void)err;
	assert_int_equal(certificate->facts.key_count, 2);
	++*(int *)context;
	return 0;
}

static void all_certificates_are_listed(void **state)
{
	struct fixture *f = *state;
	int count = 0;
	for (int n = 1; n <= 5; n++)
		fixture_certificate(f, n);
	OK(f, store_certificate_each(f->store, count_one, &count, &f->err));
	assert_int_equal(count, 5);
}

static enum certificate_outcome outcome;

static enum certificate_outcome take(struct fixture *f, const struct certificate_verdict *verdict)
{
	char clash[FINGERPRINT_SIZE];
	OK(f, store_certificate_take(f->store, verdict, 3, 5000, &outcome, clash, &f->err));
	return outcome;
}

static void assert_bytes(struct fixture *f, const char *fingerprint, const char *expected)
{
	struct buf bytes = BUF_EMPTY(BUF_SMALL);
	bool found;
	OK(f, store_certificate_bytes(f->store, fingerprint, &bytes, &found, &f->err));
	assert_string_equal(buf_text(&bytes), expected);
	buf_release(&bytes);
}

/* I18. */
static void verdict_is_taken_only_with_what_it_was_merged_with(void **state)
{
	struct fixture *f = *state;
	struct certificate_verdict verdict = {.usable = true, .minimal = VIEW("one")};
	fixture_facts(1, &verdict.facts);
	const char *fingerprint = verdict.facts.fingerprint;
	assert_int_equal(take(f, &verdict), CERTIFICATE_ADDED);
	/* Meanwhile it has come to be known. */
	assert_int_equal(take(f, &verdict), CERTIFICATE_STALE);
	verdict.known = true;
	verdict.before = VIEW("one");
	assert_int_equal(take(f, &verdict), CERTIFICATE_UNCHANGED);
	verdict.changed = true;
	verdict.minimal = VIEW("two");
	assert_int_equal(take(f, &verdict), CERTIFICATE_UPDATED);
	assert_int_equal(take(f, &verdict), CERTIFICATE_STALE);
	assert_bytes(f, fingerprint, "two");
}

static void revocations_are_kept_of_what_is_refused(void **state)
{
	struct fixture *f = *state;
	struct certificate_verdict verdict = {.reason = "too weak"};
	char clash[FINGERPRINT_SIZE];
	fixture_facts(1, &verdict.facts);
	const char *fingerprint = verdict.facts.fingerprint;
	assert_int_equal(take(f, &verdict), CERTIFICATE_REFUSED);
	put(f, &verdict.facts, "one", clash);
	verdict.known = true;
	verdict.before = VIEW("one");
	assert_int_equal(take(f, &verdict), CERTIFICATE_REFUSED);
	verdict.changed = verdict.usable = true;
	verdict.minimal = VIEW("two");
	assert_int_equal(take(f, &verdict), CERTIFICATE_KEPT);
	assert_bytes(f, fingerprint, "two");
	/* Nothing can be sealed for it any more, and it keeps what is known of its keys. */
	struct certificate_facts facts = verdict.facts;
	verdict.facts.encryption_key_id[0] = '\0';
	verdict.usable = false;
	verdict.closed = true;
	verdict.before = VIEW("two");
	verdict.minimal = VIEW("three");
	assert_int_equal(take(f, &verdict), CERTIFICATE_CLOSED);
	assert_bytes(f, fingerprint, "three");
	assert_int_equal(get(f, 1).facts.encryption_expires, 5000);
	assert_string_equal(get(f, 1).facts.encryption_key_id, facts.encryption_key_id);
	verdict.revoked = true;
	verdict.before = VIEW("three");
	verdict.minimal = VIEW("four");
	assert_int_equal(take(f, &verdict), CERTIFICATE_RETIRED);
	assert_bytes(f, fingerprint, "four");
	assert_string_equal(get(f, 1).state, "retired");
	/* An older copy, merged: the state stays. */
	verdict.before = VIEW("four");
	verdict.changed = false;
	assert_int_equal(take(f, &verdict), CERTIFICATE_REFUSED);
	assert_string_equal(get(f, 1).state, "retired");
}

static void known_certificate_is_found_by_fingerprint_or_primary_key_id(void **state)
{
	struct fixture *f = *state;
	struct certificate_facts facts;
	struct buf bytes = BUF_EMPTY(BUF_SMALL);
	char clash[FINGERPRINT_SIZE];
	bool found;
	fixture_facts(1, &facts);
	snprintf(facts.key_ids[0], KEY_ID_SIZE, "AAAAAAAAAAAAAAA1");
	snprintf(facts.key_ids[1], KEY_ID_SIZE, "AAAAAAAAAAAAAAA2");
	facts.key_count = 2;
	put(f, &facts, "one", clash);
	OK(f, store_certificate_known(f->store, facts.fingerprint, &bytes, &found, &f->err));
	assert_true(found);
	OK(f, store_certificate_known(f->store, "AAAAAAAAAAAAAAA1", &bytes, &found, &f->err));
	assert_true(found);
	assert_string_equal(buf_text(&bytes), "oneone");
	OK(f, store_certificate_known(f->store, "AAAAAAAAAAAAAAA2", &bytes, &found, &f->err));
	assert_false(found);
	OK(f, store_certificate_known(f->store, "AAAAAAAAAAAAAAA3", &bytes, &found, &f->err));
	assert_false(found);
	buf_release(&bytes);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_put_is_there),
	    TEST(shards_fill_up_and_generations_rise),
	    TEST(the_fullest_shard_with_room_is_taken),
	    TEST(an_update_keeps_state_and_shard_and_raises_the_generation),
	    TEST(verdict_is_taken_only_with_what_it_was_merged_with),
	    TEST(revocations_are_kept_of_what_is_refused),
	    TEST(known_certificate_is_found_by_fingerprint_or_primary_key_id),
	    TEST(a_key_of_another_certificate_is_a_clash_and_adds_nothing),
	    TEST(a_certificate_is_found_by_the_keys_that_sign),
	    TEST(an_encryption_key_that_signs_too_is_found),
	    TEST(a_certificate_moves_by_its_table),
	    TEST(a_shard_gives_all_its_certificates),
	    TEST(all_certificates_are_listed),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_certificates", tests, NULL, NULL);
}
