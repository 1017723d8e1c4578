#include "config.h"

#include "pgp_world.h"

#include "config/config.h"
#include "mail/notice.h"
#include "other_clock.h"
#include "patience.h"
#include "pgp/engine.h"
#include "pgp/place.h"
#include "pgp/vault.h"
#include "worker/frame.h"
#include "worker/pool.h"

enum { DEADLINE_MS = 15000, LIMIT = 1024 * 1024 };

static struct world world;
static struct config config = {.limits = {.plaintext = LIMIT}};
static struct loop *loop;
static struct starter *starter;
static struct pool *pool;

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	/* The vault's home is STATE/gnupg. */
	world_do(
	    "gpgconf --homedir $D/g --kill gpg-agent; mkdir $D/state && mv $D/g $D/state/gnupg");
	snprintf(config.state, sizeof config.state, "%s/state", world.dir);
	struct err err;
	char path[64];
	snprintf(path, sizeof path, "%s/state/gnupg", world.dir);
	assert_works(place_make(path, PLACE_RUN, &err));
	assert_works(home_open_at(path, PLACE_RUN, &world.home, &err));
	world.home.passphrase = &world.passphrase;
	snprintf(config.gateway.passphrase_file, sizeof config.gateway.passphrase_file,
	    "%s/passphrase", world.dir);
	allow_other_clock(&config);
	world_person("ann", WORLD_ED25519, "");
	const struct worker_program programs[WORKER_KINDS] = {
	    [WORKER_VAULT] = {.run = vault_main, .settings = &config},
	};
	loop = loop_new();
	starter = starter_direct(programs);
	pool = pool_new(loop, starter, WORKER_VAULT, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pool_free(pool);
	starter_free(starter);
	loop_free(loop);
	home_stop_agent(&world.home);
	world_close(&world);
	return 0;
}

/* What came back: the body as it was, and how the request ended. */
struct answer {
	enum pool_event event;
	struct buf body;
};

static bool keep_answer(void *context, enum pool_event event, struct view body)
{
	struct answer *answer = context;
	answer->event = event;
	answer->body = BUF_EMPTY(FRAME_BODY_MAX);
	buf_add_view(&answer->body, body);
	loop_stop(loop);
	return true;
}

static struct answer ask(uint32_t type, struct buf *body)
{
	struct answer answer = {.event = POOL_PROGRESS};
	struct err err;
	struct pool_request request = {
	    .type = type,
	    .deadline_ms = patient(DEADLINE_MS),
	    .attempts = 1,
	    .answer = keep_answer,
	    .context = &answer,
	};
	request.body = BUF_EMPTY(FRAME_BODY_MAX);
	buf_move(&request.body, body);
	pool_ask(pool, &request);
	assert_works(loop_run(loop, &err));
	return answer;
}

static struct buf body(void)
{
	return (struct buf)BUF_EMPTY(FRAME_BODY_MAX);
}

static struct buf stash_of(struct view plaintext)
{
	struct buf request = body();
	struct vault_reply reply;
	struct buf stash[2];
	const struct view plaintexts[2] = {plaintext, VIEW("")};
	vault_put_stash(&request, plaintexts, 2);
	struct answer answer = ask(VAULT_STASH, &request);
	assert_true(vault_take_stash(buf_view(&answer.body), &reply, stash, 2));
	assert_int_equal(reply.status, VAULT_OK);
	assert_int_equal(stash[1].len, 0);
	buf_release(&answer.body);
	return stash[0];
}

static void stash_and_unstash_give_the_same_text(void **state)
{
	(void)state;
	struct buf request = body(), plaintext;
	struct vault_reply reply;
	struct buf stash = stash_of(VIEW("a title"));
	vault_put_unstash(&request, buf_view(&stash));
	struct answer answer = ask(VAULT_UNSTASH, &request);
	assert_true(vault_take_unstash(buf_view(&answer.body), &reply, &plaintext));
	assert_int_equal(reply.status, VAULT_OK);
	assert_string_equal(buf_text(&plaintext), "a title");
	buf_release(&plaintext);
	buf_release(&answer.body);
	buf_release(&stash);
}

static void damaged_stash_is_a_failure_with_a_text(void **state)
{
	(void)state;
	struct buf request = body(), plaintext;
	struct vault_reply reply;
	vault_put_unstash(&request, VIEW("garbage"));
	struct answer answer = ask(VAULT_UNSTASH, &request);
	assert_true(vault_take_unstash(buf_view(&answer.body), &reply, &plaintext));
	assert_int_equal(reply.status, VAULT_FAILED);
	assert_string_not_equal(reply.text, "");
	assert_int_equal(plaintext.len, 0);
	buf_release(&answer.body);
}

