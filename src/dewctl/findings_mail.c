#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/text.h"
#include "config/secret.h"
#include "dewctl/findings_looks.h"
#include "store/mailbox.h"
#include "store/outcomes.h"
#include "store/stuck.h"

static enum finding look_at_password(
    const char *name, const char *user, const char *path, struct buf *detail)
{
	struct err err;
	if (secret_is_credential(view_of(path)))
		return FINDING_OK; /* which only the service has */
	if (path[0] == '\0') {
		buf_printf(detail, "user %s has no password_file", user);
		return FINDING_BAD;
	}
	if (access(path, R_OK) != 0) {
		buf_printf(detail, "the password file %s cannot be read", path);
		return FINDING_BAD;
	}
	if (secret_check(name, path, &err) < 0) {
		buf_printf(detail, "the password file %s", err.text);
		return FINDING_BAD;
	}
	return FINDING_OK;
}

enum finding look_at_smarthost(struct ctl *ctl, struct buf *detail)
{
	const struct config *config = &ctl->config;
	static const char *const tls[] = {[CONFIG_TLS_STARTTLS] = "STARTTLS",
	    [CONFIG_TLS_TLS] = "TLS",
	    [CONFIG_TLS_NONE] = "no TLS"};
	const char *ca_file = config->smarthost.ca_file;
	if (config->smarthost.host[0] == '\0') {
		buf_printf(detail, "no smarthost.host in %s", config->file);
		return FINDING_BAD;
	}
	if (ca_file[0] != '\0' && access(ca_file, R_OK) != 0) {
		buf_printf(detail, "the ca_file %s cannot be read", ca_file);
		return FINDING_BAD;
	}
	if (config->smarthost.user[0] != '\0' &&
	    look_at_password(SECRET_SMARTHOST, config->smarthost.user,
		config->smarthost.password_file, detail) != FINDING_OK)
		return FINDING_BAD;
	buf_printf(detail, "%s, port %" PRId64 ", %s", config->smarthost.host,
	    config->smarthost.port, tls[config->smarthost.tls]);
	return FINDING_OK;
}

/* About whatever mail it was: the queue tells of those that wait. */
enum finding look_at_word(struct ctl *ctl, struct buf *detail)
{
	struct smarthost_word word;
	char when[TEXT_TIME_SIZE];
	struct err err;
	if (store_smarthost_word_get(ctl->store, &word, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (word.at == 0) {
		buf_add_text(detail, "none yet: dewctl check --smarthost asks it");
		return FINDING_OK;
	}
	text_format_time(word.at, when);
	buf_printf(detail, "%s: %s%s", when, word.taken ? "a mail was taken: " : "", word.text);
	return word.taken ? FINDING_OK : FINDING_WARNING;
}

/* How many files were put aside, and -1 where that cannot be seen. */
static int count_aside(const struct ctl *ctl)
{
	char path[CTL_PATH_SIZE];
	const struct dirent *entry;
	int count = 0;
	snprintf(path, sizeof path, "%s/refused", ctl->config.drop);
	DIR *directory = opendir(path);
	if (directory == NULL)
		return errno == ENOENT ? 0 : -1;
	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

/* What the gate has kept about it, and what it has put aside. */
static enum finding look_at_stuck(struct ctl *ctl, struct buf *detail)
{
	struct stuck_state state;
	char when[TEXT_TIME_SIZE];
	struct err err;
	const int aside = count_aside(ctl);
	if (store_stuck_get(ctl->store, &state, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (state.since != 0) {
		text_format_time(state.since, when);
		buf_printf(detail,
		    "%" PRId64 " cannot be taken, since %s, and will be tried again: %s",
		    state.count, when, state.reason);
		return FINDING_BAD;
	}
	buf_printf(detail, "%s", ctl->config.drop);
	if (aside <= 0)
		return FINDING_OK;
	buf_printf(detail,
	    "; %d put aside in %s/refused: look at %s, then remove %s (dewctl inbox list says why)",
	    aside, ctl->config.drop, aside == 1 ? "it" : "them", aside == 1 ? "it" : "them");
	return FINDING_WARNING;
}

enum finding look_at_drop(struct ctl *ctl, struct buf *detail)
{
	static const char *const parts[] = {"new", "cur", "tmp"};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		char path[CTL_PATH_SIZE];
		snprintf(path, sizeof path, "%s/%s", ctl->config.drop, parts[i]);
		if (access(path, R_OK | W_OK | X_OK) == 0)
			continue;
		if (errno == ENOENT)
			buf_printf(
			    detail, "there is no %s: make it, owned by the daemon's user", path);
		else
			buf_printf(detail,
			    "%s cannot be read and written: the daemon's "
			    "user must own it",
			    path);
		return FINDING_BAD;
	}
	return look_at_stuck(ctl, detail);
}

/* What the gate has kept about it. */
static enum finding look_at_reach(struct ctl *ctl, struct buf *detail)
{
	struct mailbox_state state;
	char when[TEXT_TIME_SIZE];
	struct err err;
	if (store_mailbox_get(ctl->store, &state, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	buf_printf(detail, "%s on %s, ", ctl->config.imap.mailbox, ctl->config.imap.server);
	if (state.down_since != 0) {
		text_format_time(state.down_since, when);
		buf_printf(detail, "out of reach since %s: %s", when, state.down_reason);
		return ctl->now - state.down_since < ctl->config.imap.alarm ? FINDING_WARNING
									    : FINDING_BAD;
	}
	text_format_time(state.reached_at, when);
	if (state.reached_at == 0)
		buf_printf(detail, "never opened yet");
	else
		buf_printf(detail, "in reach since %s", when);
	if (state.left == 0)
		return FINDING_OK;
	buf_printf(detail, "; %" PRId64 " %s in it that cannot be taken, the newest: %s",
	    state.left, state.left == 1 ? "message stays" : "messages stay", state.left_reason);
	return FINDING_WARNING;
}

enum finding look_at_mailbox(struct ctl *ctl, struct buf *detail)
{
	const struct config *config = &ctl->config;
	const char *ca_file = config->imap.ca_file;
	if (config->imap.server[0] == '\0') {
		buf_printf(detail, "none is configured: mail is delivered into the drop");
		return FINDING_OK;
	}
	if (ca_file[0] != '\0' && access(ca_file, R_OK) != 0) {
		buf_printf(detail, "the ca_file %s cannot be read", ca_file);
		return FINDING_BAD;
	}
	if (look_at_password(SECRET_IMAP, config->imap.user, config->imap.password_file, detail) !=
	    FINDING_OK)
		return FINDING_BAD;
	return look_at_reach(ctl, detail);
}
