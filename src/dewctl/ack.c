/* dewctl ack list (exporting the evidence stands in export.c) */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dewctl/export.h"
#include "dewctl/find.h"
#include "dewctl/stash.h"
#include "dewctl/verbs.h"

enum { COMMENT_STASH_MAX = 1024 * 1024 };

/* One contact of the audience: the newest delivery, and the acknowledgment that counts, which is
 * that of the highest revision and in it the last signed. */
struct answer {
	int64_t contact;
	char address[STORE_ADDRESS_SIZE];
	char member[STORE_ID_SIZE];
	char name[STORE_NAME_SIZE];
	int64_t delivered; /* number of the newest revision that was for the contact */
	char state[STORE_ID_SIZE];
	char reason[STORE_REASON_SIZE];
	int64_t replies;
	int64_t revision; /* acknowledged; 0: none */
	char status[STORE_ID_SIZE];
	int64_t signed_at;
	int64_t received_at;
	char fingerprint[FINGERPRINT_SIZE];
	char clear[STORE_ID_SIZE]; /* what of any of the replies travelled in the open */
	struct buf comment; /* stash */
};

struct answers {
	struct ctl *ctl;
	struct answer *all;
	size_t count;
	size_t room;
	int64_t revision; /* that is being collected */
};

static struct answer *new_answer(struct answers *answers)
{
	if (answers->count == answers->room) {
		answers->room = 2 * answers->room + 64;
		answers->all = reallocarray(answers->all, answers->room, sizeof *answers->all);
		if (answers->all == NULL)
			abort();
	}
	struct answer *answer = &answers->all[answers->count++];
	*answer = (struct answer){.comment = BUF_EMPTY(COMMENT_STASH_MAX)};
	return answer;
}

static int collect_delivery(void *context, const struct delivery *delivery, struct err *err)
{
	struct answers *answers = context;
	(void)err;
	if (delivery->contact == 0)
		return 0;
	struct answer *answer = new_answer(answers);
	answer->contact = delivery->contact;
	answer->delivered = answers->revision;
	snprintf(answer->address, sizeof answer->address, "%s", delivery->address);
	snprintf(answer->state, sizeof answer->state, "%s", delivery->state);
	snprintf(answer->reason, sizeof answer->reason, "%s", delivery->reason);
	return 0;
}

static int collect_revision(void *context, const struct revision *revision, struct err *err)
{
	struct answers *answers = context;
	answers->revision = revision->number;
	return store_delivery_each(
	    answers->ctl->store, revision->message, collect_delivery, answers, err);
}

static int by_contact(const void *a, const void *b)
{
	const struct answer *left = a;
	const struct answer *right = b;
	if (left->contact != right->contact)
		return left->contact < right->contact ? -1 : 1;
	return (left->delivered > right->delivered) - (left->delivered < right->delivered);
}

/* Sorts by contact and keeps of each the newest delivery. */
static void keep_newest(struct answers *answers)
{
	size_t kept = 0;
	if (answers->count > 0)
		qsort(answers->all, answers->count, sizeof *answers->all, by_contact);
	for (size_t i = 0; i < answers->count; i++) {
		if (i + 1 < answers->count &&
		    answers->all[i].contact == answers->all[i + 1].contact)
			continue;
		answers->all[kept++] = answers->all[i];
	}
	answers->count = kept;
}

static struct answer *find_answer(struct answers *answers, int64_t contact)
{
	size_t low = 0;
	size_t high = answers->count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (answers->all[middle].contact == contact)
			return &answers->all[middle];
		if (answers->all[middle].contact < contact)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int collect_ack(void *context, const struct acknowledgment *ack, struct err *err)
{
	struct answers *answers = context;
	struct answer *answer = find_answer(answers, ack->contact);
	if (answer == NULL)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "acknowledgment %" PRId64
		    " is of a contact without a delivery: see dewctl check",
		    ack->id);
	answer->replies++;
	answer->revision = answers->revision;
	snprintf(answer->status, sizeof answer->status, "%s", ack->status);
	answer->signed_at = ack->signed_at;
	answer->received_at = ack->received_at;
	snprintf(answer->fingerprint, sizeof answer->fingerprint, "%s", ack->fingerprint);
	if (answer->clear[0] == '\0' || strcmp(ack->clear, "text") == 0)
		snprintf(answer->clear, sizeof answer->clear, "%s", ack->clear);
	buf_clear(&answer->comment);
	buf_add_view(&answer->comment, ack->comment);
	return 0;
}

/* Revisions come by number, and the acknowledgments of a contact by signing time: the last stays.
 */
static int collect_acks(void *context, const struct revision *revision, struct err *err)
{
	struct answers *answers = context;
	answers->revision = revision->number;
	return store_acknowledgment_each(
	    answers->ctl->store, revision->id, collect_ack, answers, err);
}

static int name_people(struct answers *answers, struct err *err)
{
	for (size_t i = 0; i < answers->count; i++) {
		struct answer *answer = &answers->all[i];
		struct contact contact;
		bool found;
		if (store_contact_get(answers->ctl->store, answer->contact, &contact, &found, err) <
		    0)
			return -1;
		if (!found)
			continue;
		snprintf(answer->member, sizeof answer->member, "%s", contact.member);
		snprintf(answer->name, sizeof answer->name, "%s", contact.name);
	}
	return 0;
}

