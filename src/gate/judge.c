#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "gate/acknowledge.h"
#include "gate/issue.h"
#include "gate/judge.h"
#include "rules/signature.h"

void judge_mail(struct mail_facts *facts)
{
	struct gate *gate = facts->gate;
	struct publisher publisher;
	struct contact contact;
	bool is_publisher = false;
	bool is_contact = false;
	char reason[STORE_REASON_SIZE];
	struct err err;
	if (!facts->signer_known) {
		open_end(facts, "finish", "unknown",
		    facts->opened.signature_count == 0 ? "it is not signed"
						       : "not signed by anybody known here");
		return;
	}
	const char *fingerprint = facts->signer.facts.fingerprint;
	if (store_publisher_by_fingerprint(
		gate->store, fingerprint, &publisher, &is_publisher, &err) != 0 ||
	    store_contact_by_fingerprint(gate->store, fingerprint, &contact, &is_contact, &err) !=
		0) {
		gate_fail(gate, &err);
		open_done(facts);
		return;
	}
	const char *meaning = is_publisher ? "advisory" : is_contact ? "acknowledgment" : "unknown";
	if (!signature_counts(&facts->opened, &facts->signer, clock_now(),
		gate->config->limits.clock_skew, reason))
		open_end(facts, "refuse", meaning, reason);
	else if (facts->automatic)
		open_end(facts, "refuse", meaning, "it is an automatic reply or a report");
	else if (is_publisher)
		issue_mail(facts, &publisher);
	else if (is_contact)
		acknowledge_mail(facts, &contact);
	else
		open_end(
		    facts, "finish", "unknown", "the signer is neither a publisher nor a contact");
}
