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
#include "gate/tries.h"
#include "pgp/keyfile.h"
#include "pgp/vault.h"
#include "rules/keyfate.h"
#include "rules/keylife.h"
#include "rules/reach.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "store/keylife.h"
#include "worker/frame.h"

/* A certificate of ours that the mail may be about, as it was when the vault was asked. */
struct known {
	char key[FINGERPRINT_SIZE]; /* fingerprint or key ID that it was looked for by */
	struct buf bytes; /* empty: there is none */
};

struct keyupdate {
	struct mail_facts *facts;
	struct key_owner owner;
	char actor[STORE_ADDRESS_SIZE + 16]; /* "contact ADDRESS" */
	struct view text; /* below the control block */
	struct renew_request request;
	const char *names[VAULT_RENEW_CONTENTS_MAX]; /* of the attachments; "": in the text */
	uint32_t pieces_left; /* pieces that were too many */
	struct known known[VAULT_RENEW_ASKED_MAX];
	struct buf row; /* of those that there are, for the vault */
	struct renew_result result;
	struct keyfate_key keys[VAULT_RENEW_MAX]; /* of its renewals */
	enum keyfate comes_to;
	struct refusal refusal;
	bool turned; /* by what the store holds: the answer is written anew */
	bool stale; /* so much that it is all to be looked at anew */
	struct delivery *deliveries; /* of the answer: lives until its end */
};

