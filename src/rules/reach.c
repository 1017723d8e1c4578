#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/moment.h"
#include "rules/audience.h"
#include "rules/reach.h"

static bool no(char reason[static STORE_REASON_SIZE], const char *text, const char *what)
{
	snprintf(reason, STORE_REASON_SIZE, "%s%s", text, what);
	return false;
}

static bool live(int64_t expires, int64_t now)
{
	return expires == 0 || expires > now;
}

static bool expired(char reason[static STORE_REASON_SIZE], const char *what, int64_t when)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	buf_printf(&text, "%s expired on ", what);
	moment_add(&text, when, 0);
	snprintf(reason, STORE_REASON_SIZE, "%s", buf_text(&text));
	buf_release(&text);
	return false;
}

bool reach_certificate(
    const struct certificate *certificate, int64_t now, char reason[static STORE_REASON_SIZE])
{
	reason[0] = '\0';
	if (strcmp(certificate->state, "pending") == 0)
		return no(reason, "the certificate is not confirmed yet", "");
	if (strcmp(certificate->state, "confirmed") != 0)
		return no(reason, "the certificate is ", certificate->state);
	if (!live(certificate->facts.expires, now))
		return expired(reason, "the certificate", certificate->facts.expires);
	if (!live(certificate->facts.encryption_expires, now))
		return expired(
		    reason, "the encryption subkey", certificate->facts.encryption_expires);
	return true;
}

bool reach_notice(const struct contact *contact, const struct certificate *certificate, int64_t now,
    char reason[static STORE_REASON_SIZE])
{
	reason[0] = '\0';
	if (contact->removed)
		return no(reason, "the contact was removed", "");
	if (certificate == NULL)
		return no(reason, "there is no certificate ", contact->fingerprint);
	return reach_certificate(certificate, now, reason);
}

bool reach_contact(const struct contact *contact, const struct member *member,
    const struct certificate *certificate, const char *agreement, enum tlp label, int64_t now,
    char reason[static STORE_REASON_SIZE])
{
	enum tlp clearance;
	reason[0] = '\0';
	if (contact->removed)
		return no(reason, "the contact was removed", "");
	const bool lapsed = strcmp(member->state, "lapsed") == 0;
	if (strcmp(member->state, "active") != 0 && !lapsed)
		return no(reason, "the member is ", member->state);
	if (agreement[0] != '\0')
		return no(reason, agreement, "");
	if (lapsed)
		return no(reason, "the member is ", member->state);
	if (!tlp_from(view_of(contact->clearance), &clearance))
		return no(reason, "the clearance is not a TLP label: ", contact->clearance);
	if (!tlp_allows(clearance, label)) {
		snprintf(reason, STORE_REASON_SIZE, "cleared up to TLP:%s, and this is TLP:%s",
		    tlp_name(clearance), tlp_name(label));
		return false;
	}
	return reach_notice(contact, certificate, now, reason);
}

bool reach_named(enum tlp label, struct view audience, const struct contact *contact,
    char reason[static STORE_REASON_SIZE])
{
	reason[0] = '\0';
	if (label < TLP_RED || audience_names(audience, contact->address))
		return true;
	return no(reason, "TLP:RED goes only to those whom the audience names by address", "");
}

bool reach_publisher(const struct publisher *publisher, const struct certificate *certificate,
    int64_t now, char reason[static STORE_REASON_SIZE])
{
	reason[0] = '\0';
	if (publisher->removed)
		return no(reason, publisher->admin ? "the admin" : "the publisher", " was removed");
	if (certificate == NULL)
		return no(reason, "there is no certificate ", publisher->fingerprint);
	return reach_certificate(certificate, now, reason);
}

int64_t reach_expires(const struct certificate *certificate)
{
	const int64_t primary = certificate->facts.expires;
	const int64_t subkey = certificate->facts.encryption_expires;
	if (primary == 0 || subkey == 0)
		return primary == 0 ? subkey : primary;
	return primary < subkey ? primary : subkey;
}
