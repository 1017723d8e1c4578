#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "gate/acknowledge.h"
#include "gate/agree.h"
#include "gate/ahead.h"
#include "gate/approve.h"
#include "gate/inform.h"
#include "gate/issue.h"
#include "gate/judge.h"
#include "gate/keyupdate.h"
#include "gate/onward.h"
#include "gate/refuse.h"
#include "gate/release.h"
#include "gate/request.h"
#include "gate/stranger.h"
#include "rules/block.h"
#include "rules/keylife.h"
#include "rules/signature.h"

/* Who signed: exactly one of the two, or nobody that we know. */
struct signer {
	bool is_publisher;
	bool is_contact;
	struct publisher publisher;
	struct contact contact;
};

static void to_issue(struct mail_facts *facts, const struct signer *signer)
{
	issue_mail(facts, &signer->publisher);
}

static void to_decide(struct mail_facts *facts, const struct signer *signer)
{
	approve_mail(facts, &signer->publisher);
}

/* An answer to what was sent: whose token is in it? */
static void to_answer(struct mail_facts *facts, const struct signer *signer)
{
	if (!agree_mail(facts, &signer->contact))
		acknowledge_mail(facts, &signer->contact);
}

static void to_reply(struct mail_facts *facts, const struct signer *signer)
{
	inform_reply(facts, &signer->publisher);
}

static void to_report(struct mail_facts *facts, const struct signer *signer)
{
	inform_report(facts, &signer->contact);
}

static void to_request(struct mail_facts *facts, const struct signer *signer)
{
	request_mail(facts, &signer->contact);
}

static void to_key_update(struct mail_facts *facts, const struct signer *signer)
{
	keyupdate_mail(facts, signer->is_publisher ? NULL : &signer->contact,
	    signer->is_publisher ? &signer->publisher : NULL);
}

/* What a mail means (DESIGN: "One door"): the first row whose signer and first field fit. A row
 * without a field takes all that is left. */
static const struct {
	bool publisher;
	const char *field;
	void (*take)(struct mail_facts *, const struct signer *);
	const char *meaning;
	enum intake_from from;
} meanings[] = {
    {true, "Key", to_key_update, "key", INTAKE_FROM_KEY_OWNER},
    {false, "Key", to_key_update, "key", INTAKE_FROM_KEY_OWNER},
    {true, "Reply", to_reply, "reply", INTAKE_FROM_PUBLISHER},
    {true, "Approve", to_decide, "approval", INTAKE_FROM_PUBLISHER},
    {true, "Reject", to_decide, "approval", INTAKE_FROM_PUBLISHER},
    {true, NULL, to_issue, "advisory", INTAKE_FROM_PUBLISHER},
    {false, "Report", to_report, "report", INTAKE_FROM_REPORTER},
    {false, "Request", to_request, "request", INTAKE_FROM_CONTACT},
    {false, NULL, to_answer, "acknowledgment", INTAKE_FROM_CONTACT},
};
enum { MEANINGS = sizeof meanings / sizeof meanings[0] };

static size_t meaning_of(const struct signer *signer, struct view text)
{
	const struct view field = block_first_name(text);
	size_t i = 0;
	while (i + 1 < MEANINGS &&
	       (meanings[i].publisher != signer->is_publisher ||
		   (meanings[i].field != NULL && !view_is_nocase(field, meanings[i].field))))
		i++;
	return i;
}

/* An admin, who only gets mail, is somebody where it is about the admin's own key. */
static int find_signer(struct mail_facts *facts, struct signer *out, struct err *err)
{
	struct store *store = facts->gate->store;
	const char *fingerprint = facts->signer.facts.fingerprint;
	if (store_publisher_by_fingerprint(
		store, fingerprint, &out->publisher, &out->is_publisher, err) != 0 ||
	    store_contact_by_fingerprint(
		store, fingerprint, &out->contact, &out->is_contact, err) != 0)
		return -1;
	if (out->is_publisher || out->is_contact ||
	    !view_is_nocase(block_first_name(facts->content->text), "Key"))
		return 0;
	return store_admin_by_fingerprint(
	    store, fingerprint, &out->publisher, &out->is_publisher, err);
}

/* The signer's key may have expired, as far as we know, where the mail renews it. */
static enum uncounted find_fault(const struct mail_facts *facts, bool may_be_expired)
{
	const int64_t skew = facts->gate->config->limits.clock_skew;
	bool expired;
	const enum uncounted fault =
	    may_be_expired
		? keylife_fault(&facts->opened, &facts->signer, clock_now(), skew, &expired)
		: signature_fault(&facts->opened, &facts->signer, clock_now(), skew);
	/* A draft was in time when it came: the clock was put back since. */
	return fault == UNCOUNTED_AHEAD && facts->hold != 0 ? UNCOUNTED_NOT : fault;
}

/* A control block whose signature does not count. */
static void refuse_signer(struct mail_facts *facts, const struct signer *signer,
    const char *meaning, enum uncounted fault)
{
	struct refusal refusal;
	char made[TEXT_TIME_SIZE];
	text_format_time(facts->opened.signatures[0].created, made);
	refuse(&refusal, 0, "%s (by its own date it was made %s)", uncounted_text(fault), made);
	if (signer->is_publisher)
		refuse_publisher(facts, &signer->publisher, meaning, &refusal);
	else
		refuse_contact(facts, &signer->contact, meaning, &refusal);
}

