#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"
#include "pgp_world.h"

#include "pgp/admission.h"
#include "pgp/packet.h"
#include "pgp/scratch.h"
#include "pgp/sigpacket.h"

#define KEYRING "/usr/share/keyrings/debian-keyring.gpg"
enum { NOW = 1700000000, DAY = 86400, SAMPLE = 12 };

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

/* A certificate that is taken: ed25519 and one cv25519 subkey. */
static struct admission sound(void)
{
	return (struct admission){
	    .key_count = 2,
	    .keys =
		{
		    {.fingerprint = "P",
			.key_id = "1111111111111111",
			.algorithm = ADMISSION_CURVE,
			.bits = 255,
			.name = "ed25519",
			.may_sign = true,
			.created = NOW - 10 * DAY},
		    {.fingerprint = "E",
			.key_id = "2222222222222222",
			.algorithm = ADMISSION_CURVE,
			.bits = 255,
			.name = "cv25519",
			.may_encrypt = true,
			.created = NOW - 10 * DAY},
		},
	    .has_user_id = true,
	    .user_id = "Ann <ann@example.net>",
	};
}

static char reason[CERTIFICATE_REASON_SIZE];
static struct certificate_facts facts;

static const char *judge(const struct admission *in)
{
	admission_judge(in, NOW, &facts, reason);
	return reason;
}

static void assert_refused(const struct admission *in, const char *because)
{
	if (strstr(judge(in), because) == NULL || because[0] == '\0')
		fail_msg("the reason is \"%s\"", reason);
}

static void sound_certificate_is_taken_with_its_facts(void **state)
{
	(void)state;
	struct admission in = sound();
	in.keys[1].expires = NOW + DAY;
	assert_string_equal(judge(&in), "");
	assert_string_equal(facts.fingerprint, "P");
	assert_string_equal(facts.algorithm, "ed25519, encrypts with cv25519");
	assert_string_equal(facts.encryption_key_id, "2222222222222222");
	assert_int_equal(facts.encryption_expires, NOW + DAY);
	assert_int_equal(facts.expires, 0);
	assert_int_equal(facts.key_count, 1);
	assert_string_equal(facts.key_ids[0], "1111111111111111");
}

static void each_fault_has_a_reason_of_its_own(void **state)
{
	(void)state;
	struct admission in = sound();
	in.keys[0].revoked = true;
	assert_refused(&in, "revoked by its owner");
	in = sound();
	in.keys[0].expires = NOW - DAY;
	assert_refused(&in, "it expired on 2023-11-13");
	in = sound();
	in.keys[1].expires = NOW - DAY;
	assert_refused(&in, "encryption subkey 2222222222222222 expired on 2023-11-13");
	in = sound();
	in.keys[1].revoked = true;
	assert_refused(&in, "encryption subkey 2222222222222222 was revoked");
	in = sound();
	in.keys[1].created = NOW + DAY;
	assert_refused(&in, "valid from 2023-11-15");
	in = sound();
	in.keys[1].may_encrypt = false;
	assert_refused(&in, "no encryption subkey");
	in = sound();
	in.has_user_id = false;
	assert_refused(&in, "no valid user ID");
	in = sound();
	in.states_ciphers = true;
	assert_refused(&in, "AES");
	in.takes_aes = true;
	assert_string_equal(judge(&in), "");
	in = sound();
	in.key_count = 0;
	assert_refused(&in, "no key");
	in.key_count = ADMISSION_KEYS_MAX + 1;
	assert_refused(&in, "too many subkeys");
}

static void weak_keys_are_refused_with_their_size(void **state)
{
	(void)state;
	struct admission in = sound();
	in.keys[0].algorithm = ADMISSION_MODULAR;
	in.keys[0].bits = 1024;
	strcpy(in.keys[0].name, "dsa1024");
	assert_refused(&in, "primary key 1111111111111111 is too weak: dsa1024, where 2048 bits");
	in = sound();
	in.keys[1].algorithm = ADMISSION_MODULAR;
	in.keys[1].bits = 2047;
	assert_refused(&in, "encryption subkey 2222222222222222 is too weak");
	in.keys[1].bits = 2048;
	assert_string_equal(judge(&in), "");
	in.keys[1].algorithm = ADMISSION_UNKNOWN;
	assert_refused(&in, "algorithm or curve that GnuPG does not know");
	in = sound();
	in.key_count = 3;
	in.keys[2] = in.keys[0];
	in.keys[2].algorithm = ADMISSION_MODULAR;
	in.keys[2].bits = 1024;
	assert_refused(&in, "signing subkey");
	in.keys[2].revoked = true;
	assert_string_equal(judge(&in), "");
	assert_int_equal(facts.key_count, 2);
}

