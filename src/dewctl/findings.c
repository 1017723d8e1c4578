#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/secret.h"
#include "dewctl/clocklook.h"
#include "dewctl/findings.h"
#include "dewctl/keyaddresses.h"
#include "dewctl/probe.h"
#include "dewctl/restore.h"
#include "dewctl/unread.h"
#include "pgp/preferences.h"
#include "store/agreements.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "store/backlog.h"
#include "store/bounces.h"
#include "store/mailbox.h"
#include "store/messages.h"
#include "store/stuck.h"
#include "store/uncounted.h"

enum {
	EXPIRY_WARNING_S = 30 * 86400,
	LOSS_WARNING_S = 86400,
	WAITING_WARNING_S = 300,
	SLOW_BAD_S = 3600, /* a mailbox that is full or busy for so long needs somebody */
	UNSENT_SIZE = STORE_ADDRESS_SIZE + STORE_REASON_SIZE + sizeof ": ",
	BOUNCE_WARNING_S = 7 * 86400,
	CLAIMED_S = 3 * 86400,
};

static const struct report_column columns[] = {
    {"what", "WHAT", REPORT_TEXT},
    {"result", "RESULT", REPORT_TEXT},
    {"detail", "DETAIL", REPORT_TEXT},
};

struct findings findings_begin(void)
{
	return (struct findings){.table = report_table(columns, sizeof columns / sizeof columns[0],
				     "nothing was looked at")};
}

void findings_add(
    struct findings *findings, const char *what, enum finding result, const char *detail)
{
	static const char *const names[] = {
	    [FINDING_OK] = "ok", [FINDING_WARNING] = "warning", [FINDING_BAD] = "bad"};
	report_row(findings->table);
	report_add_text(findings->table, what);
	report_add_text(findings->table, names[result]);
	report_add_text(findings->table, detail);
	findings->warnings += result == FINDING_WARNING;
	findings->bad += result == FINDING_BAD;
}

/* Each looks at one thing and says in `detail` what it saw. */
typedef enum finding look_fn(struct ctl *ctl, struct buf *detail);

static enum finding look_at_store(struct ctl *ctl, struct buf *detail)
{
	struct err err;
	if (store_verify(ctl->store, &err) == 0) {
		buf_printf(detail, "whole");
		return FINDING_OK;
	}
	buf_printf(detail, "%s", err.text);
	return FINDING_BAD;
}

