#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#include "mail/compose.h"
#include "mail/encode.h"

enum {
	RANDOM_BYTES = 20,
	RANDOM_SIZE = (8 * RANDOM_BYTES + 4) / 5 + 1,
	AUTOCRYPT_LINE = 72, /* base64 digits behind the space of a folded line */
};

const char compose_hidden[] = "[...]";
const char compose_receipt[] = "Receipt";
const char compose_reminder[] = "Reminder";

static void random_name(char out[static RANDOM_SIZE])
{
	unsigned char bytes[RANDOM_BYTES];
	random_bytes(bytes, sizeof bytes);
	text_base32(bytes, sizeof bytes, out);
}

void compose_message_id(const char *address, char out[static COMPOSE_ID_SIZE])
{
	char name[RANDOM_SIZE];
	const char *at = strrchr(address, '@');
	random_name(name);
	const int len = snprintf(out, COMPOSE_ID_SIZE, "%s@%s", name,
	    at == NULL || at[1] == '\0' ? "localhost" : at + 1);
	if (len >= COMPOSE_ID_SIZE) /* longer than a domain may be */
		snprintf(out, COMPOSE_ID_SIZE, "%s@localhost", name);
}

/* From, To, Subject, Date, Message-ID, each behind `prefix`: "" or "HP-Outer: ". */
static void add_headers(
    struct buf *out, const char *prefix, const struct compose_headers *headers, struct view subject)
{
	char name[64];
	char date[TEXT_TIME_SIZE];
	text_format_mail_date(headers->date, date);
	snprintf(name, sizeof name, "%sFrom: ", prefix);
	encode_address_field(out, name, headers->from_name, headers->from);
	snprintf(name, sizeof name, "%sTo: ", prefix);
	encode_address_field(out, name, "", headers->to);
	snprintf(name, sizeof name, "%sSubject: ", prefix);
	encode_text_field(out, name, subject);
	snprintf(name, sizeof name, "%sDate: ", prefix);
	encode_text_field(out, name, view_of(date));
	snprintf(name, sizeof name, "%sMessage-ID: ", prefix);
	buf_printf(out, "%s<", name);
	encode_word(out, headers->message_id);
	buf_add_text(out, ">\r\n");
}

static bool is_type_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-+._", c) != NULL);
}

/* A type that may be announced for bytes in base64: RFC 2046 allows none for multipart and message,
 * which therefore travel as plain bytes. */
static const char *safe_type(const char *type)
{
	static const char plain[] = "application/octet-stream";
	const char *slash = strchr(type, '/');
	if (slash == NULL || slash == type || slash[1] == '\0' ||
	    strncmp(type, "multipart/", strlen("multipart/")) == 0 ||
	    strncmp(type, "message/", strlen("message/")) == 0)
		return plain;
	for (const char *at = type; *at != '\0'; at++)
		if (at != slash && !is_type_char(*at))
			return plain;
	return type;
}

static void add_attachment(struct buf *out, const char *boundary, const struct mail_part *part)
{
	const char *type = safe_type(part->type);
	buf_printf(out, "\r\n--%s\r\nContent-Type: %s", boundary, type);
	if (strncmp(type, "text/", strlen("text/")) == 0 && text_is_utf8(part->content))
		buf_add_text(out, ";\r\n charset=utf-8");
	if (part->name[0] != '\0')
		encode_parameter(out, "name", view_of(part->name));
	buf_add_text(out, "\r\nContent-Disposition: attachment");
	if (part->name[0] != '\0')
		encode_parameter(out, "filename", view_of(part->name));
	buf_add_text(out, "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	text_base64(out, part->content, TEXT_BASE64_LINE);
}

void compose_inner(struct buf *out, const struct compose_headers *headers, struct view text,
    const struct mail_part *attachments, size_t count)
{
	char boundary[RANDOM_SIZE];
	random_name(boundary);
	add_headers(out, "", headers, view_of(headers->subject));
	add_headers(out, "HP-Outer: ", headers, view_of(headers->outer));
	buf_printf(out,
	    "Content-Type: multipart/mixed;\r\n boundary=\"%s\";\r\n"
	    " protected-headers=\"v1\"; hp=\"cipher\"\r\n\r\n--%s\r\n",
	    boundary, boundary);
	encode_text_part(out, text);
	for (size_t i = 0; i < count; i++)
		add_attachment(out, boundary, &attachments[i]);
	buf_printf(out, "\r\n--%s--\r\n", boundary);
}

/* Autocrypt level 1, section 2.1: keydata is the last attribute, folded. */
static void add_autocrypt(struct buf *out, const char *address, struct view certificate)
{
	struct buf lines = BUF_EMPTY(out->max);
	if (certificate.len == 0)
		return;
	buf_add_text(out, "Autocrypt: addr=");
	encode_word(out, address);
	buf_add_text(out, ";\r\n prefer-encrypt=mutual; keydata=\r\n");
	text_base64(&lines, certificate, AUTOCRYPT_LINE);
	struct view rest = buf_view(&lines);
	struct view line;
	while (view_next_line(&rest, &line)) {
		buf_add_char(out, ' ');
		buf_add_view(out, line);
		buf_add_text(out, "\r\n");
	}
	out->overflow = out->overflow || lines.overflow;
	buf_release(&lines);
}

void compose_outer(struct buf *head, struct buf *tail, const struct compose_headers *headers,
    struct view autocrypt)
{
	char boundary[RANDOM_SIZE];
	random_name(boundary);
	add_headers(head, "", headers, view_of(headers->outer));
	buf_add_text(head, "Auto-Submitted: auto-generated\r\n");
	add_autocrypt(head, headers->from, autocrypt);
	buf_printf(head,
	    "MIME-Version: 1.0\r\nContent-Type: multipart/encrypted;\r\n"
	    " protocol=\"application/pgp-encrypted\";\r\n boundary=\"%s\"\r\n\r\n"
	    "--%s\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n"
	    "--%s\r\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\r\n"
	    "Content-Disposition: inline; filename=\"encrypted.asc\"\r\n\r\n",
	    boundary, boundary, boundary);
	/* The line end in front belongs to the boundary (RFC 2046 section 5.1.1). */
	buf_printf(tail, "\r\n--%s--\r\n", boundary);
}

void compose_set_tag(struct buf *entity, const char *tag)
{
	static const char *const names[] = {"Message-ID: <", "HP-Outer: Message-ID: <"};
	const size_t len = strlen(tag);
	struct view rest = buf_view(entity);
	struct view line;
	while (view_next_line(&rest, &line) && line.len > 0) {
		const size_t at = view_find(line, VIEW("@"));
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			if (view_starts_nocase(line, names[i]) && at != SIZE_MAX &&
			    at >= strlen(names[i]) + len)
				memcpy(entity->data + (line.data - entity->data) + at - len, tag,
				    len);
		}
	}
}

void compose_set_date(struct buf *entity, int64_t date)
{
	static const char *const names[] = {"Date: ", "HP-Outer: Date: "};
	char value[TEXT_TIME_SIZE];
	struct view rest = buf_view(entity);
	struct view line;
	text_format_mail_date(date, value);
	while (view_next_line(&rest, &line) && line.len > 0) {
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			const size_t len = strlen(names[i]);
			/* All dates have the same length. */
			if (view_starts_nocase(line, names[i]) && line.len == len + strlen(value))
				memcpy(entity->data + (line.data - entity->data) + len, value,
				    strlen(value));
		}
	}
}
