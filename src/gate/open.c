#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/bounce.h"
#include "gate/claim.h"
#include "gate/clear.h"
#include "gate/judge.h"
#include "gate/open.h"
#include "gate/pace.h"
#include "gate/release.h"
#include "gate/shard.h"
#include "gate/tries.h"
#include "gate/turns.h"
#include "gate/uncounted.h"
#include "mail/reader.h"
#include "pgp/vault.h"
#include "rules/tries.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "worker/frame.h"

enum {
	AGAIN_MS = 15 * 1000,
	BODY_SLACK = 1024 * 1024,
	JOBS_A_VAULT = 2,
	STRANGERS_AT_ONCE = 2,
	STRANGER_TEXT_MAX = 1024 * 1024
};

/* Two queues, each with places of its own: whoever is known never waits for the end of a mail of
 * somebody who is not, or of one that ended its workers before. */
struct queue {
	struct turns *waiting;
	unsigned under_way;
};

struct arrivals {
	struct queue known; /* who says that he is somebody known, and drafts */
	struct queue strangers; /* and mail that is tried again */
};

struct job {
	struct mail_facts facts; /* first: judge gives it back to open_done */
	struct buf outline_body; /* what the outline's views point into */
	struct mail_outline outline;
	struct buf content_body;
	struct buf inner_body; /* the same for a signature inside the encryption */
	bool in_shard;
	unsigned builds; /* of the signer's keyring */
	bool unwrapped;
};

static struct job *job_new(struct gate *gate, int64_t arrival)
{
	struct job *job = calloc(1, sizeof *job);
	const size_t most_opened = (size_t)gate->config->limits.plaintext * 2 + BODY_SLACK;
	if (job == NULL || (job->facts.content = calloc(1, sizeof *job->facts.content)) == NULL)
		abort();
	job->facts.gate = gate;
	job->facts.outline = &job->outline;
	job->facts.arrival = arrival;
	job->facts.intake.mail = MAIL_REFUSED; /* until the reader has said what it is */
	job->facts.opened.plaintext = BUF_EMPTY(most_opened);
	job->outline_body = BUF_EMPTY(FRAME_BODY_MAX);
	job->content_body = BUF_EMPTY(FRAME_BODY_MAX);
	job->inner_body = BUF_EMPTY(FRAME_BODY_MAX);
	return job;
}

static struct queue *queue_of(const struct mail_facts *facts)
{
	struct arrivals *arrivals = facts->gate->arrivals;
	const bool known = facts->hold != 0 || (facts->sender != CLAIM_NOBODY && facts->tries == 0);
	return known ? &arrivals->known : &arrivals->strangers;
}

void open_done(struct mail_facts *facts)
{
	struct job *job = (struct job *)facts;
	struct gate *gate = facts->gate;
	buf_release(&facts->opened.plaintext);
	buf_release(&job->outline_body);
	buf_release(&job->content_body);
	buf_release(&job->inner_body);
	if (facts->hold != 0)
		release_ended(gate);
	queue_of(facts)->under_way--;
	free(facts->onward);
	free(facts->content);
	free(job);
	gate->want_arrivals = true;
}

int open_record(const struct mail_facts *facts, const char *event, const char *meaning,
    const char *reason, const char *signer, struct err *err)
{
	struct gate *gate = facts->gate;
	const int64_t arrival = facts->arrival;
	char subject[64];
	char what[STORE_ID_SIZE];
	snprintf(subject, sizeof subject, "arrival %lld", (long long)arrival);
	snprintf(what, sizeof what, "arrival.%s", event);
	if (pace_note_date(facts, err) != 0 || clear_look(facts, err) != 0 ||
	    uncounted_look(facts, err) != 0 ||
	    (facts->tries > 0 && strcmp(event, "give-up") != 0 &&
		(facts->contact != 0 || signer[0] != '\0') &&
		store_arrival_set_claimed(gate->store, arrival, false, err) != 0) ||
	    store_arrival_set_shape(gate->store, arrival,
		intake_shape_name(intake_shape_of(&facts->intake)),
		intake_refusal_name(facts->refusal), err) != 0 ||
	    (strcmp(event, "give-up") != 0 &&
		store_arrival_move(gate->store, arrival, "judge", meaning, NULL, signer, err) != 0))
		return -1;
	if (store_arrival_move(gate->store, arrival, event, meaning, reason, signer, err) != 0)
		return -1;
	return store_audit_add(gate->store, clock_now(), "gate", what, subject, err, "%s%s%s",
	    meaning, reason[0] == '\0' ? "" : ": ", reason);
}

