#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/text.h"
#include "config/secret.h"
#include "dewctl/findings_looks.h"
#include "dewctl/keyaddresses.h"
#include "pgp/preferences.h"
#include "store/agreements.h"
#include "store/audit.h"

enum {
	EXPIRY_WARNING_S = 30 * 86400,
	BACKUP_WARNING_S = 7 * 86400,
	DAY_S = 86400,
	MEGABYTE = 1000000,
	ROOM_BAD_MB = 50, /* one large advisory, sealed, and the log of its way */
	ROOM_WARNING_MB = 500,
	FILES_BAD = 100,
	FILES_WARNING = 1000,
};

/* As dewlined wants it at its next start. */
enum finding look_at_state(struct ctl *ctl, struct buf *detail)
{
	const char *state = ctl->config.state;
	struct stat about;
	if (stat(state, &about) != 0) {
		buf_printf(detail, "%s: %s", state, strerror(errno));
		return FINDING_BAD;
	}
	if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		buf_printf(detail,
		    "%s is open to others, and dewlined would not start on it again: chmod 700 it",
		    state);
		return FINDING_BAD;
	}
	if (about.st_uid != geteuid()) {
		buf_printf(detail,
		    "%s belongs to user %u, and dewctl runs as user %u: run it as that user or "
		    "with sudo",
		    state, (unsigned)about.st_uid, (unsigned)geteuid());
		return FINDING_BAD;
	}
	buf_printf(detail, "%s, of one user alone", state);
	return FINDING_OK;
}

static void say_size(struct buf *detail, int64_t bytes)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
	size_t unit = 0;
	for (; bytes >= 10000 && unit + 1 < sizeof units / sizeof units[0]; unit++)
		bytes /= 1000;
	buf_printf(detail, "%" PRId64 " %s", bytes, units[unit]);
}

enum finding findings_judge_room(
    const char *directory, int64_t bytes, int64_t files, struct buf *detail)
{
	const bool few = files >= 0 && files < FILES_WARNING;
	buf_printf(detail, "%s%s: ", detail->len > 0 ? "; " : "", directory);
	say_size(detail, bytes);
	buf_add_text(detail, " free");
	if (few)
		buf_printf(detail, ", and room for %" PRId64 " files more", files);
	const bool bad =
	    bytes < (int64_t)ROOM_BAD_MB * MEGABYTE || (files >= 0 && files < FILES_BAD);
	const bool scarce = few || bytes < (int64_t)ROOM_WARNING_MB * MEGABYTE;
	if (bad)
		buf_add_text(detail, ", too little to go on for long: make room now");
	else if (scarce)
		buf_add_text(detail, ": make room");
	return bad ? FINDING_BAD : scarce ? FINDING_WARNING : FINDING_OK;
}

/* A full disk ends the gate, and lets no mail into the drop. */
enum finding look_at_room(struct ctl *ctl, struct buf *detail)
{
	const char *const directories[] = {ctl->config.state, ctl->config.drop};
	enum finding result = FINDING_OK;
	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
		struct statvfs about;
		if (statvfs(directories[i], &about) != 0)
			continue; /* which its own row tells of */
		const enum finding one = findings_judge_room(directories[i],
		    (int64_t)(about.f_bavail * about.f_frsize),
		    about.f_files == 0 ? -1 : (int64_t)about.f_favail, detail);
		result = one > result ? one : result;
	}
	return result;
}

enum finding findings_judge_backup(int64_t now, int64_t first, int64_t last, struct buf *detail)
{
	char when[TEXT_TIME_SIZE];
	const bool old = now - (last > 0 ? last : first) > BACKUP_WARNING_S;
	text_format_time(last, when);
	if (last > 0)
		buf_printf(detail, "the last was made by dewctl backup at %s", when);
	else
		buf_printf(detail, "none was made by dewctl backup%s", old ? " yet" : "");
	if (old)
		buf_printf(detail,
		    ": what came in more than %d days would be lost with the disk; make one, and "
		    "keep it on another machine",
		    BACKUP_WARNING_S / DAY_S);
	return old ? FINDING_WARNING : FINDING_OK;
}

/* Only what dewctl backup made is known. */
enum finding look_at_backup(struct ctl *ctl, struct buf *detail)
{
	int64_t first;
	int64_t last;
	struct err err;
	if (store_audit_times(ctl->store, "store.backup", &first, &last, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	return findings_judge_backup(ctl->now, first, last, detail);
}

enum finding look_at_store(struct ctl *ctl, struct buf *detail)
{
	struct err err;
	if (store_verify(ctl->store, &err) == 0) {
		buf_printf(detail, "whole");
		return FINDING_OK;
	}
	buf_printf(detail, "%s", err.text);
	return FINDING_BAD;
}

enum finding look_at_audit(struct ctl *ctl, struct buf *detail)
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

enum finding look_at_key(struct ctl *ctl, struct buf *detail)
{
	struct err err;
	if (ctl_open_home(ctl, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (ctl->home.gateway[0] == '\0') {
		home_refuse_keyless(&ctl->home, &err);
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

/* An agreement that expires with no later one cuts everybody off at once. */
enum finding look_at_agreement(struct ctl *ctl, struct buf *detail)
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
