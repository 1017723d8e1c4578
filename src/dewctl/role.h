/* What dewctl does alike for publishers and admins, whose records are of one kind and who differ in
 * what they may. */
#ifndef DEWLINE_DEWCTL_ROLE_H
#define DEWLINE_DEWCTL_ROLE_H

#include "dewctl/ctl.h"
#include "store/people.h"

struct role {
	const char *name; /* "admin": the noun, and the word in the audit */
	int (*each)(struct store *, publisher_fn *, void *context, struct err *);
	int (*by_address)(
	    struct store *, const char *address, struct publisher *, bool *found, struct err *);
};

/* Opens the store and prints all of them. */
int role_list(struct ctl *ctl, const struct role *role, struct err *err);
/* Opens the store and removes one; the record stays. Refuses where there is none. */
int role_remove(struct ctl *ctl, const struct role *role, const char *address, struct err *err);

#endif
