/* What adding and inviting a member have in common. */
#ifndef DEWLINE_DEWCTL_MEMBERNEW_H
#define DEWLINE_DEWCTL_MEMBERNEW_H

#include "dewctl/ctl.h"
#include "store/people.h"

/* The check of --kind: "national", "local" or "other". */
ctl_check_fn membernew_check_kind;

/* Fills a member from the argument ID and the options name, kind and parent. */
int membernew_read(
    const struct ctl *ctl, const struct ctl_call *call, struct member *out, struct err *err);

/* Refuses the ID of a group, and a parent that does not take part. */
int membernew_check(struct ctl *ctl, const struct member *member, struct err *err);
/* Refuses because the ID is taken, saying by whom. */
int membernew_refuse_taken(struct ctl *ctl, const struct member *member, struct err *err);

/* dewctl member invite */
extern const struct ctl_option invite_options[];
ctl_run_fn invite_run;

#endif
