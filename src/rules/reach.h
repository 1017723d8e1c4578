/* Who can be reached, and if not, why: the first law in one place.
 *
 * The same judgement serves an advisory's list of deliveries, `dewctl check` and the warnings, so
 * that what the pre-flight says is what will happen. */
#ifndef DEWLINE_RULES_REACH_H
#define DEWLINE_RULES_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/tlp.h"
#include "store/certificates.h"
#include "store/people.h"

/* True when an advisory with this label, sealed at `now`, can go to the contact. Otherwise reason
 * is one line that says what stands in the way ("the encryption subkey expired on 2026-11-02").
 * certificate is NULL when the store has none by the contact's fingerprint. `agreement` is what the
 * contact's signatures lack (the reason of agreement_suffices), "" when they suffice. */
bool reach_contact(const struct contact *contact, const struct member *member,
    const struct certificate *certificate, const char *agreement, enum tlp label, int64_t now,
    char reason[static STORE_REASON_SIZE]);

/* What TLP:RED asks for besides (TLP 2.0: "for the eyes and ears of individual recipients only"):
 * that the audience names the contact by address. True for every other label. */
bool reach_named(enum tlp label, struct view audience, const struct contact *contact,
    char reason[static STORE_REASON_SIZE]);

/* The same for a notice that is no advisory, such as an agreement to sign: no clearance and no
 * active member is asked for. */
bool reach_notice(const struct contact *contact, const struct certificate *certificate, int64_t now,
    char reason[static STORE_REASON_SIZE]);

/* The same for what goes to a publisher: receipts, with the titles of advisories in them. */
bool reach_publisher(const struct publisher *publisher, const struct certificate *certificate,
    int64_t now, char reason[static STORE_REASON_SIZE]);

/* The same for a certificate alone: confirmed, live, its encryption subkey live. */
bool reach_certificate(
    const struct certificate *certificate, int64_t now, char reason[static STORE_REASON_SIZE]);

/* When the certificate stops being usable for sealing: the earlier of the two expiries, 0: never.
 */
int64_t reach_expires(const struct certificate *certificate);

#endif
