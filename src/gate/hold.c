/* What is held, from the side of the mail that asks for it: keeping a draft, and withdrawing it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "gate/issuing.h"
#include "gate/letters_release.h"
#include "gate/pace.h"
#include "gate/recipients.h"
#include "mail/reader.h"
#include "store/arrivals.h"
#include "store/audit.h"

enum { TOKEN_BYTES = 10 };

static int record_held(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct issue *issue = context;
	struct store *store = issue->gate->store;
	struct hold *hold = &issue->hold;
	char when[TEXT_TIME_SIZE];
	(void)message;
	if (issue_record_advisory(issue, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	hold->advisory = issue->advisory.id;
	hold->title = title;
	if (store_hold_add(store, hold, err) != 0 ||
	    open_record(
		issue->facts, "finish", "advisory", "", issue->publisher.fingerprint, err) != 0)
		return -1;
	text_format_time(hold->release_at, when);
	return store_audit_add(store, hold->created_at, issue->publisher.address, "advisory.held",
	    issue->advisory.number, err, "TLP:%s, audience: %s%s%s%s", issue->revision.tlp,
	    issue->revision.audience, when[0] == '\0' ? "" : "; until ", when,
	    hold->token[0] == '\0' ? "" : "; waits for approval");
}

/* hold.id is set only now: until here the issue was mail that has just come in. */
static void held(void *context, enum outgoing_end end, const char *problem)
{
	struct issue *issue = context;
	issue->hold.id = 0;
	issue->revision.number = 0;
	issue_done(issue, end, problem);
}

static int list_unreached(struct issue *issue, const struct delivery *deliveries, size_t count,
    int64_t *reachable, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct contact contact;
		bool found;
		if (strcmp(deliveries[i].state, "failed") != 0) {
			++*reachable;
			continue;
		}
		if (store_contact_get(
			issue->gate->store, deliveries[i].contact, &contact, &found, err) != 0)
			return -1;
		buf_printf(out, "  %s (%s)\n      %s\n", deliveries[i].address,
		    found ? contact.member : "", deliveries[i].reason);
	}
	return 0;
}

/* How many other publishers can be asked now. */
static int count_approvers(struct issue *issue, int64_t *count, struct err *err)
{
	struct recipients others = {0};
	*count = 0;
	const int result =
	    recipients_add_publishers(issue->gate, &others, issue->publisher.id, err);
	for (size_t i = 0; i < others.count; i++)
		*count += strcmp(others.deliveries[i].state, "queued") == 0;
	recipients_release(&others);
	return result;
}

static void fill_hold(struct issue *issue, bool needs_approval)
{
	struct hold *hold = &issue->hold;
	unsigned char random[TOKEN_BYTES];
	*hold = (struct hold){
	    .arrival = issue->facts->arrival,
	    .publisher = issue->publisher.id,
	    .created_at = issue->revision.released_at,
	    .release_at = issue->draft.control.release > issue->revision.released_at
			      ? issue->draft.control.release
			      : 0,
	};
	view_copy(view_of(issue->facts->signer.facts.fingerprint), hold->fingerprint,
	    sizeof hold->fingerprint);
	reader_content_digest(issue->facts->content, hold->reading);
	if (needs_approval) {
		random_bytes(random, sizeof random);
		text_base32(random, sizeof random, hold->token);
	}
	if (control_is_first(&issue->draft.control))
		view_copy(VIEW("held"), issue->advisory.state, sizeof issue->advisory.state);
}

static bool send_plan(struct issue *issue, const struct letter_plan *plan, struct recipients *to)
{
	struct buf text = BUF_EMPTY(OUTGOING_MAX);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	const struct letter_hold letter = {
	    .number = issue->advisory.number,
	    .title = issue->draft.title,
	    .tlp = issue->revision.tlp,
	    .audience = issue->revision.audience,
	    .exercise = issue->advisory.exercise,
	    .update = !control_is_first(&issue->draft.control),
	    .hold = &issue->hold,
	    .author = issue->publisher.address,
	    .now = gate_now(issue->gate),
	};
	letter_held(&text, &letter, plan);
	buf_printf(&subject, "Held: %s %s", letter.number, letter.title);
	const struct outgoing outgoing = {
	    .kind = "receipt",
	    .to = issue->publisher.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .title = issue->draft.title,
	    .deliveries = to->deliveries,
	    .delivery_count = to->count,
	    .record = record_held,
	    .done = held,
	    .context = issue,
	};
	const bool fits = !text.overflow && outgoing_send(issue->gate, &outgoing);
	buf_release(&text);
	buf_release(&subject);
	return fits;
}

