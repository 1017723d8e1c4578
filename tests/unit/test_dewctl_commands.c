#include "config.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dewctl_world.h"
#include "pgp/home.h"
#include "store/audit.h"
#include "store/people.h"

#define US "alice@us.example"

static void assert_says(const struct buf *printed, const char *what)
{
	if (strstr(buf_text(printed), what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, buf_text(printed));
}

static void read_fingerprint(const struct world *world, struct buf *out)
{
	struct store *store = world_store(world);
	struct err err;
	bool found;
	assert_int_equal(store_value_get(store, "gateway", out, &found, &err), 0);
	assert_true(found);
	store_close(store);
}

/* -- init -- */

static void commands_before_init_say_what_to_do(void **state)
{
	struct world *world = *state;
	assert_int_equal(CTL(world, "member", "list"), 1);
	assert_says(&world->err, "run dewctl init");
}

static void init_makes_private_directories_and_a_key(void **state)
{
	struct world *world = *state;
	struct stat about;
	struct buf fingerprint = BUF_EMPTY(BUF_SMALL);
	MUST(world, "init");
	assert_int_equal(stat(world_path(world, "state"), &about), 0);
	assert_int_equal(about.st_mode & 07777, 0700);
	assert_int_equal(stat(world_path(world, "drop/new"), &about), 0);
	read_fingerprint(world, &fingerprint);
	assert_int_equal(fingerprint.len, 40);
	buf_release(&fingerprint);
	world_start_daemon(world);
	MUST(world, "check");
}

static void init_says_what_to_do_next_with_this_configuration(void **state)
{
	struct world *world = *state;
	char line[256];
	MUST(world, "init");
	snprintf(line, sizeof line, "dewctl -c %s key export", world->config);
	assert_says(&world->out, line);
	snprintf(line, sizeof line, "dewlined -c %s", world->config);
	assert_says(&world->out, line);
	assert_says(&world->out, "admin add");
	assert_null(strstr(buf_text(&world->out), "gpg "));
}

static void init_of_a_gateway_that_is_set_up_changes_nothing(void **state)
{
	struct world *world = *state;
	struct buf first = BUF_EMPTY(BUF_SMALL);
	struct buf second = BUF_EMPTY(BUF_SMALL);
	MUST(world, "init");
	read_fingerprint(world, &first);
	assert_int_equal(CTL(world, "init"), 1);
	assert_says(&world->err, "set up already");
	read_fingerprint(world, &second);
	assert_string_equal(buf_text(&first), buf_text(&second));
	buf_release(&first);
	buf_release(&second);
}

static void init_that_was_interrupted_is_completed_with_the_same_key(void **state)
{
	struct world *world = *state;
	struct home home;
	struct err err;
	struct buf fingerprint = BUF_EMPTY(BUF_SMALL);
	assert_int_equal(mkdir(world_path(world, "state"), 0700), 0);
	assert_int_equal(store_create(world_path(world, "state/store.db"), &err), 0);
	assert_int_equal(home_open(world_path(world, "state/gnupg"), &home, &err), 0);
	assert_int_equal(home_make_key(&home, "Test", "gateway@gw.example", &err), 0);
	home_stop_agent(&home);
	assert_int_equal(CTL(world, "member", "list"), 1);
	MUST(world, "init");
	read_fingerprint(world, &fingerprint);
	assert_string_equal(buf_text(&fingerprint), home.gateway);
	buf_release(&fingerprint);
}

/* What a dewctl init that was killed has left: its mark, a passphrase, a primary key and no subkey. */
static void leave_half_a_key(struct world *world, bool marked)
{
	struct err err;
	struct home home;
	assert_int_equal(mkdir(world_path(world, "state"), 0700), 0);
	assert_int_equal(store_create(world_path(world, "state/store.db"), &err), 0);
	assert_int_equal(home_open(world_path(world, "state/gnupg"), &home, &err), 0);
	if (marked)
		world_write(world, "state/gnupg.making", VIEW("mark"));
	assert_int_equal(GPG(home.path, "--quick-gen-key", "Test <gateway@gw.example>", "ed25519",
			     "sign,cert", "never"),
	    0);
	home_stop_agent(&home);
}

static unsigned count_set_aside(const struct world *world)
{
	unsigned count = 0;
	const struct dirent *entry;
	DIR *dir = opendir(world_path(world, "state"));
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += strncmp(entry->d_name, "gnupg.unfinished-", 17) == 0;
	closedir(dir);
	return count;
}

static void assert_whole(struct world *world)
{
	struct home home;
	struct err err;
	assert_int_equal(home_open(world_path(world, "state/gnupg"), &home, &err), 0);
	struct buf fingerprint = BUF_EMPTY(BUF_SMALL);
	read_fingerprint(world, &fingerprint);
	assert_string_equal(buf_text(&fingerprint), home.gateway);
	buf_release(&fingerprint);
	/* The key has a passphrase: nothing opens without. */
	assert_int_equal(home_prove_key(&home, &err), -1);
	home_stop_agent(&home);
	assert_int_not_equal(access(world_path(world, "state/gnupg.making"), F_OK), 0);
	world_start_daemon(world);
	MUST(world, "check");
	world_stop_daemon(world);
}

static void init_sets_a_key_aside_that_was_not_finished(void **state)
{
	struct world *world = *state;
	leave_half_a_key(world, true);
	MUST(world, "init");
	assert_says(&world->err, "it is set aside in");
	assert_int_equal(count_set_aside(world), 1);
	assert_whole(world);
}

/* The agent writes the secret key, and gpg is killed before it writes the public one. */
static void init_makes_no_key_without_a_passphrase_beside_a_lost_one(void **state)
{
	struct world *world = *state;
	leave_half_a_key(world, true);
	assert_int_equal(unlink(world_path(world, "state/gnupg/pubring.kbx")), 0);
	MUST(world, "init");
	assert_int_equal(count_set_aside(world), 1);
	assert_whole(world);
}

/* Before gpg wrote anything. */
static void init_that_had_only_begun_a_key_makes_it(void **state)
{
	struct world *world = *state;
	assert_int_equal(mkdir(world_path(world, "state"), 0700), 0);
	world_write(world, "state/gnupg.making", VIEW("mark"));
	MUST(world, "init");
	assert_int_equal(count_set_aside(world), 0);
	assert_whole(world);
}

/* Somebody put them there. */
static void init_leaves_keys_that_it_did_not_begin_as_they_are(void **state)
{
	struct world *world = *state;
	leave_half_a_key(world, false);
	assert_int_equal(CTL(world, "init"), 1);
	assert_says(&world->err, "the gateway's key cannot be used");
	assert_int_equal(unlink(world_path(world, "state/gnupg/pubring.kbx")), 0);
	assert_int_equal(CTL(world, "init"), 1);
	assert_says(&world->err, "though files of keys are there");
	assert_int_equal(count_set_aside(world), 0);
	assert_int_equal(access(world_path(world, "state/gnupg/private-keys-v1.d"), F_OK), 0);
}

static void init_makes_a_store_that_was_never_finished_anew(void **state)
{
	struct world *world = *state;
	assert_int_equal(mkdir(world_path(world, "state"), 0700), 0);
	world_write(world, "state/store.new", VIEW("half"));
	world_write(world, "state/store.new-journal", VIEW("of it"));
	MUST(world, "init");
	world_start_daemon(world);
	MUST(world, "check");
	assert_int_not_equal(access(world_path(world, "state/store.new-journal"), F_OK), 0);
}

static void init_refuses_a_state_directory_that_is_open_to_others(void **state)
{
	struct world *world = *state;
	assert_int_equal(mkdir(world_path(world, "state"), 0755), 0);
	assert_int_equal(chmod(world_path(world, "state"), 0755), 0);
	assert_int_equal(CTL(world, "init"), 1);
	assert_says(&world->err, "chmod 700");
	assert_int_not_equal(access(world_path(world, "state/store.db"), F_OK), 0);
}

/* -- keys and people -- */

static void certificate_is_confirmed_by_its_whole_fingerprint_only(void **state)
{
	struct world *world = *state;
	char fingerprint[FINGERPRINT_SIZE];
	char grouped[64] = "";
	MUST(world, "init");
	world_make_key(world, US, fingerprint);
	assert_int_equal(CTL(world, "key", "confirm", fingerprint + 24), 1);
	assert_says(&world->err, "whole fingerprint");
	for (size_t i = 0; i < 40; i++)
		snprintf(grouped + strlen(grouped), 3, "%s%c", i % 4 == 0 && i > 0 ? " " : "",
		    fingerprint[i] >= 'A' ? fingerprint[i] - 'A' + 'a' : fingerprint[i]);
	MUST(world, "key", "confirm", grouped);
	assert_int_equal(CTL(world, "key", "confirm", fingerprint), 1);
	assert_says(&world->err, "confirmed already");
}

static void contact_with_a_pending_certificate_is_named_by_check(void **state)
{
	struct world *world = *state;
	char fingerprint[FINGERPRINT_SIZE];
	MUST(world, "init");
	world_start_daemon(world);
	world_make_key(world, US, fingerprint);
	MUST(world, "member", "add", "us", "--name", "United States");
	MUST(world, "contact", "add", "us", US, "--key", fingerprint);
	assert_says(&world->err, "not confirmed yet");
	assert_int_equal(CTL(world, "check"), 1);
	assert_says(&world->out, US);
	assert_says(&world->err, "1 contact would not be reached today");
	MUST(world, "key", "confirm", fingerprint);
	MUST(world, "check");
	assert_int_equal(CTL(world, "key", "retire", fingerprint), 0);
	assert_int_equal(CTL(world, "check"), 1);
}

/* I20. */
static void check_finds_it_bad_that_the_daemon_does_not_run(void **state)
{
	struct world *world = *state;
	MUST(world, "init");
	assert_int_equal(CTL(world, "check"), 1);
	assert_says(&world->out, "dewlined is not running");
	assert_says(&world->err, "1 fault in the gateway itself");
	MUST(world, "queue", "retry");
	assert_says(&world->err, "dewlined is not running");
	world_start_daemon(world);
	MUST(world, "check");
	assert_says(&world->out, "dewlined is running");
	MUST(world, "queue", "retry");
	assert_null(strstr(buf_text(&world->err), "dewlined"));
}

/* A gateway without publishers and contacts is no fault, but nobody is to take it for ready.
 * I20. */
static void check_counts_warnings_and_does_not_call_them_well(void **state)
{
	struct world *world = *state;
	char publisher[FINGERPRINT_SIZE];
	char contact[FINGERPRINT_SIZE];
	MUST(world, "init");
	world_start_daemon(world);
	MUST(world, "check");
	assert_null(strstr(buf_text(&world->out), "All well:        yes"));
	assert_says(
	    &world->out, "\nNothing is bad, but there are 2 warnings: the tables say which.\n");
	MUST(world, "check", "--json");
	assert_says(&world->out, "\"ok\": true");
	assert_says(&world->out, "\"bad\": 0");
	assert_says(&world->out, "\"warnings\": 2");
	assert_null(strstr(buf_text(&world->out), "Nothing is bad"));
	world_make_key(world, "pub@vendor.example", publisher);
	world_make_key(world, US, contact);
	MUST(world, "member", "add", "us", "--name", "United States");
	MUST(world, "publisher", "add", "pub@vendor.example", "--key", publisher);
	MUST(world, "contact", "add", "us", US, "--key", contact);
	MUST(world, "key", "confirm", publisher);
	assert_int_equal(CTL(world, "check", "--json"), 1);
	assert_says(&world->out, "\"bad\": 2"); /* the contact, and with it the member */
	MUST(world, "key", "confirm", contact);
	MUST(world, "check");
	assert_says(&world->out, "All well:        yes");
	assert_says(&world->out, "Warnings:        0");
	assert_null(strstr(buf_text(&world->out), "Nothing is bad"));
}

static void member_without_contacts_is_named_by_check(void **state)
{
	struct world *world = *state;
	MUST(world, "init");
	world_start_daemon(world);
	MUST(world, "member", "add", "us", "--name", "United States");
	assert_int_equal(CTL(world, "check"), 1);
	assert_says(&world->out, "has no contacts");
	MUST(world, "member", "remove", "us");
	MUST(world, "check");
}

static void one_certificate_serves_one_person(void **state)
{
	struct world *world = *state;
	char fingerprint[FINGERPRINT_SIZE];
	MUST(world, "init");
	world_make_key(world, US, fingerprint);
	MUST(world, "member", "add", "us", "--name", "United States");
	MUST(world, "publisher", "add", "pub@vendor.example", "--key", fingerprint);
	assert_int_equal(CTL(world, "contact", "add", "us", US, "--key", fingerprint), 1);
	assert_says(&world->err, "belongs to publisher pub@vendor.example already");
	MUST(world, "publisher", "remove", "pub@vendor.example");
	MUST(world, "contact", "add", "us", US, "--key", fingerprint);
	assert_int_equal(
	    CTL(world, "publisher", "add", "pub@vendor.example", "--key", fingerprint), 1);
	assert_says(&world->err, "belongs to contact " US);
}

static void gateways_own_addresses_are_nobodys(void **state)
{
	struct world *world = *state;
	static const char *const own[] = {"gateway@gw.example", "all@gw.example",
	    "GATEWAY+bounce@GW.example", "all+x@gw.example"};
	char fingerprint[FINGERPRINT_SIZE];
	MUST(world, "init");
	world_make_key(world, US, fingerprint);
	MUST(world, "member", "add", "us", "--name", "United States");
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		const char *at = own[i];
		assert_int_equal(CTL(world, "contact", "add", "us", at, "--key", fingerprint), 1);
		assert_says(&world->err, "is an address of the gateway itself");
		assert_int_equal(CTL(world, "publisher", "add", at, "--key", fingerprint), 1);
		assert_says(&world->err, "is an address of the gateway itself");
		assert_int_equal(CTL(world, "admin", "add", at, "--key", fingerprint), 1);
		assert_says(&world->err, "is an address of the gateway itself");
		assert_int_equal(CTL(world, "member", "invite", "fr", "--name", "France",
				     "--contact", at, "--key", fingerprint),
		    1);
		assert_says(&world->err, "is an address of the gateway itself");
	}
	MUST(world, "contact", "add", "us", "gateways@gw.example", "--key", fingerprint);
}

