#include "config.h"

#include "pgp_world.h"
#include "patience.h"

#include <sys/resource.h>

#include "pgp/engine.h"
#include "pgp/open.h"

enum { LIMIT = 4 * 1024 * 1024 };

static struct world world;
static const char *const known_people[] = {"ann", "rsa", "late", "lost"};

/* $D/late-then is late's home as it was before the key got its expiry of 2020-01-10; lost's key was
 * revoked after $D/lost-then was copied. mel is in nobody's keyring. */
static int setup(void **state)
{
	(void)state;
	world_open(&world);
	world_person("ann", WORLD_ED25519, "");
	world_person("rsa", WORLD_RSA, "");
	world_person("mel", WORLD_ED25519, "");
	world_person("late", WORLD_ED25519, "--faked-system-time 20200101T000000");
	world_person("lost", WORLD_ED25519, "");
	world_do("gpgconf --homedir $D/late --kill gpg-agent; gpgconf --homedir $D/lost --kill "
		 "gpg-agent;"
		 "cp -r $D/late $D/late-then && cp -r $D/lost $D/lost-then");
	world_do("f=$(" WORLD_GPG("late") "--with-colons --list-keys late@example.net | "
					  "awk -F: '/^fpr/ { print $10; exit }'); " WORLD_GPG(
					      "late") "--pinentry-mode loopback --passphrase '' "
						      "--faked-system-time 20200102T000000 "
						      "--quick-set-expire $f 2020-01-10");
	world_do("sed 's/^:---/---/' $D/lost/openpgp-revocs.d/*.rev | " WORLD_GPG(
	    "lost") "--import 2>/dev/null");
	world_shard(&world, known_people, sizeof known_people / sizeof *known_people);
	world_write(&world, "text", VIEW("received\r\n\r\nToken: ABCDEFGHIJKLMNOP\r\n"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static struct opened open_bytes(enum open_form form, struct view message, struct view signature)
{
	struct opened opened;
	struct err err;
	assert_works(pgp_open(&world.home, 1, 1, form, message, signature, LIMIT, &opened, &err));
	if (!opened.readable) {
		assert_string_not_equal(opened.reason, "");
		assert_int_equal(opened.plaintext.len, 0);
		assert_int_equal(opened.signature_count, 0);
	}
	return opened;
}

/* Opens what a command prints. */
static struct opened open_output(enum open_form form, const char *command)
{
	struct buf message = world_read(command);
	struct opened opened = open_bytes(form, buf_view(&message), VIEW(""));
	buf_release(&message);
	return opened;
}

/* The signed text is in $D/text, the signature is what the command prints. */
static struct opened open_detached(const char *text, const char *command)
{
	struct buf signature = world_read(command);
	struct opened opened = open_bytes(OPEN_DETACHED, view_of(text), buf_view(&signature));
	buf_release(&signature);
	return opened;
}

#define TEXT "received\r\n\r\nToken: ABCDEFGHIJKLMNOP\r\n"
#define TO_GATEWAY "-r gateway@example.org "

static void fingerprint_of(const char *person, char out[static FINGERPRINT_SIZE])
{
	char command[256];
	snprintf(command, sizeof command,
	    "gpg --homedir $D/%s --with-colons --list-keys %s@example.net 2>/dev/null | "
	    "awk -F: '/^fpr/ { print $10; exit }' | tr -d '\\n'",
	    person, person);
	struct buf printed = world_read(command);
	assert_true(view_copy(buf_view(&printed), out, FINGERPRINT_SIZE));
	buf_release(&printed);
}

static void assert_unreadable(struct opened opened, const char *reason)
{
	assert_false(opened.readable);
	if (strstr(opened.reason, reason) == NULL)
		fail_msg("the reason is: %s", opened.reason);
	buf_release(&opened.plaintext);
}

/* Readable, the text above, one signature of this status. */
static void assert_one(struct opened opened, enum signature_status status)
{
	assert_string_equal(opened.reason, "");
	assert_true(opened.readable);
	assert_string_equal(buf_text(&opened.plaintext), TEXT);
	assert_int_equal(opened.signature_count, 1);
	assert_int_equal(opened.signatures[0].status, status);
	assert_int_equal(strlen(opened.signatures[0].key_id), KEY_ID_SIZE - 1);
	buf_release(&opened.plaintext);
}

static void encrypted_and_signed_is_good_by_its_primary_fingerprint(void **state)
{
	(void)state;
	char fingerprint[FINGERPRINT_SIZE];
	fingerprint_of("ann", fingerprint);
	static const char *const commands[] = {
	    WORLD_GPG("ann") "-se " TO_GATEWAY "<$D/text 2>/dev/null",
	    WORLD_GPG("ann") "-sea --compress-algo none " TO_GATEWAY "<$D/text 2>/dev/null",
	    WORLD_GPG("ann") "-sea " TO_GATEWAY "-r ann@example.net <$D/text 2>/dev/null",
	    WORLD_GPG("ann") "-sea --hidden-recipient gateway@example.org <$D/text 2>/dev/null",
	};
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		struct opened opened = open_output(OPEN_ENCRYPTED, commands[i]);
		assert_true(opened.encrypted);
		assert_string_equal(opened.signatures[0].fingerprint, fingerprint);
		assert_in_range(opened.signatures[0].created, clock_now() - 60, clock_now());
		assert_int_equal(opened.gpg_runs, 1);
		assert_one(opened, SIGNATURE_GOOD);
	}
}

static void signing_subkey_is_known_by_its_primary(void **state)
{
	(void)state;
	world_person("sub", WORLD_ED25519, "");
	char fingerprint[FINGERPRINT_SIZE];
	fingerprint_of("sub", fingerprint);
	world_do("f=$(" WORLD_GPG(
	    "sub") "--with-colons --list-keys sub@example.net | awk -F: '/^fpr/ { "
		   "print $10; exit }'); gpg --homedir $D/sub --batch --quiet --passphrase '' "
		   "--pinentry-mode loopback --quick-add-key $f ed25519 sign never");
	struct buf certificate = world_certificate("sub");
	struct view view = buf_view(&certificate);
	struct err err;
	assert_works(home_build_shard(&world.home, 2, 1, &view, 1, &err));
	struct buf message = world_read(WORLD_GPG("sub") "-se " TO_GATEWAY "<$D/text 2>/dev/null");
	struct opened opened;
	assert_works(pgp_open(
	    &world.home, 2, 1, OPEN_ENCRYPTED, buf_view(&message), VIEW(""), LIMIT, &opened, &err));
	assert_string_equal(opened.signatures[0].fingerprint, fingerprint);
	assert_null(strstr(fingerprint, opened.signatures[0].key_id));
	assert_one(opened, SIGNATURE_GOOD);
	buf_release(&message);
	buf_release(&certificate);
}

static void encrypted_without_signature_says_so(void **state)
{
	(void)state;
	struct opened opened =
	    open_output(OPEN_ENCRYPTED, WORLD_GPG("ann") "-e " TO_GATEWAY "<$D/text 2>/dev/null");
	assert_true(opened.readable);
	assert_int_equal(opened.signature_count, 0);
	assert_string_equal(buf_text(&opened.plaintext), TEXT);
	buf_release(&opened.plaintext);
}

static void signer_outside_the_home_is_unknown(void **state)
{
	(void)state;
	struct opened opened =
	    open_output(OPEN_ENCRYPTED, WORLD_GPG("mel") "-se " TO_GATEWAY "<$D/text 2>/dev/null");
	assert_string_equal(opened.signatures[0].fingerprint, "");
	assert_one(opened, SIGNATURE_UNKNOWN_KEY);
}

static void known_signer_is_unknown_in_the_main_home(void **state)
{
	(void)state;
	struct err err;
	struct opened opened;
	struct buf message = world_read(WORLD_GPG("ann") "-se " TO_GATEWAY "<$D/text 2>/dev/null");
	assert_works(pgp_open(&world.home, -1, 0, OPEN_ENCRYPTED, buf_view(&message), VIEW(""),
	    LIMIT, &opened, &err));
	assert_one(opened, SIGNATURE_UNKNOWN_KEY);
	buf_release(&message);
}

static void signature_made_in_time_by_a_key_that_expired_since_is_good(void **state)
{
	(void)state;
	char fingerprint[FINGERPRINT_SIZE];
	fingerprint_of("late", fingerprint);
	struct opened opened = open_output(OPEN_SIGNED,
	    WORLD_GPG("late-then") "--faked-system-time 20200105T000000 -s <$D/text 2>/dev/null");
	assert_string_equal(opened.signatures[0].fingerprint, fingerprint);
	assert_one(opened, SIGNATURE_GOOD);
}

static void signature_made_after_expiry_is_by_an_expired_key(void **state)
{
	(void)state;
	assert_one(open_output(OPEN_SIGNED,
		       WORLD_GPG("late-then") "--faked-system-time 20200301T000000 -s <$D/text "
					      "2>/dev/null"),
	    SIGNATURE_KEY_EXPIRED);
}

static void signature_by_a_revoked_key_is_never_good(void **state)
{
	(void)state;
	assert_one(open_output(OPEN_SIGNED, WORLD_GPG("lost-then") "-s <$D/text 2>/dev/null"),
	    SIGNATURE_KEY_REVOKED);
}

static void key_that_expired_and_was_revoked_is_revoked(void **state)
{
	(void)state;
	/* gpg speaks of the expiry only. */
	world_do("gpgconf --homedir $D/late --kill gpg-agent; cp -r $D/late $D/both; "
		 "sed 's/^:---/---/' $D/both/openpgp-revocs.d/*.rev | " WORLD_GPG(
		     "both") "--import 2>/dev/null");
	struct buf certificate =
	    world_read("gpg --homedir $D/both --batch --export late@example.net 2>/dev/null");
	const struct view view = buf_view(&certificate);
	struct err err;
	struct opened opened;
	assert_works(home_build_shard(&world.home, 3, 1, &view, 1, &err));
	struct buf message = world_read(
	    WORLD_GPG("late-then") "--faked-system-time 20200105T000000 -s <$D/text 2>/dev/null");
	assert_works(pgp_open(
	    &world.home, 3, 1, OPEN_SIGNED, buf_view(&message), VIEW(""), LIMIT, &opened, &err));
	assert_one(opened, SIGNATURE_KEY_REVOKED);
	buf_release(&message);
	buf_release(&certificate);
}

static void signature_that_has_itself_expired_is_not_good(void **state)
{
	(void)state;
	assert_one(open_output(OPEN_SIGNED,
		       WORLD_GPG("late-then") "--faked-system-time 20200105T000000 "
					      "--default-sig-expire 1d -s <$D/text 2>/dev/null"),
	    SIGNATURE_EXPIRED);
}

static void sha1_signature_is_weak(void **state)
{
	(void)state;
	assert_one(
	    open_output(OPEN_SIGNED, WORLD_GPG("rsa") "--digest-algo SHA1 -s <$D/text 2>/dev/null"),
	    SIGNATURE_WEAK);
	assert_one(open_output(OPEN_SIGNED,
		       WORLD_GPG("rsa") "--digest-algo RIPEMD160 -s <$D/text 2>/dev/null"),
	    SIGNATURE_WEAK);
}

static void two_signatures_are_both_listed(void **state)
{
	(void)state;
	world_do("gpg --homedir $D/rsa --export-secret-keys rsa@example.net | " WORLD_GPG(
	    "ann") "--import 2>/dev/null");
	struct opened opened = open_output(OPEN_ENCRYPTED,
	    WORLD_GPG("ann") "-u ann@example.net -u rsa@example.net -se " TO_GATEWAY
			     "<$D/text 2>/dev/null");
	assert_true(opened.readable);
	assert_int_equal(opened.signature_count, 2);
	assert_int_equal(opened.signatures[0].status, SIGNATURE_GOOD);
	assert_int_equal(opened.signatures[1].status, SIGNATURE_GOOD);
	assert_string_not_equal(opened.signatures[0].fingerprint, opened.signatures[1].fingerprint);
	buf_release(&opened.plaintext);
}

static void tampered_ciphertext_is_unreadable_at_every_place(void **state)
{
	(void)state;
	struct buf message = world_read("head -c 100000 /dev/zero | " WORLD_GPG(
	    "ann") "--compress-algo none -se " TO_GATEWAY "2>/dev/null");
	for (size_t at = 200; at < message.len; at += message.len / 5) {
		message.data[at] ^= 1;
		struct opened opened = open_bytes(OPEN_ENCRYPTED, buf_view(&message), VIEW(""));
		assert_false(opened.readable);
		message.data[at] ^= 1;
	}
	struct opened whole = open_bytes(OPEN_ENCRYPTED, buf_view(&message), VIEW(""));
	assert_true(whole.readable);
	buf_release(&whole.plaintext);
	buf_release(&message);
}

static void bytes_around_the_message_are_refused(void **state)
{
	(void)state;
	assert_unreadable(
	    open_output(OPEN_ENCRYPTED,
		WORLD_GPG("ann") "-sea " TO_GATEWAY "<$D/text 2>/dev/null; echo more"),
	    "goes on behind");
	assert_unreadable(
	    open_output(OPEN_ENCRYPTED,
		"echo before; " WORLD_GPG("ann") "-sea " TO_GATEWAY "<$D/text 2>/dev/null"),
	    "no OpenPGP block");
	assert_unreadable(
	    open_output(OPEN_ENCRYPTED,
		WORLD_GPG("ann") "-se " TO_GATEWAY "<$D/text 2>/dev/null; printf '\\313\\004data'"),
	    "goes on behind");
}

static void two_literals_in_one_encryption_are_refused(void **state)
{
	(void)state;
	/* The unsigned text first, the signed message behind it: gpg prints both. */
	world_do("(printf '\\313\\013b\\000\\000\\000\\000\\000evil\\n'; " WORLD_GPG(
	    "ann") "--compress-algo none -s <$D/text 2>/dev/null) >$D/two");
	struct opened opened = open_output(
	    OPEN_ENCRYPTED, WORLD_GPG("ann") "--no-literal -e " TO_GATEWAY "<$D/two 2>/dev/null");
	assert_false(opened.readable);
	world_do(
	    "(" WORLD_GPG("ann") "--compress-algo none -s <$D/text 2>/dev/null; "
				 "printf '\\313\\013b\\000\\000\\000\\000\\000evil\\n') >$D/two");
	opened = open_output(
	    OPEN_ENCRYPTED, WORLD_GPG("ann") "--no-literal -e " TO_GATEWAY "<$D/two 2>/dev/null");
	assert_false(opened.readable);
}

static void encryption_of_no_text_is_refused(void **state)
{
	(void)state;
	struct opened opened = open_output(OPEN_ENCRYPTED,
	    "printf '\\312\\003PGP' | " WORLD_GPG("ann") "--no-literal -e " TO_GATEWAY
							 "2>/dev/null");
	assert_false(opened.readable);
	opened =
	    open_output(OPEN_ENCRYPTED, WORLD_GPG("ann") "-b <$D/text 2>/dev/null | " WORLD_GPG(
					    "ann") "--no-literal -e " TO_GATEWAY "2>/dev/null");
	assert_false(opened.readable);
}

static void two_encryptions_in_one_are_refused(void **state)
{
	(void)state;
	struct opened opened = open_output(
	    OPEN_ENCRYPTED, WORLD_GPG("ann") "-se " TO_GATEWAY "<$D/text 2>/dev/null | " WORLD_GPG(
				"ann") "--no-literal -e " TO_GATEWAY "2>/dev/null");
	assert_false(opened.readable);
}

static void bomb_stops_at_the_limit(void **state)
{
	(void)state;
	const int64_t start = clock_monotonic_ms();
	assert_unreadable(open_output(OPEN_ENCRYPTED, "head -c 100000000 /dev/zero | " WORLD_GPG(
							  "ann") "-se " TO_GATEWAY "2>/dev/null"),
	    "opens to more than 4194304 bytes");
	assert_true(clock_monotonic_ms() - start < patient(10000));
}

static void message_for_somebody_else_is_not_for_us(void **state)
{
	(void)state;
	assert_unreadable(open_output(OPEN_ENCRYPTED,
			      WORLD_GPG("ann") "-se -r ann@example.net <$D/text 2>/dev/null"),
	    "not encrypted to the gateway's key");
}

static void password_and_missing_integrity_protection_are_unreadable(void **state)
{
	(void)state;
	assert_unreadable(
	    open_output(OPEN_ENCRYPTED,
		WORLD_GPG(
		    "ann") "--pinentry-mode loopback --passphrase x --s2k-count 65536 -c <$D/text "
			   "2>/dev/null"),
	    "password");
	assert_unreadable(open_output(OPEN_ENCRYPTED,
			      WORLD_GPG("ann") "--rfc2440 --cipher-algo AES -e " TO_GATEWAY
					       "<$D/text 2>/dev/null"),
	    "without integrity protection");
}

static void signed_only_is_not_encrypted(void **state)
{
	(void)state;
	assert_unreadable(open_output(OPEN_ENCRYPTED, WORLD_GPG("ann") "-sa <$D/text 2>/dev/null"),
	    "is not encrypted");
	struct opened opened =
	    open_output(OPEN_SIGNED, WORLD_GPG("ann") "-sa <$D/text 2>/dev/null");
	assert_false(opened.encrypted);
	assert_one(opened, SIGNATURE_GOOD);
	assert_unreadable(
	    open_output(OPEN_SIGNED, WORLD_GPG("ann") "--store <$D/text 2>/dev/null"), "");
	assert_unreadable(
	    open_output(OPEN_SIGNED, WORLD_GPG("ann") "-se " TO_GATEWAY "<$D/text 2>/dev/null"),
	    "");
}

static void detached_signature_covers_exactly_its_text(void **state)
{
	(void)state;
	static const char sign[] = WORLD_GPG("ann") "-ba <$D/text 2>/dev/null";
	assert_one(open_detached(TEXT, sign), SIGNATURE_GOOD);
	struct opened opened = open_detached(TEXT "x", sign);
	assert_int_equal(opened.signatures[0].status, SIGNATURE_BAD);
	buf_release(&opened.plaintext);
	assert_one(open_detached(TEXT, WORLD_GPG("ann") "--textmode -ba <$D/text 2>/dev/null"),
	    SIGNATURE_GOOD);
}

static void whole_signed_message_is_no_detached_signature(void **state)
{
	(void)state;
	assert_unreadable(
	    open_detached("anything", WORLD_GPG("ann") "-s <$D/text 2>/dev/null"), "detached");
	assert_unreadable(
	    open_detached("anything", WORLD_GPG("ann") "-sa <$D/text 2>/dev/null"), "another kind");
	assert_unreadable(
	    open_detached("anything", WORLD_GPG("ann") "--clearsign <$D/text 2>/dev/null"),
	    "another kind");
}

static void text_signature_over_a_long_line_is_refused(void **state)
{
	(void)state;
	/* gpg looks at 19,995 bytes of a line only: what stands behind could be anybody's. */
	world_do("head -c 25000 /dev/zero | tr '\\0' a >$D/long");
	struct buf text = world_read("cat $D/long");
	assert_unreadable(
	    open_detached(buf_text(&text), WORLD_GPG("ann") "--textmode -b <$D/text 2>/dev/null"),
	    "line of more than");
	struct opened opened =
	    open_detached(buf_text(&text), WORLD_GPG("ann") "-b <$D/long 2>/dev/null");
	assert_int_equal(opened.signatures[0].status, SIGNATURE_GOOD);
	buf_release(&opened.plaintext);
	buf_release(&text);
}

static void cleartext_gives_the_signed_text_only(void **state)
{
	(void)state;
	static const struct view plain = VIEW("- received  \n\nFrom here\n-- \nTim\t\n");
	world_write(&world, "plain", plain);
	struct opened opened =
	    open_output(OPEN_CLEARTEXT, WORLD_GPG("ann") "--clearsign <$D/plain 2>/dev/null");
	assert_true(opened.readable);
	assert_false(opened.encrypted);
	assert_int_equal(opened.signature_count, 1);
	assert_int_equal(opened.signatures[0].status, SIGNATURE_GOOD);
	assert_string_equal(
	    buf_text(&opened.plaintext), "- received\r\n\r\nFrom here\r\n--\r\nTim");
	buf_release(&opened.plaintext);
	opened = open_output(
	    OPEN_CLEARTEXT, WORLD_GPG("ann") "--clearsign <$D/plain 2>/dev/null | sed 's/$/\\r/'");
	assert_int_equal(opened.signatures[0].status, SIGNATURE_GOOD);
	buf_release(&opened.plaintext);
}

static void tampered_cleartext_is_bad(void **state)
{
	(void)state;
	struct opened opened = open_output(OPEN_CLEARTEXT,
	    WORLD_GPG("ann") "--clearsign <$D/text 2>/dev/null | sed s/received/affected/");
	assert_int_equal(opened.signature_count, 1);
	assert_int_equal(opened.signatures[0].status, SIGNATURE_BAD);
	buf_release(&opened.plaintext);
}

static void text_around_a_cleartext_signature_is_refused(void **state)
{
	(void)state;
	assert_unreadable(open_output(OPEN_CLEARTEXT,
			      "echo evil; " WORLD_GPG("ann") "--clearsign <$D/text 2>/dev/null"),
	    "not a cleartext");
	assert_unreadable(open_output(OPEN_CLEARTEXT,
			      WORLD_GPG("ann") "--clearsign <$D/text 2>/dev/null; echo evil"),
	    "goes on behind");
	assert_unreadable(
	    open_output(OPEN_CLEARTEXT,
		WORLD_GPG(
		    "ann") "--clearsign <$D/text 2>/dev/null | sed 's/^Hash:.*/&\\nevil: yes/'"),
	    "other headers");
	assert_unreadable(
	    open_output(OPEN_CLEARTEXT,
		WORLD_GPG("ann") "--not-dash-escaped --clearsign <$D/text 2>/dev/null"),
	    "other headers");
	assert_unreadable(
	    open_output(OPEN_CLEARTEXT,
		WORLD_GPG("ann") "--clearsign <$D/text 2>/dev/null | sed 's/^received/-evil\\n&/'"),
	    "not escaped");
}

static void unwrapped_message_verifies_with_plain_gpg(void **state)
{
	(void)state;
	struct err err;
	struct buf message = world_read(WORLD_GPG("ann") "-sea " TO_GATEWAY "<$D/text 2>/dev/null");
	struct buf unwrapped = BUF_EMPTY(LIMIT);
	assert_works(pgp_unwrap(&world.home, buf_view(&message), &unwrapped, &err));
	world_write(&world, "evidence", buf_view(&unwrapped));
	struct buf out =
	    world_read(WORLD_GPG("ann") "--status-fd 1 --verify $D/evidence 2>/dev/null");
	assert_int_not_equal(view_find(buf_view(&out), VIEW("GOODSIG")), SIZE_MAX);
	buf_release(&out);
	assert_one(open_output(OPEN_SIGNED, "cat $D/evidence"), SIGNATURE_GOOD);
	buf_release(&unwrapped);
	message.data[message.len / 2] ^= 1;
	assert_int_equal(pgp_unwrap(&world.home, buf_view(&message), &unwrapped, &err), -1);
	assert_int_equal(unwrapped.len, 0);
	buf_release(&message);
}

static void stash_comes_back_whole_or_not_at_all(void **state)
{
	(void)state;
	struct err err;
	struct buf stash = BUF_EMPTY(LIMIT), out = BUF_EMPTY(LIMIT), small = BUF_EMPTY(8);
	assert_works(pgp_stash(&world.home, VIEW(TEXT), &stash, &err));
	assert_int_equal(view_find(buf_view(&stash), VIEW("Token")), SIZE_MAX);
	assert_works(pgp_unstash(&world.home, buf_view(&stash), &out, &err));
	assert_string_equal(buf_text(&out), TEXT);
	buf_release(&out);
	assert_int_equal(pgp_unstash(&world.home, buf_view(&stash), &small, &err), -1);
	assert_int_equal(small.len, 0);
	stash.data[stash.len - 5] ^= 1;
	assert_int_equal(pgp_unstash(&world.home, buf_view(&stash), &out, &err), -1);
	assert_int_equal(out.len, 0);
	assert_int_equal(err.whom, ERR_MESSAGE);
	buf_release(&stash);
}

static void agent_that_died_does_not_make_mail_unreadable(void **state)
{
	(void)state;
	home_stop_agent(&world.home);
	assert_one(
	    open_output(OPEN_ENCRYPTED, WORLD_GPG("ann") "-se " TO_GATEWAY "<$D/text 2>/dev/null"),
	    SIGNATURE_GOOD);
}

static void lost_secret_key_is_an_error_and_not_the_messages_fault(void **state)
{
	(void)state;
	struct opened opened;
	struct err err;
	struct buf message = world_read(WORLD_GPG("ann") "-se " TO_GATEWAY "<$D/text 2>/dev/null");
	world_do("mv $D/g/private-keys-v1.d $D/away");
	home_stop_agent(&world.home);
	const int result = pgp_open(
	    &world.home, -1, 0, OPEN_ENCRYPTED, buf_view(&message), VIEW(""), LIMIT, &opened, &err);
	world_do("rm -rf $D/g/private-keys-v1.d; mv $D/away $D/g/private-keys-v1.d");
	assert_int_equal(result, -1);
	assert_int_equal(err.when, ERR_LATER);
	buf_release(&message);
}

static void garbage_is_unreadable(void **state)
{
	(void)state;
	static const struct view garbage[] = {
	    VIEW(""),
	    VIEW("\n"),
	    VIEW("\xff\xff\xff\xff\xff\xff"),
	    VIEW("-----BEGIN PGP MESSAGE-----\n"),
	    VIEW("-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----\n"),
	    VIEW("-----BEGIN PGP MESSAGE-----\n\n!!!!\n-----END PGP MESSAGE-----\n"),
	    VIEW("-----BEGIN PGP SIGNED MESSAGE-----\n"),
	    VIEW("-----BEGIN PGP SIGNED MESSAGE-----\n\n-----BEGIN PGP SIGNATURE-----\n"),
	};
	static const enum open_form forms[] = {
	    OPEN_ENCRYPTED, OPEN_DETACHED, OPEN_CLEARTEXT, OPEN_SIGNED};
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
			struct opened opened = open_bytes(forms[f], garbage[i], garbage[i]);
			assert_false(opened.readable);
		}
	}
}

