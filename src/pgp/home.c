#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#include "pgp/additional.h"
#include "pgp/agent.h"
#include "pgp/conf.h"
#include "pgp/engine.h"
#include "pgp/feed.h"
#include "pgp/home.h"
#include "pgp/listing.h"
#include "pgp/place.h"
#include "pgp/preferences.h"
#include "pgp/scratch.h"

enum {
	ROOM_TIMES = 4, /* a keyring, what gpg keeps beside it, and some to spare */
};

/* Finds the one secret key of the main home. */
static int find_gateway(struct home *home, struct err *err)
{
	gpgme_ctx_t ctx;
	if (engine_open(home->place, &ctx, err) != 0)
		return -1;
	home->gateway[0] = '\0';
	unsigned count = 0;
	gpgme_key_t key = NULL;
	gpgme_error_t code = gpgme_op_keylist_start(ctx, NULL, 1);
	while (code == 0 && (code = gpgme_op_keylist_next(ctx, &key)) == 0) {
		if (count++ == 0 && key->fpr != NULL)
			snprintf(home->gateway, sizeof home->gateway, "%s", key->fpr);
		gpgme_key_unref(key);
	}
	gpgme_release(ctx);
	if (gpgme_err_code(code) != GPG_ERR_EOF)
		return engine_failed(err, code, "cannot look for the gateway's key");
	if (count > 1)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "%s holds %u secret keys, but the gateway has one key only", home->path, count);
	return 0;
}

static int take_path(const char *path, int most, struct home *home, struct err *err)
{
	*home = (struct home){.gateway = ""};
	if (strlen(path) > (size_t)most)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "the GnuPG home %.120s has %zu characters: sockets allow for %d at most", path,
		    strlen(path), most);
	if (path[0] != '/')
		return err_set(
		    err, ERR_DAEMON, ERR_NEVER, "the GnuPG home %s is not absolute", path);
	snprintf(home->path, sizeof home->path, "%s", path);
	return 0;
}

int home_open_at(const char *path, const char *place, struct home *home, struct err *err)
{
	if (take_path(path, AGENT_HOME_MAX - PLACE_NAME_MAX - 1, home, err) != 0)
		return -1;
	place_path(path, place, home->place);
	return conf_write(home->place, CONF_MAIN, "", err) == 0 ? find_gateway(home, err) : -1;
}

int home_open(const char *path, struct home *home, struct err *err)
{
	if (take_path(path, AGENT_HOME_MAX, home, err) != 0)
		return -1;
	snprintf(home->place, sizeof home->place, "%s", home->path);
	if (file_make_dir(path, 0700, err) != 0 || conf_write(path, CONF_MAIN, "", err) != 0)
		return -1;
	return find_gateway(home, err);
}

static bool is_plain_name(struct view name)
{
	if (name.len == 0 || !text_is_utf8(name))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (strchr("<>()\\\"", name.data[i]) != NULL || (unsigned char)name.data[i] < ' ')
			return false;
	}
	return true;
}

/* One call with both algorithms would be shorter, but GnuPG 2.2 makes the first of them only. */
static int make_keys(const struct home *home, const char *user_id, struct err *err)
{
	const unsigned common =
	    GPGME_CREATE_NOEXPIRE | (home->passphrase == NULL ? GPGME_CREATE_NOPASSWD : 0);
	gpgme_ctx_t ctx;
	gpgme_key_t key = NULL;
	/* gpg that is left without one while it makes a key makes it without. */
	if (home->passphrase != NULL && passphrase_get(home->passphrase, err) != 0)
		return -1;
	if (engine_open(home->path, &ctx, err) != 0)
		return -1;
	engine_unlock_new(ctx, home->passphrase);
	gpgme_error_t code = gpgme_op_createkey(
	    ctx, user_id, "ed25519", 0, 0, NULL, common | GPGME_CREATE_CERT | GPGME_CREATE_SIGN);
	const gpgme_genkey_result_t made = gpgme_op_genkey_result(ctx);
	if (code == 0)
		code =
		    gpgme_get_key(ctx, made == NULL || made->fpr == NULL ? "" : made->fpr, &key, 1);
	if (code == 0)
		code = gpgme_op_createsubkey(ctx, key, "cv25519", 0, 0, common | GPGME_CREATE_ENCR);
	gpgme_key_unref(key);
	gpgme_release(ctx);
	return code == 0 ? 0 : engine_failed(err, code, "cannot make the gateway's key");
}

int home_user_id(
    const char *name, const char *address, char out[static HOME_USER_ID_SIZE], struct err *err)
{
	const char *why = "";
	if (!is_plain_name(view_of(name)) || !text_is_address(view_of(address), &why))
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "no user ID can be made of \"%s\" <%s> %s", name, address, why);
	if (snprintf(out, HOME_USER_ID_SIZE, "%s <%s>", name, address) >= HOME_USER_ID_SIZE)
		return err_set(
		    err, ERR_MESSAGE, ERR_NEVER, "the gateway's name and address are too long");
	return 0;
}