static int by_member(const void *a, const void *b)
{
	const struct answer *left = a;
	const struct answer *right = b;
	const int order = strcmp(left->member, right->member);
	return order != 0 ? order : strcmp(left->address, right->address);
}

static const struct report_column columns[] = {
    {"member", "MEMBER", REPORT_TEXT},
    {"address", "CONTACT", REPORT_TEXT},
    {"name", "NAME", REPORT_TEXT},
    {"revision", NULL, REPORT_NUMBER},
    {"older", NULL, REPORT_FLAG},
    {NULL, "REVISION", REPORT_TEXT},
    {"status", "STATUS", REPORT_TEXT},
    {"signed_at", "SIGNED", REPORT_TIME},
    {"received_at", "RECEIVED", REPORT_TIME},
    {"fingerprint", NULL, REPORT_TEXT},
    {"in_the_clear", "IN THE CLEAR", REPORT_TEXT},
    {"replies", NULL, REPORT_NUMBER},
    {"delivered_revision", NULL, REPORT_NUMBER},
    {"delivery", "DELIVERY", REPORT_TEXT},
    {"reason", "REASON", REPORT_TEXT},
    {"comment", "COMMENT", REPORT_PROSE},
};

/* The four cells that say what was acknowledged. */
static void add_acknowledged(struct report *report, const struct answer *answer)
{
	const bool older = answer->revision < answer->delivered;
	struct buf text = BUF_EMPTY(BUF_SMALL);
	if (answer->revision == 0) {
		report_add_none(report);
		report_add_none(report);
		report_add_text(report, "-");
		report_add_none(report);
		return;
	}
	buf_printf(&text, "%" PRId64 "%s", answer->revision, older ? " (older)" : "");
	report_add_number(report, answer->revision);
	report_add_flag(report, older);
	report_add_view(report, buf_view(&text));
	report_add_text(report, answer->status);
	buf_release(&text);
}

static int add_row(
    struct ctl *ctl, struct report *report, const struct answer *answer, struct err *err)
{
	report_row(report);
	report_add_text(report, answer->member);
	report_add_text(report, answer->address);
	report_add_text(report, answer->name);
	add_acknowledged(report, answer);
	report_add_time(report, answer->signed_at);
	report_add_time(report, answer->received_at);
	if (answer->revision == 0)
		report_add_none(report);
	else
		report_add_text(report, answer->fingerprint);
	report_add_text(report, answer->clear);
	report_add_number(report, answer->replies);
	report_add_number(report, answer->delivered);
	report_add_text(report, answer->state);
	report_add_text(report, answer->reason);
	return stash_add_cell(ctl, report, buf_view(&answer->comment), answer->address, err);
}

static int collect_all(struct answers *answers, const struct advisory *advisory, struct err *err)
{
	struct store *store = answers->ctl->store;
	if (store_revision_each(store, advisory->id, collect_revision, answers, err) < 0)
		return -1;
	keep_newest(answers);
	if (store_revision_each(store, advisory->id, collect_acks, answers, err) < 0 ||
	    name_people(answers, err) < 0)
		return -1;
	if (answers->count > 0)
		qsort(answers->all, answers->count, sizeof *answers->all, by_member);
	return 0;
}

static void say_count(const struct answers *answers)
{
	size_t current = 0;
	size_t older = 0;
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer *answer = &answers->all[i];
		current += answer->revision != 0 && answer->revision >= answer->delivered;
		older += answer->revision != 0 && answer->revision < answer->delivered;
	}
	if (answers->count == 0)
		return;
	ctl_say_blank();
	if (older > 0)
		ctl_say("%zu of %zu acknowledged, and %zu an older revision only.", current,
		    answers->count, older);
	else
		ctl_say("%zu of %zu acknowledged.", current, answers->count);
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct advisory advisory;
	struct answers answers = {.ctl = ctl};
	struct report *report =
	    report_table(columns, sizeof columns / sizeof columns[0], "it went to nobody yet");
	int status = -1;
	if (ctl_open_store(ctl, err) < 0 ||
	    find_advisory(ctl, call->arguments[0], &advisory, err) < 0 ||
	    collect_all(&answers, &advisory, err) < 0)
		goto done;
	for (size_t i = 0; i < answers.count; i++) {
		ctl_progress("opening comments", i, answers.count);
		if (add_row(ctl, report, &answers.all[i], err) < 0)
			goto done;
	}
	ctl_progress("opening comments", answers.count, answers.count);
	status = report_print(report, ctl->json, stdout, err);
	if (status == 0 && !ctl->json)
		say_count(&answers);
done:
	for (size_t i = 0; i < answers.count; i++)
		buf_release(&answers.all[i].comment);
	free(answers.all);
	report_free(report);
	return status;
}

const struct ctl_verb ack_verbs[] = {
    {"list", "ID", 1, 1, true, NULL, "Lists everybody in the audience, and what they answered",
	"Of each contact the answer to the newest revision. Who has not answered stands there\n"
	"with the state of the delivery; \"(older)\" marks an answer to a revision that was\n"
	"replaced for this contact.\n",
	run_list},
    {"export", "ID ADDRESS DIR", 3, 3, false, NULL, "Writes a contact's signed replies as evidence",
	"DIR is made, or must be empty. It gets the mail as it came, the signed bytes, the\n"
	"certificate, and a README.txt with the gpg commands that verify them. What was\n"
	"encrypted to the gateway stands there in the clear.\n",
	export_run},
    {0},
};
