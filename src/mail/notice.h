/* The one mail that leaves unencrypted: to somebody whose key has expired, so that nothing can be
 * encrypted for them.
 *
 * It tells that a key expired on a date and which programme's mails cannot reach its owner, and
 * nothing else: whoever calls can choose the moment of expiry and the addresses, and no word of
 * the text. The programme's name comes from the configuration. There is no argument into which
 * an advisory's text, title, number or label could be put; keep it so. */
#ifndef DEWLINE_MAIL_NOTICE_H
#define DEWLINE_MAIL_NOTICE_H

#include <stdint.h>

#include "base/buf.h"
#include "config/config.h"

/* Appends the entity that is signed: text/plain, 7-bit, CR LF. `expired` is when the key expired,
 * seconds since 1970, shown as a date. The same arguments give the same bytes. */
void notice_entity(struct buf *out, const struct config *config, int64_t expired);

struct notice {
	int64_t expired;
	const char *to; /* an address in our strict grammar, else it is left out */
	const char *message_id; /* as compose_message_id made it */
	int64_t date; /* seconds since 1970 */
	struct view signature; /* detached, over notice_entity, armored */
	const char *digest; /* of the signature, as GnuPG calls it: "SHA256" */
};

/* Appends the whole mail in two pieces: the header, and the multipart/signed body (RFC 3156
 * section 5). */
void notice_mail(
    struct buf *head, struct buf *body, const struct config *config, const struct notice *notice);

#endif