int home_make_key(struct home *home, const char *name, const char *address, struct err *err)
{
	char user_id[HOME_USER_ID_SIZE];
	if (home->gateway[0] != '\0')
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "the gateway has a key already: %s",
		    home->gateway);
	if (home_user_id(name, address, user_id, err) != 0)
		return -1;
	bool asks = false;
	/* In the main home: in the place the keyring is a link, which gpg would replace. */
	const bool served = agent_is_there(home->path);
	const int made = make_keys(home, user_id, err);
	if (!served && strcmp(home->place, home->path) != 0)
		agent_stop(home->path);
	if (made != 0 || find_gateway(home, err) != 0 || preferences_look(home, &asks, err) != 0)
		return -1;
	return asks ? preferences_mend(home, err) : 0;
}

static int prove(gpgme_ctx_t ctx, const struct home *home, gpgme_data_t sealed, struct err *err)
{
	struct buf opened = BUF_EMPTY(BUF_SMALL);
	struct engine_sink sink;
	gpgme_data_t from = engine_source(view_of(home->gateway));
	gpgme_data_t to = engine_sink(&sink, &opened);
	gpgme_error_t code = feed_encrypt_sign(ctx, home->gateway, from, sealed);
	if (code == 0 && gpgme_data_seek(sealed, 0, SEEK_SET) != 0)
		code = gpgme_error_from_syserror();
	if (code == 0)
		code = feed_decrypt(ctx, 0, sealed, to);
	int result = 0;
	if (engine_is_locked(home->passphrase, code, err))
		result = -1;
	else if (code != 0 || !view_is(buf_view(&opened), home->gateway))
		result = engine_failed(err, code, "the gateway's key cannot be used");
	gpgme_data_release(from);
	gpgme_data_release(to);
	buf_release(&opened);
	return result;
}

/* Whether the agent has kept any key there, whatever gpg makes of it. */
static bool has_key_files(const struct home *home)
{
	char path[HOME_PATH_SIZE + sizeof "/private-keys-v1.d"];
	const struct dirent *entry;
	bool found = false;
	snprintf(path, sizeof path, "%s/private-keys-v1.d", home->path);
	DIR *directory = opendir(path);
	if (directory == NULL)
		return false;
	while (!found && (entry = readdir(directory)) != NULL)
		found = entry->d_name[0] != '.';
	closedir(directory);
	return found;
}

/* On a full disk gpg cannot take its locks, and lists nothing without a word: nobody must make a new
 * gateway for that. */
int home_refuse_keyless(const struct home *home, struct err *err)
{
	if (has_key_files(home))
		return err_set(err, ERR_DAEMON, ERR_LATER,
		    "gpg finds no secret key in %s, though files of keys are there: the disk is "
		    "full, or a file in it is damaged",
		    home->path);
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "the gateway's secret key is not in %s: put that directory back from a copy, or run "
	    "dewctl init where a new gateway is to be made",
	    home->path);
}

int home_prove_key(const struct home *home, struct err *err)
{
	gpgme_ctx_t ctx;
	gpgme_data_t sealed = NULL;
	if (home->gateway[0] == '\0')
		return home_refuse_keyless(home, err);
	if (engine_open(home->place, &ctx, err) != 0)
		return -1;
	if (gpgme_data_new(&sealed) != 0)
		abort();
	engine_unlock(ctx, home->passphrase);
	const int result = prove(ctx, home, sealed, err);
	gpgme_data_release(sealed);
	gpgme_release(ctx);
	return result;
}

int home_export_key(const struct home *home, bool armored, struct buf *out, struct err *err)
{
	if (home->gateway[0] == '\0')
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the gateway has no key yet");
	gpgme_ctx_t ctx;
	if (engine_open(home->place, &ctx, err) != 0)
		return -1;
	gpgme_set_armor(ctx, armored ? 1 : 0);
	struct engine_sink sink;
	gpgme_data_t data = engine_sink(&sink, out);
	const gpgme_export_mode_t mode = armored ? 0 : GPGME_EXPORT_MODE_MINIMAL;
	const size_t before = out->len;
	const gpgme_error_t code = gpgme_op_export(ctx, home->gateway, mode, data);
	gpgme_data_release(data);
	gpgme_release(ctx);
	if (code != 0 || sink.over || out->len == before)
		return engine_failed(err, code, "cannot export the gateway's certificate");
	return 0;
}

