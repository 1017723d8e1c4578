#include "config.h"

#include "pgp_fixtures.h"
#include "pgp_world.h"

#include "pgp/engine.h"
#include "pgp/keyring.h"
#include "pgp/open.h"
#include "pgp/packet.h"

enum { PEOPLE = 5 };

static struct world world;
static const char *const people[] = {"ann", "bob", "cyd", "dan", "eve"};
/* Two who became unusable after they were taken. */
static const char *const shard_people[] = {"ann", "bob", "cyd", "dan", "eve", "old", "gone"};
static struct seal_recipient known[PEOPLE];
static const struct view text = VIEW("Content-Type: text/plain\r\n\r\nDEW-2026-0007 r1\r\n");

static void name(struct seal_recipient *out, const char *person)
{
	char command[256];
	snprintf(command, sizeof command,
	    "gpg --homedir $D/%s --with-colons --list-keys %s@example.net 2>/dev/null | "
	    "awk -F: '/^fpr/ { print $10; exit }' | tr -d '\\n'",
	    person, person);
	struct buf fingerprint = world_read(command);
	*out = (struct seal_recipient){.key_id = "0123456789ABCDEF"};
	assert_true(view_copy(buf_view(&fingerprint), out->fingerprint, sizeof out->fingerprint));
	buf_release(&fingerprint);
}

static void revoke(const char *person)
{
	char command[512];
	snprintf(command, sizeof command,
	    "sed 's/^:---/---/' $D/%s/openpgp-revocs.d/*.rev | gpg --homedir $D/%s --batch --quiet "
	    "--import 2>/dev/null",
	    person, person);
	world_do(command);
}

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	world_person("ann", WORLD_ED25519, "");
	world_person("bob", WORLD_RSA, "");
	world_person("cyd", WORLD_ED25519, "");
	/* dan's program knows no AES: left alone, gpg would take 3DES for all. */
	world_person("dan", WORLD_ED25519 "Preferences: 3des sha512\\n", "");
	world_person("eve", WORLD_ED25519, "");
	world_person(
	    "old", WORLD_ED25519 "Expire-Date: 2d\\n", "--faked-system-time 20200101T000000");
	world_person("gone", WORLD_ED25519, "");
	revoke("gone");
	world_shard(&world, shard_people, sizeof shard_people / sizeof *shard_people);
	for (size_t i = 0; i < PEOPLE; i++)
		world_recipient(&world, people[i], &known[i]);
	struct world_verdict verdict;
	struct buf dan = world_certificate("dan");
	verdict = world_judge(&world, buf_view(&dan));
	assert_non_null(strstr(verdict.reason, "AES"));
	buf_release(&verdict.minimal);
	buf_release(&dan);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static int seal(struct seal_recipient *recipients, size_t count, struct buf *data, uint32_t *runs,
    struct err *err)
{
	return seal_batch(&world.home, 1, 1, text, recipients, count, data, runs, err);
}

static void release(struct seal_recipient *recipients, size_t count, struct buf *data)
{
	for (size_t i = 0; i < count; i++)
		buf_release(&recipients[i].pkesk);
	buf_release(data);
}

/* Writes $D/message: what this recipient gets. */
static void write_message(const struct seal_recipient *recipient, const struct buf *data)
{
	struct buf message = BUF_EMPTY(WORLD_OUTPUT_MAX);
	buf_add_view(&message, buf_view(&recipient->pkesk));
	buf_add_view(&message, buf_view(data));
	world_write(&world, "message", buf_view(&message));
	buf_release(&message);
}

static int open_as(const char *person, struct buf *out)
{
	char command[256];
	snprintf(command, sizeof command,
	    "gpg --homedir $D/%s --batch --quiet --trust-model always --status-fd 1 --decrypt "
	    "$D/message 2>/dev/null",
	    person);
	return world_run(command, out);
}

