#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/ask.h"
#include "gate/letters_agreement.h"
#include "gate/outgoing.h"
#include "gate/pace.h"
#include "gate/recipients.h"
#include "rules/agreement.h"
#include "rules/reach.h"
#include "store/advisories.h"
#include "store/audit.h"

enum { TOKEN_BYTES = 10, AGAIN_AFTER_S = 86400 };

/* One mail that asks. */
struct asking {
	struct gate *gate;
	int64_t now;
	bool found; /* somebody to be asked */
	bool again; /* who was asked before: `before` */
	bool reminder;
	struct agreement_request before;
	struct agreement_request request;
	struct agreement agreement;
	struct contact contact;
	struct member member;
	struct buf text;
};

static void asking_free(struct asking *asking)
{
	buf_release(&asking->text);
	free(asking);
}

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct asking *asking = context;
	struct store *store = asking->gate->store;
	(void)title;
	asking->request.message = message;
	const int result =
	    asking->again
		? store_agreement_request_again(store, &asking->before, &asking->request, go, err)
		: store_agreement_request_add(store, &asking->request, go, err);
	if (result != 0 || !*go)
		return result;
	return store_audit_add(store, asking->now, "gate",
	    asking->reminder ? "agreement.remind" : "agreement.ask", asking->contact.address, err,
	    "version %lld, member %s (%s)", (long long)asking->agreement.version, asking->member.id,
	    asking->member.state);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct asking *asking = context;
	struct gate *gate = asking->gate;
	gate->asking = false;
	if (end == OUTGOING_FAILED)
		log_error(
		    "%s is asked for the agreement later: %s", asking->contact.address, problem);
	else
		log_info("%s is asked to sign version %lld of the agreement",
		    asking->contact.address, (long long)asking->agreement.version);
	asking_free(asking);
	if (end != OUTGOING_FAILED && !gate->failed)
		ask_check(gate, gate_now(gate));
}

static void send(struct asking *asking)
{
	struct gate *gate = asking->gate;
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY(OUTGOING_MAX);
	struct recipients to = {0};
	const struct letter_agreement letter = {
	    .programme = gate->config->gateway.name,
	    .gateway = gate->config->gateway.address,
	    .fingerprint = gate->fingerprint,
	    .member = &asking->member,
	    .agreement = &asking->agreement,
	    .token = asking->request.token,
	    .invitation = strcmp(asking->member.state, "invited") == 0,
	    .reminder = asking->reminder,
	    .now = asking->now,
	    .text = buf_view(&asking->text),
	};
	struct err err;
	letter_agreement_subject(&subject, &letter);
	letter_agreement_text(&text, &letter);
	if (recipients_add_contact(gate, &to, asking->contact.id, &err) != 0) {
		recipients_release(&to);
		gate_fail(gate, &err);
		asking_free(asking);
		goto done;
	}
	const struct outgoing outgoing = {
	    .kind = "agreement",
	    .to = asking->contact.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record,
	    .done = done,
	    .context = asking,
	};
	gate->asking = true;
	if (!outgoing_send(gate, &outgoing)) {
		log_error("version %lld of the agreement is too large to be sent",
		    (long long)asking->agreement.version);
		gate->asking = false;
		recipients_release(&to);
		asking_free(asking);
	}
done:
	buf_release(&subject);
	buf_release(&text);
}

/* Takes the contact when there is a key to seal for: otherwise a mail that nobody gets would count
 * as having asked. */
static int take_contact(struct asking *asking, int64_t contact, bool *taken, struct err *err)
{
	struct store *store = asking->gate->store;
	struct certificate certificate;
	char reason[STORE_REASON_SIZE];
	bool found;
	*taken = false;
	if (store_contact_get(store, contact, &asking->contact, &found, err) != 0)
		return -1;
	if (!found)
		return 0;
	if (store_certificate_get(store, asking->contact.fingerprint, &certificate, &found, err) !=
	    0)
		return -1;
	if (!reach_notice(&asking->contact, found ? &certificate : NULL, asking->now, reason))
		return 0;
	return store_member_get(store, asking->contact.member, &asking->member, taken, err);
}

static int find_unasked(void *context, int64_t contact, struct err *err)
{
	struct asking *asking = context;
	unsigned char random[TOKEN_BYTES];
	if (asking->found)
		return 0;
	if (take_contact(asking, contact, &asking->found, err) != 0)
		return -1;
	if (!asking->found)
		return 0;
	random_bytes(random, sizeof random);
	asking->request = (struct agreement_request){.version = asking->agreement.version,
	    .contact = contact,
	    .asked_at = asking->now,
	    .mailed_at = asking->now};
	text_base32(random, sizeof random, asking->request.token);
	return 0;
}

