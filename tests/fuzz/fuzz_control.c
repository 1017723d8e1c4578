/* The control blocks that publishers and contacts write, and the audience in one. The input's first
 * byte says which block it is; "Audience:" goes on to a small programme of members. */
#include "config.h"

#include "rules/audience.h"
#include "rules/block.h"
#include "rules/control.h"
#include "rules/inform.h"
#include "rules/join.h"
#include "rules/keylife.h"
#include "rules/release.h"

#include "fuzz.h"

enum { NOW = 1800000000, RANKS = 2 };

static const struct member members[] = {
    {.id = "us", .state = "active"},
    {.id = "us-tx", .parent = "us", .state = "active"},
    {.id = "us-tx-austin", .parent = "us-tx", .state = "suspended"},
    {.id = "de", .state = "left"},
    {.id = "loop", .parent = "pool", .state = "active"},
    {.id = "pool", .parent = "loop", .state = "active"},
};
static const struct contact contacts[] = {
    {.id = 1, .member = "us", .address = "one@us.example", .rank = 1},
    {.id = 2, .member = "us", .address = "two@us.example", .rank = RANKS},
    {.id = 3, .member = "us-tx", .address = "tx@us.example", .rank = 1},
    {.id = 4, .member = "us-tx-austin", .address = "austin@us.example", .rank = 1},
    {.id = 5, .member = "de", .address = "gone@de.example", .rank = 1},
    {.id = 6, .member = "loop", .address = "loop@x.example", .rank = 1, .removed = true},
};
static const struct group_entry entries[] = {
    {.group = "energy", .entry = "us-tx"},
    {.group = "g7", .entry = "two@us.example", .is_contact = true},
    {.group = "all-of-us", .entry = "us"},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct people people = {
    members, COUNT(members), contacts, COUNT(contacts), entries, COUNT(entries)};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void check_refusal(const struct refusal *refusal)
{
	FUZZ_CHECK(refusal->text[0] != '\0' && fuzz_is_shown(refusal->text));
	FUZZ_CHECK(refusal->line >= 0);
}

static bool is_address(const char *text)
{
	const char *why;
	return text_is_address(view_of(text), &why);
}

/* Whoever is chosen may be; and who is named alone is meant. */
static void check_audience(struct view audience)
{
	bool chosen[COUNT(contacts)];
	struct refusal refusal = {.line = 0};
	size_t count = 0;
	if (!audience_choose(&people, audience, 1, chosen, &refusal)) {
		check_refusal(&refusal);
		return;
	}
	for (size_t i = 0; i < COUNT(contacts); i++) {
		const struct member *member = people_member(&people, contacts[i].member);
		count += chosen[i];
		FUZZ_CHECK(!chosen[i] || !contacts[i].removed);
		FUZZ_CHECK(!chosen[i] || strcmp(member->state, "left") != 0);
		FUZZ_CHECK(chosen[i] || contacts[i].removed || strcmp(member->state, "left") == 0 ||
			   !audience_names(audience, contacts[i].address) ||
			   view_find(audience, VIEW("-")) != SIZE_MAX);
	}
	FUZZ_CHECK(count > 0);
}

static void read_control(struct view text, struct refusal *refusal)
{
	struct control control;
	if (!control_read(text, &control, refusal)) {
		check_refusal(refusal);
		return;
	}
	FUZZ_CHECK(control.act <= CONTROL_WITHDRAW);
	FUZZ_CHECK(control_is_first(&control) == (control.number[0] == '\0'));
	FUZZ_CHECK(fuzz_is_text(view_of(control.number), "") || !text_is_utf8(text));
	FUZZ_CHECK(fuzz_is_text(view_of(control.audience), "\t") || !text_is_utf8(text));
	FUZZ_CHECK(control.acknowledge >= 0 && control.acknowledge <= 30 * 86400);
	FUZZ_CHECK(control.has_tlp == (control.tlp_line > 0) && control.tlp <= TLP_RED);
	FUZZ_CHECK(fuzz_lies_in(control.text, text));
	FUZZ_CHECK(view_trim(control.text).len == control.text.len);
	if (!release_time_is_good(&control, NOW, refusal))
		check_refusal(refusal);
	if (control.audience[0] != '\0')
		check_audience(view_of(control.audience));
}

static void read_decision(struct view text, struct refusal *refusal)
{
	struct decision decision;
	if (!decision_read(text, &decision, refusal)) {
		check_refusal(refusal);
		return;
	}
	FUZZ_CHECK(decision.token[0] != '\0');
	FUZZ_CHECK(fuzz_lies_in(decision.text, text));
}

static void read_report(struct view text, struct refusal *refusal)
{
	struct inform_report report;
	if (!inform_read_report(text, &report, refusal)) {
		check_refusal(refusal);
		return;
	}
	FUZZ_CHECK(report.title[0] != '\0' && report.tlp <= TLP_RED);
	FUZZ_CHECK(fuzz_is_text(view_of(report.title), "\t") || !text_is_utf8(text));
	FUZZ_CHECK(report.tlp != TLP_RED || report.about[0] != '\0');
	FUZZ_CHECK(fuzz_lies_in(report.text, text));
}

static void read_reply(struct view text, struct refusal *refusal)
{
	char number[STORE_NUMBER_SIZE] = "";
	struct view rest = {"", 0};
	if (inform_read_reply(text, number, &rest, refusal))
		FUZZ_CHECK(number[0] != '\0' && fuzz_lies_in(rest, text));
	else
		check_refusal(refusal);
}

static void read_request(struct view text, struct refusal *refusal)
{
	char name[STORE_ID_SIZE] = "";
	if (inform_read_request(text, name, refusal))
		FUZZ_CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name));
	else
		check_refusal(refusal);
}

static void read_join(struct view text, struct refusal *refusal)
{
	struct join_request request = {.organisation = ""};
	if (!join_read(text, &request, refusal)) {
		check_refusal(refusal);
		return;
	}
	FUZZ_CHECK(request.organisation[0] != '\0' && is_address(request.address));
}

static void read_key(struct view text, struct refusal *refusal)
{
	struct view rest = {"", 0};
	if (!keylife_read(text, &rest, refusal)) {
		check_refusal(refusal);
		return;
	}
	FUZZ_CHECK(fuzz_lies_in(rest, text));
}

static void (*const readers[])(struct view, struct refusal *) = {
    read_control, read_decision, read_report, read_reply, read_request, read_join, read_key};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = fuzz_view(data, size);
	struct refusal refusal = {.line = 0};
	const size_t kind = fuzz_byte(&text) % COUNT(readers);
	FUZZ_CHECK(fuzz_lies_in(block_first_name(text), text));
	readers[kind](text, &refusal);
	if (kind == 0)
		check_audience(text);
	return 0;
}
