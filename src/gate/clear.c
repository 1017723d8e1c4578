#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/claim.h"
#include "gate/clear.h"
#include "gate/letters_answer.h"
#include "gate/outgoing.h"
#include "gate/recipients.h"
#include "gate/schedule.h"
#include "store/audit.h"
#include "store/clear.h"
#include "worker/frame.h"

enum {
	CLEAR_PAUSE_MS = 10 * 1000,
	CLEAR_GATHER_S = 3, /* so that many at once become one letter */
	MS = 1000
};

/* A notice under way: to a contact, or about those of one revision to publisher and admins. */
struct telling {
	struct gate *gate;
	struct clear_answer answer; /* the contact's; of the other kind the last one */
	size_t count; /* 0: to the contact */
	struct advisory advisory;
	struct revision revision;
	struct buf lines;
};

struct clearing {
	struct telling *now;
	bool paused;
};

const char *clear_what(const struct mail_facts *facts, const char *token)
{
	if (!facts->encrypted || token_is_in(&facts->outline->tokens, token))
		return "text";
	return token_is_in(&facts->outline->subject_tokens, token) ? "subject" : "";
}

int clear_note(struct gate *gate, const struct acknowledgment *acknowledgment, const char *actor,
    const char *label, struct err *err)
{
	struct clear_answer answer = {
	    .acknowledgment = acknowledgment->id,
	    .revision = acknowledgment->revision,
	    .contact = acknowledgment->contact,
	    .arrival = acknowledgment->arrival,
	    .received_at = acknowledgment->received_at,
	};
	bool fresh;
	snprintf(answer.what, sizeof answer.what, "%s", acknowledgment->clear);
	if (store_clear_add(gate->store, &answer, &fresh, err) != 0)
		return -1;
	log_warning("%s: an answer travelled in the open: its %s (%s)", label,
	    acknowledgment->clear, actor);
	if (fresh)
		schedule_soon(gate);
	return store_audit_add(gate->store, acknowledgment->received_at, actor,
	    "acknowledgment.clear", label, err, "its %s travelled in the open, arrival %lld",
	    acknowledgment->clear, (long long)acknowledgment->arrival);
}

/* Only who got the revision may be told of it. */
static int find_answerer(const struct mail_facts *facts, const struct revision *revision,
    struct clear_answer *answer, struct err *err)
{
	struct store *store = facts->gate->store;
	struct contact contact = {.id = 0};
	struct delivery delivery;
	bool found;
	if (claim_of_arrival(
		facts->gate, facts->arrival, answer->claimed, &contact, &found, err) != 0)
		return -1;
	if (facts->contact != 0)
		contact.id = facts->contact;
	if (contact.id == 0)
		return 0;
	if (store_delivery_of_contact(
		store, revision->message, contact.id, &delivery, &found, err) != 0)
		return -1;
	answer->contact = found && delivery.attempts > 0 ? contact.id : 0;
	return 0;
}

static int note_leak(const struct mail_facts *facts, const struct revision *revision,
    const char *what, struct err *err)
{
	struct gate *gate = facts->gate;
	struct clear_answer answer = {
	    .revision = revision->id,
	    .arrival = facts->arrival,
	    .received_at = clock_now(),
	};
	char label[STORE_NAME_SIZE];
	bool fresh;
	snprintf(answer.what, sizeof answer.what, "%s", what);
	if (find_answerer(facts, revision, &answer, err) != 0 ||
	    store_clear_add(gate->store, &answer, &fresh, err) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (gate_label(gate, revision->message, label, err) != 0)
		return -1;
	log_warning("%s: a mail with its token travelled in the open: arrival %lld", label,
	    (long long)facts->arrival);
	schedule_soon(gate);
	return store_audit_add(gate->store, answer.received_at, "gate", "token.clear", label, err,
	    "in the %s of arrival %lld, which says it is from \"%s\"", what,
	    (long long)facts->arrival, answer.claimed);
}

int clear_look(const struct mail_facts *facts, struct err *err)
{
	const struct token_list *const lists[] = {
	    &facts->outline->tokens, &facts->outline->subject_tokens};
	static const char *const what[] = {"text", "subject"};
	struct revision revision;
	bool found;
	for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++) {
		for (uint32_t i = 0; i < lists[list]->count; i++) {
			if (store_revision_by_token(facts->gate->store, lists[list]->tokens[i],
				&revision, &found, err) != 0 ||
			    (found && note_leak(facts, &revision, what[list], err) != 0))
				return -1;
		}
	}
	return 0;
}

static void telling_free(struct telling *telling)
{
	telling->gate->clearing->now = NULL;
	buf_release(&telling->lines);
	free(telling);
}

static void fail(struct telling *telling, struct recipients *to, const struct err *err)
{
	recipients_release(to);
	gate_fail(telling->gate, err);
	telling_free(telling);
}

static void resume(void *context)
{
	struct gate *gate = context;
	gate->clearing->paused = false;
	schedule_soon(gate);
}

static void pause_for(struct gate *gate, int64_t ms)
{
	gate->clearing->paused = true;
	loop_after(gate->loop, ms, resume, gate);
}

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	const struct telling *telling = context;
	struct store *store = telling->gate->store;
	(void)title;
	(void)go;
	return telling->count == 0 ? store_clear_set_told(store, telling->answer.id, message, err)
				   : store_clear_set_reported(store, telling->answer.revision,
					 telling->answer.acknowledgment != 0, telling->answer.id, err);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct telling *telling = context;
	struct gate *gate = telling->gate;
	telling_free(telling);
	if (end == OUTGOING_FAILED) {
		log_error("a notice of an answer in the open could not be made, and is tried "
			  "again: %s",
		    problem);
		pause_for(gate, CLEAR_PAUSE_MS);
	} else {
		schedule_soon(gate);
	}
}

