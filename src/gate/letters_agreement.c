#include "config.h"

#include "base/digest.h"
#include "base/text.h"
#include "gate/letters_agreement.h"

static const char rule[] =
    "----------------------------------------------------------------------------\n";

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
	char when[TEXT_TIME_SIZE];
	if (letter->invitation) {
		buf_printf(out,
		    "%s is invited to %s,\nwhich warns its members of vulnerabilities before the "
		    "public knows. Membership\nis by choice and costs nothing. It begins when you "
		    "sign the agreement below,\nand you can end it at any time.\n\n",
		    letter->member->name, letter->programme);
		return;
	}
	buf_printf(out,
	    "You are a contact of %s in\n%s. Version %lld of its agreement stands below: please "
	    "sign it.\n",
	    letter->member->name, letter->programme, version);
	text_format_time(letter->agreement->required_from, when);
	if (letter->agreement->required_from > letter->now)
		buf_printf(out,
		    "Until %s a signature on the version before suffices.\nFrom then on you get no "
		    "advisories unless you have signed this one.\n\n",
		    when);
	else
		buf_add_text(out, "You get no advisories before you have signed it.\n\n");
}

void letter_agreement_text(struct buf *out, const struct letter_agreement *letter)
{
	char hash[DIGEST_HEX_SIZE];
	char when[TEXT_TIME_SIZE];
	add_reason(out, letter);
	buf_printf(out,
	    "To answer, reply to this mail, signed with your own key, and keep the token in\n"
	    "the reply (quoting this text does). Encrypt the reply if you can. Its first line\n"
	    "says what you want:\n\n"
	    "    accept     you agree to the text below\n"
	    "    decline    you do not\n"
	    "    leave      at any time later: the membership ends\n\n"
	    "Nothing else binds you, and no answer means no.\n\n"
	    "Token: %s\n\n",
	    letter->token);
	digest_sha256_hex(letter->text, hash);
	buf_add_text(out, rule);
	buf_printf(out, "Agreement version %lld\n", (long long)letter->agreement->version);
	text_format_time(letter->agreement->expires, when);
	if (letter->agreement->expires != 0)
		buf_printf(out, "Expires:  %s\n", when);
	buf_printf(out, "SHA-256:  %s\n", hash);
	buf_add_text(out, rule);
	buf_add_char(out, '\n');
	buf_add_view(out, letter->text);
	buf_add_text(out, "\n\n");
	buf_add_text(out, rule);
	buf_printf(
	    out, "Sent by %s\nwith the gateway key %s.\n", letter->gateway, letter->fingerprint);
}