static void build_shard(int64_t shard)
{
	struct buf request = body();
	struct vault_reply reply;
	struct buf certificate = world_certificate("ann");
	vault_put_shard(&request, shard, 1, 1);
	vault_put_certificate(&request, buf_view(&certificate));
	struct answer answer = ask(VAULT_SHARD, &request);
	assert_true(vault_take_shard(buf_view(&answer.body), &reply));
	assert_string_equal(reply.text, "");
	assert_int_equal(reply.status, VAULT_OK);
	buf_release(&answer.body);
	buf_release(&certificate);
}

static struct answer ask_seal(int64_t shard, struct seal_recipient *recipients, uint32_t count)
{
	struct buf request = body();
	struct buf stash = stash_of(VIEW("the advisory"));
	vault_put_seal(&request, shard, 1, "", buf_view(&stash), recipients, count);
	buf_release(&stash);
	return ask(VAULT_SEAL, &request);
}

static void seal_asks_for_the_shard_then_seals_and_names_who_is_out(void **state)
{
	(void)state;
	struct seal_recipient recipients[2] = {{.reason = ""}};
	struct vault_reply reply;
	struct vault_sealed sealed;
	world_recipient(&world, "ann", &recipients[0]);
	strcpy(recipients[1].fingerprint, "0123456789ABCDEF0123456789ABCDEF01234567");
	strcpy(recipients[1].key_id, "89ABCDEF01234567");
	struct answer answer = ask_seal(1, recipients, 2);
	assert_true(vault_take_seal(buf_view(&answer.body), &reply, recipients, 2, &sealed));
	assert_int_equal(reply.status, VAULT_NO_SHARD);
	buf_release(&answer.body);
	build_shard(1);
	answer = ask_seal(1, recipients, 2);
	assert_true(vault_take_seal(buf_view(&answer.body), &reply, recipients, 2, &sealed));
	assert_string_equal(reply.text, "");
	assert_int_equal(reply.status, VAULT_OK);
	assert_true(recipients[0].pkesk.len > 0);
	assert_true(sealed.data.len > 0);
	assert_true(sealed.gpg_runs >= 3);
	assert_true(sealed.sealed_at > 0);
	assert_non_null(strstr(recipients[1].reason, "missing"));

	struct buf message = BUF_EMPTY(BUF_SMALL);
	buf_add_view(&message, buf_view(&recipients[0].pkesk));
	buf_add_view(&message, buf_view(&sealed.data));
	world_write(&world, "message", buf_view(&message));
	struct buf opened = world_read(WORLD_GPG("ann") "--decrypt $D/message 2>/dev/null");
	assert_string_equal(buf_text(&opened), "the advisory");
	buf_release(&opened);
	buf_release(&message);
	buf_release(&recipients[0].pkesk);
	buf_release(&sealed.data);
	buf_release(&answer.body);
}

/* What becomes of a batch that cannot be sealed: its recipient has another subkey by now. */
static struct vault_reply seal_in_vain(void)
{
	struct seal_recipient recipient;
	struct vault_reply reply;
	struct vault_sealed sealed;
	world_recipient(&world, "ann", &recipient);
	strcpy(recipient.key_id, "89ABCDEF01234567");
	struct answer answer = ask_seal(4, &recipient, 1);
	assert_true(vault_take_seal(buf_view(&answer.body), &reply, &recipient, 1, &sealed));
	buf_release(&answer.body);
	return reply;
}

static void set_preferences(const char *preferences)
{
	char command[512];
	snprintf(command, sizeof command,
	    "printf 'setpref %s\\ny\\nsave\\n' | gpg --homedir $D/state/gnupg --no-options "
	    "--compliance gnupg --no-tty --yes --pinentry-mode loopback --passphrase-file "
	    "$D/passphrase --command-fd 0 --edit-key gateway@example.org >$D/out 2>&1",
	    preferences);
	world_do(command);
}

/* Before any other, while no vault has seen the key. */
static void key_out_of_reach_is_charged_to_nobody_and_waited_for(void **state)
{
	(void)state;
	struct buf request = body();
	struct vault_reply reply;
	struct buf stash[2];
	const struct view plaintexts[2] = {VIEW("text"), VIEW("")};
	world_do("mv $D/state/gnupg/private-keys-v1.d $D/hidden && "
		 "mkdir -m 700 $D/state/gnupg/private-keys-v1.d");
	vault_put_stash(&request, plaintexts, 2);
	struct answer answer = ask(VAULT_STASH, &request);
	assert_true(vault_take_stash(buf_view(&answer.body), &reply, stash, 2));
	assert_int_equal(reply.status, VAULT_LOCKED);
	buf_release(&answer.body);
	world_do("rmdir $D/state/gnupg/private-keys-v1.d && "
		 "mv $D/hidden $D/state/gnupg/private-keys-v1.d");
	struct buf stashed = stash_of(VIEW("text"));
	buf_release(&stashed);
}

