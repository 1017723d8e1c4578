/* Records by what an admin calls them. Where there is none, these refuse and say how to see what
 * there is; find_ functions whose result is optional say so. */
#ifndef DEWLINE_DEWCTL_FIND_H
#define DEWLINE_DEWCTL_FIND_H

#include "dewctl/ctl.h"
#include "rules/tlp.h"
#include "store/advisories.h"
#include "store/certificates.h"
#include "store/people.h"

/* Puts the words together to a whole fingerprint: blanks and case do not matter. Refuses short key
 * IDs, which anybody can forge. */
int find_fingerprint(
    const char *const *words, size_t count, char out[static FINGERPRINT_SIZE], struct err *err);
/* "ABCD EF01 ... ": in groups of four, a wider gap in the middle, as gpg shows it. */
void find_group_fingerprint(const char *fingerprint, struct buf *out);

int find_certificate(
    struct ctl *ctl, const char *fingerprint, struct certificate *out, struct err *err);
int find_member(struct ctl *ctl, const char *id, struct member *out, struct err *err);
int find_contact(struct ctl *ctl, const char *address, struct contact *out, struct err *err);
/* In capitals or not. */
int find_advisory(struct ctl *ctl, const char *number, struct advisory *out, struct err *err);

/* "contact a@example.org (us)" "publisher p@example.org" or "admin a@example.org" by the
 * certificate's fingerprint, "" when nobody uses it. */
int find_user_of(struct ctl *ctl, const char *fingerprint, struct buf *out, struct err *err);

/* Whether the contact would be reached today by what it is cleared for, and if not, why. */
int find_reach(struct ctl *ctl, const struct contact *contact, bool *reachable,
    char reason[static STORE_REASON_SIZE], struct err *err);

/* Refuses a certificate for `address` that is in use by `user`, of find_user_of: another person's, or
 * the same one's, as when a command is run again because nobody saw it end. */
int find_refuse_used(const char *user, const char *address, struct err *err);

enum find_kept { FIND_KEPT_MAIL, FIND_KEPT_RIGHT };

/* A person's certificate as an option: there must be one, in use by nobody else; a pending one is
 * taken with a warning that names `address` and what is `kept` from it until then. */
int find_free_certificate(struct ctl *ctl, const char *option, const char *address,
    enum find_kept kept, char fingerprint[static FINGERPRINT_SIZE], struct err *err);

/* Refuse an address, a name for showing, or an identifier that cannot be one. */
int check_address(const char *address, struct err *err);
/* The same for somebody who is to get mail: not the gateway itself, with any tag. */
int check_new_address(struct ctl *ctl, const char *address, struct err *err);
int check_name(const char *name, struct err *err);
/* Lower-case letters, digits and hyphens, which stand neither first nor last; not "all". */
int check_id(const char *id, struct err *err);

#endif