/* A publisher's words are those that a program shows, and not in a mail inside the mail. */
static void refuse_enclosed(
    struct mail_facts *facts, const struct signer *signer, const char *meaning)
{
	struct refusal refusal;
	refuse(&refusal, 0,
	    "its text stands in a mail that is attached to the mail, as pEp and some mail "
	    "gateways wrap what they send: switch that off");
	refuse_publisher(facts, &signer->publisher, meaning, &refusal);
}

/* Signed by somebody known, and the signature does not count. Whoever has proven to hold the key is
 * told; where all that is wrong is a clock, theirs or ours, the mail waits for it. */
static void dismiss(
    struct mail_facts *facts, const struct signer *signer, size_t i, enum uncounted fault)
{
	const bool proven = signature_is_by(&facts->opened, &facts->signer);
	if (proven && fault == UNCOUNTED_AHEAD) {
		ahead_mail(facts, signer->is_publisher ? &signer->publisher : NULL,
		    signer->is_contact ? &signer->contact : NULL, meanings[i].meaning);
	} else if (facts->hold != 0 || facts->automatic) {
		open_end(facts, "refuse", meanings[i].meaning, uncounted_text(fault));
	} else if (!proven || meanings[i].take == to_answer) {
		facts->uncounted = signer->is_contact ? fault : UNCOUNTED_NOT;
		open_end(facts, "refuse", meanings[i].meaning, uncounted_text(fault));
	} else {
		refuse_signer(facts, signer, meanings[i].meaning, fault);
	}
}

/* One good signature by somebody known, in a shape that is not taken from them: they are told, if
 * what they wanted would have been answered. */
static void refuse_shape(struct mail_facts *facts, const struct signer *signer,
    enum intake_from from, const char *meaning)
{
	struct refusal refusal;
	if (facts->refusal == INTAKE_IN_THE_OPEN)
		refuse(&refusal, 0, "%s. Encrypt it to the gateway's key %s",
		    intake_refusal_text(facts->refusal), facts->gate->fingerprint);
	else
		refuse(&refusal, 0, "%s", intake_refusal_text(facts->refusal));
	if (from == INTAKE_FROM_PUBLISHER)
		refuse_publisher(facts, &signer->publisher, meaning, &refusal);
	else if (from == INTAKE_FROM_REPORTER)
		refuse_contact(facts, &signer->contact, meaning, &refusal);
	else {
		if (facts->refusal == INTAKE_NO_FLAT_SIGNATURE)
			facts->uncounted = UNCOUNTED_NESTED;
		open_refuse_shape(facts, meaning);
	}
}

static void judge_signed(struct mail_facts *facts)
{
	struct signer signer;
	struct err err;
	if (find_signer(facts, &signer, &err) != 0 || onward_choose(facts, &err) != 0) {
		gate_fail(facts->gate, &err);
		open_done(facts);
		return;
	}
	if (!signer.is_publisher && !signer.is_contact) {
		stranger_mail(facts);
		return;
	}
	if (signer.is_contact && signature_is_by(&facts->opened, &facts->signer))
		facts->contact = signer.contact.id;
	const size_t i = meaning_of(&signer, facts->content->text);
	const enum uncounted fault = find_fault(facts, meanings[i].take == to_key_update);
	if (fault != UNCOUNTED_NOT)
		dismiss(facts, &signer, i, fault);
	else if (facts->hold != 0 && signer.is_publisher)
		release_draft(facts, &signer.publisher);
	else if (facts->hold != 0)
		open_end(facts, "refuse", "advisory", "its author is no publisher any more");
	else if (facts->automatic)
		open_end(
		    facts, "refuse", meanings[i].meaning, "it is an automatic reply or a report");
	else if (!open_is_taken(facts, meanings[i].from))
		refuse_shape(facts, &signer, meanings[i].from, meanings[i].meaning);
	else if (facts->content->enclosed && signer.is_publisher)
		refuse_enclosed(facts, &signer, meanings[i].meaning);
	else
		meanings[i].take(facts, &signer);
}

/* More than one signature never counts; one of them may tell whom to answer. */
static void judge_many(struct mail_facts *facts)
{
	struct signer signer = {.is_contact = false};
	struct err err;
	open_is_taken(facts, INTAKE_FROM_NOBODY);
	if (facts->signer_known && signature_is_by(&facts->opened, &facts->signer) &&
	    find_signer(facts, &signer, &err) != 0) {
		gate_fail(facts->gate, &err);
		open_done(facts);
		return;
	}
	const size_t i = meaning_of(&signer, facts->content->text);
	if (facts->hold != 0 || facts->automatic || (!signer.is_publisher && !signer.is_contact)) {
		open_refuse_shape(facts, "unknown");
	} else if (meanings[i].take != to_answer) {
		refuse_signer(facts, &signer, meanings[i].meaning, UNCOUNTED_MANY_SIGNATURES);
	} else {
		facts->contact = signer.contact.id;
		facts->uncounted = UNCOUNTED_MANY_SIGNATURES;
		open_refuse_shape(facts, meanings[i].meaning);
	}
}

void judge_mail(struct mail_facts *facts)
{
	if (facts->opened.signature_count > 1) {
		judge_many(facts);
	} else if (facts->opened.signature_count == 0) {
		facts->uncounted = UNCOUNTED_UNSIGNED;
		open_is_taken(facts, INTAKE_FROM_NOBODY);
		open_refuse_shape(facts, "unknown");
	} else if (facts->signer_known) {
		judge_signed(facts);
	} else {
		stranger_mail(facts);
	}
}
