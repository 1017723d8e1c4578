#include "config.h"

#include "base/digest.h"
#include "base/moment.h"
#include "gate/letters_agreement.h"
#include "gate/letters_parts.h"

void letter_agreement_subject(struct buf *out, const struct letter_agreement *letter)
{
	if (letter->reminder)
		buf_add_text(out, "Reminder: ");
	if (letter->invitation)
		buf_printf(out, "Invitation to %s [%s]", letter->programme, letter->token);
	else
		buf_printf(out, "Agreement version %lld of %s, to sign [%s]",
		    (long long)letter->agreement->version, letter->programme, letter->token);
}

static void add_reason(struct buf *out, const struct letter_agreement *letter)
{
	const long long version = letter->agreement->version;
	if (letter->invitation) {
		buf_printf(out,
		    "%s is invited to %s,\nwhich warns its members of vulnerabilities before the "
		    "public knows.\nMembership is by choice and costs nothing. It begins when you "
		    "sign the\nagreement below, and you can end it at any time.\n\n",
		    letter->member->name, letter->programme);
		return;
	}
	buf_printf(out,
	    "You are a contact of %s in\n%s.\nVersion %lld of its agreement stands below: "
	    "please sign it.\n",
	    letter->member->name, letter->programme, version);
	if (letter->agreement->required_from <= letter->now) {
		buf_add_text(out, "You get no advisories before you have signed it.\n\n");
		return;
	}
	buf_add_text(out, "It is required ");
	moment_add_from(out, letter->agreement->required_from, letter->now);
	buf_add_text(out,
	    ".\nUntil then a signature on the version before suffices. From then on you get\n"
	    "no advisories unless you have signed this one.\n\n");
}

void letter_agreement_text(struct buf *out, const struct letter_agreement *letter)
{
	char hash[DIGEST_HEX_SIZE];
	add_reason(out, letter);
	buf_printf(out,
	    "To answer, reply to this mail: sign and encrypt the reply, and keep this\n"
	    "token in it, as quoting this text does.\n"
	    "Token: %s\n"
	    "The first line of the reply says what you want:\n\n"
	    "    accept     you agree to the text below\n"
	    "    decline    you do not\n"
	    "    leave      at any time later: the membership ends\n\n"
	    "Nothing else binds you, and no answer means no.\n\n",
	    letter->token);
	digest_sha256_hex(letter->text, hash);
	letter_add_rule(out);
	buf_printf(out, "Agreement version %lld\n", (long long)letter->agreement->version);
	if (letter->agreement->expires != 0) {
		buf_add_text(out, "Expires:  ");
		moment_add_from(out, letter->agreement->expires, letter->now);
		buf_add_char(out, '\n');
	}
	buf_printf(out, "SHA-256:\n%s\n", hash);
	letter_add_rule(out);
	buf_add_char(out, '\n');
	buf_add_view(out, letter->text);
	buf_add_text(out, "\n\n");
	letter_add_rule(out);
	buf_printf(
	    out, "Sent by %s\nwith the gateway key %s.\n", letter->gateway, letter->fingerprint);
}
