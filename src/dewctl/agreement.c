/* dewctl agreement publish, list, show (status and export stand in agreementshow.c) */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "dewctl/agreementshow.h"
#include "dewctl/find.h"
#include "dewctl/verbs.h"
#include "store/agreements.h"

static const char *check_time(struct view value)
{
	int64_t seconds;
	return text_time(value, &seconds) ? NULL : "a time with its zone: 2026-11-25T18:00:00Z";
}

static const struct ctl_option publish_options[] = {
    {"required-from", "TIME", "until then the version before suffices; now unless given",
	check_time, false},
    {"expires", "TIME", "from then on signatures on it are void; never unless given", check_time,
	false},
    {"again", NULL, "also where the newest version has the same text: all sign it anew", NULL, false},
    {0},
};

static int64_t time_of(const struct ctl_call *call, const char *option, int64_t otherwise)
{
	const char *value = ctl_value(call, option);
	int64_t seconds = otherwise;
	if (value != NULL)
		text_time(view_of(value), &seconds);
	return seconds;
}

/* The caller's own file: a link to it is as good. */
static int read_text(const char *path, struct buf *out, struct err *err)
{
	char *real = realpath(path, NULL);
	if (real == NULL)
		return err_system(err, "cannot read %s", path);
	const int status = file_read(real, out, err);
	free(real);
	return status;
}