static int find_revision(struct telling *telling, struct err *err)
{
	struct store *store = telling->gate->store;
	bool found;
	if (store_revision_by_message(
		store, telling->answer.message, &telling->revision, &found, err) != 0)
		return -1;
	return store_advisory_by_id(
	    store, telling->revision.advisory, &telling->advisory, &found, err);
}

static int find_recipients(struct telling *telling, struct recipients *to, struct err *err)
{
	struct gate *gate = telling->gate;
	if (telling->count == 0)
		return recipients_add_contact(gate, to, telling->answer.contact, err);
	if (telling->revision.publisher != 0 &&
	    recipients_add_publisher(gate, to, telling->revision.publisher, err) != 0)
		return -1;
	return recipients_add_admins(gate, to, err);
}

static void write_letter(const struct telling *telling, struct buf *subject, struct buf *text)
{
	const struct letter_clear letter = {
	    .fingerprint = telling->gate->fingerprint,
	    .advisory = &telling->advisory,
	    .revision = &telling->revision,
	    .now = clock_now(),
	};
	const bool counts = telling->answer.acknowledgment != 0;
	if (telling->count == 0 && counts) {
		letter_clear_subject(subject, &letter);
		letter_clear_text(text, &letter, &telling->answer);
	} else if (telling->count == 0) {
		letter_leak_subject(subject, &letter);
		letter_leak_text(text, &letter, &telling->answer);
	} else if (!counts) {
		letter_leak_alarm_subject(subject, &letter);
		letter_leak_alarm_text(text, &letter, buf_view(&telling->lines));
	} else {
		letter_clear_alarm_subject(subject, &letter, telling->count);
		letter_clear_alarm_text(text, &letter, buf_view(&telling->lines));
	}
}

static void send_telling(struct telling *telling)
{
	struct gate *gate = telling->gate;
	struct recipients to = {0};
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY(FRAME_BODY_MAX / 8);
	struct err err;
	if (find_revision(telling, &err) != 0 || find_recipients(telling, &to, &err) != 0 ||
	    (to.count == 0 && record(telling, 0, VIEW(""), NULL, &err) != 0)) {
		fail(telling, &to, &err);
		return;
	}
	if (to.count == 0) { /* nobody to tell: the log, the audit and dewctl have it */
		schedule_soon(gate);
		telling_free(telling);
		return;
	}
	write_letter(telling, &subject, &text);
	const struct outgoing outgoing = {
	    .kind = telling->count == 0 ? "notice" : "alarm",
	    .to = telling->count == 0 ? to.deliveries[0].address : gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record,
	    .done = done,
	    .context = telling,
	};
	if (!outgoing_send(gate, &outgoing)) { /* a line or two for each contact */
		err_set(&err, ERR_DAEMON, ERR_NEVER, "a notice is too large to be sent");
		fail(telling, &to, &err);
	}
	buf_release(&subject);
	buf_release(&text);
}

static struct telling *telling_new(struct gate *gate)
{
	struct telling *telling = calloc(1, sizeof *telling);
	if (telling == NULL)
		abort();
	telling->gate = gate;
	telling->lines = BUF_EMPTY(FRAME_BODY_MAX / 16);
	gate->clearing->now = telling;
	return telling;
}

/* Those of the first revision only, and either such that count or such that do not. */
static int collect(void *context, const struct clear_answer *answer, struct err *err)
{
	struct telling *telling = context;
	(void)err;
	if (telling->count > 0 &&
	    (answer->revision != telling->answer.revision ||
		(answer->acknowledgment == 0) != (telling->answer.acknowledgment == 0)))
		return 0;
	telling->answer = *answer;
	telling->count++;
	if (answer->acknowledgment == 0)
		letter_add_leak(&telling->lines, answer);
	else
		letter_add_clear(&telling->lines, answer);
	return 0;
}

static int find_first(void *context, const struct clear_answer *answer, struct err *err)
{
	int64_t *first = context;
	(void)err;
	if (*first == 0)
		*first = answer->received_at;
	return 0;
}

static void check_unreported(struct gate *gate, int64_t now)
{
	int64_t first = 0;
	struct err err;
	if (store_clear_each_unreported(gate->store, find_first, &first, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	if (first == 0)
		return;
	if (now >= first && now - first < CLEAR_GATHER_S) {
		pause_for(gate, (int64_t)CLEAR_GATHER_S * MS);
		return;
	}
	struct telling *telling = telling_new(gate);
	if (store_clear_each_unreported(gate->store, collect, telling, &err) != 0) {
		gate_fail(gate, &err);
		telling_free(telling);
		return;
	}
	send_telling(telling);
}

void clear_check(struct gate *gate, int64_t now)
{
	struct clear_answer answer;
	struct err err;
	bool found;
	if (gate->clearing->now != NULL || gate->clearing->paused)
		return;
	if (store_clear_next(gate->store, &answer, &found, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	if (!found) {
		check_unreported(gate, now);
		return;
	}
	struct telling *telling = telling_new(gate);
	telling->answer = answer;
	send_telling(telling);
}

int clear_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->clearing = calloc(1, sizeof *gate->clearing);
	if (gate->clearing == NULL)
		abort();
	return 0;
}

void clear_stop(struct gate *gate)
{
	if (gate->clearing != NULL && gate->clearing->now != NULL)
		telling_free(gate->clearing->now);
	free(gate->clearing);
}
