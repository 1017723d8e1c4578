/* The texts about clocks: to the admins of the gateway's, to those who wrote of theirs. As letters.h:
 * pure, UTF-8, LF, our own lines at most 76 wide. */
#ifndef DEWLINE_GATE_LETTERS_CLOCK_H
#define DEWLINE_GATE_LETTERS_CLOCK_H

#include "base/buf.h"
#include "rules/witness.h"
#include "store/pace.h"

/* What happened to the clock, as a clause: "the clock jumped ahead by 3 days at Thu ...". */
void letter_clock_what(struct buf *out, const struct pace_state *state);

/* To the admins: the clock was set, and nothing says that it is right. */
void letter_clock_off(struct buf *out, const struct pace_state *state, int64_t now);

/* To the admins: by the dates of signatures the clock is slow; so many mails wait for it. */
void letter_clock_slow(
    struct buf *out, const struct witness_verdict *verdict, int64_t waiting, int64_t now);

/* To whoever signed a mail with a clock that is ahead: `created` by that, `now` by ours, and when it
 * is looked at again. */
void letter_clock_ahead(
    struct buf *out, int64_t arrival, int64_t created, int64_t now, int64_t until);

#endif