static int find_wrong(void *context, struct buf *out, struct err *err)
{
	(void)context;
	(void)err;
	buf_add_text(out, "another passphrase");
	return 0;
}

static int find_none(void *context, struct buf *out, struct err *err)
{
	(void)context;
	(void)out;
	return err_set(err, ERR_DAEMON, ERR_LATER, "it lies in the safe");
}

/* Opening and unstashing both fail, and neither blames what was to be opened. */
static void assert_locked(passphrase_fn *find, const char *place, const char *why)
{
	struct passphrase passphrase = passphrase_from(find, NULL);
	passphrase.place = place;
	struct home home = world.home;
	struct buf message = world_read(WORLD_GPG("ann") "-se " TO_GATEWAY "<$D/text 2>/dev/null");
	struct buf stash = BUF_EMPTY(LIMIT), text = BUF_EMPTY(LIMIT);
	struct opened opened;
	struct err err;
	home.passphrase = &passphrase;
	assert_int_equal(pgp_open(&home, 1, 1, OPEN_ENCRYPTED, buf_view(&message), VIEW(""), LIMIT,
			     &opened, &err),
	    -1);
	assert_int_equal(err.whom, ERR_DAEMON);
	assert_non_null(strstr(err.text, why));
	assert_int_equal(passphrase.text.len, 0); /* to be looked for anew */
	assert_works(pgp_stash(&home, VIEW("x"), &stash, &err));
	assert_int_equal(pgp_unstash(&home, buf_view(&stash), &text, &err), -1);
	assert_int_equal(err.whom, ERR_DAEMON);
	assert_non_null(strstr(err.text, why));
	assert_int_equal(home_prove_key(&home, &err), -1);
	assert_non_null(strstr(err.text, why));
	buf_release(&message);
	buf_release(&stash);
	passphrase_release(&passphrase);
}

