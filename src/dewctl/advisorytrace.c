/* dewctl advisory trace: whose copy a leaked text is, by its marks (rules/trace.h) */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "dewctl/advisorytrace.h"
#include "dewctl/find.h"
#include "rules/trace.h"
#include "store/audit.h"
#include "store/copies.h"

enum { LEAK_MAX = 8 * 1024 * 1024, SHOWN_MOST = 5, LINE_SIZE = 400 };

struct candidate {
	struct traced_copy copy;
	int64_t revision;
	int64_t of; /* copies of that revision */
	char member[STORE_ID_SIZE];
	bool named; /* the visible line of this copy stands in the text */
};

struct tracing {
	struct ctl *ctl;
	struct buf line; /* the text in one line, single blanks */
	struct trace_sites sites;
	struct candidate *candidates;
	struct trace_score *scores;
	size_t count;
	int64_t revision;
	size_t first; /* of the present revision */
	size_t best;
	unsigned permille;
};

static const struct report_column verdict_columns[] = {
    {"advisory", "Advisory", REPORT_TEXT},
    {"verdict", "Verdict", REPORT_TEXT},
    {"copy", "Copy", REPORT_NUMBER},
    {"of", "Of", REPORT_NUMBER},
    {"revision", "Revision", REPORT_NUMBER},
    {"address", "Made for", REPORT_TEXT},
    {"member", "Member", REPORT_TEXT},
    {"confidence", "Confidence", REPORT_TEXT},
    {"marks", "Marks found", REPORT_NUMBER},
    {"says", "Says it is of", REPORT_TEXT},
};
static const struct report_column candidate_columns[] = {
    {"revision", "REVISION", REPORT_NUMBER},
    {"copy", "COPY", REPORT_NUMBER},
    {"address", "MADE FOR", REPORT_TEXT},
    {"agree", "MARKS THAT AGREE", REPORT_NUMBER},
    {"of", "OF", REPORT_NUMBER},
};

/* Quotation marks and line ends would hide the visible line. */
static void flatten(struct view text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];
		const bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '>';
		if (!blank)
			buf_add_char(out, c);
		else if (out->len > 0 && out->data[out->len - 1] != ' ')
			buf_add_char(out, ' ');
	}
}

static int add_copy(void *context, const struct traced_copy *copy, struct err *err)
{
	struct tracing *tracing = context;
	struct contact contact;
	bool found;
	tracing->candidates =
	    reallocarray(tracing->candidates, tracing->count + 1, sizeof *tracing->candidates);
	if (tracing->candidates == NULL)
		abort();
	struct candidate *candidate = &tracing->candidates[tracing->count++];
	*candidate = (struct candidate){.copy = *copy, .revision = tracing->revision};
	candidate->copy.stash = VIEW("");
	if (store_contact_get(tracing->ctl->store, copy->contact, &contact, &found, err) < 0)
		return -1;
	if (found)
		snprintf(candidate->member, sizeof candidate->member, "%s", contact.member);
	return 0;
}

static int add_revision(void *context, const struct revision *revision, struct err *err)
{
	struct tracing *tracing = context;
	tracing->revision = revision->number;
	tracing->first = tracing->count;
	if (store_copy_each(tracing->ctl->store, revision->message, add_copy, tracing, err) < 0)
		return -1;
	for (size_t i = tracing->first; i < tracing->count; i++) {
		struct candidate *candidate = &tracing->candidates[i];
		char line[LINE_SIZE];
		candidate->of = (int64_t)(tracing->count - tracing->first);
		snprintf(line, sizeof line, "Copy %lld of %lld, for %s",
		    (long long)candidate->copy.number, (long long)candidate->of,
		    candidate->copy.address);
		candidate->named = view_find(buf_view(&tracing->line), view_of(line)) != SIZE_MAX;
	}
	return 0;
}

static void judge(struct tracing *tracing)
{
	tracing->scores = calloc(tracing->count + 1, sizeof *tracing->scores);
	if (tracing->scores == NULL)
		abort();
	for (size_t i = 0; i < tracing->count; i++)
		tracing->scores[i] = trace_score(&tracing->sites, tracing->candidates[i].copy.mark);
	trace_decide(tracing->scores, tracing->count, &tracing->best, &tracing->permille);
}

