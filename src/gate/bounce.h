/* Mail that comes to the return path of one delivery, which only we can have made: whatever it is,
 * it is looked at as a bounce first. It is a flag on that delivery, and a notice to publisher and
 * admins; also where nobody can read why it came back. Never a suspension, never an acknowledgment;
 * and nobody but those two ever gets mail because of it, who bounced least of all, and nothing for
 * the bounce of an alarm: so that a bounce of a bounce ends there.
 *
 * Whoever knows a return path can flag its delivery, and have two notices written: one that it came
 * back, one that somebody answered there. */
#ifndef DEWLINE_GATE_BOUNCE_H
#define DEWLINE_GATE_BOUNCE_H

#include "gate/open.h"

int bounce_start(struct gate *gate, struct err *err);
void bounce_stop(struct gate *gate);
/* Takes over the facts, and returns true, when the mail was delivered to a return path and has not
 * the shape of a signed or encrypted mail of a person: what has is opened first. */
bool bounce_mail(struct mail_facts *facts);
/* The same of mail that was opened, or could not be, and is nobody's: our own that a bounce quotes
 * has that shape too. */
bool bounce_nobodys_mail(struct mail_facts *facts);
/* A check of schedule.h: tells what came back. */
void bounce_check(struct gate *gate, int64_t now);

#endif
