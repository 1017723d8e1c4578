/* What contacts read who are invited, or asked to sign the agreement. */
#ifndef DEWLINE_GATE_LETTERS_AGREEMENT_H
#define DEWLINE_GATE_LETTERS_AGREEMENT_H

#include "base/buf.h"
#include "store/agreements.h"
#include "store/people.h"

struct letter_agreement {
	const char *programme; /* gateway.name */
	const char *gateway; /* its address */
	const char *fingerprint;
	const struct member *member;
	const struct agreement *agreement;
	const char *token;
	bool invitation; /* the member is invited, and takes part once this is accepted */
	bool reminder;
	int64_t now;
	struct view text; /* of the agreement */
};

/* The protected subject: "Invitation to NAME [TOKEN]". */
void letter_agreement_subject(struct buf *out, const struct letter_agreement *letter);
/* Why, until when, how to answer, the token, and the whole text with its SHA-256. */
void letter_agreement_text(struct buf *out, const struct letter_agreement *letter);

#endif