static void address_in_another_alphabet_is_asked_for_as_the_dns_has_it(void **state)
{
	struct world *world = *state;
	char fingerprint[FINGERPRINT_SIZE];
	MUST(world, "init");
	world_make_key(world, US, fingerprint);
	MUST(world, "member", "add", "us", "--name", "United States");
	assert_int_equal(CTL(world, "contact", "add", "us",
			     "cert@b\xc3\xbc"
			     "cher.example",
			     "--key", fingerprint),
	    1);
	assert_says(&world->err, "xn--");
	assert_int_equal(
	    CTL(world, "contact", "add", "us", "b\xc3\xbcro@us.example", "--key", fingerprint), 1);
	assert_says(&world->err, "before the @ has letters of another alphabet");
	MUST(world, "contact", "add", "us", "cert@xn--bcher-kva.example", "--key", fingerprint);
}

static void clearance_is_amber_unless_given(void **state)
{
	struct world *world = *state;
	char fingerprint[FINGERPRINT_SIZE];
	MUST(world, "init");
	world_make_key(world, US, fingerprint);
	MUST(world, "member", "add", "us", "--name", "United States");
	MUST(world, "contact", "add", "us", US, "--key", fingerprint);
	MUST(world, "contact", "show", US, "--json");
	assert_says(&world->out, "\"clearance\": \"AMBER\"");
	assert_says(&world->out, "\"rank\": 1");
}

