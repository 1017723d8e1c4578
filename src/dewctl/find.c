#include "config.h"

#include <ctype.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "dewctl/find.h"
#include "rules/agreement.h"
#include "rules/reach.h"
#include "store/epoch.h"

enum {
	FINGERPRINT_V4_DIGITS = 40,
	FINGERPRINT_V6_DIGITS = 64,
	FINGERPRINT_GROUP_DIGITS = 4,
};

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* Without blanks, in upper case; false where it holds another character or grows too long. */
static bool collect_digits(
    const char *const *words, size_t count, char out[static FINGERPRINT_SIZE], size_t *len)
{
	*len = 0;
	for (size_t i = 0; i < count; i++) {
		const char *at = words[i];
		if (*len == 0 && (strncmp(at, "0x", 2) == 0 || strncmp(at, "0X", 2) == 0))
			at += 2;
		for (; *at != '\0'; at++) {
			if (*at == ' ' || *at == '\t')
				continue;
			const char digit = (char)toupper((unsigned char)*at);
			if (!is_hex(digit) || *len == FINGERPRINT_SIZE - 1)
				return false;
			out[(*len)++] = digit;
		}
	}
	out[*len] = '\0';
	return true;
}

int find_fingerprint(
    const char *const *words, size_t count, char out[static FINGERPRINT_SIZE], struct err *err)
{
	size_t len;
	if (!collect_digits(words, count, out, &len))
		return ctl_refuse(err,
		    "\"%s\" is no fingerprint: give its %d hexadecimal digits, "
		    "see dewctl key list",
		    words[0], FINGERPRINT_V4_DIGITS);
	if (len != FINGERPRINT_V4_DIGITS && len != FINGERPRINT_V6_DIGITS)
		return ctl_refuse(err,
		    "%zu digits are no whole fingerprint: give all %d of them, "
		    "checked over another channel; short key IDs can be forged",
		    len, FINGERPRINT_V4_DIGITS);
	return 0;
}

void find_group_fingerprint(const char *fingerprint, struct buf *out)
{
	const size_t len = strlen(fingerprint);
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && i % FINGERPRINT_GROUP_DIGITS == 0)
			buf_add_text(out, i == len / 2 ? "  " : " ");
		buf_add_char(out, fingerprint[i]);
	}
}

