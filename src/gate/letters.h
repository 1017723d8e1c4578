/* The texts that people get: the advisory's frame, receipts and refusals. Pure. UTF-8, LF, our own
 * lines at most 76 wide, rules shorter (letters_parts.h). */
#ifndef DEWLINE_GATE_LETTERS_H
#define DEWLINE_GATE_LETTERS_H

#include "base/buf.h"
#include "rules/advisory.h"
#include "store/advisories.h"
#include "store/people.h"

struct letter_advisory {
	const char *programme; /* gateway.name */
	const char *gateway; /* its address */
	const char *fingerprint;
	const char *publisher; /* name or address; "" for an admin's withdrawal */
	const struct advisory *advisory;
	const struct revision *revision;
	const char *title;
	struct view text;
	const char *copy; /* "Copy 7 of 12, for ADDRESS" of a traced copy, else NULL */
};

/* The protected subject: "[DEW-2026-0007 r1] title [TOKEN]". */
void letter_subject(struct buf *out, const struct letter_advisory *letter);
/* The text: a banner with TLP, what it is, who says so, for whom and until when; how to acknowledge,
 * with the token; the publisher's text. What an answer needs stands above that text, since mail
 * programs quote nothing from a line on that they take for the start of a signature. */
void letter_text(struct buf *out, const struct letter_advisory *letter);

/* To a publisher or a contact whose mail was refused as a whole. */
void letter_refusal(struct buf *out, const struct refusal *refusal, int64_t arrival);

/* Receipts, to a publisher. */
struct letter_receipt {
	const struct advisory *advisory;
	const struct revision *revision;
	const char *title;
	struct delivery_counts counts;
	int64_t now;
	bool traced; /* every recipient has a copy of its own */
	bool complete; /* all deliveries are final; else: all is sealed and on its way */
	struct view unreached; /* "address (member): reason" lines */
	struct view clear; /* lines of letter_add_clear */
	int64_t audit_sequence; /* the checkpoint */
	const char *audit_hash;
};
void letter_receipt(struct buf *out, const struct letter_receipt *receipt);

#endif