static void locked_key_is_an_error_and_not_the_messages_fault(void **state)
{
	(void)state;
	struct err err;
	assert_locked(
	    find_wrong, NULL, "the gateway's key is locked: the passphrase does not open it");
	assert_locked(find_wrong, "/a/file",
	    "the gateway's key is locked: the passphrase in /a/file does not open it");
	assert_locked(find_none, "/a/file", "the gateway's key is locked: it lies in the safe");
	assert_works(home_prove_key(&world.home, &err));
}

/* The inner encryption is to a password, the very one of the gateway's key. */
static void message_with_a_password_inside_is_not_given_ours(void **state)
{
	(void)state;
	assert_unreadable(
	    open_output(OPEN_ENCRYPTED,
		WORLD_GPG("ann") "--pinentry-mode loopback --passphrase '" WORLD_PASSPHRASE
				 "' --symmetric <$D/text | " WORLD_GPG(
				     "ann") "-e --no-literal --compress-algo none " TO_GATEWAY
					    "2>/dev/null"),
	    "");
	assert_true(world.passphrase.asked);
	assert_true(world.passphrase.others);
}

/* GPGME asks gpg for its version when it is told of a home, and takes one that does not say it for 1.0.0,
 * which is not told where a passphrase is to be had: here no pipe can be made, elsewhere it is killed. */
