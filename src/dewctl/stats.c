/* dewctl stats: how many were reached and answered, and how soon; drills apart. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dewctl/ctl.h"
#include "dewctl/verbs.h"
#include "rules/figures.h"

static const char *const kind_names[FIGURES_KINDS] = {
    [FIGURES_ADVISORY] = "advisories",
    [FIGURES_EXERCISE] = "exercises",
    [FIGURES_BULLETIN] = "bulletins",
};

static const struct report_column summary_columns[] = {
    {"since", "Since", REPORT_TIME},
};
#define FIGURE_COLUMNS                                                                             \
	{"advisories", "ADVISORIES", REPORT_NUMBER}, {"recipients", "RECIPIENTS", REPORT_NUMBER},  \
	    {"reached", "REACHED", REPORT_NUMBER},                                                 \
	    {"acknowledged", "ACKNOWLEDGED", REPORT_NUMBER}, {"asked", "ASKED", REPORT_NUMBER},    \
	    {"in_time", "IN TIME", REPORT_NUMBER},                                                 \
	{                                                                                          \
		"median_seconds", "MEDIAN SECONDS", REPORT_NUMBER                                  \
	}
static const struct report_column kind_columns[] = {{"kind", "KIND", REPORT_TEXT}, FIGURE_COLUMNS};
static const struct report_column member_columns[] = {
    {"member", "MEMBER", REPORT_TEXT}, FIGURE_COLUMNS};

#define TABLE(columns, empty) report_table(columns, sizeof columns / sizeof columns[0], empty)

/* "2026-11-25T18:00:00Z", or "2026-11-25" for its first moment. */
static bool read_time(struct view value, int64_t *seconds)
{
	char midnight[TEXT_TIME_SIZE + 16];
	if (text_time(value, seconds))
		return true;
	const int len = snprintf(midnight, sizeof midnight, "%.*sT00:00:00Z",
	    value.len > TEXT_TIME_SIZE ? TEXT_TIME_SIZE : (int)value.len, value.data);
	return len > 0 && text_time(view_of(midnight), seconds);
}

static const char *check_time(struct view value)
{
	int64_t seconds;
	return read_time(value, &seconds) ? NULL
					  : "a time such as 2026-11-25T18:00:00Z, or 2026-11-25";
}

static const struct ctl_option options[] = {
    {"since", "TIME", "count only what was released then or later", check_time, false},
    {0},
};

struct of_member {
	char member[STORE_ID_SIZE];
	struct figures kinds[FIGURES_KINDS];
};

struct counting {
	struct figures kinds[FIGURES_KINDS];
	struct of_member *members;
	size_t count;
};

static struct of_member *find(struct counting *counting, const char *member)
{
	for (size_t i = 0; i < counting->count; i++) {
		if (strcmp(counting->members[i].member, member) == 0)
			return &counting->members[i];
	}
	counting->members =
	    reallocarray(counting->members, counting->count + 1, sizeof *counting->members);
	if (counting->members == NULL)
		abort();
	struct of_member *added = &counting->members[counting->count++];
	memset(added, 0, sizeof *added);
	snprintf(added->member, sizeof added->member, "%s", member);
	return added;
}

static int count_row(void *context, const struct stat_row *row, struct err *err)
{
	struct counting *counting = context;
	const enum figures_kind kind = figures_kind_of(row);
	(void)err;
	figures_add(&counting->kinds[kind], row);
	figures_add(&find(counting, row->member)->kinds[kind], row);
	return 0;
}

static void add_row(struct report *report, const char *name, struct figures *figures)
{
	const int64_t median = figures_median(figures);
	report_row(report);
	report_add_text(report, name);
	report_add_number(report, figures->advisories);
	report_add_number(report, figures->recipients);
	report_add_number(report, figures->reached);
	report_add_number(report, figures->acknowledged);
	report_add_number(report, figures->asked);
	report_add_number(report, figures->in_time);
	if (median < 0)
		report_add_none(report);
	else
		report_add_number(report, median);
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct of_member *)a)->member, ((const struct of_member *)b)->member);
}

/* The names must outlive the report. */
static void add_members(struct report *summary, struct counting *counting, enum figures_kind kind,
    const char *name, const char *heading)
{
	struct report *report = TABLE(member_columns, "none");
	for (size_t i = 0; i < counting->count; i++) {
		if (counting->members[i].kinds[kind].recipients > 0)
			add_row(
			    report, counting->members[i].member, &counting->members[i].kinds[kind]);
	}
	report_attach(summary, name, heading, report);
}

static int run_stats(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *text = ctl_value(call, "since");
	struct counting counting = {.count = 0};
	int64_t since = 0;
	if (text != NULL)
		read_time(view_of(text), &since);
	int status = ctl_open_store(ctl, err);
	if (status == 0)
		status = store_stat_each(ctl->store, since, count_row, &counting, err);
	if (status == 0) {
		struct report *summary = report_record(
		    summary_columns, sizeof summary_columns / sizeof summary_columns[0]);
		struct report *kinds = TABLE(kind_columns, "none");
		if (counting.count > 0)
			qsort(counting.members, counting.count, sizeof *counting.members,
			    compare_members);
		report_add_time(summary, since);
		for (size_t i = 0; i < FIGURES_KINDS; i++)
			add_row(kinds, kind_names[i], &counting.kinds[i]);
		report_attach(summary, "kinds", "What was sent", kinds);
		add_members(
		    summary, &counting, FIGURES_ADVISORY, "members", "Members in advisories");
		add_members(summary, &counting, FIGURES_EXERCISE, "exercise_members",
		    "Members in exercises");
		add_members(summary, &counting, FIGURES_BULLETIN, "bulletin_members",
		    "Members in bulletins");
		status = ctl_print(ctl, summary, err);
	}
	for (size_t i = 0; i < FIGURES_KINDS; i++) {
		figures_release(&counting.kinds[i]);
		for (size_t j = 0; j < counting.count; j++)
			figures_release(&counting.members[j].kinds[i]);
	}
	free(counting.members);
	return status;
}

const struct ctl_verb stats_verbs[] = {
    {"", "", 0, 0, true, options, "Counts who was reached and who answered, and how soon",
	"Exercises are counted apart and never mixed with what happened in earnest; so are\n"
	"bulletins, which nobody is asked to answer. A recipient counts once for each\n"
	"revision; IN TIME counts those of ASKED who answered by the deadline.\n",
	run_stats},
    {0},
};
