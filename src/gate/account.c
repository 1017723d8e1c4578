#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/account.h"
#include "gate/issue.h"
#include "gate/letters.h"
#include "gate/letters_answer.h"
#include "gate/outgoing.h"
#include "gate/pace.h"
#include "gate/recipients.h"
#include "pgp/vault.h"
#include "store/advisories.h"
#include "store/audit.h"
#include "store/clear.h"
#include "store/copies.h"
#include "store/state.h"
#include "worker/frame.h"

enum {
	REPORTED_SEALED = 1,
	REPORTED_COMPLETE = 2,
	TITLE_MAX = 4096,
	ACCOUNT_PAUSE_MS = 10 * 1000,
	ACCOUNT_SOON_MS = 200
};

/* A receipt on its way; one at a time. */
struct receipt {
	struct gate *gate;
	struct advisory advisory;
	struct revision revision;
	struct delivery_counts counts;
	int64_t stage;
	struct buf title_stash;
	struct buf title;
};

struct accounting {
	struct receipt *now;
	bool paused;
	bool soon;
};

static void receipt_free(struct receipt *receipt)
{
	receipt->gate->accounting->now = NULL;
	receipt->gate->want_account = true;
	buf_release(&receipt->title_stash);
	buf_release(&receipt->title);
	free(receipt);
}

static void resume(void *context)
{
	struct gate *gate = context;
	gate->accounting->paused = false;
	gate->want_account = true;
}

static void receipt_failed(struct receipt *receipt, const char *why)
{
	struct gate *gate = receipt->gate;
	log_error("a receipt for %s could not be made, and is tried again: %s",
	    receipt->advisory.number, why);
	gate->accounting->paused = true;
	loop_after(gate->loop, ACCOUNT_PAUSE_MS, resume, gate);
	receipt_free(receipt);
}

static int move_advisory(struct receipt *receipt, const char *event, struct err *err)
{
	struct advisory now;
	bool found;
	if (store_advisory_by_id(receipt->gate->store, receipt->advisory.id, &now, &found, err) !=
	    0)
		return -1;
	if (state_after(STATE_ADVISORY, now.state, event) == NULL)
		return 0; /* withdrawn meanwhile, or taken back by a newer revision */
	return store_advisory_move(receipt->gate->store, now.id, event, err);
}

static int record_stage(struct receipt *receipt, struct err *err)
{
	const bool complete = receipt->stage == REPORTED_COMPLETE;
	char subject[STORE_NAME_SIZE];
	snprintf(subject, sizeof subject, "%s r%lld", receipt->advisory.number,
	    (long long)receipt->revision.number);
	if (receipt->revision.number == receipt->advisory.revisions) {
		if (move_advisory(receipt, "seal", err) != 0 ||
		    move_advisory(receipt, "start", err) != 0 ||
		    (complete && move_advisory(receipt, "complete", err) != 0))
			return -1;
	}
	return store_revision_set_reported(
		   receipt->gate->store, receipt->revision.id, receipt->stage, err) != 0
		   ? -1
		   : store_audit_add(receipt->gate->store, clock_now(), "gate",
			 complete ? "revision.complete" : "revision.sealed", subject, err,
			 "%lld recipients, %lld handed over, %lld not reached",
			 (long long)receipt->counts.total,
			 (long long)(receipt->counts.sent + receipt->counts.acknowledged +
				     receipt->counts.bounced),
			 (long long)receipt->counts.failed);
}

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	(void)message;
	(void)title;
	(void)go;
	return record_stage(context, err);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct receipt *receipt = context;
	if (end == OUTGOING_RECORDED) {
		log_info("%s r%lld: %s: %lld recipients, %lld not reached",
		    receipt->advisory.number, (long long)receipt->revision.number,
		    receipt->stage == REPORTED_COMPLETE ? "complete" : "sealed",
		    (long long)receipt->counts.total, (long long)receipt->counts.failed);
		receipt_free(receipt);
	} else {
		receipt_failed(receipt, problem);
	}
}

struct listing {
	struct gate *gate;
	struct buf *out;
};

static int list_unreached(void *context, const struct delivery *delivery, struct err *err)
{
	struct listing *listing = context;
	struct contact contact = {.id = 0};
	bool found = false;
	if (strcmp(delivery->state, "failed") != 0)
		return 0;
	if (delivery->contact != 0 &&
	    store_contact_get(listing->gate->store, delivery->contact, &contact, &found, err) != 0)
		return -1;
	buf_printf(listing->out, "  %s%s%s%s\n      %s\n", delivery->address, found ? " (" : "",
	    found ? contact.member : "", found ? ")" : "", delivery->reason);
	return 0;
}

static int list_clear(void *context, const struct clear_answer *answer, struct err *err)
{
	(void)err;
	if (answer->acknowledgment == 0)
		letter_add_leak(context, answer);
	else
		letter_add_clear(context, answer);
	return 0;
}

