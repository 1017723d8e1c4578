/* The OpenPGP form of a mail, decided in one place.
 *
 * Also what both readings share: the two parts of a multipart/signed. */
#ifndef DEWLINE_MAIL_SHAPE_H
#define DEWLINE_MAIL_SHAPE_H

#include <stdbool.h>

#include "base/buf.h"
#include "mail/entity.h"
#include "mail/tree.h"

/* A piece of a buffer that may still grow and move. */
struct span {
	size_t from;
	size_t len;
};
struct view span_view(struct span span, const struct buf *store);

/* True for a form in which there is an OpenPGP part to be opened. */
bool shape_is_openpgp(enum mail_shape shape);

/* True for a multipart/signed of OpenPGP (RFC 3156 section 5): two parts at least, the second an
 * application/pgp-signature, and no other protocol named. */
bool shape_is_signed(const struct tree *tree, size_t index);
/* Puts its signed bytes, brought to CR LF, and its signature into the store. */
void shape_cut_signed(const struct tree *tree, size_t index, struct buf *store,
    struct span *message, struct span *signature);
/* True when it holds more than these two parts. */
bool shape_has_beside(const struct tree *tree, size_t index);
/* True for a multipart/report about delivery or reading (RFC 3464, RFC 8098). */
bool shape_is_report(const struct tree *tree, size_t index);

#endif
