/* The verbs of every noun: each table stands in the noun's own file, ended by one without a name.
 */
#ifndef DEWLINE_DEWCTL_VERBS_H
#define DEWLINE_DEWCTL_VERBS_H

#include "dewctl/options.h"

extern const struct ctl_verb init_verbs[];
extern const struct ctl_verb check_verbs[];
extern const struct ctl_verb backup_verbs[];
extern const struct ctl_verb restore_verbs[];
extern const struct ctl_verb key_verbs[];
extern const struct ctl_verb member_verbs[];
extern const struct ctl_verb agreement_verbs[];
extern const struct ctl_verb join_verbs[];
extern const struct ctl_verb contact_verbs[];
extern const struct ctl_verb publisher_verbs[];
extern const struct ctl_verb admin_verbs[];
extern const struct ctl_verb group_verbs[];
extern const struct ctl_verb advisory_verbs[];
extern const struct ctl_verb ack_verbs[];
extern const struct ctl_verb report_verbs[];
extern const struct ctl_verb material_verbs[];
extern const struct ctl_verb approve_verbs[];
extern const struct ctl_verb approval_verbs[];
extern const struct ctl_verb reminder_verbs[];
extern const struct ctl_verb bounce_verbs[];
extern const struct ctl_verb queue_verbs[];
extern const struct ctl_verb inbox_verbs[];
extern const struct ctl_verb clock_verbs[];
extern const struct ctl_verb audit_verbs[];
extern const struct ctl_verb stats_verbs[];

#endif
