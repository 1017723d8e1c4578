#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "courier/courier.h"
#include "gate/refusals.h"
#include "rules/alike.h"

enum { REFUSALS_MAX = 128 };

struct entry {
	struct delivery delivery;
	char said[COURIER_TEXT_SIZE];
	bool believed;
};

struct refusals {
	struct entry entries[REFUSALS_MAX];
	size_t count;
};

struct refusals *refusals_new(void)
{
	struct refusals *refusals = calloc(1, sizeof *refusals);
	if (refusals == NULL)
		abort();
	return refusals;
}

void refusals_free(struct refusals *refusals)
{
	free(refusals);
}

void refusals_forget(struct refusals *refusals)
{
	refusals->count = 0;
}

static struct entry *find(struct refusals *refusals, int64_t delivery)
{
	for (size_t i = 0; i < refusals->count; i++) {
		if (refusals->entries[i].delivery.id == delivery)
			return &refusals->entries[i];
	}
	return NULL;
}

void refusals_add(struct refusals *refusals, const struct delivery *delivery, const char *said)
{
	struct entry *entry = find(refusals, delivery->id);
	if (entry == NULL && refusals->count < REFUSALS_MAX)
		entry = &refusals->entries[refusals->count++];
	if (entry == NULL)
		return;
	*entry = (struct entry){.delivery = *delivery};
	snprintf(entry->said, sizeof entry->said, "%s", said);
}

bool refusals_are_alike(
    const struct refusals *refusals, const struct delivery *delivery, const char *said)
{
	const struct refused_one one = {view_of(delivery->address), view_of(said)};
	for (size_t i = 0; i < refusals->count; i++) {
		const struct entry *entry = &refusals->entries[i];
		const struct refused_one other = {
		    view_of(entry->delivery.address), view_of(entry->said)};
		if (alike_refused(&one, &other))
			return true;
	}
	return false;
}

void refusals_believe(struct refusals *refusals, int64_t delivery)
{
	struct entry *entry = find(refusals, delivery);
	if (entry != NULL)
		entry->believed = true;
}

const struct delivery *refusals_take_back(struct refusals *refusals)
{
	for (size_t i = 0; i < refusals->count; i++) {
		struct entry *entry = &refusals->entries[i];
		if (!entry->believed ||
		    !refusals_are_alike(refusals, &entry->delivery, entry->said))
			continue;
		entry->believed = false;
		return &entry->delivery;
	}
	return NULL;
}
