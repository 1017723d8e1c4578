#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "dewctl/advisoryshow.h"
#include "dewctl/find.h"
#include "dewctl/stash.h"
#include "store/holds.h"
#include "store/state.h"

static const struct report_column show_columns[] = {
    {"number", "Number", REPORT_TEXT},
    {"kind", "Kind", REPORT_TEXT},
    {"state", "State", REPORT_TEXT},
    {"held_until", "Held until", REPORT_TIME},
    {"waits_for_approval", "Waits for approval", REPORT_FLAG},
    {"tlp", "TLP", REPORT_TEXT},
    {"severity", "Severity", REPORT_TEXT},
    {"exercise", "Exercise", REPORT_FLAG},
    {"publisher", "Publisher", REPORT_TEXT},
    {"created_at", "Created", REPORT_TIME},
};
static const struct report_column hold_columns[] = {
    {"state", "STATE", REPORT_TEXT},
    {"created_at", "CAME", REPORT_TIME},
    {"release_at", "RELEASE", REPORT_TIME},
    {"needs_approval", "NEEDS APPROVAL", REPORT_FLAG},
    {"asked", "ASKED FOR", REPORT_FLAG},
    {"decided_by", "DECIDED BY", REPORT_TEXT},
    {"ended_at", "ENDED", REPORT_TIME},
    {"by", "BY", REPORT_TEXT},
    {"title", "TITLE", REPORT_PROSE},
};
static const struct report_column revision_columns[] = {
    {"revision", "REVISION", REPORT_NUMBER},
    {"kind", "KIND", REPORT_TEXT},
    {"tlp", "TLP", REPORT_TEXT},
    {"released_at", "RELEASED", REPORT_TIME},
    {"acknowledge_by", "ACKNOWLEDGE BY", REPORT_TIME},
    {"by", "BY", REPORT_TEXT},
    {"audience", "AUDIENCE", REPORT_TEXT},
    {"title", "TITLE", REPORT_PROSE},
};
static const struct report_column delivery_columns[] = {
    {"revision", "REVISION", REPORT_NUMBER},
    {"member", "MEMBER", REPORT_TEXT},
    {"address", "ADDRESS", REPORT_TEXT},
    {"state", "STATE", REPORT_TEXT},
    {"attempts", "ATTEMPTS", REPORT_NUMBER},
    {"sent_at", "SENT", REPORT_TIME},
    {"next_at", NULL, REPORT_TIME},
    {"reason", "REASON", REPORT_TEXT},
};
static const struct report_column ack_columns[] = {
    {"revision", "REVISION", REPORT_NUMBER},
    {"member", "MEMBER", REPORT_TEXT},
    {"address", "ADDRESS", REPORT_TEXT},
    {"status", "STATUS", REPORT_TEXT},
    {"signed_at", "SIGNED", REPORT_TIME},
    {"received_at", "RECEIVED", REPORT_TIME},
    {"fingerprint", NULL, REPORT_TEXT},
    {"in_the_clear", "IN THE CLEAR", REPORT_TEXT},
};

#define TABLE(columns, empty) report_table(columns, sizeof columns / sizeof columns[0], empty)

struct showing {
	struct ctl *ctl;
	const struct advisory *advisory;
	int64_t revision; /* whose deliveries and acknowledgments are being listed */
	struct hold open; /* id 0: nothing is held */
	struct report *holds;
	struct report *revisions;
	struct report *deliveries;
	struct report *acks;
};

static int add_publisher(struct ctl *ctl, struct report *report, int64_t id, struct err *err)
{
	struct publisher publisher;
	bool found = false;
	if (id != 0 && store_publisher_get(ctl->store, id, &publisher, &found, err) < 0)
		return -1;
	report_add_text(report, found ? publisher.address : "an admin");
	return 0;
}

/* The member's cell; removed contacts have one too. */
static int add_member(struct ctl *ctl, struct report *report, int64_t contact_id, struct err *err)
{
	struct contact contact;
	bool found = false;
	if (contact_id != 0 && store_contact_get(ctl->store, contact_id, &contact, &found, err) < 0)
		return -1;
	report_add_text(report, found ? contact.member : "");
	return 0;
}

static int show_delivery(void *context, const struct delivery *delivery, struct err *err)
{
	const struct showing *showing = context;
	struct report *report = showing->deliveries;
	const bool waits =
	    strcmp(delivery->state, "queued") == 0 || strcmp(delivery->state, "deferred") == 0;
	report_row(report);
	report_add_number(report, showing->revision);
	if (add_member(showing->ctl, report, delivery->contact, err) < 0)
		return -1;
	report_add_text(report, delivery->address);
	report_add_text(report, delivery->state);
	report_add_number(report, delivery->attempts);
	report_add_time(report, delivery->sent_at);
	report_add_time(report, waits ? delivery->next_at : 0);
	report_add_text(report, delivery->reason);
	return 0;
}

