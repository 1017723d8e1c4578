#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#include "pgp/conf.h"

/* rfc4880 stands first because it resets what follows it. With it newer GnuPG keeps to the data
 * packet that every client reads (tag 18); but it also begins to trust user IDs without a
 * self-signature, which is taken back at once. It stands in shards alone: where it does, GnuPG 2.4
 * refuses to make keys of the kind that ours are, "in compliance mode". */
static const char sending[] = "rfc4880\n"
			      "no-allow-non-selfsigned-uid\n";

/* Nothing here asks, looks up, guesses or trusts: certificates are pinned by fingerprint, and a
 * setting of the user's or of the system's must not decide what an advisory looks like. */
static const char common[] = "batch\n"
			     "no-tty\n"
			     "no-greeting\n"
			     "display-charset utf-8\n"
			     "no-emit-version\n"
			     "no-comments\n"
			     "no-auto-key-locate\n"
			     "no-auto-key-retrieve\n"
			     "disable-dirmngr\n"
			     "no-auto-check-trustdb\n"
			     "trust-model always\n"
			     "no-encrypt-to\n"
			     "no-throw-keyids\n"
			     "no-symkey-cache\n"
			     "require-cross-certification\n"
			     /* A key that seems to be made in the future means that our clock is
			      * slow: gpg would call every signature by it bad. The dates of
			      * signatures are held against the clock by our own rules. */
			     "ignore-time-conflict\n"
			     "weak-digest MD5\n";

/* SHA-1 is not refused here, because that would also shut out certificates that are bound together
 * by SHA-1 self-signatures, one in seven of the real ones: their owners would not be reached, and a
 * pinned certificate cannot be forged by a collision, which needs the owner to sign chosen text.
 * Signatures on mail are another matter: verdict.c refuses SHA-1 there. */

/* Left alone, gpg falls to 3DES when the recipients' preferences have nothing else in common.
 * Compression wins back what base64 adds to attachments, once for a whole batch. It is ZIP because
 * that is the one that RFC 4880 section 9.3 asks every client to read; nobody outside can put
 * chosen text into an advisory and measure it, which is what makes compression leak elsewhere. */
static const char algorithms[] = "cipher-algo AES256\n"
				 "digest-algo SHA512\n"
				 "cert-digest-algo SHA512\n"
				 "compress-algo zip\n"
				 "s2k-cipher-algo AES256\n"
				 "s2k-digest-algo SHA512\n"
				 "personal-cipher-preferences AES256 AES192 AES\n"
				 "personal-digest-preferences SHA512 SHA384 SHA256\n"
				 "default-preference-list " CONF_PREFERENCES "\n";

/* What says nothing to us, who pin, is taken out before (merge.h). Not self-sigs-only: it drops
 * what a designated revoker revokes. */
static const char examining[] = "import-options import-clean,import-minimal\n"
				"export-options no-export-attributes\n";

/* With a passphrase on the key, each use of it costs 0.3 s with the default count, which is there
 * to make guessing dear; ours is random, with 160 bits. The agent keeps no passphrase: whoever may
 * talk to it could use the key without knowing one, and a wrong one in our files would not be
 * noticed before the agent ends. Asking each time costs 1.4 ms. */
static const char agent_conf[] = "s2k-count 65536\n"
				 "allow-loopback-pinentry\n"
				 "default-cache-ttl 0\n"
				 "max-cache-ttl 0\n"
				 "disable-scdaemon\n"
				 "no-allow-external-cache\n"
				 "no-allow-mark-trusted\n"
				 "extra-socket none\n"
				 "browser-socket none\n";

void conf_add(struct buf *out, enum conf_kind kind, const char *signer)
{
	if (kind == CONF_SHARD)
		buf_add_text(out, sending);
	buf_add_text(out, common);
	buf_add_text(out, algorithms);
	if (kind == CONF_SCRATCH)
		buf_add_text(out, examining);
	/* Debian's 2.4 takes no feature away otherwise. */
	if (kind == CONF_MENDING)
		buf_add_text(out, "compliance gnupg\n");
	/* An agent started for a shard would take over the main home's socket, without its keys. */
	if (kind != CONF_MAIN && kind != CONF_MENDING)
		buf_add_text(out, "no-autostart\n");
	if (kind == CONF_SHARD && signer[0] != '\0')
		buf_printf(out, "default-key %s\n", signer);
}

static bool file_is(const char *path, struct view content)
{
	struct buf found = BUF_EMPTY(BUF_SMALL);
	struct err ignored;
	const bool same =
	    file_read(path, &found, &ignored) == 0 && view_equals(buf_view(&found), content);
	buf_release(&found);
	return same;
}

static int write_file(const char *dir, const char *name, struct view content, struct err *err)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the path of a GnuPG home is too long");
	return file_is(path, content) ? 0 : file_write(path, content, 0600, err);
}

/* GnuPG reads gpg.conf-2 or gpg.conf-2.2 in the place of gpg.conf, and common.conf before it. Such
 * a file can name programs that are run, also by those who run gpg without a sandbox. */
static bool is_foreign_conf(const char *name)
{
	static const char *const programs[] = {"gpg", "gpg-agent", "gpgsm", "dirmngr", "scdaemon",
	    "keyboxd", "tpm2daemon", "common", "gpgconf"};
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		const size_t len = strlen(programs[i]);
		if (strncmp(name, programs[i], len) != 0 ||
		    strncmp(name + len, ".conf", strlen(".conf")) != 0)
			continue;
		const char *behind = name + len + strlen(".conf");
		/* What we write ourselves, and what another of us is about to write. */
		const bool ours =
		    strcmp(programs[i], "gpg") == 0 || strcmp(programs[i], "gpg-agent") == 0;
		return behind[0] == '-' || (behind[0] == '\0' && !ours);
	}
	return strcmp(name, "gpgconf.ctl") == 0 || strcmp(name, "options") == 0;
}

static int remove_foreign(const char *dir, struct err *err)
{
	DIR *listing = opendir(dir);
	const struct dirent *entry;
	int result = 0;
	if (listing == NULL)
		return err_system(err, "cannot read the directory %s", dir);
	while (result == 0 && (entry = readdir(listing)) != NULL) {
		if (!is_foreign_conf(entry->d_name))
			continue;
		if (unlinkat(dirfd(listing), entry->d_name, 0) == 0)
			log_error("%s/%s is none of ours, GnuPG would obey it, and it is removed: "
				  "find out who wrote it",
			    dir, entry->d_name);
		else if (errno != ENOENT)
			result = err_system(err, "cannot remove %s/%s", dir, entry->d_name);
	}
	closedir(listing);
	return result;
}

int conf_write(const char *dir, enum conf_kind kind, const char *signer, struct err *err)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	conf_add(&text, kind, signer);
	int result = remove_foreign(dir, err);
	if (result == 0)
		result = write_file(dir, "gpg.conf", buf_view(&text), err);
	if (result == 0 && (kind == CONF_MAIN || kind == CONF_MENDING))
		result = write_file(dir, "gpg-agent.conf", VIEW(agent_conf), err);
	buf_release(&text);
	return result;
}

bool conf_is(const char *dir, enum conf_kind kind, const char *signer)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s/gpg.conf", dir) >= (int)sizeof path)
		return false;
	struct buf text = BUF_EMPTY(BUF_SMALL);
	conf_add(&text, kind, signer);
	struct err ignored;
	const bool same = file_is(path, buf_view(&text)) && remove_foreign(dir, &ignored) == 0;
	buf_release(&text);
	return same;
}
