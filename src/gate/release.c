#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/issue.h"
#include "gate/letters_release.h"
#include "gate/outgoing.h"
#include "gate/pace.h"
#include "gate/recipients.h"
#include "gate/release.h"
#include "gate/schedule.h"
#include "mail/reader.h"
#include "rules/advisory.h"
#include "store/audit.h"

enum { RELEASE_PAUSE_MS = 15 * 1000, RELEASE_NEAR_S = 60 };

struct releasing {
	bool busy; /* a draft is open */
	bool paused;
	bool due_first; /* those whose hour has come before those to be asked about */
	int64_t looked_at; /* the hold of the last draft that was opened, */
	int64_t after; /* and of the last that could not be: others come before it is tried again */
	struct loop_timer *at; /* the next hour, when it is near */
};

/* A hold on its way to be asked about or ended. */
struct ending {
	struct mail_facts *facts;
	struct hold hold;
	struct advisory advisory;
};

int release_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->releasing = calloc(1, sizeof *gate->releasing);
	if (gate->releasing == NULL)
		abort();
	return 0;
}

void release_stop(struct gate *gate)
{
	free(gate->releasing);
}

void release_ended(struct gate *gate)
{
	gate->releasing->busy = false;
	schedule_soon(gate);
}

static void resume(void *context)
{
	struct gate *gate = context;
	gate->releasing->paused = false;
	schedule_soon(gate);
}

void release_later(struct gate *gate, const char *why)
{
	log_error("what is held cannot be opened now, and is tried again: %s", why);
	gate->releasing->after = gate->releasing->looked_at;
	gate->releasing->due_first = !gate->releasing->due_first;
	if (gate->releasing->paused)
		return;
	gate->releasing->paused = true;
	loop_after(gate->loop, RELEASE_PAUSE_MS, resume, gate);
}

static void hour_has_come(void *context)
{
	struct gate *gate = context;
	gate->releasing->at = NULL;
	schedule_soon(gate);
}

