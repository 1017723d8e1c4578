#include "config.h"

#include "base/text.h"
#include "gate/letters_key.h"

void letter_key_expired(
    struct buf *out, const char *address, const char *fingerprint, int64_t expires)
{
	char when[TEXT_TIME_SIZE];
	text_format_time(expires, when);
	buf_printf(out,
	    "The OpenPGP key of %s, or the subkey that mail is encrypted\n"
	    "for, expired on %s. Nothing reaches its owner until a renewed\n"
	    "certificate comes. They were told once, by a mail that holds nothing else,\n"
	    "because it could not be encrypted. Ask them over another channel as well.\n\n"
	    "Key: %s\n",
	    address, when, fingerprint);
}

void letter_key_warning(struct buf *out, const char *programme, const char *address,
    const char *fingerprint, int64_t expires)
{
	char when[TEXT_TIME_SIZE];
	text_format_time(expires, when);
	buf_printf(out,
	    "The OpenPGP key of %s, or the subkey that mail is encrypted\n"
	    "for, expires on %s. From then on nothing of\n"
	    "%s\n"
	    "reaches its owner.\n\n"
	    "Key: %s\n\n"
	    "If it is yours, renew it, for two years or as your rules want it:\n\n"
	    "    gpg --quick-set-expire %s 2y\n"
	    "    gpg --quick-set-expire %s 2y '*'\n"
	    "    gpg --armor --export %s > key.asc\n\n"
	    "Then reply to this mail, signed with this key, with key.asc attached, and\n"
	    "make the first two lines of your reply\n\n"
	    "    Key: update\n"
	    "    (an empty line)\n\n"
	    "You get an answer at once. The same way brings a new key: its holder is asked\n"
	    "for the fingerprint over another channel before it is used.\n",
	    address, when, programme, fingerprint, fingerprint, fingerprint, fingerprint);
}

void letter_key_renewed(struct buf *out, const char *fingerprint, int64_t expires)
{
	char when[TEXT_TIME_SIZE];
	text_format_time(expires, when);
	buf_printf(out,
	    "Your renewed certificate is taken, and mail is encrypted for it from now on.\n\n"
	    "Key: %s\n",
	    fingerprint);
	if (expires != 0)
		buf_printf(out, "It can be used until %s.\n", when);
	else
		buf_add_text(out, "It has no expiry.\n");
}

void letter_key_pending(struct buf *out, const char *former, const char *fingerprint)
{
	buf_printf(out,
	    "You sent a new key. It is kept, and not used yet: an admin of the programme\n"
	    "asks you for its fingerprint over another channel first. Until then your\n"
	    "mail is encrypted for the former key.\n\n"
	    "New key:    %s\n"
	    "Former key: %s\n\n"
	    "If it was not you who sent it, tell the admin at once.\n",
	    fingerprint, former);
}

void letter_key_refused(struct buf *out, const struct refusal *refusal, int64_t arrival)
{
	buf_add_text(out, "Your mail about your key was refused, and nothing was changed.\n\n");
	if (refusal->line > 0)
		buf_printf(out, "Line %d of the signed text: ", refusal->line);
	else
		buf_add_text(out, "Reason: ");
	buf_printf(out,
	    "%s.\n\n"
	    "Send it again, signed anew: the first line is \"Key: update\", the second is\n"
	    "empty, and your certificate is attached or stands below, armored. The gateway\n"
	    "keeps your mail as arrival %lld.\n",
	    refusal->text, (long long)arrival);
}
