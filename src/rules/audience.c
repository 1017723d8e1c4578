#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/audience.h"

const struct member *people_member(const struct people *people, const char *id)
{
	for (size_t i = 0; i < people->member_count; i++) {
		if (strcmp(people->members[i].id, id) == 0)
			return &people->members[i];
	}
	return NULL;
}

static bool takes_part(const struct people *people, const struct contact *contact)
{
	const struct member *member = people_member(people, contact->member);
	return member != NULL && !contact->removed &&
	       (strcmp(member->state, "active") == 0 || strcmp(member->state, "suspended") == 0);
}

static bool entry_means(const char *entry, bool is_contact, const struct contact *contact)
{
	return is_contact ? strcasecmp(entry, contact->address) == 0
			  : strcmp(entry, contact->member) == 0;
}

static bool group_means(
    const struct people *people, struct view name, const struct contact *contact)
{
	for (size_t i = 0; i < people->entry_count; i++) {
		const struct group_entry *at = &people->entries[i];
		if (view_is(name, at->group) && entry_means(at->entry, at->is_contact, contact))
			return true;
	}
	return false;
}

static bool name_means(const struct people *people, struct view name, const struct contact *contact)
{
	return view_is_nocase(name, "all") || view_is(name, contact->member) ||
	       view_is_nocase(name, contact->address) || group_means(people, name, contact);
}

static bool name_is_known(const struct people *people, struct view name)
{
	if (view_is_nocase(name, "all"))
		return true;
	for (size_t i = 0; i < people->member_count; i++) {
		if (view_is(name, people->members[i].id))
			return true;
	}
	for (size_t i = 0; i < people->entry_count; i++) {
		if (view_is(name, people->entries[i].group))
			return true;
	}
	for (size_t i = 0; i < people->contact_count; i++) {
		if (view_is_nocase(name, people->contacts[i].address))
			return true;
	}
	return false;
}

bool audience_choose(const struct people *people, struct view audience, int line, bool *chosen,
    struct refusal *refusal)
{
	bool *taken_away = calloc(people->contact_count + 1, sizeof *taken_away);
	struct view name;
	size_t left = 0;
	bool known = true;
	if (taken_away == NULL)
		abort();
	memset(chosen, 0, people->contact_count * sizeof *chosen);
	while (known && view_next_field(&audience, ',', &name)) {
		name = view_trim(name);
		const bool minus = name.len > 0 && name.data[0] == '-';
		if (minus)
			name = view_trim(view_part(name, 1, name.len));
		known = name_is_known(people, name) ||
			refuse(refusal, line,
			    "Audience names \"%.*s\", which is no group, member or contact",
			    name.len > 60 ? 60 : (int)name.len, name.data);
		for (size_t i = 0; known && i < people->contact_count; i++) {
			if (name_means(people, name, &people->contacts[i]))
				(minus ? taken_away : chosen)[i] = true;
		}
	}
	for (size_t i = 0; known && i < people->contact_count; i++) {
		chosen[i] = chosen[i] && !taken_away[i] && takes_part(people, &people->contacts[i]);
		left += chosen[i];
	}
	free(taken_away);
	return known && (left > 0 || refuse(refusal, line, "Audience means nobody"));
}
