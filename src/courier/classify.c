#include "config.h"

#include <string.h>

#include "courier/classify.h"

enum { CODE_NONE = 0, CODE_LEAST = 200, CODE_MOST = 599 };

#define IN(phase) (1U << (phase))
#define OPENING                                                                                    \
	(IN(PHASE_CONNECT) | IN(PHASE_GREETING) | IN(PHASE_EHLO) | IN(PHASE_STARTTLS) |            \
	    IN(PHASE_AUTH))
#define MESSAGE (IN(PHASE_RCPT) | IN(PHASE_DATA) | IN(PHASE_BODY) | IN(PHASE_DOT))
#define COMMAND (IN(PHASE_RCPT) | IN(PHASE_DATA))
#define ANY (OPENING | IN(PHASE_MAIL) | MESSAGE)

struct rule {
	unsigned phases;
	int least;
	int most;
	const char *enhanced; /* subject and detail behind the class, "7.8"; NULL: any or none */
	struct courier_verdict verdict;
};

#define SENT                                                                                       \
	{                                                                                          \
		COURIER_SENT, false                                                                \
	}
#define FAILED                                                                                     \
	{                                                                                          \
		COURIER_FAILED, false                                                              \
	}
#define DEFERRED                                                                                   \
	{                                                                                          \
		COURIER_DEFERRED, false                                                            \
	}
#define DOWN                                                                                       \
	{                                                                                          \
		COURIER_DEFERRED, true                                                             \
	}
#define AMBIGUOUS                                                                                  \
	{                                                                                          \
		COURIER_AMBIGUOUS, true                                                            \
	}

/* The first rule that fits decides; the last one fits everything. */
static const struct rule rules[] = {
    /* The server takes its leave (RFC 5321 section 3.8); it has not taken the message. */
    {ANY, 421, 421, NULL, DOWN},
    /* Nobody can tell whether the server had accepted before the connection broke. */
    {IN(PHASE_DOT), CODE_NONE, CODE_NONE, NULL, AMBIGUOUS},
    {ANY, CODE_NONE, CODE_NONE, NULL, DOWN},
    /* Nothing that is said before MAIL FROM is about a recipient. */
    {OPENING, CODE_LEAST, CODE_MOST, NULL, DOWN},
    /* Authentication or TLS asked for, whenever the server thinks of it (RFC 4954, RFC 3207). */
    {ANY, 530, 530, NULL, DOWN},
    {ANY, 534, 535, NULL, DOWN},
    {ANY, 538, 538, NULL, DOWN},
    {ANY, 400, CODE_MOST, "7.8", DOWN},
    {ANY, 400, CODE_MOST, "7.9", DOWN},
    /* The message is too large for this server: true for this message only (RFC 1870). */
    {IN(PHASE_MAIL), 552, 552, NULL, FAILED},
    {IN(PHASE_MAIL), 500, CODE_MOST, "3.4", FAILED},
    /* The sender is the gateway's own address: refusing it is about the gateway. */
    {IN(PHASE_MAIL), 400, CODE_MOST, NULL, DOWN},
    /* The server does not follow the dialogue: commands unknown or out of order. */
    {COMMAND, 500, 500, NULL, DOWN},
    {COMMAND, 502, 504, NULL, DOWN},
    {MESSAGE, 400, 499, NULL, DEFERRED},
    {MESSAGE, 500, CODE_MOST, NULL, FAILED},
    {IN(PHASE_DOT), 200, 299, NULL, SENT},
    /* 3xx where it makes no sense, or a number that is no reply code. */
    {IN(PHASE_DOT), 0, 0x7fffffff, NULL, AMBIGUOUS},
    {ANY, 0, 0x7fffffff, NULL, DOWN},
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

/* Subject and detail of an enhanced status code of the reply's own class, or an empty view. */
static struct view enhanced_detail(int code, struct view text)
{
	const struct view none = {"", 0};
	struct view status;
	if (!view_next_field(&text, ' ', &status) || status.len < sizeof "2.0.0" - 1)
		return none;
	if (status.data[0] != (char)('0' + code / 100) || status.data[1] != '.')
		return none;
	return view_part(status, 2, status.len);
}

struct courier_verdict classify(enum courier_phase phase, int code, struct view text)
{
	if (code < CODE_NONE)
		code = CODE_NONE;
	const struct view detail = enhanced_detail(code, text);
	const struct rule *rule = rules;
	while ((rule->phases & IN(phase)) == 0 || code < rule->least || code > rule->most ||
	       (rule->enhanced != NULL && !view_is(detail, rule->enhanced)))
		rule++;
	return rule->verdict;
}