static void newest_live_subkey_is_the_one_sealed_for(void **state)
{
	(void)state;
	struct admission in = sound();
	in.key_count = 4;
	in.keys[2] = in.keys[3] = in.keys[1];
	strcpy(in.keys[2].key_id, "3333333333333333");
	strcpy(in.keys[3].key_id, "4444444444444444");
	in.keys[2].created = NOW - 5 * DAY;
	in.keys[3].created = NOW - 2 * DAY;
	in.keys[3].expires = NOW - DAY;
	judge(&in);
	assert_string_equal(facts.encryption_key_id, "3333333333333333");
	in.keys[3].expires = NOW;
	judge(&in);
	assert_string_equal(facts.encryption_key_id, "4444444444444444");
	in.keys[3].expires = 0;
	in.keys[3].revoked = true;
	in.keys[2].created = in.keys[1].created;
	judge(&in);
	assert_string_equal(facts.encryption_key_id, "2222222222222222");
}

static struct world_verdict judge_person(const char *name)
{
	struct buf certificate = world_certificate(name);
	struct world_verdict verdict = world_judge(&world, buf_view(&certificate));
	buf_release(&certificate);
	return verdict;
}

static void real_certificates_are_taken_and_minimal(void **state)
{
	(void)state;
	world_person("ann", WORLD_ED25519, "");
	world_person("bob", WORLD_RSA, "");
	/* A signature of bob's on ann's certificate must not travel with it. */
	world_do("gpg --homedir $D/ann --batch --export ann@example.net | " WORLD_GPG(
	    "bob") "--import 2>/dev/null; f=$(" WORLD_GPG("ann") "--with-colons --list-keys "
								 "ann@example.net |"
								 " awk -F: '/^fpr/ { print $10; "
								 "exit }'); " WORLD_GPG(
								     "bob") "--quick-sign-key $f "
									    "2>/dev/null; gpg "
									    "--homedir $D/bob "
									    "--export "
									    "ann@example.net "
									    ">$D/signed");
	struct buf with = world_read("cat $D/signed");
	struct buf without = world_certificate("ann");
	struct world_verdict verdict = world_judge(&world, buf_view(&with));
	assert_string_equal(verdict.reason, "");
	assert_string_equal(verdict.facts.user_id, "ann <ann@example.net>");
	assert_true(with.len > without.len);
	assert_int_equal(verdict.minimal.len, without.len);
	buf_release(&verdict.minimal);
	buf_release(&with);
	buf_release(&without);
	verdict = judge_person("bob");
	assert_string_equal(verdict.reason, "");
	assert_string_equal(verdict.facts.algorithm, "rsa2048, encrypts with rsa2048");
	buf_release(&verdict.minimal);
}