static void five_recipients_get_five_messages_that_open_in_their_own_homes(void **state)
{
	(void)state;
	struct seal_recipient recipients[PEOPLE];
	struct buf data;
	uint32_t runs;
	struct err err;
	memcpy(recipients, known, sizeof known);
	assert_works(seal(recipients, PEOPLE, &data, &runs, &err));
	assert_int_equal(runs, 1);
	for (size_t i = 0; i < PEOPLE; i++) {
		struct buf out = BUF_EMPTY(BUF_SMALL);
		assert_string_equal(recipients[i].reason, "");
		write_message(&recipients[i], &data);
		assert_int_equal(open_as(people[i], &out), 0);
		assert_int_not_equal(view_find(buf_view(&out), text), SIZE_MAX);
		assert_int_not_equal(view_find(buf_view(&out), VIEW("GOODSIG")), SIZE_MAX);
		assert_int_not_equal(
		    view_find(buf_view(&out), view_of(world.home.gateway)), SIZE_MAX);
		/* MDC method 2, cipher 9: tag 18, AES256. */
		assert_int_not_equal(
		    view_find(buf_view(&out), VIEW("DECRYPTION_INFO 2 9")), SIZE_MAX);
		buf_release(&out);
	}
	release(recipients, PEOPLE, &data);
}

static void message_has_one_session_key_and_opens_for_one_only(void **state)
{
	(void)state;
	struct seal_recipient recipients[PEOPLE];
	struct packet_split *split = malloc(sizeof *split);
	struct buf data;
	uint32_t runs;
	struct err err;
	memcpy(recipients, known, sizeof known);
	assert_works(seal(recipients, PEOPLE, &data, &runs, &err));
	write_message(&recipients[0], &data);
	assert_int_equal(open_as("ann", NULL), 0);
	assert_int_not_equal(open_as("bob", NULL), 0);
	struct buf message = world_read("cat $D/message");
	assert_works(packet_split(buf_view(&message), split, &err));
	assert_int_equal(split->count, 1);
	assert_string_equal(split->keys[0].key_id, known[0].key_id);
	free(split);
	buf_release(&message);
	release(recipients, PEOPLE, &data);
}

static void another_openpgp_program_reads_it_too(void **state)
{
	(void)state;
	if (world_run("command -v sqop >/dev/null", NULL) != 0)
		skip();
	struct seal_recipient recipient = known[2];
	struct buf data;
	uint32_t runs;
	struct err err;
	assert_works(seal(&recipient, 1, &data, &runs, &err));
	write_message(&recipient, &data);
	world_do("gpg --homedir $D/cyd --batch --export-secret-keys cyd@example.net >$D/cyd.key");
	struct buf out = world_read("sqop decrypt --verify-with $D/gateway.asc "
				    "--verifications-out $D/verified $D/cyd.key <$D/message 2>&1");
	assert_true(view_equals(buf_view(&out), text));
	buf_release(&out);
	out = world_read("cat $D/verified");
	assert_int_not_equal(view_find(buf_view(&out), view_of(world.home.gateway)), SIZE_MAX);
	buf_release(&out);
	release(&recipient, 1, &data);
}

static void recorded_key_id_that_differs_seals_for_nobody(void **state)
{
	(void)state;
	struct seal_recipient recipients[2] = {known[0], known[1]};
	struct buf data;
	uint32_t runs;
	struct err err;
	recipients[1].key_id[0] = recipients[1].key_id[0] == '0' ? '1' : '0';
	assert_int_equal(seal(recipients, 2, &data, &runs, &err), -1);
	assert_non_null(strstr(err.text, recipients[1].key_id));
	assert_int_equal(data.len, 0);
	assert_int_equal(recipients[0].pkesk.len, 0);
	assert_int_equal(recipients[1].pkesk.len, 0);
}

/* I9. */
static void recipient_that_slips_in_seals_for_nobody(void **state)
{
	(void)state;
	struct seal_recipient recipient = known[0], other;
	struct buf data;
	uint32_t runs;
	struct err err;
	name(&other, "bob");
	world_do("cp $D/g/shard-1-1/gpg.conf $D/keep");
	char command[256];
	snprintf(command, sizeof command, "echo recipient %s >>$D/g/shard-1-1/gpg.conf",
	    other.fingerprint);
	world_do(command);
	const int result = seal(&recipient, 1, &data, &runs, &err);
	world_do("mv $D/keep $D/g/shard-1-1/gpg.conf");
	assert_int_equal(result, -1);
	assert_non_null(strstr(err.text, "which no recipient has"));
	assert_int_equal(recipient.pkesk.len, 0);
	assert_int_equal(data.len, 0);
}