static void failure_while_the_gateways_key_asks_for_ocb_is_charged_to_nobody(void **state)
{
	(void)state;
	build_shard(4);
	assert_int_equal(seal_in_vain().status, VAULT_FAILED);
	/* GnuPG 2.2 cannot make such a key, and does not act on one. */
	set_preferences("AES256 SHA512 ZLIB OCB");
	struct vault_reply reply = seal_in_vain();
	assert_int_equal(reply.status, engine_writes_ocb() ? VAULT_LOCKED : VAULT_FAILED);
	if (engine_writes_ocb())
		assert_non_null(strstr(reply.text, "dewctl key preferences"));
	set_preferences("AES256 SHA512 ZLIB");
	assert_int_equal(seal_in_vain().status, VAULT_FAILED);
	world_do("gpgconf --homedir $D/state/gnupg --kill gpg-agent");
}

static void open_answers_all_facts(void **state)
{
	(void)state;
	struct vault_reply reply;
	struct opened opened;
	build_shard(2);
	struct buf message = world_read(
	    "echo received | " WORLD_GPG("ann") "-sea -r gateway@example.org 2>/dev/null");
	struct buf request = body();
	vault_put_open(&request, 9, 1, "", OPEN_ENCRYPTED, buf_view(&message), VIEW(""));
	struct answer answer = ask(VAULT_OPEN, &request);
	assert_true(vault_take_open(buf_view(&answer.body), &reply, &opened));
	assert_int_equal(reply.status, VAULT_NO_SHARD);
	buf_release(&answer.body);

	request = body();
	vault_put_open(&request, 2, 1, "", OPEN_ENCRYPTED, buf_view(&message), VIEW(""));
	answer = ask(VAULT_OPEN, &request);
	assert_true(vault_take_open(buf_view(&answer.body), &reply, &opened));
	assert_int_equal(reply.status, VAULT_OK);
	assert_true(opened.readable);
	assert_true(opened.encrypted);
	assert_string_equal(buf_text(&opened.plaintext), "received\n");
	assert_int_equal(opened.signature_count, 1);
	assert_int_equal(opened.signatures[0].status, SIGNATURE_GOOD);
	assert_int_equal(strlen(opened.signatures[0].fingerprint), 40);
	assert_in_range(opened.signatures[0].created, clock_now() - 60, clock_now());
	assert_int_equal(opened.gpg_runs, 1);
	buf_release(&opened.plaintext);
	buf_release(&answer.body);
	buf_release(&message);
}

static enum vault_status status_of_seal(int64_t shard)
{
	struct seal_recipient recipient = {.reason = ""};
	struct vault_reply reply;
	struct vault_sealed sealed;
	world_recipient(&world, "ann", &recipient);
	struct answer answer = ask_seal(shard, &recipient, 1);
	assert_true(vault_take_seal(buf_view(&answer.body), &reply, &recipient, 1, &sealed));
	assert_string_equal(recipient.reason, "");
	buf_release(&recipient.pkesk);
	buf_release(&sealed.data);
	buf_release(&answer.body);
	return reply.status;
}

static void keyring_that_was_damaged_is_built_anew_and_fails_nobody(void **state)
{
	(void)state;
	static const char *const damages[] = {
	    ": > $D/state/gnupg/shard-6-1/pubring.kbx",
	    "rm $D/state/gnupg/shard-6-1/pubring.kbx",
	    "gpg --homedir $D/state/gnupg/shard-6-1 --batch --yes --quiet --delete-keys ann",
	    "head -c 9000 /dev/urandom > $D/state/gnupg/shard-6-1/pubring.kbx",
	    "rm -r $D/state/gnupg/shard-6-1",
	    "rm $D/state/gnupg/shard-6-1/held",
	};
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		build_shard(6);
		assert_int_equal(status_of_seal(6), VAULT_OK);
		world_do(damages[i]);
		assert_int_equal(status_of_seal(6), VAULT_NO_SHARD);
	}
	build_shard(6);
	assert_int_equal(status_of_seal(6), VAULT_OK);
}

