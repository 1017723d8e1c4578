#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "courier/imap_link.h"
#include "courier/reply.h"
#include "courier/stream.h"

enum {
	CONNECT_MS = 30 * 1000,
	STEP_MS = 120 * 1000,
	SAID_MAX = 1024 * 1024, /* bytes of one step, without the literals that were asked for */
	LINE_SIZE = 1024,
	WORDS_MAX = 8 * 1024,
	SHOWN_LEN = 60,
	EXISTS_MOST = 1000 * 1000 * 1000, /* nobody has so many; counting on stays possible */
	SECOND_MS = 1000,
};

const struct imap_limits imap_limits_default = {
    .connect = CONNECT_MS,
    .step = STEP_MS,
    .least_rate = COURIER_LEAST_RATE,
};

struct imap_link {
	const struct imap_limits *limits;
	struct stream *stream;
	mailstream *mail;
	MMAPString *line;
	struct buf text; /* of the response that is being read */
	struct buf literals;
	struct buf capabilities;
	char bye[COURIER_TEXT_SIZE]; /* what the server said goodbye with */
	unsigned tags;
	uint32_t exists;
	uint32_t place;
	bool news;
};

int imap_link_open(const char *host, uint16_t port, const struct imap_limits *limits,
    struct imap_link **out, struct err *err)
{
	struct stream *stream;
	if (stream_open(host, port, limits->connect, &stream, err) != 0)
		return -1;
	struct imap_link *link = calloc(1, sizeof *link);
	if (link == NULL)
		abort();
	link->limits = limits;
	link->stream = stream;
	link->text = BUF_EMPTY(SAID_MAX);
	link->literals = BUF_EMPTY(SAID_MAX);
	link->capabilities = BUF_EMPTY(WORDS_MAX);
	link->line = mmap_string_sized_new(LINE_SIZE);
	link->mail = stream_mail(stream);
	if (link->line == NULL)
		abort();
	stream_begin_reply(stream, clock_monotonic_ms() + limits->step, SAID_MAX);
	*out = link;
	return 0;
}

static int send_line(struct imap_link *link, struct view words)
{
	if (mailstream_write(link->mail, words.data, words.len) < 0 ||
	    mailstream_write(link->mail, "\r\n", 2) < 0)
		return -1;
	return mailstream_flush(link->mail);
}

void imap_link_free(struct imap_link *link, bool polite)
{
	if (link == NULL)
		return;
	if (polite)
		send_line(link, VIEW("bye LOGOUT"));
	mailstream_close(link->mail);
	stream_free(link->stream);
	mmap_string_free(link->line);
	buf_release(&link->text);
	buf_release(&link->literals);
	buf_release(&link->capabilities);
	free(link);
}

int imap_link_start_tls(
    struct imap_link *link, const struct tls_trust *trust, const char *host, struct err *err)
{
	if (link->mail->read_buffer_len != 0)
		return err_set(err, ERR_PEER, ERR_LATER,
		    "plain text was injected before the TLS handshake with %s", host);
	buf_clear(&link->capabilities);
	link->bye[0] = '\0';
	return stream_start_tls(link->stream, trust, host, err);
}

/* -- reading -- */

static int broke(const struct imap_link *link, struct err *err)
{
	if (link->bye[0] != '\0')
		return err_set(
		    err, ERR_PEER, ERR_LATER, "the server ended the connection: %s", link->bye);
	return err_set(
	    err, ERR_PEER, ERR_LATER, "the connection broke: %s", stream_failure(link->stream));
}

static int malformed(struct view text, struct err *err)
{
	const struct view front = view_part(text, 0, SHOWN_LEN);
	return err_set(err, ERR_PEER, ERR_LATER, "the server does not speak IMAP: %.*s",
	    (int)front.len, front.data);
}

/* The memory is bounded by what the command allows, whatever the server announces. */
static int read_literal(struct imap_link *link, uint64_t len, struct err *err)
{
	struct buf *literals = &link->literals;
	if (len > (uint64_t)(literals->max - literals->len))
		return err_set(err, ERR_PEER, ERR_LATER,
		    "the server sends %llu bytes where at most %llu are allowed",
		    (unsigned long long)len, (unsigned long long)literals->max);
	char *at = buf_reserve(literals, (size_t)len);
	for (size_t left = (size_t)len; left > 0;) {
		const ssize_t got = mailstream_read(link->mail, at, left);
		if (got <= 0)
			return broke(link, err);
		at += got;
		left -= (size_t)got;
	}
	buf_grown(literals, (size_t)len);
	return 0;
}

