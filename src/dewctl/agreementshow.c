/* Who has signed what (dewctl agreement status), and the evidence (agreement export). */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dewctl/agreementshow.h"
#include "dewctl/export.h"
#include "dewctl/find.h"
#include "rules/agreement.h"

static const struct report_column columns[] = {
    {"member", "MEMBER", REPORT_TEXT},
    {"member_state", "STATE", REPORT_TEXT},
    {"address", "CONTACT", REPORT_TEXT},
    {"name", NULL, REPORT_TEXT},
    {"signed_version", "SIGNED", REPORT_NUMBER},
    {"signed_at", "SIGNED AT", REPORT_TIME},
    {"newest_version", NULL, REPORT_NUMBER},
    {"newest_answer", "NEWEST", REPORT_TEXT},
    {"asked_at", "ASKED", REPORT_TIME},
    {"reminders", NULL, REPORT_NUMBER},
    {"delivery", "MAIL", REPORT_TEXT},
    {"suffices", "SUFFICES", REPORT_FLAG},
    {"reason", "REASON", REPORT_TEXT},
};

struct status {
	struct ctl *ctl;
	struct report *report;
	const struct member *member;
	int64_t missing;
	int64_t contacts;
};

/* The last three of what is known of asking for the newest version. */
static int add_asking(
    struct status *status, const struct contact *contact, int64_t newest, struct err *err)
{
	struct agreement_request request = {.asked_at = 0};
	struct delivery delivery = {.state = "not asked"};
	bool found;
	if (store_agreement_request_get(
		status->ctl->store, newest, contact->id, &request, &found, err) < 0)
		return -1;
	if (found && store_delivery_of_contact(status->ctl->store, request.message, contact->id,
			 &delivery, &found, err) < 0)
		return -1;
	report_add_time(status->report, request.asked_at);
	report_add_number(status->report, request.reminders);
	report_add_text(status->report, delivery.state);
	return 0;
}

static int show_contact(void *context, const struct contact *contact, struct err *err)
{
	struct status *status = context;
	struct report *report = status->report;
	struct agreement_standing standing;
	char reason[STORE_REASON_SIZE];
	int64_t signed_at = 0;
	if (store_agreement_standing(status->ctl->store, contact->id, &standing, err) < 0)
		return -1;
	const bool suffices = agreement_suffices(&standing, status->ctl->now, reason);
	const int64_t version = agreement_signed_version(&standing);
	for (size_t i = 0; i < standing.count; i++)
		if (standing.rows[i].version == version)
			signed_at = standing.rows[i].signed_at;
	status->contacts++;
	status->missing += !suffices;
	report_row(report);
	report_add_text(report, contact->member);
	report_add_text(report, status->member->state);
	report_add_text(report, contact->address);
	report_add_text(report, contact->name);
	report_add_number(report, version);
	report_add_time(report, signed_at);
	report_add_number(report, standing.count > 0 ? standing.rows[0].version : 0);
	report_add_text(report, standing.count > 0 ? standing.rows[0].answer : "");
	if (add_asking(status, contact, standing.count > 0 ? standing.rows[0].version : 0, err) < 0)
		return -1;
	report_add_flag(report, suffices);
	report_add_text(report, reason);
	return 0;
}

static int show_member(void *context, const struct member *member, struct err *err)
{
	struct status *status = context;
	status->member = member;
	return strcmp(member->state, "left") == 0
		   ? 0
		   : store_contact_each(status->ctl->store, member->id, show_contact, status, err);
}

int agreement_status_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct status status = {.ctl = ctl};
	(void)call;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	status.report =
	    report_table(columns, sizeof columns / sizeof columns[0], "no contacts yet");
	int result = store_member_each(ctl->store, show_member, &status, err);
	if (result == 0)
		result = report_print(status.report, ctl->json, stdout, err);
	report_free(status.report);
	if (result == 0 && !ctl->json && status.contacts > 0) {
		ctl_say_blank();
		ctl_say("The signatures of %" PRId64 " of %" PRId64 " contacts suffice today.",
		    status.contacts - status.missing, status.contacts);
	}
	return result;
}

struct exporting {
	struct ctl *ctl;
	struct export_reply *replies;
	struct buf *texts; /* of the versions, one for each reply */
	size_t count;
};

static int collect(void *context, const struct agreement_answer *answer, struct err *err)
{
	struct exporting *exporting = context;
	struct agreement_request request;
	struct agreement agreement;
	bool asked;
	bool found;
	const size_t n = exporting->count;
	exporting->replies = reallocarray(exporting->replies, n + 1, sizeof *exporting->replies);
	exporting->texts = reallocarray(exporting->texts, n + 1, sizeof *exporting->texts);
	if (exporting->replies == NULL || exporting->texts == NULL)
		abort();
	struct export_reply *reply = &exporting->replies[n];
	*reply = (struct export_reply){.arrival = answer->arrival,
	    .signed_at = answer->signed_at,
	    .received_at = answer->received_at,
	    .token_of = "this contact and version",
	    .more_name = "agreement.txt",
	    .more_is = "the text of that version"};
	exporting->texts[n] = BUF_EMPTY(AGREEMENT_TEXT_MAX + 1);
	exporting->count++;
	snprintf(reply->what, sizeof reply->what,
	    "An answer to version %" PRId64 " of the agreement", answer->version);
	snprintf(reply->status, sizeof reply->status, "%s", answer->answer);
	snprintf(reply->fingerprint, sizeof reply->fingerprint, "%s", answer->fingerprint);
	if (store_agreement_request_get(exporting->ctl->store, answer->version, answer->contact,
		&request, &asked, err) < 0 ||
	    store_agreement_get(exporting->ctl->store, answer->version, &agreement,
		&exporting->texts[n], &found, err) < 0)
		return -1;
	if (asked)
		snprintf(reply->token, sizeof reply->token, "%s", request.token);
	return 0;
}

static int write_all(
    struct exporting *exporting, const char *address, const char *dir, struct err *err)
{
	struct ctl *ctl = exporting->ctl;
	if (exporting->count == 0)
		return ctl_refuse(err,
		    "%s has answered no version of the agreement: see dewctl agreement status",
		    address);
	for (size_t i = 0; i < exporting->count; i++)
		exporting->replies[i].more = buf_view(&exporting->texts[i]);
	if (export_write(ctl, address, exporting->replies, exporting->count, dir, err) < 0 ||
	    store_begin(ctl->store, err) < 0)
		return -1;
	return ctl_end(ctl,
	    ctl_audit(ctl, "agreement.export", address, err, "%zu answers", exporting->count), err);
}

int agreement_export_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct exporting exporting = {.ctl = ctl};
	const char *address = call->arguments[0];
	const char *dir = call->arguments[1];
	int status = -1;
	if (check_address(address, err) == 0 && ctl_open_store(ctl, err) == 0 &&
	    store_agreement_answer_each(ctl->store, address, collect, &exporting, err) == 0)
		status = write_all(&exporting, address, dir, err);
	if (status == 0)
		ctl_say("%zu %s written to %s: see README.txt %s", exporting.count,
		    exporting.count == 1 ? "answer" : "answers", dir,
		    exporting.count == 1 ? "there" : "in each directory below");
	for (size_t i = 0; i < exporting.count; i++)
		buf_release(&exporting.texts[i]);
	free(exporting.texts);
	free(exporting.replies);
	return status;
}
