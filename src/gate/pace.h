/* The time that the gate goes by.
 *
 * What waits for its hour (releases, reminders, deadlines, lapses, expiry, retries, deletions) takes
 * gate_now: a clock that jumps ahead moves none of it (rules/pace.h), and one that is put right later
 * is followed as soon as it is believed. What signatures are held against is clock_now. */
#ifndef DEWLINE_GATE_PACE_H
#define DEWLINE_GATE_PACE_H

#include "gate/context.h"
#include "gate/open.h"

/* Before the sandbox is entered, with the store open: nothing is written yet. */
int pace_start(struct gate *gate, struct err *err);
void pace_stop(struct gate *gate);

/* Seconds since 1970: the clock's time, or less where that is not believed. */
int64_t gate_now(const struct gate *gate);

/* The clock was set, and nothing says that it is right: what is refused for its sake is to wait. */
bool pace_is_off(const struct gate *gate);

/* Looks at the clock, and at what dewctl says of it; the first check of schedule.h. Tells the admins,
 * once each time, when the clock was set and nothing says that it is right, and when the signatures of
 * several say that it is slow. */
void pace_check(struct gate *gate, int64_t now);

/* In the transaction that ends a mail, or has it wait: notes what its date says of our clock. */
int pace_note_date(const struct mail_facts *facts, struct err *err);

#endif
