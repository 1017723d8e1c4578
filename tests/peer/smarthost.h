/* A small, fast SMTP server for tests, the demo and benches: `smarthost --help` is its manual.
 *
 * One process, one epoll loop. smarthost.c reads options and runs the loop, a session is one
 * connection (bytes, TLS and timing in smarthost_session.c, the commands in smarthost_smtp.c), the
 * script says where to misbehave, the spool keeps what was accepted. */
#ifndef DEWLINE_PEER_SMARTHOST_H
#define DEWLINE_PEER_SMARTHOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <gnutls/gnutls.h>

#include "base/buf.h"
#include "base/text.h"

enum { ADDRESS_SIZE = TEXT_ADDRESS_MAX + 2, RECIPIENTS_MAX = 1000, REPLY_SIZE = 512 };

/* Where a script may step in. STEP_TLS: the handshake behind STARTTLS. STEP_AUTH: the command, and each
 * answer to a prompt. STEP_BODY: the first bytes of a message have come. */
enum step {
	STEP_CONNECT,
	STEP_EHLO,
	STEP_STARTTLS,
	STEP_TLS,
	STEP_AUTH,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_BODY,
	STEP_DOT,
	STEPS,
};

enum action {
	ACTION_NONE, /* go on as ever */
	ACTION_PASS, /* the same, by a rule that is used up */
	ACTION_REPLY, /* say `reply` instead */
	ACTION_DROP, /* close without a word */
	ACTION_DROP_AFTER_STORE, /* keep the message, then close without a word */
	ACTION_STALL, /* go on, but `number` seconds later */
	ACTION_SLOW, /* from here on send `number` bytes a second */
	ACTION_SAY, /* go on, with the bytes of `reply` in place of the reply */
	ACTION_CUT, /* the same, then close */
	ACTION_LONG, /* the same with `reply` and `number` letters behind it in one line */
	ACTIONS,
};

struct rule_action {
	enum action action;
	int64_t number;
	char reply[REPLY_SIZE];
	size_t reply_len;
};

struct script;
/* NULL path: a script without rules. Exits with a message when the file is wrong. */
struct script *script_new(const char *path);
void script_free(struct script *script);
/* The first rule for this step and recipient ("" before one is known) that is not used up; reads
 * the file again when it has changed. */
struct rule_action script_ask(struct script *script, enum step step, const char *recipient);

struct spool;
/* NULL directory: messages are counted and thrown away. */
struct spool *spool_new(const char *directory);
void spool_free(struct spool *spool);
bool spool_keeps(const struct spool *spool);
unsigned long spool_count(const struct spool *spool);
/* `message` as it came, dots still doubled. False when it could not be written. */
bool spool_add(struct spool *spool, const char *sender, char (*recipients)[ADDRESS_SIZE],
    size_t recipient_count, struct view message);

enum tls_mode { TLS_NONE, TLS_STARTTLS, TLS_TLS };

struct server {
	enum tls_mode tls;
	const char *auth; /* "user:password" or NULL */
	const char *mechanisms; /* "PLAIN LOGIN" */
	bool no_pipelining; /* do not offer it */
	const char *priority; /* GnuTLS priority string */
	int64_t size; /* most bytes of a message, 0: any */
	gnutls_certificate_credentials_t credentials;
	struct script *script;
	struct spool *spool;
	FILE *log; /* commands as they came, or NULL */
	int epoll;
};

enum state { STATE_COMMAND, STATE_AUTH_PLAIN, STATE_AUTH_USER, STATE_AUTH_PASSWORD, STATE_DATA };

struct session {
	struct server *server;
	struct session *next;
	struct session *previous;
	int fd;
	uint32_t events; /* what epoll watches for */

	gnutls_session_t tls;
	bool handshaking;
	bool start_tls; /* as soon as the reply has left */

	struct buf in;
	struct buf out;
	size_t out_from;
	int64_t resume_at; /* clock_monotonic_ms until which nothing moves, 0: none */
	int64_t drip; /* bytes a second, 0: as fast as it goes */
	bool closing; /* once everything has left */
	bool dead; /* at once */

	struct rule_action instead; /* of the reply to this step: ACTION_SAY, _CUT, _LONG */
	size_t instead_from; /* where in `out` that reply begins */

	enum state state;
	bool greeted;
	bool trusted; /* AUTH went well */
	char user[ADDRESS_SIZE];
	bool has_sender;
	char sender[ADDRESS_SIZE];
	char (*recipients)[ADDRESS_SIZE];
	size_t recipient_count;
	size_t scanned; /* bytes of `in` that do not begin the end of the message */
	uint64_t dropped; /* bytes of the message thrown away already */
	bool body_asked; /* the script was asked about STEP_BODY */
};

struct session *session_new(struct server *server, int fd);
void session_free(struct session *session);
/* Does what can be done now. False when the session is over and must be freed. */
bool session_run(struct session *session);
/* Sends what there is to say, as far as it goes now. */
void session_write(struct session *session);
/* When it wants to run again by itself (clock_monotonic_ms), 0: only on events. */
int64_t session_wakes(const struct session *session);

/* The SMTP side: what to say first, and what to do with the input that is there. smtp_may_shake_hands
 * asks the script about the handshake. */
void smtp_greet(struct session *session);
bool smtp_may_shake_hands(struct session *session);
void smtp_input(struct session *session);

#endif
