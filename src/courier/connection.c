#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libetpan/mailsmtp.h>

#include "base/clock.h"
#include "base/moment.h"
#include "base/text.h"
#include "config/secret.h"
#include "courier/connection.h"
#include "courier/greeting.h"
#include "courier/password.h"
#include "courier/tls.h"

enum {
	CONNECT_MS = 30 * 1000,
	IDLE_MS = 30 * 1000,
	LEAST_RATE = 16 * 1024,
	CODE_DIGITS = 3,
	NO_REPLY = 1, /* in place of a code: something was said, but no reply */
	CODE_MOST = 599,
	CODE_CLOSING = 421,
};

const struct connection_limits connection_limits_default = {
    .connect = CONNECT_MS,
    .opening = COURIER_STEP_S * 1000,
    .step = COURIER_STEP_S * 1000,
    .final_dot = COURIER_FINAL_DOT_S * 1000,
    .idle = IDLE_MS,
    .least_rate = COURIER_LEAST_RATE,
};

struct capabilities {
	bool starttls;
	bool auth_plain;
	bool auth_login;
	uint64_t max_size;
};

struct connection {
	const struct config *config;
	const struct connection_limits *limits;
	const struct connection_limits *usual; /* the same, but while it is probed */
	struct tls_trust *trust;
	struct buf password;
	char name[CONFIG_TEXT_SIZE]; /* ours, for EHLO */
	struct stream *stream; /* NULL: not open */
	mailsmtp *session;
	struct capabilities can;
	struct buf said; /* the text of the last reply that we read ourselves */
	bool unasked; /* the server had spoken before what was said last */
	bool greets_with_time;
	int64_t ahead; /* then: seconds that the server's clock is ahead of ours */
	int64_t used; /* clock_monotonic_ms of the last step */
};

static bool wants_tls(const struct connection *connection)
{
	return connection->config->smarthost.tls != CONFIG_TLS_NONE;
}

static int read_password(struct connection *connection, struct err *err)
{
	if (connection->config->smarthost.user[0] == '\0' || connection->password.len > 0)
		return 0;
	return secret_read(SECRET_SMARTHOST, connection->config->smarthost.password_file,
	    &connection->password, err);
}

/* What opening needs from files. */
static int prepare(struct connection *connection, struct err *err)
{
	if (read_password(connection, err) != 0)
		return -1;
	if (!wants_tls(connection) || connection->trust != NULL)
		return 0;
	return tls_trust_new(connection->config->smarthost.ca_file, &connection->trust, err);
}

/* A host name has a domain (RFC 5321 section 2.3.5), and servers refuse one that has none: the
 * machine's own often has not. */
static void choose_name(struct connection *connection)
{
	const struct config *config = connection->config;
	char *name = connection->name;
	const size_t size = sizeof connection->name;
	struct view domain = view_of(config->gateway.address);
	struct view local;
	if (view_copy(view_of(config->smarthost.helo), name, size) && name[0] != '\0')
		return;
	if (gethostname(name, size - 1) == 0 && strchr(name, '.') != NULL)
		return;
	view_next_field(&domain, '@', &local);
	if (!view_copy(domain, name, size) || name[0] == '\0')
		view_copy(VIEW("localhost"), name, size);
}

struct connection *connection_new(
    const struct config *config, const struct connection_limits *limits)
{
	struct connection *connection = calloc(1, sizeof *connection);
	struct err err;
	if (connection == NULL)
		abort();
	connection->config = config;
	connection->limits = limits;
	connection->password = SECRET_EMPTY;
	connection->said = BUF_EMPTY(STREAM_REPLY_MAX);
	choose_name(connection);
	if (prepare(connection, &err) != 0)
		log_error("%s", err.text);
	return connection;
}

void connection_free(struct connection *connection)
{
	if (connection == NULL)
		return;
	connection_close(connection, true);
	tls_trust_free(connection->trust);
	buf_release(&connection->password);
	buf_release(&connection->said);
	free(connection);
}

void connection_close(struct connection *connection, bool polite)
{
	mailsmtp *session = connection->session;
	if (connection->stream == NULL)
		return;
	if (polite && session->stream != NULL) {
		connection_begin_step(connection, 0);
		mailsmtp_quit(session);
	}
	if (session->stream != NULL)
		mailstream_close(session->stream);
	session->stream = NULL; /* mailsmtp_free would say QUIT */
	mailsmtp_free(session);
	stream_free(connection->stream);
	connection->session = NULL;
	connection->stream = NULL;
}