static void group_that_cannot_be_made_whole_is_not_made(void **state)
{
	struct world *world = *state;
	MUST(world, "init");
	MUST(world, "member", "add", "us", "--name", "United States");
	assert_int_equal(CTL(world, "group", "add", "g7", "us", "nobody"), 1);
	MUST(world, "group", "list");
	assert_says(&world->out, "no groups yet");
}

static void removed_member_takes_its_contacts_along(void **state)
{
	struct world *world = *state;
	char fingerprint[FINGERPRINT_SIZE];
	MUST(world, "init");
	world_make_key(world, US, fingerprint);
	MUST(world, "member", "add", "us", "--name", "United States");
	MUST(world, "contact", "add", "us", US, "--key", fingerprint);
	MUST(world, "member", "remove", "us");
	assert_int_equal(CTL(world, "contact", "show", US), 1);
	assert_int_equal(CTL(world, "member", "add", "us", "--name", "Again"), 1);
	MUST(world, "member", "add", "us2", "--name", "Again");
	MUST(world, "contact", "add", "us2", US, "--key", fingerprint);
}

/* I14. */
static void every_change_stands_in_the_audit_log(void **state)
{
	struct world *world = *state;
	MUST(world, "init");
	MUST(world, "member", "add", "us", "--name", "United States");
	assert_int_equal(CTL(world, "member", "add", "us", "--name", "Twice"), 1);
	MUST(world, "audit", "show");
	assert_says(&world->out, "gateway.init");
	assert_says(&world->out, "member.add");
	assert_says(&world->out, "admin ");
	assert_null(strstr(buf_text(&world->out), "Twice"));
	MUST(world, "audit", "verify");
}

