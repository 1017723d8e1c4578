#include "config.h"

#include <stdio.h>
#include <string.h>

#include "gate_world.h"

#include "base/clock.h"
#include "courier/courier.h"
#include "gate/shard.h"
#include "pgp/vault.h"
#include "store/sql.h"

enum { OUTAGE_MS = 12 * 1000 };

static int64_t deliveries[3];

static bool all_sent(struct world *world)
{
	for (size_t i = 0; i < 3; i++) {
		if (deliveries[i] != 0 &&
		    strcmp(world_delivery(world, deliveries[i]).state, "sent") != 0)
			return false;
	}
	return true;
}

static bool all_final(struct world *world)
{
	for (size_t i = 0; i < 3; i++) {
		const char *state =
		    deliveries[i] == 0 ? "sent" : world_delivery(world, deliveries[i]).state;
		if (strcmp(state, "sent") != 0 && strcmp(state, "failed") != 0)
			return false;
	}
	return true;
}

static void recipients(struct world *world, int count)
{
	memset(deliveries, 0, sizeof deliveries);
	for (int i = 0; i < count; i++)
		deliveries[i] = world_recipient(world, i + 1);
}

static void is_failed(struct world *world, int64_t id, const char *why)
{
	const struct delivery delivery = world_delivery(world, id);
	assert_string_equal(delivery.state, "failed");
	if (strstr(delivery.reason, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", delivery.reason, why);
}

static void retire(struct world *world, int n)
{
	char fingerprint[FINGERPRINT_SIZE];
	bool moved;
	snprintf(fingerprint, sizeof fingerprint, "%040X", (unsigned)n);
	OK(world->fixture, store_certificate_move(world->fixture->store, fingerprint, "retire",
			       &moved, &world->fixture->err));
	assert_true(moved);
}

static void what_is_queued_is_sealed_and_sent(void **state)
{
	struct world *world = *state;
	recipients(world, 3);
	assert_true(world_run(world, all_sent));
	assert_int_equal(world->orders->sends, 3);
}

static void certificate_retired_since_is_not_sealed_for(void **state)
{
	struct world *world = *state;
	recipients(world, 3);
	retire(world, 2);
	assert_true(world_run(world, all_final));
	is_failed(world, deliveries[1], "retired");
	assert_int_equal(world->orders->sends, 2);
	assert_int_equal(fixture_number(world->fixture,
			     "SELECT count(*) FROM audit WHERE event = 'delivery.excluded'"),
	    1);
}

static void nobody_left_to_seal_for_is_not_waited_for(void **state)
{
	struct world *world = *state;
	recipients(world, 1);
	retire(world, 1);
	assert_true(world_run(world, all_final));
	is_failed(world, deliveries[0], "retired");
	assert_int_equal(world->orders->seals, 0);
}

static void contact_removed_since_is_not_sealed_for(void **state)
{
	struct world *world = *state;
	recipients(world, 3);
	const int64_t contact = world_delivery(world, deliveries[0]).contact;
	OK(world->fixture,
	    store_contact_remove(world->fixture->store, contact, &world->fixture->err));
	assert_true(world_run(world, all_final));
	is_failed(world, deliveries[0], "removed");
	assert_int_equal(world->orders->sends, 2);
}

static void red_is_sealed_for_those_named_by_address_only(void **state)
{
	struct world *world = *state;
	recipients(world, 2);
	OK(world->fixture, sql_run(world->fixture->store,
			       "UPDATE revision SET tlp = 'RED', audience = 'all, C1@example.org'",
			       SQL_NOTHING, NULL, &world->fixture->err));
	assert_true(world_run(world, all_final));
	assert_string_equal(world_delivery(world, deliveries[0]).state, "sent");
	is_failed(world, deliveries[1], "names by address");
	assert_int_equal(world->orders->sends, 1);
}

static void member_suspended_since_is_not_sealed_for(void **state)
{
	struct world *world = *state;
	bool moved;
	recipients(world, 2);
	OK(world->fixture,
	    store_member_move(world->fixture->store, "m", "suspend", &moved, &world->fixture->err));
	assert_true(world_run(world, all_final));
	is_failed(world, deliveries[0], "suspended");
	is_failed(world, deliveries[1], "suspended");
	assert_int_equal(world->orders->seals, 0);
}

static bool raised;

static bool raise_then_all_sent(struct world *world)
{
	if (!raised && world->orders->asked > 0) {
		fixture_raw(world->fixture, "UPDATE certificate_bytes SET minimal = CAST(minimal || 'x' AS BLOB)");
		fixture_raw(world->fixture, "UPDATE shard SET generation = generation + 1");
		raised = true;
	}
	return all_sent(world);
}

/* As after `dewctl key add` during a sealing: a batch that began with the former generation of the
 * keyring goes on with the new one, which is the only one that can be built. */
static void keyring_that_changed_meanwhile_is_taken_as_it_is_now(void **state)
{
	struct world *world = *state;
	recipients(world, 2);
	raised = false;
	world->orders->shard_there = 99;
	world->orders->slow_ms = 200;
	assert_true(world_run(world, raise_then_all_sent));
	assert_true(raised);
	assert_int_equal(world->orders->shards, 1);
}

/* A restore gives generations out again: what was in the keyring then is no matter. */
static void keyring_of_another_content_is_never_taken_for_it(void **state)
{
	struct world *world = *state;
	struct err err;
	recipients(world, 1);
	world->orders->shard_there = 99;
	assert_true(world_run(world, all_sent));
	assert_int_equal(world->orders->shards, 1);
	const int64_t before = world->orders->shard_there;
	fixture_raw(world->fixture, "UPDATE certificate_bytes SET minimal = CAST(minimal || 'x' AS BLOB)");
	shard_stop(&world->gate); /* as in a gate that starts with the restored store */
	OK(world->fixture, shard_start(&world->gate, &err));
	deliveries[1] = world_recipient(world, 2);
	fixture_raw(world->fixture, "UPDATE shard SET generation = generation - 1");
	assert_true(world_run(world, all_sent));
	assert_int_equal(world->orders->shards, 2);
	assert_int_not_equal(world->orders->shard_there, before);
}

static void keyring_of_the_same_content_is_found_again(void **state)
{
	struct world *world = *state;
	struct err err;
	int64_t first, second;
	recipients(world, 3);
	OK(world->fixture, shard_keyring(&world->gate, 1, &first, &err));
	fixture_raw(world->fixture, "UPDATE shard SET generation = 5");
	OK(world->fixture, shard_keyring(&world->gate, 1, &second, &err));
	assert_true(first > 0 && first == second);
	fixture_raw(world->fixture, "UPDATE shard SET generation = 6");
	buf_add_text(&world->gate.return_path_key, "of another store");
	OK(world->fixture, shard_keyring(&world->gate, 1, &second, &err));
	assert_int_not_equal(first, second); /* and one of another machine is not */
}

/* Somebody removes it as often as it is built. */
static void keyring_that_is_always_gone_excludes_nobody(void **state)
{
	struct world *world = *state;
	recipients(world, 1);
	world->orders->shard_there = 99;
	world->orders->shard_stays_away = true;
	world_run_for(world, OUTAGE_MS / 4);
	fixture_expect_state(world->fixture, deliveries[0], "queued");
	assert_in_range(world->orders->shards, 1, 4);
	world->orders->shard_stays_away = false;
	assert_true(world_run(world, all_sent));
}

/* All that is sealed while the agent is away fails, and nobody can help it. I6. */
static void dead_agent_excludes_nobody(void **state)
{
	struct world *world = *state;
	recipients(world, 2);
	world->orders->cannot_decrypt = true;
	world_run_for(world, OUTAGE_MS);
	fixture_expect_state(world->fixture, deliveries[0], "queued");
	fixture_expect_state(world->fixture, deliveries[1], "queued");
	world->orders->cannot_decrypt = false;
	assert_true(world_run(world, all_sent));
}

/* Another vault may have the passphrase still, or again, and would say that all is well. */
static void locked_key_excludes_nobody(void **state)
{
	struct world *world = *state;
	recipients(world, 1);
	world->orders->locked = true;
	world_run_for(world, OUTAGE_MS);
	fixture_expect_state(world->fixture, deliveries[0], "queued");
	world->orders->locked = false;
	assert_true(world_run(world, all_sent));
}

/* A disk that was full, an agent that came back: the next attempt works. */
static void fault_that_is_over_excludes_nobody(void **state)
{
	struct world *world = *state;
	recipients(world, 1);
	world->orders->failures = 3; /* as many as bring up the question whose fault it is */
	assert_true(world_run(world, all_sent));
}

/* I21. */
static void one_that_fails_alone_is_excluded_and_the_rest_is_sealed(void **state)
{
	struct world *world = *state;
	recipients(world, 3);
	snprintf((char *)world->orders->hates, WORLD_TEXT_SIZE, "%040X", 2U);
	assert_true(world_run(world, all_final));
	is_failed(world, deliveries[1], "sealing does not work");
	assert_int_equal(world->orders->sends, 2);
}

/* Certificates 1 to 3 share the first keyring, 4 has the second. */
static void keyring_that_cannot_be_built_holds_up_no_other(void **state)
{
	struct world *world = *state;
	recipients(world, 3);
	const int64_t other = world_recipient(world, 4);
	world->orders->shard_there = 99;
	world->orders->bad_shard = 1;
	memset(deliveries, 0, sizeof deliveries);
	deliveries[0] = other;
	assert_true(world_run(world, all_sent));
}

/* As a flood of mail in the drop does: the vault never has nothing to do. */
static bool ask_once_more(void *context, enum pool_event event, struct view body)
{
	struct world *world = context;
	struct buf request = BUF_EMPTY(BUF_SMALL);
	(void)event;
	(void)body;
	vault_put_unstash(&request, VIEW("ciphertext"));
	gate_ask(&world->gate, world->gate.vaults, VAULT_UNSTASH, &request, GATE_OPEN_MS,
	    ask_once_more, world);
	return true;
}

static void flood_of_mail_does_not_hold_up_sealing(void **state)
{
	struct world *world = *state;
	recipients(world, 3);
	ask_once_more(world, POOL_ANSWER, VIEW(""));
	ask_once_more(world, POOL_ANSWER, VIEW(""));
	assert_true(world_run(world, all_sent));
}

static void certificate_retired_before_sending_gets_nothing(void **state)
{
	struct world *world = *state;
	recipients(world, 2);
	world->orders->outcome = COURIER_DEFERRED;
	world_run_for(world, 500);
	fixture_expect_state(world->fixture, deliveries[0], "deferred");
	assert_int_equal(world->orders->sends, 2);
	retire(world, 1);
	world->orders->outcome = COURIER_SENT;
	int64_t count;
	OK(world->fixture, store_delivery_retry_now(
			       world->fixture->store, clock_now(), &count, &world->fixture->err));
	assert_true(world_run(world, all_final));
	is_failed(world, deliveries[0], "retired");
	fixture_expect_state(world->fixture, deliveries[1], "sent");
	assert_int_equal(world->orders->sends, 3);
}

/* A smarthost that takes messages and breaks off behind the dot gets each of them again: not every
 * few seconds for two days. */
static void ambiguous_attempts_are_spaced_like_others(void **state)
{
	struct world *world = *state;
	recipients(world, 1);
	world->orders->outcome = COURIER_AMBIGUOUS;
	world->orders->down = true;
	world_run_for(world, 3500);
	const struct delivery delivery = world_delivery(world, deliveries[0]);
	assert_string_equal(delivery.state, "deferred");
	assert_int_equal(world->orders->sends, 1);
	assert_true(delivery.next_at >= clock_now() + world->config.retry.first / 2);
}

/* The machine was a year ahead when the attempt failed, and was set right since. */
static void clock_set_back_delays_nothing_for_ever(void **state)
{
	struct world *world = *state;
	recipients(world, 1);
	world->orders->outcome = COURIER_DEFERRED;
	world_run_for(world, 300);
	fixture_expect_state(world->fixture, deliveries[0], "deferred");
	fixture_raw(world->fixture,
	    "UPDATE delivery SET next_at = next_at + 31536000, first_at = first_at + 31536000");
	world->orders->outcome = COURIER_SENT;
	assert_true(world_run(world, all_sent));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(what_is_queued_is_sealed_and_sent),
	    WORLD_TEST(certificate_retired_since_is_not_sealed_for),
	    WORLD_TEST(nobody_left_to_seal_for_is_not_waited_for),
	    WORLD_TEST(contact_removed_since_is_not_sealed_for),
	    WORLD_TEST(red_is_sealed_for_those_named_by_address_only),
	    WORLD_TEST(member_suspended_since_is_not_sealed_for),
	    WORLD_TEST(keyring_that_changed_meanwhile_is_taken_as_it_is_now),
	    WORLD_TEST(keyring_of_another_content_is_never_taken_for_it),
	    WORLD_TEST(keyring_of_the_same_content_is_found_again),
	    WORLD_TEST(keyring_that_is_always_gone_excludes_nobody),
	    WORLD_TEST(dead_agent_excludes_nobody),
	    WORLD_TEST(locked_key_excludes_nobody),
	    WORLD_TEST(fault_that_is_over_excludes_nobody),
	    WORLD_TEST(one_that_fails_alone_is_excluded_and_the_rest_is_sealed),
	    WORLD_TEST(keyring_that_cannot_be_built_holds_up_no_other),
	    WORLD_TEST(flood_of_mail_does_not_hold_up_sealing),
	    WORLD_TEST(certificate_retired_before_sending_gets_nothing),
	    WORLD_TEST(ambiguous_attempts_are_spaced_like_others),
	    WORLD_TEST(clock_set_back_delays_nothing_for_ever),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("gate_seal", tests, NULL, NULL);
}
