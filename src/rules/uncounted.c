#include "config.h"

#include <string.h>

#include "rules/uncounted.h"

static const struct {
	const char *name;
	const char *text;
	const char *advice;
} reasons[UNCOUNTEDS] = {
    [UNCOUNTED_NOT] = {"", "", ""},
    [UNCOUNTED_UNREADABLE] = {"unreadable", "it cannot be read", ""},
    [UNCOUNTED_UNSIGNED] = {"unsigned", "it is not signed", ""},
    [UNCOUNTED_UNKNOWN_KEY] = {"unknown-key", "the signing key is unknown", ""},
    [UNCOUNTED_OTHER_KEY] = {"other-key", "the signature is not by the pinned certificate", ""},
    [UNCOUNTED_BAD] = {"bad-signature", "the signature is bad", ""},
    [UNCOUNTED_NO_TOKEN] = {"no-token", "it holds no token of an advisory", ""},
    [UNCOUNTED_TOKEN_OUTSIDE] = {"token-outside", "its token stands outside what is signed",
	"What you signed holds no token; what stands outside the signature, as the\n"
	"Subject that everybody can see, could be anybody's. Reply to the advisory\n"
	"and keep its quoted text, or at least the token, in your answer's text.\n"},
    [UNCOUNTED_TOKEN_ATTACHED] = {"token-attached", "its token stands in an attachment alone",
	"Your text holds no token, only what is attached to it does. Reply to the\n"
	"advisory and keep its quoted text, or at least the token, in your text.\n"
	"Some programs and mail gateways put the whole mail into an attachment:\n"
	"switch that off, or write with another program.\n"},
    [UNCOUNTED_NOT_DELIVERED] = {"not-delivered",
	"its token is of a revision that was not delivered to this contact",
	"The gateway did not send it to you, and takes no answer to it from you.\n"
	"Whoever it was sent to has to answer.\n"},
    [UNCOUNTED_AHEAD] = {"dated-ahead", "the signature is dated in the future",
	"Your computer's clock is more than a day ahead. Set it right, and answer\n"
	"once more.\n"},
    [UNCOUNTED_BEFORE] = {"dated-before", "it was signed before the release",
	"By the date of its signature you answered before the advisory was sent. Your\n"
	"computer's clock is behind: set it right, and answer once more.\n"},
    [UNCOUNTED_WEAK] = {"weak", "the signature uses a weak algorithm",
	"Such a signature (SHA-1, for one) can be forged today. Have your program\n"
	"sign with SHA-256 or better: update it, or take out the setting that asks\n"
	"for the old one (in gpg.conf: digest-algo, personal-digest-preferences).\n"
	"Then answer once more.\n"},
    [UNCOUNTED_MANY_SIGNATURES] = {"many-signatures", "it has more than one signature",
	"Sign with one key alone, the one that the gateway knows, and answer once\n"
	"more. Your program may be set to sign with an old and a new key (in\n"
	"gpg.conf: several lines local-user). To have the gateway know a new key,\n"
	"send it in a mail that begins with \"Key: update\".\n"},
    [UNCOUNTED_NESTED] = {"nested", "what is signed in it is signed or encrypted once more",
	"Your program, or a mail gateway on the way, signed or encrypted it twice.\n"
	"Send it signed and encrypted once.\n"},
    [UNCOUNTED_SIGNATURE_EXPIRED] = {"signature-expired", "the signature has expired",
	"Your program gives its signatures an end, and this one's had come. Take that\n"
	"setting out (in gpg.conf: default-sig-expire), and answer once more.\n"},
    [UNCOUNTED_KEY_EXPIRED] = {"key-expired", "the signing key had expired",
	"Renew your key, and send it to the gateway in a signed mail that begins\n"
	"with \"Key: update\". Then answer once more.\n"},
    [UNCOUNTED_KEY_REVOKED] = {"key-revoked", "the signing key is revoked",
	"A key that was revoked signs nothing any more: sign with one that is in\n"
	"force, and answer once more. If you did not write this answer, somebody else\n"
	"has that key: tell the gateway's admins.\n"},
    [UNCOUNTED_KEY_RETIRED] = {"key-retired", "the signer's certificate is retired",
	"The gateway knows that key no more. Ask its admins which of yours they have.\n"},
    [UNCOUNTED_KEY_UNCONFIRMED] = {"key-unconfirmed",
	"the signer's certificate is not confirmed",
	"An admin has to confirm your key first: ask the gateway's admins.\n"},
};

const char *uncounted_name(enum uncounted why)
{
	return reasons[why].name;
}

enum uncounted uncounted_from(const char *name)
{
	for (int i = UNCOUNTED_NOT; i < UNCOUNTEDS; i++) {
		if (strcmp(reasons[i].name, name) == 0)
			return (enum uncounted)i;
	}
	return UNCOUNTED_NOT;
}

const char *uncounted_text(enum uncounted why)
{
	return reasons[why].text;
}

const char *uncounted_advice(enum uncounted why)
{
	return reasons[why].advice;
}

bool uncounted_is_told(enum uncounted why)
{
	return reasons[why].advice[0] != '\0';
}

const char *uncounted_hint(enum uncounted why)
{
	switch (why) {
	case UNCOUNTED_UNSIGNED:
		return "Tick \"Sign\" before you send. Thunderbird: OpenPGP, Digitally Sign.\n"
		       "Claws Mail: Options, Sign. Evolution: Options, PGP Sign. mutt: p, b.\n"
		       "The settings of your account can make it the default.\n";
	case UNCOUNTED_UNKNOWN_KEY:
	case UNCOUNTED_OTHER_KEY:
		return "Sign with the key that the gateway knows. To have it know a new one,\n"
		       "send that in a mail that begins with \"Key: update\", signed with the\n"
		       "old one, or ask the gateway's admins.\n";
	case UNCOUNTED_BAD:
		return "It was changed after it was signed, by some program or by a mail gateway\n"
		       "on the way. Sign and encrypt it in one step (PGP/MIME).\n";
	case UNCOUNTED_NO_TOKEN:
		return "Reply to this mail and keep its quoted text, or at least the token.\n";
	default:
		return reasons[why].advice;
	}
}