void open_end(struct mail_facts *facts, const char *event, const char *meaning, const char *reason)
{
	struct gate *gate = facts->gate;
	struct err err;
	if (facts->hold != 0) {
		release_unreadable(facts, reason);
		return;
	}
	if (store_begin(gate->store, &err) != 0 ||
	    open_record(facts, event, meaning, reason,
		facts->signer_known ? facts->signer.facts.fingerprint : "", &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	} else if (strcmp(event, "finish") == 0) {
		log_info("arrival %lld: %s%s%s", (long long)facts->arrival, meaning,
		    reason[0] == '\0' ? "" : ": ", reason);
	} else {
		log_warning(
		    "arrival %lld: %s: %s: %s", (long long)facts->arrival, event, meaning, reason);
	}
	open_done(facts);
}

void open_duplicate(struct mail_facts *facts)
{
	char reason[STORE_REASON_SIZE];
	int64_t first;
	struct err err;
	if (store_signed_first(facts->gate->store, facts->digest, &first, &err) != 0) {
		gate_fail(facts->gate, &err);
		open_done(facts);
		return;
	}
	snprintf(reason, sizeof reason, "the same signed text came before, as arrival %lld",
	    (long long)first);
	open_end(facts, "finish", "duplicate", reason);
}

bool open_is_taken(struct mail_facts *facts, enum intake_from from)
{
	facts->refusal = intake_decide(&facts->intake, from);
	return facts->refusal == INTAKE_TAKEN;
}

/* What nobody signed was never meant to be taken, and is merely recorded; what is over a limit, or
 * claims to be more than it is, is refused. */
static const char *refusal_event(enum intake_refusal refusal)
{
	switch (refusal) {
	case INTAKE_NO_SIGNATURE:
	case INTAKE_NO_OPENPGP:
	case INTAKE_NO_SIGNED_BYTES:
	case INTAKE_NOBODY_HERE:
		return "finish";
	case INTAKE_NOT_OPENED:
		return "give-up";
	default:
		return "refuse";
	}
}

/* Nobody has proven to have written it. Where it has the address of somebody known, an admin may
 * know of it, and ask: they see it in the inbox. */
static int note_claim(const struct mail_facts *facts, struct buf *reason, struct err *err)
{
	char address[STORE_ADDRESS_SIZE];
	if (facts->contact != 0 || facts->automatic || facts->hold != 0)
		return 0;
	if (claim_known(facts->gate, facts->arrival, address, err) != 0)
		return -1;
	if (address[0] == '\0')
		return 0;
	buf_printf(reason, "; it says it is from %s", address);
	return store_arrival_set_claimed(facts->gate->store, facts->arrival, true, err);
}

void open_refuse_shape(struct mail_facts *facts, const char *meaning)
{
	const struct job *job = (const struct job *)facts;
	const char *why = intake_refusal_text(facts->refusal);
	struct buf reason = BUF_EMPTY(BUF_SMALL);
	struct err err;
	if (facts->refusal == INTAKE_NOT_OPENED && facts->opened.reason[0] != '\0')
		why = facts->opened.reason;
	else if (job->outline.reason[0] != '\0')
		why = job->outline.reason; /* says more */
	buf_add_text(&reason, why);
	if (facts->refusal == INTAKE_NOBODY_HERE && facts->opened.signature_count == 1)
		buf_printf(&reason, ": key ID %s", facts->opened.signatures[0].key_id);
	if (note_claim(facts, &reason, &err) == 0) {
		open_end(facts, refusal_event(facts->refusal), meaning, buf_text(&reason));
	} else {
		gate_fail(facts->gate, &err);
		open_done(facts);
	}
	buf_release(&reason);
}

struct later {
	struct gate *gate;
	int64_t sender;
	int64_t arrival;
};

static void again(void *context)
{
	struct later *later = context;
	open_add(later->gate, later->sender, later->arrival);
	free(later);
}

void open_again(struct mail_facts *facts, const char *why)
{
	if (facts->hold != 0) {
		release_later(facts->gate, why);
		open_done(facts);
		return;
	}
	struct later *later = malloc(sizeof *later);
	if (later == NULL)
		abort();
	*later = (struct later){facts->gate, facts->sender, facts->arrival};
	log_error("arrival %lld cannot be opened now, and is tried again: %s",
	    (long long)later->arrival, why);
	loop_after(later->gate->loop, AGAIN_MS, again, later);
	open_done(facts);
}

void open_as_stranger(struct mail_facts *facts)
{
	open_add(facts->gate, CLAIM_NOBODY, facts->arrival);
	open_done(facts);
}

int open_record_wait(const struct mail_facts *facts, int64_t until, const char *meaning,
    const char *reason, struct err *err)
{
	struct store *store = facts->gate->store;
	char subject[64];
	char when[TEXT_TIME_SIZE];
	snprintf(subject, sizeof subject, "arrival %lld", (long long)facts->arrival);
	text_format_time(until, when);
	if (pace_note_date(facts, err) != 0 ||
	    store_arrival_wait(store, facts->arrival, until, meaning, reason,
		facts->signer.facts.fingerprint, err) != 0)
		return -1;
	return store_audit_add(store, clock_now(), "gate", "arrival.wait", subject, err,
	    "%s: until %s: %s", meaning, when, reason);
}

static void ask_reader(struct job *job, uint32_t type, struct view bytes, pool_answer_fn *answer)
{
	struct gate *gate = job->facts.gate;
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	reader_put(&body, bytes);
	const bool again = job->facts.tries > 0;
	struct pool_request request = {
	    .type = type,
	    .deadline_ms = GATE_READ_MS * tries_patience(job->facts.tries),
	    .attempts = again ? 1 : GATE_ATTEMPTS,
	    .gives_way = again,
	    .answer_most = reader_answer_most(bytes.len),
	    .answer = answer,
	    .context = job,
	};
	buf_move(&request.body, &body);
	pool_ask(gate->readers, &request);
}

/* A signature over text covers its lines, but not how they end (RFC 9580 section 5.2.1.2): whoever
 * can open a mail could change that, encrypt it anew, and have it acted on once more. So white
 * space at the end of lines makes no difference here. */
static void digest_signed(struct mail_facts *facts)
{
	struct buf what = BUF_EMPTY(facts->opened.plaintext.len + BUF_SMALL);
	struct view rest = view_trim(buf_view(&facts->opened.plaintext));
	struct view line;
	buf_printf(&what, "%s %lld\n", facts->opened.signatures[0].fingerprint,
	    (long long)facts->opened.signatures[0].created);
	while (view_next_field(&rest, '\n', &line)) {
		while (line.len > 0 && strchr(" \t\r", line.data[line.len - 1]) != NULL &&
		       line.data[line.len - 1] != '\0')
			line.len--;
		buf_add_view(&what, line);
		buf_add_char(&what, '\n');
	}
	digest_sha256_hex(buf_view(&what), facts->digest);
	buf_release(&what);
}

static void open_message(struct job *job);

/* A multipart/signed inside the encryption: verify that, and read what it covers. */
static void open_wrapped(struct job *job)
{
	struct mail_facts *facts = &job->facts;
	job->unwrapped = facts->intake.inside = true;
	if (facts->content->beside)
		facts->intake.whole = false;
	job->facts.form = OPEN_DETACHED;
	job->facts.message = job->facts.content->message;
	job->facts.signature = job->facts.content->signature;
	buf_move(&job->inner_body, &job->content_body);
	job->in_shard = false;
	open_message(job);
}

static bool on_content(void *context, enum pool_event event, struct view body)
{
	struct job *job = context;
	struct mail_facts *facts = &job->facts;
	if (event == POOL_DIED) {
		tries_failed(facts, "reading what it holds", body);
		return true;
	}
	buf_clear(&job->content_body);
	buf_add_view(&job->content_body, body);
	if (!reader_take_content(buf_view(&job->content_body), facts->content))
		return false;
	facts->automatic = facts->automatic || facts->content->automatic || facts->content->report;
	if (facts->content->wrapped && facts->opened.signature_count == 0 && !job->unwrapped) {
		open_wrapped(job);
		return true;
	}
	facts->intake.nested = facts->content->wrapped || facts->content->nested;
	judge_mail(facts);
	return true;
}

/* Of several signatures the first whose key is somebody's here: they are to be told. */
static int find_signer(struct job *job, struct err *err)
{
	struct mail_facts *facts = &job->facts;
	const struct opened *opened = &facts->opened;
	for (uint32_t i = 0;
	     i < opened->signature_count && i < OPEN_SIGNATURES_MAX && !facts->signer_known; i++) {
		if (store_certificate_by_key_id(facts->gate->store, opened->signatures[i].key_id,
			&facts->signer, &facts->signer_known, err) != 0)
			return -1;
	}
	return 0;
}

static void refuse_shape(struct job *job, enum intake_from from)
{
	open_is_taken(&job->facts, from);
	open_refuse_shape(&job->facts, "unknown");
}

static void end_unopened(struct job *job)
{
	if (!bounce_nobodys_mail(&job->facts))
		refuse_shape(job, INTAKE_FROM_NOBODY);
}

/* Found in the main home: who signed is not known there, unless it was ourselves. */
static void after_main(struct job *job)
{
	struct mail_facts *facts = &job->facts;
	struct err err;
	if (find_signer(job, &err) != 0) {
		gate_fail(facts->gate, &err);
		open_done(facts);
		return;
	}
	if (facts->signer_known) {
		job->in_shard = true;
		open_message(job);
		return;
	}
	if (!facts->encrypted && bounce_nobodys_mail(facts))
		return;
	if (facts->opened.signature_count == 0 && facts->opened.encrypted && !job->unwrapped)
		ask_reader(job, READER_CONTENT, buf_view(&facts->opened.plaintext), on_content);
	else if (facts->opened.signature_count != 1)
		refuse_shape(job, INTAKE_FROM_NOBODY);
	else if (facts->opened.plaintext.len > STRANGER_TEXT_MAX)
		refuse_shape(job, INTAKE_FROM_STRANGER);
	else {
		digest_signed(facts);
		ask_reader(job, READER_CONTENT, buf_view(&facts->opened.plaintext), on_content);
	}
}

static void on_shard_ready(void *context, const char *problem)
{
	struct job *job = context;
	if (problem == NULL)
		open_message(job);
	else
		open_again(&job->facts, problem);
}

static bool on_opened(void *context, enum pool_event event, struct view body)
{
	struct job *job = context;
	struct mail_facts *facts = &job->facts;
	struct vault_reply reply;
	struct opened opened = {.plaintext = BUF_EMPTY(facts->opened.plaintext.max)};
	if (event == POOL_DIED) {
		tries_failed(facts, "opening it", body);
		return true;
	}
	if (!vault_take_open(body, &reply, &opened)) {
		buf_release(&opened.plaintext);
		return false;
	}
	if (reply.status == VAULT_NO_SHARD && ++job->builds > SHARD_BUILDS_MAX) {
		open_again(facts, "its signer's keyring is gone as soon as it is built");
		return true;
	}
	if (reply.status == VAULT_NO_SHARD) {
		shard_build(facts->gate, facts->signer.shard, on_shard_ready, job);
		return true;
	}
	if (reply.status != VAULT_OK) {
		open_again(facts, reply.text);
		return true;
	}
	facts->encrypted = facts->encrypted || opened.encrypted;
	struct buf former = facts->opened.plaintext;
	facts->opened = opened;
	facts->intake.opened = opened.readable;
	facts->intake.signatures = opened.signature_count;
	if (!opened.readable)
		end_unopened(job);
	else if (!job->in_shard)
		after_main(job);
	else {
		digest_signed(facts);
		ask_reader(job, READER_CONTENT, buf_view(&facts->opened.plaintext), on_content);
	}
	buf_release(&former);
	return true;
}

static void open_message(struct job *job)
{
	struct gate *gate = job->facts.gate;
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	struct err err;
	bool found = true;
	int64_t keyring = 0;
	if (job->in_shard && (store_certificate_get(gate->store, job->facts.signer.facts.fingerprint,
				  &job->facts.signer, &found, &err) != 0 ||
				 shard_keyring(gate, job->facts.signer.shard, &keyring, &err) !=
				     0)) {
		gate_fail(gate, &err);
		open_done(&job->facts);
		return;
	}
	/* The second keyring is believed: gpg does not know the key that signed. */
	const char *known = job->in_shard && job->builds < 2
				? job->facts.signer.facts.fingerprint
				: "";
	vault_put_open(&body, job->in_shard ? job->facts.signer.shard : -1, keyring, known,
	    job->facts.form, job->facts.message, job->facts.signature);
	tries_ask(&job->facts, VAULT_OPEN, &body, GATE_OPEN_MS, on_opened, job);
}

static void after_outline(struct job *job)
{
	static const enum open_form forms[] = {
	    [MAIL_ENCRYPTED] = OPEN_ENCRYPTED,
	    [MAIL_INLINE_ENCRYPTED] = OPEN_ENCRYPTED,
	    [MAIL_ATTACHED_ENCRYPTED] = OPEN_ENCRYPTED,
	    [MAIL_SIGNED] = OPEN_DETACHED,
	    [MAIL_INLINE_SIGNED] = OPEN_CLEARTEXT,
	    [MAIL_ATTACHED_SIGNED] = OPEN_CLEARTEXT,
	};
	struct mail_facts *facts = &job->facts;
	facts->automatic = job->outline.automatic;
	facts->intake.mail = job->outline.shape;
	facts->intake.whole = job->outline.whole;
	if (bounce_mail(facts))
		return;
	if (intake_shape_of(&facts->intake) != INTAKE_UNOPENED) { /* there is nothing to open */
		open_is_taken(facts, INTAKE_FROM_NOBODY);
		open_refuse_shape(facts, job->outline.shape == MAIL_REPORT ? "report" : "unknown");
		return;
	}
	facts->form = forms[job->outline.shape];
	facts->message = job->outline.message;
	facts->signature = job->outline.signature;
	open_message(job);
}

static bool on_outline(void *context, enum pool_event event, struct view body)
{
	struct job *job = context;
	if (event == POOL_DIED) {
		tries_failed(&job->facts, "reading it", body);
		return true;
	}
	buf_clear(&job->outline_body);
	buf_add_view(&job->outline_body, body);
	if (!reader_take_outline(buf_view(&job->outline_body), &job->outline))
		return false;
	after_outline(job);
	return true;
}

static void start_job(struct gate *gate, int64_t sender, int64_t arrival, int64_t hold)
{
	struct buf raw = BUF_EMPTY(FRAME_BODY_MAX); /* taken when the limit may have been another */
	struct arrival row;
	struct err err;
	bool found;
	if (store_arrival_get(gate->store, arrival, &row, &found, &err) != 0 ||
	    (found && store_arrival_raw(gate->store, arrival, &raw, &err) != 0)) {
		gate_fail(gate, &err);
	} else if (found) {
		struct job *job = job_new(gate, arrival);
		job->facts.received_at = row.received_at;
		job->facts.tries = hold == 0 ? row.tries : 0;
		job->facts.sender = sender;
		job->facts.hold = hold;
		queue_of(&job->facts)->under_way++;
		ask_reader(job, READER_OUTLINE, buf_view(&raw), on_outline);
	}
	buf_release(&raw);
}

void open_add(struct gate *gate, int64_t sender, int64_t arrival)
{
	struct arrivals *arrivals = gate->arrivals;
	turns_add(sender == CLAIM_NOBODY ? arrivals->strangers.waiting : arrivals->known.waiting,
	    sender, arrival);
	gate->want_arrivals = true;
}

void open_draft(struct gate *gate, int64_t arrival, int64_t hold)
{
	start_job(gate, CLAIM_NOBODY, arrival, hold);
}

static void work_on(struct gate *gate, struct queue *queue, unsigned most)
{
	int64_t sender;
	int64_t arrival;
	while (!gate->failed && queue->under_way < most &&
	       turns_next(queue->waiting, &sender, &arrival))
		start_job(gate, sender, arrival, 0);
}

void open_work(struct gate *gate)
{
	gate->want_arrivals = false;
	work_on(gate, &gate->arrivals->known, gate->vault_count * JOBS_A_VAULT);
	work_on(gate, &gate->arrivals->strangers, STRANGERS_AT_ONCE);
}

static int add_open(void *context, const struct arrival *arrival, struct err *err)
{
	struct gate *gate = context;
	struct buf head = BUF_EMPTY(CLAIM_HEAD);
	int64_t sender;
	int result = store_arrival_head(gate->store, arrival->id, CLAIM_HEAD, &head, err);
	if (result == 0)
		result = claim_sender(gate, buf_view(&head), &sender, err);
	if (result == 0)
		open_add(gate, sender, arrival->id);
	buf_release(&head);
	return result;
}

static int add_unless_it_waits(void *context, const struct arrival *arrival, struct err *err)
{
	return arrival->wait_until != 0 ? 0 : add_open(context, arrival, err);
}

/* By the clock as it stands: it is what the date was held against. */
void open_check_waits(struct gate *gate, int64_t time)
{
	const int64_t now = clock_now();
	struct err err;
	(void)time;
	if (store_arrival_each_due(gate->store, now, add_open, gate, &err) != 0 ||
	    store_arrival_end_wait(gate->store, now, &err) != 0)
		gate_fail(gate, &err);
}

int open_start(struct gate *gate, struct err *err)
{
	gate->arrivals = calloc(1, sizeof *gate->arrivals);
	if (gate->arrivals == NULL)
		abort();
	gate->arrivals->known.waiting = turns_new();
	gate->arrivals->strangers.waiting = turns_new();
	return tries_begin(gate, err) != 0
		   ? -1
		   : store_arrival_each_open(gate->store, add_unless_it_waits, gate, err);
}

void open_stop(struct gate *gate)
{
	if (gate->arrivals != NULL) {
		turns_free(gate->arrivals->known.waiting);
		turns_free(gate->arrivals->strangers.waiting);
	}
	free(gate->arrivals);
}
