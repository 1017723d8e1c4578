/* Certificates together with what is known of them: what was revoked stays so, by whatever came. */
#include "config.h"

#include "pgp_world.h"

#include "pgp/packet.h"
#include "pgp/sigpacket.h"

static struct world world;

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

/* The person's fingerprint is $F in the command that follows. */
#define FINGERPRINT(name)                                                                          \
	"F=$(" WORLD_GPG(name) "--with-colons --list-keys " name                                   \
			       "@example.net | grep ^fpr: | head -1 | cut -d: -f10); "
#define AS(name) FINGERPRINT(name) WORLD_GPG(name) "--pinentry-mode loopback --passphrase '' "
#define EDIT(name, lines)                                                                          \
	FINGERPRINT(name)                                                                          \
	"printf '" lines "' | " WORLD_GPG(name) "--command-fd 0 --edit-key $F >$D/edit 2>&1"
#define REVOKE_SUBKEY(name, number) EDIT(name, "key " number "\\nrevkey\\ny\\n1\\n\\ny\\nsave\\n")
#define REVOCATION(name) "cat $D/" name "/openpgp-revocs.d/*.rev"

/* Moves the packets of a certificate one by one into `out`, some changed or left out on the way:
 * returns false to leave one out. */
typedef bool change_fn(const struct packet *packet, const struct sigpacket *signature);

static struct buf only(struct view certificate, change_fn *keep)
{
	struct buf out = BUF_EMPTY(WORLD_OUTPUT_MAX);
	struct packet packet;
	while (packet_next(&certificate, &packet) == 1) {
		struct sigpacket signature = {.type = 0};
		if (packet.tag == PACKET_SIGNATURE)
			sigpacket_read(packet.body, &signature);
		if (keep(&packet, &signature))
			buf_add_view(&out, packet.whole);
	}
	return out;
}

static bool under_user_id;

static bool no_user_ids(const struct packet *packet, const struct sigpacket *signature)
{
	(void)signature;
	if (packet->tag != PACKET_SIGNATURE)
		under_user_id = packet->tag == PACKET_USER_ID;
	return !under_user_id;
}

static bool revocations(const struct packet *packet, const struct sigpacket *signature)
{
	return packet->tag == PACKET_SIGNATURE && sigpacket_revokes(signature);
}

static unsigned count(struct view certificate, uint8_t type)
{
	struct packet packet;
	struct sigpacket signature;
	unsigned found = 0;
	while (packet_next(&certificate, &packet) == 1)
		found += packet.tag == PACKET_SIGNATURE &&
			 sigpacket_read(packet.body, &signature) && signature.type == type;
	return found;
}

/* `first` and then `second`, binary. */
static struct buf both(const struct buf *first, const struct buf *second)
{
	struct buf out = BUF_EMPTY(WORLD_OUTPUT_MAX);
	buf_add_view(&out, buf_view(first));
	buf_add_view(&out, buf_view(second));
	return out;
}

static struct buf minimal_of(const struct buf *certificate)
{
	return world_judge(&world, buf_view(certificate)).minimal;
}

/* In any order, and together in one file. */
static void assert_same(struct world_verdict *some, size_t count_of_them)
{
	for (size_t i = 0; i < count_of_them; i++) {
		assert_int_equal(some[i].count, 1);
		assert_string_equal(some[i].reason, some[0].reason);
		assert_string_equal(
		    some[i].facts.encryption_key_id, some[0].facts.encryption_key_id);
		assert_int_equal(some[i].minimal.len, some[0].minimal.len);
		if (i > 0)
			buf_release(&some[i].minimal);
	}
}