/* It goes into mails as it is: UTF-8, no control character but ends of lines and tabs. */
static bool is_text(struct view text)
{
	if (!text_is_utf8(text) || view_trim(text).len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.data[i];
		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static int check_agreement(
    const struct ctl *ctl, const struct agreement *agreement, const char *path, struct err *err)
{
	if (!is_text(agreement->text))
		return ctl_refuse(err,
		    "%s is no plain text in UTF-8, without control characters and not empty", path);
	if (agreement->expires != 0 &&
	    (agreement->expires <= agreement->required_from || agreement->expires <= ctl->now))
		return ctl_refuse(err, "it would expire before anybody can rely on it");
	return 0;
}

/* As when the command is run again because nobody saw it end. */
static int refuse_same(struct ctl *ctl, struct view text, struct err *err)
{
	struct buf known = BUF_EMPTY(AGREEMENT_TEXT_MAX + 1);
	struct agreement newest;
	char when[TEXT_TIME_SIZE];
	bool found;
	int status = store_agreement_get(ctl->store, 0, &newest, &known, &found, err);
	if (status == 0 && found && view_equals(buf_view(&known), text)) {
		text_format_time(newest.published_at, when);
		status = ctl_refuse(err,
		    "this text is published already, as version %" PRId64 " at %s: nothing was "
		    "changed. With --again it becomes another version, and all have to sign anew",
		    newest.version, when);
	}
	buf_release(&known);
	return status;
}

static int publish(struct ctl *ctl, struct agreement *agreement, bool again, struct err *err)
{
	char subject[STORE_ID_SIZE];
	char hash[DIGEST_HEX_SIZE];
	char when[TEXT_TIME_SIZE];
	if ((!again && refuse_same(ctl, agreement->text, err) < 0) ||
	    store_agreement_add(ctl->store, agreement, err) < 0)
		return -1;
	snprintf(subject, sizeof subject, "version %" PRId64, agreement->version);
	digest_sha256_hex(agreement->text, hash);
	text_format_time(agreement->required_from, when);
	return ctl_audit(
	    ctl, "agreement.publish", subject, err, "required from %s, SHA-256 %s", when, hash);
}

static int run_publish(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct buf text = BUF_EMPTY(AGREEMENT_TEXT_MAX);
	struct agreement agreement = {
	    .published_at = ctl->now,
	    .required_from = time_of(call, "required-from", ctl->now),
	    .expires = time_of(call, "expires", 0),
	};
	const bool again = ctl_value(call, "again") != NULL;
	int status = -1;
	if (read_text(call->arguments[0], &text, err) < 0)
		goto done;
	agreement.text = view_trim(buf_view(&text));
	if (check_agreement(ctl, &agreement, call->arguments[0], err) < 0 ||
	    ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, publish(ctl, &agreement, again, err), err) < 0)
		goto done;
	ctl_say("Version %" PRId64 " of the agreement is published: the daemon asks every contact "
		"to sign it.",
	    agreement.version);
	if (agreement.required_from <= ctl->now)
		ctl_say("It is required at once: who has not signed it gets no advisories.");
	status = 0;
done:
	buf_release(&text);
	return status;
}

static const struct report_column list_columns[] = {
    {"version", "VERSION", REPORT_NUMBER},
    {"published_at", "PUBLISHED", REPORT_TIME},
    {"required_from", "REQUIRED FROM", REPORT_TIME},
    {"expires_at", "EXPIRES", REPORT_TIME},
    {"sha256", NULL, REPORT_TEXT},
};
static const struct report_column show_columns[] = {
    {"version", "Version", REPORT_NUMBER},
    {"published_at", "Published", REPORT_TIME},
    {"required_from", "Required from", REPORT_TIME},
    {"expires_at", "Expires", REPORT_TIME},
    {"sha256", "SHA-256", REPORT_TEXT},
    {"text", NULL, REPORT_TEXT},
};

static void add_cells(struct report *report, const struct agreement *agreement, struct view text)
{
	char hash[DIGEST_HEX_SIZE];
	digest_sha256_hex(text, hash);
	report_add_number(report, agreement->version);
	report_add_time(report, agreement->published_at);
	report_add_time(report, agreement->required_from);
	report_add_time(report, agreement->expires);
	report_add_text(report, hash);
}

static int list_agreement(void *context, const struct agreement *agreement, struct err *err)
{
	struct report *report = context;
	(void)err;
	report_row(report);
	add_cells(report, agreement, agreement->text);
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	(void)call;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct report *report =
	    report_table(list_columns, sizeof list_columns / sizeof list_columns[0],
		"no version: advisories go to every contact. See dewctl agreement publish");
	if (store_agreement_each(ctl->store, list_agreement, report, err) < 0) {
		report_free(report);
		return -1;
	}
	return ctl_print(ctl, report, err);
}

/* Its lines as they are; the text was held against control characters when it was published. */
static void print_text(struct view text)
{
	struct view line;
	ctl_say_blank();
	while (view_next_line(&text, &line))
		ctl_say("%.*s", (int)line.len, line.data);
}

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct buf text = BUF_EMPTY(AGREEMENT_TEXT_MAX + 1);
	struct agreement agreement;
	int64_t version;
	bool found = false;
	int status = -1;
	if (ctl_open_store(ctl, err) < 0 ||
	    (text_number(view_of(call->arguments[0]), 1, INT64_MAX, &version) &&
		store_agreement_get(ctl->store, version, &agreement, &text, &found, err) < 0))
		goto done;
	if (!found) {
		ctl_refuse(
		    err, "there is no version %s: see dewctl agreement list", call->arguments[0]);
		goto done;
	}
	struct report *report =
	    report_record(show_columns, sizeof show_columns / sizeof show_columns[0]);
	add_cells(report, &agreement, buf_view(&text));
	report_add_view(report, buf_view(&text));
	status = ctl_print(ctl, report, err);
	if (status == 0 && !ctl->json)
		print_text(buf_view(&text));
done:
	buf_release(&text);
	return status;
}

const struct ctl_verb agreement_verbs[] = {
    {"publish", "FILE", 1, 1, false, publish_options,
	"Publishes a version, and asks all to sign it",
	"FILE is plain text. Every contact gets it by encrypted mail, with a token of their own,\n"
	"and reminders 7 days and 1 day before the required date. Once that has come, whoever\n"
	"has not signed gets no advisories, and every receipt says so. A text that is the newest\n"
	"version's is refused, unless --again says that all are to sign it anew.\n",
	run_publish},
    {"list", "", 0, 0, true, NULL, "Lists the versions", NULL, run_list},
    {"show", "V", 1, 1, true, NULL, "Shows a version and its text", NULL, run_show},
    {"status", "", 0, 0, true, NULL, "Says who has signed what, and who is missing", NULL,
	agreement_status_run},
    {"export", "ADDRESS DIR", 2, 2, false, NULL, "Writes a contact's signed answers as evidence",
	"DIR is made, or must be empty. It gets what dewctl ack export writes, and the text of\n"
	"the version.\n",
	agreement_export_run},
    {0},
};
