/* Texts about reports, replies and materials. Pure; as in letters.h. */
#ifndef DEWLINE_GATE_LETTERS_INFORM_H
#define DEWLINE_GATE_LETTERS_INFORM_H

#include "base/buf.h"
#include "store/inform.h"
#include "store/messages.h"
#include "store/people.h"

struct letter_report {
	const struct member_report *report;
	const struct contact *contact;
	const struct member *member;
	const char *about; /* an advisory's number, or "" */
	const char *title;
	struct view text;
};
/* To the publishers. */
void letter_report_text(struct buf *out, const struct letter_report *letter);
/* To the contact who reported; counts are those of the message to the publishers. */
void letter_report_receipt(
    struct buf *out, const struct member_report *report, const struct delivery_counts *counts);
/* A publisher's answer, to that contact. */
void letter_report_reply(struct buf *out, const struct member_report *report,
    const struct publisher *publisher, struct view said);

/* With the material attached. */
void letter_material(struct buf *out, const struct material *material, struct view title);
/* The same words for what does not exist and for what is kept back. */
void letter_no_material(struct buf *out);
/* One line of the list, and its head or the words for an empty one. */
void letter_material_row(struct buf *out, const struct material *material, struct view title);
void letter_material_list(struct buf *out, size_t count, struct view rows);

#endif