/* I18. */
static void older_copy_takes_no_revocation_back(void **state)
{
	(void)state;
	world_person("amy", WORLD_ED25519, "");
	world_do(AS("amy") "--quick-add-uid $F 'Old <old@example.net>'");
	world_do(AS("amy") "--quick-add-key $F ed25519 sign");
	struct buf old = world_certificate("amy");
	world_do(REVOKE_SUBKEY("amy", "1"));
	world_do(REVOKE_SUBKEY("amy", "2"));
	world_do(AS("amy") "--quick-revoke-uid $F 'Old <old@example.net>'");
	world_do(AS("amy") "--quick-add-key $F cv25519 encr");
	struct buf new = world_certificate("amy");
	struct buf known_old = minimal_of(&old), known_new = minimal_of(&new);
	struct buf one = both(&old, &new), other = both(&new, &old);
	struct world_verdict verdicts[] = {
	    world_judge(&world, buf_view(&new)),
	    world_judge_known(&world, buf_view(&old), buf_view(&known_new)),
	    world_judge_known(&world, buf_view(&new), buf_view(&known_old)),
	    world_judge(&world, buf_view(&one)),
	    world_judge(&world, buf_view(&other)),
	};
	assert_true(verdicts[1].known && !verdicts[1].changed && verdicts[1].usable);
	assert_true(verdicts[2].known && verdicts[2].changed && verdicts[2].usable);
	assert_same(verdicts, sizeof verdicts / sizeof verdicts[0]);
	const struct view kept = buf_view(&verdicts[0].minimal);
	assert_int_equal(count(kept, SIGPACKET_REVOKE_SUBKEY), 2);
	assert_int_equal(count(kept, SIGPACKET_REVOKE_USER_ID), 1);
	buf_release(&verdicts[0].minimal);
	buf_release(&old);
	buf_release(&new);
	buf_release(&known_old);
	buf_release(&known_new);
	buf_release(&one);
	buf_release(&other);
}

static void revocation_certificate_alone_counts_for_the_known_one(void **state)
{
	(void)state;
	static const char *const commands[] = {
	    REVOCATION("ben"), /* as gpg keeps it, with a colon */
	    REVOCATION("ben") " | sed 's/^:---/---/'",
	    REVOCATION("ben") " | sed 's/^:---/---/' | gpg --dearmor",
	    WORLD_GPG("ben") "--export ben@example.net; " REVOCATION(
		"ben") " | sed 's/^:---/---/' | gpg --dearmor",
	    WORLD_GPG("ann") "--armor --export ann@example.net; " REVOCATION("ben"),
	    WORLD_GPG("ann") "--export ann@example.net; " REVOCATION(
		"ben") " | sed 's/^:---/---/' | gpg --dearmor",
	};
	world_person("ann", WORLD_ED25519, "");
	world_person("ben", WORLD_ED25519, "");
	struct buf certificate = world_certificate("ben");
	struct buf known = minimal_of(&certificate);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		struct buf file = world_read(commands[i]);
		struct world_verdict verdict =
		    world_judge_known(&world, buf_view(&file), buf_view(&known));
		if (!verdict.revoked || !verdict.known || !verdict.changed || verdict.usable ||
		    strstr(verdict.reason, "revoked by its owner") == NULL)
			fail_msg("%s: %s", commands[i], verdict.reason);
		/* What is kept then is what keeps an older copy out. */
		struct world_verdict again =
		    world_judge_known(&world, buf_view(&certificate), buf_view(&verdict.minimal));
		assert_true(again.revoked && again.known && !again.changed);
		buf_release(&again.minimal);
		buf_release(&verdict.minimal);
		buf_release(&file);
	}
	struct buf alone = world_read(REVOCATION("ben"));
	struct world_verdict unknown = world_judge(&world, buf_view(&alone));
	assert_non_null(strstr(unknown.reason, "which is not known here"));
	assert_false(unknown.known || unknown.revoked);
	buf_release(&unknown.minimal);
	buf_release(&alone);
	buf_release(&known);
	buf_release(&certificate);
}

