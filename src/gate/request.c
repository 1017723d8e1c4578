#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/letters_inform.h"
#include "gate/outgoing.h"
#include "gate/pace.h"
#include "gate/people.h"
#include "gate/recipients.h"
#include "gate/refuse.h"
#include "gate/request.h"
#include "gate/tries.h"
#include "pgp/vault.h"
#include "rules/inform.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "store/inform.h"
#include "worker/frame.h"

enum { STASH_SLACK = 1024 * 1024, STASHES = 3 };

enum answer { ANSWER_MATERIAL, ANSWER_NONE, ANSWER_LIST };

/* A material that the contact may have, and what of it must be opened. */
struct item {
	struct material material;
	struct buf stashes[STASHES]; /* title, file, content; empty ones stay closed */
	struct buf opened[STASHES];
};

struct requesting {
	struct mail_facts *facts;
	struct contact contact;
	char name[STORE_ID_SIZE]; /* "" for what cannot be a name */
	char reason[STORE_REASON_SIZE]; /* for the audit: why not */
	enum answer answer;
	enum tlp label; /* the highest of what goes out */
	struct item *items;
	size_t count;
	size_t at; /* the next to open: item at / STASHES, stash at % STASHES */
};

static void free_job(struct requesting *job)
{
	for (size_t i = 0; i < job->count; i++) {
		for (size_t k = 0; k < STASHES; k++) {
			buf_release(&job->items[i].stashes[k]);
			buf_release(&job->items[i].opened[k]);
		}
	}
	free(job->items);
	free(job);
}