static void signer_whom_a_damaged_keyring_lacks_is_no_stranger(void **state)
{
	(void)state;
	struct vault_reply reply;
	struct opened opened;
	struct seal_recipient ann = {.reason = ""};
	world_recipient(&world, "ann", &ann);
	struct buf message = world_read(
	    "echo received | " WORLD_GPG("ann") "-sea -r gateway@example.org 2>/dev/null");
	for (int i = 0; i < 2; i++) {
		build_shard(7);
		if (i == 0)
			world_do(": > $D/state/gnupg/shard-7-1/pubring.kbx");
		struct buf request = body();
		vault_put_open(&request, 7, 1, ann.fingerprint, OPEN_ENCRYPTED,
		    buf_view(&message), VIEW(""));
		struct answer answer = ask(VAULT_OPEN, &request);
		assert_true(vault_take_open(buf_view(&answer.body), &reply, &opened));
		assert_int_equal(reply.status, i == 0 ? VAULT_NO_SHARD : VAULT_OK);
		if (i == 1)
			assert_int_equal(opened.signatures[0].status, SIGNATURE_GOOD);
		buf_release(&opened.plaintext);
		buf_release(&answer.body);
	}
	buf_release(&message);
}

static void vault_signs_the_fixed_notice_of_a_date_and_nothing_else(void **state)
{
	(void)state;
	struct buf request = body(), entity = body(), signature;
	struct vault_reply reply;
	char digest[VAULT_DIGEST_SIZE];
	vault_put_notice(&request, 1795629600);
	struct answer answer = ask(VAULT_NOTICE, &request);
	assert_true(vault_take_notice(buf_view(&answer.body), &reply, &signature, digest));
	assert_int_equal(reply.status, VAULT_OK);
	assert_string_equal(digest, "SHA512");
	notice_entity(&entity, &config, 1795629600);
	world_write(&world, "entity", buf_view(&entity));
	world_write(&world, "entity.asc", buf_view(&signature));
	world_do(WORLD_GPG("ann") "--verify $D/entity.asc $D/entity 2>/dev/null");
	buf_clear(&entity);
	notice_entity(&entity, &config, 1795629600 + 86400);
	world_write(&world, "entity", buf_view(&entity));
	assert_int_not_equal(
	    world_run(WORLD_GPG("ann") "--verify $D/entity.asc $D/entity 2>/dev/null", NULL), 0);
	buf_release(&signature);
	buf_release(&entity);
	buf_release(&answer.body);
	/* A text in the request is malformed. */
	request = body();
	vault_put_notice(&request, 1795629600);
	put_text(&request, "DEW-2026-0007");
	answer = ask(VAULT_NOTICE, &request);
	assert_int_equal(answer.event, POOL_DIED);
	buf_release(&answer.body);
}

/* Asks until everything that the vault wants was looked for in `known`. */
static void renew(
    const struct view *contents, uint32_t count, struct view known, struct renew_result *result)
{
	struct renew_request asked = {.content_count = count};
	struct vault_reply reply;
	memcpy(asked.contents, contents, count * sizeof *contents);
	for (;;) {
		struct buf request = body();
		vault_put_renew(&request, &asked);
		struct answer answer = ask(VAULT_RENEW, &request);
		assert_true(vault_take_renew(buf_view(&answer.body), &reply, result));
		assert_int_equal(reply.status, VAULT_OK);
		buf_release(&answer.body);
		if (result->wanted_count == 0)
			return;
		assert_true(asked.known.len == 0 && result->count == 0);
		asked.known = known;
		for (uint32_t i = 0; i < result->wanted_count; i++)
			memcpy(asked.asked[asked.asked_count++], result->wanted[i],
			    sizeof result->wanted[i]);
	}
}

static void older_state_of_a_certificate_takes_nothing_back(void **state)
{
	(void)state;
	static struct renew_result result;
	world_person("bob", WORLD_ED25519, "");
	struct buf old = world_certificate("bob");
	const struct world_verdict before = world_judge(&world, buf_view(&old));
	char command[256];
	snprintf(command, sizeof command,
	    WORLD_GPG("bob") "--faked-system-time $(($(date +%%s) + 60)) --quick-set-expire %s 2y",
	    before.facts.fingerprint);
	world_do(command);
	struct buf renewed = world_certificate("bob");
	const struct world_verdict after = world_judge(&world, buf_view(&renewed));
	const struct view content = buf_view(&old);
	renew(&content, 1, buf_view(&renewed), &result);
	assert_int_equal(result.count, 1);
	const struct certificate_verdict *verdict = &result.renewals[0].verdict;
	assert_int_equal(verdict->facts.expires, after.facts.expires);
	assert_string_equal(verdict->facts.fingerprint, before.facts.fingerprint);
	assert_string_equal(verdict->reason, "");
	assert_true(verdict->known && verdict->usable && !verdict->changed);
	vault_release_renew(&result);
	buf_release(&old);
	buf_release(&renewed);
	struct buf minimal = before.minimal, other = after.minimal;
	buf_release(&minimal);
	buf_release(&other);
}

