#include "config.h"

#include <string.h>

#include "pgp/agent.h"
#include "pgp/conf.h"
#include "pgp/engine.h"
#include "pgp/keyring.h"
#include "pgp/preferences.h"

static int look(const struct home *home, bool *asks, struct err *err)
{
	struct buf certificate = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	struct keyring_entry entry;
	int result = home_export_key(home, false, &certificate, err);
	struct view rest = buf_view(&certificate);
	if (result == 0)
		result = keyring_next(&rest, &entry, err) < 0 ? -1 : 0;
	*asks = result == 0 && entry.asks_for_aead;
	buf_release(&certificate);
	return result;
}

int preferences_look(const struct home *home, bool *asks, struct err *err)
{
	*asks = false;
	return engine_writes_ocb() ? look(home, asks, err) : 0;
}

/* One line for each prompt of gpg's editor. */
static const char *const lines[] = {"setpref " CONF_PREFERENCES, "save"};

struct editing {
	size_t next;
};

static gpgme_error_t on_prompt(void *hook, const char *keyword, const char *args, int fd)
{
	struct editing *editing = hook;
	const char *answer;
	if (strcmp(keyword, "GET_BOOL") == 0)
		answer = "y";
	else if (strcmp(keyword, "GET_LINE") != 0)
		return 0;
	else if (strcmp(args, "keyedit.prompt") == 0 &&
		 editing->next < sizeof lines / sizeof lines[0])
		answer = lines[editing->next++];
	else
		return gpgme_error(GPG_ERR_UNEXPECTED);
	const bool given =
	    gpgme_io_writen(fd, answer, strlen(answer)) == 0 && gpgme_io_writen(fd, "\n", 1) == 0;
	return given ? 0 : gpgme_error_from_syserror();
}

static int edit(const struct home *home, struct err *err)
{
	struct editing editing = {.next = 0};
	struct buf ignored = BUF_EMPTY(BUF_SMALL);
	struct engine_sink sink;
	gpgme_ctx_t ctx;
	gpgme_key_t key = NULL;
	if (engine_open(home->path, &ctx, err) != 0)
		return -1;
	engine_unlock(ctx, home->passphrase);
	gpgme_data_t out = engine_sink(&sink, &ignored);
	gpgme_error_t code = gpgme_get_key(ctx, home->gateway, &key, 1);
	if (code == 0)
		code = gpgme_op_interact(ctx, key, 0, on_prompt, &editing, out);
	gpgme_key_unref(key);
	gpgme_data_release(out);
	gpgme_release(ctx);
	buf_release(&ignored);
	if (engine_is_locked(home->passphrase, code, err))
		return -1;
	return code == 0
		   ? 0
		   : engine_failed(err, code, "cannot change the preferences of the gateway's key");
}

/* gpg's editor calls it a success when it could not sign; then all is as it was. */
static int edit_and_compare(const struct home *home, struct err *err)
{
	struct buf before = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	struct buf after = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	int result = home_export_key(home, false, &before, err);
	if (result == 0)
		result = edit(home, err);
	if (result == 0)
		result = home_export_key(home, false, &after, err);
	if (result == 0 && view_equals(buf_view(&before), buf_view(&after)))
		result = home_prove_key(home, err) != 0
			     ? -1
			     : err_set(err, ERR_DAEMON, ERR_LATER,
				   "gpg did not change the preferences of the gateway's key");
	buf_release(&before);
	buf_release(&after);
	return result;
}

/* In the main home: in the place the keyring is a link, which gpg would replace. */
static int change(const struct home *home, struct err *err)
{
	struct err also;
	const bool served = agent_is_there(home->path);
	int result = conf_write(home->path, CONF_MENDING, "", err);
	if (result == 0)
		result = edit_and_compare(home, err);
	if (conf_write(home->path, CONF_MAIN, "", &also) != 0 && result == 0) {
		*err = also;
		result = -1;
	}
	if (!served && strcmp(home->place, home->path) != 0)
		agent_stop(home->path);
	return result;
}

int preferences_mend(const struct home *home, struct err *err)
{
	bool asks = false;
	if (home->gateway[0] == '\0')
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the gateway has no key yet");
	if (change(home, err) != 0 || look(home, &asks, err) != 0)
		return -1;
	/* gpg 2.2 keeps that wish, which it does not act on. */
	return asks ? err_set(err, ERR_DAEMON, ERR_NEVER,
			  "GnuPG %s leaves the wish for OCB in the gateway's key: do this again "
			  "with a newer one",
			  engine_version())
		    : 0;
}
