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
#include "store/keylife.h"

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

/* Puts it into the store with its audit entry. *state says what it is now, "" when it clashed. */
static int put(struct adding *adding, const struct certificate_verdict *verdict, bool *is_new,
    char state[static STORE_ID_SIZE], struct err *err)
{
	struct ctl *ctl = adding->ctl;
	struct certificate certificate;
	char clash[FINGERPRINT_SIZE] = "";
	const char *fingerprint = verdict->facts.fingerprint;
	state[0] = '\0';
	if (store_begin(ctl->store, err) < 0)
		return -1;
	int status = store_certificate_put(ctl->store, &verdict->facts, verdict->minimal,
	    ctl->config.sealing.shard, is_new, clash, err);
	if (status == 0 && clash[0] == '\0') {
		status = find_certificate(ctl, fingerprint, &certificate, err);
		if (status == 0)
			status = ctl_audit(ctl, *is_new ? "key.add" : "key.update", fingerprint,
			    err, "%s", verdict->facts.user_id);
		if (status == 0)
			snprintf(state, STORE_ID_SIZE, "%s", certificate.state);
	}
	if (clash[0] != '\0')
		snprintf(adding->reason, sizeof adding->reason,
		    "it has a key ID of another certificate, %s: ask for a new key", clash);
	return ctl_end(ctl, status, err);
}

/* A revocation is the one thing that a refused certificate brings: from now on nothing is sealed
 * for it, and nothing counts that it signed. */
static int retire_revoked(
    struct adding *adding, const struct certificate_verdict *verdict, struct err *err)
{
	struct ctl *ctl = adding->ctl;
	struct certificate certificate;
	const char *fingerprint = verdict->facts.fingerprint;
	bool found, moved = false;
	if (store_begin(ctl->store, err) < 0)
		return -1;
	int status = store_certificate_get(ctl->store, fingerprint, &certificate, &found, err);
	if (status == 0 && found)
		status = store_certificate_move(ctl->store, fingerprint, "retire", &moved, err);
	if (status == 0 && moved)
		status = ctl_audit(ctl, "key.retire", fingerprint, err, "revoked by its owner");
	if (ctl_end(ctl, status, err) < 0)
		return -1;
	if (!moved)
		return refuse_one(adding, &verdict->facts);
	adding->retired++;
	add_row(adding, "retired", "retired", &verdict->facts);
	return 0;
}

/* Of a refresh: certificates that are not known, and those that bring nothing new. */
static int pass_over(struct adding *adding, const struct certificate_verdict *verdict,
    bool *passed_over, struct err *err)
{
	struct buf bytes = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	bool known;
	if (store_certificate_bytes(
		adding->ctl->store, verdict->facts.fingerprint, &bytes, &known, err) < 0)
		return -1;
	const bool same = known && view_equals(buf_view(&bytes), verdict->minimal);
	*passed_over = !known || same;
	if (!known) {
		adding->skipped++;
		snprintf(adding->reason, sizeof adding->reason, "not known: key add takes it");
		add_row(adding, "skipped", "", &verdict->facts);
	} else if (same) {
		adding->unchanged++;
		add_row(adding, "unchanged", "", &verdict->facts);
	}
	buf_release(&bytes);
	return 0;
}

/* Likewise when the encryption subkey is revoked and there is no other. */
static int close_revoked(
    struct adding *adding, const struct certificate_verdict *verdict, struct err *err)
{
	struct ctl *ctl = adding->ctl;
	struct certificate certificate;
	const char *fingerprint = verdict->facts.fingerprint;
	bool found;
	if (store_begin(ctl->store, err) < 0)
		return -1;
	int status = store_certificate_get(ctl->store, fingerprint, &certificate, &found, err);
	if (status == 0 && found)
		status = store_key_close(ctl->store, fingerprint, ctl->now, err);
	if (status == 0 && found)
		status = ctl_audit(ctl, "key.close", fingerprint, err,
		    "the encryption subkey is revoked by its owner");
	return ctl_end(ctl, status, err) < 0 ? -1 : refuse_one(adding, &verdict->facts);
}

static int add_certificate(
    void *context, const struct certificate_verdict *verdict, struct err *err)
{
	struct adding *adding = context;
	char state[STORE_ID_SIZE];
	bool is_new = false;
	bool passed_over = false;
	snprintf(adding->reason, sizeof adding->reason, "%s", verdict->reason);
	if (adding->refresh && pass_over(adding, verdict, &passed_over, err) < 0)
		return -1;
	if (passed_over)
		return 0;
	if (adding->reason[0] == '\0' &&
	    strcmp(verdict->facts.fingerprint, adding->ctl->gateway) == 0)
		snprintf(
		    adding->reason, sizeof adding->reason, "this is the gateway's own certificate");
	if (verdict->revoked)
		return retire_revoked(adding, verdict, err);
	if (verdict->closed)
		return close_revoked(adding, verdict, err);
	if (adding->reason[0] != '\0')
		return refuse_one(adding, &verdict->facts);
	if (put(adding, verdict, &is_new, state, err) < 0)
		return -1;
	if (adding->reason[0] != '\0')
		return refuse_one(adding, &verdict->facts);
	adding->added += is_new;
	adding->updated += !is_new;
	if (strcmp(state, "retired") == 0)
		snprintf(adding->reason, sizeof adding->reason, "stays retired");
	add_row(adding, is_new ? "added" : "updated", state, &verdict->facts);
	return 0;
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
	if (taken > 0) {
		if (!adding->ctl->json && adding->added == 1 && taken + adding->refused == 1)
			ctl_say("Check the fingerprint over another channel, then: dewctl key "
				"confirm %s",
			    adding->fingerprint);
		return 0;
	}
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
	const int status = certificate_read(
	    content, ctl->now, ctl->config.state, add_certificate, adding, show_progress, err);
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
