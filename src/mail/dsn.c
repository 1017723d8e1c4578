#include "config.h"

#include <string.h>

#include "base/text.h"
#include "mail/charset.h"
#include "mail/dsn.h"
#include "mail/field.h"
#include "mail/limits.h"
#include "mail/part.h"
#include "mail/returned.h"

enum {
	BLOCKS_MAX = 256, /* groups of fields in one delivery-status, one for each recipient */
	TEXT_MAX = 64 * 1024, /* bytes of a text, undecoded, that are looked at */
};

/* "rfc822; someone@example.org" without the type. */
static struct view behind_type(struct view value)
{
	struct view rest = value;
	struct view type;
	return view_next_field(&rest, ';', &type) && rest.len > 0 ? rest : value;
}

/* Some leave Status out, or write there what is none, and have it in what the server said. */
static void read_code(struct view block, struct mail_bounce *out)
{
	struct view value;
	size_t at;
	field_find(block, "Status", &value);
	returned_status(value, out->status, sizeof out->status);
	field_find(block, "Diagnostic-Code", &value);
	if (out->status[0] == '\0')
		returned_find_reply(value, &at, out->status, sizeof out->status);
	returned_shown(behind_type(value), out->diagnostic, sizeof out->diagnostic);
}

/* The fields of one recipient, when it fared worse than what was read before. */
static void read_block(struct view block, size_t *worst, struct mail_bounce *out)
{
	struct view value;
	if (!field_find(block, "Action", &value))
		return;
	const size_t action = returned_action(value);
	if (action >= *worst)
		return;
	*worst = action;
	view_copy(view_of(returned_action_name(action)), out->action, sizeof out->action);
	read_code(block, out);
	if (!field_find(block, "Final-Recipient", &value))
		field_find(block, "Original-Recipient", &value);
	returned_shown(behind_type(value), out->recipient, sizeof out->recipient);
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
	size_t worst = RETURNED_ACTIONS;
	part_decode(entity, &bytes);
	struct view rest = buf_view(&bytes);
	for (int i = 0; i < BLOCKS_MAX && rest.len > 0; i++) {
		const struct view block = next_block(&rest);
		if (limits_header(block, limits, reason))
			read_block(block, &worst, out);
	}
	buf_release(&bytes);
}

/* The text that a person is shown: the first that is plain, else the first in HTML. */
static void read_text(const struct tree *tree, struct mail_bounce *out)
{
	const struct tree_entity *shown = NULL;
	struct buf text = BUF_EMPTY(TEXT_MAX * 4 + BUF_SMALL);
	for (size_t at = 0; at < tree->count; at++) {
		const struct tree_entity *entity = &tree->entities[at];
		if (tree_is(entity, "text/plain") &&
		    (shown == NULL || !tree_is(shown, "text/plain")))
			shown = entity;
		else if (tree_is(entity, "text/html") && shown == NULL)
			shown = entity;
	}
	if (shown == NULL)
		return;
	struct tree_entity front = *shown;
	front.body = view_part(front.body, 0, TEXT_MAX);
	part_text(&front, &text);
	returned_read_text(buf_view(&text), out);
	buf_release(&text);
}

static bool is_status(const struct tree_entity *entity)
{
	return tree_is(entity, "message/delivery-status") ||
	       tree_is(entity, "message/global-delivery-status");
}

/* Reports that are none of delivery (RFC 8098, RFC 5965): somebody's program wrote them. */
static bool is_other_report(const struct tree_entity *entity)
{
	return tree_is(entity, "message/disposition-notification") ||
	       tree_is(entity, "message/global-disposition-notification") ||
	       tree_is(entity, "message/feedback-report");
}

void dsn_read(const struct tree *tree, const struct mail_limits *limits, struct mail_bounce *out)
{
	*out = (struct mail_bounce){.action = ""};
	returned_read_header(tree->entities[0].header, out);
	for (size_t at = 0; at < tree->count; at++) {
		const struct tree_entity *entity = &tree->entities[at];
		if (is_status(entity) && out->action[0] == '\0')
			read_status_part(entity, limits, out);
		if (is_other_report(entity))
			out->writer = MAIL_WRITER_AUTOMATIC;
		out->formal = out->formal || is_status(entity) || is_other_report(entity);
	}
	read_text(tree, out);
}

/* As far as its first empty line, and no further than a header may reach. */
static struct view cut_header(struct view raw, const struct mail_limits *limits)
{
	struct view rest = raw;
	struct view line;
	while (view_next_line(&rest, &line) && view_trim(line).len > 0) {
	}
	return view_part(
	    raw, 0, raw.len - rest.len < limits->header ? raw.len - rest.len : limits->header);
}

void dsn_read_unsound(struct view raw, const struct mail_limits *limits, struct mail_outline *out)
{
	const struct view header = cut_header(raw, limits);
	struct buf text = BUF_EMPTY((size_t)TEXT_MAX * 4 + BUF_SMALL);
	out->bounce = (struct mail_bounce){.action = ""};
	returned_read_header(header, &out->bounce);
	dsn_read_addresses(header, out);
	charset_to_utf8("", view_part(raw, header.len, TEXT_MAX), &text);
	returned_read_text(buf_view(&text), &out->bounce);
	buf_release(&text);
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
	static const char *const names[] = {"Delivered-To", "X-Original-To", "Envelope-To",
	    "X-Delivered-To", "X-Envelope-To", "To"};
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
