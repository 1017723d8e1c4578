/* Who is meant by "all, -us-de, energy, someone@example.org".
 *
 * The audience is all that the plain names mean, less all that the names behind a "-" mean; the
 * order does not matter. A name is "all", a group, a member or a contact's address. A member's name
 * means that member alone, whatever stands below it; "us/" with an asterisk behind it means the
 * member us and all below it, however deep. Members that left are in no audience. Those that are
 * invited, suspended or lapsed are: nothing is delivered to them, and the receipt names them. */
#ifndef DEWLINE_RULES_AUDIENCE_H
#define DEWLINE_RULES_AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/control.h"
#include "store/people.h"

struct group_entry {
	char group[STORE_ID_SIZE];
	char entry[STORE_ADDRESS_SIZE];
	bool is_contact;
};

/* Everybody, as of one moment; the arrays belong to the caller. */
struct people {
	const struct member *members;
	size_t member_count;
	const struct contact *contacts;
	size_t contact_count;
	const struct group_entry *entries;
	size_t entry_count;
};

const struct member *people_member(const struct people *people, const char *id);

/* Sets chosen[i] for every contact i that the audience means. False with a refusal (for `line`)
 * when a name is unknown or nobody is left. */
bool audience_choose(const struct people *people, struct view audience, int line, bool *chosen,
    struct refusal *refusal);

/* True when the audience names this address itself and does not take it away again: for TLP:RED,
 * which is for named people only. Being meant by "all", a group or a member is not enough, and
 * neither is a group whose name looks like the address. */
bool audience_names(struct view audience, const char *address);

#endif