bool connection_is_open(const struct connection *connection)
{
	return connection->stream != NULL;
}

uint64_t connection_max_size(const struct connection *connection)
{
	return connection->can.max_size;
}

bool connection_can_pipeline(const struct connection *connection)
{
	return (connection->session->esmtp & MAILSMTP_ESMTP_PIPELINING) != 0;
}

mailsmtp *connection_session(struct connection *connection)
{
	return connection->session;
}

struct stream *connection_stream(struct connection *connection)
{
	return connection->stream;
}

const struct connection_limits *connection_limits_of(const struct connection *connection)
{
	return connection->limits;
}

void connection_begin_step(struct connection *connection, int64_t ms)
{
	connection->used = clock_monotonic_ms();
	stream_begin_step(connection->stream, connection->used + ms);
}

static int set_reply(struct connection *connection, enum courier_phase phase, int code,
    struct view lines, struct courier_reply *reply)
{
	connection->used = clock_monotonic_ms();
	if (code == 0)
		reply_set_reason(reply, phase, stream_failure(connection->stream));
	else
		reply_set(reply, phase, code, lines);
	return reply->code;
}

bool connection_is_spoken_to(struct connection *connection)
{
	return connection->session->stream->read_buffer_len > 0 || stream_says(connection->stream);
}

void connection_say(struct connection *connection, struct view commands)
{
	mailstream *mail = connection->session->stream;
	connection->unasked = connection_is_spoken_to(connection);
	mailstream_write(mail, commands.data, commands.len);
	mailstream_flush(mail);
}

/* The code of a line, which a space, a hyphen or the line's end follows (RFC 5321 section 4.2). */
static int code_of(struct view line)
{
	int64_t code;
	const bool sound = line.len <= CODE_DIGITS || line.data[CODE_DIGITS] == ' ' ||
			   line.data[CODE_DIGITS] == '-';
	return sound && text_number(view_part(line, 0, CODE_DIGITS), NO_REPLY, CODE_MOST, &code)
		   ? (int)code
		   : NO_REPLY;
}

int connection_read_reply(
    struct connection *connection, enum courier_phase phase, struct courier_reply *reply)
{
	mailsmtp *session = connection->session;
	int code = 0;
	int first = 0;
	bool more = true;
	buf_clear(&connection->said);
	while (more) {
		const char *text =
		    mailstream_read_line_remove_eol(session->stream, session->line_buffer);
		const struct view line =
		    text == NULL ? VIEW("") : (struct view){text, session->line_buffer->len};
		code = text == NULL ? 0 : code_of(line);
		more = code > NO_REPLY && line.len > CODE_DIGITS && line.data[CODE_DIGITS] == '-';
		if (connection->said.len == 0)
			first = code;
		else if (code != 0 && code != first)
			first = NO_REPLY; /* RFC 5321 section 4.2.1: each line has the same code */
		buf_add_view(&connection->said, view_part(line, CODE_DIGITS + 1, line.len));
		buf_add_char(&connection->said, '\n');
	}
	set_reply(connection, phase, code == 0 ? 0 : first, buf_view(&connection->said), reply);
	if (connection->unasked && reply->code != 0 && reply->code != CODE_CLOSING)
		reply_set_reason(reply, phase, "the server answered before it was asked");
	connection->unasked = false;
	return reply->code;
}

/* Sends a line of our own; returns the reply's code. Words of a secret must not stand in a log, and
 * libetpan's logger is never set. */
static int command(struct connection *connection, enum courier_phase phase, struct buf *line,
    struct courier_reply *reply)
{
	buf_add_text(line, "\r\n");
	connection_say(connection, buf_view(line));
	buf_clear(line);
	return connection_read_reply(connection, phase, reply);
}

static bool is_good(int code)
{
	return code / 100 == 2;
}

static void note_auth(struct capabilities *can, struct view words)
{
	struct view word;
	while (view_next_field(&words, ' ', &word)) {
		can->auth_plain = can->auth_plain || view_is_nocase(word, "PLAIN");
		can->auth_login = can->auth_login || view_is_nocase(word, "LOGIN");
	}
}

/* RFC 5321 section 4.1.1.1: the first line is the greeting, each further one a keyword with words.
 */
