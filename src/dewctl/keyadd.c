#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "dewctl/find.h"
#include "dewctl/keyadd.h"
#include "rules/reach.h"

enum { READ_STEP = 64 * 1024, FEW = 100, PROGRESS_LINES = 10 };

/* A file of 10,000 certificates as found in the wild is about 100 MB. */
#define KEY_FILE_MAX ((size_t)512 * 1024 * 1024)

static const struct report_column columns[] = {
    {"result", "RESULT", REPORT_TEXT},
    {"fingerprint", "FINGERPRINT", REPORT_TEXT},
    {"user_id", "USER ID", REPORT_TEXT},
    {"state", "STATE", REPORT_TEXT},
    {"expires_at", "EXPIRES", REPORT_TIME},
    {"reason", "REASON", REPORT_TEXT},
};

struct adding {
	struct ctl *ctl;
	struct report *report;
	bool refresh; /* what is not known is passed over */
	int64_t added, updated, retired, refused, unchanged, skipped;
	char fingerprint[FINGERPRINT_SIZE]; /* of the last one */
	char reason[CERTIFICATE_REASON_SIZE]; /* why the last one was refused */
};

static int read_standard_input(struct buf *out, struct err *err)
{
	for (;;) {
		char *room = buf_reserve(out, READ_STEP);
		if (room == NULL)
			return ctl_refuse(
			    err, "standard input is larger than %zu bytes: split it", out->max);
		const ssize_t len = read(STDIN_FILENO, room, READ_STEP);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return err_system(err, "cannot read standard input");
		if (len == 0)
			return 0;
		buf_grown(out, (size_t)len);
	}
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
	if (strcmp(path, "-") == 0)
		return read_standard_input(out, err);
	/* The caller's own file: a link to it is as good. */
	char *real = realpath(path, NULL);
	if (real == NULL)
		return err_system(err, "cannot read %s", path);
	const int status = file_read(real, out, err);
	free(real);
	return status;
}

static void add_row(struct adding *adding, const char *result, const char *state,
    const struct certificate_facts *facts)
{
	const struct certificate whole = {.facts = *facts};
	report_row(adding->report);
	report_add_text(adding->report, result);
	report_add_text(adding->report, facts->fingerprint);
	report_add_text(adding->report, facts->user_id);
	report_add_text(adding->report, state);
	report_add_time(adding->report, reach_expires(&whole));
	report_add_text(adding->report, adding->reason);
	snprintf(adding->fingerprint, sizeof adding->fingerprint, "%s", facts->fingerprint);
}

static int refuse_one(struct adding *adding, const struct certificate_facts *facts)
{
	adding->refused++;
	add_row(adding, "refused", "", facts);
	return 0;
}

static const char stale[] = "the certificate was changed meanwhile by somebody else: call it again";

/* Takes it into the store, with an audit entry for what changes. */
static int take(struct adding *adding, const struct certificate_verdict *verdict,
    enum certificate_outcome *outcome, struct certificate *now, struct err *err)
{
	static const char *const events[] = {
	    [CERTIFICATE_ADDED] = "key.add",
	    [CERTIFICATE_UPDATED] = "key.update",
	    [CERTIFICATE_UNCHANGED] = "key.update",
	    [CERTIFICATE_KEPT] = "key.update",
	    [CERTIFICATE_CLOSED] = "key.close",
	    [CERTIFICATE_RETIRED] = "key.retire",
	};
	struct ctl *ctl = adding->ctl;
	const char *fingerprint = verdict->facts.fingerprint;
	char clash[FINGERPRINT_SIZE] = "";
	bool found;
	if (store_begin(ctl->store, err) < 0)
		return -1;
	int status = store_certificate_take(
	    ctl->store, verdict, ctl->config.sealing.shard, ctl->now, outcome, clash, err);
	if (status == 0)
		status = store_certificate_get(ctl->store, fingerprint, now, &found, err);
	const char *event = events[*outcome];
	if (status == 0 && *outcome >= CERTIFICATE_ADDED && event != NULL)
		status = ctl_audit(ctl, event, fingerprint, err, "%s",
		    *outcome == CERTIFICATE_RETIRED ? "revoked by its owner"
		    : *outcome == CERTIFICATE_CLOSED
			? "the encryption subkey is revoked by its owner"
			: verdict->facts.user_id);
	if (*outcome == CERTIFICATE_CLASH)
		snprintf(adding->reason, sizeof adding->reason,
		    "it has a key ID of another certificate, %s: ask for a new key", clash);
	if (status == 0 && *outcome == CERTIFICATE_STALE)
		status = ctl_refuse(err, "%s", stale);
	return ctl_end(ctl, status, err);
}