static void backup_is_a_store_and_never_overwrites(void **state)
{
	struct world *world = *state;
	struct store *copy = NULL;
	struct err err;
	MUST(world, "init");
	MUST(world, "backup", world_path(world, "copy.db"));
	assert_int_equal(store_open(world_path(world, "copy.db"), &copy, &err), 0);
	store_close(copy);
	assert_int_equal(CTL(world, "backup", world_path(world, "copy.db")), 1);
	assert_says(&world->err, "exists");
}

static void key_export_never_overwrites(void **state)
{
	struct world *world = *state;
	struct buf written = BUF_EMPTY(BUF_SMALL * 2);
	MUST(world, "init");
	MUST(world, "key", "export", world_path(world, "gateway.asc"));
	world_read(world, "gateway.asc", &written);
	assert_non_null(strstr(buf_text(&written), "BEGIN PGP PUBLIC KEY BLOCK"));
	world_write(world, "gateway.asc", VIEW("another's"));
	assert_int_equal(CTL(world, "key", "export", world_path(world, "gateway.asc")), 1);
	assert_says(&world->err, "exists: name a new file");
	buf_clear(&written);
	world_read(world, "gateway.asc", &written);
	assert_string_equal(buf_text(&written), "another's");
	buf_release(&written);
}

/* What waits for the confirmation is not the same for all. */
static void pending_certificate_is_said_to_keep_its_owner_from_their_part(void **state)
{
	struct world *world = *state;
	char fingerprint[FINGERPRINT_SIZE];
	MUST(world, "init");
	world_make_key(world, US, fingerprint);
	MUST(world, "publisher", "add", "pub@vendor.example", "--key", fingerprint);
	assert_says(&world->err, "until then nothing is taken from pub@vendor.example");
	MUST(world, "publisher", "remove", "pub@vendor.example");
	MUST(world, "admin", "add", "ops@gw.example", "--key", fingerprint);
	assert_says(&world->err, "until then ops@gw.example is not reached");
}

