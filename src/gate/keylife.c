#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/keylife.h"
#include "gate/letters_key.h"
#include "gate/outgoing.h"
#include "gate/recipients.h"
#include "gate/schedule.h"
#include "mail/compose.h"
#include "mail/notice.h"
#include "pgp/vault.h"
#include "rules/keylife.h"
#include "store/audit.h"
#include "store/keylife.h"

enum { REST_MS = 60 * 1000 };

struct keylife {
	bool busy;
	int64_t rest_until; /* monotonic, milliseconds: something failed */
	struct gate *gate;
	struct key_owner owner; /* who is being told */
	int stage; /* KEYLIFE_UNTOLD while looking for somebody */
	bool lost; /* it is retired, and `stage` KEYLIFE_EXPIRED */
	int64_t now;
	struct buf signature; /* of the notice */
	char digest[VAULT_DIGEST_SIZE];
};

int keylife_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->keylife = calloc(1, sizeof *gate->keylife);
	if (gate->keylife == NULL)
		abort();
	gate->keylife->gate = gate;
	return 0;
}

void keylife_stop(struct gate *gate)
{
	if (gate->keylife != NULL)
		buf_release(&gate->keylife->signature);
	free(gate->keylife);
}

/* On to the next, at once when this went well. */
static void end(struct keylife *keylife, const char *problem)
{
	keylife->busy = false;
	if (problem == NULL) {
		schedule_soon(keylife->gate);
		return;
	}
	log_error("the %s of the key of %s cannot be told now: %s",
	    keylife->lost ? "loss" : "expiry", keylife->owner.address, problem);
	keylife->rest_until = clock_monotonic_ms() + REST_MS;
}