/* From now on somebody is cut off: by name. */
static int warn_of_loss(struct adding *adding, const char *fingerprint, struct err *err)
{
	struct buf user = BUF_EMPTY(BUF_SMALL);
	if (find_user_of(adding->ctl, fingerprint, &user, err) < 0) {
		buf_release(&user);
		return -1;
	}
	if (user.len > 0)
		ctl_warn("the key %s is revoked: from now on %s cannot be served; ask them for a "
			 "new key over another channel",
		    fingerprint, buf_text(&user));
	buf_release(&user);
	return 0;
}

/* What is taken of a certificate that is refused, or what keeps one that is taken from use. */
static void explain(
    struct adding *adding, const struct certificate_verdict *verdict, const char *state)
{
	char reason[CERTIFICATE_REASON_SIZE];
	memcpy(reason, adding->reason, sizeof reason);
	if (reason[0] != '\0')
		snprintf(adding->reason, sizeof adding->reason,
		    "its revocations are taken, and nothing else: %.180s", reason);
	else if (verdict->unproved[0] != '\0')
		snprintf(adding->reason, sizeof adding->reason,
		    "a revocation by %s does not count: that certificate is not here; put it into "
		    "the same file",
		    verdict->unproved);
	else if (strcmp(state, "retired") == 0)
		snprintf(adding->reason, sizeof adding->reason, "stays retired");
}

static int add_outcome(struct adding *adding, const struct certificate_verdict *verdict,
    enum certificate_outcome outcome, const char *state, struct err *err)
{
	const struct certificate_facts *facts = &verdict->facts;
	switch (outcome) {
	case CERTIFICATE_RETIRED:
		adding->retired++;
		add_row(adding, "retired", state, facts);
		return warn_of_loss(adding, facts->fingerprint, err);
	case CERTIFICATE_CLOSED:
		adding->updated++;
		add_row(adding, "updated", state, facts);
		return warn_of_loss(adding, facts->fingerprint, err);
	case CERTIFICATE_ADDED:
		adding->added++;
		explain(adding, verdict, state);
		add_row(adding, "added", state, facts);
		return 0;
	case CERTIFICATE_UNCHANGED:
		explain(adding, verdict, state);
		adding->unchanged += adding->refresh;
		adding->updated += !adding->refresh;
		add_row(adding, adding->refresh ? "unchanged" : "updated", state, facts);
		return 0;
	case CERTIFICATE_UPDATED:
	case CERTIFICATE_KEPT:
		adding->updated++;
		explain(adding, verdict, state);
		add_row(adding, "updated", state, facts);
		return 0;
	default:
		break;
	}
	if (!adding->refresh || !verdict->revoked || strcmp(state, "retired") != 0)
		return refuse_one(adding, facts);
	adding->unchanged++;
	add_row(adding, "unchanged", state, facts);
	return 0;
}

static int add_certificate(
    void *context, const struct certificate_verdict *verdict, struct err *err)
{
	struct adding *adding = context;
	struct certificate now = {.state = ""};
	enum certificate_outcome outcome = CERTIFICATE_REFUSED;
	snprintf(adding->reason, sizeof adding->reason, "%s", verdict->reason);
	if (verdict->facts.fingerprint[0] == '\0') /* it could not even be cut off */
		return refuse_one(adding, &verdict->facts);
	if (adding->refresh && !verdict->known) {
		adding->skipped++;
		snprintf(adding->reason, sizeof adding->reason, "not known: key add takes it");
		add_row(adding, "skipped", "", &verdict->facts);
		return 0;
	}
	if (strcmp(verdict->facts.fingerprint, adding->ctl->gateway) == 0)
		snprintf(
		    adding->reason, sizeof adding->reason, "this is the gateway's own certificate");
	else if (take(adding, verdict, &outcome, &now, err) < 0)
		return -1;
	return add_outcome(adding, verdict, outcome, now.state, err);
}

static void show_progress(size_t done, size_t total)
{
	if (isatty(STDERR_FILENO)) {
		ctl_progress("reading certificates", done, total);
		return;
	}
	if (total >= FEW && done > 0 &&
	    done * PROGRESS_LINES / total != (done - 1) * PROGRESS_LINES / total)
		fprintf(stderr, "dewctl: reading certificates: %zu of %zu\n", done, total);
}

static int judge_result(const struct adding *adding, struct err *err)
{
	const int64_t taken = adding->added + adding->updated + adding->retired;
	if (!adding->ctl->json && taken + adding->refused > 1)
		ctl_say("%lld added, %lld updated, %lld retired, %lld refused",
		    (long long)adding->added, (long long)adding->updated,
		    (long long)adding->retired, (long long)adding->refused);
	if (!adding->ctl->json && adding->added == 1 && taken + adding->refused == 1)
		ctl_say("Check the fingerprint over another channel, then: dewctl key confirm %s",
		    adding->fingerprint);
	if (taken > 0 && adding->refused > 0)
		return ctl_refuse(err, "%lld of %lld refused: each line says why",
		    (long long)adding->refused, (long long)(taken + adding->refused));
	if (taken > 0)
		return 0;
	if (adding->refused == 1)
		return ctl_refuse(err, "refused: %s", adding->reason);
	return ctl_refuse(err, "none of the %lld certificates was taken: each line says why",
	    (long long)adding->refused);
}

