#include "config.h"

#include <string.h>

#include "base/text.h"
#include "mail/field.h"
#include "mail/returned.h"

enum {
	LINES_LOOKED_AT = 400,
	PARAGRAPH_LINES = 12, /* of what one recipient's server said */
	STATUS_DETAIL_DIGITS = 3, /* RFC 3463 section 2 */
	REPLY_DIGITS = 3, /* RFC 5321 section 4.2 */
	YEAR_DIGITS = 4,
};

/* The worst first. */
static const char *const actions[RETURNED_ACTIONS] = {
    "failed", "delayed", "relayed", "expanded", "delivered"};

/* -- words -- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t digits(struct view text)
{
	size_t count = 0;
	while (count < text.len && is_digit(text.data[count]))
		count++;
	return count;
}

static bool holds(struct view text, const char *words)
{
	for (size_t at = 0; at < text.len; at++)
		if (view_starts_nocase(view_part(text, at, text.len), words))
			return true;
	return false;
}

static bool holds_any(struct view text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (holds(text, *words))
			return true;
	return false;
}

static bool starts_any(struct view text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (view_starts_nocase(text, *words))
			return true;
	return false;
}

size_t returned_action(struct view value)
{
	struct view word = view_trim(value);
	size_t len = 0;
	size_t i = 0;
	while (len < word.len && is_letter(word.data[len]))
		len++;
	word.len = len;
	while (i < RETURNED_ACTIONS && !view_is_nocase(word, actions[i]))
		i++;
	return i;
}

const char *returned_action_name(size_t action)
{
	return actions[action];
}

void returned_status(struct view value, char *out, size_t size)
{
	const struct view rest = view_trim(value);
	size_t len = 1;
	out[0] = '\0';
	if (rest.len == 0 || (rest.data[0] != '2' && rest.data[0] != '4' && rest.data[0] != '5'))
		return;
	for (int part = 0; part < 2; part++) {
		const struct view behind = view_part(rest, len, rest.len);
		if (behind.len == 0 || behind.data[0] != '.')
			return;
		const size_t count = digits(view_part(behind, 1, behind.len));
		if (count == 0 || count > STATUS_DETAIL_DIGITS)
			return;
		len += 1 + count;
	}
	view_copy(view_part(rest, 0, len), out, size);
}

/* The code of a reply that refuses, with a blank or hyphen behind it; its length, or 0. */
static size_t reply_code(struct view text)
{
	if (text.len <= REPLY_DIGITS || (text.data[0] != '4' && text.data[0] != '5') ||
	    digits(text) != REPLY_DIGITS ||
	    (text.data[REPLY_DIGITS] != ' ' && text.data[REPLY_DIGITS] != '-'))
		return 0;
	return REPLY_DIGITS + 1;
}

bool returned_find_reply(struct view value, size_t *at, char *status, size_t size)
{
	for (size_t i = 0; i < value.len; i++) {
		const struct view rest = view_part(value, i, value.len);
		const bool inside =
		    i > 0 && (is_digit(value.data[i - 1]) || is_letter(value.data[i - 1]) ||
				 value.data[i - 1] == '.');
		const size_t len = inside ? 0 : reply_code(rest);
		if (len == 0)
			continue;
		struct view behind = view_trim(view_part(rest, len, rest.len));
		if (behind.len > 0 && behind.data[0] == '#')
			behind = view_part(behind, 1, behind.len);
		returned_status(behind, status, size);
		*at = i;
		if (status[0] == rest.data[0])
			return true;
	}
	status[0] = '\0';
	return false;
}

/* "(#5.1.1)" and "[#4.1.9]", as qmail and its kin write it. */
static bool find_hash(struct view text, char *status, size_t size)
{
	for (size_t i = 0; i + 1 < text.len; i++) {
		if ((text.data[i] != '(' && text.data[i] != '[') || text.data[i + 1] != '#')
			continue;
		returned_status(view_part(text, i + 2, text.len), status, size);
		if (status[0] != '\0')
			return true;
	}
	return false;
}

void returned_shown(struct view value, char *out, size_t size)
{
	struct buf line = BUF_EMPTY(BUF_SMALL);
	struct buf shown = BUF_EMPTY(BUF_SMALL);
	field_text(value, &line);
	text_add_shown(&shown, view_trim(buf_view(&line)));
	struct view text = buf_view(&shown);
	if (text.len >= size) {
		text.len = size - 1;
		while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xc0U) == 0x80U)
			text.len--;
	}
	view_copy(text, out, size);
	buf_release(&line);
	buf_release(&shown);
}

/* -- who wrote it -- */

static bool is_system(struct view name, struct view value)
{
	static const char *const names[] = {"mailer-daemon", "mailer daemon", "maildaemon",
	    "mail-daemon", "mailerdaemon", "mdaemon@", "mail delivery", "postmaster@",
	    "microsoftexchange", NULL};
	if (view_is_nocase(name, "X-Failed-Recipients") ||
	    view_is_nocase(name, "X-MS-Exchange-Message-Is-Ndr"))
		return true;
	return view_is_nocase(name, "From") &&
	       (value.len == 0 || holds(value, "<>") || holds_any(value, names) ||
		   view_is_nocase(value, "mailer-daemon") || view_is_nocase(value, "postmaster"));
}

