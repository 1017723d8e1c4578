/* A throw-away world for tests of the pgp room: a gateway's home and people with homes of their
 * own, all below one short directory. Commands see that directory as $D. */
#ifndef DEWLINE_TEST_PGP_WORLD_H
#define DEWLINE_TEST_PGP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "pgp/home.h"
#include "pgp/keyring.h"
#include "pgp/merge.h"
#include "pgp/seal.h"

#define WORLD_GPG(name) "gpg --homedir $D/" name " --batch --quiet --no-tty --trust-model always "
#define WORLD_OUTPUT_MAX ((size_t)64 * 1024 * 1024)

/* Aborts the test with the text of err when an expression of ours fails. */
#define assert_works(expression)                                                                   \
	do {                                                                                       \
		if ((expression) != 0)                                                             \
			fail_msg("%s", err.text);                                                  \
	} while (0)

struct world {
	char dir[sizeof "/tmp/dl.XXXXXX"];
	struct home home;
	struct passphrase passphrase; /* of the gateway's key; also in $D/passphrase */
};

#define WORLD_PASSPHRASE "a passphrase with blanks"

/* passphrase_fn */
__attribute__((unused)) static int world_passphrase(void *context, struct buf *out, struct err *err)
{
	(void)context;
	(void)err;
	buf_add_text(out, WORLD_PASSPHRASE);
	return 0;
}

/* Runs a shell command and appends what it prints; returns its status. */
__attribute__((unused)) static int world_run(const char *command, struct buf *out)
{
	FILE *pipe = popen(command, "re");
	assert_non_null(pipe);
	char chunk[4096];
	size_t got;
	while ((got = fread(chunk, 1, sizeof chunk, pipe)) > 0) {
		if (out != NULL)
			buf_add(out, chunk, got);
	}
	return pclose(pipe);
}

/* The same for a command that must succeed. */
__attribute__((unused)) static void world_do(const char *command)
{
	if (world_run(command, NULL) != 0)
		fail_msg("failed: %s", command);
}

__attribute__((unused)) static struct buf world_read(const char *command)
{
	struct buf out = BUF_EMPTY(WORLD_OUTPUT_MAX);
	if (world_run(command, &out) != 0)
		fail_msg("failed: %s", command);
	return out;
}

/* Writes $D/name. */
__attribute__((unused)) static void world_write(
    const struct world *world, const char *name, struct view content)
{
	char path[128];
	struct err err;
	snprintf(path, sizeof path, "%s/%s", world->dir, name);
	assert_works(file_write(path, content, 0600, &err));
}

/* A world with a gateway that has a key; $D/gateway.asc is its certificate. */
__attribute__((unused)) static void world_open(struct world *world)
{
	struct err err;
	char path[64];
	*world = (struct world){.dir = "/tmp/dl.XXXXXX"};
	assert_non_null(mkdtemp(world->dir));
	setenv("D", world->dir, 1);
	snprintf(path, sizeof path, "%s/g", world->dir);
	assert_works(home_open(path, &world->home, &err));
	world->passphrase = passphrase_from(world_passphrase, NULL);
	world->home.passphrase = &world->passphrase;
	world_write(world, "passphrase", VIEW(WORLD_PASSPHRASE "\n"));
	assert_works(home_make_key(&world->home, "Gateway", "gateway@example.org", &err));
	struct buf key = BUF_EMPTY(BUF_SMALL);
	assert_works(home_export_key(&world->home, true, &key, &err));
	world_write(world, "gateway.asc", buf_view(&key));
	buf_release(&key);
}

__attribute__((unused)) static void world_close(struct world *world)
{
	struct err err;
	world_run("for h in $D/*/ $D/*/gnupg/?/; do gpgconf --homedir $h --kill gpg-agent; done "
		  "2>/dev/null",
	    NULL);
	home_stop_agent(&world->home);
	assert_works(file_remove_tree(world->dir, &err));
}

/* A person with a home $D/name, who knows the gateway and has a key made from lines of gpg's key
 * parameter file (GnuPG's manual, "Unattended key generation"), at `when` ("" for now) in gpg's way
 * of options ("--faked-system-time 20200101T000000"). */
__attribute__((unused)) static void world_person(
    const char *name, const char *parameters, const char *when)
{
	char command[2048];
	snprintf(command, sizeof command,
	    "mkdir -m 700 $D/%s && printf '%s%%s\nName-Real: %s\nName-Email: %s@example.net\n"
	    "%%%%no-protection\n%%%%commit\n' '' | gpg --homedir $D/%s --batch --quiet %s "
	    "--gen-key "
	    "2>/dev/null && gpg --homedir $D/%s --batch --quiet --import $D/gateway.asc "
	    "2>/dev/null",
	    name, parameters, name, name, name, when, name);
	world_do(command);
}

