/* The texts about a store that was put back (store/epoch.h). */
#ifndef DEWLINE_GATE_LETTERS_RESTORED_H
#define DEWLINE_GATE_LETTERS_RESTORED_H

#include "base/buf.h"
#include "rules/refusal.h"
#include "store/epoch.h"
#include "store/lost.h"

/* "Alarm: the gateway was put back to what it was on Sat 28 Nov 11:02 UTC". */
void letter_restored_subject(struct buf *out, const struct epoch *, bool alarm);
/* To the admins; `findings` are lines, as they are kept. */
void letter_restored(
    struct buf *out, const struct epoch *, const char *prefix, struct view findings);
/* To every publisher. */
void letter_restored_publisher(
    struct buf *out, const struct epoch *, const char *prefix, struct view findings);

/* To the contact whose answer holds a token that is not on record. */
void letter_lost_answer(
    struct buf *out, const struct epoch *, const struct lost_trace *, int64_t now);
/* To the admins, of what came: a line or two on each, and the letter around them. */
void letter_add_lost(struct buf *out, const struct lost_trace *, int64_t now);
void letter_lost(struct buf *out, const struct epoch *, struct view lines);

/* Somebody names a number that is not on record, and may have been lost; `advice`: what to do. */
void letter_refuse_lost(
    struct refusal *, int line, const struct epoch *, const char *number, const char *advice);

#endif