/* A mail that never got there is sent again a day later; a reminder when it is due. */
static int find_due(void *context, const struct agreement_request *request, struct err *err)
{
	struct asking *asking = context;
	struct delivery delivery;
	bool found;
	if (asking->found)
		return 0;
	const int64_t due = agreement_reminders_due(
	    request->asked_at, asking->agreement.required_from, asking->now);
	bool lost = false;
	if (due <= request->reminders) {
		if (request->mailed_at + AGAIN_AFTER_S > asking->now)
			return 0;
		if (store_delivery_of_contact(asking->gate->store, request->message,
			request->contact, &delivery, &found, err) != 0)
			return -1;
		lost = found && (strcmp(delivery.state, "failed") == 0 ||
				    strcmp(delivery.state, "bounced") == 0);
		if (!lost)
			return 0;
	}
	if (take_contact(asking, request->contact, &asking->found, err) != 0)
		return -1;
	asking->again = true;
	asking->reminder = !lost;
	asking->before = asking->request = *request;
	asking->request.mailed_at = asking->now;
	asking->request.reminders = due > request->reminders ? due : request->reminders;
	return 0;
}

void ask_check(struct gate *gate, int64_t now)
{
	struct asking *asking;
	bool found;
	struct err err;
	if (gate->asking)
		return;
	asking = calloc(1, sizeof *asking);
	if (asking == NULL)
		abort();
	asking->gate = gate;
	asking->now = now;
	asking->text = BUF_EMPTY(AGREEMENT_TEXT_MAX + 1);
	struct store *store = gate->store;
	if (store_agreement_get(store, 0, &asking->agreement, &asking->text, &found, &err) != 0 ||
	    (found && store_agreement_each_unasked(
			  store, asking->agreement.version, find_unasked, asking, &err) != 0) ||
	    (found && !asking->found &&
		store_agreement_each_unanswered(
		    store, asking->agreement.version, find_due, asking, &err) != 0)) {
		gate_fail(gate, &err);
		asking_free(asking);
	} else if (asking->found) {
		send(asking);
	} else {
		asking_free(asking);
	}
}

struct lapsing {
	struct gate *gate;
	int64_t now;
	size_t contacts;
	bool covered; /* somebody's signature suffices */
};

static int look_at_contact(void *context, const struct contact *contact, struct err *err)
{
	struct lapsing *lapsing = context;
	struct agreement_standing standing;
	char reason[STORE_REASON_SIZE];
	if (store_agreement_standing(lapsing->gate->store, contact->id, &standing, err) != 0)
		return -1;
	lapsing->contacts++;
	lapsing->covered = lapsing->covered || agreement_suffices(&standing, lapsing->now, reason);
	return 0;
}

static int look_at_member(void *context, const struct member *member, struct err *err)
{
	struct lapsing *lapsing = context;
	struct store *store = lapsing->gate->store;
	const bool active = strcmp(member->state, "active") == 0;
	bool moved;
	if (!active && strcmp(member->state, "lapsed") != 0)
		return 0;
	lapsing->contacts = 0;
	lapsing->covered = false;
	if (store_contact_each(store, member->id, look_at_contact, lapsing, err) != 0)
		return -1;
	if (lapsing->contacts == 0 || lapsing->covered == active)
		return 0;
	const char *event = active ? "lapse" : "renew";
	if (store_member_move(store, member->id, event, &moved, err) != 0)
		return -1;
	log_warning("member %s is %s: %s", member->id, active ? "lapsed" : "active again",
	    active ? "none of its contacts has signed the agreement that is required"
		   : "a contact has signed the agreement");
	return store_audit_add(store, lapsing->now, "gate",
	    active ? "member.lapse" : "member.renew", member->id, err, "%s", member->name);
}

void ask_check_lapses(struct gate *gate, int64_t now)
{
	struct lapsing lapsing = {.gate = gate, .now = now};
	struct agreement_standing standing;
	struct err err;
	if (store_agreement_standing(gate->store, 0, &standing, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	if (agreement_in_force(&standing, now) == 0)
		return; /* nothing is required of anybody */
	if (store_begin(gate->store, &err) != 0 ||
	    store_member_each(gate->store, look_at_member, &lapsing, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	}
}
