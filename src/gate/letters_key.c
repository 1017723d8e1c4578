#include "config.h"

#include "base/moment.h"
#include "gate/letters_key.h"
#include "gate/letters_parts.h"
#include "mail/paragraph.h"

void letter_key_expired(
    struct buf *out, const char *address, const char *fingerprint, int64_t expires, int64_t now)
{
	buf_printf(out,
	    "The OpenPGP key of %s, or the subkey that mail is encrypted\n"
	    "for, has expired: ",
	    address);
	moment_add_from(out, expires, now);
	buf_printf(out,
	    ".\nNothing reaches its owner until a renewed public key comes. They were told\n"
	    "once, by a mail that holds nothing else, because it could not be encrypted.\n"
	    "Ask them over another channel as well.\n\n"
	    "Key: %s\n",
	    fingerprint);
}

void letter_key_lost(struct buf *out, const char *address, const char *fingerprint)
{
	buf_printf(out,
	    "The OpenPGP key of %s\n"
	    "is out of use for good: its owner has revoked it, or an admin has retired\n"
	    "it. Nothing reaches its owner from now on, and nothing counts that is\n"
	    "signed with it, until they have a new key. No mail can tell them so: ask\n"
	    "them over another channel for a new key, and for its fingerprint.\n\n"
	    "Key: %s\n",
	    address, fingerprint);
}

void letter_key_warning(struct buf *out, const struct letter_key *letter)
{
	const char *const key = letter->fingerprint;
	buf_printf(out,
	    "The OpenPGP key of %s, or the subkey that mail is encrypted\n"
	    "for, expires ",
	    letter->address);
	moment_add_from(out, letter->expires, letter->now);
	buf_printf(out,
	    ".\nFrom then on nothing of\n%s\nreaches its owner.\n\n"
	    "Key: %s\n\n"
	    "If it is yours, give it a later expiry, of two years or as your rules want\n"
	    "it, where you made it. In Thunderbird that is Account Settings, End-To-End\n"
	    "Encryption. Where you use gpg:\n\n"
	    "    gpg --quick-set-expire %s 2y\n"
	    "    gpg --quick-set-expire %s 2y '*'\n"
	    "    gpg --armor --export %s > key.asc\n\n"
	    "Then reply to this mail, signed with this key, with the renewed public key\n"
	    "attached, and make the first two lines of your reply\n\n"
	    "    Key: update\n"
	    "    (an empty line)\n\n"
	    "You get an answer at once. The same way brings a new key: its holder is\n"
	    "asked for the fingerprint over another channel before it is used.\n\n"
	    "If it is not yours, you get this as an admin of the gateway: see to it that\n"
	    "its owner has read it.\n",
	    letter->programme, key, key, key, key);
}

void letter_key_renewed(struct buf *out, const char *fingerprint, int64_t expires, int64_t now)
{
	buf_printf(out,
	    "Your renewed key is taken, and mail is encrypted for it from now on.\n\n"
	    "Key: %s\n",
	    fingerprint);
	if (expires == 0) {
		buf_add_text(out, "It has no expiry.\n");
		return;
	}
	buf_add_text(out, "It expires ");
	moment_add_from(out, expires, now);
	buf_add_text(out, ".\n");
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

void letter_key_unchanged(struct buf *out)
{
	buf_add_text(out,
	    "Your key is known as you sent it: there is nothing new in your mail, and\n"
	    "nothing was changed.\n");
}

void letter_key_kept(struct buf *out)
{
	buf_add_text(out, "What your key revokes is taken. Nothing else of it is, for the reason\n"
			  "below: what you sent before stays in use.\n");
}

void letter_key_begin_fates(struct buf *out)
{
	buf_add_text(out, "\nWhat became of each key in your mail:\n\n");
}

static const char *fate_of(const struct keyfate_key *key)
{
	static const char *const fates[] = {
	    [KEYFATE_REFUSED] = "not taken: ",
	    [KEYFATE_PASSED_OVER] = "the gateway's own key, passed over",
	    [KEYFATE_UNCHANGED] = "your key, with nothing new in it",
	    [KEYFATE_RENEWED] = "your key, renewed: it is used from now on",
	    [KEYFATE_KEPT] = "your key, of which what it revokes is taken and nothing else: ",
	    [KEYFATE_WAITS] = "a new key: it waits for an admin",
	    [KEYFATE_CLOSED] = "your key, for which nothing can be encrypted any more",
	    [KEYFATE_REVOKED] = "your key, revoked",
	};
	return fates[key->fate];
}

static void add_fate(struct buf *out, const char *what, const char *fate, const char *reason)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	buf_printf(out, "    %s\n", what);
	buf_printf(&text, "%s%s", fate, reason);
	paragraph_add(out, "      ", buf_view(&text));
	buf_add_char(out, '\n');
	buf_release(&text);
}

void letter_key_fate(struct buf *out, const struct keyfate_key *key)
{
	const char *fingerprint = key->verdict->facts.fingerprint;
	const bool why = key->fate == KEYFATE_REFUSED || key->fate == KEYFATE_KEPT;
	add_fate(out, fingerprint[0] != '\0' ? fingerprint : "a key without a fingerprint",
	    fate_of(key), why ? key->reason : "");
	if (key->verdict->unproved[0] != '\0')
		add_fate(out, key->verdict->unproved,
		    "a revocation by this key does not count: the gateway does not know it", "");
}

void letter_key_unread(struct buf *out, const char *name, const char *reason)
{
	struct buf what = BUF_EMPTY(BUF_SMALL);
	if (name[0] == '\0')
		buf_add_text(&what, "the text");
	else
		buf_printf(&what, "the attachment %.60s", name);
	add_fate(out, buf_text(&what), "not looked at: ", reason);
	buf_release(&what);
}

void letter_key_left_out(struct buf *out, uint32_t count)
{
	if (count > 0)
		buf_printf(out, "    %u more, not looked at: send less in one mail\n", count);
}

void letter_key_refused(struct buf *out, const struct refusal *refusal, int64_t arrival)
{
	buf_add_text(out, "Your mail about your key was refused, and nothing was changed.\n\n");
	letter_add_refusal(out, refusal);
	buf_printf(out,
	    "Send it again, signed anew: the first line is \"Key: update\", the second is\n"
	    "empty, and your public key is attached or stands below, armored. Should you\n"
	    "have to ask the gateway's admins, name your mail: it is arrival %lld.\n",
	    (long long)arrival);
}
