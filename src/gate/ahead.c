#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/ahead.h"
#include "gate/letters_clock.h"
#include "gate/outgoing.h"
#include "gate/recipients.h"
#include "rules/signature.h"
#include "store/arrivals.h"

struct waiting {
	struct mail_facts *facts;
	const char *meaning;
	int64_t until;
};

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	const struct waiting *waiting = context;
	(void)message;
	(void)title;
	(void)go;
	return open_record_wait(waiting->facts, waiting->until, waiting->meaning,
	    uncounted_text(UNCOUNTED_AHEAD), err);
}

static void log_wait(const struct waiting *waiting)
{
	log_warning("arrival %lld: %s waits: %s", (long long)waiting->facts->arrival,
	    waiting->meaning, uncounted_text(UNCOUNTED_AHEAD));
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct waiting *waiting = context;
	if (end == OUTGOING_FAILED) {
		open_again(waiting->facts, problem);
	} else {
		log_wait(waiting);
		open_done(waiting->facts);
	}
	free(waiting);
}

static void wait_untold(const struct waiting *waiting)
{
	struct gate *gate = waiting->facts->gate;
	bool go;
	struct err err;
	if (store_begin(gate->store, &err) != 0 ||
	    record((void *)waiting, 0, VIEW(""), &go, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	}
	log_wait(waiting);
	open_done(waiting->facts);
}

static void wait_told(const struct waiting *given, struct recipients *to, int64_t now)
{
	struct gate *gate = given->facts->gate;
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct waiting *waiting = malloc(sizeof *waiting);
	if (waiting == NULL)
		abort();
	*waiting = *given;
	letter_clock_ahead(&text, given->facts->arrival, given->facts->opened.signatures[0].created,
	    now, given->until);
	const struct outgoing outgoing = {
	    .kind = "refusal",
	    .to = to->deliveries[0].address,
	    .subject = "Your mail waits: its signature is dated in the future",
	    .text = buf_view(&text),
	    .deliveries = to->deliveries,
	    .delivery_count = to->count,
	    .record = record,
	    .done = done,
	    .context = waiting,
	};
	if (!outgoing_send(gate, &outgoing)) { /* never: the text is ours */
		recipients_release(to);
		wait_untold(waiting);
		free(waiting);
	}
	buf_release(&text);
}

void ahead_mail(struct mail_facts *facts, const struct publisher *publisher,
    const struct contact *contact, const char *meaning)
{
	struct gate *gate = facts->gate;
	const int64_t now = clock_now();
	const struct waiting waiting = {.facts = facts,
	    .meaning = meaning,
	    .until = facts->opened.signatures[0].created - gate->config->limits.clock_skew};
	struct recipients to = {0};
	int64_t others = 0;
	struct err err;
	const bool tell = !facts->automatic && waiting.until - now > SIGNATURE_TOLD_S;
	if (tell && (store_arrival_count_waiting(
			 gate->store, facts->signer.facts.fingerprint,
			 now + SIGNATURE_TOLD_S, &others, &err) != 0 ||
			(publisher != NULL
				? recipients_add_publisher(gate, &to, publisher->id, &err)
				: recipients_add_contact(gate, &to, contact->id, &err)) != 0)) {
		recipients_release(&to);
		gate_fail(gate, &err);
		open_done(facts);
	} else if (tell && others == 0 && to.count > 0) {
		wait_told(&waiting, &to, now);
	} else {
		recipients_release(&to);
		wait_untold(&waiting);
	}
}
