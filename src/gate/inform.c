#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/inform.h"
#include "gate/letters_inform.h"
#include "gate/outgoing.h"
#include "gate/pace.h"
#include "gate/recipients.h"
#include "gate/refuse.h"
#include "gate/restored.h"
#include "gate/schedule.h"
#include "rules/inform.h"
#include "store/advisories.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "store/inform.h"

static const char report_prefix[] = "REP";
enum { RECEIPT_PAUSE_MS = 10 * 1000 };

struct informing {
	bool busy; /* a receipt is on its way, or the pause after one that failed */
};

struct forwarding {
	struct mail_facts *facts;
	struct contact contact;
	struct inform_report block;
	struct member_report report;
	struct advisory about; /* id 0: none */
	bool again; /* the number that was foreseen was taken meanwhile */
};

static void begin(struct forwarding *job);

static void give_up(struct forwarding *job, const struct err *err)
{
	gate_fail(job->facts->gate, err);
	open_done(job->facts);
	free(job);
}

static void refuse_report(struct forwarding *job, const struct refusal *refusal)
{
	refuse_contact(job->facts, &job->contact, "report", refusal);
	free(job);
}

static int next_number(
    struct gate *gate, int64_t now, char number[static STORE_NUMBER_SIZE], struct err *err)
{
	const time_t when = (time_t)now;
	struct tm broken = {0};
	gmtime_r(&when, &broken);
	return store_advisory_next_number(
	    gate->store, report_prefix, broken.tm_year + 1900, number, err);
}

/* As for advisories: given away only in the transaction that records the report. */
static int foresee_number(struct forwarding *job, int64_t now, struct err *err)
{
	struct gate *gate = job->facts->gate;
	if (store_begin(gate->store, err) != 0)
		return -1;
	const int result = next_number(gate, now, job->report.number, err);
	store_rollback(gate->store);
	return result;
}