static void refused_ones_say_why(void **state)
{
	(void)state;
	world_person(
	    "old", WORLD_ED25519 "Expire-Date: 2d\\n", "--faked-system-time 20200101T000000");
	world_person("sig", "Key-Type: EDDSA\\nKey-Curve: ed25519\\nKey-Usage: sign\\n", "");
	world_person("weak",
	    "Key-Type: RSA\\nKey-Length: 2048\\nKey-Usage: sign\\nSubkey-Type: "
	    "RSA\\nSubkey-Length: "
	    "1024\\nSubkey-Usage: encrypt\\n",
	    "");
	world_person("aes", WORLD_ED25519 "Preferences: 3des\\n", "");
	static const struct {
		const char *name, *because;
	} cases[] = {
	    {"old", "it expired on 2020-01-03"},
	    {"sig", "no encryption subkey"},
	    {"weak", "too weak: rsa1024"},
	    {"aes", "AES"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world_verdict verdict = judge_person(cases[i].name);
		if (strstr(verdict.reason, cases[i].because) == NULL)
			fail_msg("%s: the reason is \"%s\"", cases[i].name, verdict.reason);
		assert_int_equal(verdict.minimal.len, 0);
		assert_int_equal(strlen(verdict.facts.fingerprint), 40);
		buf_release(&verdict.minimal);
	}
}

/* Its owner is to be reached; that mail signed with SHA-1 counts for nothing is another rule. */
static void one_bound_by_sha1_self_signatures_is_taken(void **state)
{
	(void)state;
	world_person("sha", WORLD_RSA, "--cert-digest-algo SHA1");
	struct world_verdict verdict = judge_person("sha");
	assert_string_equal(verdict.reason, "");
	buf_release(&verdict.minimal);
}

static void revoked_one_is_refused(void **state)
{
	(void)state;
	world_person("rev", WORLD_ED25519, "");
	world_do("sed 's/^:---/---/' $D/rev/openpgp-revocs.d/*.rev | " WORLD_GPG(
	    "rev") "--import 2>/dev/null");
	struct world_verdict verdict = judge_person("rev");
	assert_non_null(strstr(verdict.reason, "revoked by its owner"));
	buf_release(&verdict.minimal);
}

static void secret_key_in_the_file_is_an_error_that_says_so(void **state)
{
	(void)state;
	static const char *const commands[] = {
	    "gpg --homedir $D/ann --batch --export-secret-keys ann@example.net",
	    "gpg --homedir $D/ann --batch --armor --export-secret-keys ann@example.net",
	};
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		struct buf file = world_read(commands[i]);
		struct world_verdict verdict = {.count = 0};
		struct err err;
		assert_int_equal(certificate_read(buf_view(&file), NOW, world.dir, NULL,
				     world_take_verdict, &verdict, NULL, &err),
		    -1);
		assert_int_equal(err.whom, ERR_MESSAGE);
		assert_non_null(strstr(err.text, "secret key"));
		assert_int_equal(verdict.count, 0);
		buf_release(&file);
	}
}

static void other_files_are_errors(void **state)
{
	(void)state;
	static const char *const commands[] = {
	    "true",
	    "echo hello",
	    "cat $D/bob/pubring.kbx",
	    "gpg --homedir $D/bob --batch --export bob@example.net | head -c 500",
	    "gpg --homedir $D/bob --batch --armor --export bob@example.net | head -5",
	    WORLD_GPG("ann") "-s </dev/null",
	    WORLD_GPG("ann") "-sa </dev/null",
	};
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		struct buf file = world_read(commands[i]);
		struct world_verdict verdict = {.count = 0};
		struct err err;
		if (certificate_read(buf_view(&file), NOW, world.dir, NULL, world_take_verdict,
			&verdict, NULL, &err) == 0)
			fail_msg("taken: %s", commands[i]);
		assert_int_equal(err.whom, ERR_MESSAGE);
		buf_release(&file);
	}
}

/* What a killed process left goes, however new it is; what somebody is at work in, stays. */
static void scratch_that_was_left_is_removed_by_the_next_one(void **state)
{
	(void)state;
	const char *const names[] = {"certificates.left00", "building-left00", "removing-left00",
	    "certificates.busy00", "building-busy00", "certificate.other0"};
	enum { LEFT = 3, COUNT = 6 };
	char paths[COUNT][PATH_MAX];
	struct scratch scratch;
	struct err err;
	int locks[2];
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(paths[i], sizeof paths[i], "%s/%s", world.dir, names[i]);
		assert_int_equal(mkdir(paths[i], 0700), 0);
	}
	assert_int_equal(lock_open(paths[LEFT], &locks[0], &err), 0);
	assert_int_equal(lock_open(paths[LEFT + 1], &locks[1], &err), 0);
	assert_works(scratch_make(&scratch, world.dir, SCRATCH_CERTIFICATES, &err));
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(access(paths[i], F_OK), i < LEFT ? -1 : 0);
	assert_true(lock_is_held(scratch.path));
	assert_works(scratch_remove(&scratch, &err));
	close(locks[0]);
	close(locks[1]);
	assert_works(scratch_make(&scratch, world.dir, SCRATCH_KEYRING, &err));
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(access(paths[i], F_OK), i < COUNT - 1 ? -1 : 0);
	assert_works(scratch_remove(&scratch, &err));
}

