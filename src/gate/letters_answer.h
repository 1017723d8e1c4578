/* The texts about answers that cannot count. As letters_clear.h. */
#ifndef DEWLINE_GATE_LETTERS_ANSWER_H
#define DEWLINE_GATE_LETTERS_ANSWER_H

#include "gate/letters_clear.h"

/* "[DEW-2026-0007 r1] Your address: a mail in the open". */
void letter_leak_subject(struct buf *out, const struct letter_clear *letter);
/* To the contact whose address a mail has that travelled in the open with the token. */
void letter_leak_text(
    struct buf *out, const struct letter_clear *letter, const struct clear_answer *answer);

/* The lines about one such mail, and the letter to publisher and admins around them. */
void letter_add_leak(struct buf *out, const struct clear_answer *answer);
void letter_leak_alarm_subject(struct buf *out, const struct letter_clear *letter);
void letter_leak_alarm_text(struct buf *out, const struct letter_clear *letter, struct view leaks);

#endif
