/* Speaking IMAP (RFC 3501): commands and their responses over one connection.
 *
 * Everything that a server can do at any time is dealt with here: EXISTS and EXPUNGE are counted,
 * BYE ends the connection with its words. Every step has a deadline and a bound on what the server
 * may say in it. After any failure the link is of no use but for imap_link_free. */
#ifndef DEWLINE_COURIER_IMAP_LINK_H
#define DEWLINE_COURIER_IMAP_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "courier/courier.h"
#include "courier/imap_response.h"
#include "courier/tls.h"

/* In milliseconds but the last. */
struct imap_limits {
	int64_t connect; /* for each address of the server */
	int64_t step; /* one command and its responses */
	size_t least_rate; /* bytes a second: a message may take its size by this, and a step */
};

extern const struct imap_limits imap_limits_default;

struct imap_link;

/* Opens TCP and nothing else. `limits` must outlive it. */
int imap_link_open(const char *host, uint16_t port, const struct imap_limits *limits,
    struct imap_link **out, struct err *err);
/* Says LOGOUT when `polite`, and waits for nothing. NULL is harmless. */
void imap_link_free(struct imap_link *link, bool polite);

/* From now on all is encrypted, the server's certificate verified for `host`. Whatever came in the
 * clear and was not yet read is a failure: it would be taken for something said inside TLS. All
 * that the server said before is forgotten. */
int imap_link_start_tls(
    struct imap_link *link, const struct tls_trust *trust, const char *host, struct err *err);

/* Reads one response, for the greeting; the next call ends what it points to. */
int imap_link_read(struct imap_link *link, struct imap_response *response, struct err *err);

/* Called for each untagged response of a command. -1 ends the command, and the link with it. */
typedef int imap_take_fn(void *context, const struct imap_response *response, struct err *err);

struct imap_command {
	const char *what; /* for people: "SELECT" */
	struct view words; /* without tag and line end */
	struct view
	    more; /* sent when the server asks for it ("+"), without line end; may be empty */
	uint64_t literals; /* bytes of literals that the answer may hold, beside all else */
	imap_take_fn *take; /* may be NULL */
	void *context;
};

struct imap_result {
	enum imap_kind kind; /* IMAP_OK, IMAP_NO or IMAP_BAD */
	char code[COURIER_TEXT_SIZE]; /* "" when there was none */
	char text[COURIER_TEXT_SIZE]; /* for people, shown safely */
};

/* Runs a command to its end. 0: *result says how it ended. -1: the connection cannot be used. */
int imap_run(struct imap_link *link, const struct imap_command *command, struct imap_result *result,
    struct err *err);
/* The same, where everything but OK is an error that holds the server's words (ERR_PEER). */
int imap_run_well(struct imap_link *link, const struct imap_command *command, struct err *err);

/* Waits with IDLE (RFC 2177) until a message came in, `until` (clock_monotonic_ms) has come, or
 * `other`, a descriptor of somebody else, is readable: true in *called. *supported: the server went
 * along with it. */
int imap_idle(struct imap_link *link, int other, int64_t until, bool *supported, bool *called,
    struct err *err);

/* The last CAPABILITY that came, in words; empty when none has. */
struct view imap_capabilities(const struct imap_link *link);

/* Messages in the selected mailbox, as the server counts them; and whether the count has risen
 * since imap_forget_news. */
uint32_t imap_exists(const struct imap_link *link);
bool imap_has_news(const struct imap_link *link);
void imap_forget_news(struct imap_link *link);

/* A place among the messages, counted from 1, that moves with what is expunged before it. */
void imap_set_place(struct imap_link *link, uint32_t place);
uint32_t imap_place(const struct imap_link *link);

#endif
