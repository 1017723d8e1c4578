/* Which shapes of mail are taken, and from whom: decided here and nowhere else.
 *
 * A shape is the form of a whole mail once it has been opened. Shapes and refusals are fixed sets
 * of names, which stand with every arrival and in dewctl(8). */
#ifndef DEWLINE_RULES_INTAKE_H
#define DEWLINE_RULES_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/entity.h"

enum intake_shape {
	INTAKE_PLAIN, /* nothing of OpenPGP, or only inside an attached mail */
	INTAKE_REPORT, /* a delivery or reading report */
	INTAKE_SMIME,
	INTAKE_TNEF, /* winmail.dat */
	INTAKE_MALFORMED, /* over a limit, or no sound MIME */
	INTAKE_BROKEN, /* OpenPGP that is cut or put together wrongly */
	INTAKE_MANY_PARTS,
	INTAKE_SIGNATURE_LOST, /* a signature without the bytes that it was over */
	INTAKE_UNOPENED, /* GnuPG could not open it */
	INTAKE_UNSIGNED, /* opened, and no signature covers all of what was inside */
	INTAKE_MANY_SIGNATURES,
	INTAKE_NESTED, /* signed, and inside that signed or encrypted once more */
	/* One signature, over all that is read. */
	INTAKE_ENCRYPTED, /* PGP/MIME, signed and encrypted in one message */
	INTAKE_SIGNED_INSIDE, /* PGP/MIME, multipart/signed inside the encryption */
	INTAKE_SIGNED, /* PGP/MIME, multipart/signed */
	INTAKE_INLINE_ENCRYPTED,
	INTAKE_INLINE_SIGNED,
	INTAKE_ATTACHED_ENCRYPTED, /* what gpg wrote, as an attachment */
	INTAKE_ATTACHED_SIGNED,
	INTAKE_SHAPES
};

/* Whose it is, by the key that signed, and what for where that makes a difference. */
enum intake_from {
	INTAKE_FROM_NOBODY, /* no signature, or not one alone */
	INTAKE_FROM_STRANGER, /* a key that belongs to nobody here */
	INTAKE_FROM_JOINER, /* the same, with a request to join: it is put before the admin */
	INTAKE_FROM_PUBLISHER,
	INTAKE_FROM_CONTACT,
	INTAKE_FROM_REPORTER, /* a contact, with a report for the publishers */
	INTAKE_FROM_KEY_OWNER, /* anybody known, renewing the key that signed */
	INTAKE_FROMS
};

enum intake_refusal {
	INTAKE_TAKEN,
	INTAKE_NO_SIGNATURE, /* "not-signed" */
	INTAKE_NO_SINGLE_SIGNATURE, /* "many-signatures" */
	INTAKE_NO_OPENPGP, /* "not-openpgp" */
	INTAKE_NO_SOUND_MAIL, /* "malformed" */
	INTAKE_NO_SOUND_OPENPGP, /* "broken" */
	INTAKE_NO_SINGLE_PART, /* "many-parts" */
	INTAKE_NO_SIGNED_BYTES, /* "signature-lost" */
	INTAKE_NOT_OPENED, /* "unopened" */
	INTAKE_NO_FLAT_SIGNATURE, /* "nested" */
	INTAKE_NOBODY_HERE, /* "stranger" */
	INTAKE_IN_THE_OPEN, /* "in-the-open" */
	INTAKE_TEXT_OUTSIDE, /* "text-outside" */
	INTAKE_REFUSALS
};

/* What is known of a mail, as far as it has been opened. */
struct intake_facts {
	enum mail_shape mail;
	bool whole; /* no text outside the OpenPGP part */
	bool opened; /* by GnuPG: the next ones say what it found */
	uint32_t signatures; /* over the innermost layer that has any */
	bool inside; /* they were found in a multipart/signed inside the encryption */
	bool nested; /* what they cover is signed or encrypted once more */
};

enum intake_shape intake_shape_of(const struct intake_facts *facts);

/* The decision. With INTAKE_TAKEN one signature stands, and what it covers is all that may be read:
 * whether that signature counts is another question (rules/signature.h). */
enum intake_refusal intake_decide(const struct intake_facts *facts, enum intake_from from);

/* The names of the two sets. That of INTAKE_TAKEN is "". */
const char *intake_shape_name(enum intake_shape shape);
const char *intake_refusal_name(enum intake_refusal refusal);
/* One clause for people, "it is not signed"; "" for INTAKE_TAKEN. */
const char *intake_refusal_text(enum intake_refusal refusal);

#endif
