/* The texts about people's own keys, all of them encrypted. Pure. UTF-8, LF, our own lines at most
 * 76 wide. (The notice of a key that expired leaves in the clear: mail/notice.h.) */
#ifndef DEWLINE_GATE_LETTERS_KEY_H
#define DEWLINE_GATE_LETTERS_KEY_H

#include <stdint.h>

#include "base/buf.h"
#include "rules/refusal.h"

/* That a key ends at `expires`, and how to renew it. */
void letter_key_warning(
    struct buf *out, const char *programme, const char *fingerprint, int64_t expires);

/* The same key was taken anew; it ends at `expires` (0: never). */
void letter_key_renewed(struct buf *out, const char *fingerprint, int64_t expires);

/* A new key waits for an admin. */
void letter_key_pending(struct buf *out, const char *former, const char *fingerprint);

/* Nothing was taken. */
void letter_key_refused(struct buf *out, const struct refusal *refusal, int64_t arrival);

#endif
