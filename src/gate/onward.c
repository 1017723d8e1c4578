#include "config.h"

#include <stdlib.h>

#include "gate/onward.h"
#include "pgp/lone.h"

int onward_choose(struct mail_facts *facts, struct err *err)
{
	const struct mail_content *content = facts->content;
	struct buf own = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	bool found = false;
	if (content->part_count == 0)
		return 0;
	if (store_certificate_bytes(facts->gate->store, facts->signer.facts.fingerprint, &own,
		&found, err) != 0) {
		buf_release(&own);
		return -1;
	}
	facts->onward = calloc(content->part_count, sizeof *facts->onward);
	if (facts->onward == NULL)
		abort();
	for (uint32_t i = 0; i < content->part_count; i++) {
		const struct mail_part *part = &content->parts[i];
		if (found && part->attachment &&
		    lone_certificate_is(part->content, buf_view(&own)))
			continue;
		facts->onward[facts->onward_count++] = *part;
	}
	buf_release(&own);
	return 0;
}