/* Whoever removes what is left over never takes the directory of somebody who makes one at that moment. */
static void scratch_is_ones_own_while_others_clean(void **state)
{
	(void)state;
	enum { MAKERS = 3, ROUNDS = 200 };
	pid_t pids[MAKERS];
	for (int i = 0; i < MAKERS; i++) {
		pids[i] = fork();
		for (int round = 0; pids[i] == 0 && round < ROUNDS; round++) {
			struct scratch scratch;
			struct err err;
			if (scratch_make(&scratch, world.dir, SCRATCH_CERTIFICATES, &err) != 0 ||
			    access(scratch.path, F_OK) != 0 || scratch_remove(&scratch, &err) != 0)
				_exit(1);
		}
		if (pids[i] == 0)
			_exit(0);
	}
	for (int i = 0; i < MAKERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void armored_file_may_hold_text_and_several_blocks(void **state)
{
	(void)state;
	struct buf file =
	    world_read("echo 'Our keys:'; for p in ann bob; do echo $p; gpg --homedir $D/$p "
		       "--batch --armor --export $p@example.net; done");
	struct world_verdict verdict = world_judge(&world, buf_view(&file));
	assert_int_equal(verdict.count, 2);
	assert_string_equal(verdict.facts.user_id, "bob <bob@example.net>");
	buf_release(&verdict.minimal);
	buf_release(&file);
}

static void same_certificate_twice_is_one(void **state)
{
	(void)state;
	struct buf file =
	    world_read("for p in ann bob ann; do gpg --homedir $D/$p --batch --export "
		       "$p@example.net; done");
	struct world_verdict verdict = world_judge(&world, buf_view(&file));
	assert_int_equal(verdict.count, 2);
	buf_release(&verdict.minimal);
	buf_release(&file);
}

static void broken_neighbour_does_not_hide_a_good_one(void **state)
{
	(void)state;
	/* A version 3 key, and a certificate whose user ID packet was changed. */
	struct buf file = world_read("printf '\\230\\010\\003\\000\\000\\000\\001\\000\\000\\001'; "
				     "gpg --homedir $D/bob --batch "
				     "--export bob@example.net | sed 's/bob@example/bad@example/'; "
				     "gpg --homedir $D/ann --batch "
				     "--export ann@example.net");
	struct world_verdict verdict = world_judge(&world, buf_view(&file));
	assert_int_equal(verdict.count, 3);
	assert_string_equal(verdict.facts.user_id, "ann <ann@example.net>");
	assert_string_equal(verdict.reason, "");
	buf_release(&verdict.minimal);
	file.len = 10;
	verdict = world_judge(&world, buf_view(&file));
	assert_non_null(strstr(verdict.reason, "version 3"));
	buf_release(&verdict.minimal);
	buf_release(&file);
}

static void one_that_stops_gpg_does_not_hide_those_behind_it(void **state)
{
	(void)state;
	/* A primary key that is cut off inside its packet: gpg gives up on the whole file. */
	struct buf file =
	    world_read("printf '\\231\\000\\012\\004\\000\\000\\000\\001\\001\\000\\020ab'; "
		       "gpg --homedir $D/ann --batch --export ann@example.net");
	struct world_verdict verdict = world_judge(&world, buf_view(&file));
	assert_int_equal(verdict.count, 2);
	assert_string_equal(verdict.facts.user_id, "ann <ann@example.net>");
	assert_string_equal(verdict.reason, "");
	buf_release(&verdict.minimal);
	buf_release(&file);
}

/* The certificate, with what gpg gives up at, and more than a pipe holds: signatures of the owner's
 * on his user ID whose first number claims 65535 bits. */
static void add_what_stops_gpg(struct buf *out, struct view certificate, size_t more)
{
	const char *begin = certificate.data;
	struct packet packet;
	struct sigpacket read;
	while (packet_next(&certificate, &packet) == 1 && packet.tag != PACKET_SIGNATURE)
		;
	assert_true(sigpacket_read(packet.body, &read));
	const size_t digest = (size_t)(read.unhashed.data + read.unhashed.len - packet.whole.data);
	buf_add(out, begin, (size_t)(certificate.data - begin));
	const size_t end = out->len + more;
	unsigned number = 0;
	do {
		char *copy = buf_reserve(out, packet.whole.len);
		assert_non_null(copy);
		memcpy(copy, packet.whole.data, packet.whole.len);
		copy[digest] = (char)(number >> 8 & 0xff);
		copy[digest + 1] = (char)(number & 0xff);
		copy[digest + 2] = copy[digest + 3] = '\xff';
		buf_grown(out, packet.whole.len);
		number++;
	} while (out->len < end);
	buf_add_view(out, certificate);
}

/* GPGME's own wait never ended here. */
static void one_that_gpg_does_not_read_to_its_end_costs_a_moment(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 60000, 70000, 160000, 500000};
	world_person("vic", WORLD_ED25519, "");
	world_person("wil", WORLD_ED25519, "");
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct buf file = BUF_EMPTY(WORLD_OUTPUT_MAX);
		struct buf bad = world_certificate("vic"), good = world_certificate("wil");
		add_what_stops_gpg(&file, buf_view(&bad), sizes[i]);
		buf_add_view(&file, buf_view(&good));
		struct world_verdict verdict = world_judge(&world, buf_view(&file));
		assert_int_equal(verdict.count, 2);
		assert_string_equal(verdict.facts.user_id, "wil <wil@example.net>");
		assert_string_equal(verdict.reason, "");
		buf_release(&verdict.minimal);
		buf_release(&bad);
		buf_release(&good);
		buf_release(&file);
	}
}

