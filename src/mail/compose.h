/* Writing mail: the protected entity that is sealed, and the outside that carries it.
 *
 * The inside has RFC 9788 header protection (hp="cipher", HP-Outer, and protected-headers="v1" on a
 * multipart/mixed root, which Thunderbird wants). The outside is multipart/encrypted (RFC 3156) and
 * tells nothing but that the gateway wrote. 7-bit, CRLF, lines of at most 76. */
#ifndef DEWLINE_MAIL_COMPOSE_H
#define DEWLINE_MAIL_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/entity.h"

enum { COMPOSE_ID_SIZE = 256 };

/* What the outside says in place of the subject. The last two say in a mailbox what a mail is, and
 * to an observer nothing but that the gateway answers, or waits for an answer. */
extern const char compose_hidden[]; /* "[...]" */
extern const char compose_receipt[]; /* "Receipt" */
extern const char compose_reminder[]; /* "Reminder" */

struct compose_headers {
	const char *from_name;  /* programme's name, UTF-8 */
	const char *from;       /* the gateway's address */
	const char *to;         /* the list's address, or one publisher's */
	const char *subject;    /* protected, UTF-8 */
	const char *outer;      /* what the outside says in its place: one of the words below */
	const char *message_id; /* without angle brackets */
	int64_t date;           /* seconds since 1970 */
};

/* A new random Message-ID in the domain of `address`, without angle brackets. */
void compose_message_id(const char *address, char out[static COMPOSE_ID_SIZE]);

/* The entity to be signed and encrypted: text (UTF-8, LF; as encode_text_part has it) first, then
 * the attachments, each byte for byte in base64. */
void compose_inner(struct buf *out, const struct compose_headers *headers, struct view text,
    const struct mail_part *attachments, size_t count);

/* The outside: `head` ends where the armor begins, `tail` begins where it has ended. `autocrypt` is
 * the gateway's minimal binary certificate, or empty for no Autocrypt header. */
void compose_outer(struct buf *head, struct buf *tail, const struct compose_headers *headers,
    struct view autocrypt);

/* Puts another date in place of the one that `entity` was composed with, in its own fields and in
 * HP-Outer: in an inside, or in the head of an outside. What was composed long before it is sealed
 * must not look to a mail program as if its signature had been made by somebody else. */
void compose_set_date(struct buf *entity, int64_t date);

/* Puts a tag in place of the last characters of the Message-ID's random name, in the same fields: what
 * is sealed anew, and may have left with other bytes before, has another Message-ID. */
void compose_set_tag(struct buf *entity, const char *tag);

#endif
