#include "config.h"

#include <string.h>

#include "courier/classify.h"

enum { CODE_NONE = 0, CODE_LEAST = 200, CODE_MOST = 599 };

#define IN(phase) (1U << (phase))
#define OPENING                                                                                    \
	(IN(PHASE_CONNECT) | IN(PHASE_GREETING) | IN(PHASE_EHLO) | IN(PHASE_STARTTLS) |            \
	    IN(PHASE_AUTH))
#define MAIL IN(PHASE_MAIL)
#define RCPT IN(PHASE_RCPT)
#define MESSAGE (RCPT | IN(PHASE_DATA) | IN(PHASE_BODY) | IN(PHASE_DOT))
#define COMMAND (RCPT | IN(PHASE_DATA))
#define ANY (OPENING | MAIL | MESSAGE)

/* What stands for "no enhanced code". */
static const char bare[] = "";

/* Pieces of replies, without regard to case. They decide only where the numbers leave it open. */
static const char *const about_sender[] = {
    "sender address rejected", "sender rejected", "sender verif", "sender denied", NULL};
static const char *const about_size[] = {
    "message size", "size limit", "size exceeds", "too large", "too big", NULL};
static const char *const nobody_there[] = {"no such user", "no such recipient", "no such mailbox",
    "no such address", "no such account", "no mailbox here", "user unknown", "unknown user",
    "user not found", "recipient unknown", "unknown recipient", "recipient not found",
    "unknown address", "unknown mailbox", "mailbox not found", "mailbox unknown",
    "mailbox does not exist", "address does not exist", "account does not exist",
    "user does not exist", "user doesn't exist", "recipient does not exist",
    "no longer available here", "unrouteable address", "unroutable address", NULL};

struct rule {
	unsigned phases;
	int least;
	int most;
	/* Subject and detail behind the class, "7.8"; a subject alone, "7."; bare; NULL: any or none. */
	const char *enhanced;
	const char *const *words; /* one of them must be said; NULL: whatever is said */
	struct courier_verdict verdict;
};

#define VERDICT(outcome, about, down) {outcome, COURIER_ABOUT_##about, down}
#define SENT VERDICT(COURIER_SENT, RECIPIENT, false)
#define NOT_THERE VERDICT(COURIER_FAILED, RECIPIENT, false)
#define TOO_LARGE VERDICT(COURIER_FAILED, MESSAGE, false)
#define LATER VERDICT(COURIER_DEFERRED, RECIPIENT, false)
#define AGAINST_US VERDICT(COURIER_DEFERRED, GATEWAY, false)
#define DOWN VERDICT(COURIER_DEFERRED, GATEWAY, true)
#define AMBIGUOUS VERDICT(COURIER_AMBIGUOUS, GATEWAY, true)