/* All lines and literals of one response. */
static int read_whole(struct imap_link *link, struct err *err)
{
	buf_clear(&link->text);
	buf_clear(&link->literals);
	for (;;) {
		uint64_t literal;
		if (mailstream_read_line_remove_eol(link->mail, link->line) == NULL)
			return broke(link, err);
		buf_add(&link->text, link->line->str, link->line->len);
		if (link->text.overflow)
			return malformed(buf_view(&link->text), err);
		if (link->line->len == 0 || !imap_literal_follows(buf_view(&link->text), &literal))
			return 0;
		if (read_literal(link, literal, err) != 0)
			return -1;
	}
}

static void note_expunge(struct imap_link *link, uint32_t number)
{
	if (number > link->exists)
		return;
	link->exists--;
	if (number < link->place)
		link->place--;
}

/* What any response may change. */
static void note(struct imap_link *link, const struct imap_response *response)
{
	switch (response->kind) {
	case IMAP_EXISTS:
		link->news = link->news || response->number > link->exists;
		link->exists = response->number < EXISTS_MOST ? response->number : EXISTS_MOST;
		break;
	case IMAP_EXPUNGE:
		note_expunge(link, response->number);
		break;
	case IMAP_CAPABILITY:
		buf_clear(&link->capabilities);
		buf_add_view(&link->capabilities, response->text);
		break;
	case IMAP_BYE:
		courier_print(link->bye, "%.*s", (int)response->text.len, response->text.data);
		break;
	default:
		break;
	}
}

int imap_link_read(struct imap_link *link, struct imap_response *response, struct err *err)
{
	if (read_whole(link, err) != 0)
		return -1;
	if (!imap_take_response(buf_view(&link->text), buf_view(&link->literals), response))
		return malformed(buf_view(&link->text), err);
	note(link, response);
	return 0;
}

/* -- commands -- */

static void begin_step(struct imap_link *link, uint64_t literals)
{
	const int64_t more = (int64_t)(literals / link->limits->least_rate) * SECOND_MS;
	buf_release(&link->literals);
	link->literals = BUF_EMPTY((size_t)literals + SAID_MAX);
	stream_begin_reply(link->stream, clock_monotonic_ms() + link->limits->step + more,
	    (size_t)literals + SAID_MAX);
}

static struct view next_tag(struct imap_link *link, struct buf *line)
{
	buf_printf(line, "d%u", ++link->tags);
	return buf_view(line);
}

static void set_result(struct imap_result *result, const struct imap_response *response)
{
	result->kind = response->kind;
	if (!view_copy(response->code, result->code, sizeof result->code))
		result->code[0] = '\0';
	const struct view text = view_part(response->text, 0, COURIER_TEXT_SIZE);
	courier_print(result->text, "%.*s", (int)text.len, text.data);
}

/* Until the response with the tag. `more` is sent once. */
static int read_until(struct imap_link *link, struct view tag, const struct imap_command *command,
    struct imap_result *result, struct err *err)
{
	struct view more = command->more;
	for (;;) {
		struct imap_response response;
		if (imap_link_read(link, &response, err) != 0)
			return -1;
		if (response.kind == IMAP_CONTINUE && more.len > 0) {
			if (send_line(link, more) != 0)
				return broke(link, err);
			more = VIEW("");
		} else if (response.kind == IMAP_CONTINUE) {
			return malformed(VIEW("it asks for more than there is"), err);
		} else if (response.tag.len > 0) {
			if (!view_equals(response.tag, tag))
				return malformed(VIEW("it answers what was not asked"), err);
			set_result(result, &response);
			return 0;
		} else if (command->take != NULL &&
			   command->take(command->context, &response, err) != 0) {
			return -1;
		}
	}
}

int imap_run(struct imap_link *link, const struct imap_command *command, struct imap_result *result,
    struct err *err)
{
	struct buf line = BUF_EMPTY(WORDS_MAX);
	struct buf tag = BUF_EMPTY(LINE_SIZE);
	buf_add_view(&line, next_tag(link, &tag));
	buf_add_char(&line, ' ');
	buf_add_view(&line, command->words);
	begin_step(link, command->literals);
	int status;
	if (send_line(link, buf_view(&line)) != 0)
		status = broke(link, err);
	else
		status = read_until(link, buf_view(&tag), command, result, err);
	buf_release(&line);
	buf_release(&tag);
	return status == 0 ? 0 : err_prefix(err, "%s", command->what);
}

