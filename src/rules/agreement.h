/* Who has signed what is required, who is asked and reminded, and what a reply says.
 *
 * In force is the newest version whose required date has come. A signature suffices when it is on
 * that version or a later one, that version has not expired, and the same contact has not declined
 * it since. Before the first required date nothing is needed. */
#ifndef DEWLINE_RULES_AGREEMENT_H
#define DEWLINE_RULES_AGREEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/reply.h"
#include "store/agreements.h"

/* True when the contact's signatures suffice at `now`; else reason is one line that names what is
 * missing ("agreement version 2 is not signed"). */
bool agreement_suffices(
    const struct agreement_standing *standing, int64_t now, char reason[static STORE_REASON_SIZE]);

/* The newest version on which the contact's last word is "accept"; 0: none. */
int64_t agreement_signed_version(const struct agreement_standing *standing);
/* The version in force at `now`; 0: none is. */
int64_t agreement_in_force(const struct agreement_standing *standing, int64_t now);

/* How many reminders should have been sent by `now`, to whoever was asked at `asked_at` and has not
 * answered: one 7 days and one 1 day before the required date, as far as these lie behind the first
 * mail. */
int64_t agreement_reminders_due(int64_t asked_at, int64_t required_from, int64_t now);

enum agreement_word { AGREEMENT_SILENT, AGREEMENT_ACCEPT, AGREEMENT_DECLINE, AGREEMENT_LEAVE };

/* What the first line of the sender's own says, alone or before a full stop or exclamation mark:
 * accept, accepted, agree, agreed, "I accept", "I agree"; decline, declined, "I decline"; leave, "I
 * leave". Quoted text never speaks. */
enum agreement_word agreement_read(const struct reply *reply);
/* "accept", "decline", "leave"; "" for silence. */
const char *agreement_word_name(enum agreement_word word);

#endif
