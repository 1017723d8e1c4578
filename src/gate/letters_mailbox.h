/* The texts to the admins about where mail comes from: the IMAP mailbox and the drop. As letters.h:
 * pure, UTF-8, LF, our own lines at most 76 wide. */
#ifndef DEWLINE_GATE_LETTERS_MAILBOX_H
#define DEWLINE_GATE_LETTERS_MAILBOX_H

#include <stdint.h>

#include "base/buf.h"
#include "config/config.h"
#include "store/stuck.h"

/* Out of reach since then, and why. */
void letter_mailbox_down(
    struct buf *out, const struct config *config, int64_t since, int64_t now, const char *reason);
/* So many messages stay in it; about the newest of them. */
void letter_mailbox_left(
    struct buf *out, const struct config *config, int64_t left, const char *newest);
/* Files stay in the drop. */
void letter_drop_stuck(
    struct buf *out, const struct config *config, const struct stuck_state *state, int64_t now);

#endif
