#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gate/letters.h"
#include "gate/outgoing.h"
#include "gate/recipients.h"
#include "gate/refuse.h"
#include "store/arrivals.h"

struct refusing {
	struct mail_facts *facts;
	const char *meaning;
	char reason[STORE_REASON_SIZE];
};

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct refusing *refusing = context;
	struct mail_facts *facts = refusing->facts;
	(void)message;
	(void)title;
	if (store_signed_seen(facts->gate->store, facts->digest, facts->arrival, go, err) != 0)
		return -1;
	return !*go ? 0
		    : open_record(facts, "refuse", refusing->meaning, refusing->reason,
			  facts->signer.facts.fingerprint, err);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct refusing *refusing = context;
	struct mail_facts *facts = refusing->facts;
	if (end == OUTGOING_DROPPED) {
		open_duplicate(facts);
	} else if (end == OUTGOING_FAILED) {
		open_again(facts, problem);
	} else {
		/* The reason may quote the mail, so the log says only that there is one. */
		log_warning("arrival %lld: the mail was refused; the receipt to its signer says "
			    "why",
		    (long long)facts->arrival);
		open_done(facts);
	}
	free(refusing);
}

static void send_refusal(
    struct refusing *refusing, struct recipients *to, const struct refusal *refusal)
{
	struct mail_facts *facts = refusing->facts;
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	letter_refusal(&text, refusal, facts->arrival);
	buf_printf(&subject, "Refused: %s",
	    facts->content->subject[0] == '\0' ? "your mail" : facts->content->subject);
	const struct outgoing outgoing = {
	    .kind = "refusal",
	    .to = to->deliveries[0].address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to->deliveries,
	    .delivery_count = to->count,
	    .record = record,
	    .done = done,
	    .context = refusing,
	};
	if (!outgoing_send(facts->gate, &outgoing)) { /* it quotes one line at most */
		struct err err;
		recipients_release(to);
		err_set(&err, ERR_DAEMON, ERR_NEVER, "a refusal is too large to be sent");
		gate_fail(facts->gate, &err);
		open_done(facts);
		free(refusing);
	}
	buf_release(&text);
	buf_release(&subject);
}

/* One of the two ids is 0. */
static void refuse_one(struct mail_facts *facts, int64_t publisher, int64_t contact,
    const char *meaning, const struct refusal *refusal)
{
	struct refusing *refusing = calloc(1, sizeof *refusing);
	struct recipients to = {0};
	struct err err;
	if (refusing == NULL)
		abort();
	refusing->facts = facts;
	refusing->meaning = meaning;
	/* In the store only the line: a quoted value may be a part of the text. */
	snprintf(refusing->reason, sizeof refusing->reason,
	    refusal->line > 0 ? "refused for line %d of its text; the receipt says why"
			      : "refused; the receipt says why",
	    refusal->line);
	if ((publisher != 0 ? recipients_add_publisher(facts->gate, &to, publisher, &err)
			    : recipients_add_contact(facts->gate, &to, contact, &err)) != 0) {
		recipients_release(&to);
		gate_fail(facts->gate, &err);
		open_done(facts);
		free(refusing);
		return;
	}
	send_refusal(refusing, &to, refusal);
}

void refuse_mail(
    struct mail_facts *facts, const struct publisher *publisher, const struct refusal *refusal)
{
	refuse_one(facts, publisher->id, 0, "advisory", refusal);
}

void refuse_publisher(struct mail_facts *facts, const struct publisher *publisher,
    const char *meaning, const struct refusal *refusal)
{
	refuse_one(facts, publisher->id, 0, meaning, refusal);
}

void refuse_contact(struct mail_facts *facts, const struct contact *contact, const char *meaning,
    const struct refusal *refusal)
{
	refuse_one(facts, 0, contact->id, meaning, refusal);
}