static void add_verdict(const struct tracing *tracing, const char *number, struct report *report)
{
	const bool sure = tracing->permille >= TRACE_SURE_PERMILLE;
	const struct candidate *best = &tracing->candidates[tracing->best];
	char confidence[LINE_SIZE];
	struct buf says = BUF_EMPTY(BUF_SMALL);
	for (size_t i = 0; i < tracing->count; i++) {
		if (tracing->candidates[i].named)
			buf_printf(&says, "%s%s", says.len > 0 ? ", " : "",
			    tracing->candidates[i].copy.address);
	}
	snprintf(confidence, sizeof confidence, "%s%u.%u %%",
	    tracing->permille == 999 ? "more than " : "", tracing->permille / 10,
	    tracing->permille % 10);
	report_add_text(report, number);
	report_add_text(report, sure ? "traced" : "cannot tell");
	if (sure) {
		report_add_number(report, best->copy.number);
		report_add_number(report, best->of);
		report_add_number(report, best->revision);
		report_add_text(report, best->copy.address);
		report_add_text(report, best->member);
		report_add_text(report, confidence);
	} else {
		for (size_t i = 0; i < 6; i++)
			report_add_none(report);
	}
	report_add_number(report, (int64_t)tracing->sites.count);
	report_add_text(report, buf_text(&says));
	buf_release(&says);
}

/* The copies that agree best, so that people see how far the next one is. */
static struct report *list_candidates(const struct tracing *tracing)
{
	struct report *table = report_table(
	    candidate_columns, sizeof candidate_columns / sizeof candidate_columns[0], "no marks");
	bool *shown = calloc(tracing->count + 1, sizeof *shown);
	if (shown == NULL)
		abort();
	for (size_t row = 0; row < SHOWN_MOST && row < tracing->count; row++) {
		size_t next = SIZE_MAX;
		for (size_t i = 0; i < tracing->count; i++) {
			if (!shown[i] && (next == SIZE_MAX || tracing->scores[i].evidence >
								  tracing->scores[next].evidence))
				next = i;
		}
		shown[next] = true;
		report_row(table);
		report_add_number(table, tracing->candidates[next].revision);
		report_add_number(table, tracing->candidates[next].copy.number);
		report_add_text(table, tracing->candidates[next].copy.address);
		report_add_number(table, (int64_t)tracing->scores[next].matches);
		report_add_number(table, (int64_t)tracing->sites.count);
	}
	free(shown);
	return table;
}

/* Who looked whose copy it was is itself something to keep. */
static int record(const struct tracing *tracing, const char *number, struct err *err)
{
	const bool sure = tracing->permille >= TRACE_SURE_PERMILLE;
	if (store_begin(tracing->ctl->store, err) < 0)
		return -1;
	return ctl_end(tracing->ctl,
	    ctl_audit(tracing->ctl, "advisory.trace", number, err, "%s, %zu marks",
		sure ? tracing->candidates[tracing->best].copy.address : "cannot tell",
		tracing->sites.count),
	    err);
}

static int trace(struct tracing *tracing, const char *number, struct err *err)
{
	struct advisory advisory;
	if (find_advisory(tracing->ctl, number, &advisory, err) < 0 ||
	    store_revision_each(tracing->ctl->store, advisory.id, add_revision, tracing, err) < 0)
		return -1;
	if (tracing->count == 0)
		return ctl_refuse(err,
		    "%s has no traced copies: it was published without \"Trace: yes\"",
		    advisory.number);
	judge(tracing);
	if (record(tracing, advisory.number, err) < 0)
		return -1;
	struct report *report =
	    report_record(verdict_columns, sizeof verdict_columns / sizeof verdict_columns[0]);
	add_verdict(tracing, advisory.number, report);
	report_attach(report, "copies", "Copies that agree best", list_candidates(tracing));
	return ctl_print(tracing->ctl, report, err);
}

int advisorytrace_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct buf leak = BUF_EMPTY(LEAK_MAX);
	struct tracing tracing = {.ctl = ctl, .line = BUF_EMPTY(LEAK_MAX)};
	int status = file_read(call->arguments[1], &leak, err);
	if (status == 0 && !text_is_utf8(buf_view(&leak)))
		status = ctl_refuse(err, "%s is no text in UTF-8", call->arguments[1]);
	if (status == 0)
		status = ctl_open_store(ctl, err);
	if (status == 0) {
		flatten(buf_view(&leak), &tracing.line);
		trace_read(buf_view(&leak), &tracing.sites);
		status = trace(&tracing, call->arguments[0], err);
	}
	trace_release(&tracing.sites);
	free(tracing.candidates);
	free(tracing.scores);
	buf_release(&tracing.line);
	buf_release(&leak);
	return status;
}
