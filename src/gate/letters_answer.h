/* The texts about answers that cannot count. As letters_clear.h. */
#ifndef DEWLINE_GATE_LETTERS_ANSWER_H
#define DEWLINE_GATE_LETTERS_ANSWER_H

#include "gate/letters_clear.h"
#include "rules/uncounted.h"
#include "store/uncounted.h"

/* "[DEW-2026-0007 r1] Your address: a mail in the open". */
void letter_leak_subject(struct buf *out, const struct letter_clear *letter);
/* To the contact whose address a mail has that travelled in the open with the token; `why` it does
 * not count, UNCOUNTED_NOT where that is not known. */
void letter_leak_text(struct buf *out, const struct letter_clear *letter,
    const struct clear_answer *answer, enum uncounted why);

/* "[DEW-2026-0007 r1] Your answer does not count"; without the number where the advisory was not
 * sent to them. */
void letter_uncounted_subject(struct buf *out, const struct letter_clear *letter,
    const struct uncounted_answer *answer);
/* To the contact who signed it: why, and what to change. */
void letter_uncounted_text(struct buf *out, const struct letter_clear *letter,
    const struct uncounted_answer *answer);

/* For a reminder: a mail came that does not count, with the address of whoever is reminded, or of a
 * colleague. Anybody could have written it. */
void letter_add_uncounted(struct buf *out, enum uncounted why, bool colleague);

/* The lines about one such mail, and the letter to publisher and admins around them. */
void letter_add_leak(struct buf *out, const struct clear_answer *answer);
void letter_leak_alarm_subject(struct buf *out, const struct letter_clear *letter);
void letter_leak_alarm_text(struct buf *out, const struct letter_clear *letter, struct view leaks);

#endif