/* "auto-generated" alone says nothing of an answer: what puts mail into quarantine says it too. */
static bool is_reply_of_a_program(struct view header)
{
	struct view value;
	return field_automatic(header) &&
	       (!field_find(header, "Auto-Submitted", &value) ||
		   !view_starts_nocase(value, "auto-generated") ||
		   field_find(header, "X-Auto-Response-Suppress", &value) ||
		   field_find(header, "X-Autoreply", &value) ||
		   field_find(header, "X-Autorespond", &value));
}

void returned_read_header(struct view header, struct mail_bounce *out)
{
	struct view rest = header;
	struct view name;
	struct view value;
	out->writer = is_reply_of_a_program(header) ? MAIL_WRITER_AUTOMATIC : MAIL_WRITER_UNKNOWN;
	while (field_next(&rest, &name, &value))
		if (is_system(name, value))
			out->writer = MAIL_WRITER_SYSTEM;
}

/* -- where a mail ends, and the copy of another begins -- */

/* "--- Below this line is a copy of the message", "-----Original Message-----" in any language,
 * "Message headers follow.", or the header itself. */
static bool is_copy(struct view line)
{
	static const char *const fields[] = {
	    "Return-Path:", "Received:", "X-Received:", "Message-ID:", "MIME-Version:",
	    "Autocrypt:", "Auto-Submitted:", "DKIM-Signature:", "-----BEGIN ", NULL};
	static const char *const ends[] = {"message header", "copy of the", "original message",
	    "message follows", "message text follows", "headers follow", "original mail", NULL};
	size_t dashes = 0;
	if (starts_any(line, fields))
		return true;
	while (dashes < line.len && (line.data[dashes] == '-' || line.data[dashes] == '|'))
		dashes++;
	if (dashes >= 2 && dashes < line.len && is_letter(line.data[dashes]) &&
	    line.data[line.len - 1] == '-')
		return true;
	return (dashes > 0 || line.data[line.len - 1] == ':' || line.data[line.len - 1] == '.') &&
	       holds_any(line, ends);
}

/* The part of a mail that is no MIME, as its raw bytes show it, is not what anybody wrote. */
static bool is_of_mime(struct view line)
{
	return view_starts_nocase(line, "Content-") ||
	       (line.len > 2 && line.data[0] == '-' && line.data[1] == '-' && line.data[2] != '-' &&
		   line.data[2] != ' ' && view_find(line, VIEW(" ")) == SIZE_MAX);
}

static bool is_quoted(struct view line)
{
	return line.data[0] == '>' || (line.data[0] == '|' && line.len > 1 && line.data[1] == ' ');
}

/* -- what must not be passed on -- */

/* "[DEW-2026-0007", with any prefix. */
static bool is_number(struct view text)
{
	size_t at = 1;
	if (text.data[0] != '[')
		return false;
	while (at < text.len && (is_letter(text.data[at]) || is_digit(text.data[at])))
		at++;
	if (at == 1 || at >= text.len || text.data[at] != '-')
		return false;
	return digits(view_part(text, at + 1, text.len)) == YEAR_DIGITS &&
	       view_starts_nocase(view_part(text, at + 1 + YEAR_DIGITS, text.len), "-");
}

static bool is_label(struct view text)
{
	static const char *const labels[] = {"RED", "AMBER", "GREEN", "CLEAR", "WHITE", NULL};
	return view_starts_nocase(text, "TLP:") &&
	       starts_any(view_trim(view_part(text, strlen("TLP:"), text.len)), labels);
}

/* Whether the text holds what only the inside of our own mail has: a mail server that opens mail
 * for its people may send back what it has opened, and people answer below what they quote. */
static bool holds_ours(struct view text)
{
	for (size_t at = 0; at < text.len; at++) {
		const struct view rest = view_part(text, at, text.len);
		if (is_number(rest) || is_label(rest))
			return true;
	}
	return false;
}

static void read_lines(struct view text, struct mail_bounce *out)
{
	struct view rest = text;
	struct view line;
	out->line_count = 0;
	if (holds_ours(text))
		return;
	while (out->line_count < MAIL_LINES_MAX && view_next_line(&rest, &line)) {
		line = view_trim(line);
		if (line.len == 0 || is_of_mime(line))
			continue;
		if (is_copy(line) || is_quoted(line) || view_starts_nocase(line, "From:"))
			return;
		returned_shown(line, out->lines[out->line_count], MAIL_LINE_SIZE);
		out->line_count += out->lines[out->line_count][0] != '\0';
	}
}

/* -- why it came back -- */

/* Up to the copy. */
static struct view own_text(struct view text)
{
	struct view rest = text;
	struct view line;
	for (int i = 0; i < LINES_LOOKED_AT; i++) {
		const size_t before = text.len - rest.len;
		if (!view_next_line(&rest, &line))
			return text;
		line = view_trim(line);
		if (line.len > 0 && is_copy(line))
			return view_part(text, 0, before);
	}
	return view_part(text, 0, text.len - rest.len);
}