int find_certificate(
    struct ctl *ctl, const char *fingerprint, struct certificate *out, struct err *err)
{
	bool found;
	if (store_certificate_get(ctl->store, fingerprint, out, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(err,
		    "there is no certificate %s: add it with dewctl key add FILE", fingerprint);
	return 0;
}

int find_member(struct ctl *ctl, const char *id, struct member *out, struct err *err)
{
	bool found;
	if (store_member_get(ctl->store, id, out, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(err, "there is no member %s: see dewctl member list", id);
	return 0;
}

int find_contact(struct ctl *ctl, const char *address, struct contact *out, struct err *err)
{
	bool found;
	if (store_contact_by_address(ctl->store, address, out, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(err, "there is no contact %s: see dewctl contact list", address);
	return 0;
}

static int refuse_number(struct ctl *ctl, const char *number, struct err *err)
{
	struct epoch epoch;
	if (store_epoch_get(ctl->store, &epoch, err) < 0)
		return -1;
	return ctl_refuse(err, "there is no advisory %s: see dewctl advisory list --all%s", number,
	    epoch.number == 1 ? ""
			      : "; the store was put back, which may have lost it: see dewctl "
				"restore");
}

int find_advisory(struct ctl *ctl, const char *number, struct advisory *out, struct err *err)
{
	char capitals[STORE_NUMBER_SIZE];
	bool found;
	if (store_advisory_get(ctl->store, number, out, &found, err) < 0)
		return -1;
	if (!found && view_copy(view_of(number), capitals, sizeof capitals)) {
		for (char *at = capitals; *at != '\0'; at++)
			*at = (char)toupper((unsigned char)*at);
		if (store_advisory_get(ctl->store, capitals, out, &found, err) < 0)
			return -1;
	}
	return found ? 0 : refuse_number(ctl, number, err);
}

int find_user_of(struct ctl *ctl, const char *fingerprint, struct buf *out, struct err *err)
{
	struct contact contact;
	struct publisher publisher;
	bool found;
	if (store_contact_by_fingerprint(ctl->store, fingerprint, &contact, &found, err) < 0)
		return -1;
	if (found) {
		buf_printf(out, "contact %s (%s)", contact.address, contact.member);
		return 0;
	}
	if (store_publisher_by_fingerprint(ctl->store, fingerprint, &publisher, &found, err) < 0)
		return -1;
	if (found) {
		buf_printf(out, "publisher %s", publisher.address);
		return 0;
	}
	if (store_admin_by_fingerprint(ctl->store, fingerprint, &publisher, &found, err) < 0)
		return -1;
	if (found)
		buf_printf(out, "admin %s", publisher.address);
	return 0;
}

int find_reach(struct ctl *ctl, const struct contact *contact, bool *reachable,
    char reason[static STORE_REASON_SIZE], struct err *err)
{
	struct certificate certificate;
	struct member member;
	struct agreement_standing standing;
	char agreement[STORE_REASON_SIZE];
	enum tlp label = TLP_CLEAR;
	bool found;
	if (find_member(ctl, contact->member, &member, err) < 0 ||
	    store_agreement_standing(ctl->store, contact->id, &standing, err) < 0 ||
	    store_certificate_get(ctl->store, contact->fingerprint, &certificate, &found, err) < 0)
		return -1;
	agreement_suffices(&standing, ctl->now, agreement);
	tlp_from(view_of(contact->clearance), &label); /* a bad one is the obstacle that is shown */
	*reachable = reach_contact(
	    contact, &member, found ? &certificate : NULL, agreement, label, ctl->now, reason);
	return 0;
}

int find_refuse_used(const char *user, const char *address, struct err *err)
{
	struct view rest = view_of(user);
	struct view kind;
	const size_t len = strlen(address);
	view_next_field(&rest, ' ', &kind);
	if (rest.len >= len && strncasecmp(rest.data, address, len) == 0 &&
	    (rest.len == len || rest.data[len] == ' '))
		return ctl_refuse(
		    err, "%s has this very certificate already: nothing was changed", user);
	return ctl_refuse(
	    err, "this certificate belongs to %s already: every person needs their own", user);
}

int find_free_certificate(struct ctl *ctl, const char *option, const char *address,
    enum find_kept kept, char fingerprint[static FINGERPRINT_SIZE], struct err *err)
{
	struct certificate certificate;
	struct buf user = BUF_EMPTY(BUF_SMALL);
	int status = -1;
	if (find_fingerprint(&option, 1, fingerprint, err) < 0 ||
	    find_certificate(ctl, fingerprint, &certificate, err) < 0 ||
	    find_user_of(ctl, fingerprint, &user, err) < 0)
		goto done;
	if (user.len > 0) {
		find_refuse_used(buf_text(&user), address, err);
		goto done;
	}
	if (strcmp(certificate.state, "retired") == 0) {
		ctl_refuse(err, "the certificate %s is retired: ask for a new one", fingerprint);
		goto done;
	}
	status = 0;
	if (strcmp(certificate.state, "pending") == 0)
		ctl_warn("the certificate is not confirmed yet, and until then %s%s%s: check its "
			 "fingerprint over another channel, then dewctl key confirm %s",
		    kept == FIND_KEPT_RIGHT ? "nothing is taken from " : "", address,
		    kept == FIND_KEPT_RIGHT ? "" : " is not reached", fingerprint);
done:
	buf_release(&user);
	return status;
}

int check_address(const char *address, struct err *err)
{
	const char *why;
	if (!text_is_address(view_of(address), &why))
		return ctl_refuse(
		    err, "\"%s\" is no mail address that can be used: %s", address, why);
	return 0;
}

/* Without a tag behind "+", which a mail server may take off. */
static bool is_same_mailbox(const char *address, const char *own)
{
	const size_t local = strcspn(address, "@+"), own_local = strcspn(own, "@+");
	const char *domain = strchr(address, '@'), *own_domain = strchr(own, '@');
	return local == own_local && strncasecmp(address, own, local) == 0 && domain != NULL &&
	       own_domain != NULL && strcasecmp(domain, own_domain) == 0;
}

int check_new_address(struct ctl *ctl, const char *address, struct err *err)
{
	if (check_address(address, err) < 0 || ctl_open_config(ctl, err) < 0)
		return -1;
	const struct config *config = &ctl->config;
	const struct {
		const char *own, *what;
	} all[] = {
	    {config->gateway.address, "gateway.address"},
	    {config->gateway.list, "gateway.list"},
	    {config->gateway.return_path, "gateway.return_path"},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (is_same_mailbox(address, all[i].own))
			return ctl_refuse(err,
			    "%s is an address of the gateway itself (%s): mail to it would come "
			    "back here; take the person's own address",
			    address, all[i].what);
	}
	return 0;
}

int check_name(const char *name, struct err *err)
{
	struct buf shown = BUF_EMPTY(BUF_SMALL);
	text_add_shown(&shown, view_of(name));
	const bool good = name[0] != '\0' && strlen(name) < STORE_NAME_SIZE &&
			  text_is_utf8(view_of(name)) && view_is(buf_view(&shown), name);
	buf_release(&shown);
	if (!good)
		return ctl_refuse(err,
		    "a name is one line of UTF-8 of 1 to %d bytes without control "
		    "characters",
		    STORE_NAME_SIZE - 1);
	return 0;
}

int check_id(const char *id, struct err *err)
{
	const size_t len = strlen(id);
	if (strcmp(id, "all") == 0)
		return ctl_refuse(
		    err, "\"all\" means everybody in an audience: choose another name");
	if (len == 0 || len >= STORE_ID_SIZE ||
	    strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != len || id[0] == '-' ||
	    id[len - 1] == '-')
		return ctl_refuse(err,
		    "\"%s\" cannot be used: take lower-case letters, digits and "
		    "hyphens, at most %d, such as us-de",
		    id, STORE_ID_SIZE - 1);
	return 0;
}
