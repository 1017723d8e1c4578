#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#include "pgp/additional.h"
#include "pgp/engine.h"
#include "pgp/listing.h"

/* A thousand certificates with as many subkeys as admission takes come to some 8 MiB. */
enum { ADDITIONAL_MAX = 16 * 1024 * 1024 };

static void path_of(const char *dir, char out[static PATH_MAX])
{
	snprintf(out, PATH_MAX, "%.4000s/additional-keys", dir);
}

static void held_path(const char *dir, char out[static PATH_MAX])
{
	snprintf(out, PATH_MAX, "%.4000s/held", dir);
}

/* GPGME 1.18 has no name for the use of an additional decryption subkey, which has no other. */
static bool may_get_session_key(const struct admission_key *key)
{
	return !key->revoked && !key->invalid && (key->may_encrypt || !key->has_use);
}

struct writing {
	const char *gateway;
	int64_t now;
	struct buf text;
	struct buf held;
};

static int add_keys(void *context, const struct admission *certificate, struct err *err)
{
	struct writing *writing = context;
	const size_t count = certificate->key_count < ADMISSION_KEYS_MAX ? certificate->key_count
									 : ADMISSION_KEYS_MAX;
	(void)err;
	if (count == 0)
		return 0;
	const char *fingerprint = certificate->keys[0].fingerprint;
	buf_printf(&writing->held, "%s\n", fingerprint);
	const struct admission_key *sealed_for =
	    strcmp(fingerprint, writing->gateway) == 0
		? NULL
		: admission_encryption_key(certificate, writing->now);
	for (size_t i = 0; i < count; i++) {
		const struct admission_key *key = &certificate->keys[i];
		if (key != sealed_for && may_get_session_key(key))
			buf_printf(&writing->text, "%s %s\n", fingerprint, key->key_id);
	}
	return 0;
}

int additional_write(const char *dir, const char *gateway, struct err *err)
{
	char path[PATH_MAX];
	gpgme_ctx_t ctx;
	struct writing writing = {.gateway = gateway,
	    .now = clock_now(),
	    .text = BUF_EMPTY(ADDITIONAL_MAX),
	    .held = BUF_EMPTY(ADDITIONAL_MAX)};
	if (engine_open(dir, &ctx, err) != 0)
		return -1;
	int result = listing_read_surely(ctx, NULL, add_keys, &writing, err);
	gpgme_release(ctx);
	path_of(dir, path);
	if (result == 0 && writing.text.overflow)
		result = err_set(err, ERR_DAEMON, ERR_NEVER, "%s would be too large", path);
	if (result == 0)
		result = file_write(path, buf_view(&writing.text), 0600, err);
	held_path(dir, path);
	if (result == 0)
		result = file_write(path, buf_view(&writing.held), 0600, err);
	buf_release(&writing.text);
	buf_release(&writing.held);
	return result;
}

bool additional_is_there(const char *dir)
{
	char path[PATH_MAX], held[PATH_MAX];
	path_of(dir, path);
	held_path(dir, held);
	return access(path, R_OK) == 0 && access(held, R_OK) == 0;
}

bool additional_was_held(const char *dir, const char *fingerprint)
{
	char path[PATH_MAX];
	struct buf held = BUF_EMPTY(ADDITIONAL_MAX);
	struct view line;
	struct err ignored;
	bool found = false;
	held_path(dir, path);
	file_read(path, &held, &ignored);
	for (struct view rest = buf_view(&held);
	     !found && view_next_field(&rest, '\n', &line);)
		found = view_is(line, fingerprint);
	buf_release(&held);
	return found;
}

int additional_read(const char *dir, struct buf *out, struct err *err)
{
	char path[PATH_MAX];
	path_of(dir, path);
	return file_read(path, out, err);
}

bool additional_next(struct view *rest, struct additional *out)
{
	struct view line;
	while (view_next_field(rest, '\n', &line)) {
		const size_t blank = view_find(line, VIEW(" "));
		if (blank != SIZE_MAX &&
		    view_copy(
			view_part(line, 0, blank), out->fingerprint, sizeof out->fingerprint) &&
		    view_copy(
			view_part(line, blank + 1, line.len), out->key_id, sizeof out->key_id))
			return true;
	}
	return false;
}
