/* dewctl audit ... */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "dewctl/ctl.h"
#include "dewctl/verbs.h"
#include "store/audit.h"
#include "store/compare.h"

enum { MOST_UNLESS_ASKED = 20, DIFFERENCES_SHOWN = 20 };

/* N:HASH, as `audit verify` and receipts print it. */
static bool checkpoint_from(struct view text, int64_t *sequence, char hash[static DIGEST_HEX_SIZE])
{
	unsigned char digest[DIGEST_SIZE];
	struct view number;
	return view_next_field(&text, ':', &number) &&
	       text_number(number, 1, INT64_MAX, sequence) &&
	       text_unhex(text, digest, sizeof digest) && view_copy(text, hash, DIGEST_HEX_SIZE);
}

static const char *check_checkpoint(struct view value)
{
	char hash[DIGEST_HEX_SIZE];
	int64_t sequence;
	return checkpoint_from(value, &sequence, hash)
		   ? NULL
		   : "an entry's number, a colon and its 64 digits, as a receipt has them";
}

static const struct ctl_option show_options[] = {
    {"from", "N", "begin at entry N (unless given, the newest are shown)", ctl_check_count, false},
    {"most", "N", "show N of them at most (20 unless given)", ctl_check_count, false},
    {0},
};
static const struct ctl_option verify_options[] = {
    {"checkpoint", "N:HASH", "entry N must be there with this hash", check_checkpoint, false},
    {0},
};

static const struct report_column show_columns[] = {
    {"sequence", "N", REPORT_NUMBER},
    {"at", "AT", REPORT_TIME},
    {"actor", "WHO", REPORT_TEXT},
    {"event", "EVENT", REPORT_TEXT},
    {"subject", "SUBJECT", REPORT_TEXT},
    {"detail", "DETAIL", REPORT_TEXT},
    {"hash", NULL, REPORT_TEXT},
};

static int show_entry(void *context, const struct audit_entry *entry, struct err *err)
{
	struct report *report = context;
	(void)err;
	report_row(report);
	report_add_number(report, entry->sequence);
	report_add_time(report, entry->at);
	report_add_text(report, entry->actor);
	report_add_text(report, entry->event);
	report_add_text(report, entry->subject);
	report_add_text(report, entry->detail);
	report_add_text(report, entry->hash);
	return 0;
}

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const int64_t most = ctl_number(call, "most", MOST_UNLESS_ASKED);
	char hash[DIGEST_HEX_SIZE];
	int64_t last;
	if (ctl_open_store(ctl, err) < 0 || store_audit_last(ctl->store, &last, hash, err) < 0)
		return -1;
	const int64_t from = ctl_number(call, "from", last >= most ? last - most + 1 : 1);
	struct report *report = report_table(
	    show_columns, sizeof show_columns / sizeof show_columns[0], "no entries there");
	if (store_audit_each(ctl->store, from, most, show_entry, report, err) < 0) {
		report_free(report);
		return -1;
	}
	return ctl_print(ctl, report, err);
}

static const struct report_column verify_columns[] = {
    {"sound", "Sound", REPORT_FLAG},
    {"entries", "Entries", REPORT_NUMBER},
    {"checkpoint", "Checkpoint", REPORT_TEXT},
    {"bad", NULL, REPORT_NUMBER},
    {"reason", NULL, REPORT_TEXT},
    {"differences", "Differences", REPORT_NUMBER},
    {"lost_from", NULL, REPORT_NUMBER},
};

/* What contradicts the log. */
struct differences {
	int64_t count;
	char first[STORE_REASON_SIZE];
};

static int add_difference(void *context, const char *what, struct err *err)
{
	struct differences *differences = context;
	(void)err;
	if (differences->count == 0)
		view_copy(view_part(view_of(what), 0, STORE_REASON_SIZE - 1), differences->first,
		    sizeof differences->first);
	if (++differences->count <= DIFFERENCES_SHOWN)
		ctl_warn("%s", what);
	return 0;
}