static void free_update(struct keyupdate *update)
{
	for (size_t i = 0; i < VAULT_RENEW_ASKED_MAX; i++)
		buf_release(&update->known[i].bytes);
	buf_release(&update->row);
	vault_release_renew(&update->result);
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

static const char nobodys[] = "it cannot be your new key: ask an admin";

/* What the store says against a key now that it is to be taken. */
static int turn(struct keyupdate *update, struct keyfate_key *key, const char *clash)
{
	key->barred = true;
	if (clash[0] != '\0')
		snprintf(key->reason, sizeof key->reason,
		    "it has a key ID of another certificate, %s", clash);
	else
		snprintf(key->reason, sizeof key->reason, "%s", nobodys);
	update->turned = true;
	return 0;
}

static int take(struct keyupdate *update, const struct keyfate_key *key,
    enum certificate_outcome *outcome, char clash[static FINGERPRINT_SIZE], struct err *err)
{
	struct gate *gate = update->facts->gate;
	if (store_certificate_take(gate->store, key->verdict, gate->config->sealing.shard,
		clock_now(), outcome, clash, err) != 0)
		return -1;
	update->stale = update->stale || *outcome == CERTIFICATE_STALE;
	return 0;
}

static int record_own(struct keyupdate *update, struct keyfate_key *key, struct err *err)
{
	const char *fingerprint = update->owner.fingerprint;
	char clash[FINGERPRINT_SIZE] = "";
	enum certificate_outcome outcome;
	if (take(update, key, &outcome, clash, err) != 0)
		return -1;
	switch (outcome) {
	case CERTIFICATE_CLASH:
		return turn(update, key, clash);
	case CERTIFICATE_RETIRED:
		return audit(update, "key.retire", fingerprint, "revoked by its owner", err);
	case CERTIFICATE_CLOSED:
		return audit(update, "key.close", fingerprint,
		    "the encryption subkey is revoked by its owner", err);
	case CERTIFICATE_UPDATED:
	case CERTIFICATE_KEPT:
		return audit(update, "key.update", fingerprint, key->verdict->facts.algorithm, err);
	default:
		return 0;
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
		(found && strcmp(certificate.state, "retired") == 0);
	return 0;
}

static int record_new(struct keyupdate *update, struct keyfate_key *key, struct err *err)
{
	struct key_successor successor = {
	    .contact = update->owner.contact,
	    .publisher = update->owner.publisher,
	    .arrival = update->facts->arrival,
	    .asked_at = clock_now(),
	};
	const char *fingerprint = key->verdict->facts.fingerprint;
	char clash[FINGERPRINT_SIZE] = "";
	enum certificate_outcome outcome;
	bool used, added;
	memcpy(successor.fingerprint, fingerprint, sizeof successor.fingerprint);
	memcpy(successor.former, update->owner.fingerprint, sizeof successor.former);
	if (find_user(update, fingerprint, &used, err) != 0)
		return -1;
	if (used)
		return turn(update, key, "");
	if (take(update, key, &outcome, clash, err) != 0)
		return -1;
	if (outcome == CERTIFICATE_STALE)
		return 0;
	if (outcome == CERTIFICATE_CLASH)
		return turn(update, key, clash);
	if (store_key_successor_put(update->facts->gate->store, &successor, &added, err) != 0)
		return -1;
	return added ? audit(update, "key.pending", fingerprint, update->owner.fingerprint, err)
		     : turn(update, key, "");
}

/* All that the mail changes. What the store has against it changes nothing, and turns the answer.
 */
static int change(struct keyupdate *update, struct err *err)
{
	int result = 0;
	for (uint32_t i = 0; i < update->result.count && result == 0; i++) {
		struct keyfate_key *key = &update->keys[i];
		if (key->own)
			result = record_own(update, key, err);
		else if (key->fate == KEYFATE_WAITS)
			result = record_new(update, key, err);
	}
	return result;
}

static const char *const words[] = {
    [KEYFATE_REFUSED] = "the answer says why",
    [KEYFATE_UNCHANGED] = "unchanged",
    [KEYFATE_RENEWED] = "renewed",
    [KEYFATE_KEPT] = "what it revokes is taken",
    [KEYFATE_WAITS] = "a new key waits for an admin",
    [KEYFATE_CLOSED] = "the encryption subkey is revoked",
    [KEYFATE_REVOKED] = "revoked",
};

static bool is_lost(const struct keyupdate *update)
{
	return update->comes_to == KEYFATE_REVOKED || update->comes_to == KEYFATE_CLOSED;
}

/* Beside the revocation there may be the key to come, which an admin has to ask for. */
static void add_new_key(const struct keyupdate *update, struct buf *reason)
{
	for (uint32_t i = 0; i < update->result.count && is_lost(update); i++) {
		const struct keyfate_key *key = &update->keys[i];
		if (!key->own && !key->gateways && key->verdict->reason[0] == '\0')
			buf_printf(reason, "; with it came %s, which is not taken",
			    key->verdict->facts.fingerprint);
	}
}

static int record_end(struct keyupdate *update, struct err *err)
{
	struct buf reason = BUF_EMPTY(STORE_REASON_SIZE - 1);
	buf_add_text(&reason, words[update->comes_to]);
	add_new_key(update, &reason);
	const int result =
	    open_record(update->facts, update->comes_to == KEYFATE_REFUSED ? "refuse" : "finish",
		"key", buf_text(&reason), update->facts->signer.facts.fingerprint, err);
	buf_release(&reason);
	return result;
}

static void log_end(const struct keyupdate *update)
{
	log_warning("arrival %lld: key of %s: %s", (long long)update->facts->arrival, update->actor,
	    words[update->comes_to]);
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
	(void)message;
	(void)title;
	if (store_signed_seen(facts->gate->store, facts->digest, facts->arrival, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (change(update, err) != 0)
		return -1;
	*go = !update->turned && !update->stale;
	if (!*go)
		return 0;
	return record_end(update, err) != 0 ? -1 : aim_anew(update, err);
}

static void conclude(struct keyupdate *update);
static void decide(struct keyupdate *update);

/* Nothing was recorded: for what the store says, or because it was dealt with before. */
static void dropped(struct keyupdate *update)
{
	if (update->stale) {
		again(update, "a certificate was changed meanwhile");
	} else if (update->turned) {
		update->turned = false;
		decide(update);
		conclude(update);
	} else {
		open_duplicate(update->facts);
		free_update(update);
	}
}

static void done(void *context, enum outgoing_end how, const char *problem)
{
	struct keyupdate *update = context;
	if (how == OUTGOING_FAILED) {
		again(update, problem);
	} else if (how == OUTGOING_DROPPED) {
		dropped(update);
	} else {
		log_end(update);
		open_done(update->facts);
		free_update(update);
	}
}

static const struct keyfate_key *find_fate(const struct keyupdate *update, enum keyfate fate)
{
	for (uint32_t i = 0; i < update->result.count; i++) {
		if (update->keys[i].fate == fate)
			return &update->keys[i];
	}
	return NULL;
}

static void write_fates(const struct keyupdate *update, struct buf *text)
{
	const struct renew_result *result = &update->result;
	letter_key_begin_fates(text);
	for (uint32_t i = 0; i < result->count; i++)
		letter_key_fate(text, &update->keys[i]);
	for (uint32_t i = 0; i < result->content_count; i++) {
		if (result->reasons[i][0] != '\0')
			letter_key_unread(text, update->names[i], result->reasons[i]);
	}
	letter_key_left_out(text, result->left_out + update->pieces_left);
}

static void write_letter(const struct keyupdate *update, struct buf *text, const char **subject)
{
	const struct keyfate_key *new = find_fate(update, KEYFATE_WAITS);
	const struct keyfate_key *renewed = find_fate(update, KEYFATE_RENEWED);
	switch (update->comes_to) {
	case KEYFATE_WAITS:
		*subject = "Your new key waits for an admin";
		letter_key_pending(
		    text, update->owner.fingerprint, new->verdict->facts.fingerprint);
		break;
	case KEYFATE_RENEWED: {
		const struct certificate whole = {.facts = renewed->verdict->facts};
		*subject = "Your renewed key is taken";
		letter_key_renewed(
		    text, update->owner.fingerprint, reach_expires(&whole), clock_now());
		break;
	}
	case KEYFATE_UNCHANGED:
		*subject = "Your key is known as you sent it";
		letter_key_unchanged(text);
		break;
	case KEYFATE_KEPT:
		*subject = "Of your key only what it revokes is taken";
		letter_key_kept(text);
		break;
	default:
		*subject = "Refused: your key";
		letter_key_refused(text, &update->refusal, update->facts->arrival);
		break;
	}
	if (update->result.count + update->result.content_count > 0)
		write_fates(update, text);
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
	bool go = true;
	if (store_begin(store, &err) != 0 ||
	    store_signed_seen(store, facts->digest, facts->arrival, &go, &err) != 0 ||
	    (go && change(update, &err) != 0)) {
		store_rollback(store);
		fail(update, &err);
		return;
	}
	if (!go || update->turned || update->stale) {
		store_rollback(store);
		dropped(update);
		return;
	}
	if (record_end(update, &err) != 0 || store_commit(store, &err) != 0) {
		store_rollback(store);
		fail(update, &err);
		return;
	}
	log_end(update);
	open_done(facts);
	free_update(update);
}

static void conclude(struct keyupdate *update)
{
	if (is_lost(update))
		end_silently(update);
	else
		answer(update);
}

static void refuse_update(struct keyupdate *update, const char *why)
{
	update->comes_to = KEYFATE_REFUSED;
	refuse(&update->refusal, 0, "%s", why);
}

/* Of what the mail comes to, the one reason that stands above all others. */
static void explain(struct keyupdate *update)
{
	const struct keyfate_key *refused = find_fate(update, KEYFATE_REFUSED);
	const struct renew_result *result = &update->result;
	const char *why = refused != NULL ? refused->reason : "there is no certificate in it";
	for (uint32_t i = 0; refused == NULL && i < result->content_count; i++) {
		if (result->reasons[i][0] != '\0')
			why = result->reasons[i];
	}
	refuse_update(update, why);
}

static void decide(struct keyupdate *update)
{
	const struct opened *opened = &update->facts->opened;
	update->comes_to = keyfate_judge(
	    update->keys, update->result.count, opened->signatures[0].status == SIGNATURE_GOOD);
	if (update->comes_to == KEYFATE_REFUSED)
		explain(update);
}

/* Which of ours it was merged with. */
static struct view before_of(const struct keyupdate *update, const char *fingerprint)
{
	for (uint32_t i = 0; i < update->request.asked_count; i++) {
		const size_t digits = strlen(update->known[i].key), len = strlen(fingerprint);
		if (len >= digits &&
		    strcmp(fingerprint + len - digits, update->known[i].key) == 0 &&
		    update->known[i].bytes.len > 0)
			return buf_view(&update->known[i].bytes);
	}
	return VIEW("");
}

static int prepare_keys(struct keyupdate *update, struct err *err)
{
	for (uint32_t i = 0; i < update->result.count; i++) {
		struct certificate_verdict *verdict = &update->result.renewals[i].verdict;
		struct keyfate_key *key = &update->keys[i];
		const char *fingerprint = verdict->facts.fingerprint;
		verdict->before = before_of(update, fingerprint);
		*key = (struct keyfate_key){
		    .verdict = verdict,
		    .own = strcmp(fingerprint, update->owner.fingerprint) == 0,
		    .gateways = strcmp(fingerprint, update->facts->gate->fingerprint) == 0,
		};
		if (!key->own && find_user(update, fingerprint, &key->barred, err) != 0)
			return -1;
		if (key->barred)
			snprintf(key->reason, sizeof key->reason, "%s", nobodys);
	}
	return 0;
}

static void ask(struct keyupdate *update);

/* Looks for one that the vault wants to merge with. */
static int add_known(struct keyupdate *update, const char *key, struct err *err)
{
	struct renew_request *request = &update->request;
	bool found;
	if (request->asked_count == VAULT_RENEW_ASKED_MAX)
		return 0;
	struct known *known = &update->known[request->asked_count];
	snprintf(known->key, sizeof known->key, "%s", key);
	memcpy(request->asked[request->asked_count++], known->key, sizeof known->key);
	known->bytes = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	if (store_certificate_known(update->facts->gate->store, key, &known->bytes, &found, err) !=
	    0)
		return -1;
	buf_add_view(&update->row, buf_view(&known->bytes));
	return 0;
}

/* Takes the vault at its word once more at most for each that can be looked for. */
static void look_for(struct keyupdate *update)
{
	struct renew_result *result = &update->result;
	const uint32_t before = update->request.asked_count;
	struct err err;
	for (uint32_t i = 0; i < result->wanted_count; i++) {
		if (add_known(update, result->wanted[i], &err) != 0) {
			fail(update, &err);
			return;
		}
	}
	if (update->request.asked_count > before) {
		ask(update);
		return;
	}
	refuse_update(update, "it is about too many keys");
	conclude(update);
}

static bool on_renewed(void *context, enum pool_event event, struct view body)
{
	struct keyupdate *update = context;
	struct vault_reply reply = {.status = VAULT_FAILED};
	struct err err;
	vault_release_renew(&update->result);
	if (event == POOL_ANSWER && !vault_take_renew(body, &reply, &update->result))
		return false;
	if (event == POOL_DIED) {
		tries_failed(update->facts, "reading the certificate in it", body);
		free_update(update);
	} else if (reply.status != VAULT_OK) {
		again(update, reply.text);
	} else if (update->result.wanted_count > 0) {
		look_for(update);
	} else if (prepare_keys(update, &err) != 0) {
		fail(update, &err);
	} else {
		decide(update);
		conclude(update);
	}
	return true;
}

static void ask(struct keyupdate *update)
{
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	update->request.known = buf_view(&update->row);
	vault_put_renew(&body, &update->request);
	tries_ask(
	    update->facts, VAULT_RENEW, &body, GATE_CERTIFICATE_MS, on_renewed, update);
}

static void add_piece(struct keyupdate *update, struct view content, const char *name)
{
	struct renew_request *request = &update->request;
	if (request->content_count == VAULT_RENEW_CONTENTS_MAX) {
		update->pieces_left++;
		return;
	}
	update->names[request->content_count] = name;
	request->contents[request->content_count++] = content;
}

/* Mail programs attach keys of their own accord, under types and names of all kinds. */
static bool is_about_keys(const struct mail_part *part)
{
	return strcmp(part->type, "application/pgp-keys") == 0 || keyfile_is(part->content) ||
	       keylife_is_binary(part->content);
}

/* All that can hold a certificate: the text, and what is attached. */
static void find_pieces(struct keyupdate *update)
{
	const struct mail_content *content = update->facts->content;
	if (keyfile_is(update->text))
		add_piece(update, update->text, "");
	for (uint32_t i = 0; i < content->part_count; i++) {
		const struct mail_part *part = &content->parts[i];
		if (is_about_keys(part))
			add_piece(update, part->content,
			    part->name[0] != '\0' ? part->name : "without a name");
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
	struct err err;
	if (update == NULL)
		abort();
	update->facts = facts;
	update->row = BUF_EMPTY(VAULT_RENEW_ASKED_MAX * CERTIFICATE_MINIMAL_MAX);
	set_owner(update, contact, publisher);
	if (!facts->content->readable) {
		refuse_update(update, facts->content->reason);
	} else if (keylife_read(facts->content->text, &update->text, &update->refusal)) {
		find_pieces(update);
		if (update->request.content_count > 0) {
			if (add_known(update, update->owner.fingerprint, &err) != 0)
				fail(update, &err);
			else
				ask(update);
			return;
		}
		refuse_update(update, "there is no certificate in it");
	}
	conclude(update);
}