int imap_run_well(struct imap_link *link, const struct imap_command *command, struct err *err)
{
	struct imap_result result;
	if (imap_run(link, command, &result, err) != 0)
		return -1;
	/* Somebody else was quicker with some of them (RFC 5530): no matter. */
	if (result.kind == IMAP_OK ||
	    (result.kind == IMAP_NO && view_is_nocase(view_of(result.code), "EXPUNGEISSUED")))
		return 0;
	return err_set(err, ERR_PEER, ERR_LATER, "%s: the server refuses it: %s%s%s%s",
	    command->what, result.code[0] == '\0' ? "" : "[", result.code,
	    result.code[0] == '\0' ? "" : "] ", result.text);
}

/* -- IDLE -- */

/* Until the server says "+": true in *ready; or refuses. */
static int begin_idle(struct imap_link *link, struct view tag, bool *ready, struct err *err)
{
	for (*ready = false;;) {
		struct imap_response response;
		if (imap_link_read(link, &response, err) != 0)
			return -1;
		*ready = response.kind == IMAP_CONTINUE;
		if (*ready || view_equals(response.tag, tag))
			return 0;
		if (response.tag.len > 0)
			return malformed(VIEW("it answers what was not asked"), err);
	}
}

/* Until something calls for the end of IDLE. */
static int stay_idle(
    struct imap_link *link, int other, int64_t until, bool *called, struct err *err)
{
	/* Time is looked at even where the server never stops talking. */
	while (!link->news && clock_monotonic_ms() < until) {
		struct imap_response response;
		enum stream_event what = STREAM_SAYS;
		if (link->mail->read_buffer_len == 0)
			what = stream_wait(link->stream, other, until);
		*called = what == STREAM_OTHER;
		if (what != STREAM_SAYS)
			return 0;
		begin_step(link, 0);
		if (imap_link_read(link, &response, err) != 0)
			return -1;
		if (response.kind == IMAP_BYE || response.tag.len > 0)
			return link->bye[0] != '\0'
				   ? broke(link, err)
				   : malformed(VIEW("it ended IDLE by itself"), err);
	}
	return 0;
}

/* What the server had said before it heard DONE may be more than one step takes: only the time for
 * all of it is bounded. */
static int end_idle(struct imap_link *link, struct view tag, struct err *err)
{
	const int64_t deadline = clock_monotonic_ms() + link->limits->step;
	begin_step(link, 0);
	if (send_line(link, VIEW("DONE")) != 0)
		return broke(link, err);
	while (clock_monotonic_ms() < deadline) {
		struct imap_response response;
		if (imap_link_read(link, &response, err) != 0)
			return -1;
		if (response.tag.len > 0)
			return view_equals(response.tag, tag)
				   ? 0
				   : malformed(VIEW("it answers what was not asked"), err);
		begin_step(link, 0);
	}
	return malformed(VIEW("it does not end IDLE"), err);
}

int imap_idle(struct imap_link *link, int other, int64_t until, bool *supported, bool *called,
    struct err *err)
{
	struct buf tag = BUF_EMPTY(LINE_SIZE);
	struct buf line = BUF_EMPTY(LINE_SIZE);
	int status = 0;
	*called = false;
	buf_add_view(&line, next_tag(link, &tag));
	buf_add_text(&line, " IDLE");
	begin_step(link, 0);
	if (send_line(link, buf_view(&line)) != 0)
		status = broke(link, err);
	if (status == 0)
		status = begin_idle(link, buf_view(&tag), supported, err);
	if (status == 0 && *supported) {
		status = stay_idle(link, other, until, called, err);
		if (status == 0)
			status = end_idle(link, buf_view(&tag), err);
	}
	buf_release(&tag);
	buf_release(&line);
	return status == 0 ? 0 : err_prefix(err, "IDLE");
}

/* -- what the server has said -- */

struct view imap_capabilities(const struct imap_link *link)
{
	return buf_view(&link->capabilities);
}

uint32_t imap_exists(const struct imap_link *link)
{
	return link->exists;
}

bool imap_has_news(const struct imap_link *link)
{
	return link->news;
}

void imap_forget_news(struct imap_link *link)
{
	link->news = false;
}

void imap_set_place(struct imap_link *link, uint32_t place)
{
	link->place = place;
}

uint32_t imap_place(const struct imap_link *link)
{
	return link->place;
}
