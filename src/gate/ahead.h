/* Mail of somebody known whose signature is dated ahead of the clock: whichever of the two clocks is
 * wrong, it is no fault of the mail. It waits until the clock has come there, by itself or because it
 * was put right, and is judged anew then, whatever it means. */
#ifndef DEWLINE_GATE_AHEAD_H
#define DEWLINE_GATE_AHEAD_H

#include "gate/open.h"
#include "store/people.h"

/* Takes over the facts. One of the two is who signed it, the other one is NULL. Where it has to wait
 * long, the signer is told, unless other mail of theirs waits as
 * long. */
void ahead_mail(struct mail_facts *facts, const struct publisher *publisher,
    const struct contact *contact, const char *meaning);

#endif
