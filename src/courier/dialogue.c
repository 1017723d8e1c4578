#include "config.h"

#include "base/clock.h"
#include "base/text.h"
#include "courier/dialogue.h"

enum {
	CODE_REFUSES = 400,
	CODE_CLOSING = 421,
	CODE_FOR_GOOD = 500,
	CODE_TOO_LARGE = 552,
	SECOND_MS = 1000,
	PROBE_SIZE = 10000, /* bytes of the mail that a probe pretends to have */
};

static bool is_good(int code)
{
	return code / 100 == 2;
}

static int write_all(mailstream *mail, const char *data, size_t len)
{
	return mailstream_write(mail, data, len) == (ssize_t)len && mailstream_flush(mail) == 0
		   ? 0
		   : -1;
}

static void add_mail(
    struct connection *connection, const char *sender, size_t size, struct buf *out)
{
	const int can = connection_session(connection)->esmtp;
	/* On failure the headers come back, never the message. */
	buf_printf(
	    out, "MAIL FROM:<%s>%s", sender, (can & MAILSMTP_ESMTP_DSN) != 0 ? " RET=HDRS" : "");
	if ((can & MAILSMTP_ESMTP_SIZE) != 0)
		buf_printf(out, " SIZE=%zu", size);
	buf_add_text(out, "\r\n");
}

static void add_rcpt(struct connection *connection, const char *recipient, struct buf *out)
{
	const int can = connection_session(connection)->esmtp;
	buf_printf(out, "RCPT TO:<%s>%s\r\n", recipient,
	    (can & MAILSMTP_ESMTP_DSN) != 0 ? " NOTIFY=FAILURE,DELAY" : "");
}

/* Says a command, or several, as one step. */
static void say(struct connection *connection, struct buf *commands)
{
	connection_begin_step(connection, connection_limits_of(connection)->step);
	connection_say(connection, buf_view(commands));
	buf_clear(commands);
}

/* Whatever the server says before the message has ended is no answer to it: a "250" that came early
 * would be taken for its acceptance. It is one only when it refuses; and what is said next might
 * still be read as a part of the message. */
static void read_early(struct connection *connection, struct courier_reply *reply)
{
	const int code = connection_read_reply(connection, PHASE_BODY, reply);
	if (code != 0 && code < CODE_REFUSES)
		reply_set_reason(reply, PHASE_BODY, "the server answered before the message's end");
	connection_close(connection, false);
}

/* The message goes out at once and not through mailsmtp_data_message, which takes it apart line by
 * line and adds an empty one. Whether a byte of the final dot has left decides what a broken
 * connection means. */
static void say_message(struct connection *connection, const struct courier_message *message,
    struct courier_reply *reply)
{
	const struct connection_limits *limits = connection_limits_of(connection);
	struct stream *stream = connection_stream(connection);
	mailstream *mail = connection_session(connection)->stream;
	const int64_t sending_ms =
	    limits->step + (int64_t)(message->bytes.len / limits->least_rate) * SECOND_MS;
	connection_begin_step(connection, sending_ms);
	int result = connection_is_spoken_to(connection)
			 ? -1
			 : write_all(mail, buf_text(&message->bytes), message->bytes.len);
	if (result != 0 || connection_is_spoken_to(connection)) {
		read_early(connection, reply);
		return;
	}
	const uint64_t before_dot = stream_accepted(stream);
	if (write_all(mail, ".\r\n", sizeof ".\r\n" - 1) == 0 && stream_push(stream) == 0)
		connection_begin_step(connection, limits->final_dot);
	connection_read_reply(connection, PHASE_DOT, reply);
	if (stream_sent(stream) <= before_dot)
		reply->phase = PHASE_BODY;
}

/* MAIL, RCPT and DATA in one packet, then their three replies: on a long way to the smarthost a
 * message takes two round trips and not four. The first reply that is not good decides. */
