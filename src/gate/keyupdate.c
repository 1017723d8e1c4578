#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/keyupdate.h"
#include "gate/letters_key.h"
#include "gate/outgoing.h"
#include "gate/recipients.h"
#include "pgp/vault.h"
#include "rules/keylife.h"
#include "rules/reach.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "store/keylife.h"
#include "worker/frame.h"

/* What the mail comes to. */
enum verdict { REFUSED, RENEWED, PENDING, CLOSED, REVOKED };

struct keyupdate {
	struct mail_facts *facts;
	struct key_owner owner;
	char actor[STORE_ADDRESS_SIZE + 16]; /* "contact ADDRESS" */
	struct view text; /* below the control block */
	struct buf known; /* the signer's certificate when this was asked about */
	enum verdict verdict;
	bool turned; /* into a refusal, by what the store holds: the letter is written anew */
	struct refusal refusal;
	struct renewal renewals[VAULT_RENEW_MAX];
	uint32_t count;
	const struct renewal *own; /* of the signer's own key; NULL: none */
	const struct renewal *other; /* of the new key */
	struct delivery *deliveries; /* of the answer: lives until its end */
};

static void free_update(struct keyupdate *update)
{
	for (uint32_t i = 0; i < update->count; i++)
		buf_release(&update->renewals[i].minimal);
	buf_release(&update->known);
	free(update);
}

static void fail(struct keyupdate *update, const struct err *err)
{
	gate_fail(update->facts->gate, err);
	open_done(update->facts);
	free_update(update);
}

static void again(struct keyupdate *update, const char *why)
{
	open_again(update->facts, why);
	free_update(update);
}

static int audit(struct keyupdate *update, const char *event, const char *fingerprint,
    const char *detail, struct err *err)
{
	return store_audit_add(update->facts->gate->store, clock_now(), update->actor, event,
	    fingerprint, err, "%s, arrival %lld", detail, (long long)update->facts->arrival);
}

static int refuse_clash(struct keyupdate *update, const char *clash)
{
	update->verdict = REFUSED;
	refuse(&update->refusal, 0, "the certificate has a key ID of another one, %s", clash);
	return 0;
}

static int put(struct keyupdate *update, const struct renewal *renewal, bool *is_new,
    char clash[static FINGERPRINT_SIZE], struct err *err)
{
	struct gate *gate = update->facts->gate;
	return store_certificate_put(gate->store, &renewal->verdict.facts, renewal->verdict.minimal,
	    gate->config->sealing.shard, is_new, clash, err);
}

static int record_own(struct keyupdate *update, struct err *err)
{
	struct gate *gate = update->facts->gate;
	const struct certificate_verdict *verdict = &update->own->verdict;
	const char *fingerprint = update->owner.fingerprint;
	char clash[FINGERPRINT_SIZE] = "";
	enum certificate_outcome outcome;
	if (store_certificate_take(gate->store, verdict, gate->config->sealing.shard, clock_now(),
		&outcome, clash, err) != 0)
		return -1;
	switch (outcome) {
	case CERTIFICATE_STALE:
		return err_set(err, ERR_DAEMON, ERR_LATER,
		    "the certificate %s was changed meanwhile", fingerprint);
	case CERTIFICATE_CLASH:
		return refuse_clash(update, clash);
	case CERTIFICATE_RETIRED:
		return audit(update, "key.retire", fingerprint, "revoked by its owner", err);
	case CERTIFICATE_CLOSED:
		return audit(update, "key.close", fingerprint,
		    "the encryption subkey is revoked by its owner", err);
	case CERTIFICATE_REFUSED:
		return 0;
	default:
		return audit(update, "key.update", fingerprint, verdict->facts.algorithm, err);
	}
}

