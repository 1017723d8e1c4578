#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "peer/smarthost.h"

enum { SECOND_MS = 1000, CODE_CLOSING = 421, COMMAND_MAX = 2048 };

static void reply(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void reply(struct session *session, const char *format, ...)
{
	char text[REPLY_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	buf_printf(&session->out, "%s\r\n", text);
	if (strtol(text, NULL, 10) == CODE_CLOSING)
		session->closing = true;
}

/* Asks the script and does what it says. ACTION_NONE: the step takes place as ever. */
static enum action meddle(struct session *session, enum step step, const char *recipient)
{
	const struct rule_action action = script_ask(session->server->script, step, recipient);
	if (action.action != ACTION_NONE)
		session_write(session); /* replies to commands before this one */
	switch (action.action) {
	case ACTION_PASS:
		return ACTION_NONE;
	case ACTION_SAY:
	case ACTION_CUT:
	case ACTION_LONG:
		session->instead = action;
		session->instead_from = session->out.len;
		return ACTION_NONE;
	case ACTION_REPLY:
		reply(session, "%s", action.reply);
		return ACTION_REPLY;
	case ACTION_DROP:
		session->dead = true;
		return ACTION_DROP;
	case ACTION_STALL:
		session->resume_at = clock_monotonic_ms() + action.number * SECOND_MS;
		return ACTION_NONE;
	case ACTION_SLOW:
		session->drip = action.number;
		return ACTION_NONE;
	default:
		return action.action;
	}
}

/* At the end of a step: its reply gives way to what the script has. */
static void say_instead(struct session *session)
{
	const struct rule_action *instead = &session->instead;
	struct buf *out = &session->out;
	if (instead->action == ACTION_NONE)
		return;
	out->len = session->instead_from;
	buf_add(out, instead->reply, instead->reply_len);
	for (int64_t i = 0; i < instead->number; i++)
		buf_add_char(out, 'x');
	if (instead->action == ACTION_LONG)
		buf_add_text(out, "\r\n");
	session->closing = instead->action == ACTION_CUT;
	session->instead.action = ACTION_NONE;
}

static const char *first_recipient(const struct session *session)
{
	return session->recipient_count == 0 ? "" : session->recipients[0];
}

static void forget(struct session *session)
{
	session->has_sender = false;
	session->recipient_count = 0;
}

void smtp_greet(struct session *session)
{
	session->greeted = true;
	if (meddle(session, STEP_CONNECT, "") == ACTION_NONE)
		reply(session, "220 smarthost.test ESMTP");
	say_instead(session);
}

bool smtp_may_shake_hands(struct session *session)
{
	const enum action action = meddle(session, STEP_TLS, "");
	say_instead(session);
	session_write(session);
	return action == ACTION_NONE && !session->closing && session->resume_at == 0;
}

static void say_ehlo(struct session *session, struct view words)
{
	const struct server *server = session->server;
	(void)words;
	if (meddle(session, STEP_EHLO, "") != ACTION_NONE)
		return;
	forget(session);
	buf_add_text(&session->out,
	    "250-smarthost.test\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n");
	if (!server->no_pipelining)
		buf_add_text(&session->out, "250-PIPELINING\r\n");
	if (server->tls == TLS_STARTTLS && session->tls == NULL)
		buf_add_text(&session->out, "250-STARTTLS\r\n");
	if (server->auth != NULL && (session->tls != NULL || server->tls == TLS_NONE))
		buf_printf(&session->out, "250-AUTH %s\r\n", server->mechanisms);
	if (server->size > 0)
		buf_printf(&session->out, "250 SIZE %lld\r\n", (long long)server->size);
	else
		buf_add_text(&session->out, "250 SIZE\r\n");
}

static void say_helo(struct session *session, struct view words)
{
	(void)words;
	forget(session);
	reply(session, "250 smarthost.test");
}

static void say_starttls(struct session *session, struct view words)
{
	(void)words;
	if (meddle(session, STEP_STARTTLS, "") != ACTION_NONE)
		return;
	if (session->server->tls != TLS_STARTTLS || session->tls != NULL) {
		reply(session, "503 5.5.1 no TLS here");
		return;
	}
	reply(session, "220 2.0.0 go ahead");
	buf_clear(&session->in);
	session->start_tls = true;
}

static void check_login(struct session *session, struct view user, struct view password)
{
	struct buf given = BUF_EMPTY(BUF_SMALL);
	session->state = STATE_COMMAND;
	buf_add_view(&given, user);
	buf_add_char(&given, ':');
	buf_add_view(&given, password);
	session->trusted = view_is(buf_view(&given), session->server->auth);
	reply(session, session->trusted ? "235 2.7.0 welcome" : "535 5.7.8 wrong user or password");
	buf_release(&given);
}

/* RFC 4616: authorization identity, NUL, user, NUL, password. */
static void check_plain(struct session *session, struct view line)
{
	struct buf decoded = BUF_EMPTY(BUF_SMALL);
	struct view identity = {"", 0};
	struct view user = {"", 0};
	text_unbase64(&decoded, line);
	struct view rest = buf_view(&decoded);
	view_next_field(&rest, '\0', &identity);
	view_next_field(&rest, '\0', &user);
	check_login(session, user, rest);
	buf_release(&decoded);
}

static void take_auth_line(struct session *session, struct view line)
{
	struct buf decoded = BUF_EMPTY(BUF_SMALL);
	if (meddle(session, STEP_AUTH, "") != ACTION_NONE) {
		session->state = STATE_COMMAND;
	} else if (session->state == STATE_AUTH_PLAIN) {
		check_plain(session, line);
	} else if (!text_unbase64(&decoded, line)) {
		session->state = STATE_COMMAND;
		reply(session, "501 5.5.2 not base64");
	} else if (session->state == STATE_AUTH_USER) {
		view_copy(buf_view(&decoded), session->user, sizeof session->user);
		session->state = STATE_AUTH_PASSWORD;
		reply(session, "334 UGFzc3dvcmQ6");
	} else {
		check_login(session, view_of(session->user), buf_view(&decoded));
	}
	buf_release(&decoded);
}

static void say_auth(struct session *session, struct view words)
{
	struct view mechanism = {"", 0};
	if (meddle(session, STEP_AUTH, "") != ACTION_NONE)
		return;
	view_next_field(&words, ' ', &mechanism);
	if (session->server->auth == NULL) {
		reply(session, "503 5.5.1 no AUTH here");
	} else if (view_is_nocase(mechanism, "PLAIN")) {
		session->state = STATE_AUTH_PLAIN;
		if (words.len > 0)
			check_plain(session, words);
		else
			reply(session, "334 ");
	} else if (view_is_nocase(mechanism, "LOGIN")) {
		session->state = STATE_AUTH_USER;
		reply(session, "334 VXNlcm5hbWU6");
	} else {
		reply(session, "504 5.5.4 unknown mechanism");
	}
}

/* The address between angle brackets; *rest is left with the parameters. */
static bool take_path(struct view *rest, const char *keyword, char out[ADDRESS_SIZE])
{
	struct view path;
	if (!view_starts_nocase(*rest, keyword))
		return false;
	*rest = view_trim(view_part(*rest, strlen(keyword), rest->len));
	return rest->len > 0 && rest->data[0] == '<' && view_next_field(rest, '>', &path) &&
	       view_copy(view_part(path, 1, path.len), out, ADDRESS_SIZE);
}

static bool is_too_large(const struct session *session, struct view parameters)
{
	struct view parameter;
	while (view_next_field(&parameters, ' ', &parameter)) {
		int64_t size;
		if (view_starts_nocase(parameter, "SIZE=") &&
		    text_number(view_part(parameter, 5, parameter.len), 0, INT64_MAX, &size) &&
		    session->server->size > 0 && size > session->server->size)
			return true;
	}
	return false;
}

static void say_mail(struct session *session, struct view words)
{
	const struct server *server = session->server;
	if (meddle(session, STEP_MAIL, "") != ACTION_NONE)
		return;
	if (server->tls == TLS_STARTTLS && session->tls == NULL)
		reply(session, "530 5.7.0 STARTTLS first");
	else if (server->auth != NULL && !session->trusted)
		reply(session, "530 5.7.0 AUTH first");
	else if (session->has_sender)
		reply(session, "503 5.5.1 there is a sender already");
	else if (!take_path(&words, "FROM:", session->sender))
		reply(session, "501 5.5.4 malformed sender");
	else if (is_too_large(session, words))
		reply(session, "552 5.3.4 too large");
	else {
		session->has_sender = true;
		reply(session, "250 2.1.0 ok");
	}
}

static void say_rcpt(struct session *session, struct view words)
{
	char recipient[ADDRESS_SIZE];
	if (!take_path(&words, "TO:", recipient)) {
		reply(session, "501 5.5.4 malformed recipient");
		return;
	}
	if (meddle(session, STEP_RCPT, recipient) != ACTION_NONE)
		return;
	if (!session->has_sender) {
		reply(session, "503 5.5.1 MAIL first");
	} else if (session->recipient_count == RECIPIENTS_MAX) {
		reply(session, "452 4.5.3 too many recipients");
	} else {
		memcpy(
		    session->recipients[session->recipient_count++], recipient, sizeof recipient);
		reply(session, "250 2.1.5 ok");
	}
}

static void say_data(struct session *session, struct view words)
{
	(void)words;
	if (meddle(session, STEP_DATA, first_recipient(session)) != ACTION_NONE)
		return;
	if (session->recipient_count == 0) {
		reply(session, "503 5.5.1 RCPT first");
		return;
	}
	session->state = STATE_DATA;
	session->scanned = 0;
	session->dropped = 0;
	session->body_asked = false;
	reply(session, "354 go ahead");
}

static void say_rset(struct session *session, struct view words)
{
	(void)words;
	forget(session);
	reply(session, "250 2.0.0 ok");
}

static void say_noop(struct session *session, struct view words)
{
	(void)words;
	reply(session, "250 2.0.0 ok");
}

static void say_quit(struct session *session, struct view words)
{
	(void)words;
	reply(session, "221 2.0.0 bye");
	session->closing = true;
}

static void run_command(struct session *session, struct view line)
{
	static const struct {
		const char *name;
		void (*run)(struct session *, struct view);
	} commands[] = {
	    {"MAIL", say_mail},
	    {"RCPT", say_rcpt},
	    {"DATA", say_data},
	    {"RSET", say_rset},
	    {"EHLO", say_ehlo},
	    {"HELO", say_helo},
	    {"STARTTLS", say_starttls},
	    {"AUTH", say_auth},
	    {"NOOP", say_noop},
	    {"QUIT", say_quit},
	};
	struct view rest = line;
	struct view name = {"", 0};
	if (session->server->log != NULL)
		fprintf(session->server->log, "%.*s\n", (int)line.len, line.data);
	if (session->state != STATE_COMMAND) {
		take_auth_line(session, line);
		return;
	}
	view_next_field(&rest, ' ', &name);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (view_is_nocase(name, commands[i].name)) {
			commands[i].run(session, rest);
			return;
		}
	}
	reply(session, "500 5.5.2 unknown command");
}

static void drop_front(struct buf *buf, size_t len)
{
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
}

/* Bytes that the sender put in front of lines that begin with a dot. */
static uint64_t doubled_dots(struct view message)
{
	uint64_t count = message.len > 0 && message.data[0] == '.' ? 1 : 0;
	for (size_t at; (at = view_find(message, VIEW("\n."))) != SIZE_MAX; count++)
		message = view_part(message, at + 2, message.len);
	return count;
}

static void end_message(struct session *session, struct view message, uint64_t size)
{
	const struct server *server = session->server;
	const enum action action = meddle(session, STEP_DOT, first_recipient(session));
	session->state = STATE_COMMAND;
	if (action == ACTION_NONE || action == ACTION_DROP_AFTER_STORE) {
		if (server->size > 0 && size - doubled_dots(message) > (uint64_t)server->size)
			reply(session, "552 5.3.4 too large");
		else if (!spool_add(server->spool, session->sender, session->recipients,
			     session->recipient_count, message))
			reply(session, "451 4.3.0 cannot write");
		else if (action == ACTION_DROP_AFTER_STORE)
			session->dead = true;
		else
			reply(session, "250 2.0.0 kept as %06lu", spool_count(server->spool));
	}
	forget(session);
	say_instead(session);
}

/* Looks for the line that is one dot. False when there is nothing more to do for now. */
static bool take_data(struct session *session)
{
	static const char end[] = "\r\n.\r\n";
	struct buf *in = &session->in;
	const bool first = session->scanned == 0 && session->dropped == 0;
	if (in->len > 0 && !session->body_asked) {
		session->body_asked = true;
		if (meddle(session, STEP_BODY, first_recipient(session)) != ACTION_NONE)
			session->closing = true;
		say_instead(session);
		if (session->dead || session->closing || session->resume_at != 0)
			return false;
	}
	/* An empty message: the line break before its dot is that of DATA itself. */
	if (first && in->len >= 3 && memcmp(in->data, end + 2, 3) == 0) {
		drop_front(in, 3);
		end_message(session, VIEW(""), 0);
		return true;
	}
	const struct view fresh = view_part(buf_view(in), session->scanned, in->len);
	const size_t at = view_find(fresh, VIEW(end));
	if (at != SIZE_MAX) {
		const size_t len = session->scanned + at + 2;
		end_message(session, (struct view){in->data, len}, session->dropped + len);
		drop_front(in, len + sizeof end - 1 - 2);
		session->scanned = 0;
		return true;
	}
	/* The last bytes may be the beginning of the end. */
	if (in->len >= sizeof end - 1)
		session->scanned = in->len - (sizeof end - 2);
	if (!spool_keeps(session->server->spool) && session->scanned > 0) {
		session->dropped += session->scanned;
		drop_front(in, session->scanned);
		session->scanned = 0;
	}
	return false;
}

static bool take_line(struct session *session)
{
	const char *end = memchr(session->in.data, '\n', session->in.len);
	if (end == NULL) {
		if (session->in.len > COMMAND_MAX)
			session->dead = true;
		return false;
	}
	struct view rest = buf_view(&session->in);
	struct view line;
	char copy[COMMAND_MAX + 1];
	view_next_line(&rest, &line);
	if (!view_copy(line, copy, sizeof copy)) {
		session->dead = true;
		return false;
	}
	drop_front(&session->in, session->in.len - rest.len);
	run_command(session, view_of(copy));
	say_instead(session);
	return true;
}

void smtp_input(struct session *session)
{
	bool more = true;
	while (more && session->in.len > 0 && !session->dead && !session->closing &&
	       !session->start_tls && session->resume_at == 0)
		more = session->state == STATE_DATA ? take_data(session) : take_line(session);
}