static void copy_without_user_ids_counts_for_the_known_one(void **state)
{
	(void)state;
	world_person("cat", WORLD_ED25519, "--faked-system-time 20250101T000000");
	struct buf certificate = world_certificate("cat");
	struct buf known = minimal_of(&certificate);
	const struct world_verdict before = world_judge(&world, buf_view(&certificate));
	world_do(AS("cat") "--quick-add-key $F cv25519 encr");
	world_do(AS("cat") "--quick-set-expire $F 2y '*'");
	struct buf renewed = world_certificate("cat");
	struct buf bare = only(buf_view(&renewed), no_user_ids);
	struct world_verdict verdict = world_judge_known(&world, buf_view(&bare), buf_view(&known));
	assert_string_equal(verdict.reason, "");
	assert_true(verdict.known && verdict.changed && verdict.usable);
	assert_string_equal(verdict.facts.user_id, "cat <cat@example.net>");
	assert_string_not_equal(verdict.facts.encryption_key_id, before.facts.encryption_key_id);
	assert_int_not_equal(verdict.facts.encryption_expires, 0);
	buf_release(&verdict.minimal);
	world_do("sed 's/^:---/---/' $D/cat/openpgp-revocs.d/*.rev | " WORLD_GPG(
	    "cat") "--import 2>/dev/null");
	struct buf revoked = world_certificate("cat");
	struct buf end = only(buf_view(&revoked), no_user_ids);
	verdict = world_judge_known(&world, buf_view(&end), buf_view(&known));
	assert_true(verdict.revoked && verdict.changed);
	buf_release(&verdict.minimal);
	verdict = world_judge(&world, buf_view(&end));
	assert_non_null(strstr(verdict.reason, "has no user ID"));
	buf_release(&verdict.minimal);
	struct buf first = before.minimal;
	buf_release(&first);
	buf_release(&certificate);
	buf_release(&known);
	buf_release(&renewed);
	buf_release(&bare);
	buf_release(&revoked);
	buf_release(&end);
}

static void designated_revoker_counts_where_the_certificate_is_there(void **state)
{
	(void)state;
	world_person("dan", WORLD_ED25519, "");
	world_person("rex", WORLD_ED25519, "");
	struct buf before = world_certificate("dan");
	struct buf rex = world_certificate("rex");
	struct buf known = minimal_of(&before);
	world_do(FINGERPRINT("rex") "R=$F; " WORLD_GPG("rex") "--export $R | " WORLD_GPG(
	    "dan") "--import; " FINGERPRINT("dan") "printf \"addrevoker\\n$R\\ny\\nsave\\n\" "
						   "| " WORLD_GPG("dan") "--command-fd 0 "
									 "--edit-key $F >$D/edit "
									 "2>&1");
	struct buf dan = world_certificate("dan");
	world_do(FINGERPRINT("dan") WORLD_GPG("dan") "--export $F | " WORLD_GPG(
	    "rex") "--import; printf 'y\\n0\\n\\ny\\n' | " WORLD_GPG("rex") "--command-fd 0 "
									    "--no-batch "
									    "--desig-revoke $F "
									    ">$D/desig 2>$D/edit");
	struct buf revoked = world_read("gpg --dearmor <$D/desig");
	struct buf file = both(&revoked, &rex);
	assert_int_equal(count(buf_view(&revoked), SIGPACKET_REVOKE_KEY), 1);
	struct world_verdict verdict =
	    world_judge_known(&world, buf_view(&revoked), buf_view(&known));
	assert_string_not_equal(verdict.unproved, "");
	assert_false(verdict.revoked);
	assert_int_equal(count(buf_view(&verdict.minimal), SIGPACKET_REVOKE_KEY), 0);
	buf_release(&verdict.minimal);
	/* Of one file, the other one first, and as two who are known. */
	struct buf turned = both(&rex, &revoked), two = both(&known, &rex);
	verdict = world_judge_known(&world, buf_view(&turned), buf_view(&known));
	assert_true(verdict.revoked && verdict.known);
	buf_release(&verdict.minimal);
	verdict = world_judge_known(&world, buf_view(&revoked), buf_view(&two));
	assert_true(verdict.revoked && verdict.known && verdict.count == 1);
	buf_release(&verdict.minimal);
	buf_release(&before);
	buf_release(&rex);
	buf_release(&known);
	buf_release(&dan);
	buf_release(&revoked);
	buf_release(&file);
	buf_release(&turned);
	buf_release(&two);
}

/* Every revocation of `certificate` in the file with one bit turned in its last octets. */
static struct buf forged(struct view certificate)
{
	struct buf some = only(certificate, revocations);
	struct view rest = buf_view(&some);
	struct packet packet;
	while (packet_next(&rest, &packet) == 1)
		some.data[packet.whole.data + packet.whole.len - some.data - 5] ^= 1;
	return some;
}