#define WORLD_ED25519                                                                              \
	"Key-Type: EDDSA\\nKey-Curve: ed25519\\nKey-Usage: sign\\nSubkey-Type: ECDH\\n"            \
	"Subkey-Curve: cv25519\\nSubkey-Usage: encrypt\\n"
#define WORLD_RSA                                                                                  \
	"Key-Type: RSA\\nKey-Length: 2048\\nKey-Usage: sign\\nSubkey-Type: RSA\\n"                 \
	"Subkey-Length: 2048\\nSubkey-Usage: encrypt\\n"

/* The person's own certificate, binary. */
__attribute__((unused)) static struct buf world_certificate(const char *name)
{
	char command[256];
	snprintf(command, sizeof command,
	    "gpg --homedir $D/%s --batch --quiet --export %s@example.net 2>/dev/null", name, name);
	return world_read(command);
}

struct world_verdict {
	struct certificate_facts facts;
	char reason[CERTIFICATE_REASON_SIZE];
	bool revoked, closed, known, changed, usable;
	char unproved[FINGERPRINT_SIZE];
	struct buf minimal;
	unsigned count;
};

__attribute__((unused)) static int world_take_verdict(
    void *context, const struct certificate_verdict *verdict, struct err *err)
{
	(void)err;
	struct world_verdict *out = context;
	out->facts = verdict->facts;
	memcpy(out->reason, verdict->reason, sizeof out->reason);
	out->revoked = verdict->revoked;
	out->closed = verdict->closed;
	out->known = verdict->known;
	out->changed = verdict->changed;
	out->usable = verdict->usable;
	memcpy(out->unproved, verdict->unproved, sizeof out->unproved);
	buf_release(&out->minimal);
	out->minimal = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	buf_add_view(&out->minimal, verdict->minimal);
	out->count++;
	return 0;
}

/* certificate_known.get: of a row of certificates, `context`; a key that is in it is known. */
__attribute__((unused)) static int world_get_known(
    void *context, const char *key, struct buf *out, bool *found, struct err *err)
{
	struct view rest = *(const struct view *)context;
	struct keyring_entry entry;
	const size_t digits = strlen(key);
	*found = false;
	while (keyring_next(&rest, &entry, err) == 1) {
		char fingerprint[FINGERPRINT_SIZE];
		merge_fingerprint(entry.primary, fingerprint);
		if (strcmp(fingerprint + strlen(fingerprint) - digits, key) != 0)
			continue;
		*found = true;
		buf_add_view(out, entry.whole);
		break;
	}
	return 0;
}

/* The verdict on the last certificate of `content`, as of now, where `known` are known. */
__attribute__((unused)) static struct world_verdict world_judge_known(
    const struct world *world, struct view content, struct view known)
{
	struct world_verdict verdict = {.count = 0};
	const struct certificate_known all = {world_get_known, &known};
	struct err err;
	assert_works(certificate_read(
	    content, clock_now(), world->dir, &all, world_take_verdict, &verdict, NULL, &err));
	return verdict;
}

/* The same where nothing is known. */
__attribute__((unused)) static struct world_verdict world_judge(
    const struct world *world, struct view content)
{
	return world_judge_known(world, content, VIEW(""));
}

/* A person's fingerprint and encryption key ID as admission sees them. */
__attribute__((unused)) static void world_recipient(
    const struct world *world, const char *name, struct seal_recipient *out)
{
	struct buf certificate = world_certificate(name);
	struct world_verdict verdict = world_judge(world, buf_view(&certificate));
	*out = (struct seal_recipient){.reason = ""};
	memcpy(out->fingerprint, verdict.facts.fingerprint, sizeof out->fingerprint);
	memcpy(out->key_id, verdict.facts.encryption_key_id, sizeof out->key_id);
	buf_release(&verdict.minimal);
	buf_release(&certificate);
}

/* Shard 1, generation 1, with the certificates of these people. */
__attribute__((unused)) static void world_shard(
    const struct world *world, const char *const *names, size_t count)
{
	struct buf certificates[16];
	struct view views[16];
	struct err err;
	assert_true(count <= 16);
	for (size_t i = 0; i < count; i++) {
		certificates[i] = world_certificate(names[i]);
		views[i] = buf_view(&certificates[i]);
	}
	assert_works(home_build_shard(&world->home, 1, 1, views, count, &err));
	for (size_t i = 0; i < count; i++)
		buf_release(&certificates[i]);
}

#endif
