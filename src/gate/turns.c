#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "gate/turns.h"

enum { ROOM_STEP = 64 };

struct place {
	int64_t turn;
	int64_t sender;
	int64_t mail;
};

/* The turn of a sender's last mail. One whose last turn is over is forgotten. */
struct sender {
	int64_t sender;
	int64_t turn;
};

struct turns {
	struct place *places; /* in order of their turns, from `first` on */
	size_t first;
	size_t end;
	size_t room;
	struct sender *senders;
	size_t sender_count;
	size_t sender_room;
	int64_t now;
};

struct turns *turns_new(void)
{
	struct turns *turns = calloc(1, sizeof *turns);
	if (turns == NULL)
		abort();
	return turns;
}

static void forget_all(struct turns *turns)
{
	free(turns->places);
	free(turns->senders);
	*turns = (struct turns){.now = turns->now};
}

void turns_free(struct turns *turns)
{
	if (turns == NULL)
		return;
	forget_all(turns);
	free(turns);
}

static void *grow(void *memory, size_t room, size_t size)
{
	void *grown = reallocarray(memory, room, size);
	if (grown == NULL)
		abort();
	return grown;
}

/* The sender's next turn, which is his last from now on. */
static int64_t take_turn(struct turns *turns, int64_t sender)
{
	size_t kept = 0;
	int64_t turn = turns->now;
	for (size_t i = 0; i < turns->sender_count; i++) {
		struct sender *known = &turns->senders[i];
		if (known->sender == sender && known->turn >= turn)
			turn = known->turn + 1;
		else if (known->sender != sender && known->turn >= turns->now)
			turns->senders[kept++] = *known;
	}
	if (kept == turns->sender_room) {
		turns->sender_room += ROOM_STEP;
		turns->senders = grow(turns->senders, turns->sender_room, sizeof *turns->senders);
	}
	turns->senders[kept++] = (struct sender){sender, turn};
	turns->sender_count = kept;
	return turn;
}

/* Where a mail of that turn belongs. */
static size_t find_place(const struct turns *turns, int64_t turn)
{
	size_t low = turns->first;
	size_t high = turns->end;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (turns->places[middle].turn <= turn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void make_room(struct turns *turns)
{
	if (turns->end < turns->room)
		return;
	if (turns->first > turns->room / 2) {
		turns->end -= turns->first;
		memmove(turns->places, turns->places + turns->first,
		    turns->end * sizeof *turns->places);
		turns->first = 0;
		return;
	}
	turns->room = turns->room * 2 + ROOM_STEP;
	turns->places = grow(turns->places, turns->room, sizeof *turns->places);
}

void turns_add(struct turns *turns, int64_t sender, int64_t mail)
{
	const int64_t turn = take_turn(turns, sender);
	make_room(turns);
	const size_t at = find_place(turns, turn);
	memmove(
	    turns->places + at + 1, turns->places + at, (turns->end - at) * sizeof *turns->places);
	turns->places[at] = (struct place){turn, sender, mail};
	turns->end++;
}

bool turns_next(struct turns *turns, int64_t *sender, int64_t *mail)
{
	if (turns->first == turns->end)
		return false;
	const struct place next = turns->places[turns->first++];
	turns->now = next.turn;
	*sender = next.sender;
	*mail = next.mail;
	if (turns->first == turns->end)
		forget_all(turns); /* a flood leaves no memory behind */
	return true;
}

size_t turns_waiting(const struct turns *turns)
{
	return turns->end - turns->first;
}
