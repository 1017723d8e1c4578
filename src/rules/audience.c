#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/audience.h"

#define TREE_MARK "/*"
enum { TREE_MARK_LEN = sizeof TREE_MARK - 1 };

const struct member *people_member(const struct people *people, const char *id)
{
	for (size_t i = 0; i < people->member_count; i++) {
		if (strcmp(people->members[i].id, id) == 0)
			return &people->members[i];
	}
	return NULL;
}

/* All contacts in two orders, so that a name finds those it means without a walk through all. */
struct index {
	const struct people *people;
	const struct contact **by_member;
	const struct contact **by_address;
	const struct member **by_id;
};
typedef int compare_fn(const void *a, const void *b);

static int compare_members(const void *a, const void *b)
{
	return strcmp((*(const struct contact *const *)a)->member,
	    (*(const struct contact *const *)b)->member);
}

static int compare_addresses(const void *a, const void *b)
{
	return strcasecmp((*(const struct contact *const *)a)->address,
	    (*(const struct contact *const *)b)->address);
}

static const struct contact **sorted(const struct people *people, compare_fn *compare)
{
	const struct contact **list =
	    calloc(people->contact_count + 1, sizeof(const struct contact *));
	if (list == NULL)
		abort();
	for (size_t i = 0; i < people->contact_count; i++)
		list[i] = &people->contacts[i];
	qsort(list, people->contact_count, sizeof(const struct contact *), compare);
	return list;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(
	    (*(const struct member *const *)a)->id, (*(const struct member *const *)b)->id);
}

static const struct member **sorted_members(const struct people *people)
{
	const struct member **list =
	    calloc(people->member_count + 1, sizeof(const struct member *));
	if (list == NULL)
		abort();
	for (size_t i = 0; i < people->member_count; i++)
		list[i] = &people->members[i];
	qsort(list, people->member_count, sizeof(const struct member *), compare_ids);
	return list;
}

/* Sets `set` for every contact that compares equal to the key. */
static void mark_equal(const struct people *people, const struct contact *const *list,
    compare_fn *compare, const struct contact *key, bool *set)
{
	size_t low = 0;
	size_t high = people->contact_count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (compare(&list[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < people->contact_count && compare(&list[low], &key) == 0; low++)
		set[list[low] - people->contacts] = true;
}

static void mark_member(const struct index *index, struct view id, bool *set)
{
	struct contact key = {0};
	if (view_copy(id, key.member, sizeof key.member))
		mark_equal(index->people, index->by_member, compare_members, &key, set);
}

static void mark_address(const struct index *index, struct view address, bool *set)
{
	struct contact key = {0};
	if (view_copy(address, key.address, sizeof key.address))
		mark_equal(index->people, index->by_address, compare_addresses, &key, set);
}

/* The member and all below it, however deep: whoever has the id among the parents above. */
static bool stands_below(const struct index *index, const struct member *member, struct view id)
{
	const size_t count = index->people->member_count;
	for (size_t depth = 0; depth <= count; depth++) {
		struct member key;
		const struct member *sought = &key;
		if (view_is(id, member->id))
			return true;
		if (member->parent[0] == '\0')
			break;
		memcpy(key.id, member->parent, sizeof key.id);
		const struct member *const *parent =
		    bsearch(&sought, index->by_id, count, sizeof sought, compare_ids);
		if (parent == NULL)
			break;
		member = *parent;
	}
	return false;
}

static void mark_tree(const struct index *index, struct view id, bool *set)
{
	for (size_t i = 0; i < index->people->member_count; i++) {
		const struct member *member = &index->people->members[i];
		if (stands_below(index, member, id))
			mark_member(index, view_of(member->id), set);
	}
}

/* True for a name with the mark behind it; *id is the name without it. */
static bool is_tree(struct view name, struct view *id)
{
	*id = name;
	if (name.len <= TREE_MARK_LEN ||
	    !view_is(view_part(name, name.len - TREE_MARK_LEN, name.len), TREE_MARK))
		return false;
	id->len -= TREE_MARK_LEN;
	return true;
}

static void mark_name(const struct index *index, struct view name, bool *set)
{
	const struct people *people = index->people;
	struct view id;
	if (is_tree(name, &id)) {
		mark_tree(index, id, set);
		return;
	}
	if (view_is_nocase(name, "all")) {
		for (size_t i = 0; i < people->contact_count; i++)
			set[i] = true;
	}
	mark_member(index, name, set);
	mark_address(index, name, set);
	for (size_t i = 0; i < people->entry_count; i++) {
		const struct group_entry *at = &people->entries[i];
		if (!view_is(name, at->group))
			continue;
		if (at->is_contact)
			mark_address(index, view_of(at->entry), set);
		else
			mark_member(index, view_of(at->entry), set);
	}
}

/* Sets `set` for the contacts of members that audiences may mean. */
static void mark_present(const struct index *index, bool *set)
{
	for (size_t i = 0; i < index->people->member_count; i++) {
		const struct member *member = &index->people->members[i];
		if (strcmp(member->state, "left") != 0)
			mark_member(index, view_of(member->id), set);
	}
}

static bool name_is_known(const struct people *people, struct view name)
{
	struct view id;
	const bool tree = is_tree(name, &id);
	for (size_t i = 0; i < people->member_count; i++) {
		if (view_is(id, people->members[i].id))
			return true;
	}
	if (tree)
		return false;
	if (view_is_nocase(name, "all"))
		return true;
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
	const size_t count = people->contact_count;
	const struct index index = {people, sorted(people, compare_members),
	    sorted(people, compare_addresses), sorted_members(people)};
	bool *taken_away = calloc(count + 1, sizeof *taken_away);
	bool *present = calloc(count + 1, sizeof *present);
	struct view name;
	size_t left = 0;
	bool known = true;
	if (taken_away == NULL || present == NULL)
		abort();
	for (size_t i = 0; i < count; i++)
		chosen[i] = false;
	while (known && view_next_field(&audience, ',', &name)) {
		name = view_trim(name);
		const bool minus = name.len > 0 && name.data[0] == '-';
		if (minus)
			name = view_trim(view_part(name, 1, name.len));
		known = name_is_known(people, name) ||
			refuse(refusal, line,
			    "Audience names \"%.*s\", which is no group, member or contact",
			    name.len > 60 ? 60 : (int)name.len, name.data);
		if (known)
			mark_name(&index, name, minus ? taken_away : chosen);
	}
	mark_present(&index, present);
	for (size_t i = 0; i < count; i++) {
		chosen[i] =
		    chosen[i] && !taken_away[i] && present[i] && !people->contacts[i].removed;
		left += chosen[i];
	}
	free(index.by_member);
	free(index.by_address);
	free(index.by_id);
	free(taken_away);
	free(present);
	return known && (left > 0 || refuse(refusal, line,
					 "Audience means nobody: what it names is empty, or "
					 "taken away again"));
}

bool audience_names(struct view audience, const char *address)
{
	struct view name;
	bool named = false;
	while (view_next_field(&audience, ',', &name)) {
		name = view_trim(name);
		const bool minus = name.len > 0 && name.data[0] == '-';
		if (minus)
			name = view_trim(view_part(name, 1, name.len));
		if (!view_is_nocase(name, address))
			continue;
		if (minus)
			return false;
		named = true;
	}
	return named;
}
