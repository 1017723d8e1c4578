#include "config.h"

#include <stdio.h>
#include <string.h>

#include "rules/bounced.h"

enum { REPLY_DIGITS = 3 }; /* RFC 5321 section 4.2 */

/* By the status, or by the code of the SMTP reply where there is none. What a server said without
 * either is a reason all the same, and it has given up (RFC 3464 section 2.3.3). */
static enum bounced judge_failure(const struct mail_bounce *bounce)
{
	const char *said = bounce->diagnostic;
	const bool code = strspn(said, "0123456789") == REPLY_DIGITS;
	if (strchr("45", bounce->status[0]) != NULL && bounce->status[0] != '\0')
		return bounce->status[0] == '5' ? BOUNCED_FAILED : BOUNCED_GIVEN_UP;
	if (said[0] == '\0')
		return BOUNCED_UNREADABLE;
	return code && said[0] == '4' ? BOUNCED_GIVEN_UP : BOUNCED_FAILED;
}

enum bounced bounced_judge(const struct mail_bounce *bounce, bool known)
{
	if (strcmp(bounce->action, "failed") == 0)
		return judge_failure(bounce);
	if (bounce->action[0] != '\0')
		return BOUNCED_NOTED;
	if (bounce->writer == MAIL_WRITER_AUTOMATIC)
		return BOUNCED_AUTOMATIC;
	return known && bounce->writer == MAIL_WRITER_UNKNOWN ? BOUNCED_WRITTEN
							      : BOUNCED_UNREADABLE;
}

bool bounced_is_failure(enum bounced verdict)
{
	return verdict >= BOUNCED_UNREADABLE;
}

const char *bounced_name(enum bounced verdict)
{
	static const char *const names[] = {
	    [BOUNCED_NOTED] = "noted",
	    [BOUNCED_AUTOMATIC] = "auto-reply",
	    [BOUNCED_WRITTEN] = "written",
	    [BOUNCED_UNREADABLE] = "unreadable",
	    [BOUNCED_GIVEN_UP] = "given up",
	    [BOUNCED_FAILED] = "bounced",
	};
	return names[verdict];
}

void bounced_reason(
    enum bounced verdict, const struct mail_bounce *bounce, char out[static STORE_REASON_SIZE])
{
	if (verdict == BOUNCED_UNREADABLE)
		snprintf(out, STORE_REASON_SIZE, "came back, reason unreadable");
	else
		snprintf(out, STORE_REASON_SIZE, "%s%s%.220s", bounce->status,
		    bounce->status[0] == '\0' || bounce->diagnostic[0] == '\0' ? "" : ": ",
		    bounce->diagnostic);
}

void bounced_may_replace(const char *audience, struct buf *out)
{
	struct view rest = view_of(audience);
	struct view name;
	buf_add_text(out, "all");
	while (view_next_field(&rest, ',', &name)) {
		name = view_trim(name);
		if (name.len > 0 && name.data[0] == '-')
			buf_printf(out, ", %.*s", (int)name.len, name.data);
	}
}