static void each_piece_about_keys_is_looked_at_or_says_why_not(void **state)
{
	(void)state;
	static struct renew_result result;
	world_person("kim", WORLD_ED25519, "");
	struct buf kim = world_certificate("kim"), ann = world_certificate("ann");
	struct buf revocation = world_read("cat $D/kim/openpgp-revocs.d/*.rev");
	const struct view contents[] = {
	    VIEW("no certificate"), buf_view(&ann), buf_view(&revocation), VIEW("\xc6\x33\x04")};
	renew(contents, 4, buf_view(&kim), &result);
	assert_int_equal(result.content_count, 4);
	assert_string_not_equal(result.reasons[0], "");
	assert_string_equal(result.reasons[1], "");
	assert_string_equal(result.reasons[2], "");
	assert_string_not_equal(result.reasons[3], "");
	assert_int_equal(result.count, 2);
	assert_string_equal(result.renewals[0].verdict.facts.user_id, "ann <ann@example.net>");
	assert_false(result.renewals[0].verdict.known);
	assert_true(result.renewals[1].verdict.known && result.renewals[1].verdict.revoked);
	vault_release_renew(&result);
	buf_release(&kim);
	buf_release(&ann);
	buf_release(&revocation);
}

static void malformed_request_ends_the_vault(void **state)
{
	(void)state;
	const unsigned before = pool_deaths(pool);
	struct buf request = body();
	vault_put_unstash(&request, VIEW("x"));
	buf_add_char(&request, 'y');
	struct answer answer = ask(VAULT_UNSTASH, &request);
	assert_int_equal(answer.event, POOL_DIED);
	buf_release(&answer.body);
	request = body();
	answer = ask(77, &request);
	assert_int_equal(answer.event, POOL_DIED);
	buf_release(&answer.body);
	assert_true(pool_deaths(pool) >= before + 2);
}

static void malformed_answers_are_not_taken(void **state)
{
	(void)state;
	struct buf answer = body();
	struct vault_reply reply;
	struct seal_recipient recipient;
	struct opened opened;
	struct vault_sealed sealed;
	put_u8(&answer, VAULT_OK);
	put_text(&answer, "");
	put_u32(&answer, 1);
	put_i64(&answer, 1);
	put_view(&answer, VIEW("data"));
	put_view(&answer, VIEW(""));
	put_text(&answer, "");
	/* Neither a session key nor a reason: that recipient would be dropped in silence. */
	assert_false(vault_take_seal(buf_view(&answer), &reply, &recipient, 1, &sealed));
	assert_int_equal(sealed.data.len, 0);
	assert_false(vault_take_open(buf_view(&answer), &reply, &opened));
	assert_false(vault_take_shard(buf_view(&answer), &reply));
	buf_clear(&answer);
	put_u8(&answer, VAULT_FAILED + 1);
	put_text(&answer, "");
	assert_false(vault_take_shard(buf_view(&answer), &reply));
	buf_release(&answer);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_out_of_reach_is_charged_to_nobody_and_waited_for),
	    cmocka_unit_test(stash_and_unstash_give_the_same_text),
	    cmocka_unit_test(damaged_stash_is_a_failure_with_a_text),
	    cmocka_unit_test(seal_asks_for_the_shard_then_seals_and_names_who_is_out),
	    cmocka_unit_test(failure_while_the_gateways_key_asks_for_ocb_is_charged_to_nobody),
	    cmocka_unit_test(open_answers_all_facts),
	    cmocka_unit_test(keyring_that_was_damaged_is_built_anew_and_fails_nobody),
	    cmocka_unit_test(signer_whom_a_damaged_keyring_lacks_is_no_stranger),
	    cmocka_unit_test(vault_signs_the_fixed_notice_of_a_date_and_nothing_else),
	    cmocka_unit_test(older_state_of_a_certificate_takes_nothing_back),
	    cmocka_unit_test(each_piece_about_keys_is_looked_at_or_says_why_not),
	    cmocka_unit_test(malformed_request_ends_the_vault),
	    cmocka_unit_test(malformed_answers_are_not_taken),
	};
	return cmocka_run_group_tests_name("pgp_vault", tests, setup, teardown);
}