/* Somebody else's key, or one that was retired, is nobody's new key. */
static int find_user(struct keyupdate *update, const char *fingerprint, bool *used, struct err *err)
{
	struct store *store = update->facts->gate->store;
	struct contact contact;
	struct publisher publisher;
	struct certificate certificate;
	bool is_contact, is_publisher, is_admin, found;
	if (store_contact_by_fingerprint(store, fingerprint, &contact, &is_contact, err) != 0 ||
	    store_publisher_by_fingerprint(store, fingerprint, &publisher, &is_publisher, err) !=
		0 ||
	    store_admin_by_fingerprint(store, fingerprint, &publisher, &is_admin, err) != 0 ||
	    store_certificate_get(store, fingerprint, &certificate, &found, err) != 0)
		return -1;
	*used = is_contact || is_publisher || is_admin ||
		(found && strcmp(certificate.state, "retired") == 0) ||
		strcmp(fingerprint, update->facts->gate->fingerprint) == 0;
	return 0;
}

static int record_other(struct keyupdate *update, struct err *err)
{
	const struct certificate_facts *facts = &update->other->verdict.facts;
	struct key_successor successor = {
	    .contact = update->owner.contact,
	    .publisher = update->owner.publisher,
	    .arrival = update->facts->arrival,
	    .asked_at = clock_now(),
	};
	char clash[FINGERPRINT_SIZE] = "";
	bool used = false, is_new, added = false;
	memcpy(successor.fingerprint, facts->fingerprint, sizeof successor.fingerprint);
	memcpy(successor.former, update->owner.fingerprint, sizeof successor.former);
	if (find_user(update, facts->fingerprint, &used, err) != 0 ||
	    (!used && put(update, update->other, &is_new, clash, err) != 0))
		return -1;
	if (clash[0] != '\0')
		return refuse_clash(update, clash);
	if (!used &&
	    store_key_successor_put(update->facts->gate->store, &successor, &added, err) != 0)
		return -1;
	if (used || !added) {
		update->verdict = REFUSED;
		refuse(&update->refusal, 0, "the new key %s cannot be taken: ask an admin",
		    facts->fingerprint);
		return 0;
	}
	return audit(update, "key.pending", facts->fingerprint, update->owner.fingerprint, err);
}

/* All that the mail changes. A clash found here turns it into a refusal that changes nothing. */
static int change(struct keyupdate *update, struct err *err)
{
	if (update->verdict == REFUSED)
		return 0;
	if (update->own != NULL && record_own(update, err) != 0)
		return -1;
	return update->verdict != REFUSED && update->other != NULL ? record_other(update, err) : 0;
}

static const char *const words[] = {
    [REFUSED] = "the answer says why",
    [RENEWED] = "renewed",
    [PENDING] = "a new key waits for an admin",
    [CLOSED] = "the encryption subkey is revoked",
    [REVOKED] = "revoked",
};

static int record_end(struct keyupdate *update, struct err *err)
{
	return open_record(update->facts, update->verdict == REFUSED ? "refuse" : "finish", "key",
	    words[update->verdict], update->facts->signer.facts.fingerprint, err);
}

static void log_end(const struct keyupdate *update)
{
	log_warning("arrival %lld: key of %s: %s", (long long)update->facts->arrival, update->actor,
	    words[update->verdict]);
}

static int add_recipient(struct keyupdate *update, struct recipients *to, struct err *err)
{
	struct gate *gate = update->facts->gate;
	return update->owner.contact != 0
		   ? recipients_add_contact(gate, to, update->owner.contact, err)
		   : recipients_add_publisher(gate, to, update->owner.publisher, err);
}