static void gpg_that_did_not_say_its_version_is_asked_again(void **state)
{
	(void)state;
	char path[HOME_PATH_SIZE];
	struct err err;
	struct rlimit limit;
	struct opened opened;
	gpgme_ctx_t ctx;
	struct buf message = world_read(WORLD_GPG("ann") "-se " TO_GATEWAY "<$D/text 2>/dev/null");
	home_shard_path(&world.home, 1, 1, path);
	assert_works(home_prove_key(&world.home, &err)); /* so that the shard is another home */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	const rlim_t before = limit.rlim_cur;
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	const int got = engine_open(path, &ctx, &err);
	limit.rlim_cur = before;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (got == 0) { /* a newer GPGME knows it from before */
		assert_string_not_equal(engine_version(), "1.0.0");
		gpgme_release(ctx);
	} else {
		assert_int_equal(err.whom, ERR_DAEMON);
	}
	assert_works(pgp_open(&world.home, 1, 1, OPEN_ENCRYPTED, buf_view(&message), VIEW(""), LIMIT,
	    &opened, &err));
	assert_string_equal(opened.reason, "");
	assert_one(opened, SIGNATURE_GOOD);
	assert_string_not_equal(engine_version(), "1.0.0");
	buf_release(&message);
}

/* A key without a passphrase has no pinentry to ask, and needs none. */
static void password_inside_is_the_messages_fault_where_our_key_has_none(void **state)
{
	(void)state;
	struct home home;
	struct opened opened;
	struct err err;
	char path[64];
	snprintf(path, sizeof path, "%s/bare", world.dir);
	assert_works(home_open(path, &home, &err));
	assert_works(home_make_key(&home, "Bare", "bare@example.org", &err));
	world_do(WORLD_GPG("bare") "--export bare@example.org | " WORLD_GPG("ann") "--import 2>/dev/null");
	struct buf message = world_read(WORLD_GPG("ann") "--pinentry-mode loopback --passphrase x "
							 "--symmetric <$D/text | " WORLD_GPG("ann")
					    "-e --no-literal --compress-algo none -r bare@example.org "
					    "2>/dev/null");
	assert_works(pgp_open(
	    &home, -1, 0, OPEN_ENCRYPTED, buf_view(&message), VIEW(""), LIMIT, &opened, &err));
	assert_unreadable(opened, "");
	buf_release(&message);
	home_stop_agent(&home);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encrypted_and_signed_is_good_by_its_primary_fingerprint),
	    cmocka_unit_test(signing_subkey_is_known_by_its_primary),
	    cmocka_unit_test(encrypted_without_signature_says_so),
	    cmocka_unit_test(signer_outside_the_home_is_unknown),
	    cmocka_unit_test(known_signer_is_unknown_in_the_main_home),
	    cmocka_unit_test(signature_made_in_time_by_a_key_that_expired_since_is_good),
	    cmocka_unit_test(signature_made_after_expiry_is_by_an_expired_key),
	    cmocka_unit_test(signature_by_a_revoked_key_is_never_good),
	    cmocka_unit_test(key_that_expired_and_was_revoked_is_revoked),
	    cmocka_unit_test(signature_that_has_itself_expired_is_not_good),
	    cmocka_unit_test(sha1_signature_is_weak),
	    cmocka_unit_test(two_signatures_are_both_listed),
	    cmocka_unit_test(tampered_ciphertext_is_unreadable_at_every_place),
	    cmocka_unit_test(bytes_around_the_message_are_refused),
	    cmocka_unit_test(two_literals_in_one_encryption_are_refused),
	    cmocka_unit_test(encryption_of_no_text_is_refused),
	    cmocka_unit_test(two_encryptions_in_one_are_refused),
	    cmocka_unit_test(bomb_stops_at_the_limit),
	    cmocka_unit_test(message_for_somebody_else_is_not_for_us),
	    cmocka_unit_test(password_and_missing_integrity_protection_are_unreadable),
	    cmocka_unit_test(signed_only_is_not_encrypted),
	    cmocka_unit_test(detached_signature_covers_exactly_its_text),
	    cmocka_unit_test(whole_signed_message_is_no_detached_signature),
	    cmocka_unit_test(text_signature_over_a_long_line_is_refused),
	    cmocka_unit_test(cleartext_gives_the_signed_text_only),
	    cmocka_unit_test(tampered_cleartext_is_bad),
	    cmocka_unit_test(text_around_a_cleartext_signature_is_refused),
	    cmocka_unit_test(unwrapped_message_verifies_with_plain_gpg),
	    cmocka_unit_test(stash_comes_back_whole_or_not_at_all),
	    cmocka_unit_test(agent_that_died_does_not_make_mail_unreadable),
	    cmocka_unit_test(lost_secret_key_is_an_error_and_not_the_messages_fault),
	    cmocka_unit_test(locked_key_is_an_error_and_not_the_messages_fault),
	    cmocka_unit_test(message_with_a_password_inside_is_not_given_ours),
	    cmocka_unit_test(gpg_that_did_not_say_its_version_is_asked_again),
	    cmocka_unit_test(password_inside_is_the_messages_fault_where_our_key_has_none),
	    cmocka_unit_test(garbage_is_unreadable),
	};
	return cmocka_run_group_tests_name("pgp_open", tests, setup, teardown);
}