static void mistyped_checkpoint_is_named_as_a_possibility(void **state)
{
	struct world *world = *state;
	char checkpoint[80] = "1:";
	MUST(world, "init");
	memset(checkpoint + 2, '0', 64);
	assert_int_equal(CTL(world, "audit", "verify", "--checkpoint", checkpoint), 1);
	assert_says(&world->err, "or the checkpoint was mistyped");
	MUST(world, "audit", "verify");
}

static int64_t audit_length(const struct world *world)
{
	struct store *store = world_store(world);
	char hash[DIGEST_HEX_SIZE];
	struct err err;
	int64_t last;
	assert_int_equal(store_audit_last(store, &last, hash, &err), 0);
	store_close(store);
	return last;
}

/* As when a command was killed behind its commit: the admin saw nothing and gives it again. */
static void twice(struct world *world, int status, const char *says, const char *const *words)
{
	world_must(world, words);
	const int64_t before = audit_length(world);
	if (world_run(world, words) != status)
		fail_msg("%s %s the second time: %s", words[0], words[1], buf_text(&world->err));
	assert_says(status == 0 ? &world->out : &world->err, says);
	assert_int_equal(audit_length(world), before);
}
#define TWICE(world, status, says, ...)                                                            \
	twice((world), (status), (says), (const char *const[]){__VA_ARGS__, NULL})