/* The answer goes to the key as it is now, which is not as it was when the answer was begun. */
static int aim_anew(struct keyupdate *update, struct err *err)
{
	struct recipients to = {0};
	const int result = add_recipient(update, &to, err);
	if (result == 0 && to.count == 1)
		update->deliveries[0] = to.deliveries[0];
	recipients_release(&to);
	return result;
}

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct keyupdate *update = context;
	struct mail_facts *facts = update->facts;
	const enum verdict before = update->verdict;
	(void)message;
	(void)title;
	if (store_signed_seen(facts->gate->store, facts->digest, facts->arrival, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (change(update, err) != 0)
		return -1;
	update->turned = update->verdict != before;
	if (update->turned) {
		*go = false;
		return 0;
	}
	return record_end(update, err) != 0 ? -1 : aim_anew(update, err);
}

static void answer(struct keyupdate *update);

static void done(void *context, enum outgoing_end how, const char *problem)
{
	struct keyupdate *update = context;
	if (how == OUTGOING_FAILED) {
		again(update, problem);
		return;
	}
	if (how == OUTGOING_DROPPED && update->turned) {
		update->own = update->other = NULL;
		update->turned = false;
		answer(update);
		return;
	}
	if (how == OUTGOING_DROPPED) {
		open_duplicate(update->facts);
	} else {
		log_end(update);
		open_done(update->facts);
	}
	free_update(update);
}

static void write_letter(const struct keyupdate *update, struct buf *text, const char **subject)
{
	const struct certificate whole = {.facts = update->own == NULL
						       ? (struct certificate_facts){.created = 0}
						       : update->own->verdict.facts};
	if (update->verdict == REFUSED) {
		*subject = "Refused: your key";
		letter_key_refused(text, &update->refusal, update->facts->arrival);
	} else if (update->verdict == PENDING) {
		*subject = "Your new key waits for an admin";
		letter_key_pending(
		    text, update->owner.fingerprint, update->other->verdict.facts.fingerprint);
	} else {
		*subject = "Your renewed key is taken";
		letter_key_renewed(
		    text, update->owner.fingerprint, reach_expires(&whole), clock_now());
	}
}

static void answer(struct keyupdate *update)
{
	struct gate *gate = update->facts->gate;
	struct recipients to = {0};
	struct buf text = BUF_EMPTY(BUF_SMALL);
	const char *subject;
	struct err err;
	if (add_recipient(update, &to, &err) != 0) {
		recipients_release(&to);
		fail(update, &err);
		return;
	}
	write_letter(update, &text, &subject);
	update->deliveries = to.deliveries;
	const struct outgoing outgoing = {
	    .kind = "key-receipt",
	    .to = update->owner.address,
	    .subject = subject,
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record,
	    .done = done,
	    .context = update,
	};
	if (!outgoing_send(gate, &outgoing)) {
		recipients_release(&to);
		again(update, "an answer is too large");
	}
	buf_release(&text);
}

/* There is no key left to answer to. */
static void end_silently(struct keyupdate *update)
{
	struct mail_facts *facts = update->facts;
	struct store *store = facts->gate->store;
	struct err err;
	bool fresh = true;
	if (store_begin(store, &err) != 0 ||
	    store_signed_seen(store, facts->digest, facts->arrival, &fresh, &err) != 0 ||
	    (fresh && (change(update, &err) != 0 || record_end(update, &err) != 0)) ||
	    (fresh && store_commit(store, &err) != 0)) {
		store_rollback(store);
		fail(update, &err);
		return;
	}
	if (!fresh) {
		store_rollback(store);
		open_duplicate(facts);
	} else {
		log_end(update);
		open_done(facts);
	}
	free_update(update);
}

static void conclude(struct keyupdate *update)
{
	if (update->verdict == REVOKED || update->verdict == CLOSED)
		end_silently(update);
	else
		answer(update);
}

static void refuse_update(struct keyupdate *update, const char *why)
{
	update->verdict = REFUSED;
	refuse(&update->refusal, 0, "%s", why);
}

/* Which of the certificates is the signer's own and which is the new one. */
static bool sort(struct keyupdate *update)
{
	for (uint32_t i = 0; i < update->count; i++) {
		struct renewal *renewal = &update->renewals[i];
		if (strcmp(renewal->verdict.facts.fingerprint, update->owner.fingerprint) == 0) {
			renewal->verdict.before = buf_view(&update->known);
			update->own = renewal;
		} else if (update->other == NULL)
			update->other = renewal;
		else
			return false;
	}
	return true;
}

static void judge_new_key(struct keyupdate *update)
{
	const struct opened *opened = &update->facts->opened;
	if (update->other->verdict.reason[0] != '\0')
		refuse_update(update, update->other->verdict.reason);
	else if (opened->signatures[0].status != SIGNATURE_GOOD)
		refuse_update(update,
		    "the mail is signed by a key that has expired, which cannot vouch for another "
		    "one: renew the former key first, or ask an admin");
	else
		update->verdict = PENDING;
}

static void judge(struct keyupdate *update)
{
	if (!sort(update)) {
		refuse_update(update, "there is more than one new key in it");
		update->own = update->other = NULL;
		return;
	}
	/* Whatever else it brings, a revocation holds. */
	if (update->own != NULL && update->own->verdict.revoked)
		update->verdict = REVOKED;
	else if (update->own != NULL && update->own->verdict.closed)
		update->verdict = CLOSED;
	else if (update->other != NULL)
		judge_new_key(update);
	else if (update->own == NULL)
		refuse_update(update, "there is no certificate in it");
	else if (update->own->verdict.reason[0] != '\0')
		refuse_update(update, update->own->verdict.reason);
	else
		update->verdict = RENEWED;
	if (update->verdict != PENDING)
		update->other = NULL;
}

static bool on_renewed(void *context, enum pool_event event, struct view body)
{
	struct keyupdate *update = context;
	struct vault_reply reply = {
	    .status = VAULT_FAILED, .text = "reading a certificate ended the vault twice"};
	if (event == POOL_ANSWER &&
	    !vault_take_renew(body, &reply, update->renewals, &update->count))
		return false;
	if (event == POOL_DIED) {
		refuse_update(update, "the certificate cannot be read");
	} else if (reply.status != VAULT_OK) {
		again(update, reply.text);
		return true;
	} else if (update->count == 0) {
		refuse_update(update, reply.text);
	} else {
		judge(update);
	}
	conclude(update);
	return true;
}

/* Attached, or armored in the text: not both are looked at. */
static struct view find_content(const struct keyupdate *update)
{
	const struct mail_content *content = update->facts->content;
	for (uint32_t i = 0; i < content->part_count; i++) {
		const struct mail_part *part = &content->parts[i];
		if (strcmp(part->type, "application/pgp-keys") == 0 ||
		    keylife_armored(part->content).len > 0)
			return part->content;
	}
	return keylife_armored(update->text);
}

static void ask(struct keyupdate *update, struct view content)
{
	struct gate *gate = update->facts->gate;
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	struct err err;
	bool found;
	update->known = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	if (store_certificate_bytes(
		gate->store, update->owner.fingerprint, &update->known, &found, &err) != 0) {
		fail(update, &err);
	} else {
		vault_put_renew(&body, content, buf_view(&update->known));
		gate_ask(gate, gate->vaults, VAULT_RENEW, &body, GATE_CERTIFICATE_MS, on_renewed,
		    update);
	}
}

static void set_owner(
    struct keyupdate *update, const struct contact *contact, const struct publisher *publisher)
{
	struct key_owner *owner = &update->owner;
	owner->contact = contact == NULL ? 0 : contact->id;
	owner->publisher = contact == NULL ? publisher->id : 0;
	snprintf(owner->address, sizeof owner->address, "%s",
	    contact == NULL ? publisher->address : contact->address);
	memcpy(
	    owner->fingerprint, update->facts->signer.facts.fingerprint, sizeof owner->fingerprint);
	snprintf(update->actor, sizeof update->actor, "%s %s",
	    contact == NULL ? "publisher" : "contact", owner->address);
}

void keyupdate_mail(
    struct mail_facts *facts, const struct contact *contact, const struct publisher *publisher)
{
	struct keyupdate *update = calloc(1, sizeof *update);
	if (update == NULL)
		abort();
	update->facts = facts;
	set_owner(update, contact, publisher);
	if (!facts->content->readable)
		refuse_update(update, facts->content->reason);
	else if (keylife_read(facts->content->text, &update->text, &update->refusal)) {
		const struct view content = find_content(update);
		if (content.len > 0) {
			ask(update, content);
			return;
		}
		refuse_update(update, "there is no certificate in it");
	}
	conclude(update);
}