void home_shard_path(
    const struct home *home, int64_t shard, int64_t generation, char out[static HOME_PATH_SIZE])
{
	/* home_open has seen to it that the main home's path is short. */
	snprintf(out, HOME_PATH_SIZE, "%.*s/shard-%" PRId64 "-%" PRId64, AGENT_HOME_MAX, home->path,
	    shard, generation);
}

bool home_has_shard(const struct home *home, int64_t shard, int64_t generation)
{
	char path[HOME_PATH_SIZE];
	home_shard_path(home, shard, generation, path);
	/* One made for another gateway key or by another version of ours is to be built again. */
	return conf_is(path, CONF_SHARD, home->gateway) && additional_is_there(path);
}

/* Imports into a new keyring; *considered is how many certificates gpg came to look at. What it
 * took but could not write is an error: those recipients must not seem to be missing. */
static int import(const char *dir, struct view certificates, size_t *considered, struct err *err)
{
	gpgme_ctx_t ctx;
	*considered = 0;
	if (engine_open(dir, &ctx, err) != 0)
		return -1;
	gpgme_data_t data = engine_source(certificates);
	const gpgme_error_t code = feed_import(ctx, data);
	gpgme_data_release(data);
	const gpgme_import_result_t got = gpgme_op_import_result(ctx);
	int result = 0;
	if (got == NULL)
		result = engine_failed(err, code, "cannot import certificates");
	else if (got->imported + got->unchanged + got->no_user_id + got->skipped_v3_keys <
		 got->considered)
		result = err_set(
		    err, ERR_DAEMON, ERR_LATER, "gpg could not write the keyring in %s", dir);
	else
		*considered = (size_t)got->considered;
	gpgme_release(ctx);
	return result;
}

/* gpg does not say whether it stopped at a certificate or for want of room. On a full disk nothing is
 * known of any certificate, and nobody must seem to have none: an error unless there is room for what
 * gpg needs to write such a keyring, with its copy. */
static int has_room(const char *dir, struct view certificates, struct err *err)
{
	char path[HOME_PATH_SIZE + 16];
	struct buf room = BUF_EMPTY(ROOM_TIMES * certificates.len);
	for (int i = 0; i < ROOM_TIMES; i++)
		buf_add_view(&room, certificates);
	snprintf(path, sizeof path, "%s/room", dir);
	const int result = file_write(path, buf_view(&room), 0600, err);
	buf_release(&room);
	if (unlink(path) != 0 && result == 0)
		return err_system(err, "cannot remove %s", path);
	return result;
}

/* One certificate that gpg chokes on must not take those behind it along. */
static int import_all(const char *dir, const struct buf *gateway, const struct view *certificates,
    size_t count, struct err *err)
{
	size_t total = gateway->len, considered;
	for (size_t i = 0; i < count; i++)
		total += certificates[i].len;
	struct buf all = BUF_EMPTY(total);
	buf_add_view(&all, buf_view(gateway));
	for (size_t i = 0; i < count; i++)
		buf_add_view(&all, certificates[i]);
	int result = import(dir, buf_view(&all), &considered, err);
	if (result != 0 || considered == count + 1) {
		buf_release(&all);
		return result;
	}
	log_warning("gpg stopped at a certificate of %s: importing them one by one", dir);
	result = has_room(dir, buf_view(&all), err);
	for (size_t i = 0; i < count && result == 0; i++)
		result = import(dir, certificates[i], &considered, err);
	if (result == 0)
		result = has_room(dir, buf_view(&all), err);
	buf_release(&all);
	return result;
}

/* After a power cut a shard must not stand there with an empty keyring. */
static int sync_keyring(const char *dir, struct err *err)
{
	char path[HOME_PATH_SIZE + 16];
	snprintf(path, sizeof path, "%s/pubring.kbx", dir);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_system(err, "cannot open %s", path);
	const int synced = fsync(fd);
	close(fd);
	return synced == 0 ? file_sync_dir(dir, err) : err_system(err, "cannot sync %s", path);
}

static int fill_shard(const struct home *home, const char *dir, const char *final,
    const struct view *certificates, size_t count, struct err *err)
{
	struct buf gateway = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	int result = home_export_key(home, false, &gateway, err);
	if (result == 0)
		result = conf_write(dir, CONF_SHARD, home->gateway, err);
	if (result == 0)
		result = import_all(dir, &gateway, certificates, count, err);
	if (result == 0)
		result = additional_write(dir, home->gateway, err);
	if (result == 0)
		result = agent_redirect(home->place, final, dir, err);
	if (result == 0)
		result = sync_keyring(dir, err);
	buf_release(&gateway);
	return result;
}

