#include "config.h"

#include "rules/intake.h"

static const char *const shape_names[INTAKE_SHAPES] = {
    [INTAKE_PLAIN] = "plain",
    [INTAKE_REPORT] = "report",
    [INTAKE_SMIME] = "smime",
    [INTAKE_TNEF] = "tnef",
    [INTAKE_MALFORMED] = "malformed",
    [INTAKE_BROKEN] = "broken",
    [INTAKE_MANY_PARTS] = "many-parts",
    [INTAKE_SIGNATURE_LOST] = "signature-lost",
    [INTAKE_UNOPENED] = "unopened",
    [INTAKE_UNSIGNED] = "unsigned",
    [INTAKE_MANY_SIGNATURES] = "many-signatures",
    [INTAKE_NESTED] = "nested",
    [INTAKE_ENCRYPTED] = "encrypted",
    [INTAKE_SIGNED_INSIDE] = "signed-inside",
    [INTAKE_SIGNED] = "signed",
    [INTAKE_INLINE_ENCRYPTED] = "inline-encrypted",
    [INTAKE_INLINE_SIGNED] = "inline-signed",
    [INTAKE_ATTACHED_ENCRYPTED] = "attached-encrypted",
    [INTAKE_ATTACHED_SIGNED] = "attached-signed",
};

static const struct {
	const char *name;
	const char *text;
} refusals[INTAKE_REFUSALS] = {
    [INTAKE_TAKEN] = {"", ""},
    [INTAKE_NO_SIGNATURE] = {"not-signed", "it is not signed"},
    [INTAKE_NO_SINGLE_SIGNATURE] = {"many-signatures", "it has more than one signature"},
    [INTAKE_NO_OPENPGP] = {"not-openpgp",
	"it is not signed with OpenPGP: it is S/MIME, or Outlook's own format (winmail.dat)"},
    [INTAKE_NO_SOUND_MAIL] = {"malformed", "it is over a limit, or no sound mail"},
    [INTAKE_NO_SOUND_OPENPGP] = {"broken", "its OpenPGP part is cut or not put together right"},
    [INTAKE_NO_SINGLE_PART] = {"many-parts", "it has more than one OpenPGP part"},
    [INTAKE_NO_SIGNED_BYTES] = {"signature-lost",
	"it is not signed any more: a signature is there, but what it was over was rewritten on "
	"the way"},
    [INTAKE_NOT_OPENED] = {"unopened", "it cannot be opened"},
    [INTAKE_NO_FLAT_SIGNATURE] = {"nested",
	"what is signed in it is signed or encrypted once more"},
    [INTAKE_NOBODY_HERE] = {"stranger", "signed by a key that belongs to nobody here"},
    [INTAKE_IN_THE_OPEN] = {"in-the-open",
	"it is signed but not encrypted: it travelled in the open, and whoever carried it could "
	"read it"},
    [INTAKE_TEXT_OUTSIDE] = {"text-outside",
	"there is something outside the signed part (text, a file or a key), which anybody could "
	"have added: send it as one mail that is encrypted and signed as a whole (PGP/MIME)"},
};

const char *intake_shape_name(enum intake_shape shape)
{
	return shape_names[shape];
}

const char *intake_refusal_name(enum intake_refusal refusal)
{
	return refusals[refusal].name;
}

const char *intake_refusal_text(enum intake_refusal refusal)
{
	return refusals[refusal].text;
}

/* Of what GnuPG has opened. */
static enum intake_shape opened_shape(const struct intake_facts *facts, enum intake_shape shape)
{
	if (facts->signatures == 0)
		return INTAKE_UNSIGNED;
	if (facts->signatures > 1)
		return INTAKE_MANY_SIGNATURES;
	return facts->nested ? INTAKE_NESTED : shape;
}