static enum finding look_at_audit(struct ctl *ctl, struct buf *detail)
{
	char what[STORE_REASON_SIZE] = "";
	struct err err;
	int64_t count;
	int64_t bad;
	if (store_audit_verify(ctl->store, 0, "", &count, &bad, what, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (bad != 0) {
		buf_add_text(detail, what);
		return FINDING_BAD;
	}
	buf_printf(detail, "%" PRId64 " %s, none edited or missing", count,
	    count == 1 ? "entry" : "entries");
	return FINDING_OK;
}

/* What it lacks that does not hinder the gateway itself. */
static enum finding look_at_certificate(struct ctl *ctl, struct buf *detail)
{
	const char *missing = NULL;
	bool asks = false;
	struct err err;
	if (preferences_look(&ctl->home, &asks, &err) < 0 ||
	    keyaddresses_look(ctl, &missing, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (asks)
		buf_printf(detail,
		    "%s asks for OCB packets, which many programs cannot read: stop dewlined and "
		    "call dewctl key preferences",
		    ctl->gateway);
	else if (missing != NULL)
		buf_printf(detail,
		    "%s has no user ID for %s: who answers to all finds no key for it, and may "
		    "send in the clear; stop dewlined and call dewctl key addresses",
		    ctl->gateway, missing);
	else
		buf_printf(detail, "%s", ctl->gateway);
	return asks || missing != NULL ? FINDING_WARNING : FINDING_OK;
}

static enum finding look_at_key(struct ctl *ctl, struct buf *detail)
{
	struct err err;
	if (ctl_open_home(ctl, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (strcmp(ctl->home.gateway, ctl->gateway) != 0) {
		buf_printf(detail,
		    "the key %s is not in %s: put the gateway's GnuPG home "
		    "back from a copy",
		    ctl->gateway, ctl->home.path);
		return FINDING_BAD;
	}
	if (home_prove_key(&ctl->home, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (secret_check(SECRET_GATEWAY, ctl->config.gateway.passphrase_file, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	return look_at_certificate(ctl, detail);
}

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

static enum finding look_at_smarthost(struct ctl *ctl, struct buf *detail)
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

static enum finding look_at_drop(struct ctl *ctl, struct buf *detail)
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

static enum finding look_at_mailbox(struct ctl *ctl, struct buf *detail)
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

/* Also where it was stopped on purpose or is not started yet: until it is, nobody is reached. */
static enum finding look_at_daemon(struct ctl *ctl, struct buf *detail)
{
	if (ctl_daemon_runs(ctl)) {
		buf_printf(detail, "dewlined is running");
		return FINDING_OK;
	}
	buf_printf(
	    detail, "dewlined is not running: nothing is taken in or sent until it is started");
	return FINDING_BAD;
}

static int read_number(struct ctl *ctl, const char *name, int64_t *number, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	bool found;
	*number = 0;
	const int status = store_value_get(ctl->store, name, &value, &found, err);
	if (status == 0 && found)
		text_number(buf_view(&value), 0, INT64_MAX, number);
	buf_release(&value);
	return status;
}

/* As long as all is well, a mail is opened and sealed within seconds. */
static enum finding look_at_waiting(struct ctl *ctl, struct buf *detail)
{
	struct backlog backlog;
	char since[TEXT_TIME_SIZE];
	struct err err;
	if (store_backlog(ctl->store, ctl->now - WAITING_WARNING_S, &backlog, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (backlog.since == 0) {
		buf_printf(detail, "nothing waits for longer than %d min", WAITING_WARNING_S / 60);
		return FINDING_OK;
	}
	text_format_time(backlog.since, since);
	buf_printf(detail,
	    "to be opened: %" PRId64 ", to be sealed: %" PRId64 ", to be withdrawn: %" PRId64
	    ", since %s: the log of dewlined says why",
	    backlog.mails, backlog.unsealed, backlog.withdrawals, since);
	return FINDING_WARNING;
}

/* Mail that the smarthost does not take. */
struct unsent {
	int64_t now;
	int64_t ours; /* waiting because of what it has against the gateway, */
	int64_t slow; /* because of the recipient's mailbox, and so for long, */
	int64_t others; /* or lately */
	int64_t failed;
	int64_t since; /* the first attempt of the oldest that waits */
	char waiting_for[UNSENT_SIZE]; /* the oldest, the worst kind first */
	char failed_for[UNSENT_SIZE]; /* the newest */
};

static void say_one(
    char out[static UNSENT_SIZE], const struct delivery *delivery)
{
	snprintf(out, UNSENT_SIZE, "%s: %s", delivery->address,
	    delivery->reason);
}

static int count_unsent(void *context, const struct delivery *delivery, struct err *err)
{
	struct unsent *unsent = context;
	(void)err;
	if (delivery->about == DELIVERY_ABOUT_NOTHING)
		return 0;
	const bool ours = delivery->about == DELIVERY_ABOUT_GATEWAY;
	const bool first = ours ? unsent->ours == 0 : unsent->ours + unsent->slow + unsent->others == 0;
	if (ours)
		unsent->ours++;
	else if (unsent->now - delivery->first_at >= SLOW_BAD_S)
		unsent->slow++;
	else
		unsent->others++;
	if (first)
		say_one(unsent->waiting_for, delivery);
	if (unsent->since == 0 || delivery->first_at < unsent->since)
		unsent->since = delivery->first_at;
	return 0;
}

static int count_failed(void *context, const struct delivery *delivery, struct err *err)
{
	struct unsent *unsent = context;
	(void)err;
	unsent->failed++;
	say_one(unsent->failed_for, delivery);
	return 0;
}

static void say_unsent(const struct unsent *unsent, struct buf *detail)
{
	const int64_t waiting = unsent->ours + unsent->slow + unsent->others;
	char since[TEXT_TIME_SIZE];
	text_format_time(unsent->since, since);
	if (waiting > 0)
		buf_printf(detail, "%" PRId64 " %s since %s, such as %s%s", waiting,
		    waiting == 1 ? "mail waits" : "mails wait", since, unsent->waiting_for,
		    unsent->ours > 0
			? "; mend it at the smarthost or in smarthost: of the configuration, "
			  "then dewctl queue retry"
			: "");
	if (unsent->failed > 0)
		buf_printf(detail,
		    "%s%" PRId64 " failed, such as %s; dewctl queue list --failed names them, "
		    "dewctl queue retry --failed all tries again, and an address that is wrong is "
		    "to be changed or removed",
		    waiting > 0 ? ". " : "", unsent->failed, unsent->failed_for);
}

static enum finding look_at_queue(struct ctl *ctl, struct buf *detail)
{
	struct unsent unsent = {.now = ctl->now};
	struct err err;
	if (store_delivery_each_queued(ctl->store, count_unsent, &unsent, &err) < 0 ||
	    store_delivery_each_refused(ctl->store, count_failed, &unsent, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	say_unsent(&unsent, detail);
	if (unsent.ours + unsent.slow + unsent.failed > 0)
		return FINDING_BAD;
	if (unsent.others > 0)
		return FINDING_WARNING;
	buf_printf(detail, "the smarthost has refused nothing that still has to be sent");
	return FINDING_OK;
}

/* What came back, also of the alarms about it, of which nobody is told by mail. */
static enum finding look_at_bounces(struct ctl *ctl, struct buf *detail)
{
	char address[STORE_ADDRESS_SIZE];
	int64_t count;
	struct err err;
	if (store_bounce_open(ctl->store, ctl->now - BOUNCE_WARNING_S, &count, address, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (count == 0) {
		buf_printf(
		    detail, "no mail came back in the last %d days", BOUNCE_WARNING_S / 86400);
		return FINDING_OK;
	}
	buf_printf(detail,
	    "%" PRId64 " %s back in the last %d days, and no answer came since, the last from %s: "
	    "dewctl bounce list",
	    count, count == 1 ? "mail came" : "mails came", BOUNCE_WARNING_S / 86400, address);
	return FINDING_WARNING;
}

/* True when the daemon cannot start what it needs, and why. */
static bool has_trouble(struct ctl *ctl, struct buf *detail)
{
	struct buf trouble = BUF_EMPTY(BUF_SMALL);
	struct err err;
	bool found;
	const bool has = store_value_get(ctl->store, "trouble", &trouble, &found, &err) == 0 &&
			 found && trouble.len > 0 && ctl_daemon_runs(ctl);
	if (has)
		buf_printf(detail, "%s; it is tried again and again", buf_text(&trouble));
	buf_release(&trouble);
	return has;
}

/* Processes that ended before they had answered: an attack, a fault, or a machine without memory.
 */
static enum finding look_at_processes(struct ctl *ctl, struct buf *detail)
{
	char when[TEXT_TIME_SIZE];
	int64_t readers;
	int64_t vaults;
	int64_t couriers;
	int64_t at;
	struct err err;
	if (has_trouble(ctl, detail))
		return FINDING_BAD;
	if (read_number(ctl, "lost-readers", &readers, &err) < 0 ||
	    read_number(ctl, "lost-vaults", &vaults, &err) < 0 ||
	    read_number(ctl, "lost-couriers", &couriers, &err) < 0 ||
	    read_number(ctl, "lost-at", &at, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (at == 0) {
		buf_printf(detail, "none was lost");
		return FINDING_OK;
	}
	text_format_time(at, when);
	buf_printf(detail,
	    "%" PRId64 " readers, %" PRId64 " vaults and %" PRId64
	    " couriers were lost so far, the last by %s",
	    readers, vaults, couriers, when);
	return ctl->now - at < LOSS_WARNING_S ? FINDING_WARNING : FINDING_OK;
}

/* An agreement that expires with no later one cuts everybody off at once. */
static enum finding look_at_agreement(struct ctl *ctl, struct buf *detail)
{
	struct agreement agreement;
	struct buf text = BUF_EMPTY(AGREEMENT_TEXT_MAX + 1);
	char when[TEXT_TIME_SIZE];
	struct err err;
	bool found;
	const int status = store_agreement_get(ctl->store, 0, &agreement, &text, &found, &err);
	buf_release(&text);
	if (status < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (!found) {
		buf_printf(detail, "none is published, so none is asked for");
		return FINDING_OK;
	}
	text_format_time(agreement.expires, when);
	buf_printf(detail, "version %" PRId64 "%s%s", agreement.version,
	    agreement.expires != 0 ? ", expires on " : "", when);
	if (agreement.expires == 0 || agreement.expires > ctl->now + EXPIRY_WARNING_S)
		return FINDING_OK;
	buf_printf(detail, ": publish the next with dewctl agreement publish");
	return agreement.expires > ctl->now ? FINDING_WARNING : FINDING_BAD;
}

/* Mail of people known here that counts for nothing, and that they may not know of. */
static enum finding look_at_answers(struct ctl *ctl, struct buf *detail)
{
	struct err err;
	int64_t untold;
	int64_t claimed;
	if (store_uncounted_count_untold(ctl->store, &untold, &err) < 0 ||
	    store_arrival_count_claimed(ctl->store, ctl->now - CLAIMED_S, &claimed, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (untold > 0)
		buf_printf(detail,
		    "%" PRId64 " do not count, and their contacts could not be told%s", untold,
		    claimed > 0 ? "; " : ": dewctl inbox list");
	if (claimed > 0)
		buf_printf(detail,
		    "in three days %" PRId64 " mail%s with the address of somebody known, who has "
		    "not proven to have sent %s, and is not told: dewctl inbox list",
		    claimed, claimed == 1 ? " came" : "s came", claimed == 1 ? "it" : "them");
	if (untold > 0 || claimed > 0)
		return FINDING_WARNING;
	buf_printf(detail, "whoever sent one that does not count has been told");
	return FINDING_OK;
}

static const struct {
	const char *what;
	look_fn *look;
} looks[] = {
    {"store", look_at_store},
    {"audit", look_at_audit},
    {"gateway-key", look_at_key},
    {"smarthost", look_at_smarthost},
    {"drop", look_at_drop},
    {"mailbox", look_at_mailbox},
    {"restore", restore_look},
    {"agreement", look_at_agreement},
    {"daemon", look_at_daemon},
    {"clock", clocklook},
    {"waiting", look_at_waiting},
    {"queue", look_at_queue},
    {"bounces", look_at_bounces},
    {"answers", look_at_answers},
    {"unread", unread_look},
    {"processes", look_at_processes},
};

void findings_collect(struct ctl *ctl, struct findings *findings)
{
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		struct buf detail = BUF_EMPTY(BUF_SMALL);
		const enum finding result = looks[i].look(ctl, &detail);
		findings_add(findings, looks[i].what, result, buf_text(&detail));
		buf_release(&detail);
	}
}

void findings_probe(struct ctl *ctl, struct findings *findings)
{
	struct buf detail = BUF_EMPTY(BUF_SMALL);
	const bool well = probe_smarthost(&ctl->config, &detail);
	findings_add(findings, "connection", well ? FINDING_OK : FINDING_BAD, buf_text(&detail));
	buf_release(&detail);
}