/* I9. */
static void swapped_key_ids_give_nobody_a_message_of_another(void **state)
{
	(void)state;
	/* Both key IDs are in the result, so the match by key ID holds; what each is handed opens
	 * with the recorded subkey only. */
	struct seal_recipient recipients[2] = {known[0], known[2]};
	struct buf data;
	uint32_t runs;
	struct err err;
	memcpy(recipients[0].key_id, known[2].key_id, KEY_ID_SIZE);
	memcpy(recipients[1].key_id, known[0].key_id, KEY_ID_SIZE);
	assert_works(seal(recipients, 2, &data, &runs, &err));
	write_message(&recipients[0], &data);
	assert_int_not_equal(open_as("ann", NULL), 0);
	release(recipients, 2, &data);
}

static void duplicate_and_gateway_and_malformed_names_are_errors(void **state)
{
	(void)state;
	struct seal_recipient recipients[2] = {known[0], known[0]};
	struct buf data;
	uint32_t runs;
	struct err err;
	assert_int_equal(seal(recipients, 2, &data, &runs, &err), -1);
	assert_non_null(strstr(err.text, "twice"));
	memcpy(recipients[1].fingerprint, world.home.gateway, FINGERPRINT_SIZE);
	assert_int_equal(seal(recipients, 2, &data, &runs, &err), -1);
	assert_non_null(strstr(err.text, "gateway"));
	strcpy(recipients[1].fingerprint, "bob@example.net");
	assert_int_equal(seal(recipients, 2, &data, &runs, &err), -1);
	strcpy(recipients[1].fingerprint, "--hidden");
	assert_int_equal(seal(recipients, 2, &data, &runs, &err), -1);
	assert_int_equal(seal(recipients, 0, &data, &runs, &err), -1);
}

static void unusable_recipients_are_left_out_by_reason_and_the_rest_is_sealed(void **state)
{
	(void)state;
	struct seal_recipient recipients[5] = {known[0]};
	struct buf data;
	uint32_t runs;
	struct err err;
	name(&recipients[1], "old");
	name(&recipients[2], "gone");
	strcpy(recipients[3].fingerprint, "0123456789ABCDEF0123456789ABCDEF01234567");
	strcpy(recipients[3].key_id, "0123456789ABCDE0");
	recipients[4] = known[4];
	assert_works(seal(recipients, 5, &data, &runs, &err));
	assert_string_equal(recipients[0].reason, "");
	assert_non_null(strstr(recipients[1].reason, "expired on 2020-01-03"));
	assert_non_null(strstr(recipients[2].reason, "revoked"));
	assert_non_null(strstr(recipients[3].reason, "missing"));
	assert_string_equal(recipients[4].reason, "");
	assert_int_equal(recipients[1].pkesk.len, 0);
	/* One refusal, one look at all, one refusal of the missing one at most, one success. */
	assert_in_range(runs, 3, 4);
	write_message(&recipients[4], &data);
	assert_int_equal(open_as("eve", NULL), 0);
	release(recipients, 5, &data);
}

static void batch_of_which_nobody_is_left_gives_no_data(void **state)
{
	(void)state;
	struct seal_recipient recipient;
	struct buf data;
	uint32_t runs;
	struct err err;
	name(&recipient, "gone");
	assert_works(seal(&recipient, 1, &data, &runs, &err));
	assert_int_equal(data.len, 0);
	assert_int_equal(recipient.pkesk.len, 0);
	assert_string_not_equal(recipient.reason, "");
}

