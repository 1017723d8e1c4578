/* A mail read by a reader process of its own, as the gate does it: MIME from outside is never
 * parsed where keys can be used. */
#ifndef DEWLINE_DEWCTL_READING_H
#define DEWLINE_DEWCTL_READING_H

#include "config/config.h"
#include "mail/reader.h"

struct reading {
	enum mail_shape shape; /* of READER_OUTLINE */
	bool wrapped; /* of READER_CONTENT: there is a multipart/signed inside */
	struct buf message;
	struct buf signature;
};

/* Releases what `out` held before; the caller releases the result, after an error too. */
int reading_ask(const struct config *config, enum reader_request type, struct view bytes,
    struct reading *out, struct err *err);
void reading_release(struct reading *reading);

#endif
