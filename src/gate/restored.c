#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/letters_restored.h"
#include "gate/outgoing.h"
#include "gate/recipients.h"
#include "gate/restored.h"
#include "gate/schedule.h"
#include "store/audit.h"
#include "store/lost.h"
#include "worker/frame.h"

enum {
	RESTORED_PAUSE_MS = 10 * 1000,
	LINES_MOST = 50, /* in one letter */
	TOLD_ADMINS = 1, /* of epoch.told */
	TOLD_ALL = 2,
};

/* A letter under way, one at a time. */
struct letter {
	struct gate *gate;
	enum { TO_ADMINS, TO_PUBLISHERS, TO_WRITER, OF_LOST } kind;
	struct epoch epoch;
	struct lost_trace trace; /* to its writer; of several the last */
	size_t count;
	struct buf lines;
};

struct restored {
	struct letter *now;
	bool paused;
};

int restored_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->restored = calloc(1, sizeof *gate->restored);
	if (gate->restored == NULL)
		abort();
	return 0;
}

static void letter_free(struct letter *letter)
{
	letter->gate->restored->now = NULL;
	buf_release(&letter->lines);
	free(letter);
}

void restored_stop(struct gate *gate)
{
	if (gate->restored != NULL && gate->restored->now != NULL)
		letter_free(gate->restored->now);
	free(gate->restored);
}

/* -- telling -- */

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	const struct letter *letter = context;
	struct store *store = letter->gate->store;
	(void)message;
	(void)title;
	(void)go;
	switch (letter->kind) {
	case TO_ADMINS:
		return store_epoch_set_told(store, TOLD_ADMINS, err);
	case TO_PUBLISHERS:
		return store_epoch_set_told(store, TOLD_ALL, err);
	case TO_WRITER:
		return store_lost_set_told(store, letter->trace.id, LOST_ADMINS_UNTOLD, err);
	case OF_LOST:
		break;
	}
	return store_lost_set_admins_told(store, letter->trace.id, err);
}

static void resume(void *context)
{
	struct gate *gate = context;
	gate->restored->paused = false;
	schedule_soon(gate);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct letter *letter = context;
	struct gate *gate = letter->gate;
	letter_free(letter);
	if (end != OUTGOING_FAILED) {
		schedule_soon(gate);
		return;
	}
	log_error("a notice of the restore could not be made, and is tried again: %s", problem);
	gate->restored->paused = true;
	loop_after(gate->loop, RESTORED_PAUSE_MS, resume, gate);
}

static int find_recipients(struct letter *letter, struct recipients *to, struct err *err)
{
	struct gate *gate = letter->gate;
	if (letter->kind == TO_PUBLISHERS)
		return recipients_add_publishers(gate, to, 0, err);
	return letter->kind == TO_WRITER
		   ? recipients_add_contact(gate, to, letter->trace.contact, err)
		   : recipients_add_admins(gate, to, err);
}

static void write_letter(const struct letter *letter, struct buf *subject, struct buf *text)
{
	const char *prefix = letter->gate->config->gateway.prefix;
	switch (letter->kind) {
	case TO_ADMINS:
		letter_restored_subject(subject, &letter->epoch, true);
		letter_restored(text, &letter->epoch, prefix, buf_view(&letter->lines));
		break;
	case TO_PUBLISHERS:
		letter_restored_subject(subject, &letter->epoch, false);
		letter_restored_publisher(text, &letter->epoch, prefix, buf_view(&letter->lines));
		break;
	case TO_WRITER:
		buf_add_text(subject, "Your answer cannot be counted: the gateway lost what it answers");
		letter_lost_answer(text, &letter->epoch, &letter->trace, clock_now());
		break;
	case OF_LOST:
		buf_add_text(subject, "Alarm: mail shows what was lost in the restore");
		letter_lost(text, &letter->epoch, buf_view(&letter->lines));
		break;
	}
}

static void fail(struct letter *letter, struct recipients *to, const struct err *err)
{
	recipients_release(to);
	gate_fail(letter->gate, err);
	letter_free(letter);
}

static void send_letter(struct letter *letter)
{
	struct gate *gate = letter->gate;
	struct recipients to = {0};
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY(FRAME_BODY_MAX / 8);
	struct err err;
	if (find_recipients(letter, &to, &err) != 0 ||
	    (to.count == 0 && record(letter, 0, VIEW(""), NULL, &err) != 0)) {
		fail(letter, &to, &err);
		return;
	}
	if (to.count == 0) { /* nobody to tell: the log and dewctl have it */
		schedule_soon(gate);
		letter_free(letter);
		return;
	}
	write_letter(letter, &subject, &text);
	const bool alarm = letter->kind == TO_ADMINS || letter->kind == OF_LOST;
	const struct outgoing outgoing = {
	    .kind = alarm ? "alarm" : "notice",
	    .to = letter->kind == TO_WRITER ? to.deliveries[0].address
					    : gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record,
	    .done = done,
	    .context = letter,
	};
	if (!outgoing_send(gate, &outgoing)) {
		err_set(&err, ERR_DAEMON, ERR_NEVER, "a notice is too large to be sent");
		fail(letter, &to, &err);
	}
	buf_release(&subject);
	buf_release(&text);
}

/* -- what is to be told -- */

static int take_first(void *context, const struct lost_trace *trace, struct err *err)
{
	struct letter *letter = context;
	(void)err;
	if (letter->count++ == 0)
		letter->trace = *trace;
	return 0;
}

