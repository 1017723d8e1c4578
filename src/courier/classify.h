/* What a reply of the smarthost, or the lack of one, means for a delivery: one table.
 *
 * Three questions are answered: how the attempt ended, whom the reply is about, and whether anything
 * else can be sent over this smarthost now. Final is only what says that this recipient is not
 * there, or that this message is too large. What the smarthost has against the gateway (client,
 * sender, login, relaying, rate, policy, a content filter, its own disk) is deferred at every step
 * and whatever its first digit, so that it can never fail a whole audience: many servers delay such
 * words to RCPT TO, where they look as if they were about the recipient. */
#ifndef DEWLINE_COURIER_CLASSIFY_H
#define DEWLINE_COURIER_CLASSIFY_H

#include <stdbool.h>

#include "base/buf.h"
#include "courier/courier.h"

/* Where in the dialogue a reply came, or where the connection broke. */
enum courier_phase {
	PHASE_CONNECT,
	PHASE_GREETING,
	PHASE_EHLO,
	PHASE_STARTTLS,
	PHASE_AUTH,
	PHASE_MAIL,
	PHASE_RCPT,
	PHASE_DATA,
	PHASE_BODY, /* the message is under way, nothing of the final dot has left */
	PHASE_DOT, /* the final dot has left, at least in part */
	PHASES,
};

/* What the phase is called in a text for people: "RCPT TO". */
const char *courier_phase_name(enum courier_phase phase);

struct courier_verdict {
	enum courier_outcome outcome;
	enum courier_about about;
	bool smarthost_down;
};

/* `code` is the reply code (RFC 5321 section 4.2), 0 when the connection broke or the reply was
 * none. `text` is the reply's text behind the code; an enhanced status code (RFC 3463) at its front
 * counts when its class agrees with the code. Only to be asked for a reply that did not let the
 * dialogue go on, or for the reply to the final dot. */
struct courier_verdict classify(enum courier_phase phase, int code, struct view text);

#endif