static void shard_that_is_not_there_leaves_nobody_out(void **state)
{
	(void)state;
	struct seal_recipient recipient = known[0];
	struct buf data;
	uint32_t runs;
	struct err err;
	assert_int_equal(
	    seal_batch(&world.home, 7, 1, text, &recipient, 1, &data, &runs, &err), -1);
	assert_string_equal(recipient.reason, "");
}

static void agent_that_died_is_started_again(void **state)
{
	(void)state;
	struct seal_recipient recipient = known[0];
	struct buf data;
	uint32_t runs;
	struct err err;
	home_stop_agent(&world.home);
	assert_works(seal(&recipient, 1, &data, &runs, &err));
	release(&recipient, 1, &data);
}

/* Shard 2 with Fay, Archive and Ann. */
static void build_shard_of_fay(void)
{
	struct buf fay = BUF_EMPTY(BUF_SMALL), archive = BUF_EMPTY(BUF_SMALL);
	struct buf ann = world_certificate("ann");
	struct err err;
	assert_works(keyring_decode(view_of(fay_certificate), &fay, &err));
	assert_works(keyring_decode(view_of(archive_certificate), &archive, &err));
	const struct view views[] = {buf_view(&fay), buf_view(&archive), buf_view(&ann)};
	assert_works(home_build_shard(&world.home, 2, 1, views, 3, &err));
	buf_release(&fay);
	buf_release(&archive);
	buf_release(&ann);
}

/* From 2.2.41 on gpg knows additional decryption subkeys. An older one leaves them out when it
 * imports, and is told what a newer one finds by itself. */
static void make_gpg_know_of_archive(void)
{
	world_do("gpg --version | awk 'NR == 1 { split($3, v, \".\"); "
		 "exit !(v[1] * 1000000 + v[2] * 1000 + v[3] < 2002041) }' || exit 0; "
		 "echo recipient " ARCHIVE_FINGERPRINT " >>$D/g/shard-2-1/gpg.conf; "
		 "echo " FAY_FINGERPRINT " " ARCHIVE_KEY_ID " >>$D/g/shard-2-1/additional-keys");
}

static void additional_decryption_subkey_opens_the_message_of_its_owner_only(void **state)
{
	(void)state;
	struct seal_recipient recipients[2] = {
	    {.fingerprint = FAY_FINGERPRINT, .key_id = FAY_KEY_ID}, known[0]};
	struct packet_split *split = malloc(sizeof *split);
	struct buf data;
	uint32_t runs;
	struct err err;
	build_shard_of_fay();
	make_gpg_know_of_archive();
	assert_works(seal_batch(&world.home, 2, 1, text, recipients, 2, &data, &runs, &err));
	write_message(&recipients[0], &data);
	struct buf message = world_read("cat $D/message");
	assert_works(packet_split(buf_view(&message), split, &err));
	assert_int_equal(split->count, 2);
	assert_string_equal(split->keys[0].key_id, FAY_KEY_ID);
	assert_string_equal(split->keys[1].key_id, ARCHIVE_KEY_ID);
	buf_release(&message);
	write_message(&recipients[1], &data);
	message = world_read("cat $D/message");
	assert_works(packet_split(buf_view(&message), split, &err));
	assert_int_equal(split->count, 1);
	assert_int_equal(open_as("ann", NULL), 0);
	buf_release(&message);
	free(split);
	release(recipients, 2, &data);
}

static void shard_of_a_version_that_knew_no_additional_keys_is_built_again(void **state)
{
	(void)state;
	build_shard_of_fay();
	assert_true(home_has_shard(&world.home, 2, 1));
	world_do("rm $D/g/shard-2-1/additional-keys");
	assert_false(home_has_shard(&world.home, 2, 1));
}

/* Shard 3 with Olga, whose key asks for OCB; gpg there acts on it as it does unpatched. */
static void build_shard_of_olga(void)
{
	struct buf olga = BUF_EMPTY(BUF_SMALL);
	struct err err;
	assert_works(keyring_decode(view_of(olga_certificate), &olga, &err));
	const struct view views[] = {buf_view(&olga)};
	assert_works(home_build_shard(&world.home, 3, 1, views, 1, &err));
	buf_release(&olga);
	world_do("sed -i /rfc4880/d $D/g/shard-3-1/gpg.conf && "
		 "echo compliance gnupg >>$D/g/shard-3-1/gpg.conf");
}

