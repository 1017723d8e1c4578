/* The texts about people's own keys, all of them encrypted. Pure. UTF-8, LF, our own lines at most
 * 76 wide. (The notice of a key that expired leaves in the clear: mail/notice.h.) */
#ifndef DEWLINE_GATE_LETTERS_KEY_H
#define DEWLINE_GATE_LETTERS_KEY_H

#include <stdint.h>

#include "base/buf.h"
#include "rules/keyfate.h"
#include "rules/refusal.h"

/* To the owner, whose address it is, and to the admins: that a key ends at `expires`, and how it is
 * renewed. */
struct letter_key {
	const char *programme; /* gateway.name */
	const char *address;
	const char *fingerprint;
	int64_t expires;
	int64_t now;
};
void letter_key_warning(struct buf *out, const struct letter_key *letter);

/* To the admins: that a key has expired, and that its owner was told in the clear. */
void letter_key_expired(
    struct buf *out, const char *address, const char *fingerprint, int64_t expires, int64_t now);

/* To the admins: that a key is out of use for good, and its owner cut off. */
void letter_key_lost(struct buf *out, const char *address, const char *fingerprint);

/* The same key was taken anew; it ends at `expires` (0: never). */
void letter_key_renewed(struct buf *out, const char *fingerprint, int64_t expires, int64_t now);

/* A new key waits for an admin. */
void letter_key_pending(struct buf *out, const char *former, const char *fingerprint);

/* There is nothing new in it. */
void letter_key_unchanged(struct buf *out);

/* It cannot be used as it came, but what it revokes is taken. */
void letter_key_kept(struct buf *out);

/* Below each of these: what became of every certificate of the mail, by its fingerprint, and of what
 * could not be looked at: the attachment `name`, or "" for a piece of the text. */
void letter_key_begin_fates(struct buf *out);
void letter_key_fate(struct buf *out, const struct keyfate_key *key);
void letter_key_unread(struct buf *out, const char *name, const char *reason);
/* So many more were not looked at; nothing for 0. */
void letter_key_left_out(struct buf *out, uint32_t count);

/* Nothing was taken. */
void letter_key_refused(struct buf *out, const struct refusal *refusal, int64_t arrival);

#endif