static int record_report(
    void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct forwarding *job = context;
	struct mail_facts *facts = job->facts;
	struct store *store = facts->gate->store;
	char number[STORE_NUMBER_SIZE];
	char actor[STORE_NAME_SIZE + 16];
	if (store_signed_seen(store, facts->digest, facts->arrival, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (next_number(facts->gate, job->report.received_at, number, err) != 0)
		return -1;
	job->again = strcmp(number, job->report.number) != 0;
	*go = !job->again;
	if (!*go)
		return 0;
	job->report.message = message;
	job->report.title = title;
	snprintf(actor, sizeof actor, "contact %s", job->contact.address);
	if (store_report_add(store, &job->report, err) != 0 ||
	    open_record(facts, "finish", "report", number, facts->signer.facts.fingerprint, err) !=
		0)
		return -1;
	return store_audit_add(store, job->report.received_at, actor, "report.received", number,
	    err, "TLP:%s, about: %s", job->report.tlp,
	    job->about.id == 0 ? "-" : job->about.number);
}

static void report_done(void *context, enum outgoing_end end, const char *problem)
{
	struct forwarding *job = context;
	struct mail_facts *facts = job->facts;
	if (job->again && end == OUTGOING_DROPPED) {
		begin(job);
		return;
	}
	if (end == OUTGOING_RECORDED) {
		log_info("%s: a report by %s goes to the publishers", job->report.number,
		    job->contact.address);
		schedule_soon(facts->gate);
		open_done(facts);
	} else if (end == OUTGOING_DROPPED) {
		open_duplicate(facts);
	} else {
		open_again(facts, problem);
	}
	free(job);
}

static int find_receivers(struct forwarding *job, struct recipients *to, struct err *err)
{
	struct gate *gate = job->facts->gate;
	return job->block.tlp == TLP_RED
		   ? recipients_add_publisher(gate, to, job->about.publisher, err)
		   : recipients_add_publishers(gate, to, 0, err);
}

static void send_report(struct forwarding *job, const struct member *member)
{
	struct gate *gate = job->facts->gate;
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY((size_t)gate->config->limits.plaintext + BUF_SMALL);
	struct recipients to = {0};
	struct err err;
	const struct letter_report letter = {
	    .report = &job->report,
	    .contact = &job->contact,
	    .member = member,
	    .about = job->about.id == 0 ? "" : job->about.number,
	    .title = job->block.title,
	    .text = job->block.text,
	};
	if (find_receivers(job, &to, &err) != 0) {
		recipients_release(&to);
		give_up(job, &err);
		return;
	}
	buf_printf(&subject, "[%s] %s", job->report.number, job->block.title);
	letter_report_text(&text, &letter);
	const struct outgoing outgoing = {
	    .kind = "report",
	    .to = gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .attachments = job->facts->onward,
	    .attachment_count = job->facts->onward_count,
	    .title = job->block.title,
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_report,
	    .done = report_done,
	    .context = job,
	};
	if (text.overflow || !outgoing_send(gate, &outgoing)) {
		struct refusal refusal;
		recipients_release(&to);
		refuse(&refusal, 0, "it is too large to be passed on");
		refuse_report(job, &refusal);
	}
	buf_release(&subject);
	buf_release(&text);
}

struct looking {
	int64_t contact;
	bool found;
};

static int note_reached(void *context, int64_t contact, struct err *err)
{
	struct looking *looking = context;
	(void)err;
	looking->found = looking->found || looking->contact == contact;
	return 0;
}

/* An advisory that never went to the contact is answered as one that does not exist. */
static int find_about(struct forwarding *job, bool *good, struct refusal *refusal, struct err *err)
{
	struct store *store = job->facts->gate->store;
	struct looking looking = {.contact = job->contact.id};
	bool found;
	*good = true;
	if (job->block.about[0] == '\0')
		return 0;
	if (store_advisory_get(store, job->block.about, &job->about, &found, err) != 0 ||
	    (found &&
		store_advisory_reached(store, job->about.id, note_reached, &looking, err) != 0))
		return -1;
	*good = looking.found;
	if (*good)
		return 0;
	refuse(refusal, job->block.about_line,
	    "there is no advisory of this number that went to you");
	const struct named_number named = {
	    .prefix = job->facts->gate->config->gateway.prefix,
	    .number = job->block.about,
	    .line = job->block.about_line,
	    .contact = job->contact.id,
	    .advice = "Send your report again without the line About",
	};
	return found ? 0 : restored_refuse_number(job->facts, &named, refusal, err);
}

static void begin(struct forwarding *job)
{
	const int64_t now = gate_now(job->facts->gate);
	struct store *store = job->facts->gate->store;
	struct member member;
	struct refusal refusal;
	struct err err;
	bool good = false;
	bool found;
	job->again = false;
	job->about = (struct advisory){.id = 0};
	if (store_member_get(store, job->contact.member, &member, &found, &err) != 0 ||
	    find_about(job, &good, &refusal, &err) != 0 ||
	    (good && foresee_number(job, now, &err) != 0)) {
		give_up(job, &err);
		return;
	}
	if (!good) {
		refuse_report(job, &refusal);
		return;
	}
	job->report.contact = job->contact.id;
	job->report.advisory = job->about.id;
	job->report.received_at = job->facts->received_at;
	job->report.arrival = job->facts->arrival;
	snprintf(job->report.tlp, sizeof job->report.tlp, "%s", tlp_name(job->block.tlp));
	send_report(job, &member);
}

void inform_report(struct mail_facts *facts, const struct contact *contact)
{
	struct forwarding *job = calloc(1, sizeof *job);
	struct refusal refusal;
	bool good;
	if (job == NULL)
		abort();
	job->facts = facts;
	job->contact = *contact;
	if (!facts->content->readable)
		good = refuse(&refusal, 0, "it cannot be read: %s", facts->content->reason);
	else
		good = inform_read_report(facts->content->text, &job->block, &refusal);
	if (good)
		begin(job);
	else
		refuse_report(job, &refusal);
}

/* -- the receipt to the contact -- */

struct answering {
	struct gate *gate;
	struct member_report report;
};

static void resume(void *context)
{
	struct gate *gate = context;
	gate->informing->busy = false;
	schedule_soon(gate);
}

static int record_receipt(
    void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	const struct answering *job = context;
	(void)title;
	(void)go;
	return store_report_set_receipt(job->gate->store, job->report.id, message, err) != 0
		   ? -1
		   : store_audit_add(job->gate->store, clock_now(), "gate", "report.receipt",
			 job->report.number, err, "notice %lld", (long long)message);
}

static void receipt_done(void *context, enum outgoing_end end, const char *problem)
{
	struct answering *job = context;
	struct gate *gate = job->gate;
	if (end == OUTGOING_RECORDED) {
		resume(gate);
	} else {
		log_error("%s: its receipt could not be made, and is tried again: %s",
		    job->report.number, problem);
		loop_after(gate->loop, RECEIPT_PAUSE_MS, resume, gate);
	}
	free(job);
}

static void send_receipt(struct gate *gate, const struct member_report *report)
{
	struct answering *job = calloc(1, sizeof *job);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct recipients to = {0};
	struct delivery_counts counts;
	struct err err;
	if (job == NULL)
		abort();
	*job = (struct answering){gate, *report};
	if (store_delivery_count(gate->store, report->message, &counts, &err) != 0 ||
	    recipients_add_contact(gate, &to, report->contact, &err) != 0) {
		recipients_release(&to);
		gate_fail(gate, &err);
		free(job);
		return;
	}
	gate->informing->busy = true;
	buf_printf(&subject, "[%s] Your report was taken", report->number);
	letter_report_receipt(&text, report, &counts);
	const struct outgoing outgoing = {
	    .kind = "receipt",
	    .to = to.count > 0 ? to.deliveries[0].address : gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_receipt,
	    .done = receipt_done,
	    .context = job,
	};
	if (!outgoing_send(gate, &outgoing)) { /* a few lines of our own */
		recipients_release(&to);
		receipt_done(job, OUTGOING_FAILED, "it is too large to be sent");
	}
	buf_release(&subject);
	buf_release(&text);
}

void inform_receipts(struct gate *gate, int64_t now)
{
	struct member_report report;
	struct err err;
	bool found;
	(void)now;
	if (gate->informing->busy)
		return;
	if (store_report_unanswered(gate->store, &report, &found, &err) != 0)
		gate_fail(gate, &err);
	else if (found)
		send_receipt(gate, &report);
}

int inform_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->informing = calloc(1, sizeof *gate->informing);
	if (gate->informing == NULL)
		abort();
	return 0;
}

void inform_stop(struct gate *gate)
{
	free(gate->informing);
}
