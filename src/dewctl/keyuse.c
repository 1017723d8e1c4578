#include "config.h"

#include <string.h>

#include "dewctl/find.h"
#include "dewctl/keyuse.h"
#include "store/keylife.h"

int keyuse_move(
    struct ctl *ctl, const char *fingerprint, const char *event, struct buf *user, struct err *err)
{
	struct certificate certificate;
	bool moved;
	char audit_event[STORE_ID_SIZE];
	snprintf(audit_event, sizeof audit_event, "key.%s", event);
	if (find_certificate(ctl, fingerprint, &certificate, err) < 0 ||
	    find_user_of(ctl, fingerprint, user, err) < 0 ||
	    store_certificate_move(ctl->store, fingerprint, event, &moved, err) < 0)
		return -1;
	if (!moved)
		return ctl_refuse(
		    err, "the certificate %s is %s already", fingerprint, certificate.state);
	return ctl_audit(ctl, audit_event, fingerprint, err, "%s", certificate.facts.user_id);
}

int keyuse_add_publisher(struct ctl *ctl, struct publisher *publisher, struct err *err)
{
	char key[FINGERPRINT_SIZE];
	bool added;
	memcpy(key, publisher->fingerprint, sizeof key);
	if (find_free_certificate(
		ctl, key, publisher->address, FIND_KEPT_RIGHT, publisher->fingerprint, err) < 0 ||
	    store_publisher_add(ctl->store, publisher, &added, err) < 0)
		return -1;
	if (!added)
		return ctl_refuse(err, "there is a publisher %s already: see dewctl publisher list",
		    publisher->address);
	return ctl_audit(
	    ctl, "publisher.add", publisher->address, err, "key %s", publisher->fingerprint);
}

/* Whose key is to be changed, and which it is now. */
static int find_person(struct ctl *ctl, bool publisher, const char *address, int64_t *id,
    char former[static FINGERPRINT_SIZE], struct err *err)
{
	struct publisher found_publisher;
	struct contact contact;
	bool found;
	if (!publisher) {
		if (find_contact(ctl, address, &contact, err) < 0)
			return -1;
		*id = contact.id;
		memcpy(former, contact.fingerprint, FINGERPRINT_SIZE);
		return 0;
	}
	if (store_publisher_by_address(ctl->store, address, &found_publisher, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(
		    err, "there is no publisher %s: see dewctl publisher list", address);
	*id = found_publisher.id;
	memcpy(former, found_publisher.fingerprint, FINGERPRINT_SIZE);
	return 0;
}

/* A certificate that nobody has and that can still be used; a pending one becomes confirmed. */
static int take_certificate(
    struct ctl *ctl, const char *address, const char *fingerprint, struct err *err)
{
	struct certificate certificate;
	struct buf user = BUF_EMPTY(BUF_SMALL);
	int status = find_certificate(ctl, fingerprint, &certificate, err);
	if (status == 0)
		status = find_user_of(ctl, fingerprint, &user, err);
	if (status == 0 && user.len > 0)
		status = find_refuse_used(buf_text(&user), address, err);
	if (status == 0 && strcmp(certificate.state, "confirmed") != 0) {
		buf_clear(&user);
		status = keyuse_move(ctl, fingerprint, "confirm", &user, err);
	}
	buf_release(&user);
	return status;
}

/* The former one may be retired already, by its owner's revocation. */
static int retire_former(struct ctl *ctl, const char *fingerprint, struct err *err)
{
	bool moved;
	if (store_certificate_move(ctl->store, fingerprint, "retire", &moved, err) < 0)
		return -1;
	return moved ? ctl_audit(ctl, "key.retire", fingerprint, err, "replaced") : 0;
}

int keyuse_rekey(
    struct ctl *ctl, bool publisher, const char *address, const char *fingerprint, struct err *err)
{
	char former[FINGERPRINT_SIZE];
	int64_t id;
	if (find_person(ctl, publisher, address, &id, former, err) < 0 ||
	    take_certificate(ctl, address, fingerprint, err) < 0)
		return -1;
	const int status = publisher ? store_publisher_rekey(ctl->store, id, fingerprint, err)
				     : store_contact_rekey(ctl->store, id, fingerprint, err);
	if (status < 0 || retire_former(ctl, former, err) < 0)
		return -1;
	return ctl_audit(ctl, publisher ? "publisher.rekey" : "contact.rekey", address, err,
	    "from %s to %s", former, fingerprint);
}