static void set_action(struct mail_bounce *out, const char *action)
{
	view_copy(view_of(action), out->action, sizeof out->action);
}

static bool find_line(struct view text, const char *name, struct view *value)
{
	struct view line;
	*value = (struct view){"", 0};
	while (view_next_line(&text, &line)) {
		line = view_trim(line);
		if (!view_starts_nocase(line, name))
			continue;
		*value = view_trim(view_part(line, strlen(name), line.len));
		return true;
	}
	return false;
}

/* Lines as a report has them, without the type that belongs to them. They count only together. */
static bool read_fields(struct view text, struct mail_bounce *out)
{
	struct view value;
	char status[sizeof out->status];
	find_line(text, "Action:", &value);
	const size_t action = returned_action(value);
	find_line(text, "Status:", &value);
	returned_status(value, status, sizeof status);
	if (action == RETURNED_ACTIONS || status[0] == '\0')
		return false;
	set_action(out, actions[action]);
	memcpy(out->status, status, sizeof out->status);
	find_line(text, "Diagnostic-Code:", &value);
	returned_shown(value, out->diagnostic, sizeof out->diagnostic);
	return true;
}

/* What mail servers write that go on trying. */
static bool read_delay(struct view text, struct mail_bounce *out)
{
	static const char *const words[] = {"this is a warning message only",
	    "delivery attempts will continue", "message will be retried", NULL};
	if (!holds_any(text, words))
		return false;
	set_action(out, actions[1]);
	return true;
}

/* qmail names each recipient as "<somebody@example.org>:" and says why below; Exim, below a line of
 * its own, as an indented address and further indented lines. *rest is what follows. */
static bool next_recipient(struct view *rest, struct view *address)
{
	struct view line;
	bool exim = false;
	const char *why;
	while (view_next_line(rest, &line)) {
		line = view_trim(line);
		if (line.len == 0)
			continue;
		if (line.len > 3 && line.data[0] == '<' && line.data[line.len - 1] == ':' &&
		    line.data[line.len - 2] == '>') {
			*address = view_part(line, 1, line.len - 3);
			return true;
		}
		if (exim && text_is_address(line, &why)) {
			*address = line;
			return true;
		}
		exim = holds(line, "address(es) failed:");
	}
	return false;
}

/* One paragraph as one line. */
static void join_paragraph(struct view rest, struct buf *out)
{
	struct view line;
	for (int i = 0; i < PARAGRAPH_LINES && view_next_line(&rest, &line); i++) {
		line = view_trim(line);
		if (line.len == 0)
			return;
		if (out->len > 0)
			buf_add_char(out, ' ');
		buf_add_view(out, line);
	}
}

static void read_reason(struct view reason, struct mail_bounce *out)
{
	size_t at;
	if (!returned_find_reply(reason, &at, out->status, sizeof out->status) &&
	    !find_hash(reason, out->status, sizeof out->status))
		out->status[0] = '\0';
	returned_shown(reason, out->diagnostic, sizeof out->diagnostic);
}

static bool read_recipient(struct view text, struct mail_bounce *out)
{
	struct buf reason = BUF_EMPTY(text.len + BUF_SMALL);
	struct view rest = text;
	struct view address;
	const char *why;
	if (!next_recipient(&rest, &address))
		return false;
	set_action(out, actions[0]);
	if (text_is_address(address, &why))
		view_copy(address, out->recipient, sizeof out->recipient);
	join_paragraph(rest, &reason);
	read_reason(buf_view(&reason), out);
	buf_release(&reason);
	return true;
}

/* "550 5.1.1 ..." anywhere; "550 ..." without an enhanced status only at the front of a line that a
 * mail system wrote, and perhaps behind the mark of what a server said. */
static bool read_reply(struct view text, struct mail_bounce *out)
{
	struct view line;
	struct view bare = {"", 0};
	while (view_next_line(&text, &line)) {
		size_t at;
		line = view_trim(line);
		if (returned_find_reply(line, &at, out->status, sizeof out->status)) {
			set_action(out, actions[0]);
			returned_shown(
			    view_part(line, at, line.len), out->diagnostic, sizeof out->diagnostic);
			return true;
		}
		if (view_starts_nocase(line, "<<< "))
			line = view_part(line, strlen("<<< "), line.len);
		if (bare.len == 0 && reply_code(line) > 0)
			bare = line;
	}
	if (bare.len == 0 || out->writer != MAIL_WRITER_SYSTEM)
		return false;
	set_action(out, actions[0]);
	returned_shown(bare, out->diagnostic, sizeof out->diagnostic);
	return true;
}

void returned_read_text(struct view text, struct mail_bounce *out)
{
	const struct view own = own_text(text);
	read_lines(text, out);
	if (out->action[0] == '\0' && !read_fields(own, out) && !read_delay(own, out) &&
	    !read_recipient(own, out))
		read_reply(own, out);
}