/* A name of our own below the main home, for what is being removed. */
static void removing_path(
    const struct home *home, int64_t shard, int64_t generation, char out[static HOME_PATH_SIZE])
{
	unsigned char random[6];
	char digits[2 * sizeof random + 1];
	random_bytes(random, sizeof random);
	text_hex(random, sizeof random, digits);
	snprintf(out, HOME_PATH_SIZE, "%.*s/" SCRATCH_REMOVING "%" PRId64 "-%" PRId64 "-%s",
	    AGENT_HOME_MAX, home->path, shard, generation, digits);
}

/* The rename makes it vanish at once for everybody; then its files go. */
static void remove_shard(const struct home *home, int64_t shard, int64_t generation)
{
	char path[HOME_PATH_SIZE], away[HOME_PATH_SIZE];
	struct err err;
	home_shard_path(home, shard, generation, path);
	removing_path(home, shard, generation, away);
	if (rename(path, away) == 0 && file_remove_tree(away, &err) != 0)
		log_warning("%s", err.text);
}

/* Puts the finished directory in its place. Whoever comes second finds a good one there and drops
 * his own; one that is out of date makes room. */
static int publish(
    const struct home *home, int64_t shard, int64_t generation, struct scratch *made, struct err *err)
{
	enum { ATTEMPTS = 3 };
	char final[HOME_PATH_SIZE];
	home_shard_path(home, shard, generation, final);
	for (int i = 0; i < ATTEMPTS; i++) {
		if (rename(made->path, final) == 0) {
			scratch_keep(made);
			return file_sync_dir(home->path, err);
		}
		if (errno != ENOTEMPTY && errno != EEXIST)
			break;
		if (home_has_shard(home, shard, generation))
			return scratch_remove(made, err);
		remove_shard(home, shard, generation);
	}
	return err_system(err, "cannot put %s in its place", final);
}

static bool is_shard(const char *name, int64_t *shard, int64_t *generation)
{
	int end = 0;
	return sscanf(name, "shard-%" SCNd64 "-%" SCNd64 "%n", shard, generation, &end) == 2 &&
	       name[end] == '\0';
}

void home_forget_shard(const struct home *home, int64_t shard, int64_t generation)
{
	log_warning("the keyring of shard %" PRId64 " is damaged, and is built again", shard);
	remove_shard(home, shard, generation);
}

static int count_one(void *context, const struct admission *certificate, struct err *err)
{
	size_t *count = context;
	(void)certificate;
	(void)err;
	++*count;
	return 0;
}

void home_check_shard(
    const struct home *home, int64_t shard, int64_t generation, const char *const *names)
{
	char dir[HOME_PATH_SIZE];
	size_t count = 0, expected = 0, found = 0;
	gpgme_ctx_t ctx;
	struct err ignored;
	home_shard_path(home, shard, generation, dir);
	while (names[count] != NULL)
		count++;
	const char **held = calloc(count + 2, sizeof *held);
	if (held == NULL)
		abort();
	held[expected++] = home->gateway;
	for (size_t i = 0; i < count; i++) {
		if (additional_was_held(dir, names[i]))
			held[expected++] = names[i];
	}
	if (engine_open(dir, &ctx, &ignored) == 0) {
		if (listing_read(ctx, held, count_one, &found, &ignored) != 0 || found < expected)
			home_forget_shard(home, shard, generation);
		gpgme_release(ctx);
	}
	free(held);
}

void home_forget_shards(const struct home *home)
{
	DIR *dir = opendir(home->path);
	const struct dirent *entry;
	int64_t shard, generation;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (is_shard(entry->d_name, &shard, &generation))
			remove_shard(home, shard, generation);
	}
	if (dir != NULL)
		closedir(dir);
}

/* Former contents of this shard. */
static void remove_former(const struct home *home, int64_t shard, int64_t generation)
{
	DIR *dir = opendir(home->path);
	if (dir == NULL)
		return;
	const struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		int64_t its_shard, its_generation;
		if (is_shard(entry->d_name, &its_shard, &its_generation) && its_shard == shard &&
		    its_generation != generation)
			remove_shard(home, its_shard, its_generation);
	}
	closedir(dir);
}

int home_build_shard(const struct home *home, int64_t shard, int64_t generation,
    const struct view *certificates, size_t count, struct err *err)
{
	if (home->gateway[0] == '\0')
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the gateway has no key yet");
	char final[HOME_PATH_SIZE];
	struct scratch made;
	struct err ignored;
	home_shard_path(home, shard, generation, final);
	int result = scratch_make(&made, home->path, SCRATCH_KEYRING, err);
	if (result == 0)
		result = fill_shard(home, made.path, final, certificates, count, err);
	if (result == 0)
		result = publish(home, shard, generation, &made, err);
	if (result == 0)
		remove_former(home, shard, generation);
	scratch_remove(&made, &ignored);
	return result;
}

void home_stop_agent(const struct home *home)
{
	agent_stop(home->place);
}

void home_end_agent(const char *place)
{
	agent_stop(place);
}