#define KIM_ARMORED "gpg --homedir $D/kim --batch --armor --export kim@example.net"

static struct world_verdict judge_output(const char *command)
{
	struct buf file = world_read(command);
	struct world_verdict verdict = world_judge(&world, buf_view(&file));
	buf_release(&file);
	return verdict;
}

static void armor_is_taken_as_programs_and_mailboxes_leave_it(void **state)
{
	(void)state;
	static const char *const forms[] = {
	    "sed 's/$/\\r/'",
	    "tr '\\n' '\\r'",
	    "sed '2d'",
	    "sed '2s/.*/Version: X 1/'",
	    "sed '2s/.*/\\xc2\\xa0/'",
	    "sed '2s/.*/\\xa0/'",
	    "sed '2s/.*/Comment: more\\n   of it\\n/'",
	    "sed '1s/^/\\xef\\xbb\\xbf/'",
	    "iconv -f ASCII -t UTF-16",
	    "sed 's/$/\\r/' | iconv -f ASCII -t UTF-16LE",
	    "sed 's/$/\\r/' | iconv -f ASCII -t UTF-16BE",
	    "sed '1s/^/\\xef\\xbb\\xbf/' | iconv -f UTF-8 -t UTF-16BE",
	    "sed 's/^/    /'",
	    "sed 's/^/> > /'",
	    "sed G",
	    "sed '/^=/d'",
	    "sed 's/^=..../=AAAA/'",
	    "sed 's/=/=3D/g'",
	    "sed 's/$/<br>/; 1s/^/<html><p>/'",
	    "sed 's/^-/- -/' | sed '1s/^/-----BEGIN PGP SIGNED MESSAGE-----\\nHash: SHA256\\n\\n/'",
	};
	world_person("kim", WORLD_ED25519, "");
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		char command[256];
		snprintf(command, sizeof command, KIM_ARMORED " | %s", forms[i]);
		struct world_verdict verdict = judge_output(command);
		if (verdict.count != 1 || verdict.minimal.len == 0)
			fail_msg("%s: %s", forms[i], verdict.reason);
		buf_release(&verdict.minimal);
	}
}

static void armor_that_is_not_taken_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *form, *because;
	} forms[] = {
	    {"sed 's/-----/\xe2\x80\x94/g'", "five dashes"},
	    {"sed '1,2d' | sed '/^[-=]/d'", "base64 without the line"},
	    {"sed '$d'", "cut off"},
	    {"sed '5s/./!/'", "damaged"},
	    {"sed '$s/PUBLIC/PRIVATE/'", "another kind"},
	    {"grep -v .", "there is no OpenPGP certificate"},
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		char command[256];
		struct world_verdict verdict = {.count = 0};
		struct err err;
		snprintf(command, sizeof command, KIM_ARMORED " | %s; true", forms[i].form);
		struct buf file = world_read(command);
		assert_int_equal(certificate_read(buf_view(&file), NOW, world.dir, NULL,
				     world_take_verdict, &verdict, NULL, &err),
		    -1);
		if (strstr(err.text, forms[i].because) == NULL)
			fail_msg("%s: %s", forms[i].form, err.text);
		assert_int_equal(err.whom, ERR_MESSAGE);
		buf_release(&file);
	}
}