static void what_is_done_is_not_done_twice(void **state)
{
	struct world *world = *state;
	char us[FINGERPRINT_SIZE], next[FINGERPRINT_SIZE], p[FINGERPRINT_SIZE], a[FINGERPRINT_SIZE];
	MUST(world, "init");
	world_make_key(world, US, us);
	world_make_key(world, "next@us.example", next);
	world_make_key(world, "p@vendor.example", p);
	world_make_key(world, "a@gw.example", a);
	char terms[WORLD_PATH_SIZE];
	snprintf(terms, sizeof terms, "%s", world_path(world, "terms"));
	world_write(world, "terms", VIEW("We tell nobody.\n"));
	TWICE(world, 1, "is confirmed already", "key", "confirm", us);
	TWICE(world, 1, "there is a member us already", "member", "add", "us", "--name", "US");
	TWICE(world, 1, "has this very certificate already: nothing was changed", "contact", "add",
	    "us", US, "--key", us);
	TWICE(world, 1, "has this very certificate already: nothing was changed", "publisher", "add",
	    "p@vendor.example", "--key", p);
	TWICE(world, 1, "has this very certificate already: nothing was changed", "admin", "add",
	    "a@gw.example", "--key", a);
	TWICE(world, 1, "has this very certificate already: nothing was changed", "contact", "rekey",
	    US, "--key", next);
	TWICE(world, 0, "1 in it already", "group", "add", "energy", "us");
	TWICE(world, 1, "published already, as version 1", "agreement", "publish",
	    terms);
	TWICE(world, 1, "is suspended", "member", "suspend", "us");
	TWICE(world, 1, "is retired already", "key", "retire", a);
	TWICE(world, 1, "there is no group", "group", "remove", "energy");
	TWICE(world, 1, "there is no contact", "contact", "remove", US);
	TWICE(world, 1, "there is no publisher", "publisher", "remove", "p@vendor.example");
	MUST(world, "agreement", "publish", terms, "--again");
	assert_says(&world->out, "Version 2");
}

static void wrong_usage_exits_with_two(void **state)
{
	struct world *world = *state;
	assert_int_equal(CTL(world, "member", "add", "us"), 2);
	assert_says(&world->err, "usage: dewctl member add ID --name N");
	assert_int_equal(CTL(world, "member", "add", "--help"), 0);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    IN_WORLD(commands_before_init_say_what_to_do),
	    IN_WORLD(init_makes_private_directories_and_a_key),
	    IN_WORLD(init_says_what_to_do_next_with_this_configuration),
	    IN_WORLD(init_of_a_gateway_that_is_set_up_changes_nothing),
	    IN_WORLD(init_that_was_interrupted_is_completed_with_the_same_key),
	    IN_WORLD(init_sets_a_key_aside_that_was_not_finished),
	    IN_WORLD(init_makes_no_key_without_a_passphrase_beside_a_lost_one),
	    IN_WORLD(init_that_had_only_begun_a_key_makes_it),
	    IN_WORLD(init_leaves_keys_that_it_did_not_begin_as_they_are),
	    IN_WORLD(init_makes_a_store_that_was_never_finished_anew),
	    IN_WORLD(init_refuses_a_state_directory_that_is_open_to_others),
	    IN_WORLD(certificate_is_confirmed_by_its_whole_fingerprint_only),
	    IN_WORLD(contact_with_a_pending_certificate_is_named_by_check),
	    IN_WORLD(check_finds_it_bad_that_the_daemon_does_not_run),
	    IN_WORLD(check_counts_warnings_and_does_not_call_them_well),
	    IN_WORLD(member_without_contacts_is_named_by_check),
	    IN_WORLD(one_certificate_serves_one_person),
	    IN_WORLD(gateways_own_addresses_are_nobodys),
	    IN_WORLD(address_in_another_alphabet_is_asked_for_as_the_dns_has_it),
	    IN_WORLD(clearance_is_amber_unless_given),
	    IN_WORLD(group_that_cannot_be_made_whole_is_not_made),
	    IN_WORLD(removed_member_takes_its_contacts_along),
	    IN_WORLD(every_change_stands_in_the_audit_log),
	    IN_WORLD(backup_is_a_store_and_never_overwrites),
	    IN_WORLD(key_export_never_overwrites),
	    IN_WORLD(pending_certificate_is_said_to_keep_its_owner_from_their_part),
	    IN_WORLD(mistyped_checkpoint_is_named_as_a_possibility),
	    IN_WORLD(what_is_done_is_not_done_twice),
	    IN_WORLD(wrong_usage_exits_with_two),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("dewctl_commands", tests, NULL, NULL);
}