/* The first octet of the data packet that gpg writes for Olga alone. */
static unsigned alone_for_olga(void)
{
	struct packet packet;
	struct buf message = world_read(
	    "echo x | " WORLD_GPG("g/shard-3-1") "-r " OLGA_FINGERPRINT " --encrypt 2>/dev/null");
	struct view rest = buf_view(&message);
	assert_int_equal(packet_next(&rest, &packet), 1);
	assert_int_equal(packet_next(&rest, &packet), 1);
	buf_release(&message);
	return packet.tag;
}

static void gateways_own_key_keeps_gpg_from_an_ocb_packet(void **state)
{
	(void)state;
	struct seal_recipient recipient = {.fingerprint = OLGA_FINGERPRINT, .key_id = OLGA_KEY_ID};
	struct packet packet;
	struct buf data;
	uint32_t runs;
	struct err err;
	build_shard_of_olga();
	/* Else this would show nothing. */
	assert_int_equal(alone_for_olga(), engine_writes_ocb() ? PACKET_OCB : PACKET_SEIPD);
	assert_works(seal_batch(&world.home, 3, 1, text, &recipient, 1, &data, &runs, &err));
	struct view rest = buf_view(&data);
	assert_int_equal(packet_next(&rest, &packet), 1);
	assert_int_equal(packet.tag, PACKET_SEIPD);
	rest = buf_view(&recipient.pkesk);
	assert_int_equal(packet_next(&rest, &packet), 1);
	assert_int_equal(packet.tag, PACKET_PKESK);
	assert_int_equal(rest.len, 0);
	release(&recipient, 1, &data);
}

static void gateways_own_session_key_is_dropped_because_it_is_known(void **state)
{
	(void)state;
	struct seal_recipient recipient = known[0];
	struct buf data;
	uint32_t runs;
	struct err err;
	world_do("cp $D/g/shard-1-1/additional-keys $D/keep && "
		 "sed -i /^$(gpg --homedir $D/g --with-colons --list-keys 2>/dev/null | "
		 "awk -F: '/^fpr/ { print $10; exit }')/d $D/g/shard-1-1/additional-keys");
	const int result = seal(&recipient, 1, &data, &runs, &err);
	world_do("mv $D/keep $D/g/shard-1-1/additional-keys");
	assert_int_equal(result, -1);
	assert_non_null(strstr(err.text, "which no recipient has"));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(five_recipients_get_five_messages_that_open_in_their_own_homes),
	    cmocka_unit_test(message_has_one_session_key_and_opens_for_one_only),
	    cmocka_unit_test(another_openpgp_program_reads_it_too),
	    cmocka_unit_test(recorded_key_id_that_differs_seals_for_nobody),
	    cmocka_unit_test(recipient_that_slips_in_seals_for_nobody),
	    cmocka_unit_test(swapped_key_ids_give_nobody_a_message_of_another),
	    cmocka_unit_test(duplicate_and_gateway_and_malformed_names_are_errors),
	    cmocka_unit_test(unusable_recipients_are_left_out_by_reason_and_the_rest_is_sealed),
	    cmocka_unit_test(batch_of_which_nobody_is_left_gives_no_data),
	    cmocka_unit_test(shard_that_is_not_there_leaves_nobody_out),
	    cmocka_unit_test(additional_decryption_subkey_opens_the_message_of_its_owner_only),
	    cmocka_unit_test(shard_of_a_version_that_knew_no_additional_keys_is_built_again),
	    cmocka_unit_test(gateways_own_key_keeps_gpg_from_an_ocb_packet),
	    cmocka_unit_test(gateways_own_session_key_is_dropped_because_it_is_known),
	    cmocka_unit_test(agent_that_died_is_started_again),
	};
	return cmocka_run_group_tests_name("pgp_seal", tests, setup, teardown);
}