static void forged_revocations_take_nothing_back_and_are_not_kept(void **state)
{
	(void)state;
	world_person("eve", WORLD_ED25519, "");
	struct buf certificate = world_certificate("eve");
	struct buf known = minimal_of(&certificate);
	world_do(REVOKE_SUBKEY("eve", "1"));
	world_do(AS("eve") "--quick-add-uid $F 'Two <two@example.net>'");
	world_do(AS("eve") "--quick-revoke-uid $F 'Two <two@example.net>'");
	world_do("sed 's/^:---/---/' $D/eve/openpgp-revocs.d/*.rev | " WORLD_GPG(
	    "eve") "--import 2>/dev/null");
	struct buf revoked = world_certificate("eve");
	struct buf junk = forged(buf_view(&revoked));
	assert_true(junk.len > 300);
	struct buf many = BUF_EMPTY(WORLD_OUTPUT_MAX), file;
	for (int i = 0; i < 100; i++) {
		buf_add_view(&many, buf_view(&junk));
		many.data[many.len - 9] ^= (char)i;
	}
	struct buf files[] = {both(&certificate, &junk), both(&certificate, &many), junk};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		file = files[i];
		struct world_verdict verdict =
		    world_judge_known(&world, buf_view(&file), buf_view(&known));
		assert_false(verdict.revoked || verdict.closed || verdict.changed);
		assert_true(verdict.known);
		assert_true(view_equals(buf_view(&verdict.minimal), buf_view(&known)));
		assert_int_equal(verdict.reason[0] == '\0', i < 2);
		buf_release(&verdict.minimal);
		buf_release(&file);
	}
	buf_release(&many);
	buf_release(&revoked);
	buf_release(&known);
	buf_release(&certificate);
}

/* The first number of a signature is made to claim 65535 bits: gpg gives up there. */
static void spoil(struct buf *file, struct view packets)
{
	struct packet packet;
	struct sigpacket signature;
	while (packet_next(&packets, &packet) == 1) {
		if (packet.tag != PACKET_SIGNATURE || !sigpacket_read(packet.body, &signature))
			continue;
		const size_t at = (size_t)(signature.back.data - file->data);
		file->data[at + 2] = file->data[at + 3] = (char)0xff;
	}
}

static void revocation_that_gpg_gives_up_at_hides_none(void **state)
{
	(void)state;
	world_person("jim", WORLD_ED25519, "");
	struct buf certificate = world_certificate("jim");
	struct buf known = minimal_of(&certificate);
	struct buf revocation =
	    world_read(REVOCATION("jim") " | sed 's/^:---/---/' | gpg --dearmor");
	struct buf file = both(&certificate, &revocation);
	spoil(&file, view_part(buf_view(&file), certificate.len, revocation.len));
	struct world_verdict verdict = world_judge_known(&world, buf_view(&file), buf_view(&known));
	assert_string_equal(verdict.reason, "");
	assert_false(verdict.revoked || verdict.changed);
	buf_release(&verdict.minimal);
	buf_add_view(&file, buf_view(&revocation));
	verdict = world_judge_known(&world, buf_view(&file), buf_view(&known));
	assert_true(verdict.revoked && verdict.changed);
	buf_release(&verdict.minimal);
	/* Nor does one that is a new state's own, by what it says: what is revoked holds. */
	struct buf spoilt = both(&certificate, &revocation);
	spoil(&spoilt, view_part(buf_view(&spoilt), 0, certificate.len));
	verdict = world_judge_known(&world, buf_view(&spoilt), buf_view(&known));
	assert_true(verdict.revoked && verdict.changed);
	buf_release(&verdict.minimal);
	buf_release(&spoilt);
	buf_release(&file);
	buf_release(&revocation);
	buf_release(&known);
	buf_release(&certificate);
}

static void revocations_hold_whatever_else_is_refused(void **state)
{
	(void)state;
	world_person("fay", WORLD_ED25519, "");
	world_do(AS("fay") "--quick-add-key $F ed25519 sign");
	struct buf before = world_certificate("fay");
	struct buf known = minimal_of(&before);
	world_do(REVOKE_SUBKEY("fay", "2"));
	world_do(AS("fay") "--quick-add-key $F rsa1024 sign");
	struct buf weak = world_certificate("fay");
	struct world_verdict verdict = world_judge_known(&world, buf_view(&weak), buf_view(&known));
	assert_non_null(strstr(verdict.reason, "too weak"));
	assert_true(verdict.known && verdict.changed && verdict.usable);
	assert_int_equal(count(buf_view(&verdict.minimal), SIGPACKET_REVOKE_SUBKEY), 1);
	assert_int_equal(count(buf_view(&verdict.minimal), SIGPACKET_BIND_SUBKEY), 2);
	assert_int_equal(verdict.facts.key_count, 2);
	buf_release(&verdict.minimal);
	buf_release(&before);
	buf_release(&known);
	buf_release(&weak);
}