static void send_receipt(struct receipt *receipt)
{
	struct gate *gate = receipt->gate;
	struct buf text = BUF_EMPTY(FRAME_BODY_MAX / 8);
	struct buf unreached = BUF_EMPTY(FRAME_BODY_MAX / 16);
	struct buf clear = BUF_EMPTY(FRAME_BODY_MAX / 32);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct recipients to = {0};
	struct listing listing = {gate, &unreached};
	struct letter_receipt letter = {
	    .advisory = &receipt->advisory,
	    .revision = &receipt->revision,
	    .title = buf_text(&receipt->title),
	    .counts = receipt->counts,
	    .now = gate_now(gate),
	    .complete = receipt->stage == REPORTED_COMPLETE,
	};
	char hash[DIGEST_HEX_SIZE];
	int64_t copies = 0;
	struct err err;
	if (store_delivery_each(
		gate->store, receipt->revision.message, list_unreached, &listing, &err) != 0 ||
	    store_clear_each(gate->store, receipt->revision.id, list_clear, &clear, &err) != 0 ||
	    store_audit_last(gate->store, &letter.audit_sequence, hash, &err) != 0 ||
	    recipients_add_publisher(gate, &to, receipt->revision.publisher, &err) != 0 ||
	    store_copy_count(gate->store, receipt->revision.message, &copies, &err) != 0) {
		gate_fail(gate, &err);
		receipt_free(receipt);
		goto done;
	}
	letter.audit_hash = hash;
	letter.traced = copies > 0;
	letter.unreached = buf_view(&unreached);
	letter.clear = buf_view(&clear);
	letter_receipt(&text, &letter);
	buf_printf(&subject, "%s: %s r%lld %s", letter.complete ? "Complete" : "Accepted",
	    receipt->advisory.number, (long long)receipt->revision.number, letter.title);
	const struct outgoing outgoing = {
	    .kind = "receipt",
	    .to = to.deliveries[0].address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record,
	    .done = done,
	    .context = receipt,
	};
	if (text.overflow || unreached.overflow || clear.overflow ||
	    !outgoing_send(gate, &outgoing)) {
		recipients_release(&to);
		receipt_failed(receipt, "it is too large to be sent");
	}
done:
	buf_release(&text);
	buf_release(&unreached);
	buf_release(&clear);
	buf_release(&subject);
}

static bool on_title(void *context, enum pool_event event, struct view body)
{
	struct receipt *receipt = context;
	struct vault_reply reply = {
	    .status = VAULT_FAILED, .text = "opening a title ended the vault twice"};
	if (event == POOL_ANSWER && !vault_take_unstash(body, &reply, &receipt->title))
		return false;
	if (reply.status == VAULT_OK)
		send_receipt(receipt);
	else
		receipt_failed(receipt, reply.text);
	return true;
}

/* An admin's withdrawal has no publisher to tell: it is only recorded. */
static void record_alone(struct receipt *receipt)
{
	struct gate *gate = receipt->gate;
	struct err err;
	if (store_begin(gate->store, &err) != 0 || record_stage(receipt, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	}
	receipt_free(receipt);
}

/* The first revision that has come to a stage it has no receipt for. */
static int find_due(void *context, const struct revision *revision, struct err *err)
{
	struct receipt *receipt = context;
	struct delivery_counts counts;
	if (receipt->stage != 0)
		return 0;
	if (store_delivery_count(receipt->gate->store, revision->message, &counts, err) != 0)
		return -1;
	const int64_t pending = counts.queued + counts.sending + counts.deferred;
	const int64_t stage = counts.unsealed > 0 ? 0
			      : pending > 0	  ? REPORTED_SEALED
						  : REPORTED_COMPLETE;
	if (stage <= revision->reported)
		return 0;
	/* The first receipt is not passed over: it tells at once who is left out. */
	receipt->stage = revision->reported + 1;
	receipt->revision = *revision;
	receipt->counts = counts;
	buf_add_view(&receipt->title_stash, revision->title);
	return 0;
}

static void start_receipt(struct gate *gate)
{
	struct receipt *receipt = calloc(1, sizeof *receipt);
	struct buf body = BUF_EMPTY(BUF_SMALL * 2);
	struct err err;
	bool found;
	if (receipt == NULL)
		abort();
	receipt->gate = gate;
	receipt->title_stash = BUF_EMPTY(BUF_SMALL);
	receipt->title = BUF_EMPTY(TITLE_MAX);
	gate->accounting->now = receipt;
	if (store_revision_each_unreported(gate->store, find_due, receipt, &err) != 0 ||
	    (receipt->stage != 0 && store_advisory_by_id(gate->store, receipt->revision.advisory,
					&receipt->advisory, &found, &err) != 0)) {
		gate_fail(gate, &err);
		receipt_free(receipt);
	} else if (receipt->stage == 0) {
		receipt_free(receipt);
		gate->want_account = false; /* receipt_free raised it */
	} else if (receipt->revision.publisher == 0) {
		record_alone(receipt);
	} else {
		vault_put_unstash(&body, buf_view(&receipt->title_stash));
		gate_ask(gate, gate->vaults, VAULT_UNSTASH, &body, GATE_OPEN_MS, on_title, receipt);
	}
}

static void start_withdrawal(struct gate *gate)
{
	int64_t advisory = 0;
	bool found = false;
	struct err err;
	if (store_withdrawal_next(gate->store, &advisory, &found, &err) != 0)
		gate_fail(gate, &err);
	else if (found)
		issue_withdrawal(gate, advisory);
}

void account_work(struct gate *gate)
{
	gate->want_account = false;
	start_withdrawal(gate);
	if (gate->accounting->now == NULL && !gate->accounting->paused && !gate->failed)
		start_receipt(gate);
}

static void now(void *context)
{
	struct gate *gate = context;
	gate->accounting->soon = false;
	gate->want_account = true;
}

void account_soon(struct gate *gate)
{
	if (gate->accounting->soon)
		return;
	gate->accounting->soon = true;
	loop_after(gate->loop, ACCOUNT_SOON_MS, now, gate);
}

int account_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->accounting = calloc(1, sizeof *gate->accounting);
	if (gate->accounting == NULL)
		abort();
	return 0;
}

void account_stop(struct gate *gate)
{
	if (gate->accounting != NULL && gate->accounting->now != NULL)
		receipt_free(gate->accounting->now);
	free(gate->accounting);
}
