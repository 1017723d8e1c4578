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
		    : open_record(facts->gate, facts->arrival, "refuse", "advisory",
			  refusing->reason, facts->signer.facts.fingerprint, err);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct refusing *refusing = context;
	struct mail_facts *facts = refusing->facts;
	if (end == OUTGOING_DROPPED) {
		open_end(facts, "finish", "duplicate", "the same signed text was refused before");
	} else if (end == OUTGOING_FAILED) {
		open_again(facts, problem);
	} else {
		/* The reason may quote the mail, so the log says only that there is one. */
		log_warning("arrival %lld: a publisher's mail was refused; the publisher's receipt "
			    "says why",
		    (long long)facts->arrival);
		open_done(facts);
	}
	free(refusing);
}

void refuse_mail(
    struct mail_facts *facts, const struct publisher *publisher, const struct refusal *refusal)
{
	struct refusing *refusing = calloc(1, sizeof *refusing);
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct recipients to = {0};
	struct err err;
	if (refusing == NULL)
		abort();
	refusing->facts = facts;
	/* In the store only the line: a quoted value may be a part of the advisory's text. */
	snprintf(refusing->reason, sizeof refusing->reason,
	    refusal->line > 0 ? "refused for line %d of its text; the receipt says why"
			      : "refused; the receipt says why",
	    refusal->line);
	if (recipients_add_publisher(facts->gate, &to, publisher->id, &err) != 0) {
		gate_fail(facts->gate, &err);
		open_done(facts);
		free(refusing);
		return;
	}
	letter_refusal(&text, refusal, facts->arrival);
	buf_printf(&subject, "Refused: %s",
	    facts->content->subject[0] == '\0' ? "your mail" : facts->content->subject);
	const struct outgoing outgoing = {
	    .kind = "refusal",
	    .to = publisher->address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record,
	    .done = done,
	    .context = refusing,
	};
	if (!outgoing_send(facts->gate, &outgoing)) { /* it quotes one line at most */
		recipients_release(&to);
		err_set(&err, ERR_DAEMON, ERR_NEVER, "a refusal is too large to be sent");
		gate_fail(facts->gate, &err);
		open_done(facts);
		free(refusing);
	}
	buf_release(&text);
	buf_release(&subject);
}
