#include "config.h"

#include <string.h>

#include "base/text.h"
#include "mail/decode.h"
#include "mail/dsn.h"
#include "mail/field.h"
#include "mail/limits.h"
#include "mail/shape.h"

enum {
	BLOCKS_MAX = 256, /* groups of fields in one delivery-status, one for each recipient */
	TEXT_LINES_MAX = 400, /* of a text in which Action and Status are looked for */
	STATUS_DETAIL_DIGITS = 3, /* RFC 3463 section 2 */
};

/* The actions of RFC 3464 section 2.3.3, the worst first. */
static const char *const actions[] = {"failed", "delayed", "relayed", "expanded", "delivered"};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t digits(struct view text)
{
	size_t count = 0;
	while (count < text.len && text.data[count] >= '0' && text.data[count] <= '9')
		count++;
	return count;
}

/* The index of the action that the value begins with; ACTIONS for none. Comments behind it, as some
 * MTAs write them, do not matter. */
static size_t read_action(struct view value)
{
	struct view word = view_trim(value);
	size_t len = 0;
	size_t i = 0;
	while (len < word.len && is_letter(word.data[len]))
		len++;
	word.len = len;
	while (i < ACTIONS && !view_is_nocase(word, actions[i]))
		i++;
	return i;
}

/* "5.1.1" at the front of the value. */
static void read_status(struct view value, char *out, size_t size)
{
	struct view rest = view_trim(value);
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

/* One line that a terminal can show, cut at a whole character. */
static void read_shown(struct view value, char *out, size_t size)
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

/* "rfc822; someone@example.org" without the type. */
static struct view behind_type(struct view value)
{
	struct view rest = value;
	struct view type;
	return view_next_field(&rest, ';', &type) && rest.len > 0 ? rest : value;
}

/* The fields of one recipient, when it fared worse than what was read before. */
static void read_block(struct view block, size_t *worst, struct mail_bounce *out)
{
	struct view value;
	if (!field_find(block, "Action", &value))
		return;
	const size_t action = read_action(value);
	if (action >= *worst)
		return;
	*worst = action;
	view_copy(view_of(actions[action]), out->action, sizeof out->action);
	field_find(block, "Status", &value);
	read_status(value, out->status, sizeof out->status);
	if (!field_find(block, "Final-Recipient", &value))
		field_find(block, "Original-Recipient", &value);
	read_shown(behind_type(value), out->recipient, sizeof out->recipient);
	field_find(block, "Diagnostic-Code", &value);
	read_shown(behind_type(value), out->diagnostic, sizeof out->diagnostic);
}

/* Up to the next empty line. */
static struct view next_block(struct view *rest)
{
	struct view block = *rest;
	struct view line;
	const char *end = rest->data;
	while (view_next_line(rest, &line) && view_trim(line).len > 0)
		end = line.data + line.len;
	block.len = (size_t)(end - block.data);
	return block;
}

static void read_status_part(
    const struct tree_entity *entity, const struct mail_limits *limits, struct mail_bounce *out)
{
	char reason[MAIL_REASON_SIZE];
	struct buf bytes = BUF_EMPTY(entity->body.len + 1);
	size_t worst = ACTIONS;
	decode_body(entity, &bytes);
	struct view rest = buf_view(&bytes);
	for (int i = 0; i < BLOCKS_MAX && rest.len > 0; i++) {
		const struct view block = next_block(&rest);
		if (limits_header(block, limits, reason))
			read_block(block, &worst, out);
	}
	buf_release(&bytes);
}

/* Lines of its own, as some programs write them without the type that belongs to them. */
static void read_text(const struct tree_entity *entity, struct mail_bounce *out)
{
	struct buf text = BUF_EMPTY(entity->body.len * 4 + BUF_SMALL);
	struct view line;
	size_t action = ACTIONS;
	char status[sizeof out->status] = "";
	shape_add_text(entity, &text);
	struct view rest = buf_view(&text);
	for (int i = 0; i < TEXT_LINES_MAX && view_next_line(&rest, &line); i++) {
		line = view_trim(line);
		if (action == ACTIONS && view_starts_nocase(line, "Action:"))
			action = read_action(view_part(line, strlen("Action:"), line.len));
		else if (status[0] == '\0' && view_starts_nocase(line, "Status:"))
			read_status(
			    view_part(line, strlen("Status:"), line.len), status, sizeof status);
	}
	buf_release(&text);
	if (action == ACTIONS || status[0] == '\0')
		return;
	view_copy(view_of(actions[action]), out->action, sizeof out->action);
	memcpy(out->status, status, sizeof out->status);
}

void dsn_read(const struct tree *tree, const struct mail_limits *limits, struct mail_bounce *out)
{
	*out = (struct mail_bounce){.action = ""};
	for (size_t at = 0; at < tree->count && out->action[0] == '\0'; at++) {
		if (tree_is(&tree->entities[at], "message/delivery-status") ||
		    tree_is(&tree->entities[at], "message/global-delivery-status"))
			read_status_part(&tree->entities[at], limits, out);
	}
	for (size_t at = 0; at < tree->count && out->action[0] == '\0'; at++) {
		if (tree_is(&tree->entities[at], "text/plain")) {
			read_text(&tree->entities[at], out);
			return;
		}
	}
}

static void add_address(struct view word, struct mail_outline *out)
{
	const char *why;
	if (out->address_count == MAIL_ADDRESSES_MAX || !text_is_address(word, &why))
		return;
	if (view_copy(word, out->addresses[out->address_count], MAIL_ADDRESS_SIZE))
		out->address_count++;
}

void dsn_read_addresses(struct view header, struct mail_outline *out)
{
	static const char *const names[] = {"Delivered-To", "X-Original-To", "Envelope-To", "To"};
	static const char marks[] = " \t\r\n,;:<>()\"[]";
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct view rest = header;
		struct view name;
		struct view value;
		while (field_next(&rest, &name, &value)) {
			if (!view_is_nocase(name, names[i]))
				continue;
			for (size_t at = 0; at < value.len;) {
				size_t len = 0;
				while (at + len < value.len && memchr(marks, value.data[at + len],
								   sizeof marks - 1) == NULL)
					len++;
				add_address(view_part(value, at, len), out);
				at += len + 1;
			}
		}
	}
}