/* The first rule that fits decides; the last one fits everything. */
static const struct rule rules[] = {
    /* The server takes its leave (RFC 5321 section 3.8); it has not taken the message. */
    {ANY, 421, 421, NULL, NULL, DOWN},
    /* Nobody can tell whether the server had accepted before the connection broke. */
    {IN(PHASE_DOT), CODE_NONE, CODE_NONE, NULL, NULL, AMBIGUOUS},
    {ANY, CODE_NONE, CODE_NONE, NULL, NULL, DOWN},
    /* Nothing that is said before MAIL FROM is about a recipient. */
    {OPENING, CODE_LEAST, CODE_MOST, NULL, NULL, DOWN},
    /* Authentication or TLS asked for, whenever the server thinks of it (RFC 4954, RFC 3207). */
    {ANY, 530, 530, NULL, NULL, DOWN},
    {ANY, 534, 535, NULL, NULL, DOWN},
    {ANY, 538, 538, NULL, NULL, DOWN},
    {ANY, 400, CODE_MOST, "7.8", NULL, DOWN},
    {ANY, 400, CODE_MOST, "7.9", NULL, DOWN},
    /* The message is too large for this server, or for this mailbox (RFC 1870, RFC 3463). A 552
     * alone says as well that a disk or a mailbox is full. */
    {MAIL | MESSAGE, 500, CODE_MOST, "3.4", NULL, TOO_LARGE},
    {MESSAGE, 500, CODE_MOST, "2.3", NULL, TOO_LARGE},
    {MAIL | MESSAGE, 552, 552, bare, about_size, TOO_LARGE},
    /* The sender is the gateway's own address: refusing it is about the gateway. */
    {MAIL, 400, CODE_MOST, NULL, NULL, DOWN},
    /* A number that is good for recipients, and words that are not: many servers say at RCPT TO
     * what they have against the sender. */
    {MESSAGE, 400, CODE_MOST, NULL, about_sender, AGAINST_US},
    /* Nobody is there, or the address is none (RFC 3463 sections 3.2 and 3.3, RFC 7505): true of
     * this recipient, and whatever is not in this list is not final. */
    {MESSAGE, 500, CODE_MOST, "1.1", NULL, NOT_THERE},
    {MESSAGE, 500, CODE_MOST, "1.2", NULL, NOT_THERE},
    {MESSAGE, 500, CODE_MOST, "1.3", NULL, NOT_THERE},
    {MESSAGE, 500, CODE_MOST, "1.4", NULL, NOT_THERE},
    {MESSAGE, 500, CODE_MOST, "1.6", NULL, NOT_THERE},
    {MESSAGE, 500, CODE_MOST, "1.10", NULL, NOT_THERE},
    {MESSAGE, 500, CODE_MOST, "2.1", NULL, NOT_THERE},
    {RCPT, 550, 553, bare, nobody_there, NOT_THERE},
    {RCPT, 550, 554, "0.0", nobody_there, NOT_THERE},
    {RCPT, 550, 554, "1.0", nobody_there, NOT_THERE},
    /* The server does not follow the dialogue: commands unknown or out of order. */
    {COMMAND, 500, 500, NULL, NULL, DOWN},
    {COMMAND, 502, 504, NULL, NULL, DOWN},
    /* The mailbox is full, or slow, or waits for us to come back. */
    {MESSAGE, 400, CODE_MOST, "2.", NULL, LATER},
    {MESSAGE, 400, 499, "1.", NULL, LATER},
    {MESSAGE, 400, 499, "4.", NULL, LATER},
    {MESSAGE, 400, 499, bare, NULL, LATER},
    /* What the server has against the client, the name, the login, the rate, relaying or the text,
     * or that it has no room: whatever its first digit, nobody is the worse for it but us. */
    {MESSAGE, 400, CODE_MOST, NULL, NULL, AGAINST_US},
    {IN(PHASE_DOT), 200, 299, NULL, NULL, SENT},
    /* 3xx where it makes no sense, or a number that is no reply code. */
    {IN(PHASE_DOT), 0, 0x7fffffff, NULL, NULL, AMBIGUOUS},
    {ANY, 0, 0x7fffffff, NULL, NULL, DOWN},
};

const char *courier_phase_name(enum courier_phase phase)
{
	static const char *const names[PHASES] = {
	    [PHASE_CONNECT] = "connecting",
	    [PHASE_GREETING] = "the greeting",
	    [PHASE_EHLO] = "EHLO",
	    [PHASE_STARTTLS] = "STARTTLS",
	    [PHASE_AUTH] = "AUTH",
	    [PHASE_MAIL] = "MAIL FROM",
	    [PHASE_RCPT] = "RCPT TO",
	    [PHASE_DATA] = "DATA",
	    [PHASE_BODY] = "the message",
	    [PHASE_DOT] = "the final dot",
	};
	return names[phase];
}

/* Subject and detail of the enhanced status code at the front: `bare` without one, and an empty
 * view for one that contradicts the code. */
static bool enhanced_detail(int code, struct view text, struct view *detail)
{
	struct view status;
	*detail = (struct view){"", 0};
	if (!view_next_field(&text, ' ', &status) || status.len < sizeof "2.0.0" - 1 ||
	    status.data[0] < '0' || status.data[0] > '9' || status.data[1] != '.')
		return false;
	if (status.data[0] == (char)('0' + code / 100))
		*detail = view_part(status, 2, status.len);
	return true;
}

static bool fits_detail(const char *wanted, bool has, struct view detail)
{
	if (wanted == NULL)
		return true;
	if (wanted == bare)
		return !has;
	return wanted[strlen(wanted) - 1] == '.' ? view_starts_nocase(detail, wanted)
						 : view_is(detail, wanted);
}

static bool fits_words(const char *const *words, struct view text)
{
	if (words == NULL)
		return true;
	for (; *words != NULL; words++) {
		if (view_has_nocase(text, *words))
			return true;
	}
	return false;
}

struct courier_verdict classify(enum courier_phase phase, int code, struct view text)
{
	struct view detail;
	if (code < CODE_NONE)
		code = CODE_NONE;
	const bool has = enhanced_detail(code, text, &detail);
	const struct rule *rule = rules;
	while ((rule->phases & IN(phase)) == 0 || code < rule->least || code > rule->most ||
	       !fits_detail(rule->enhanced, has, detail) || !fits_words(rule->words, text))
		rule++;
	return rule->verdict;
}