struct rows {
	size_t count, taken;
	char reasons[4][CERTIFICATE_REASON_SIZE];
};

static int take_row(void *context, const struct certificate_verdict *verdict, struct err *err)
{
	struct rows *rows = context;
	(void)err;
	rows->taken += verdict->reason[0] == '\0';
	snprintf(rows->reasons[rows->count % 4], CERTIFICATE_REASON_SIZE, "%s", verdict->reason);
	rows->count++;
	return 0;
}

/* What the command prints holds three, and the second is not taken, because of what is said here.
 */
static void assert_second_is_named(const char *command, const char *because)
{
	struct buf file = world_read(command);
	struct rows rows = {.count = 0};
	struct err err;
	assert_works(certificate_read(
	    buf_view(&file), clock_now(), world.dir, NULL, take_row, &rows, NULL, &err));
	assert_int_equal(rows.count, 3);
	assert_int_equal(rows.taken, 2);
	if (strstr(rows.reasons[1], because) != rows.reasons[1])
		fail_msg("%s: %s", command, rows.reasons[1]);
	buf_release(&file);
}

static void damaged_one_among_good_ones_is_named_by_its_place(void **state)
{
	(void)state;
#define EXPORT(name) "gpg --homedir $D/" name " --batch --export " name "@example.net"
#define ARMORED(name) "gpg --homedir $D/" name " --batch --armor --export " name "@example.net"
	static const char *const people[] = {"uma", "vera", "will"};
	for (size_t i = 0; i < 3; i++)
		world_person(people[i], WORLD_ED25519, "");
	assert_second_is_named(
	    ARMORED("uma") "; " ARMORED("vera") " | sed '4s/./!/'; " ARMORED("will"),
	    "number 2 of 3 in the file (line 1");
	assert_second_is_named(ARMORED("uma") "; " ARMORED("vera") " | sed '$d'; " ARMORED("will"),
	    "number 2 of 3 in the file (line 1");
	assert_second_is_named(EXPORT("uma") "; " EXPORT("vera") " | head -c 150; " EXPORT("will"),
	    "number 2 of 3 in the file (byte ");
	assert_second_is_named("(" EXPORT("uma") "; " EXPORT("vera") " | head -c 150; " EXPORT(
				   "will") ") | gpg --enarmor 2>/dev/null | sed 's/PGP ARMORED "
					   "FILE/PGP PUBLIC KEY BLOCK/'",
	    "number 2 of 3 in the file (byte ");
	assert_second_is_named(
	    EXPORT("uma") "; gpg --homedir $D/vera --batch "
			  "--export-secret-keys vera@example.net; " EXPORT("will"),
	    "number 2 of 3 in the file (byte ");
}

/* A byte of the first packet with that tag behind a subkey, or anywhere; in place. */
static char *byte_of(struct view certificate, uint8_t tag, bool behind_subkey, size_t at)
{
	struct packet packet;
	bool found = !behind_subkey;
	while (packet_next(&certificate, &packet) == 1) {
		if (found && packet.tag == tag)
			return (char *)(uintptr_t)packet.body.data +
			       (at < packet.body.len ? at : packet.body.len - 1);
		found = found || packet.tag == PACKET_PUBLIC_SUBKEY;
	}
	return NULL;
}