static void give_up(struct requesting *job, const struct err *err)
{
	gate_fail(job->facts->gate, err);
	open_done(job->facts);
	free_job(job);
}

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct requesting *job = context;
	struct mail_facts *facts = job->facts;
	struct store *store = facts->gate->store;
	char subject[STORE_ID_SIZE + STORE_ADDRESS_SIZE];
	const char *event = job->answer == ANSWER_MATERIAL ? "material.handed-out"
			    : job->answer == ANSWER_LIST   ? "material.listed"
							   : "material.refused";
	(void)title;
	if (store_signed_seen(store, facts->digest, facts->arrival, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (job->answer != ANSWER_NONE && job->count > 0 &&
	    store_label_add(store, message, tlp_name(job->label), err) != 0)
		return -1;
	if (open_record(facts, "finish", "request", "", facts->signer.facts.fingerprint, err) != 0)
		return -1;
	snprintf(subject, sizeof subject, "%s%s%s",
	    job->answer == ANSWER_LIST ? "list"
	    : job->name[0] == '\0'     ? "(no name)"
				       : job->name,
	    " ", job->contact.address);
	return store_audit_add(store, clock_now(), "gate", event, subject, err, "%s",
	    job->answer == ANSWER_NONE ? job->reason : "");
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct requesting *job = context;
	if (end == OUTGOING_RECORDED) {
		log_info("arrival %lld: a request by %s is answered",
		    (long long)job->facts->arrival, job->contact.address);
		open_done(job->facts);
	} else if (end == OUTGOING_DROPPED) {
		open_duplicate(job->facts);
	} else {
		open_again(job->facts, problem);
	}
	free_job(job);
}

static void write_answer(struct requesting *job, struct buf *text)
{
	struct buf rows = BUF_EMPTY(FRAME_BODY_MAX / 8);
	switch (job->answer) {
	case ANSWER_MATERIAL:
		letter_material(text, &job->items[0].material, buf_view(&job->items[0].opened[0]));
		break;
	case ANSWER_NONE:
		letter_no_material(text);
		break;
	case ANSWER_LIST:
		for (size_t i = 0; i < job->count; i++)
			letter_material_row(
			    &rows, &job->items[i].material, buf_view(&job->items[i].opened[0]));
		letter_material_list(text, job->count, buf_view(&rows));
		break;
	}
	buf_release(&rows);
}

static void send_answer(struct requesting *job)
{
	struct gate *gate = job->facts->gate;
	struct buf text = BUF_EMPTY(FRAME_BODY_MAX / 8);
	struct recipients to = {0};
	struct mail_part part = {.type = "application/octet-stream", .attachment = true};
	struct err err;
	const bool attached = job->answer == ANSWER_MATERIAL;
	if (recipients_add_contact(gate, &to, job->contact.id, &err) != 0) {
		recipients_release(&to);
		give_up(job, &err);
		return;
	}
	write_answer(job, &text);
	if (attached) {
		view_copy(buf_view(&job->items[0].opened[1]), part.name, sizeof part.name);
		part.content = buf_view(&job->items[0].opened[2]);
	}
	const struct outgoing outgoing = {
	    .kind = "material",
	    .to = job->contact.address,
	    .subject = "Your request for material",
	    .text = buf_view(&text),
	    .attachments = attached ? &part : NULL,
	    .attachment_count = attached ? 1 : 0,
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record,
	    .done = done,
	    .context = job,
	};
	if (text.overflow || !outgoing_send(gate, &outgoing)) {
		recipients_release(&to);
		open_end(job->facts, "refuse", "request", "the answer is too large to be sent");
		free_job(job);
	}
	buf_release(&text);
}

static void open_next(struct requesting *job);

static bool on_opened(void *context, enum pool_event event, struct view body)
{
	struct requesting *job = context;
	struct vault_reply reply = {.status = VAULT_FAILED};
	struct buf *out = &job->items[job->at / STASHES].opened[job->at % STASHES];
	if (event == POOL_ANSWER && !vault_take_unstash(body, &reply, out))
		return false;
	if (reply.status == VAULT_OK) {
		job->at++;
		open_next(job);
	} else {
		if (event == POOL_DIED)
			tries_failed(job->facts, "opening what it asks for", body);
		else
			open_again(job->facts, reply.text);
		free_job(job);
	}
	return true;
}

static void open_next(struct requesting *job)
{
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	while (job->at < job->count * STASHES &&
	       job->items[job->at / STASHES].stashes[job->at % STASHES].len == 0)
		job->at++;
	if (job->at == job->count * STASHES) {
		send_answer(job);
		return;
	}
	vault_put_unstash(
	    &body, buf_view(&job->items[job->at / STASHES].stashes[job->at % STASHES]));
	tries_ask(job->facts, VAULT_UNSTASH, &body, GATE_OPEN_MS, on_opened, job);
}

static struct item *add_item(struct requesting *job, const struct material *material)
{
	const size_t most = (size_t)job->facts->gate->config->materials.size;
	enum tlp label = TLP_RED;
	job->items = reallocarray(job->items, job->count + 1, sizeof *job->items);
	if (job->items == NULL)
		abort();
	struct item *item = &job->items[job->count++];
	*item = (struct item){.material = *material};
	for (size_t k = 0; k < STASHES; k++) {
		item->stashes[k] = BUF_EMPTY(FRAME_BODY_MAX);
		item->opened[k] = BUF_EMPTY(most + STASH_SLACK);
	}
	tlp_from(view_of(material->tlp), &label);
	if (job->count == 1 || label > job->label)
		job->label = label;
	return item;
}

/* What decides for this contact, as of now. */
struct deciding {
	struct requesting *job;
	struct snapshot people;
	struct certificate certificate;
	bool has_certificate;
	char agreement[STORE_REASON_SIZE]; /* what the contact's signatures on it lack, or "" */
};

static bool may_have(struct deciding *deciding, const struct material *material)
{
	struct requesting *job = deciding->job;
	enum tlp label;
	if (!tlp_from(view_of(material->tlp), &label)) {
		snprintf(job->reason, sizeof job->reason, "its label is none");
		return false;
	}
	return inform_may_have(&deciding->people.people, &job->contact,
	    deciding->has_certificate ? &deciding->certificate : NULL, deciding->agreement,
	    view_of(material->audience), label, gate_now(job->facts->gate), job->reason);
}

static int list_one(void *context, const struct material *material, struct err *err)
{
	struct deciding *deciding = context;
	(void)err;
	if (may_have(deciding, material)) {
		struct item *item = add_item(deciding->job, material);
		buf_add_view(&item->stashes[0], material->title);
	}
	return 0;
}

static int find_one(struct deciding *deciding, struct err *err)
{
	struct requesting *job = deciding->job;
	struct store *store = job->facts->gate->store;
	struct material material;
	bool found = false;
	job->answer = ANSWER_NONE;
	snprintf(job->reason, sizeof job->reason, "there is none of this name");
	if (job->name[0] != '\0' &&
	    store_material_get(store, job->name, &material, NULL, NULL, NULL, &found, err) != 0)
		return -1;
	if (!found || !may_have(deciding, &material))
		return 0;
	job->answer = ANSWER_MATERIAL;
	struct item *item = add_item(job, &material);
	return store_material_get(store, job->name, &material, &item->stashes[0], &item->stashes[1],
	    &item->stashes[2], &found, err);
}

static int decide(struct requesting *job, struct err *err)
{
	struct gate *gate = job->facts->gate;
	struct deciding deciding = {.job = job};
	if (people_agreement(gate, job->contact.id, deciding.agreement, err) != 0 ||
	    people_load(gate, &deciding.people, err) != 0)
		return -1;
	int result = store_certificate_get(gate->store, job->contact.fingerprint,
	    &deciding.certificate, &deciding.has_certificate, err);
	if (result == 0 && strcmp(job->name, "list") == 0) {
		job->answer = ANSWER_LIST;
		result = store_material_each(gate->store, list_one, &deciding, err);
	} else if (result == 0) {
		result = find_one(&deciding, err);
	}
	people_release(&deciding.people);
	return result;
}

void request_mail(struct mail_facts *facts, const struct contact *contact)
{
	struct requesting *job = calloc(1, sizeof *job);
	struct refusal refusal;
	struct err err;
	if (job == NULL)
		abort();
	job->facts = facts;
	job->contact = *contact;
	const bool good =
	    facts->content->readable
		? inform_read_request(facts->content->text, job->name, &refusal)
		: refuse(&refusal, 0, "it cannot be read: %s", facts->content->reason);
	if (!good) {
		refuse_contact(facts, contact, "request", &refusal);
		free_job(job);
	} else if (decide(job, &err) != 0) {
		give_up(job, &err);
	} else {
		open_next(job);
	}
}