/* In the open transaction: that it was told, and the log. *go false: it was told already. */
static int record_told(struct keylife *keylife, bool *go, struct err *err)
{
	const struct key_owner *owner = &keylife->owner;
	struct store *store = keylife->gate->store;
	const char *who = owner->contact != 0 ? "contact" : "publisher";
	char when[TEXT_TIME_SIZE];
	if (store_key_told(store, owner->fingerprint, owner->expires, keylife->stage, keylife->now,
		go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (keylife->lost) {
		log_warning("the key of %s %s is out of use, and nothing reaches its owner", who,
		    owner->address);
		return store_audit_add(store, keylife->now, "gate", "key.lost", owner->fingerprint,
		    err, "%s %s", who, owner->address);
	}
	text_format_time(owner->expires, when);
	const bool expired = keylife->stage == KEYLIFE_EXPIRED;
	log_warning("the key of %s %s %s on %s", who, owner->address,
	    expired ? "expired" : "expires", when);
	return store_audit_add(store, keylife->now, "gate",
	    expired ? "key.expired" : "key.expiring", owner->fingerprint, err, "%s %s, %s", who,
	    owner->address, when);
}

static int record_warning(
    void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	(void)message;
	(void)title;
	return record_told(context, go, err);
}

static void on_told(void *context, enum outgoing_end how, const char *problem)
{
	end(context, how == OUTGOING_FAILED ? problem : NULL);
}

/* Admins are kept as publishers are: one whose own key ends gets the mail once. */
static void drop_twice(const struct keylife *keylife, struct recipients *to)
{
	for (size_t i = 1; keylife->owner.publisher != 0 && i < to->count; i++) {
		if (to->deliveries[i].publisher != keylife->owner.publisher)
			continue;
		to->deliveries[i--] = to->deliveries[--to->count];
	}
}

static int add_owner(struct keylife *keylife, struct recipients *to, struct err *err)
{
	const struct key_owner *owner = &keylife->owner;
	return owner->contact != 0
		   ? recipients_add_contact(keylife->gate, to, owner->contact, err)
		   : recipients_add_publisher(keylife->gate, to, owner->publisher, err);
}

/* Takes the recipients over. */
static void send_letter(struct keylife *keylife, const char *kind, const char *subject,
    const struct buf *text, struct recipients *to, outgoing_record_fn *record)
{
	const struct outgoing outgoing = {
	    .kind = kind,
	    .to = keylife->gate->config->gateway.list,
	    .subject = subject,
	    .text = buf_view(text),
	    .deliveries = to->deliveries,
	    .delivery_count = to->count,
	    .record = record,
	    .done = on_told,
	    .context = keylife,
	};
	if (!outgoing_send(keylife->gate, &outgoing)) {
		recipients_release(to);
		end(keylife, "the letter is too large");
	}
}

static void warn(struct keylife *keylife)
{
	struct gate *gate = keylife->gate;
	struct recipients to = {0};
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct err err;
	if (add_owner(keylife, &to, &err) != 0 || recipients_add_admins(gate, &to, &err) != 0) {
		recipients_release(&to);
		gate_fail(gate, &err);
		return;
	}
	drop_twice(keylife, &to);
	const struct letter_key letter = {
	    .programme = gate->config->gateway.name,
	    .address = keylife->owner.address,
	    .fingerprint = keylife->owner.fingerprint,
	    .expires = keylife->owner.expires,
	    .now = keylife->now,
	};
	letter_key_warning(&text, &letter);
	send_letter(
	    keylife, "key-warning", "An OpenPGP key expires soon", &text, &to, record_warning);
	buf_release(&text);
}

/* In the open transaction: that it was told, and the mail that tells it. */
static int record_notice(struct keylife *keylife, bool *go, struct err *err)
{
	struct gate *gate = keylife->gate;
	char message_id[COMPOSE_ID_SIZE];
	struct buf head = BUF_EMPTY(BUF_SMALL), body = BUF_EMPTY(BUF_SMALL);
	int64_t message;
	compose_message_id(gate->config->gateway.address, message_id);
	const struct notice notice = {
	    .expired = keylife->owner.expires,
	    .to = keylife->owner.address,
	    .message_id = message_id,
	    .date = clock_now(), /* the signature was made a moment ago */
	    .signature = buf_view(&keylife->signature),
	    .digest = keylife->digest,
	};
	notice_mail(&head, &body, gate->config, &notice);
	const struct key_notice row = {
	    &keylife->owner, message_id, keylife->now, buf_view(&head), buf_view(&body)};
	int result = record_told(keylife, go, err);
	if (result == 0 && *go)
		result = store_key_notice_add(gate->store, &row, &message, err);
	buf_release(&head);
	buf_release(&body);
	gate->want_send = true;
	return result;
}

static int record_alarm(
    void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	(void)message;
	(void)title;
	return record_notice(context, go, err);
}

typedef int alone_fn(struct keylife *keylife, bool *go, struct err *err);

static void record_alone(struct keylife *keylife, alone_fn *record)
{
	struct gate *gate = keylife->gate;
	struct err err;
	bool go;
	if (store_begin(gate->store, &err) != 0 || record(keylife, &go, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
		return;
	}
	end(keylife, NULL);
}

/* The admins, where there are any, are told by encrypted mail, and `record` adds to the transaction
 * of that; else `alone` is one by itself. */
static void tell_admins(struct keylife *keylife, const char *subject, const struct buf *text,
    outgoing_record_fn *record, alone_fn *alone)
{
	struct recipients to = {0};
	struct err err;
	if (recipients_add_admins(keylife->gate, &to, &err) != 0) {
		recipients_release(&to);
		gate_fail(keylife->gate, &err);
	} else if (to.count == 0) {
		record_alone(keylife, alone);
	} else {
		send_letter(keylife, "key-alarm", subject, text, &to, record);
	}
}

static void record_expired(struct keylife *keylife)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	letter_key_expired(&text, keylife->owner.address, keylife->owner.fingerprint,
	    keylife->owner.expires, keylife->now);
	tell_admins(keylife, "An OpenPGP key has expired", &text, record_alarm, record_notice);
	buf_release(&text);
}

static bool on_signed(void *context, enum pool_event event, struct view body)
{
	struct keylife *keylife = context;
	struct vault_reply reply = {
	    .status = VAULT_FAILED, .text = "signing a notice ended the vault twice"};
	buf_release(&keylife->signature);
	if (event == POOL_ANSWER &&
	    !vault_take_notice(body, &reply, &keylife->signature, keylife->digest))
		return false;
	if (reply.status == VAULT_OK)
		record_expired(keylife);
	else
		end(keylife, reply.text);
	return true;
}

static void tell_expired(struct keylife *keylife)
{
	struct gate *gate = keylife->gate;
	struct buf body = BUF_EMPTY(BUF_SMALL);
	vault_put_notice(&body, keylife->owner.expires);
	gate_ask(gate, gate->vaults, VAULT_NOTICE, &body, GATE_OPEN_MS, on_signed, keylife);
}

/* Its owner cannot be told by mail, which would have to be in the clear: the admins are. */
static void tell_lost(struct keylife *keylife)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	letter_key_lost(&text, keylife->owner.address, keylife->owner.fingerprint);
	tell_admins(keylife, "An OpenPGP key is out of use", &text, record_warning, record_told);
	buf_release(&text);
}

static int find_lost(void *context, const struct key_owner *owner, struct err *err)
{
	struct keylife *keylife = context;
	(void)err;
	if (keylife->lost)
		return 0;
	keylife->owner = *owner;
	keylife->stage = KEYLIFE_EXPIRED;
	keylife->lost = true;
	return 0;
}

static int find_due(void *context, const struct key_owner *owner, struct err *err)
{
	struct keylife *keylife = context;
	(void)err;
	if (keylife->stage != KEYLIFE_UNTOLD ||
	    !keylife_is_due(owner->expires, keylife->now, owner->told))
		return 0;
	keylife->owner = *owner;
	keylife->stage = keylife_stage(owner->expires, keylife->now);
	return 0;
}

void keylife_check(struct gate *gate, int64_t now)
{
	struct keylife *keylife = gate->keylife;
	struct err err;
	if (keylife->busy || clock_monotonic_ms() < keylife->rest_until)
		return;
	keylife->stage = KEYLIFE_UNTOLD;
	keylife->lost = false;
	keylife->now = now;
	if (store_key_each_lost(gate->store, find_lost, keylife, &err) != 0 ||
	    (!keylife->lost && store_key_each_expiring(gate->store, now + KEYLIFE_HORIZON_S,
				   KEYLIFE_UNTOLD, find_due, keylife, &err) != 0)) {
		gate_fail(gate, &err);
		return;
	}
	if (keylife->stage == KEYLIFE_UNTOLD)
		return;
	keylife->busy = true;
	if (keylife->lost)
		tell_lost(keylife);
	else if (keylife->stage == KEYLIFE_EXPIRED)
		tell_expired(keylife);
	else
		warn(keylife);
}