/* What was found of the chain. */
struct chain {
	int64_t count;
	int64_t bad;
	char what[STORE_REASON_SIZE];
	int64_t lost_epoch; /* by the checkpoint, in a restore; 0: nothing is */
	int64_t lost_from; /* entry */
};

static int print_verdict(
    struct ctl *ctl, const struct chain *chain, const struct differences *found, struct err *err)
{
	char hash[DIGEST_HEX_SIZE];
	int64_t last;
	if (store_audit_last(ctl->store, &last, hash, err) < 0)
		return -1;
	struct buf text = BUF_EMPTY(BUF_SMALL);
	buf_printf(&text, "%" PRId64 ":%s", last, hash);
	struct report *report =
	    report_record(verify_columns, sizeof verify_columns / sizeof verify_columns[0]);
	report_add_flag(report, chain->bad == 0);
	report_add_number(report, chain->count);
	report_add_view(report, buf_view(&text));
	report_add_number(report, chain->bad);
	report_add_text(report, chain->bad != 0 ? chain->what : found->first);
	report_add_number(report, found->count);
	report_add_number(report, chain->lost_from);
	buf_release(&text);
	return ctl_print(ctl, report, err);
}

/* A checkpoint that does not hold where the chain does: a restore may have lost what it is of. */
static int walk(struct ctl *ctl, int64_t sequence, const char *hash, struct chain *chain,
    struct err *err)
{
	struct chain without = {.bad = 0};
	if (store_audit_verify(
		ctl->store, sequence, hash, &chain->count, &chain->bad, chain->what, err) < 0)
		return -1;
	if (chain->bad == 0 || sequence == 0)
		return 0;
	if (store_audit_verify(
		ctl->store, 0, "", &without.count, &without.bad, without.what, err) < 0)
		return -1;
	if (without.bad == 0 && store_audit_lost(ctl->store, sequence, &without.lost_epoch,
				    &without.lost_from, err) < 0)
		return -1;
	if (without.lost_from != 0)
		*chain = without;
	return 0;
}

static int refuse_lost(const struct chain *chain, int64_t sequence, struct err *err)
{
	return ctl_refuse(err,
	    "the log is whole, but not all of it is here: the log of epoch %" PRId64
	    " went on to entry %" PRId64 " after the backup that was put in its place, by the "
	    "checkpoint (if that was not mistyped): entries %" PRId64 " to %" PRId64 " are lost",
	    chain->lost_epoch, sequence, chain->lost_from, sequence);
}

static int run_verify(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *checkpoint = ctl_value(call, "checkpoint");
	char known[DIGEST_HEX_SIZE] = "";
	struct chain chain = {.bad = 0};
	struct differences found = {.count = 0};
	int64_t sequence = 0;
	if (checkpoint != NULL)
		checkpoint_from(view_of(checkpoint), &sequence, known);
	if (ctl_open_store(ctl, err) < 0 ||
	    walk(ctl, sequence, known, &chain, err) < 0 ||
	    store_compare(ctl->store, add_difference, &found, err) < 0 ||
	    print_verdict(ctl, &chain, &found, err) < 0)
		return -1;
	if (chain.bad != 0)
		return ctl_refuse(err,
		    "the log was tampered with or damaged%s: %s; keep a copy of the state "
		    "directory as it is now",
		    checkpoint != NULL ? ", or the checkpoint was mistyped" : "", chain.what);
	if (chain.lost_from != 0)
		return refuse_lost(&chain, sequence, err);
	if (found.count != 0)
		return ctl_refuse(err,
		    "the store was changed behind the log's back, in %" PRId64
		    " places, the first: %s; keep a copy of the state directory as it is now",
		    found.count, found.first);
	return 0;
}

const struct ctl_verb audit_verbs[] = {
    {"show", "", 0, 0, true, show_options, "Shows entries of the log", NULL, run_show},
    {"verify", "", 0, 0, true, verify_options, "Checks that the log is whole",
	"Finds any edit, gap or insertion. A cut end, or a log that was written anew as a whole,\n"
	"shows only against a checkpoint: keep the one that this prints, or take it from any\n"
	"receipt. Also names answers, deliveries, revisions and keys that contradict the log.\n",
	run_verify},
    {0},
};