static int say_envelope(struct connection *connection, const struct courier_delivery *delivery,
    size_t size, struct courier_reply *reply)
{
	struct buf group = BUF_EMPTY(BUF_SMALL);
	struct courier_reply rcpt;
	struct courier_reply data;
	add_mail(connection, delivery->sender, size, &group);
	add_rcpt(connection, delivery->recipient, &group);
	buf_add_text(&group, "DATA\r\n");
	say(connection, &group);
	buf_release(&group);
	const bool mail_good = is_good(connection_read_reply(connection, PHASE_MAIL, reply));
	if (reply->code == 0 || reply->code == CODE_CLOSING)
		return -1;
	const bool rcpt_good = is_good(connection_read_reply(connection, PHASE_RCPT, &rcpt));
	const bool data_good = connection_read_reply(connection, PHASE_DATA, &data) / 100 == 3;
	if (mail_good && rcpt_good && data_good)
		return 0;
	if (mail_good)
		*reply = rcpt_good ? data : rcpt;
	/* A server that waits for a message all the same must not get one. */
	if (data_good)
		connection_close(connection, false);
	return -1;
}

/* One command at a time. 0 when the dialogue goes on, -1 when `reply` ends it. */
static int say_envelope_slowly(struct connection *connection,
    const struct courier_delivery *delivery, size_t size, struct courier_reply *reply)
{
	struct buf line = BUF_EMPTY(BUF_SMALL);
	int result = -1;
	add_mail(connection, delivery->sender, size, &line);
	say(connection, &line);
	if (!is_good(connection_read_reply(connection, PHASE_MAIL, reply)))
		goto done;
	add_rcpt(connection, delivery->recipient, &line);
	say(connection, &line);
	if (!is_good(connection_read_reply(connection, PHASE_RCPT, reply)))
		goto done;
	buf_add_text(&line, "DATA\r\n");
	say(connection, &line);
	result = connection_read_reply(connection, PHASE_DATA, reply) / 100 == 3 ? 0 : -1;
done:
	buf_release(&line);
	return result;
}

static void transact(struct connection *connection, const struct courier_delivery *delivery,
    const struct courier_message *message, struct courier_reply *reply)
{
	const int result = connection_can_pipeline(connection)
			       ? say_envelope(connection, delivery, message->size, reply)
			       : say_envelope_slowly(connection, delivery, message->size, reply);
	if (result == 0)
		say_message(connection, message, reply);
}

static void set_result(struct courier_result *result, struct courier_verdict verdict,
    const struct courier_reply *reply)
{
	result->outcome = verdict.outcome;
	result->about = verdict.about;
	result->smarthost_down = verdict.smarthost_down;
	result->code = reply->code;
	if (verdict.outcome == COURIER_SENT)
		courier_print(result->text, "%d %s", reply->code, reply->text);
	else if (reply->code != 0)
		courier_print(result->text, "%s: %d %s", courier_phase_name(reply->phase),
		    reply->code, reply->text);
	else
		courier_print(
		    result->text, "%s: %s", courier_phase_name(reply->phase), reply->text);
}

void dialogue_judge(const struct courier_reply *reply, struct courier_result *result)
{
	const struct view text = reply->code == 0 ? VIEW("") : view_of(reply->text);
	set_result(result, classify(reply->phase, reply->code, text), reply);
}

/* After a message that was not taken the server forgets it; without that the next one is unsafe. */
static void clear_transaction(struct connection *connection)
{
	struct courier_reply reply;
	struct buf line = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&line, "RSET\r\n");
	say(connection, &line);
	buf_release(&line);
	if (!is_good(connection_read_reply(connection, PHASE_MAIL, &reply)))
		connection_close(connection, false);
}

static bool refuse(struct courier_result *result, struct courier_verdict verdict, const char *what,
    const char *address, const char *why)
{
	result->outcome = verdict.outcome;
	result->about = verdict.about;
	result->smarthost_down = verdict.smarthost_down;
	result->code = 0;
	courier_print(result->text, "%s %.100s is not accepted: %s", what, address, why);
	return false;
}

/* libetpan writes addresses into commands as they are: what could be another command ends here. */
static bool envelope_is_good(const struct courier_delivery *delivery, struct courier_result *result)
{
	static const struct courier_verdict not_there = {
	    COURIER_FAILED, COURIER_ABOUT_RECIPIENT, false};
	static const struct courier_verdict ours = {COURIER_DEFERRED, COURIER_ABOUT_GATEWAY, false};
	const char *why = "";
	if (!text_is_address(view_of(delivery->recipient), &why))
		return refuse(result, not_there, "recipient", delivery->recipient, why);
	if (delivery->sender[0] != '\0' && !text_is_address(view_of(delivery->sender), &why))
		return refuse(result, ours, "sender", delivery->sender, why);
	return true;
}