static void note_capabilities(struct connection *connection)
{
	struct view lines = buf_view(&connection->said);
	struct view words;
	struct view keyword;
	struct capabilities *can = &connection->can;
	*can = (struct capabilities){.max_size = 0};
	connection->session->esmtp = MAILSMTP_ESMTP;
	view_next_line(&lines, &words);
	while (view_next_line(&lines, &words)) {
		view_next_field(&words, ' ', &keyword);
		if (view_is_nocase(keyword, "STARTTLS")) {
			can->starttls = true;
			connection->session->esmtp |= MAILSMTP_ESMTP_STARTTLS;
		} else if (view_is_nocase(keyword, "DSN")) {
			connection->session->esmtp |= MAILSMTP_ESMTP_DSN;
		} else if (view_is_nocase(keyword, "PIPELINING")) {
			connection->session->esmtp |= MAILSMTP_ESMTP_PIPELINING;
		} else if (view_is_nocase(keyword, "SIZE")) {
			int64_t size = 0;
			text_number(view_trim(words), 0, INT64_MAX, &size);
			can->max_size = (uint64_t)size;
			connection->session->esmtp |= MAILSMTP_ESMTP_SIZE;
		} else if (view_is_nocase(keyword, "AUTH")) {
			note_auth(can, words);
		}
	}
}

static int say_hello(struct connection *connection, struct courier_reply *reply)
{
	struct buf line = BUF_EMPTY(BUF_SMALL);
	buf_printf(&line, "EHLO %s", connection->name);
	const int code = command(connection, PHASE_EHLO, &line, reply);
	buf_release(&line);
	if (!is_good(code))
		return -1;
	note_capabilities(connection);
	return 0;
}

static int shake_hands(
    struct connection *connection, enum courier_phase phase, struct courier_reply *reply)
{
	struct err err;
	if (stream_start_tls(connection->stream, connection->trust,
		connection->config->smarthost.host, &err) == 0)
		return 0;
	reply_set_reason(reply, phase, err.text);
	return -1;
}

static int upgrade(struct connection *connection, struct courier_reply *reply)
{
	if (!connection->can.starttls) {
		reply_set_reason(reply, PHASE_STARTTLS, "the server does not offer STARTTLS");
		return -1;
	}
	struct buf line = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&line, "STARTTLS");
	const int code = command(connection, PHASE_STARTTLS, &line, reply);
	buf_release(&line);
	if (!is_good(code))
		return -1;
	/* What came in the clear behind the reply would be taken for an answer given inside TLS. */
	if (connection->session->stream->read_buffer_len != 0) {
		reply_set_reason(reply, PHASE_STARTTLS, "plain text was injected behind STARTTLS");
		return -1;
	}
	if (shake_hands(connection, PHASE_STARTTLS, reply) != 0)
		return -1;
	return say_hello(connection, reply); /* all that was said before is void (RFC 3207) */
}

static void add_base64(struct buf *line, struct view bytes)
{
	text_base64(line, bytes, 0);
}

/* RFC 4616, with the initial response of RFC 4954. */
static int auth_plain(struct connection *connection, struct courier_reply *reply)
{
	struct buf line = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&line, "AUTH PLAIN ");
	password_add_plain(
	    &line, connection->config->smarthost.user, buf_view(&connection->password));
	const int code = command(connection, PHASE_AUTH, &line, reply);
	buf_release(&line);
	return code;
}

/* For servers that offer nothing better: user and password as answers to two prompts. */
static int auth_login(struct connection *connection, struct courier_reply *reply)
{
	enum { CODE_PROMPT = 334 };
	struct buf line = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&line, "AUTH LOGIN");
	int code = command(connection, PHASE_AUTH, &line, reply);
	if (code == CODE_PROMPT) {
		add_base64(&line, view_of(connection->config->smarthost.user));
		code = command(connection, PHASE_AUTH, &line, reply);
	}
	if (code == CODE_PROMPT) {
		add_base64(&line, buf_view(&connection->password));
		code = command(connection, PHASE_AUTH, &line, reply);
	}
	buf_release(&line);
	return code;
}

