#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/claim.h"
#include "gate/clear.h"
#include "gate/schedule.h"
#include "store/audit.h"
#include "store/clear.h"

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
