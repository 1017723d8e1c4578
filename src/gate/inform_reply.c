#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/inform.h"
#include "gate/letters_inform.h"
#include "gate/outgoing.h"
#include "gate/pace.h"
#include "gate/recipients.h"
#include "gate/refuse.h"
#include "gate/restored.h"
#include "rules/inform.h"
#include "rules/tlp.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "store/inform.h"

struct replying {
	struct mail_facts *facts;
	struct publisher publisher;
	struct member_report report;
	struct recipients to;
};

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct replying *job = context;
	struct mail_facts *facts = job->facts;
	struct store *store = facts->gate->store;
	const struct report_reply reply = {
	    .message = message,
	    .report = job->report.id,
	    .publisher = job->publisher.id,
	    .arrival = facts->arrival,
	    .sent_at = clock_now(),
	};
	(void)title;
	if (store_signed_seen(store, facts->digest, facts->arrival, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	/* What a publisher tells goes to members only: whoever is suspended gets nothing. */
	if (store_report_reply_add(store, &reply, err) != 0 ||
	    store_label_add(store, message, tlp_name(TLP_CLEAR), err) != 0 ||
	    open_record(facts, "finish", "reply", job->report.number,
		facts->signer.facts.fingerprint, err) != 0)
		return -1;
	return store_audit_add(store, reply.sent_at, job->publisher.address, "report.reply",
	    job->report.number, err, "notice %lld", (long long)message);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct replying *job = context;
	if (end == OUTGOING_RECORDED) {
		log_info("%s: %s replies", job->report.number, job->publisher.address);
		open_done(job->facts);
	} else if (end == OUTGOING_DROPPED) {
		open_duplicate(job->facts);
	} else {
		open_again(job->facts, problem);
	}
	free(job);
}

static void refuse_reply(struct replying *job, const struct refusal *refusal)
{
	refuse_publisher(job->facts, &job->publisher, "reply", refusal);
	recipients_release(&job->to);
	free(job);
}

static void send_reply(struct replying *job, struct view said)
{
	struct gate *gate = job->facts->gate;
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY((size_t)gate->config->limits.plaintext + BUF_SMALL);
	buf_printf(&subject, "[%s] Reply to your report", job->report.number);
	letter_report_reply(&text, &job->report, &job->publisher, said);
	const struct outgoing outgoing = {
	    .kind = "reply",
	    .to = job->to.deliveries[0].address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .attachments = job->facts->onward,
	    .attachment_count = job->facts->onward_count,
	    .deliveries = job->to.deliveries,
	    .delivery_count = job->to.count,
	    .record = record,
	    .done = done,
	    .context = job,
	};
	if (text.overflow || !outgoing_send(gate, &outgoing)) {
		struct refusal refusal;
		refuse(&refusal, 0, "it is too large to be passed on");
		refuse_reply(job, &refusal);
	}
	buf_release(&subject);
	buf_release(&text);
}

struct looking {
	int64_t publisher;
	bool found;
};

static int note_publisher(void *context, const struct delivery *delivery, struct err *err)
{
	struct looking *looking = context;
	(void)err;
	looking->found = looking->found || delivery->publisher == looking->publisher;
	return 0;
}

/* A report that did not go to this publisher is answered as one that does not exist. */
static int find_report(
    struct replying *job, const char *number, bool *good, struct refusal *refusal, struct err *err)
{
	struct store *store = job->facts->gate->store;
	struct looking looking = {.publisher = job->publisher.id};
	bool found;
	if (store_report_get(store, number, &job->report, &found, err) != 0 ||
	    (found && store_delivery_each(
			  store, job->report.message, note_publisher, &looking, err) != 0))
		return -1;
	*good = looking.found || refuse(refusal, 1, "there is no report of this number");
	const struct named_number named = {
	    .prefix = "REP",
	    .number = number,
	    .line = 1,
	    .publisher = job->publisher.id,
	    .advice = "Who sent it is not known here any more: ask the gateway's admins",
	};
	return found ? 0 : restored_refuse_number(job->facts, &named, refusal, err);
}

static int find_contact(struct replying *job, bool *good, struct refusal *refusal, struct err *err)
{
	if (recipients_add_contact(job->facts->gate, &job->to, job->report.contact, err) != 0)
		return -1;
	const struct delivery *delivery = job->to.deliveries;
	*good = (job->to.count == 1 && strcmp(delivery->state, "queued") == 0) ||
		refuse(refusal, 0, "the contact who sent the report cannot be reached: %s",
		    job->to.count == 1 ? delivery->reason : "there is none");
	return 0;
}

static bool is_fit(const struct mail_facts *facts, struct refusal *refusal)
{
	if (facts->opened.signatures[0].created <
	    gate_now(facts->gate) - facts->gate->config->limits.drop_age)
		return refuse(refusal, 0, "its signature is too old: sign it anew");
	return facts->content->readable ||
	       refuse(refusal, 0, "it cannot be read: %s", facts->content->reason);
}

void inform_reply(struct mail_facts *facts, const struct publisher *publisher)
{
	struct replying *job = calloc(1, sizeof *job);
	char number[STORE_NUMBER_SIZE];
	struct view said = VIEW("");
	struct refusal refusal;
	struct err err;
	if (job == NULL)
		abort();
	job->facts = facts;
	job->publisher = *publisher;
	bool good = is_fit(facts, &refusal) &&
		    inform_read_reply(facts->content->text, number, &said, &refusal);
	if ((good && find_report(job, number, &good, &refusal, &err) != 0) ||
	    (good && find_contact(job, &good, &refusal, &err) != 0)) {
		gate_fail(facts->gate, &err);
		open_done(facts);
		recipients_release(&job->to);
		free(job);
	} else if (good) {
		send_reply(job, said);
	} else {
		refuse_reply(job, &refusal);
	}
}
