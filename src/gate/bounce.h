/* Mail that comes back to the return path of one delivery: a flag on that delivery, and a notice to
 * publisher and admins. Never a suspension, never an acknowledgment; and nobody but those two ever
 * gets mail because of it, so that a bounce of a bounce ends there. */
#ifndef DEWLINE_GATE_BOUNCE_H
#define DEWLINE_GATE_BOUNCE_H

#include "gate/open.h"

int bounce_start(struct gate *gate, struct err *err);
void bounce_stop(struct gate *gate);
/* Takes over the facts, and returns true, when the mail was delivered to a return path that only we
 * can have made and is no signed or encrypted mail of a person. */
bool bounce_mail(struct mail_facts *facts, const struct mail_outline *outline);
/* A check of schedule.h: tells what came back. */
void bounce_check(struct gate *gate, int64_t now);

#endif
