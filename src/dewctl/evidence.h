/* The signed bytes of a reply, in a form that plain gpg verifies. */
#ifndef DEWLINE_DEWCTL_EVIDENCE_H
#define DEWLINE_DEWCTL_EVIDENCE_H

#include "dewctl/ctl.h"

enum evidence_form {
	EVIDENCE_MESSAGE, /* signed.gpg: one signed OpenPGP message */
	EVIDENCE_DETACHED, /* signed.txt and signature.asc (RFC 3156 section 5) */
	EVIDENCE_CLEARTEXT, /* signed.asc: cleartext signed text */
};

struct evidence {
	enum evidence_form form;
	struct buf bytes; /* the message, or what the signature covers */
	struct buf signature; /* of EVIDENCE_DETACHED */
};

/* Finds them in a raw mail, taking off the encryption where there is any. The caller releases the
 * result, after an error too. */
int evidence_find(struct ctl *ctl, struct view raw, struct evidence *out, struct err *err);
void evidence_release(struct evidence *evidence);

#endif