static int add_line(void *context, const struct lost_trace *trace, struct err *err)
{
	struct letter *letter = context;
	(void)err;
	if (letter->count == LINES_MOST)
		return 0; /* for the next letter */
	letter->count++;
	letter->trace = *trace;
	letter_add_lost(&letter->lines, trace, clock_now());
	return 0;
}

/* *found: there is something to tell. */
static int choose(struct letter *letter, bool *found, struct err *err)
{
	struct store *store = letter->gate->store;
	const struct epoch *epoch = &letter->epoch;
	*found = true;
	if (store_epoch_get(store, &letter->epoch, err) != 0)
		return -1;
	if (epoch->number > 1 && epoch->told < TOLD_ALL) {
		letter->kind = epoch->told < TOLD_ADMINS ? TO_ADMINS : TO_PUBLISHERS;
		return store_epoch_findings(store, &letter->lines, err);
	}
	letter->kind = TO_WRITER;
	if (store_lost_each(store, LOST_WRITER_UNTOLD, take_first, letter, err) != 0)
		return -1;
	if (letter->count > 0)
		return 0;
	letter->kind = OF_LOST;
	if (store_lost_each(store, LOST_ADMINS_UNTOLD, add_line, letter, err) != 0)
		return -1;
	*found = letter->count > 0;
	return 0;
}

void restored_check(struct gate *gate, int64_t now)
{
	struct err err;
	bool found;
	(void)now;
	if (gate->restored->now != NULL || gate->restored->paused)
		return;
	struct letter *letter = calloc(1, sizeof *letter);
	if (letter == NULL)
		abort();
	letter->gate = gate;
	letter->lines = BUF_EMPTY(FRAME_BODY_MAX / 16);
	gate->restored->now = letter;
	if (choose(letter, &found, &err) != 0) {
		gate_fail(gate, &err);
		letter_free(letter);
	} else if (found) {
		send_letter(letter);
	} else {
		letter_free(letter);
	}
}

/* -- what shows that something was lost -- */

/* "DEW-2026-0007 r1" where the protected Subject quotes it: "Re: [DEW-2026-0007 r1] title". */
static void name_answered(const struct mail_facts *facts, char *out, size_t size)
{
	const struct view subject = view_of(facts->content->subject);
	const size_t begin = view_find(subject, VIEW("["));
	const size_t end = view_find(subject, VIEW("]"));
	if (begin != SIZE_MAX && end != SIZE_MAX && end > begin + 1 && end - begin < size)
		view_copy(view_part(subject, begin + 1, end - begin - 1), out, size);
	else
		snprintf(out, size, "it does not say which advisory");
}

int restored_take_answer(const struct mail_facts *facts, const struct contact *contact,
    const struct token_list *tokens, bool *taken, struct err *err)
{
	struct gate *gate = facts->gate;
	struct epoch epoch;
	struct lost_trace trace = {
	    .kind = LOST_ANSWER,
	    .arrival = facts->arrival,
	    .contact = contact->id,
	    .received_at = clock_now(),
	    .told = LOST_WRITER_UNTOLD,
	};
	if (store_epoch_get(gate->store, &epoch, err) != 0)
		return -1;
	*taken = epoch.number > 1 && tokens->count > 0;
	if (!*taken)
		return 0;
	name_answered(facts, trace.subject, STORE_NUMBER_SIZE);
	log_warning("%s answers what is not on record: %s", contact->address, trace.subject);
	schedule_soon(gate);
	if (store_lost_add(gate->store, &trace, err) != 0 ||
	    store_audit_add(gate->store, trace.received_at, "gate", "lost.answer",
		contact->address, err, "%s, arrival %lld", trace.subject,
		(long long)facts->arrival) != 0)
		return -1;
	return open_record(facts, "finish", "acknowledgment",
	    "of what is not on record: it was lost in the restore",
	    facts->signer.facts.fingerprint, err);
}

/* Of this epoch a number that is unknown was never given out. */
static bool may_be_lost(const struct epoch *epoch, const char *prefix, const char *number)
{
	struct view rest = view_of(number);
	struct view year;
	const size_t len = strlen(prefix);
	if (epoch->number == 1 || !view_starts_nocase(rest, prefix) || rest.len <= len ||
	    rest.data[len] != '-')
		return false;
	rest = view_part(rest, len + 1, rest.len);
	return view_next_field(&rest, '-', &year) && year.len == strlen("2026") &&
	       rest.len > 0 && !view_starts_nocase(rest, epoch->tag);
}

int restored_refuse_number(const struct mail_facts *facts, const struct named_number *named,
    struct refusal *refusal, struct err *err)
{
	struct gate *gate = facts->gate;
	struct epoch epoch;
	struct lost_trace trace = {
	    .kind = LOST_NUMBER,
	    .arrival = facts->arrival,
	    .publisher = named->publisher,
	    .contact = named->contact,
	    .received_at = clock_now(),
	    .told = LOST_ADMINS_UNTOLD, /* the refusal tells the writer */
	};
	if (store_epoch_get(gate->store, &epoch, err) != 0)
		return -1;
	if (!may_be_lost(&epoch, named->prefix, named->number))
		return 0;
	snprintf(trace.subject, sizeof trace.subject, "%s", named->number);
	letter_refuse_lost(refusal, named->line, &epoch, named->number, named->advice);
	schedule_soon(gate);
	return store_lost_add(gate->store, &trace, err);
}