static int authenticate(struct connection *connection, struct courier_reply *reply)
{
	if (connection->config->smarthost.user[0] == '\0')
		return 0;
	if (!stream_is_encrypted(connection->stream)) {
		reply_set_reason(reply, PHASE_AUTH, "a password is never sent without TLS");
		return -1;
	}
	if (connection->can.auth_plain)
		return is_good(auth_plain(connection, reply)) ? 0 : -1;
	if (connection->can.auth_login)
		return is_good(auth_login(connection, reply)) ? 0 : -1;
	reply_set_reason(
	    reply, PHASE_AUTH, "within TLS the server offers neither AUTH PLAIN nor AUTH LOGIN");
	return -1;
}

static int greet(struct connection *connection, struct courier_reply *reply)
{
	connection->session->stream = stream_mail(connection->stream);
	if (is_good(connection_read_reply(connection, PHASE_GREETING, reply))) {
		int64_t when = 0;
		connection->greets_with_time = greeting_time(buf_view(&connection->said), &when);
		connection->ahead = when - clock_now();
		return 0;
	}
	/* Where both sides wait for the other one to begin, as on port 465. */
	if (reply->code == 0 && stream_timed_out(connection->stream) &&
	    connection->config->smarthost.tls == CONFIG_TLS_STARTTLS)
		reply_set_reason(
		    reply, PHASE_GREETING, "timed out (does it expect TLS from the first byte?)");
	return -1;
}

static int open_dialogue(struct connection *connection, struct courier_reply *reply)
{
	const enum config_tls tls = connection->config->smarthost.tls;
	connection_begin_step(connection, connection->limits->opening);
	if (tls == CONFIG_TLS_TLS && shake_hands(connection, PHASE_CONNECT, reply) != 0)
		return -1;
	if (greet(connection, reply) != 0 || say_hello(connection, reply) != 0)
		return -1;
	if (tls == CONFIG_TLS_STARTTLS && upgrade(connection, reply) != 0)
		return -1;
	return authenticate(connection, reply);
}

static bool is_stale(struct connection *connection)
{
	return clock_monotonic_ms() - connection->used > connection->limits->idle ||
	       connection->session->stream->read_buffer_len > 0 ||
	       stream_is_stale(connection->stream);
}

int connection_open(struct connection *connection, struct courier_reply *reply)
{
	struct err err;
	if (connection_is_open(connection)) {
		if (!is_stale(connection))
			return 0;
		connection_close(connection, true);
	}
	if (prepare(connection, &err) != 0 ||
	    stream_open(connection->config->smarthost.host,
		(uint16_t)connection->config->smarthost.port, connection->limits->connect,
		&connection->stream, &err) != 0) {
		reply_set_reason(reply, PHASE_CONNECT, err.text);
		return -1;
	}
	connection->session = mailsmtp_new(0, NULL);
	if (connection->session == NULL)
		abort();
	if (open_dialogue(connection, reply) == 0)
		return 0;
	connection_close(connection, reply->code != 0);
	return -1;
}

/* Which of the two is wrong cannot be told from here. */
static void describe_clock(const struct connection *connection, struct buf *words)
{
	const int64_t skew = connection->config->limits.clock_skew;
	if (!connection->greets_with_time)
		return;
	if (connection->ahead <= skew && connection->ahead >= -skew) {
		buf_add_text(words, ", its clock agrees with this one");
		return;
	}
	buf_add_text(words, ", its clock is ");
	moment_add_span(words, connection->ahead);
	buf_printf(words, " %s this one: compare both with a third",
	    connection->ahead > 0 ? "ahead of" : "behind");
}

static void describe(const struct connection *connection, struct courier_reply *reply)
{
	struct buf words = BUF_EMPTY(BUF_SMALL);
	stream_describe(connection->stream, &words);
	if (connection->config->smarthost.user[0] != '\0')
		buf_printf(&words, ", logged in as %s", connection->config->smarthost.user);
	if (connection->can.max_size != 0)
		buf_printf(&words, ", messages of up to %llu bytes",
		    (unsigned long long)connection->can.max_size);
	describe_clock(connection, &words);
	courier_print(reply->text, "%s", buf_text(&words));
	buf_release(&words);
}

int connection_probe(struct connection *connection, const struct connection_limits *limits,
    struct courier_reply *reply)
{
	connection_close(connection, true);
	connection->usual = connection->limits;
	connection->limits = limits;
	if (connection_open(connection, reply) != 0)
		return -1;
	describe(connection, reply);
	return 0;
}

void connection_end_probe(struct connection *connection)
{
	connection_close(connection, true);
	connection->limits = connection->usual;
}