void hold_draft(struct issue *issue, bool needs_approval, struct delivery *deliveries, size_t count)
{
	struct letter_plan plan = {.reachable = 0};
	struct buf unreached = BUF_EMPTY(OUTGOING_MAX / 2);
	struct recipients to = {0};
	struct refusal refusal;
	struct err err;
	fill_hold(issue, needs_approval);
	if (list_unreached(issue, deliveries, count, &plan.reachable, &unreached, &err) != 0 ||
	    (needs_approval && count_approvers(issue, &plan.approvers, &err) != 0) ||
	    recipients_add_publisher(issue->gate, &to, issue->publisher.id, &err) != 0) {
		issue_fail(issue, &err);
		goto done;
	}
	plan.unreached = buf_view(&unreached);
	if (needs_approval && plan.approvers == 0) {
		refuse(&refusal, 0,
		    "it needs the approval of another publisher, and there is none who can be "
		    "reached: ask an admin");
		issue_refuse(issue, &refusal);
	} else if (send_plan(issue, &plan, &to)) {
		to = (struct recipients){0}; /* taken over */
	} else {
		refuse(&refusal, 0, "the list of those whom it would not reach is too large");
		issue_refuse(issue, &refusal);
	}
done:
	recipients_release(&to);
	buf_release(&unreached);
	free(deliveries);
}

int hold_end_open(struct issue *issue, int64_t now, struct err *err)
{
	struct hold hold;
	bool found;
	bool moved;
	if (store_hold_open(issue->gate->store, issue->advisory.id, &hold, &found, err) != 0)
		return -1;
	return found ? store_hold_move(issue->gate->store, hold.id, "withdraw", 0, now, &moved, err)
		     : 0;
}

static int record_withdrawn(
    void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct issue *issue = context;
	struct store *store = issue->gate->store;
	const int64_t now = gate_now(issue->gate);
	(void)message;
	(void)title;
	*go = true;
	if (issue->facts != NULL &&
	    store_signed_seen(store, issue->facts->digest, issue->facts->arrival, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (hold_end_open(issue, now, err) != 0 ||
	    store_advisory_move(store, issue->advisory.id, "withdraw", err) != 0)
		return -1;
	if (issue->facts == NULL) {
		if (store_withdrawal_done(store, issue->advisory.id, err) != 0)
			return -1;
	} else if (open_record(issue->facts, "finish", "advisory", "", issue->publisher.fingerprint,
		       err) != 0) {
		return -1;
	}
	return store_audit_add(store, now,
	    issue->facts == NULL ? "admin" : issue->publisher.address, "advisory.withdraw",
	    issue->advisory.number, err, "before its release: nobody got it");
}

/* The author, and those who have been asked to approve it. */
static int add_those_who_know(struct issue *issue, struct recipients *to, struct err *err)
{
	struct hold hold;
	bool found;
	if (store_hold_open(issue->gate->store, issue->advisory.id, &hold, &found, err) != 0)
		return -1;
	if (found && hold.asked)
		return recipients_add_publishers(issue->gate, to, 0, err);
	return recipients_add_publisher(issue->gate, to, issue->advisory.publisher, err);
}

void hold_withdraw(struct issue *issue)
{
	struct gate *gate = issue->gate;
	const char *by =
	    issue->facts == NULL ? "an admin of the gateway" : issue->publisher.address;
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct recipients to = {0};
	struct err err;
	issue->revision.number = 0;
	letter_unsent(&text, issue->advisory.number, by);
	buf_printf(&subject, "Withdrawn before its release: %s", issue->advisory.number);
	const bool known = add_those_who_know(issue, &to, &err) == 0;
	const struct outgoing outgoing = {
	    .kind = "receipt",
	    .to = gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_withdrawn,
	    .done = issue_done,
	    .context = issue,
	};
	if (!known || !outgoing_send(gate, &outgoing)) {
		if (known)
			err_set(&err, ERR_DAEMON, ERR_NEVER, "a receipt is too large to be sent");
		recipients_release(&to);
		issue_fail(issue, &err);
	}
	buf_release(&text);
	buf_release(&subject);
}
