/* The parts that many letters have. As letters.h: pure, UTF-8, LF, our own lines at most 76 wide. */
#ifndef DEWLINE_GATE_LETTERS_PARTS_H
#define DEWLINE_GATE_LETTERS_PARTS_H

#include "base/buf.h"
#include "rules/refusal.h"

/* A line of 60 dashes: quoted twice over it still fits the 76 characters at which mail programs
 * wrap. In traced copies rules/trace.h draws it at other lengths, all of them shorter. */
void letter_add_rule(struct buf *out);

/* The line by which a drill says that it is one. */
void letter_add_drill(struct buf *out);

/* "Name:      value" on a line of its own; nothing when the value is empty. */
void letter_add_field(struct buf *out, const char *name, const char *value);

/* Why something was refused: "Line 3 of the signed text: TLP is ...." */
void letter_add_refusal(struct buf *out, const struct refusal *refusal);

/* How an official answers an advisory, with the token. It stands near the top of a letter, so that
 * it is seen without scrolling, and is quoted whatever stands below. */
void letter_add_how_to_answer(struct buf *out, const char *token);

#endif