/* What no program here can make is made of what one did: nothing of it need be well signed. */
static void algorithms_that_gpg_does_not_know_are_named(void **state)
{
	(void)state;
	enum { AT_VERSION = 0, AT_ALGORITHM = 5 };
	static const struct {
		uint8_t tag;
		size_t at;
		char value;
		const char *because;
	} cases[] = {
	    {PACKET_PUBLIC_KEY, AT_ALGORITHM, 27, "primary key is of the algorithm Ed25519 (27)"},
	    {PACKET_PUBLIC_KEY, AT_ALGORITHM, 28, "primary key is of the algorithm Ed448 (28)"},
	    {PACKET_PUBLIC_KEY, AT_ALGORITHM, 30, "ML-DSA-65+Ed25519 (30)"},
	    {PACKET_PUBLIC_SUBKEY, AT_ALGORITHM, 25, "is of the algorithm X25519 (25) of RFC 9580"},
	    {PACKET_PUBLIC_SUBKEY, AT_ALGORITHM, 26, "is of the algorithm X448 (26) of RFC 9580"},
	    {PACKET_PUBLIC_SUBKEY, AT_ALGORITHM, 35, "ML-KEM-768+X25519 (35)"},
	    {PACKET_PUBLIC_SUBKEY, AT_ALGORITHM, 8, "Kyber (8) of LibrePGP"},
	    {PACKET_PUBLIC_KEY, AT_VERSION, 6, "version 6 key (RFC 9580)"},
	    {PACKET_PUBLIC_KEY, AT_VERSION, 5, "version 5 key (LibrePGP)"},
	    {PACKET_PUBLIC_KEY, AT_VERSION, 3, "version 3 key, which is broken"},
	};
	world_person("new", WORLD_ED25519, "");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf file = world_certificate("new");
		*byte_of(buf_view(&file), cases[i].tag, false, cases[i].at) = cases[i].value;
		struct world_verdict verdict = world_judge(&world, buf_view(&file));
		if (strstr(verdict.reason, cases[i].because) == NULL ||
		    strstr(verdict.reason, "ask for") == NULL)
			fail_msg("%s: %s", cases[i].because, verdict.reason);
		assert_int_equal(verdict.minimal.len, 0);
		buf_release(&verdict.minimal);
		buf_release(&file);
	}
}

static void encryption_subkey_that_gpg_drops_is_named(void **state)
{
	(void)state;
	world_person("sue", WORLD_ED25519, "");
	world_person("tim",
	    "Key-Type: RSA\\nKey-Length: 2048\\nKey-Usage: sign\\nSubkey-Type: RSA\\n"
	    "Subkey-Length: 2048\\nSubkey-Usage: sign\\n",
	    "");
	struct buf file = world_certificate("sue");
	char *last = byte_of(buf_view(&file), PACKET_SIGNATURE, true, SIZE_MAX);
	*last ^= 1;
	struct world_verdict verdict = world_judge(&world, buf_view(&file));
	assert_non_null(strstr(verdict.reason, "it has an encryption subkey "));
	assert_non_null(strstr(verdict.reason, "binds it to the certificate is bad"));
	buf_release(&verdict.minimal);
	file.len = (size_t)(byte_of(buf_view(&file), PACKET_SIGNATURE, true, 0) - file.data) - 2;
	verdict = world_judge(&world, buf_view(&file));
	assert_non_null(strstr(verdict.reason, "no signature of its owner binds it"));
	buf_release(&verdict.minimal);
	buf_release(&file);
	verdict = judge_person("tim");
	assert_non_null(strstr(verdict.reason, "it has no encryption subkey: by its key flags"));
	assert_non_null(strstr(verdict.reason, "may only sign"));
	buf_release(&verdict.minimal);
}

/* A signature by such a key would keep gpg busy for seconds. */
static void key_that_would_take_very_long_to_check_is_not_given_to_gpg(void **state)
{
	(void)state;
	enum { NUMBER = 2048 };
	struct buf file = BUF_EMPTY(BUF_SMALL);
	const char numbers[2 + NUMBER] = "\x40\x00\xff";
	buf_add(&file, "\x99\x10\x0a\x04\0\0\0\x01\x01", 9);
	buf_add(&file, numbers, sizeof numbers);
	buf_add(&file, numbers, sizeof numbers);
	buf_add(&file, "\xb4\x03tom", 5);
	struct world_verdict verdict = world_judge(&world, buf_view(&file));
	assert_non_null(strstr(verdict.reason, "take very long to check"));
	buf_release(&verdict.minimal);
	buf_release(&file);
}

struct sample {
	unsigned seen;
	struct buf commands;
};

