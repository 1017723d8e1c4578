/* A stranger's request to join:
 *
 *     Join: State of Texas
 *     Address: cert@us-tx.example
 *     Name: Erika Example            (may be left out)
 *
 * with the sender's certificate attached, or in the text below the block. */
#ifndef DEWLINE_RULES_JOIN_H
#define DEWLINE_RULES_JOIN_H

#include "mail/entity.h"
#include "rules/refusal.h"
#include "store/agreements.h"

/* Fills organisation, address and name. False with a refusal when a field is unknown, missing or
 * too long, or the address is none that can be used. */
bool join_read(struct view text, struct join_request *out, struct refusal *refusal);

/* The first armored certificate among the attachments, or in the text; also a binary one that says
 * so (application/pgp-keys). Empty when there is none. */
struct view join_certificate(const struct mail_content *content);

#endif