/* Behind the last subkey, where programs append what they have no place for. */
static void revocations_out_of_place_count(void **state)
{
	(void)state;
	world_person("gus", WORLD_ED25519, "");
	world_do(AS("gus") "--quick-add-uid $F 'Two <two@example.net>'");
	world_do(AS("gus") "--quick-add-key $F ed25519 sign");
	struct buf before = world_certificate("gus");
	world_do(REVOKE_SUBKEY("gus", "1"));
	world_do(AS("gus") "--quick-revoke-uid $F 'Two <two@example.net>'");
	struct buf revoked = world_certificate("gus");
	struct buf end = only(buf_view(&revoked), revocations);
	struct buf file = both(&before, &end);
	struct world_verdict verdict = world_judge(&world, buf_view(&file));
	assert_true(verdict.closed);
	struct world_verdict other = world_judge(&world, buf_view(&revoked));
	assert_string_equal(verdict.reason, other.reason);
	buf_release(&verdict.minimal);
	buf_release(&other.minimal);
	buf_release(&before);
	buf_release(&revoked);
	buf_release(&end);
	buf_release(&file);
}

static void same_signature_in_other_clothes_does_not_make_it_grow(void **state)
{
	(void)state;
	world_person("hal", WORLD_ED25519, "");
	struct buf certificate = world_certificate("hal");
	struct view rest = buf_view(&certificate);
	struct packet packet;
	struct sigpacket signature;
	struct buf file = BUF_EMPTY(WORLD_OUTPUT_MAX);
	/* The key ID in the unhashed part, which nobody signs, is another one each time. */
	for (int i = 0; i < 50; i++) {
		const size_t at = file.len;
		buf_add_view(&file, buf_view(&certificate));
		rest = view_part(buf_view(&file), at, file.len);
		while (packet_next(&rest, &packet) == 1) {
			if (packet.tag == PACKET_SIGNATURE &&
			    sigpacket_read(packet.body, &signature) && signature.unhashed.len > 8)
				file.data[signature.unhashed.data - file.data + 2] ^= (char)i;
		}
	}
	struct world_verdict verdict = world_judge(&world, buf_view(&file));
	assert_string_equal(verdict.reason, "");
	assert_true(verdict.minimal.len <= certificate.len);
	buf_release(&verdict.minimal);
	buf_release(&file);
	buf_release(&certificate);
}

static void too_much_of_one_certificate_is_refused_by_name(void **state)
{
	(void)state;
	world_person("ida", WORLD_ED25519, "");
	struct buf certificate = world_certificate("ida");
	struct buf known = minimal_of(&certificate);
	struct buf file = BUF_EMPTY(WORLD_OUTPUT_MAX);
	buf_add_view(&file, buf_view(&certificate));
	for (int i = 0; i <= MERGE_COMPONENTS_MAX; i++)
		buf_printf(&file, "\xcd\x06%06d", i);
	struct world_verdict verdict = world_judge_known(&world, buf_view(&file), buf_view(&known));
	assert_non_null(strstr(verdict.reason, "more user IDs and subkeys"));
	assert_true(verdict.known && !verdict.changed && !verdict.revoked);
	buf_release(&verdict.minimal);
	buf_release(&file);
	buf_release(&known);
	buf_release(&certificate);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(older_copy_takes_no_revocation_back),
	    cmocka_unit_test(revocation_certificate_alone_counts_for_the_known_one),
	    cmocka_unit_test(copy_without_user_ids_counts_for_the_known_one),
	    cmocka_unit_test(designated_revoker_counts_where_the_certificate_is_there),
	    cmocka_unit_test(forged_revocations_take_nothing_back_and_are_not_kept),
	    cmocka_unit_test(revocation_that_gpg_gives_up_at_hides_none),
	    cmocka_unit_test(revocations_hold_whatever_else_is_refused),
	    cmocka_unit_test(revocations_out_of_place_count),
	    cmocka_unit_test(same_signature_in_other_clothes_does_not_make_it_grow),
	    cmocka_unit_test(too_much_of_one_certificate_is_refused_by_name),
	};
	return cmocka_run_group_tests_name("pgp_merge", tests, setup, teardown);
}