static bool size_is_good(const struct connection *connection, const struct courier_message *message,
    struct courier_result *result)
{
	const uint64_t most = connection_max_size(connection);
	if (most == 0 || message->size <= most)
		return true;
	result->outcome = COURIER_FAILED;
	result->about = COURIER_ABOUT_MESSAGE;
	result->smarthost_down = false;
	result->code = CODE_TOO_LARGE;
	courier_print(result->text, "the message has %zu bytes, the mail server takes at most %llu",
	    message->size, (unsigned long long)most);
	return false;
}

/* The server's leave, taken where nothing of this message has been said but MAIL FROM. */
static bool is_parting(const struct courier_reply *reply)
{
	return reply->phase == PHASE_MAIL && (reply->code == 0 || reply->code == CODE_CLOSING);
}

static void finish(struct connection *connection, const struct courier_result *result)
{
	if (!connection_is_open(connection))
		return;
	if (result->smarthost_down)
		connection_close(connection, result->code != 0);
	else if (result->outcome != COURIER_SENT)
		clear_transaction(connection);
}

void dialogue_send(struct connection *connection, const struct courier_delivery *delivery,
    const struct courier_message *message, struct courier_result *result)
{
	struct courier_reply reply = {.code = 0};
	result->id = delivery->id;
	if (!envelope_is_good(delivery, result))
		return;
	bool used_before = connection_is_open(connection);
	if (connection_open(connection, &reply) != 0) {
		dialogue_judge(&reply, result);
		return;
	}
	if (!size_is_good(connection, message, result))
		return;
	transact(connection, delivery, message, &reply);
	if (used_before && is_parting(&reply)) {
		connection_close(connection, false);
		if (connection_open(connection, &reply) == 0)
			transact(connection, delivery, message, &reply);
	}
	dialogue_judge(&reply, result);
	finish(connection, result);
}

/* The words of the server, whatever they are about: nothing here decides on a delivery. */
static bool set_step(struct courier_result *result, enum courier_step step, const char *verb,
    const char *address, const struct courier_reply *reply)
{
	*result = (struct courier_result){.id = step,
	    .outcome = is_good(reply->code)		? COURIER_SENT
		       : reply->code >= CODE_FOR_GOOD ? COURIER_FAILED
						      : COURIER_DEFERRED,
	    .about = COURIER_ABOUT_GATEWAY,
	    .code = reply->code};
	if (reply->code != 0)
		courier_print(
		    result->text, "%s:<%s>: %d %s", verb, address, reply->code, reply->text);
	else
		courier_print(result->text, "%s:<%s>: %s", verb, address, reply->text);
	return reply->code != 0 && reply->code != CODE_CLOSING;
}

bool dialogue_probe(struct connection *connection, enum courier_step step, const char *address,
    struct courier_result *result)
{
	const bool sender = step == COURIER_STEP_SENDER;
	const char *verb = sender ? "MAIL FROM" : "RCPT TO";
	struct courier_reply reply = {.code = 0};
	struct buf line = BUF_EMPTY(BUF_SMALL);
	const char *why = "";
	bool goes_on = false;
	if (!text_is_address(view_of(address), &why)) {
		reply_set_reason(&reply, sender ? PHASE_MAIL : PHASE_RCPT, why);
	} else {
		if (sender)
			add_mail(connection, address, PROBE_SIZE, &line);
		else
			add_rcpt(connection, address, &line);
		say(connection, &line);
		connection_read_reply(connection, sender ? PHASE_MAIL : PHASE_RCPT, &reply);
	}
	goes_on = set_step(result, step, verb, address, &reply);
	buf_release(&line);
	return goes_on && (!sender || is_good(reply.code));
}

void dialogue_end_probe(struct connection *connection)
{
	if (connection_is_open(connection))
		clear_transaction(connection);
}
