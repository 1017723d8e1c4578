#include "config.h"

#include "pgp_fixtures.h"
#include "pgp_world.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "pgp/engine.h"
#include "pgp/identity.h"
#include "pgp/keyring.h"
#include "pgp/open.h"
#include "pgp/packet.h"
#include "pgp/preferences.h"

static struct world world;

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	world_person("ann", WORLD_ED25519, "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static void too_long_a_path_is_refused_with_how_long_it_may_be(void **state)
{
	(void)state;
	struct home home;
	struct err err;
	char path[200] = "/tmp/";
	memset(path + 5, 'x', 100);
	assert_int_equal(home_open(path, &home, &err), -1);
	assert_non_null(strstr(err.text, "105 characters"));
	assert_non_null(strstr(err.text, "87 at most"));
	assert_int_equal(home_open("relative", &home, &err), -1);
}

/* On a full disk gpg lists no key, and nobody must take that for a lost one. */
static void key_that_gpg_does_not_find_is_not_called_lost(void **state)
{
	(void)state;
	char directory[] = "/tmp/dl.XXXXXX";
	char path[64];
	struct home home = {.gateway = ""};
	struct err err;
	assert_non_null(mkdtemp(directory));
	snprintf(home.path, sizeof home.path, "%s", directory);
	snprintf(path, sizeof path, "%s/private-keys-v1.d", directory);
	assert_int_equal(home_prove_key(&home, &err), -1);
	assert_non_null(strstr(err.text, "secret key is not in"));
	assert_int_equal(err.when, ERR_NEVER);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(home_prove_key(&home, &err), -1);
	assert_non_null(strstr(err.text, "secret key is not in"));
	snprintf(path, sizeof path, "%s/private-keys-v1.d/ABCD.key", directory);
	assert_int_equal(file_write(path, VIEW("a key"), 0600, &err), 0);
	assert_int_equal(home_prove_key(&home, &err), -1);
	assert_non_null(strstr(err.text, "the disk is full"));
	assert_int_equal(err.when, ERR_LATER);
	assert_int_equal(file_remove_tree(directory, &err), 0);
}

static void gateway_has_one_key_and_finds_it_again(void **state)
{
	(void)state;
	struct home again;
	struct err err;
	assert_works(home_open(world.home.path, &again, &err));
	assert_string_equal(again.gateway, world.home.gateway);
	assert_int_equal(home_make_key(&again, "Second", "second@example.org", &err), -1);
	struct buf listing = world_read(WORLD_GPG(
	    "g") "--with-colons --list-keys | grep -E '^(pub|sub)' | cut -d: -f4,7,12,17");
	assert_string_equal(buf_text(&listing), "22::scESC:ed25519\n18::e:cv25519\n");
	buf_release(&listing);
}

static int wrong_passphrase(void *context, struct buf *out, struct err *err)
{
	(void)context;
	(void)err;
	buf_add_text(out, "a wrong one");
	return 0;
}

static bool asks_for_aead(struct view certificate)
{
	struct buf binary = BUF_EMPTY(BUF_SMALL);
	struct keyring_entry entry;
	struct err err;
	assert_works(keyring_decode(certificate, &binary, &err));
	struct view rest = buf_view(&binary);
	assert_int_equal(keyring_next(&rest, &entry, &err), 1);
	buf_release(&binary);
	return entry.asks_for_aead;
}

static void wish_for_ocb_is_read_from_a_certificate(void **state)
{
	(void)state;
	assert_true(asks_for_aead(view_of(olga_certificate)));
	assert_false(asks_for_aead(view_of(fay_certificate)));
}

static void key_that_the_gateway_makes_does_not_ask_for_ocb(void **state)
{
	(void)state;
	struct buf certificate = world_read("cat $D/gateway.asc");
	assert_false(asks_for_aead(buf_view(&certificate)));
	buf_release(&certificate);
}

/* A home $D/taken with a key that newer GnuPG lets ask for OCB, and a shard. */
static void take_a_key_over(struct home *home)
{
	char path[64];
	struct err err;
	snprintf(path, sizeof path, "%s/taken", world.dir);
	assert_works(file_remove_tree(path, &err));
	assert_works(home_open(path, home, &err));
	world_do("gpg --homedir $D/taken --no-options --batch --quiet --compliance gnupg "
		 "--pinentry-mode loopback --passphrase-file $D/passphrase "
		 "--quick-gen-key taken@example.org default default never 2>/dev/null");
	assert_works(home_open(path, home, &err));
	home->passphrase = &world.passphrase;
	assert_works(home_build_shard(home, 1, 1, NULL, 0, &err));
}

static void key_that_asks_for_ocb_is_mended_and_shards_forget_it(void **state)
{
	(void)state;
	struct home home;
	struct err err;
	bool asks;
	take_a_key_over(&home);
	assert_works(preferences_look(&home, &asks, &err));
	assert_int_equal(asks, engine_writes_ocb());
	assert_works(preferences_mend(&home, &err));
	home_forget_shards(&home);
	assert_works(preferences_look(&home, &asks, &err));
	assert_false(asks);
	assert_false(home_has_shard(&home, 1, 1));
	struct buf certificate = BUF_EMPTY(BUF_SMALL);
	assert_works(home_export_key(&home, true, &certificate, &err));
	assert_false(asks_for_aead(buf_view(&certificate)));
	buf_release(&certificate);
	struct buf ciphers = world_read(WORLD_GPG("taken") "--export 2>/dev/null | " WORLD_GPG(
	    "taken") "--list-packets 2>/dev/null | grep -o 'pref-sym-algos.*' | tr -d '\n'");
	assert_string_equal(buf_text(&ciphers), "pref-sym-algos: 9 8 7)");
	buf_release(&ciphers);
	assert_works(home_prove_key(&home, &err));
	home_stop_agent(&home);
}

static void wrong_passphrase_mends_no_key(void **state)
{
	(void)state;
	struct home home = world.home;
	struct passphrase wrong = passphrase_from(wrong_passphrase, NULL);
	struct err err;
	home.passphrase = &wrong;
	assert_int_equal(preferences_mend(&home, &err), -1);
	assert_non_null(strstr(err.text, "does not open it"));
	passphrase_release(&wrong);
}

/* The user IDs of a certificate, one a line. */
static void read_user_ids(struct view certificate, struct buf *out)
{
	struct packet packet;
	buf_clear(out);
	while (packet_next(&certificate, &packet) > 0)
		if (packet.tag == PACKET_USER_ID) {
			buf_add_view(out, packet.body);
			buf_add_char(out, '\n');
		}
}

/* For a key with a passphrase, which newer GnuPG would let ask for OCB once more. */
static void user_id_is_added_and_the_first_stays_the_primary_one(void **state)
{
	(void)state;
	struct home home;
	struct buf certificate = BUF_EMPTY(BUF_SMALL);
	struct buf ids = BUF_EMPTY(BUF_SMALL);
	struct err err;
	bool has;
	bool asks;
	take_a_key_over(&home);
	assert_works(identity_has(&home, "Taken@Example.org", &has, &err));
	assert_true(has);
	assert_works(identity_has(&home, "list@example.org", &has, &err));
	assert_false(has);
	assert_works(identity_add(&home, "Early warning", "list@example.org", &err));
	assert_works(identity_has(&home, "list@example.org", &has, &err));
	assert_true(has);
	assert_works(identity_add(&home, "Early warning", "LIST@example.org", &err));
	assert_works(identity_add(&home, "Early warning", "news@example.org", &err));
	assert_works(home_export_key(&home, false, &certificate, &err));
	read_user_ids(buf_view(&certificate), &ids);
	assert_string_equal(buf_text(&ids), "taken@example.org\nEarly warning <list@example.org>\n"
					    "Early warning <news@example.org>\n");
	assert_works(preferences_look(&home, &asks, &err));
	assert_false(asks);
	struct buf primary = world_read(
	    WORLD_GPG("taken") "--with-colons --list-keys | grep ^uid | head -1 | cut -d: -f10");
	assert_string_equal(buf_text(&primary), "taken@example.org\n");
	buf_release(&primary);
	assert_works(home_prove_key(&home, &err));
	home_stop_agent(&home);
	buf_release(&certificate);
	buf_release(&ids);
}

static void wrong_passphrase_or_an_odd_name_adds_no_user_id(void **state)
{
	(void)state;
	struct home home = world.home;
	struct passphrase wrong = passphrase_from(wrong_passphrase, NULL);
	struct err err;
	bool has;
	assert_int_equal(identity_add(&home, "A <b", "list@example.org", &err), -1);
	assert_int_equal(identity_add(&home, "A", "list@b@c", &err), -1);
	home.passphrase = &wrong;
	assert_int_equal(identity_add(&home, "A", "list@example.org", &err), -1);
	assert_non_null(strstr(err.text, "does not open it"));
	assert_works(identity_has(&world.home, "list@example.org", &has, &err));
	assert_false(has);
	passphrase_release(&wrong);
}

/* Packets with their tags in the old format, one byte of length. */
#define UID(text) "\xb4" text
#define SIGNATURE "\x88\x01s"

static void one_user_id_is_kept(const char *address, const char *expected)
{
	static const char certificate[] = "\x98\x01k" UID("\x09 <a@b.cd>") SIGNATURE UID(
	    "\x0bX <E@f.org>") SIGNATURE SIGNATURE "\xd1\x01p" SIGNATURE "\xb8\x01u" SIGNATURE;
	struct buf out = BUF_EMPTY(BUF_SMALL);
	struct err err;
	assert_works(identity_keep_one(VIEW(certificate), address, &out, &err));
	assert_string_equal(buf_text(&out), expected);
	buf_release(&out);
}

static void of_a_certificate_one_user_id_is_kept_with_its_signatures(void **state)
{
	(void)state;
	struct buf out = BUF_EMPTY(BUF_SMALL);
	struct err err;
	one_user_id_is_kept(
	    "a@b.cd", "\x98\x01k" UID("\x09 <a@b.cd>") SIGNATURE "\xb8\x01u" SIGNATURE);
	one_user_id_is_kept("e@f.org",
	    "\x98\x01k" UID("\x0bX <E@f.org>") SIGNATURE SIGNATURE "\xb8\x01u" SIGNATURE);
	one_user_id_is_kept(
	    "@f.org", "\x98\x01k" UID("\x09 <a@b.cd>") SIGNATURE "\xb8\x01u" SIGNATURE);
	assert_int_equal(identity_keep_one(VIEW("\x98\x09k"), "a@b.cd", &out, &err), -1);
	buf_release(&out);
}

static void odd_names_make_no_key(void **state)
{
	(void)state;
	struct home home;
	struct err err;
	char path[64];
	snprintf(path, sizeof path, "%s/other", world.dir);
	assert_works(home_open(path, &home, &err));
	assert_string_equal(home.gateway, "");
	assert_int_equal(home_make_key(&home, "A <b", "a@example.org", &err), -1);
	assert_int_equal(home_make_key(&home, "A\nb", "a@example.org", &err), -1);
	assert_int_equal(home_make_key(&home, "A", "a@b@c", &err), -1);
	assert_int_equal(home_make_key(&home, "", "a@example.org", &err), -1);
}

static void exports_are_armored_or_minimal(void **state)
{
	(void)state;
	struct err err;
	struct buf armored = BUF_EMPTY(BUF_SMALL), binary = BUF_EMPTY(BUF_SMALL);
	assert_works(home_export_key(&world.home, true, &armored, &err));
	assert_true(view_starts_nocase(buf_view(&armored), "-----BEGIN PGP PUBLIC KEY BLOCK-----"));
	assert_works(home_export_key(&world.home, false, &binary, &err));
	struct world_verdict verdict = world_judge(&world, buf_view(&binary));
	assert_string_equal(verdict.reason, "");
	assert_string_equal(verdict.facts.fingerprint, world.home.gateway);
	assert_string_equal(verdict.facts.user_id, "Gateway <gateway@example.org>");
	buf_release(&verdict.minimal);
	buf_release(&armored);
	buf_release(&binary);
}

static unsigned entries(const char *prefix)
{
	unsigned count = 0;
	DIR *dir = opendir(world.home.path);
	assert_non_null(dir);
	const struct dirent *entry;
	while ((entry = readdir(dir)) != NULL)
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(dir);
	return count;
}

static int build(int64_t shard, int64_t generation, struct err *err)
{
	struct buf certificate = world_certificate("ann");
	const struct view view = buf_view(&certificate);
	const int result = home_build_shard(&world.home, shard, generation, &view, 1, err);
	buf_release(&certificate);
	return result;
}

static void new_generation_takes_the_place_of_former_ones(void **state)
{
	(void)state;
	struct err err;
	assert_false(home_has_shard(&world.home, 3, 1));
	assert_works(build(3, 1, &err));
	assert_works(build(4, 1, &err));
	assert_true(home_has_shard(&world.home, 3, 1));
	assert_works(build(3, 2, &err));
	assert_false(home_has_shard(&world.home, 3, 1));
	assert_true(home_has_shard(&world.home, 3, 2));
	assert_true(home_has_shard(&world.home, 4, 1));
	assert_int_equal(entries("building-"), 0);
	assert_int_equal(entries("removing-"), 0);
}

static void shard_holds_no_secret_and_knows_the_agent(void **state)
{
	(void)state;
	struct err err;
	assert_works(build(5, 1, &err));
	struct buf secret = world_read(
	    "ls $D/g/shard-5-1; ls $D/g/shard-5-1/private-keys-v1.d 2>/dev/null || true");
	assert_int_equal(view_find(buf_view(&secret), VIEW(".key")), SIZE_MAX);
	buf_release(&secret);
	assert_int_equal(
	    world_run(
		"gpg --homedir $D/g/shard-5-1 --batch --list-secret-keys 2>/dev/null | grep -q sec",
		NULL),
	    0);
}

static void two_builders_at_once_leave_one_good_shard(void **state)
{
	(void)state;
	enum { BUILDERS = 4, ROUNDS = 3 };
	for (int64_t round = 1; round <= ROUNDS; round++) {
		pid_t pids[BUILDERS];
		for (int i = 0; i < BUILDERS; i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				struct err err;
				_exit(build(6, round, &err) == 0 ? 0 : 1);
			}
		}
		for (int i = 0; i < BUILDERS; i++) {
			int status = 0;
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		assert_true(home_has_shard(&world.home, 6, round));
		assert_int_equal(entries("shard-6-"), 1);
		assert_int_equal(entries("building-"), 0);
	}
	struct seal_recipient recipient;
	struct buf data;
	struct err err;
	uint32_t runs;
	world_recipient(&world, "ann", &recipient);
	assert_works(
	    seal_batch(&world.home, 6, ROUNDS, VIEW("text"), &recipient, 1, &data, &runs, &err));
	assert_string_equal(recipient.reason, "");
	buf_release(&recipient.pkesk);
	buf_release(&data);
}

static void second_builder_leaves_the_first_ones_shard_in_place(void **state)
{
	(void)state;
	struct err err;
	assert_works(build(7, 1, &err));
	struct buf before = world_read("stat -c %i $D/g/shard-7-1");
	assert_works(build(7, 1, &err));
	struct buf after = world_read("stat -c %i $D/g/shard-7-1");
	assert_string_equal(buf_text(&before), buf_text(&after));
	buf_release(&before);
	buf_release(&after);
}

static void shard_of_another_configuration_is_built_anew(void **state)
{
	(void)state;
	struct err err;
	assert_works(build(8, 1, &err));
	world_do("echo 'cipher-algo 3DES' >>$D/g/shard-8-1/gpg.conf");
	assert_false(home_has_shard(&world.home, 8, 1));
	assert_works(build(8, 1, &err));
	assert_true(home_has_shard(&world.home, 8, 1));
}

static void certificate_that_stops_gpg_leaves_the_others_in_the_shard(void **state)
{
	(void)state;
	struct err err;
	struct buf ann = world_certificate("ann");
	/* A primary key that is cut off inside its packet. */
	const struct view views[] = {
	    VIEW("\x99\x00\x0a\x04\x00\x00\x00\x01\x01\x00\x10"
		 "ab"),
	    buf_view(&ann),
	};
	assert_works(home_build_shard(&world.home, 9, 1, views, 2, &err));
	world_do(
	    "gpg --homedir $D/g/shard-9-1 --batch --list-keys ann@example.net >/dev/null 2>&1");
	buf_release(&ann);
}

/* As on a disk that is full: files end at `most` bytes. True when the shard is said to be built. */
static bool built_within(rlim_t most, struct view certificate)
{
	const pid_t child = fork();
	if (child == 0) {
		const struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
		struct err err;
		signal(SIGXFSZ, SIG_IGN);
		if (freopen("/dev/null", "w", stderr) == NULL || setrlimit(RLIMIT_FSIZE, &limit) != 0)
			_exit(2);
		_exit(home_build_shard(&world.home, 10, (int64_t)most, &certificate, 1, &err) != 0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 0;
}

/* I6 */
static void full_disk_leaves_nobody_out_of_a_shard(void **state)
{
	(void)state;
	struct buf ann = world_certificate("ann");
	int built = 0, failed = 0;
	for (rlim_t most = 300; most < 4000; most += 100) {
		if (!built_within(most, buf_view(&ann))) {
			failed++;
			continue;
		}
		built++;
		world_do("gpg --homedir $D/g/shard-10-* --batch --list-keys ann@example.net"
			 " >/dev/null 2>&1");
	}
	assert_true(built > 0 && failed > 0);
	buf_release(&ann);
}

static void settings_of_the_main_home_are_written_anew(void **state)
{
	(void)state;
	struct home home;
	struct err err;
	world_do("echo 'encrypt-to somebody' >>$D/g/gpg.conf");
	assert_works(home_open(world.home.path, &home, &err));
	assert_int_not_equal(world_run("grep -q encrypt-to.somebody $D/g/gpg.conf", NULL), 0);
}

/* gpg-agent would be the file of another: whoever wrote that could have it executed by dewctl. */
static void settings_under_other_names_are_removed(void **state)
{
	static const char *const names[] = {
	    "gpg.conf-2", "gpg.conf-2.2", "gpg-agent.conf-2.2", "common.conf", "scdaemon.conf"};
	struct home home;
	struct err err;
	char command[200];
	(void)state;
	assert_works(build(7, 1, &err));
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(command, sizeof command,
		    "for h in g g/shard-7-1; do echo 'agent-program /bin/false' >$D/$h/%s; done",
		    names[i]);
		world_do(command);
	}
	assert_works(home_open(world.home.path, &home, &err));
	assert_true(home_has_shard(&home, 7, 1));
	assert_int_not_equal(
	    world_run("ls $D/g $D/g/shard-7-1 | grep -qE 'conf-|common|scdaemon'", NULL), 0);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(too_long_a_path_is_refused_with_how_long_it_may_be),
	    cmocka_unit_test(key_that_gpg_does_not_find_is_not_called_lost),
	    cmocka_unit_test(gateway_has_one_key_and_finds_it_again),
	    cmocka_unit_test(wish_for_ocb_is_read_from_a_certificate),
	    cmocka_unit_test(key_that_the_gateway_makes_does_not_ask_for_ocb),
	    cmocka_unit_test(key_that_asks_for_ocb_is_mended_and_shards_forget_it),
	    cmocka_unit_test(wrong_passphrase_mends_no_key),
	    cmocka_unit_test(user_id_is_added_and_the_first_stays_the_primary_one),
	    cmocka_unit_test(wrong_passphrase_or_an_odd_name_adds_no_user_id),
	    cmocka_unit_test(of_a_certificate_one_user_id_is_kept_with_its_signatures),
	    cmocka_unit_test(odd_names_make_no_key),
	    cmocka_unit_test(exports_are_armored_or_minimal),
	    cmocka_unit_test(new_generation_takes_the_place_of_former_ones),
	    cmocka_unit_test(shard_holds_no_secret_and_knows_the_agent),
	    cmocka_unit_test(two_builders_at_once_leave_one_good_shard),
	    cmocka_unit_test(second_builder_leaves_the_first_ones_shard_in_place),
	    cmocka_unit_test(shard_of_another_configuration_is_built_anew),
	    cmocka_unit_test(certificate_that_stops_gpg_leaves_the_others_in_the_shard),
	    cmocka_unit_test(full_disk_leaves_nobody_out_of_a_shard),
	    cmocka_unit_test(settings_of_the_main_home_are_written_anew),
	    cmocka_unit_test(settings_under_other_names_are_removed),
	};
	return cmocka_run_group_tests_name("pgp_home", tests, setup, teardown);
}
