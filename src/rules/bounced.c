#include "config.h"

#include <stdio.h>
#include <string.h>

#include "rules/bounced.h"

enum bounced bounced_judge(const struct mail_bounce *bounce)
{
	static const char *const good[] = {"delivered", "relayed", "expanded"};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (strcmp(bounce->action, good[i]) == 0)
			return BOUNCED_NOTHING;
	}
	if (strcmp(bounce->action, "failed") != 0)
		return BOUNCED_NOTED;
	switch (bounce->status[0]) {
	case '5':
		return BOUNCED_FAILED;
	case '4':
		return BOUNCED_GIVEN_UP;
	default:
		return BOUNCED_NOTED;
	}
}

void bounced_reason(const struct mail_bounce *bounce, char out[static STORE_REASON_SIZE])
{
	const char *status = bounce->status[0] == '\0' ? "no status" : bounce->status;
	snprintf(out, STORE_REASON_SIZE, "%s%s%.220s", status,
	    bounce->diagnostic[0] == '\0' ? "" : ": ", bounce->diagnostic);
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
