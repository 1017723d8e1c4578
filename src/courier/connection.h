/* The one connection to the smarthost: opened as configured, or not at all.
 *
 * Opening means TCP, greeting, EHLO and, as the configuration says, TLS and AUTH. Nothing is
 * negotiated away: STARTTLS that was configured and is not offered, a certificate that does not
 * verify, AUTH without TLS each end the attempt. */
#ifndef DEWLINE_COURIER_CONNECTION_H
#define DEWLINE_COURIER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libetpan/mailsmtp.h>

#include "base/buf.h"
#include "config/config.h"
#include "courier/reply.h"
#include "courier/stream.h"

/* All in milliseconds but the last. */
struct connection_limits {
	int64_t connect; /* for each address of the smarthost */
	int64_t opening; /* greeting, EHLO, TLS and AUTH together */
	int64_t step; /* one command and its reply */
	int64_t final_dot; /* waiting for the reply to the final dot */
	int64_t idle; /* how long an unused connection is kept */
	size_t least_rate; /* bytes a second; sending a message may take its size by this, and a
			      step */
};

/* What RFC 5321 section 4.5.3.2 asks for. */
extern const struct connection_limits connection_limits_default;

struct connection;

/* config and limits must outlive it. Reads the password and the trusted CAs at once, as the process
 * may lose access to files later; what cannot be read is tried again with every connection_open. */
struct connection *connection_new(
    const struct config *config, const struct connection_limits *limits);
/* Closes politely. NULL is harmless. */
void connection_free(struct connection *connection);

/* Opens unless it is open and still alive. -1: `reply` says where and why it failed. */
int connection_open(struct connection *connection, struct courier_reply *reply);
bool connection_is_open(const struct connection *connection);
/* With QUIT when `polite`; harmless when it is not open. */
void connection_close(struct connection *connection, bool polite);

/* Opens anew with other limits, only to see whether it can be. 0: it is open, and `reply` has words on
 * what was found: "TLS1.3, certificate valid until 2026-11-25, logged in as dewline, messages of up to
 * 36700160 bytes, its clock agrees with this one". -1: as connection_open. Ends in both cases with connection_end_probe, which closes
 * it and goes back to the usual limits. */
int connection_probe(struct connection *connection, const struct connection_limits *limits,
    struct courier_reply *reply);
void connection_end_probe(struct connection *connection);

/* Largest message that the server takes (RFC 1870), 0 when it did not say. */
uint64_t connection_max_size(const struct connection *connection);

/* True when commands may be sent in groups, before their replies are read (RFC 2920). */
bool connection_can_pipeline(const struct connection *connection);

/* For the dialogue, while it is open. begin_step starts a deadline of so many milliseconds and
 * forgets the last reply code. */
mailsmtp *connection_session(struct connection *connection);
struct stream *connection_stream(struct connection *connection);
const struct connection_limits *connection_limits_of(const struct connection *connection);
void connection_begin_step(struct connection *connection, int64_t ms);

/* Says a command, or a group of them, as a part of the step that was begun. What cannot be written
 * shows when the reply is read, and so does a server that has spoken before it was asked: what it said
 * is no answer to any of these. */
void connection_say(struct connection *connection, struct view commands);

/* True when the server has said something that was not read yet, or the connection broke. */
bool connection_is_spoken_to(struct connection *connection);

/* Reads one reply (RFC 5321 section 4.2.1). Returns its code, 0 when there was none; what is no reply,
 * or has lines of different codes, has a code that is none either. */
int connection_read_reply(
    struct connection *connection, enum courier_phase phase, struct courier_reply *reply);

#endif
