#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/claim.h"
#include "gate/pace.h"
#include "gate/schedule.h"
#include "gate/uncounted.h"
#include "store/audit.h"
#include "store/reminders.h"
#include "store/uncounted.h"

static int add(const struct mail_facts *facts, const struct revision *revision, int64_t contact,
    enum uncounted why, struct err *err)
{
	struct gate *gate = facts->gate;
	struct uncounted_answer answer = {
	    .revision = revision->id,
	    .contact = contact,
	    .arrival = facts->arrival,
	    .signed_at = facts->contact != 0 ? facts->opened.signatures[0].created : 0,
	    .received_at = clock_now(),
	    .told = facts->contact == 0 || !uncounted_is_told(why),
	};
	char label[STORE_NAME_SIZE];
	bool fresh;
	snprintf(answer.reason, sizeof answer.reason, "%s", uncounted_name(why));
	if (store_uncounted_add(gate->store, &answer, &fresh, err) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (gate_label(gate, revision->message, label, err) != 0)
		return -1;
	if (!answer.told)
		schedule_soon(gate);
	log_warning("%s: an answer does not count: arrival %lld: %s", label,
	    (long long)facts->arrival, uncounted_text(why));
	return store_audit_add(gate->store, answer.received_at, "gate", "acknowledgment.uncounted",
	    label, err, "arrival %lld: %s", (long long)facts->arrival, uncounted_text(why));
}

/* `contact`: who wrote it, or, when nobody has proven that, whose address it has. */
static int note(const struct mail_facts *facts, const struct revision *revision, int64_t contact,
    struct err *err)
{
	struct delivery delivery;
	bool found;
	if (store_delivery_of_contact(
		facts->gate->store, revision->message, contact, &delivery, &found, err) != 0)
		return -1;
	const bool delivered = found && delivery.attempts > 0;
	if (!delivered && facts->contact == 0)
		return 0;
	if (delivered && facts->uncounted == UNCOUNTED_NOT_DELIVERED)
		return 0; /* that was said of another token */
	return add(facts, revision, contact,
	    delivered ? facts->uncounted : UNCOUNTED_NOT_DELIVERED, err);
}

/* *noted is set when one of them is a token of ours. */
static int note_all(const struct mail_facts *facts, const struct token_list *list, int64_t contact,
    bool *noted, struct err *err)
{
	struct revision revision;
	bool found;
	for (uint32_t i = 0; i < list->count; i++) {
		if (store_revision_by_token(
			facts->gate->store, list->tokens[i], &revision, &found, err) != 0 ||
		    (found && note(facts, &revision, contact, err) != 0))
			return -1;
		*noted = *noted || found;
	}
	return 0;
}

/* Tokens in the text, as an answer's; failing that, in whatever comes with it. */
static int note_tokens(const struct mail_facts *facts, int64_t contact, struct err *err)
{
	const struct mail_content *content = facts->content;
	const struct mail_outline *outline = facts->outline;
	struct token_list list = {.count = 0};
	bool noted = false;
	if (facts->uncounted == UNCOUNTED_TOKEN_OUTSIDE)
		return note_all(facts, &outline->subject_tokens, contact, &noted, err) != 0
			   ? -1
			   : note_all(facts, &outline->tokens, contact, &noted, err);
	if (content->readable) {
		token_find(view_of(content->subject), &list);
		token_find(content->text, &list);
		token_find_changed(view_of(content->subject), &list);
		token_find_changed(content->text, &list);
	}
	if (note_all(facts, &list, contact, &noted, err) != 0)
		return -1;
	return noted ? 0 : note_all(facts, &content->tokens, contact, &noted, err);
}

/* A signed mail without a token may be an answer to whatever the contact is still to answer. */
struct unnamed {
	const struct mail_facts *facts;
	int64_t contact;
};

static int note_unnamed(void *context, const struct revision *revision, struct err *err)
{
	const struct unnamed *unnamed = context;
	struct delivery delivery;
	bool found;
	if (store_delivery_of_contact(unnamed->facts->gate->store, revision->message,
		unnamed->contact, &delivery, &found, err) != 0)
		return -1;
	return !found || delivery.attempts == 0
		   ? 0
		   : add(unnamed->facts, revision, unnamed->contact, UNCOUNTED_NO_TOKEN, err);
}

int uncounted_look(const struct mail_facts *facts, struct err *err)
{
	char address[STORE_ADDRESS_SIZE];
	struct contact contact = {.id = facts->contact};
	bool found = true;
	if (facts->uncounted == UNCOUNTED_NOT || facts->automatic)
		return 0;
	if (contact.id == 0 &&
	    claim_of_arrival(facts->gate, facts->arrival, address, &contact, &found, err) != 0)
		return -1;
	if (!found)
		return 0;
	struct unnamed unnamed = {facts, contact.id};
	return facts->uncounted != UNCOUNTED_NO_TOKEN
		   ? note_tokens(facts, contact.id, err)
		   : store_reminder_each_open(
			 facts->gate->store, gate_now(facts->gate), note_unnamed, &unnamed, err);
}
