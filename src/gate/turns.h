/* Whose mail is next: everybody who waits gets one mail looked at before anybody gets another.
 *
 * Each sender has turns of his own: his next mail stands one turn behind his last, and never
 * before the turn that it is now. So ten thousand mails of one sender hold up any other sender by
 * one mail. Who a sender is, is the caller's word; it gives an order and nothing else. */
#ifndef DEWLINE_GATE_TURNS_H
#define DEWLINE_GATE_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct turns;

struct turns *turns_new(void);
/* Takes NULL. */
void turns_free(struct turns *turns);

/* Puts a mail behind all that have the same turn or an earlier one. */
void turns_add(struct turns *turns, int64_t sender, int64_t mail);
/* Takes out the next one; false when nobody waits. */
bool turns_next(struct turns *turns, int64_t *sender, int64_t *mail);
size_t turns_waiting(const struct turns *turns);

#endif
