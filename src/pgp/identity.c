#include "config.h"

#include <string.h>
#include <strings.h>

#include "pgp/agent.h"
#include "pgp/engine.h"
#include "pgp/identity.h"
#include "pgp/packet.h"
#include "pgp/preferences.h"

/* -- of a key in its home -- */

static bool is_of(gpgme_user_id_t user, const char *address)
{
	return !user->revoked && !user->invalid && user->address != NULL &&
	       strcasecmp(user->address, address) == 0;
}

static bool key_has(gpgme_key_t key, const char *address)
{
	for (gpgme_user_id_t user = key->uids; user != NULL; user = user->next)
		if (is_of(user, address))
			return true;
	return false;
}

int identity_has(const struct home *home, const char *address, bool *has, struct err *err)
{
	gpgme_ctx_t ctx;
	gpgme_key_t key = NULL;
	*has = false;
	if (home->gateway[0] == '\0')
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the gateway has no key yet");
	if (engine_open(home->place, &ctx, err) != 0)
		return -1;
	const gpgme_error_t code = gpgme_get_key(ctx, home->gateway, &key, 0);
	if (code == 0)
		*has = key_has(key, address);
	gpgme_key_unref(key);
	gpgme_release(ctx);
	return code == 0 ? 0 : engine_failed(err, code, "cannot read the gateway's key");
}

static bool is_primary(gpgme_ctx_t ctx, const char *fingerprint, const char *user_id)
{
	gpgme_key_t key = NULL;
	const bool is = gpgme_get_key(ctx, fingerprint, &key, 0) == 0 && key->uids != NULL &&
			strcmp(key->uids->uid, user_id) == 0;
	gpgme_key_unref(key);
	return is;
}

/* gpg takes the newest user ID for the primary one unless another is marked as that. Newer ones
 * call it an error to mark one that is marked already. */
static gpgme_error_t add(gpgme_ctx_t ctx, const char *fingerprint, const char *user_id)
{
	gpgme_key_t key = NULL;
	gpgme_error_t code = gpgme_get_key(ctx, fingerprint, &key, 1);
	if (code == 0)
		code = gpgme_op_adduid(ctx, key, user_id, 0);
	if (code == 0 && key->uids != NULL) {
		code = gpgme_op_set_uid_flag(ctx, key, key->uids->uid, "primary", NULL);
		if (code != 0 && is_primary(ctx, fingerprint, key->uids->uid))
			code = 0;
	}
	gpgme_key_unref(key);
	return code;
}

/* In the main home: in the place the keyring is a link, which gpg would replace. */
static int add_to_key(const struct home *home, const char *user_id, struct err *err)
{
	const bool served = agent_is_there(home->path);
	gpgme_ctx_t ctx;
	int result = 0;
	if (engine_open(home->path, &ctx, err) != 0)
		return -1;
	engine_unlock_new(ctx, home->passphrase);
	const gpgme_error_t code = add(ctx, home->gateway, user_id);
	gpgme_release(ctx);
	if (engine_is_locked(home->passphrase, code, err))
		result = -1;
	else if (code != 0)
		result = engine_failed(err, code, "cannot add a user ID to the gateway's key");
	if (!served && strcmp(home->place, home->path) != 0)
		agent_stop(home->path);
	return result;
}

int identity_add(struct home *home, const char *name, const char *address, struct err *err)
{
	char user_id[HOME_USER_ID_SIZE];
	bool has;
	bool asks = false;
	if (identity_has(home, address, &has, err) != 0)
		return -1;
	if (has)
		return 0;
	if (home_user_id(name, address, user_id, err) != 0)
		return -1;
	if (add_to_key(home, user_id, err) != 0 || identity_has(home, address, &has, err) != 0)
		return -1;
	if (!has) /* gpg calls some failures a success */
		return home_prove_key(home, err) != 0
			   ? -1
			   : err_set(err, ERR_DAEMON, ERR_LATER,
				 "gpg did not add the user ID %s to the gateway's key", user_id);
	/* What gpg gives to a new one may ask for OCB. */
	if (preferences_look(home, &asks, err) != 0)
		return -1;
	return asks ? preferences_mend(home, err) : 0;
}

/* -- of a certificate -- */

/* "name <address>". */
static bool names(struct view user_id, const char *address)
{
	const size_t len = strlen(address);
	if (user_id.len < len + 2 || user_id.data[user_id.len - 1] != '>' ||
	    user_id.data[user_id.len - len - 2] != '<')
		return false;
	return view_is_nocase(view_part(user_id, user_id.len - len - 1, len), address);
}

/* The number, from 0 on, of the user ID to keep. */
static size_t choose(struct view certificate, const char *address)
{
	struct packet packet;
	size_t number = 0;
	while (packet_next(&certificate, &packet) > 0) {
		if (packet.tag != PACKET_USER_ID)
			continue;
		if (names(packet.body, address))
			return number;
		number++;
	}
	return 0;
}

int identity_keep_one(
    struct view certificate, const char *address, struct buf *out, struct err *err)
{
	const size_t kept = choose(certificate, address);
	struct packet packet;
	size_t number = 0;
	bool within = true; /* what is kept: signatures go with what stands before them */
	int got;
	while ((got = packet_next(&certificate, &packet)) > 0) {
		if (packet.tag == PACKET_USER_ID)
			within = number++ == kept;
		else if (packet.tag == PACKET_USER_ATTRIBUTE)
			within = false;
		else if (packet.tag != PACKET_SIGNATURE)
			within = true;
		if (within)
			buf_add_view(out, packet.whole);
	}
	return got == 0
		   ? 0
		   : err_set(err, ERR_DAEMON, ERR_NEVER, "the gateway's certificate is malformed");
}
