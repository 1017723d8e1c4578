#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/claim.h"
#include "gate/stranger.h"
#include "gate/tries.h"
#include "pgp/vault.h"
#include "rules/block.h"
#include "rules/join.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "worker/frame.h"

enum {
	OPEN_REQUESTS_MOST = 1000, /* the admin's patience, and what strangers may fill */
	BROUGHT_MAX = 256 * 1024, /* bytes of a certificate, as found */
};

/* Keyrings for strangers have numbers of their own, far above those of the store. */
#define STRANGER_SHARDS ((int64_t)1 << 48)

struct joining {
	struct mail_facts *facts;
	struct join_request request;
};

static int record(struct joining *job, bool *go, bool *added, struct err *err)
{
	struct mail_facts *facts = job->facts;
	struct store *store = facts->gate->store;
	char subject[STORE_ID_SIZE];
	if (store_signed_seen(store, facts->digest, facts->arrival, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (store_join_request_add(store, &job->request, OPEN_REQUESTS_MOST, added, err) != 0 ||
	    open_record(facts, "finish", "join",
		*added ? "" : "one of this certificate is open already, or too many are",
		*added ? job->request.fingerprint : "", err) != 0)
		return -1;
	if (!*added)
		return 0;
	snprintf(subject, sizeof subject, "join request %lld", (long long)job->request.id);
	return store_audit_add(store, job->request.received_at, "gate", "join.request", subject,
	    err, "arrival %lld, key %s", (long long)facts->arrival, job->request.fingerprint);
}

static void conclude(struct joining *job)
{
	struct mail_facts *facts = job->facts;
	struct store *store = facts->gate->store;
	bool go = false;
	bool added = false;
	struct err err;
	if (store_begin(store, &err) != 0 || record(job, &go, &added, &err) != 0 ||
	    (go && store_commit(store, &err) != 0)) {
		store_rollback(store);
		gate_fail(facts->gate, &err);
		open_done(facts);
		return;
	}
	if (!go) {
		store_rollback(store);
		open_duplicate(facts);
		return;
	}
	if (added)
		log_info("arrival %lld: somebody asks to join: `dewctl join list`",
		    (long long)facts->arrival);
	open_done(facts);
}

static bool on_answer(void *context, enum pool_event event, struct view body)
{
	struct joining *job = context;
	struct vault_reply reply = {.status = VAULT_FAILED};
	struct stranger stranger = {.minimal = BUF_EMPTY(0)};
	if (event == POOL_ANSWER && !vault_take_stranger(body, &reply, &stranger))
		return false;
	if (event == POOL_DIED) {
		tries_failed(job->facts, "reading the certificate that it brings", body);
	} else if (reply.status != VAULT_OK) {
		open_again(job->facts, reply.text);
	} else if (stranger.reason[0] != '\0') {
		open_end(job->facts, "refuse", "join", stranger.reason);
	} else {
		snprintf(job->request.fingerprint, sizeof job->request.fingerprint, "%s",
		    stranger.fingerprint);
		job->request.certificate = buf_view(&stranger.minimal);
		conclude(job);
	}
	buf_release(&stranger.minimal);
	free(job);
	return true;
}

static void verify(
    struct mail_facts *facts, const struct join_request *request, struct view certificate)
{
	struct joining *job = calloc(1, sizeof *job);
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	if (job == NULL)
		abort();
	job->facts = facts;
	job->request = *request;
	job->request.arrival = facts->arrival;
	job->request.received_at = clock_now();
	vault_put_stranger(&body, STRANGER_SHARDS + facts->arrival, facts->form, facts->message,
	    facts->signature, certificate);
	tries_ask(facts, VAULT_STRANGER, &body, GATE_CERTIFICATE_MS, on_answer, job);
}

void stranger_mail(struct mail_facts *facts)
{
	const struct mail_content *content = facts->content;
	struct join_request request = {.id = 0};
	struct refusal refusal;
	char why[STORE_REASON_SIZE];
	const bool joins = content->readable && !facts->automatic &&
			   view_is_nocase(block_first_name(content->text), "Join");
	if (!open_is_taken(facts, joins ? INTAKE_FROM_JOINER : INTAKE_FROM_STRANGER)) {
		facts->uncounted = joins ? UNCOUNTED_NOT : UNCOUNTED_UNKNOWN_KEY;
		open_refuse_shape(facts, joins ? "join" : "unknown");
		return;
	}
	const struct view certificate = join_certificate(content);
	if (!join_read(content->text, &request, &refusal)) {
		snprintf(why, sizeof why, "line %d of its control block is not as it should be",
		    refusal.line);
		open_end(facts, "refuse", "join", why);
	} else if (certificate.len == 0 || certificate.len > BROUGHT_MAX) {
		open_end(facts, "refuse", "join", "it brings no certificate");
	} else if (facts->sender != CLAIM_NOBODY) {
		open_as_stranger(facts); /* to verify it may take long */
	} else {
		verify(facts, &request, certificate);
	}
}