static int take_sample(void *context, const struct certificate_verdict *verdict, struct err *err)
{
	struct sample *sample = context;
	(void)err;
	if (verdict->reason[0] != '\0' || sample->seen >= SAMPLE)
		return 0;
	char name[32];
	snprintf(name, sizeof name, "sample-%u", sample->seen++);
	world_write(&world, name, verdict->minimal);
	/* What gpg itself encrypts for when it is told the primary fingerprint. */
	buf_printf(&sample->commands,
	    "gpg --homedir $D/real --batch --quiet --import $D/%s 2>/dev/null; "
	    "echo x | gpg --homedir $D/real --batch --trust-model always -e -r %s 2>/dev/null | "
	    "gpg --homedir $D/real --batch --list-only --list-packets 2>/dev/null | "
	    "grep -q 'keyid %s' || exit 1\n",
	    name, verdict->facts.fingerprint, verdict->facts.encryption_key_id);
	return 0;
}

static void recorded_subkey_is_the_one_gpg_picks(void **state)
{
	(void)state;
	struct buf file = BUF_EMPTY(WORLD_OUTPUT_MAX);
	struct sample sample = {.commands = BUF_EMPTY(BUF_SMALL)};
	struct err err;
	char path[PATH_MAX]; /* the name is a link on Debian 13, and file_read follows none */
	if (realpath(KEYRING, path) == NULL)
		skip();
	assert_int_equal(file_read(path, &file, &err), 0);
	/* The beginning of the keyring, cut before a primary key. */
	struct view part = view_part(buf_view(&file), 0, 3000000);
	while (part.len > 0 && (unsigned char)file.data[part.len] != 0x99)
		part.len--;
	while (certificate_read(
		   part, clock_now(), world.dir, NULL, take_sample, &sample, NULL, &err) != 0) {
		do
			part.len--;
		while (part.len > 0 && (unsigned char)file.data[part.len] != 0x99);
		assert_true(part.len > 0);
	}
	assert_int_equal(sample.seen, SAMPLE);
	world_do("mkdir -m 700 $D/real");
	world_write(&world, "compare", buf_view(&sample.commands));
	world_do("sh $D/compare");
	buf_release(&sample.commands);
	buf_release(&file);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sound_certificate_is_taken_with_its_facts),
	    cmocka_unit_test(each_fault_has_a_reason_of_its_own),
	    cmocka_unit_test(weak_keys_are_refused_with_their_size),
	    cmocka_unit_test(newest_live_subkey_is_the_one_sealed_for),
	    cmocka_unit_test(real_certificates_are_taken_and_minimal),
	    cmocka_unit_test(refused_ones_say_why),
	    cmocka_unit_test(one_bound_by_sha1_self_signatures_is_taken),
	    cmocka_unit_test(revoked_one_is_refused),
	    cmocka_unit_test(secret_key_in_the_file_is_an_error_that_says_so),
	    cmocka_unit_test(other_files_are_errors),
	    cmocka_unit_test(scratch_that_was_left_is_removed_by_the_next_one),
	    cmocka_unit_test(scratch_is_ones_own_while_others_clean),
	    cmocka_unit_test(armored_file_may_hold_text_and_several_blocks),
	    cmocka_unit_test(same_certificate_twice_is_one),
	    cmocka_unit_test(broken_neighbour_does_not_hide_a_good_one),
	    cmocka_unit_test(one_that_stops_gpg_does_not_hide_those_behind_it),
	    cmocka_unit_test(one_that_gpg_does_not_read_to_its_end_costs_a_moment),
	    cmocka_unit_test(armor_is_taken_as_programs_and_mailboxes_leave_it),
	    cmocka_unit_test(armor_that_is_not_taken_is_named),
	    cmocka_unit_test(damaged_one_among_good_ones_is_named_by_its_place),
	    cmocka_unit_test(algorithms_that_gpg_does_not_know_are_named),
	    cmocka_unit_test(encryption_subkey_that_gpg_drops_is_named),
	    cmocka_unit_test(key_that_would_take_very_long_to_check_is_not_given_to_gpg),
	    cmocka_unit_test(recorded_subkey_is_the_one_gpg_picks),
	};
	return cmocka_run_group_tests_name("pgp_certificate", tests, setup, teardown);
}