enum intake_shape intake_shape_of(const struct intake_facts *facts)
{
	static const enum intake_shape shapes[] = {
	    [MAIL_PLAIN] = INTAKE_PLAIN,
	    [MAIL_ENCRYPTED] = INTAKE_ENCRYPTED,
	    [MAIL_SIGNED] = INTAKE_SIGNED,
	    [MAIL_INLINE_ENCRYPTED] = INTAKE_INLINE_ENCRYPTED,
	    [MAIL_INLINE_SIGNED] = INTAKE_INLINE_SIGNED,
	    [MAIL_ATTACHED_ENCRYPTED] = INTAKE_ATTACHED_ENCRYPTED,
	    [MAIL_ATTACHED_SIGNED] = INTAKE_ATTACHED_SIGNED,
	    [MAIL_REPORT] = INTAKE_REPORT,
	    [MAIL_MANY] = INTAKE_MANY_PARTS,
	    [MAIL_BROKEN] = INTAKE_BROKEN,
	    [MAIL_SIGNATURE_LOST] = INTAKE_SIGNATURE_LOST,
	    [MAIL_SMIME] = INTAKE_SMIME,
	    [MAIL_TNEF] = INTAKE_TNEF,
	    [MAIL_REFUSED] = INTAKE_MALFORMED,
	};
	const enum intake_shape shape = shapes[facts->mail];
	if (shape < INTAKE_ENCRYPTED)
		return shape;
	if (!facts->opened)
		return INTAKE_UNOPENED;
	return opened_shape(
	    facts, facts->inside && facts->mail == MAIL_ENCRYPTED ? INTAKE_SIGNED_INSIDE : shape);
}

/* What the table says where it does not name a refusal. */
enum { YES = INTAKE_TAKEN, WHOLE = INTAKE_REFUSALS };

/* One row for each shape, one column for each of enum intake_from:
 * nobody, stranger, joiner, publisher, contact, reporter, key owner. WHOLE: taken when nothing
 * stands outside the signed part. A shape without one signature is refused alike from everybody.
 * What comes to a return path is looked at as a bounce before (gate/bounce.h), whatever its shape.
 */
#define ALIKE(refusal)                                                                             \
	{                                                                                          \
		refusal, refusal, refusal, refusal, refusal, refusal, refusal                      \
	}
#define STRANGER INTAKE_NOBODY_HERE
#define UNSIGNED INTAKE_NO_SIGNATURE
#define OPEN INTAKE_IN_THE_OPEN
#define SEALED                                                                                     \
	{                                                                                          \
		UNSIGNED, STRANGER, YES, WHOLE, YES, YES, YES                                      \
	}
#define IN_THE_OPEN                                                                                \
	{                                                                                          \
		UNSIGNED, STRANGER, YES, OPEN, YES, OPEN, YES                                      \
	}
static const int table[INTAKE_SHAPES][INTAKE_FROMS] = {
    [INTAKE_PLAIN] = ALIKE(UNSIGNED),
    [INTAKE_REPORT] = ALIKE(UNSIGNED),
    [INTAKE_SMIME] = ALIKE(INTAKE_NO_OPENPGP),
    [INTAKE_TNEF] = ALIKE(INTAKE_NO_OPENPGP),
    [INTAKE_MALFORMED] = ALIKE(INTAKE_NO_SOUND_MAIL),
    [INTAKE_BROKEN] = ALIKE(INTAKE_NO_SOUND_OPENPGP),
    [INTAKE_MANY_PARTS] = ALIKE(INTAKE_NO_SINGLE_PART),
    [INTAKE_SIGNATURE_LOST] = ALIKE(INTAKE_NO_SIGNED_BYTES),
    [INTAKE_UNOPENED] = ALIKE(INTAKE_NOT_OPENED),
    [INTAKE_UNSIGNED] = ALIKE(UNSIGNED),
    [INTAKE_MANY_SIGNATURES] = ALIKE(INTAKE_NO_SINGLE_SIGNATURE),
    [INTAKE_NESTED] = ALIKE(INTAKE_NO_FLAT_SIGNATURE),
    [INTAKE_ENCRYPTED] = SEALED,
    [INTAKE_SIGNED_INSIDE] = SEALED,
    [INTAKE_SIGNED] = IN_THE_OPEN,
    [INTAKE_INLINE_ENCRYPTED] = SEALED,
    [INTAKE_INLINE_SIGNED] = IN_THE_OPEN,
    [INTAKE_ATTACHED_ENCRYPTED] = SEALED,
    [INTAKE_ATTACHED_SIGNED] = IN_THE_OPEN,
};

enum intake_refusal intake_decide(const struct intake_facts *facts, enum intake_from from)
{
	const int verdict = table[intake_shape_of(facts)][from];
	if (verdict != WHOLE)
		return (enum intake_refusal)verdict;
	return facts->whole ? INTAKE_TAKEN : INTAKE_TEXT_OUTSIDE;
}