/* The schedule runs every half minute; an hour that is near is waited for exactly. */
static void wait_for_next(struct gate *gate, int64_t now)
{
	struct err err;
	int64_t at;
	if (store_hold_next_time(gate->store, now, &at, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	loop_timer_cancel(gate->loop, gate->releasing->at);
	gate->releasing->at = NULL;
	if (at != 0 && at - now <= RELEASE_NEAR_S)
		gate->releasing->at =
		    loop_after(gate->loop, (at - now) * 1000, hour_has_come, gate);
}

/* What fails each time changes the turn: neither kind waits behind the other for ever. */
static int find_next(struct gate *gate, int64_t now, struct hold *hold, bool *found, struct err *err)
{
	const struct releasing *releasing = gate->releasing;
	*found = false;
	for (int turn = 0; turn < 2 && !*found; turn++) {
		const bool due = (turn == 0) == releasing->due_first;
		const int result =
		    due ? store_hold_due(gate->store, now, releasing->after, hold, found, err)
			: store_hold_unasked(gate->store, releasing->after, hold, found, err);
		if (result != 0)
			return -1;
	}
	return 0;
}

void release_check(struct gate *gate, int64_t now)
{
	struct hold hold;
	bool found;
	struct err err;
	if (gate->releasing->busy || gate->releasing->paused)
		return;
	if (find_next(gate, now, &hold, &found, &err) != 0) {
		gate_fail(gate, &err);
	} else if (found) {
		gate->releasing->busy = true;
		gate->releasing->looked_at = hold.id;
		open_draft(gate, hold.arrival, hold.id);
	} else {
		wait_for_next(gate, now);
	}
}

/* -- asking the other publishers -- */

static int record_asked(
    void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct ending *asking = context;
	struct store *store = asking->facts->gate->store;
	(void)message;
	(void)title;
	if (store_hold_set_asked(store, asking->hold.id, go, err) != 0)
		return -1;
	return !*go ? 0
		    : store_audit_add(store, clock_now(), "gate", "advisory.ask",
			  asking->advisory.number, err,
			  "the other publishers get the draft and are asked to approve it");
}

static void ended(void *context, enum outgoing_end end, const char *problem)
{
	struct ending *ending = context;
	if (end == OUTGOING_FAILED)
		release_later(ending->facts->gate, problem);
	open_done(ending->facts);
	free(ending);
}

static void fail(struct ending *ending, const struct err *err)
{
	gate_fail(ending->facts->gate, err);
	open_done(ending->facts);
	free(ending);
}

static bool send_request(struct ending *asking, const struct publisher *author,
    const struct draft *draft, struct recipients *to)
{
	struct gate *gate = asking->facts->gate;
	struct buf text = BUF_EMPTY(OUTGOING_MAX);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	const struct letter_hold letter = {
	    .number = asking->advisory.number,
	    .title = draft->title,
	    .tlp = tlp_name(draft->tlp),
	    .audience = draft->control.audience[0] == '\0' ? "as before" : draft->control.audience,
	    .exercise = asking->advisory.exercise,
	    .update = !control_is_first(&draft->control),
	    .acknowledge = draft->control.acknowledge,
	    .hold = &asking->hold,
	    .author = author->address,
	    .now = gate_now(gate),
	};
	letter_request(&text, &letter, draft->text);
	buf_printf(&subject, "To approve: %s %s", letter.number, letter.title);
	const struct outgoing outgoing = {
	    .kind = "approval",
	    .to = gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .attachments = asking->facts->onward,
	    .attachment_count = asking->facts->onward_count,
	    .deliveries = to->deliveries,
	    .delivery_count = to->count,
	    .record = record_asked,
	    .done = ended,
	    .context = asking,
	};
	const bool fits = !text.overflow && outgoing_send(gate, &outgoing);
	buf_release(&text);
	buf_release(&subject);
	return fits;
}

static void ask(struct ending *asking, const struct publisher *author)
{
	struct gate *gate = asking->facts->gate;
	struct recipients to = {0};
	struct refusal refusal;
	struct draft draft;
	enum tlp earlier;
	struct err err;
	const bool follows = tlp_from(view_of(asking->advisory.tlp), &earlier);
	if (!advisory_draft(
		asking->facts->content, gate_now(gate), follows ? &earlier : NULL, &draft, &refusal)) {
		release_impossible(asking->facts, author, &asking->hold, &refusal);
		free(asking);
	} else if (recipients_add_publishers(gate, &to, author->id, &err) != 0) {
		recipients_release(&to);
		fail(asking, &err);
	} else if (!send_request(asking, author, &draft, &to)) {
		recipients_release(&to);
		refuse(&refusal, 0, "it is too large to be sent to those who must approve it");
		release_impossible(asking->facts, author, &asking->hold, &refusal);
		free(asking);
	}
}

/* -- what a draft comes to -- */

static int load(struct mail_facts *facts, struct ending *out, struct err *err)
{
	struct store *store = facts->gate->store;
	bool found;
	out->facts = facts;
	if (store_hold_get(store, facts->hold, &out->hold, &found, err) != 0)
		return -1;
	return !found
		   ? err_set(err, ERR_DAEMON, ERR_NEVER, "a draft that nothing holds")
		   : store_advisory_by_id(store, out->hold.advisory, &out->advisory, &found, err);
}

static struct ending *load_new(struct mail_facts *facts)
{
	struct ending *ending = calloc(1, sizeof *ending);
	struct err err;
	if (ending == NULL)
		abort();
	if (load(facts, ending, &err) == 0)
		return ending;
	fail(ending, &err);
	return NULL;
}

/* Its author, who may have its reader in his hands, must not have one text approved and another one
 * released. */
static bool reads_as_before(const struct ending *ending)
{
	char reading[DIGEST_HEX_SIZE];
	reader_content_digest(ending->facts->content, reading);
	return strcmp(reading, ending->hold.reading) == 0;
}

void release_draft(struct mail_facts *facts, const struct publisher *author)
{
	struct ending *ending = load_new(facts);
	struct refusal refusal;
	if (ending == NULL)
		return;
	const bool is_open =
	    strcmp(ending->hold.state, "waiting") == 0 || strcmp(ending->hold.state, "held") == 0;
	if (is_open && !reads_as_before(ending)) {
		refuse(&refusal, 0, "it does not read as it did when it came in");
		release_impossible(facts, author, &ending->hold, &refusal);
		free(ending);
	} else if (strcmp(ending->hold.state, "waiting") == 0 && !ending->hold.asked) {
		ask(ending, author);
	} else if (strcmp(ending->hold.state, "held") == 0) {
		issue_held(facts, author, &ending->hold);
		free(ending);
	} else { /* withdrawn or rejected meanwhile */
		open_done(facts);
		free(ending);
	}
}

/* -- what cannot be released -- */

static int record_failed(
    void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct ending *ending = context;
	struct store *store = ending->facts->gate->store;
	const int64_t now = gate_now(ending->facts->gate);
	(void)message;
	(void)title;
	if (store_hold_move(store, ending->hold.id, "fail", 0, now, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (strcmp(ending->advisory.state, "held") == 0 &&
	    store_advisory_move(store, ending->advisory.id, "withdraw", err) != 0)
		return -1;
	log_error("%s could not be released: its author is told why", ending->advisory.number);
	return store_audit_add(store, now, "gate", "advisory.unreleasable", ending->advisory.number,
	    err, "nobody got it; its author is told why");
}

void release_impossible(struct mail_facts *facts, const struct publisher *author,
    const struct hold *hold, const struct refusal *refusal)
{
	struct gate *gate = facts->gate;
	struct ending *ending = load_new(facts);
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct recipients to = {0};
	struct err err;
	if (ending == NULL)
		return;
	letter_impossible(&text, ending->advisory.number, refusal);
	buf_printf(&subject, "Not sent: %s", ending->advisory.number);
	const bool known = recipients_add_publisher(
			       gate, &to, author == NULL ? hold->publisher : author->id, &err) == 0;
	const struct outgoing outgoing = {
	    .kind = "refusal",
	    .to = gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_failed,
	    .done = ended,
	    .context = ending,
	};
	if (!known || !outgoing_send(gate, &outgoing)) {
		if (known)
			err_set(&err, ERR_DAEMON, ERR_NEVER, "a receipt is too large to be sent");
		recipients_release(&to);
		fail(ending, &err);
	}
	buf_release(&text);
	buf_release(&subject);
}

void release_unreadable(struct mail_facts *facts, const char *reason)
{
	struct ending *ending = load_new(facts);
	struct refusal refusal;
	if (ending == NULL)
		return;
	refuse(&refusal, 0, "its draft does not count any more: %s", reason);
	release_impossible(facts, NULL, &ending->hold, &refusal);
	free(ending);
}
