/* The courier: a worker that hands messages to the smarthost over SMTP (RFC 5321), or empties an
 * IMAP mailbox into the drop (RFC 3501).
 *
 * It holds one connection, opened when first needed and kept for the next request until it idles
 * out. TLS is GnuTLS over our own libetpan stream: chain and host name verified, TLS 1.2 or newer,
 * a deadline over every dialogue step. It sees ciphertext only.
 *
 * A request is a run of deliveries of one sealed batch: the mail's head, the shared data packet and
 * its tail once, and for each delivery a PKESK and an envelope. The mail of delivery i is
 *     head + base64 armor of (pkesk[i] + data) + tail
 * put together while it is sent (RFC 9580 section 6.2, with the CRC-24). A notice to somebody whose
 * key has expired (mail/notice.h) is head + data + tail, for one recipient. The result of every delivery
 * goes back as a part of the answer as soon as it is known, in order of sending.
 *
 * A probe opens a connection only to see whether mail would be taken: TCP, TLS, AUTH, MAIL FROM, RCPT
 * TO for each of its recipients, RSET, and no mail. Each of its steps has a result as a part of the
 * answer, of which the id is a number of enum courier_step: COURIER_SENT with words on what was found,
 * otherwise with what is wrong. The first that is wrong before RCPT TO ends it.
 *
 * A request to watch the mailbox has an empty body and no end of its own: what lies there is taken,
 * what comes is waited for, and each event goes back as a part. The last part says why it ended. A
 * message is on our disk before the server is told to remove it. */
#ifndef DEWLINE_COURIER_COURIER_H
#define DEWLINE_COURIER_COURIER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

enum {
	COURIER_REQUEST_SEND = 1,
	COURIER_REQUEST_WATCH = 2,
	COURIER_REQUEST_PROBE = 3,
	COURIER_RUN_MAX = 64,       /* deliveries in one request */
	COURIER_PROBE_MAX = 4,      /* recipients of a probe */
	COURIER_ADDRESS_SIZE = 256, /* RFC 5321 section 4.5.3.1.3, with NUL */
	COURIER_TEXT_SIZE = 256,
	/* One step of the dialogue, RFC 5321 section 4.5.3.2, in seconds. */
	COURIER_STEP_S = 300,
	COURIER_FINAL_DOT_S = 600,
	/* A probe waits no longer than this to connect to each address of the smarthost, and then
	 * for greeting, TLS and AUTH together, in seconds. */
	COURIER_PROBE_CONNECT_S = 10,
	COURIER_PROBE_OPENING_S = 30,
	/* Bytes a second of a message that the smarthost must at least take. */
	COURIER_LEAST_RATE = 16 * 1024,
};

/* How a delivery attempt ended. */
enum courier_outcome {
	COURIER_SENT,      /* 2xx after the final dot: the smarthost answers for it now */
	COURIER_DEFERRED,  /* 4xx, or the connection failed before the final dot: try again later */
	COURIER_FAILED,    /* this recipient is not there, or this message is too large: final */
	COURIER_AMBIGUOUS, /* the connection broke after the final dot: may have been sent, try again */
};

/* What the smarthost's last word was about. */
enum courier_about {
	COURIER_ABOUT_RECIPIENT,
	COURIER_ABOUT_MESSAGE, /* its size */
	COURIER_ABOUT_GATEWAY, /* or the smarthost itself: no fault of any recipient */
};

struct courier_delivery {
	int64_t id;
	char sender[COURIER_ADDRESS_SIZE];    /* return path, without angle brackets; "": none (<>) */
	char recipient[COURIER_ADDRESS_SIZE]; /* without angle brackets */
	struct view pkesk;                    /* binary packet; empty for a notice */
};

struct courier_run {
	bool clear;       /* a notice: data is the signed body as it travels, and there is no PKESK */
	struct view head; /* all before the armor's first line, CRLF, ends with CRLF */
	struct view data; /* binary packet shared by the batch */
	struct view tail; /* all behind the armor's last line */
	size_t count;     /* 1 to COURIER_RUN_MAX */
	struct courier_delivery deliveries[COURIER_RUN_MAX];
};

struct courier_result {
	int64_t id;
	enum courier_outcome outcome;
	enum courier_about about;
	int32_t code;        /* SMTP reply code; 0: none, or none to this one */
	bool smarthost_down; /* nothing else can be sent now; then `about` is the gateway */
	char text[COURIER_TEXT_SIZE]; /* one line for the log and for people */
};

/* Gate side: the body of a request; and reading one result from a part of the answer. The last part
 * (POOL_ANSWER) has an empty body. Reading returns false for a malformed body. */
void courier_put_run(struct buf *body, const struct courier_run *run);
bool courier_take_result(struct view body, struct courier_result *result);

enum courier_step { COURIER_STEP_CONNECTION, COURIER_STEP_SENDER, COURIER_STEP_RECIPIENT };

struct courier_probe {
	char sender[COURIER_ADDRESS_SIZE];
	size_t count; /* 0 to COURIER_PROBE_MAX */
	char recipients[COURIER_PROBE_MAX][COURIER_ADDRESS_SIZE];
};
void courier_put_probe(struct buf *body, const struct courier_probe *probe);

/* The deadline for a step of a probe, in milliseconds. */
int64_t courier_probe_deadline_ms(void);

/* The deadline for a run: the longest time between two parts of the answer when the smarthost
 * uses up every deadline of the dialogue. Milliseconds. */
int64_t courier_deadline_ms(const struct courier_run *run);

enum courier_watch_what {
	COURIER_WATCH_REACHED, /* the mailbox is open; text: how new mail will be noticed */
	COURIER_WATCH_TAKEN,   /* one message is in drop/new; text: its file name there */
	COURIER_WATCH_LEFT,    /* one message stays in the mailbox; text: why. In every round */
	COURIER_WATCH_ROUND,   /* all was looked at, at least every idle or poll; size: messages left */
	COURIER_WATCH_ENDED,   /* the last part; text: why */
	COURIER_WATCH_REFUSED, /* the last part, too: the server refuses user or password */
};

struct courier_watch {
	enum courier_watch_what what;
	uint32_t validity; /* UIDVALIDITY */
	uint32_t uid;      /* of TAKEN and LEFT */
	int64_t size;      /* bytes; of REACHED and ROUND a count */
	char text[COURIER_TEXT_SIZE];
};

/* Gate side: reading one part. False for a malformed one. */
bool courier_take_watch(struct view body, struct courier_watch *watch);
/* The longest time between two parts. Milliseconds. */
int64_t courier_watch_deadline_ms(const struct config *config);

/* Enters the courier's sandbox: the network, and of files what the resolver and TLS need. The process
 * that starts couriers may besides fork. */
int courier_confine(const struct config *config, struct err *err);
int courier_confine_starter(const void *settings, struct err *err);

/* Worker side (worker_main_fn): settings is the whole `const struct config *`. */
int courier_main(const void *settings, int fd);

#endif