/* The certificates of one file's content: what is taken stands in the report. */
static int take_content(
    struct adding *adding, const char *path, struct view content, struct err *err)
{
	struct ctl *ctl = adding->ctl;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	const struct certificate_known known = {store_certificate_known, ctl->store};
	const int status = certificate_read(content, ctl->now, ctl->config.state, &known,
	    add_certificate, adding, show_progress, err);
	if (status < 0 && err->whom == ERR_MESSAGE)
		err_prefix(err, "%s", path);
	return status;
}

static int take_file(struct adding *adding, const char *path, struct err *err)
{
	struct buf content = BUF_EMPTY(KEY_FILE_MAX);
	int status = read_file(path, &content, err);
	if (status == 0)
		status = take_content(adding, path, buf_view(&content), err);
	buf_release(&content);
	return status;
}

/* Even after a failure half-way people want to know what was taken before it. */
static int print_report(struct adding *adding, int outcome, struct err *err)
{
	struct err ignored;
	if (outcome < 0 && report_rows(adding->report) == 0)
		return -1;
	const int status =
	    report_print(adding->report, adding->ctl->json, stdout, outcome < 0 ? &ignored : err);
	return outcome < 0 ? -1 : status;
}

int keyadd_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct adding adding = {.ctl = ctl};
	adding.report = report_table(columns, sizeof columns / sizeof columns[0], "no certificate");
	int status = ctl_open_config(ctl, err);
	if (status == 0)
		status = take_file(&adding, call->arguments[0], err);
	status = print_report(&adding, status, err);
	if (status == 0)
		status = judge_result(&adding, err);
	report_free(adding.report);
	return status;
}

/* "" for what is no regular file. */
static int read_entry(const char *dir, const char *name, char path[static CTL_PATH_SIZE],
    struct buf *out, struct err *err)
{
	struct stat info;
	*out = BUF_EMPTY(KEY_FILE_MAX);
	const int len = snprintf(path, CTL_PATH_SIZE, "%s/%s", dir, name);
	if (len >= CTL_PATH_SIZE)
		return ctl_refuse(err, "%s/%s is too long a path", dir, name);
	return stat(path, &info) == 0 && S_ISREG(info.st_mode) ? read_file(path, out, err) : 0;
}

/* Every regular file of a directory, in the order of their names. All are read first, because root
 * then becomes the owner of the state, who may not be allowed to. */
static int take_directory(struct adding *adding, const char *dir, struct err *err)
{
	struct dirent **entries = NULL;
	char path[CTL_PATH_SIZE];
	const int count = scandir(dir, &entries, NULL, alphasort);
	int status = count < 0 ? err_system(err, "cannot read %s", dir) : 0;
	struct buf *contents = calloc((size_t)(count > 0 ? count : 1), sizeof *contents);
	if (contents == NULL)
		abort();
	for (int i = 0; i < count && status == 0; i++)
		status = read_entry(dir, entries[i]->d_name, path, &contents[i], err);
	for (int i = 0; i < count && status == 0; i++) {
		if (contents[i].len == 0)
			continue;
		status = take_content(adding, entries[i]->d_name, buf_view(&contents[i]), err);
		/* A file of another kind, named; anything else ends it. */
		if (status < 0 && err->whom == ERR_MESSAGE) {
			ctl_warn("passed over: %s", err->text);
			status = 0;
		}
	}
	for (int i = 0; i < count; i++) {
		free(entries[i]);
		buf_release(&contents[i]);
	}
	free(contents);
	free(entries);
	return status;
}

int keyadd_refresh(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *path = call->arguments[0];
	struct adding adding = {.ctl = ctl, .refresh = true};
	struct stat info;
	adding.report = report_table(columns, sizeof columns / sizeof columns[0], "no certificate");
	int status = ctl_open_config(ctl, err);
	if (status == 0)
		status = stat(path, &info) == 0 && S_ISDIR(info.st_mode)
			     ? take_directory(&adding, path, err)
			     : take_file(&adding, path, err);
	status = print_report(&adding, status, err);
	if (status == 0 && !ctl->json)
		ctl_say("%lld updated, %lld retired, %lld unchanged, %lld skipped, %lld refused",
		    (long long)adding.updated, (long long)adding.retired,
		    (long long)adding.unchanged, (long long)adding.skipped,
		    (long long)adding.refused);
	report_free(adding.report);
	return status;
}
