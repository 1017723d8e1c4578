/* An admin's wish to withdraw an advisory. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gate/issuing.h"
#include "pgp/vault.h"
#include "worker/frame.h"

enum { TITLE_MAX = 4096, WITHDRAW_PAUSE_MS = 15 * 1000 };

static void withdraw_again(void *context)
{
	struct gate *gate = context;
	gate->issuing->withdrawing = 0;
	gate->want_account = true;
}

/* A wish that could not be carried out stands in the store still, and is tried after a pause. */
void issue_withdrawal_ended(struct gate *gate, bool recorded)
{
	if (recorded)
		withdraw_again(gate);
	else
		loop_after(gate->loop, WITHDRAW_PAUSE_MS, withdraw_again, gate);
}

static void try_again(struct issue *issue)
{
	struct gate *gate = issue->gate;
	free(issue);
	issue_withdrawal_ended(gate, false);
}

static bool on_title(void *context, enum pool_event event, struct view body)
{
	struct issue *issue = context;
	struct buf title = BUF_EMPTY(TITLE_MAX);
	struct vault_reply reply = {.status = VAULT_FAILED};
	if (event == POOL_ANSWER && !vault_take_unstash(body, &reply, &title)) {
		buf_release(&title);
		return false;
	}
	if (reply.status == VAULT_LOCKED) {
		log_error("%s cannot be withdrawn now, and is tried again: %s",
		    issue->advisory.number, reply.text);
		buf_release(&title);
		try_again(issue);
		return true;
	}
	/* Without its title it is withdrawn all the same: the number says which. */
	view_copy(reply.status == VAULT_OK ? buf_view(&title) : VIEW("(no title)"),
	    issue->draft.title, sizeof issue->draft.title);
	buf_release(&title);
	issue_enter(issue);
	return true;
}

struct earlier {
	struct issue *issue;
	struct buf title;
};

static int copy_earlier(void *context, const struct revision *revision, struct err *err)
{
	struct earlier *earlier = context;
	(void)err;
	earlier->issue->revision = *revision;
	earlier->issue->revision.title = (struct view){"", 0};
	buf_clear(&earlier->title);
	buf_add_view(&earlier->title, revision->title);
	return 0;
}

/* Rejected, or not to be released, since the admin asked: nobody has ever got it. */
static void nothing_to_withdraw(struct issue *issue)
{
	struct gate *gate = issue->gate;
	struct err err;
	if (store_withdrawal_done(gate->store, issue->advisory.id, &err) != 0)
		gate_fail(gate, &err);
	free(issue);
	issue_withdrawal_ended(gate, true);
}

void issue_withdrawal(struct gate *gate, int64_t advisory)
{
	if (gate->issuing->withdrawing != 0)
		return;
	gate->issuing->withdrawing = advisory;
	struct issue *issue = issue_new(gate);
	struct earlier earlier = {.issue = issue, .title = BUF_EMPTY(BUF_SMALL)};
	struct buf body = BUF_EMPTY(BUF_SMALL * 2);
	struct err err;
	bool found;
	issue->draft.control.act = CONTROL_WITHDRAW;
	issue->draft.text = VIEW("Withdrawn by the gateway's administrators.");
	if (store_advisory_by_id(gate->store, advisory, &issue->advisory, &found, &err) != 0 ||
	    store_revision_each(gate->store, advisory, copy_earlier, &earlier, &err) != 0 ||
	    (issue->advisory.publisher != 0 &&
		store_publisher_get(gate->store, issue->advisory.publisher, &issue->publisher,
		    &found, &err) != 0)) {
		gate_fail(gate, &err);
		free(issue);
	} else if (strcmp(issue->advisory.state, "held") == 0) {
		issue_enter(issue); /* nobody has its title yet */
	} else if (issue->advisory.revisions == 0) {
		nothing_to_withdraw(issue);
	} else {
		tlp_from(view_of(issue->revision.tlp), &issue->draft.tlp);
		vault_put_unstash(&body, buf_view(&earlier.title));
		gate_ask(gate, gate->vaults, VAULT_UNSTASH, &body, GATE_OPEN_MS, on_title, issue);
	}
	buf_release(&earlier.title);
}