static int show_ack(void *context, const struct acknowledgment *ack, struct err *err)
{
	const struct showing *showing = context;
	struct report *report = showing->acks;
	struct contact contact = {0};
	bool found;
	if (store_contact_get(showing->ctl->store, ack->contact, &contact, &found, err) < 0)
		return -1;
	report_row(report);
	report_add_number(report, showing->revision);
	report_add_text(report, contact.member);
	report_add_text(report, contact.address);
	report_add_text(report, ack->status);
	report_add_time(report, ack->signed_at);
	report_add_time(report, ack->received_at);
	report_add_text(report, ack->fingerprint);
	report_add_text(report, ack->clear);
	return 0;
}

static int show_revision(void *context, const struct revision *revision, struct err *err)
{
	struct showing *showing = context;
	struct report *report = showing->revisions;
	struct ctl *ctl = showing->ctl;
	showing->revision = revision->number;
	report_row(report);
	report_add_number(report, revision->number);
	report_add_text(report, revision->kind);
	report_add_text(report, revision->tlp);
	report_add_time(report, revision->released_at);
	report_add_time(report, revision->acknowledge_by);
	if (add_publisher(ctl, report, revision->publisher, err) < 0)
		return -1;
	report_add_text(report, revision->audience);
	if (stash_add_cell(ctl, report, revision->title, showing->advisory->number, err) < 0)
		return -1;
	if (store_delivery_each(ctl->store, revision->message, show_delivery, showing, err) < 0)
		return -1;
	return store_acknowledgment_each(ctl->store, revision->id, show_ack, showing, err);
}

static int show_hold(void *context, const struct hold *hold, struct err *err)
{
	struct showing *showing = context;
	struct report *report = showing->holds;
	struct publisher publisher;
	bool found = false;
	if (!state_is_final(STATE_HOLD, hold->state))
		showing->open = *hold;
	if (hold->decided_by != 0 &&
	    store_publisher_get(showing->ctl->store, hold->decided_by, &publisher, &found, err) < 0)
		return -1;
	report_row(report);
	report_add_text(report, hold->state);
	report_add_time(report, hold->created_at);
	report_add_time(report, hold->release_at);
	report_add_flag(report, hold->token[0] != '\0');
	report_add_flag(report, hold->asked);
	report_add_text(report, found ? publisher.address : "");
	report_add_time(report, hold->ended_at);
	if (add_publisher(showing->ctl, report, hold->publisher, err) < 0)
		return -1;
	return stash_add_cell(showing->ctl, report, hold->title, showing->advisory->number, err);
}

int advisoryshow_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct advisory advisory;
	if (ctl_open_store(ctl, err) < 0 ||
	    find_advisory(ctl, call->arguments[0], &advisory, err) < 0)
		return -1;
	struct report *report =
	    report_record(show_columns, sizeof show_columns / sizeof show_columns[0]);
	struct showing showing = {.ctl = ctl,
	    .advisory = &advisory,
	    .holds = TABLE(hold_columns, "none"),
	    .revisions = TABLE(revision_columns, "none yet"),
	    .deliveries = TABLE(delivery_columns, "none yet"),
	    .acks = TABLE(ack_columns, "none yet")};
	report_attach(report, "drafts", "Drafts that were held", showing.holds);
	report_attach(report, "revisions", "Revisions", showing.revisions);
	report_attach(report, "deliveries", "Deliveries", showing.deliveries);
	report_attach(report, "acknowledgments", "Acknowledgments", showing.acks);
	if (store_hold_each(ctl->store, advisory.id, show_hold, &showing, err) < 0) {
		report_free(report);
		return -1;
	}
	report_add_text(report, advisory.number);
	report_add_text(report, advisory.bulletin ? "bulletin" : "advisory");
	report_add_text(report, advisory.state);
	report_add_time(report, showing.open.release_at);
	report_add_flag(report, strcmp(showing.open.state, "waiting") == 0);
	report_add_text(report, advisory.tlp);
	report_add_text(report, advisory.severity);
	report_add_flag(report, advisory.exercise);
	if (add_publisher(ctl, report, advisory.publisher, err) < 0 ||
	    store_revision_each(ctl->store, advisory.id, show_revision, &showing, err) < 0) {
		report_free(report);
		return -1;
	}
	report_add_time(report, advisory.created_at);
	return ctl_print(ctl, report, err);
}
